"""Writing: folders that can be written, and files that are whole or absent."""

from __future__ import annotations

import glob
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dashjax.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses while something is written into one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())[:200]
        raise InputError(f"{path}: cannot be written ({reason}); what was finished is kept") from None


def temporary_name(path: Path) -> Path:
    """Return the name under which this process writes a file or folder before it gets its own."""
    return path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}")


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file under a temporary name and rename it, so that it is whole or absent.

    Raises:
        InputError: where the disk is full, gone or not to be written to, or what is there is no file: a rename would
            put a file in the place of a device or a pipe.
    """
    with explained(path):
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: cannot be written (not a regular file)")
    temporary = temporary_name(path)
    try:
        with explained(path):
            write(temporary)
            temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def clear_leftovers(folder: Path) -> None:
    """Remove what processes of this machine that were killed while they wrote left under temporary names."""
    for path in folder.glob(f".*.{glob.escape(platform.node())}.*"):
        process = path.name.rpartition(".")[2]
        if process.isdigit() and not _runs(int(process)):
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def write_frame(path: Path | str, table: pd.DataFrame, mark: str | None = None, missing: str = "") -> None:
    """Write a frame without its index, whole or not at all: Parquet or text by the file's name, gzipped for `.gz`.

    Args:
        path: file to write.
        table: the frame.
        mark: between the cells of text; if None a tab where the name says TSV, else a comma.
        missing: what stands for a missing value in text.
    """
    path = Path(path)
    if mark is None:
        mark = "\t" if path.name.lower().removesuffix(".gz").endswith(".tsv") else ","
    if path.suffix.lower() == ".parquet":
        write_atomically(path, lambda part: table.to_parquet(part, index=False))
        return
    # pandas would tell the compression by the temporary name.
    compression: Literal["gzip"] | None = "gzip" if path.suffix.lower() == ".gz" else None
    write_atomically(
        path, lambda part: table.to_csv(part, sep=mark, index=False, na_rep=missing, compression=compression)
    )


def make_folder(path: Path) -> None:
    """Make an output folder with its parents.

    Raises:
        InputError: where it cannot be made.
    """
    with explained(path):
        path.mkdir(parents=True, exist_ok=True)


def check_writable(folder: Path) -> None:
    """Check that a folder can be made and written, and leave nothing behind.

    Raises:
        InputError: where it or its nearest existing parent is no folder, or takes no file.
    """
    try:
        existing = folder.absolute()
        while not existing.exists():
            existing = existing.parent
        if not existing.is_dir():
            raise InputError(f"{folder}: cannot be written ({existing} is not a folder)")
        with tempfile.NamedTemporaryFile(dir=existing, prefix=".dashjax-"):
            pass
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror})") from None
