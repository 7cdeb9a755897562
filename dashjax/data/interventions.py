"""What was done to genes: interventions as an affine change of their production.

An experiment changes how a gene is produced, dg/dt = f · production(g) + s − v g, and s = v · level, so that

    regulation'(g) = f · regulation(g) + level.

A knock-out has f = 0 and level 0; a knock-down by half f = ½; over-expression adds the level that the construct alone
would hold; a clamp has f = 0 and the level it is held at; a stimulus is a gene that nothing regulates, held at its
dose. Where f = 0, a gene says nothing about its own regulators and everything about its targets.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from dashjax.errors import InputError, suggest

Kind = Literal["knockout", "knockdown", "overexpression", "clamp", "stimulus"]
#: Share of negative values from which on zero means average.
CENTRED = 0.1
#: Below this share of a gene's largest level a value is rounding.
ROUNDING = 1e-5
#: Kinds of interventions, as files name them.
KINDS: tuple[Kind, ...] = ("knockout", "knockdown", "overexpression", "clamp", "stimulus")


@dataclass(frozen=True)
class Intervention:
    """One thing that was done to one gene in one experiment, as a user states it.

    Attributes:
        experiment: name of the trajectory or of the sample at rest.
        gene: whose production is changed; a stimulus's own name.
        kind: see `KINDS`.
        value: of a knock-down the share of the production that is left; of over-expression the level that is added; of
            a clamp the level; of a stimulus its dose. None where its size is unknown.
        where: file and row, for messages.
    """

    experiment: str
    gene: str
    kind: Kind
    value: float | None = None
    where: str = "interventions"


class Production(eqx.Module):
    """What experiments do to the production of every gene: regulation' = factor · regulation + level.

    Attributes:
        factor: share of the regulation that is left, 1 where nothing was done.
        level: level that is added, in the unit of the expression, 0 where nothing was done.
    """

    factor: Float[Array, "experiment gene"]
    level: Float[Array, "experiment gene"]

    @property
    def touched(self) -> Bool[Array, "experiment gene"]:
        """Which genes something was done to."""
        return (self.factor != 1) | (self.level != 0)


def no_intervention(experiments: int, genes: int) -> Production:
    """Return the production of undisturbed experiments."""
    return Production(jnp.ones((experiments, genes)), jnp.zeros((experiments, genes)))


class RestSamples(eqx.Module):
    """Samples at rest: states that the dynamics, as each experiment left them, carry to themselves.

    Attributes:
        levels: expression; what was not measured is filled with the gene's median.
        measured: which levels were measured; None where all were.
        production: what was done; None where nothing was.
    """

    levels: Float[Array, "sample gene"]
    measured: Bool[Array, "sample gene"] | None = None
    production: Production | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.levels.shape[0]

    @property
    def counted(self) -> Bool[Array, "sample gene"]:
        """Which levels an error may count."""
        return jnp.ones(self.levels.shape, bool) if self.measured is None else self.measured

    @property
    def acting(self) -> Production:
        """What was done, spelt out where it was nothing."""
        return no_intervention(*self.levels.shape) if self.production is None else self.production

    def __getitem__(self, rows) -> RestSamples:
        """Return the samples selected by `rows`."""
        return jax.tree.map(lambda leaf: leaf[rows], self)


def rest_samples(levels: Float[np.ndarray, "sample gene"]) -> RestSamples:
    """Return levels, NaN where one was not measured, as samples at rest.

    Raises:
        InputError: where a gene was measured in none of them, or a level is infinite.
    """
    levels = np.asarray(levels, np.float64)
    if np.isinf(levels).any():
        row, column = np.argwhere(np.isinf(levels))[0]
        raise InputError(f"sample {row + 1}: the level of gene {column + 1} is infinite", "steady")
    measured = ~np.isnan(levels)
    if measured.all():
        return RestSamples(jnp.asarray(levels, jnp.float32))
    with warnings.catch_warnings():
        # A gene that no sample measures: its course fills it, and it counts nowhere.
        warnings.simplefilter("ignore", RuntimeWarning)
        middle = np.nan_to_num(np.nanmedian(levels, axis=0))
    filled = np.where(measured, levels, middle)
    return RestSamples(jnp.asarray(filled, jnp.float32), jnp.asarray(measured))


def production_of(
    interventions: Sequence[Intervention],
    experiments: Sequence[str],
    genes: Sequence[str],
    levels: Float[np.ndarray, "experiment gene"],
    lowest: Float[np.ndarray, " gene"],
) -> Production | None:
    """Return what interventions do to production; None where there are none.

    A gene whose change has an unknown size is held where it was measured.

    Args:
        interventions: as stated.
        experiments: names of trajectories and samples.
        genes: names, in the order of the arrays.
        levels: measured level of every gene in every experiment, averaged over time.
        lowest: level of each gene that stands for no expression at all.

    Raises:
        InputError: on an experiment or a gene that does not exist.
    """
    if not interventions:
        return None
    rows, columns = ({name: number for number, name in enumerate(names)} for names in (experiments, genes))
    factor, level = np.ones(levels.shape), np.zeros(levels.shape)
    for one in interventions:
        for kind, name, known in (("experiment", one.experiment, rows), ("gene", one.gene, columns)):
            if name not in known:
                raise InputError(f"{one.where}: there is no {kind} '{name}'{suggest(name, list(known))}")
        row, column = rows[one.experiment], columns[one.gene]
        if one.kind == "knockout":
            factor[row, column], level[row, column] = 0.0, lowest[column]
        elif one.kind == "stimulus":
            # An input: nothing regulates it anywhere, and it is zero where it was not given.
            factor[:, column], level[:, column] = 0.0, levels[:, column]
        elif one.value is None:
            factor[row, column], level[row, column] = 0.0, levels[row, column]
        elif one.kind == "knockdown":
            factor[row, column], level[row, column] = one.value, (1 - one.value) * lowest[column]
        else:
            factor[row, column], level[row, column] = float(one.kind == "overexpression"), one.value
    return Production(jnp.asarray(factor, jnp.float32), jnp.asarray(level, jnp.float32))


def floor_of(states: Float[np.ndarray, "state gene"]) -> Float[np.ndarray, " gene"]:
    """Return the level of each gene that stands for no expression at all.

    Zero; but in logarithms of ratios and in z-scores zero means average, and nothing is no level: the lowest that was
    seen stands for it there. They are told by many negative values; a few are noise, and zeros that another unit was
    made of and back are zeros.
    """
    centred = (states < -ROUNDING * np.abs(states).max(axis=0)).mean() > CENTRED
    return states.min(axis=0) if centred else np.zeros(states.shape[1])
