"""Results on disk: one pair of files per finished chunk, so that nothing finished is ever lost."""

from __future__ import annotations

import glob
import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dashjax.errors import InputError


class Store:
    """A results folder.

    `chunks/NAME.npz` holds the models and curves of a chunk's runs, `chunks/NAME.parquet` their rows. The
    rows are written last and by renaming, so a chunk counts as finished when its rows can be read.
    `manifest.json` names the study and the latest grid, `events.jsonl` logs what happened when.

    Args:
        folder: the results folder; created with its parents.
        fingerprint: identity of the study the runs belong to.
        describe: what to record of the study besides.

    Raises:
        InputError: where the folder cannot be written or holds another study's results.
    """

    def __init__(self, folder: Path | str, fingerprint: str, describe: dict[str, Any]):
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
                        f"choose another --out"
                    )
            content = json.dumps({"fingerprint": fingerprint, **describe}, indent=1)
            write_atomically(manifest, lambda path: path.write_text(content + "\n", encoding="utf-8"))
            for place in (self.folder, self.chunks):
                _clear_leftovers(place)

    def rows(self) -> pd.DataFrame:
        """Return the rows of every finished run; damaged chunks are set aside and reported as missing."""
        frames = []
        for path in sorted(self.chunks.glob("*.parquet")):
            try:
                frame = pd.read_parquet(path)
                with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
                    if len(arrays["id"]) != len(frame):
                        raise ValueError("rows and arrays differ in length")
                frames.append(frame.assign(chunk=path.stem))
            except Exception as error:  # whatever a damaged file raises, its runs are simply not finished
                print(f"{path}: damaged, set aside ({type(error).__name__}); its runs will be repeated", flush=True)
                for part in (path, path.with_suffix(".npz")):
                    if part.exists():
                        part.rename(part.with_name(part.name + ".damaged"))
        if not frames:
            return pd.DataFrame({"id": pd.Series(dtype=str), "chunk": pd.Series(dtype=str)})
        return pd.concat(frames, ignore_index=True).drop_duplicates("id", keep="first")

    def write(self, rows: Sequence[dict[str, Any]], arrays: dict[str, np.ndarray]) -> None:
        """Add a finished chunk: its rows, and arrays with a leading run axis.

        Raises:
            InputError: where the disk is full or gone; the chunk does not count as finished then.
        """
        name = f"{rows[0]['id']}-{len(rows)}"
        frame = pd.DataFrame(list(rows))
        identities = np.array([row["id"] for row in rows])

        def save(path: Path) -> None:
            with path.open("wb") as file:
                np.savez_compressed(file, id=identities, **arrays)  # type: ignore[arg-type]

        with _explained(self.folder):
            write_atomically(self.chunks / f"{name}.npz", save)
            write_atomically(self.chunks / f"{name}.parquet", lambda path: frame.to_parquet(path, index=False))

    def log(self, event: str, **facts: Any) -> None:
        """Append one line to events.jsonl."""
        line = json.dumps({"time": round(time.time(), 3), "process": os.getpid(), "event": event, **facts})
        # One short write in append mode is atomic, so several processes can share the log.
        with _explained(self.folder), (self.folder / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def arrays(self, chunk: str, identity: str) -> dict[str, np.ndarray]:
        """Return one run's model and curves."""
        with np.load(self.chunks / f"{chunk}.npz", allow_pickle=False) as file:
            row = int(np.flatnonzero(file["id"] == identity)[0])
            return {name: file[name][row] for name in file.files}


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses into one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{folder}: cannot be written ({reason}); what was finished is kept") from None


def read_manifest(folder: Path | str) -> dict[str, Any]:
    """Return what a results folder records of its study.

    Raises:
        InputError: where there is none, or a damaged one.
    """
    path = Path(folder) / "manifest.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["fingerprint"], content["grid"]
    except FileNotFoundError:
        raise InputError(f"{folder}: not a results folder (it has no manifest.json)") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error})") from None
    return content


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file under a temporary name and rename it, so that it is whole or absent."""
    temporary = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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


def missing(cells: Iterable, identities: Sequence[str], finished: set[str]) -> list:
    """Return the cells whose identity is not among the finished ones."""
    return [cell for cell, identity in zip(cells, identities, strict=True) if identity not in finished]
