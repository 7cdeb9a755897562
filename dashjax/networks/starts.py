"""Where simulated trajectories begin: frames, files, cells or random states, matched with a network's genes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.data import LARGEST_EXPRESSION, Trajectories
from dashjax.errors import InputError, suggest
from dashjax.io import Expression, load_expression
from dashjax.io.name_hints import name_hints
from dashjax.io.tables import short
from dashjax.questions import random_starts, response_times

if TYPE_CHECKING:
    from dashjax.networks.network import Network

#: Random states to start from, unless observed ones are given.
STARTS = 200


def starts_or_random(network: Network, starts: Any, times: Sequence[float] | None, seed: int):
    """Return states (start, gene) in the user's units, and times from the start on."""
    if times is None:
        grid = np.asarray(response_times(network.dynamics()[0]))
    else:
        grid = np.asarray(times, float)
        if grid.ndim != 1 or len(grid) < 2 or not (np.diff(grid) > 0).all():
            raise InputError("needs at least two times, each later than the one before", "times")
    if starts is None:
        # Uniform over [0, 1] in training units, where the paper draws its starts.
        drawn = random_starts(jax.random.key(seed), STARTS, len(network.genes))
        return network.units.levels(drawn), grid
    return jnp.asarray(read_starts(starts, network.genes)[1], jnp.float32), grid


def read_starts(starts: Any, genes: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Return names and states (start, gene) of where to begin, in the user's units.

    Args:
        starts: a frame (start × gene) or a tidy one, a path, an AnnData (every cell one start), an `Expression` (the
            first states of its trajectories), or an array (start, gene).
        genes: of the network.

    Raises:
        InputError: on anything that cannot be read, lacks a gene, or is missing a value.
    """
    if isinstance(starts, Trajectories):
        starts = np.asarray(starts.expression[:, 0])
    if hasattr(starts, "obs_names") and hasattr(starts, "to_df"):
        starts = starts.to_df()
    if hasattr(starts, "columns") and "time" not in starts.columns:
        missing = [gene for gene in genes if gene not in set(starts.columns)]
        _refuse_missing(missing, genes, list(starts.columns))
        names, states = [str(name) for name in starts.index], starts[list(genes)].to_numpy(float)
    elif isinstance(starts, np.ndarray | jax.Array | list):
        states = np.atleast_2d(np.asarray(starts, float))
        if states.shape[1] != len(genes):
            raise InputError(f"{states.shape[1]} genes, the network has {len(genes)}", "starts")
        names = [str(number + 1) for number in range(len(states))]
    else:
        data = starts if isinstance(starts, Expression) else load_expression(starts)
        place = {gene: number for number, gene in enumerate(data.genes)}
        _refuse_missing([gene for gene in genes if gene not in place], genes, data.genes, data.source)
        order = np.array([place[gene] for gene in genes])
        names, states = list(data.names), np.asarray(data.trajectories.expression[:, 0])[:, order]
    if not np.isfinite(states).all():
        row, column = np.argwhere(~np.isfinite(states))[0]
        raise InputError(f"start '{short(names[row])}' has no value of '{short(genes[column])}'", "starts")
    return names, states


class Change(NamedTuple):
    """What is asked to be done to genes, in the user's units.

    Attributes:
        levels: level each gene is held at, (gene,); NaN for free ones.
        factor: share of each gene's production that is left, (gene,).
        named: genes that something is asked of, booleans (gene,).
    """

    levels: np.ndarray
    factor: np.ndarray
    named: np.ndarray


def asked_change(
    genes: Sequence[str],
    knock_out: Sequence[str],
    knock_down: Mapping[str, float],
    over_express: Mapping[str, float],
    floor: np.ndarray | None = None,
) -> Change:
    """Return what is asked to be done.

    Args:
        genes: of the network.
        knock_out: genes without any expression.
        knock_down: genes, and the share of their production that is left.
        over_express: genes, and the level they are held at.
        floor: level (gene,) that stands for no expression; zero if None.

    Raises:
        InputError: on unknown or repeated genes, levels or shares that make no sense, or nothing to do.
    """
    if isinstance(knock_out, str):
        knock_out = [knock_out]
    wanted = [("knock_out", gene, np.nan) for gene in knock_out]
    wanted += [("knock_down", gene, float(share)) for gene, share in knock_down.items()]
    wanted += [("over_express", gene, float(level)) for gene, level in over_express.items()]
    if not wanted:
        raise InputError("name at least one gene to perturb", "knock_out")
    place = {gene: number for number, gene in enumerate(genes)}
    change = Change(np.full(len(genes), np.nan), np.ones(len(genes)), np.zeros(len(genes), bool))
    for argument, gene, number in wanted:
        if gene not in place:
            raise InputError(f"the network has no gene '{short(gene)}'{suggest(gene, list(genes))}", argument)
        at = place[gene]
        if change.named[at]:
            raise InputError(f"gene '{short(gene)}' is perturbed twice", argument)
        change.named[at] = True
        if argument == "knock_out":
            change.levels[at] = 0.0 if floor is None else floor[at]
        elif argument == "knock_down":
            if not 0 <= number < np.inf:
                raise InputError(f"'{short(gene)}' is left a share of {number:g}, expected at least 0", argument)
            change.factor[at] = number
        else:
            if not abs(number) <= LARGEST_EXPRESSION:
                raise InputError(f"level of '{short(gene)}' is {number:g}", argument)
            change.levels[at] = number
    return change


def _refuse_missing(missing: Sequence[str], genes: Sequence[str], known: Sequence[str], source: str = "starts") -> None:
    if missing:
        hints = "".join(f"; {text}" for text in name_hints(missing, known))
        raise InputError(
            f"{source}: lacks {len(missing)} of the network's {len(genes)} genes, '{short(missing[0])}' first{hints}"
        )
