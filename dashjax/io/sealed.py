"""What dashjax reads back of its own: arrays and JSON with a checksum, so that no damage passes for a result."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dashjax.errors import InputError
from dashjax.io.files import write_atomically

#: Bytes of the largest file that is read back, and of the largest JSON.
LARGEST_FILE, LARGEST_JSON = 2**36, 2**30
#: Hexadecimal digits of a checksum (SHA-256).
_DIGITS = 64


class Damaged(ValueError):
    """What was read is not what was written."""


def checksum(content: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as a compressed npz, whole or not at all, whose comment is the checksum of all before it."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_atomically(path, lambda part: part.write_bytes(seal(buffer.getvalue())))


def seal(archive: bytes) -> bytes:
    """Return a zip archive with the checksum of all before it as its comment."""
    buffer = io.BytesIO(archive)
    with zipfile.ZipFile(buffer, "a") as opened:
        opened.comment = b"0" * _DIGITS
    body = buffer.getvalue()[:-_DIGITS]
    return body + checksum(body).encode()


def read_sealed(path: Path) -> bytes:
    """Return an npz that `write_arrays` wrote.

    Raises:
        OSError: where it cannot be read.
        Damaged: where it is no file, larger than `LARGEST_FILE`, or not what was written.
    """
    if path.exists() and not path.is_file():
        raise Damaged("no regular file")
    if path.stat().st_size > LARGEST_FILE:
        raise Damaged(f"larger than {LARGEST_FILE / 2**30:.0f} GiB")
    content = path.read_bytes()
    if content[-_DIGITS:] != checksum(content[:-_DIGITS]).encode():
        raise Damaged("its checksum is absent or wrong")
    return content


def read_arrays(content: bytes, names: Sequence[str] | None = None, limit: float = LARGEST_FILE) -> dict[str, Any]:
    """Return arrays of an npz by name, never unpickled; nothing is unpacked before all declared sizes are known.

    Args:
        content: of `read_sealed`.
        names: those wanted; all if None.
        limit: bytes that these may have together.

    Raises:
        Damaged: where they are larger; any error of a damaged archive where the bytes are not of `read_sealed`.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        wanted = [name.removesuffix(".npy") for name in archive.namelist()] if names is None else names
        if sum(_bytes_of(archive, name) for name in wanted) > limit:
            raise Damaged("its arrays are larger than they can be")
        return {name: _read(archive, name) for name in wanted}


def _bytes_of(archive: zipfile.ZipFile, name: str) -> int:
    """Return the bytes of an array as the archive or the array states them, whichever is more."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, _, dtype = read[version](file)
    return max(info.file_size, int(np.prod(shape, dtype=object)) * dtype.itemsize)


def _read(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON, whole or not at all, with the checksum of what it says and under which name."""
    text = json.dumps({**content, "sha256": _checksum_of(content, path.name)}, indent=1)
    write_atomically(path, lambda part: part.write_text(text + "\n", encoding="utf-8"))


def read_json(path: Path) -> dict[str, Any]:
    """Return what `write_json` wrote.

    Raises:
        FileNotFoundError: where there is no such file.
        InputError: where it cannot be read, or is not what was written.
    """
    try:
        if path.exists() and not path.is_file():
            raise Damaged("no regular file")
        with path.open("rb") as file:
            content = json.loads(file.read(LARGEST_JSON).decode())
        if content.pop("sha256") != _checksum_of(content, path.name):
            raise Damaged("its checksum is wrong")
    except (FileNotFoundError, NotADirectoryError):
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = "no checksum" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{path}: damaged, or of an earlier version ({reason})") from None
    return content


def _checksum_of(content: Mapping[str, Any], name: str) -> str:
    return checksum(json.dumps([name, content], sort_keys=True).encode())
