"""Levels at rest after interventions that nobody made, told from a model and from those that somebody made.

A fitted model says how effects combine, measured samples say what each is: the model's change, plus what it missed of
each part that was measured alone. The effect of an intervention that was measured itself is then as measured, less its
noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dashjax.data import Production, RestSamples, settle
from dashjax.dynamics import AbstractDynamics, FixedSteps, solve_trajectories, under

#: Relaxation times of the median gene after which dynamics count as settled, and at how many times they are solved.
RELAXATIONS, TIMES = 20.0, 30
#: Error of a sum of two measured effects, as a share of the smaller one: two that act on one target seldom add up.
#: Set on `simulate_rest` systems, where it makes nine intervals in ten hold the truth.
INTERACTION = 0.5
#: Standard deviations on either side of a mean that hold 90 % of a normal distribution.
INTERVAL = 1.645


class Measured(eqx.Module):
    """What interventions that somebody made did at rest.

    Attributes:
        usual: level of every gene without any.
        uncertainty: standard deviation of that.
        levels: in every sample, without noise.
        error: standard deviation of what these are not known by.
        production: what was done in every sample.
    """

    usual: Float[Array, " gene"]
    uncertainty: Float[Array, " gene"]
    levels: Float[Array, "sample gene"]
    error: Float[Array, "sample gene"]
    production: Production


class Prediction(eqx.Module):
    """Levels at rest.

    Attributes:
        usual: without the interventions.
        level: with them.
        deviation: standard deviation of that level.
        measured: how many of the interventions were measured alone.
    """

    usual: Float[Array, " gene"]
    level: Float[Array, " gene"]
    deviation: Float[Array, " gene"]
    measured: int = eqx.field(static=True)


def measured_effects(rest: RestSamples | None) -> Measured | None:
    """Return what samples at rest say of single interventions; None where none is stated."""
    if rest is None or rest.production is None:
        return None
    settled, touched = settle(rest), rest.production.touched
    single = np.flatnonzero(np.asarray(touched.sum(axis=1) == 1))
    if not len(single):
        return None
    uncertainty = settled.noise / jnp.sqrt(jnp.maximum((rest.counted & ~touched).sum(axis=0), 1))
    done = jax.tree.map(lambda leaf: leaf[single], rest.production)
    return Measured(settled.usual, uncertainty, settled.levels[single], settled.error[single], done)


def predict_rest(
    members: Sequence[AbstractDynamics],
    factor: Float[np.ndarray, " gene"],
    level: Float[np.ndarray, " gene"],
    start: Float[Array, " gene"],
    measured: Measured | None = None,
) -> Prediction:
    """Predict the levels that genes settle at under interventions.

    Args:
        members: an ensemble's dynamics.
        factor: share of each gene's production that is left.
        level: level that is added.
        start: state to settle from where nothing was measured at rest.
        measured: what is known of single interventions, in the same units.
    """
    touched = [int(gene) for gene in np.flatnonzero((factor != 1) | (level != 0))]
    parts = [_samples_of(gene, factor[gene], level[gene], measured) for gene in touched]
    known = [(gene, rows) for gene, rows in zip(touched, parts, strict=True) if len(rows)]
    single_factor = np.ones((len(known), len(factor)))
    single_level = np.zeros((len(known), len(factor)))
    for row, (gene, _) in enumerate(known):
        single_factor[row, gene], single_level[row, gene] = factor[gene], level[gene]
    doing = Production(
        jnp.asarray(np.concatenate([np.ones((1, len(factor))), factor[None], single_factor]), jnp.float32),
        jnp.asarray(np.concatenate([np.zeros((1, len(factor))), level[None], single_level]), jnp.float32),
    )
    begin = start if measured is None else measured.usual
    settled = jnp.stack([_settle(member, begin, doing) for member in members])
    change = settled[:, 1:] - settled[:, :1]
    if measured is None:
        usual = settled[:, 0].mean(axis=0)
        level_there, variance = settled[:, 1].mean(axis=0), settled[:, 1].var(axis=0)
        variance = variance + _missed(members, measured, begin)
    else:
        usual = measured.usual
        effects = [jnp.mean(measured.levels[rows] - usual, axis=0) for _, rows in known]
        errors = [jnp.mean(measured.error[rows] ** 2, axis=0) / len(rows) for _, rows in known]
        # What the model adds to the parts: how they interact, and the parts that nobody measured.
        rest = change[:, 0] - change[:, 1:].sum(axis=1)
        level_there = usual + rest.mean(axis=0) + sum(effects, jnp.zeros_like(usual))
        variance = measured.uncertainty**2 + rest.var(axis=0) + sum(errors, jnp.zeros_like(usual))
        for first in range(len(effects)):
            for second in range(first):
                smaller = jnp.minimum(jnp.abs(effects[first]), jnp.abs(effects[second]))
                variance = variance + (INTERACTION * smaller) ** 2
        if len(known) < len(touched):
            variance = variance + _missed(members, measured, begin)
    held = jnp.asarray(factor == 0)
    return Prediction(
        usual,
        jnp.where(held, jnp.asarray(level), level_there),
        jnp.where(held, 0.0, jnp.sqrt(variance)),
        len(known),
    )


def _samples_of(gene: int, factor: float, level: float, measured: Measured | None) -> np.ndarray:
    """Return the samples in which nothing but this was done."""
    if measured is None:
        return np.zeros(0, int)
    done = measured.production
    same = np.isclose(done.factor[:, gene], factor) & np.isclose(done.level[:, gene], level, atol=1e-6)
    return np.flatnonzero(same & np.asarray(done.touched[:, gene]))


def _missed(members: Sequence[AbstractDynamics], measured: Measured | None, begin) -> Float[Array, " gene"]:
    """Return the mean square by which the model misses single interventions that were measured; zero without any."""
    if measured is None:
        return jnp.zeros_like(begin)
    unchanged = Production(jnp.ones((1, len(begin))), jnp.zeros((1, len(begin))))
    doing = jax.tree.map(lambda first, more: jnp.concatenate([first, more]), unchanged, measured.production)
    settled = jnp.stack([_settle(member, begin, doing) for member in members])
    change = jnp.mean(settled[:, 1:] - settled[:, :1], axis=0)
    free = ~measured.production.touched
    return jnp.mean((measured.levels - measured.usual - change) ** 2, axis=0, where=free)


@eqx.filter_jit
def _settle(dynamics: AbstractDynamics, start, production: Production) -> Float[Array, "experiment gene"]:
    """Return where dynamics settle under each of some experiments."""
    decay = dynamics.decay()
    moving = jnp.where(decay > 0, decay, jnp.nan)
    horizon = RELAXATIONS / jnp.nan_to_num(jnp.nanmedian(moving), nan=1.0)
    times = jnp.linspace(0.0, 1.0, TIMES)[None] * horizon
    begin = jnp.where(production.factor == 0, production.level, start)
    with jax.default_matmul_precision("highest"):
        return solve_trajectories(under(dynamics, production), begin, times, FixedSteps(3))[:, -1]
