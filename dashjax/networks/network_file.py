"""Networks as safe files: plain arrays and text in an npz, never a pickle."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.data import Finding, Prior, Production, Units, prior_from_edges
from dashjax.data.prior import combine_priors
from dashjax.dynamics import AbstractSpec, field_of_arrays
from dashjax.errors import InputError
from dashjax.evidence import EdgePosterior, EnsemblePosterior
from dashjax.io.result_folder import refuse_changed
from dashjax.io.sealed import read_arrays, read_sealed, write_arrays
from dashjax.networks.network import Network
from dashjax.numerics.sparse import SparseMatrix
from dashjax.questions import Measured

#: Changes whenever a file of before would be read wrongly.
FORMAT = 2
#: What a folder that `dashjax fit` wrote calls its network.
FILE = "model.npz"
#: Bytes of the arrays of the largest network, and of a header.
_LARGEST, _LARGEST_HEADER = 2**36, 2**26


def save_network(path: Path | str, network: Network) -> None:
    """Save a network whole: edges, posterior, the fields of all members, and how it was found.

    Raises:
        InputError: where the file cannot be written.
    """
    header = {
        "format": FORMAT,
        "genes": list(network.genes),
        "regulators": network.regulators,
        "spec": None if network.spec is None else _spec_header(network.spec),
        "precision": network.precision,
        "how": dict(network.how),
        "findings": [asdict(finding) for finding in network.findings],
        "curves": list(network.curves),
        "provenance": dict(network.provenance),
    }
    arrays: dict[str, Any] = {f"units_{name}": getattr(network.units, name) for name in ("time", "offset", "scale")}
    sources = [network.prior.edges] if network.prior.sources is None else list(network.prior.sources)
    for number, edges in enumerate(sources):
        parts = edges.entries() if isinstance(edges, SparseMatrix) else _entries(np.asarray(edges))
        arrays |= {f"prior{number}_{name}": part for name, part in zip(_EDGE, parts, strict=True)}
    if network.fields is not None:
        arrays |= {f"field_{name}": leaf for name, leaf in network.fields.arrays().items()}
    if network.posterior is not None:
        mixture = network.posterior.posterior
        arrays |= {f"posterior_{part.name}": getattr(mixture, part.name) for part in fields(mixture)}
        arrays |= {"frequency": network.posterior.frequency, "agreement": network.posterior.agreement}
    if network.ranking is not None:
        arrays["ranking"] = network.ranking
    if network.measured is not None:
        arrays |= {f"measured_{name}": getattr(network.measured, name) for name in _MEASURED}
        arrays |= {f"measured_{name}": getattr(network.measured.production, name) for name in ("factor", "level")}
    if network.floor is not None:
        arrays["floor"] = network.floor
    arrays |= {f"curve_{name}": curve for name, curve in network.curves.items()}
    plain = {name: np.asarray(array) for name, array in arrays.items()}

    write_arrays(Path(path), {"header": np.array(json.dumps(header)), **plain})


def load_network(path: Path | str) -> Network:
    """Load a network that `Network.save` or `dashjax fit` wrote: the same arrays to the last bit.

    Nothing in the file is run, and nothing is unpacked whose declared size no network has. A field of a kind that a
    user defined comes back once its spec's class has been defined or imported.

    Examples:
        >>> import tempfile
        >>> from dashjax import make_problem, make_trajectories
        >>> from dashjax.networks import make_network
        >>> problem = make_problem(make_trajectories([[0, 1, 2]], [[[1.0], [0.5], [0.2]]]), ["GATA1"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     make_network(problem, {"ranking": np.zeros((1, 1))}, {}).save(f"{folder}/network.npz")
        ...     load_network(f"{folder}/network.npz").genes
        ('GATA1',)

    Args:
        path: the file, or the folder that `dashjax fit` wrote.

    Raises:
        InputError: where the file is missing, damaged or no network.
    """
    path = Path(path)
    path = path / FILE if path.is_dir() else path
    refuse_changed(path)
    try:
        content = read_sealed(path)
        header = json.loads(str(read_arrays(content, ("header",), _LARGEST_HEADER)["header"]))
        if header["format"] != FORMAT:
            raise InputError(f"{path}: format {header['format']} of a network, this version reads {FORMAT}")
        arrays = read_arrays(content, limit=_largest(len(header["genes"])))
        del arrays["header"]
        if any(array.dtype.kind not in "fbiu" for array in arrays.values()):
            raise ValueError("an array holds no numbers")
        return _assemble(header, arrays, path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except InputError:
        raise
    except (
        *(OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError),
        *(ValueError, KeyError, TypeError, IndexError, AttributeError, MemoryError, OverflowError, AssertionError),
    ) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise InputError(f"{path}: not a dashjax network ({first})") from None


def _assemble(header: dict[str, Any], arrays: dict[str, np.ndarray], path: Path) -> Network:
    genes = tuple(str(name) for name in header["genes"])
    count = len(genes)
    if len(set(genes)) < count:
        raise ValueError("a gene appears twice")
    regulators = None if header["regulators"] is None else tuple(int(n) for n in header["regulators"])
    if regulators is not None and not (
        list(regulators) == sorted(set(regulators)) and all(0 <= n < count for n in regulators)
    ):
        raise ValueError("regulators are not increasing numbers of genes")
    units = Units(*(jnp.asarray(arrays[f"units_{name}"]) for name in ("time", "offset", "scale")))
    if units.offset.shape != (count,) or units.scale.shape != (count,):
        raise ValueError(f"units are not those of {count} genes")
    spec, fitted = None, None
    if header["spec"] is not None:
        spec = _read_spec(header["spec"], path)
        leaves = {name.removeprefix("field_"): array for name, array in arrays.items() if name.startswith("field_")}
        fitted = field_of_arrays(spec, count, leaves)
        if len({leaf.shape[:1] for leaf in leaves.values()}) > 1:
            raise ValueError("the field's arrays are of different numbers of members")
    posterior = None
    if "frequency" in arrays:
        parts: dict[str, Any] = {part.name: arrays[f"posterior_{part.name}"] for part in fields(EdgePosterior)}
        agreed: dict[str, Any] = {name: arrays[name] for name in ("frequency", "agreement")}
        posterior = EnsemblePosterior(EdgePosterior(**parts), **agreed)
    measured = None
    if "measured_usual" in arrays:
        done = Production(*(jnp.asarray(arrays[f"measured_{name}"]) for name in ("factor", "level")))
        known: dict[str, Any] = {name: jnp.asarray(arrays[f"measured_{name}"]) for name in _MEASURED}
        measured = Measured(**known, production=done)
        one, many = (count,), (len(measured.levels), count)
        shapes = [leaf.shape for leaf in jax.tree.leaves(measured)]
        if shapes != [one, one, many, many, many, many]:
            raise ValueError(f"what was measured at rest is not that of {count} genes")
    if "floor" in arrays and arrays["floor"].shape != (count,):
        raise ValueError(f"floor is not that of {count} genes")
    for name in _OF_PAIRS & set(arrays):
        if arrays[name].shape != (count, count):
            raise ValueError(f"{name} is not that of {count} genes")
    return Network(
        genes,
        units,
        _read_prior(arrays, count),
        regulators,
        spec,
        fitted,
        posterior,
        arrays.get("ranking"),
        float(header["precision"]),
        {str(name): arrays[f"curve_{name}"] for name in header["curves"]},
        dict(header["how"]),
        tuple(Finding(**finding) for finding in header["findings"]),
        measured,
        arrays.get("floor"),
        provenance=dict(header.get("provenance", {})),
    )


#: What is kept of measured interventions, beside what was done.
_MEASURED = ("usual", "uncertainty", "levels", "error")
_EDGE = ("regulators", "targets", "weights")
#: Arrays (regulator, target).
_OF_PAIRS = {"frequency", "agreement", "ranking"} | {
    f"posterior_{name}" for name in ("probability", "effect", "spread", "activation")
}


def _entries(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    regulators, targets = np.nonzero(edges)
    return regulators, targets, edges[regulators, targets]


def _read_prior(arrays: dict[str, np.ndarray], genes: int) -> Prior:
    priors: list[Prior] = []
    while f"prior{len(priors)}_weights" in arrays:
        priors.append(prior_from_edges([arrays[f"prior{len(priors)}_{name}"] for name in _EDGE], genes))
    return combine_priors(priors)


def _spec_header(spec: AbstractSpec) -> dict[str, Any]:
    kind = type(spec)
    return {
        "kind": f"{kind.__module__}.{kind.__qualname__}",
        **{part.name: getattr(spec, part.name) for part in fields(spec)},
    }


def _read_spec(header: dict[str, Any], path: Path) -> AbstractSpec:
    """Return the spec that a file names, of the classes that there are: nothing is imported for it."""
    wanted = dict(header)
    name = wanted.pop("kind")
    known = {f"{kind.__module__}.{kind.__qualname__}": kind for kind in _subclasses(AbstractSpec)}
    if name not in known:
        raise InputError(f"{path}: its field is of a kind, {name}, that is not defined here; import its module first")
    return known[name](**{key: tuple(value) if isinstance(value, list) else value for key, value in wanted.items()})


def _subclasses(kind: type) -> list[type]:
    found: list[type] = []
    direct: type
    for direct in kind.__subclasses__():
        found += [direct, *_subclasses(direct)]
    return found


def _largest(genes: int) -> float:
    """Return the bytes that the arrays of a network of so many genes may take, far more than any has."""
    return min(_LARGEST, _LARGEST_HEADER + 2**11 * genes * (genes + 2**9))
