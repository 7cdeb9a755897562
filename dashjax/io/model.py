"""Fitted models as safe files: plain arrays in an npz, never a pickle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

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


def save_model(path: Path | str, field: AbstractField, genes: Sequence[str]) -> None:
    """Save a field and its gene names."""
    kind = next(name for name, cls in _FIELDS.items() if type(field) is cls)
    header = json.dumps({"format": _FORMAT, "field": kind, "genes": list(genes)})
    arrays = {name: np.asarray(getattr(field, name)) for name in _leaves(kind)}
    with Path(path).open("wb") as file:
        np.savez_compressed(file, header=np.array(header), **arrays)  # type: ignore[arg-type]


def load_model(path: Path | str) -> tuple[AbstractField, tuple[str, ...]]:
    """Load a field and its gene names.

    Raises:
        InputError: where the file is missing, damaged or no dashjax model.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            if header["format"] != _FORMAT:
                raise InputError(f"{path}: model format {header['format']}, this version reads {_FORMAT}")
            kind = header["field"]
            arrays = {name: jnp.asarray(file[name]) for name in _leaves(kind)}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except InputError:
        raise
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a dashjax model ({error})") from None
    return _FIELDS[kind](**arrays), tuple(header["genes"])


def _leaves(kind: str) -> list[str]:
    return list(_FIELDS[kind].__dataclass_fields__)
