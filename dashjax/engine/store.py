"""What is finished, on disk or in memory: so that nothing is ever lost or done twice."""

from __future__ import annotations

import glob
import json
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dashjax.engine.work import Arrays
from dashjax.errors import InputError
from dashjax.io import write_atomically

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]


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

        return _table([pd.DataFrame(self._rows)] if self._rows else [])

    def log(self, event: str, **facts: Any) -> None:
        """Keep no log."""


class Store(MemoryStore):
    """A results folder, at `folder`.

    `chunks/NAME.npz` holds models and curves of a chunk's items, `chunks/NAME.parquet` rows. The rows are written last
    and by renaming, so a chunk counts as finished when its rows can be read. `manifest.json` says what the folder is
    of, `events.jsonl` logs what happened when.

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
        manifest = self.folder / "manifest.json"
        with _explained(self.folder):
            self.chunks.mkdir(parents=True, exist_ok=True)
            if manifest.exists():
                found = read_manifest(folder)["fingerprint"]
                if found != fingerprint:
                    raise InputError(
                        f"{self.folder}: holds results of another study ({found}, this one is {fingerprint}); "
                        f"choose another folder"
                    )
            content = json.dumps({"fingerprint": fingerprint, **describe}, indent=1)
            write_atomically(manifest, lambda path: path.write_text(content + "\n", encoding="utf-8"))
            for place in (self.folder, self.chunks):
                _clear_leftovers(place)
        self._places: dict[str, str] = {}
        self._frames: dict[str, pd.DataFrame] = {}
        self._scan()

    def __getitem__(self, identity: str) -> Arrays:
        """Return what is kept of an item."""
        with np.load(self.chunks / f"{self._places[identity]}.npz", allow_pickle=False) as file:
            row = int(np.flatnonzero(file["id"] == identity)[0])
            return {name: file[name][row] for name in file.files if name != "id"}

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
        import pandas as pd

        identities = list(arrays)
        name = f"{identities[0]}-{len(arrays)}" if arrays else f"{rows[0]['id']}-row"
        frame = pd.DataFrame(list(rows)).assign(chunk=name)
        names = arrays[identities[0]] if arrays else ()
        stacked = {part: np.stack([arrays[identity][part] for identity in identities]) for part in names}

        def save(path: Path) -> None:
            with path.open("wb") as file:
                np.savez_compressed(file, id=np.array(identities), **stacked)  # type: ignore[arg-type]

        with _explained(self.folder):
            write_atomically(self.chunks / f"{name}.npz", save)
            write_atomically(self.chunks / f"{name}.parquet", lambda path: frame.to_parquet(path, index=False))
        self._frames[name] = frame
        self._places |= dict.fromkeys(identities, name)

    def rows(self) -> pd.DataFrame:
        """Return a row per finished network, and per finished item that is none."""
        return _table(list(self._frames.values()))

    def log(self, event: str, **facts: Any) -> None:
        """Append one line to events.jsonl."""
        line = json.dumps({"time": round(time.time(), 3), "process": os.getpid(), "event": event, **facts})
        # One short write in append mode is atomic, so several processes can share the log.
        with _explained(self.folder), (self.folder / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _scan(self) -> None:
        """Read what is finished; damaged chunks are set aside and reported as missing."""
        import pandas as pd

        for path in sorted(self.chunks.glob("*.parquet")):
            try:
                frame = pd.read_parquet(path)
                with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
                    identities = [str(identity) for identity in arrays["id"]]
                    if not path.stem.endswith("-row") and not set(identities) <= set(frame["id"]):
                        raise ValueError("rows and arrays differ")
                self._frames[path.stem] = frame
                self._places |= dict.fromkeys(identities, path.stem)
            except Exception as error:  # whatever a damaged file raises, its runs are simply not finished
                print(f"{path}: damaged, set aside ({type(error).__name__}); its runs will be repeated", flush=True)
                for part in (path, path.with_suffix(".npz")):
                    if part.exists():
                        part.rename(part.with_name(part.name + ".damaged"))


def _table(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return pd.DataFrame({"id": pd.Series(dtype=str), "chunk": pd.Series(dtype=str)})
    return pd.concat(filled, ignore_index=True).drop_duplicates("id", keep="first")


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses into one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{folder}: cannot be written ({reason}); what was finished is kept") from None


def read_manifest(folder: Path | str) -> dict[str, Any]:
    """Return what a results folder records of itself.

    Raises:
        InputError: where there is none, or a damaged one.
    """
    path = Path(folder) / "manifest.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["fingerprint"]
    except FileNotFoundError:
        raise InputError(f"{folder}: not a results folder (it has no manifest.json)") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error})") from None
    return content


def _clear_leftovers(folder: Path) -> None:
    """Remove temporary files of processes of this machine that were killed while they wrote."""
    for path in folder.glob(f".*.{glob.escape(platform.node())}.*"):
        process = path.name.rpartition(".")[2]
        if process.isdigit() and not _runs(int(process)):
            path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
