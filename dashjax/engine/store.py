"""What is finished, on disk or in memory: so that nothing is ever lost or done twice."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dashjax.engine.work import Arrays
from dashjax.errors import InputError
from dashjax.io.files import clear_leftovers, explained
from dashjax.io.sealed import read_arrays, read_json, read_sealed, write_arrays, write_json

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

#: Bytes that the rows of a chunk may take.
LARGEST_ROWS = 2**30


class MemoryStore(Mapping[str, Arrays]):
    """Finished items by identity, and rows of finished networks, for as long as this process lives."""

    def __init__(self):
        self._arrays: dict[str, Arrays] = {}
        self._rows: list[Row] = []

    def __getitem__(self, identity: str) -> Arrays:
        """Return what is kept of an item."""
        return self._arrays[identity]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the identities of finished items."""
        return iter(self._arrays)

    def __len__(self) -> int:
        """Return how many items are finished."""
        return len(self._arrays)

    def write(self, arrays: Mapping[str, Arrays], rows: Sequence[Row]) -> None:
        """Add finished items, and rows."""
        self._arrays |= arrays
        self._rows += rows

    def rows(self) -> pd.DataFrame:
        """Return a row per finished network, and per finished item that is none."""
        import pandas as pd

        if not self._rows:
            return pd.DataFrame({"id": pd.Series(dtype=str), "chunk": pd.Series(dtype=str)})
        return pd.DataFrame(self._rows).drop_duplicates("id", keep="first", ignore_index=True)

    def log(self, event: str, **facts: Any) -> None:
        """Keep no log."""


class Store(MemoryStore):
    """A results folder, at `folder`.

    `chunks/NAME.npz` holds models and curves of a chunk's items, and rows. It is written whole or not at all and
    carries a checksum, so what can be read is finished, and what is damaged is done again. `manifest.json` says what
    the folder is of, `events.jsonl` logs what happened when.

    Args:
        folder: the results folder; created with its parents.
        fingerprint: identity of what the results belong to.
        describe: what to record of it besides.

    Raises:
        InputError: where the folder cannot be written or holds another study's results.
    """

    def __init__(self, folder: Path | str, fingerprint: str, describe: Mapping[str, Any]):
        super().__init__()
        self.folder = Path(folder)
        self.chunks = self.folder / "chunks"
        self._places: dict[str, str] = {}
        manifest = self.folder / "manifest.json"
        with explained(self.folder):
            self.chunks.mkdir(parents=True, exist_ok=True)
            for place in (self.folder, self.chunks):
                clear_leftovers(place)
            if manifest.exists():
                try:
                    found = read_manifest(folder)["fingerprint"]
                except InputError as error:
                    # Whose chunks are whose is told by their names, so only what the folder is of is lost.
                    set_aside([manifest], str(error))
                    found = fingerprint
                if found != fingerprint:
                    raise InputError(
                        f"{self.folder}: holds results of another study ({found}, this one is {fingerprint}); "
                        f"choose another folder"
                    )
            write_json(manifest, {"fingerprint": fingerprint, **describe})
            self._scan()

    def __getitem__(self, identity: str) -> Arrays:
        """Return what is kept of an item.

        Raises:
            InputError: where its chunk has been damaged since the folder was opened.
        """
        path = self.chunks / f"{self._places[identity]}.npz"
        try:
            arrays = read_arrays(read_sealed(path))
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: damaged ({error}); the same command repeats its runs") from None
        row = int(np.flatnonzero(arrays["id"] == identity)[0])
        return {name: array[row] for name, array in arrays.items() if name not in ("id", "rows", "chunk")}

    def __iter__(self) -> Iterator[str]:
        """Iterate over the identities of finished items."""
        return iter(self._places)

    def __len__(self) -> int:
        """Return how many items are finished."""
        return len(self._places)

    def write(self, arrays: Mapping[str, Arrays], rows: Sequence[Row]) -> None:
        """Add finished items, all with the same names of arrays, and rows.

        Raises:
            InputError: where the disk is full or gone; the chunk does not count as finished then.
        """
        identities = list(arrays)
        name = f"{identities[0]}-{len(arrays)}" if arrays else f"{rows[0]['id']}-row"
        kept = [{**row, "chunk": name} for row in rows]
        names = arrays[identities[0]] if arrays else ()
        stacked = {part: np.stack([arrays[identity][part] for identity in identities]) for part in names}
        told = {"id": np.array(identities, dtype=str), "rows": np.array(json.dumps(kept, default=_plain))}
        write_arrays(self.chunks / f"{name}.npz", {**stacked, **told, "chunk": np.array(name)})
        self._rows += kept
        self._places |= dict.fromkeys(identities, name)

    def log(self, event: str, **facts: Any) -> None:
        """Append one line to events.jsonl."""
        line = json.dumps({"time": round(time.time(), 3), "process": os.getpid(), "event": event, **facts})
        # One short write in append mode is atomic, so several processes can share the log.
        with explained(self.folder), (self.folder / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _scan(self) -> None:
        """Read what is finished; damaged chunks are set aside, and missing from then on."""
        damaged = []
        for path in sorted(self.chunks.glob("*.npz")):
            try:
                found = read_chunk(path)
            except FileNotFoundError:  # another process has just set it aside
                continue
            except Exception:  # whatever a damaged file raises, its runs are simply not finished
                damaged.append(path)
                continue
            self._rows += found[1]
            self._places |= dict.fromkeys(found[0], path.stem)
        if damaged:
            many = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
            set_aside(damaged, f"{damaged[0]}{many}: damaged, or of an earlier version")


def read_chunk(path: Path) -> tuple[list[str], list[Row]]:
    """Return the identities of a chunk's items, and its rows.

    Raises:
        Exception: of any kind, where it is damaged or another's under this name.
    """
    found = read_arrays(read_sealed(path), ("id", "rows", "chunk"), LARGEST_ROWS)
    rows = json.loads(str(found["rows"]))
    if str(found["chunk"]) != path.stem or any(row["chunk"] != path.stem for row in rows):
        raise ValueError("another chunk's")
    return [str(identity) for identity in found["id"]], rows


def set_aside(paths: Sequence[Path], why: str) -> None:
    """Rename files so that they are no longer read, and say so in a line."""
    for path in paths:
        path.rename(path.with_name(path.name + ".damaged"))
    print(f"{why}: set aside as *.damaged, its runs will be repeated", flush=True)


def _plain(value: Any) -> Any:
    """Return a number of NumPy's as Python's, for JSON."""
    return value.item()


def read_manifest(folder: Path | str) -> dict[str, Any]:
    """Return what a results folder records of itself.

    Raises:
        InputError: where there is none, or a damaged one.
    """
    try:
        return read_json(Path(folder) / "manifest.json")
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder}: not a results folder (it has no manifest.json)") from None
