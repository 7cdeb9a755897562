"""A fitted model with its edges, and the states to simulate it from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.dynamics import AbstractField, Direct
from dashjax.errors import InputError
from dashjax.io import CellOptions, Expression, load_model, read_edges, read_expression
from dashjax.io.name_hints import name_hints
from dashjax.networks import along_edges, network_matrix, random_starts, relative_effects, response_times

#: Random states to start from, unless observed ones are given.
STARTS = 200


@dataclass(frozen=True)
class FittedModel:
    """A model as `dashjax fit` left it.

    Attributes:
        field: the dynamics.
        genes: names in the arrays' order.
        network: signed weights (regulator, target) of the edges it stands for.
    """

    field: AbstractField
    genes: tuple[str, ...]
    network: np.ndarray


@dataclass(frozen=True)
class StartOptions:
    """Where to start from and how long to follow.

    Attributes:
        expression: trajectories whose first states to start from; random states if None.
        genes_file: gene names for a PHOENIX CSV.
        cells: for formats that hold cells.
        number: of random states.
        horizon: how long to follow; the observed trajectories' usual span, or see `response_times`, if None.
        seed: of everything random.
    """

    expression: Path | None = None
    genes_file: Path | None = None
    cells: CellOptions | None = None
    number: int = STARTS
    horizon: float | None = None
    seed: int = 0


#: So many of them, followed as long as suits the model.
RANDOM_STARTS = StartOptions()


@dataclass(frozen=True)
class Starts:
    """Where simulated trajectories begin, and how long they last.

    Attributes:
        states: one per trajectory, (start, gene).
        times: increasing from 0.
        words: what they are, for the user.
    """

    states: jax.Array
    times: jax.Array
    words: str


def edges_file(source: Path) -> Path:
    """Return an edge list's file, which stands in the folder that `dashjax fit` wrote."""
    return source / "edges.tsv" if source.is_dir() else source


def read_fit(model: Path, edges: Path | None = None, edges_only: bool = False) -> FittedModel:
    """Read a fitted model and its edges.

    Args:
        model: the folder that `dashjax fit` wrote, or a model.npz.
        edges: edge list of the network; if None the folder's edges.tsv, and for a model.npz its non-zero effects.
            Of edges with a posterior, the returned ones count.
        edges_only: whether to drop what an edge-resolved field has beyond those edges.

    Raises:
        InputError: on files that cannot be read, edges between genes that the model lacks, or a field whose edges
            cannot be told apart.
    """
    field, genes = load_model(model / "model.npz" if model.is_dir() else model)
    path = edges_file(model) if edges is None and model.is_dir() else edges
    if path is None:
        network = np.asarray(relative_effects(field))
    else:
        table = read_edges(path)
        try:
            network = network_matrix(table[table["returned"]] if "returned" in table else table, genes)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    if edges_only:
        if not isinstance(field, Direct):
            raise InputError("--edges-only: the model's hidden units join its edges; it needs a direct+… method")
        field = along_edges(field, jnp.asarray(network))
    return FittedModel(field, genes, network)


def choose_starts(fitted: FittedModel, options: StartOptions) -> Starts:
    """Return the first states of observed trajectories and their usual span, or so many random states U(0, 1).

    Raises:
        InputError: on a file that cannot be read or lacks genes of the model, or a number out of range.
    """
    if options.number < 1:
        raise InputError(f"--starts: must be at least 1, got {options.number}")
    horizon, expression = options.horizon, options.expression
    if horizon is not None and not 0 < horizon < np.inf:
        raise InputError(f"--horizon: must be a positive time, got {horizon:g}")
    if expression is None:
        if options.genes_file is not None or options.cells is not None:
            raise InputError("--genes, --layer, --time, --trajectory, --bins: describe --expression, which is missing")
        states = random_starts(jax.random.key(options.seed), options.number, len(fitted.genes))
        return Starts(states, response_times(fitted.field, horizon), f"{options.number} random starts")
    data = read_expression(expression, options.genes_file, options.cells)
    index = {gene: number for number, gene in enumerate(data.genes)}
    missing = [gene for gene in fitted.genes if gene not in index]
    if missing:
        hints = "".join(f"; {text}" for text in name_hints(missing, data.genes))
        raise InputError(
            f"{expression}: lacks {len(missing)} of the model's {len(fitted.genes)} genes, '{missing[0]}' first{hints}"
        )
    states = data.trajectories.expression[:, 0, np.array([index[gene] for gene in fitted.genes])]
    horizon = _median_span(data) if horizon is None else horizon
    return Starts(states, response_times(fitted.field, horizon), f"{len(states)} observed starts")


def _median_span(data: Expression) -> float:
    return float(np.median([times[-1] - times[0] for times in data.unpadded()[0]]))
