"""Fitted models as safe files: plain arrays in an npz, never a pickle."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.dynamics import AbstractField, DeepPerceptron, Direct, Perceptron, Phoenix
from dashjax.errors import InputError

_FORMAT = 1
_FIELDS: dict[str, type[AbstractField]] = {
    "phoenix": Phoenix,
    "mlp": Perceptron,
    "deep": DeepPerceptron,
    "direct": Direct,
}
#: The one part of a field that is no array of weights, and that may be absent.
_REGULATORS = "regulators"
#: Bytes of the largest array that a model may hold, and of its header: 40,000 genes squared in two branches.
_LARGEST_ARRAY, _LARGEST_HEADER = 2**34, 2**26


def save_model(path: Path | str, field: AbstractField, genes: Sequence[str]) -> None:
    """Save a field and its gene names.

    save_model("model.npz", result.field, genes)
    field, genes = load_model("model.npz")  # the same arrays to the last bit
    """
    kind = next(name for name, cls in _FIELDS.items() if type(field) is cls)
    header = json.dumps({"format": _FORMAT, "field": kind, "genes": list(genes)})
    parts = {name: getattr(field, name) for name in _leaves(kind)}
    arrays = {name: np.asarray(part) for name, part in parts.items() if part is not None}
    with Path(path).open("wb") as file:
        np.savez_compressed(file, header=np.array(header), **arrays)  # type: ignore[arg-type]


def load_model(path: Path | str) -> tuple[AbstractField, tuple[str, ...]]:
    """Load a field and its gene names.

    Nothing in the file is run, and nothing is unpacked whose declared size no model has.

    Raises:
        InputError: where the file is missing, damaged or no dashjax model.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            header = json.loads(str(_array(archive, "header", _LARGEST_HEADER, path)))
            if header["format"] != _FORMAT:
                raise InputError(f"{path}: model format {header['format']}, this version reads {_FORMAT}")
            kind, genes = header["field"], tuple(str(name) for name in header["genes"])
            held = {name.removesuffix(".npy") for name in archive.namelist()}
            arrays = {
                name: _array(archive, name, _LARGEST_ARRAY, path)
                for name in _leaves(kind)
                if name in held or name != _REGULATORS
            }
            regulators = arrays.pop(_REGULATORS, None)
            if any(array.dtype.kind not in "fb" for array in arrays.values()):
                raise ValueError("an array holds no numbers")
            parts: dict = {name: jnp.asarray(array) for name, array in arrays.items()}
            if regulators is not None:
                parts[_REGULATORS] = _check_regulators(regulators, len(genes))
            field = _FIELDS[kind](**parts)
            if jax.eval_shape(lambda f: (f.effects(), f.decay()), field)[0].shape != (len(genes), len(genes)):
                raise ValueError(f"arrays are not those of {len(genes)} genes")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except InputError:
        raise
    except (
        *(OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError),
        *(ValueError, KeyError, TypeError, IndexError, AttributeError, MemoryError, OverflowError, AssertionError),
    ) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise InputError(f"{path}: not a dashjax model ({first})") from None
    return field, genes


def _check_regulators(numbers: np.ndarray, genes: int) -> tuple[int, ...]:
    if numbers.dtype.kind != "i" or numbers.ndim != 1 or (np.diff(numbers) <= 0).any():
        raise ValueError("regulators are not increasing numbers")
    if numbers.size and not (0 <= numbers[0] and numbers[-1] < genes):
        raise ValueError("a regulator is none of the genes")
    return tuple(int(number) for number in numbers)


def _array(archive: zipfile.ZipFile, name: str, largest: int, path) -> np.ndarray:
    """Read one array, having looked at the size that the archive and the array state."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, _, dtype = read_header[version](file)
        if max(info.file_size, int(np.prod(shape, dtype=object)) * dtype.itemsize) > largest:
            raise InputError(f"{path}: {name} is larger than any model's")
    with archive.open(info) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _leaves(kind: str) -> list[str]:
    return list(_FIELDS[kind].__dataclass_fields__)
