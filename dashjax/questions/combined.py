"""Levels at rest after interventions that nobody made, told from a model and from those that somebody made.

An intervention that was measured itself, on one gene or on several, is as measured, less its noise. Parts that were
each measured alone add up; a fitted model says what the other parts add to them. Where every part was measured the
model has no say: on DREAM4's and on simulated double knock-outs what it made of their interaction was noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dashjax.data import Production, RestSamples, no_intervention, settle
from dashjax.dynamics import AbstractDynamics, FixedSteps, solve_trajectories, under

#: Relaxation times of the median gene after which dynamics count as settled, and at how many times they are solved.
RELAXATIONS, TIMES = 20.0, 30
#: Error of a sum of two measured effects, as a share of the smaller one: two that act on one target seldom add up.
#: Set on `simulate_rest` systems: of levels that both effects reach it makes intervals hold .88, where a half made .4.
INTERACTION = 1.0
#: Standard deviations on either side of a mean that hold 90 % of a normal distribution.
INTERVAL = 1.645
#: Below this difference of levels, in training units, two interventions are the same: they come by way of single
#: precision and of other units.
SAME = 1e-3
#: Measured interventions that tell how far a model errs, at most, and how many of all genes each gene's own are
#: estimated with.
MOST_TOLD, BORROWED = 100, 4.0


class Measured(eqx.Module):
    """What interventions that somebody made did at rest.

    Attributes:
        usual: level of every gene without any.
        uncertainty: standard deviation of that.
        levels: in every sample, without noise.
        error: standard deviation of what these are not known by.
        production: what was done in every sample, beyond what is usual.
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
    """

    usual: Float[Array, " gene"]
    level: Float[Array, " gene"]
    deviation: Float[Array, " gene"]


def measured_effects(rest: RestSamples | None) -> Measured | None:
    """Return what samples at rest say of interventions; None where none is stated."""
    if rest is None or rest.production is None:
        return None
    settled, touched = settle(rest), rest.production.touched
    # A stimulus is stated in every sample; where it is as in most, nothing was done.
    done = touched & ~(touched.all(axis=0) & (jnp.abs(settled.levels - settled.usual) < SAME))
    rows = np.flatnonzero(done.any(axis=1))
    if not len(rows):
        return None
    uncertainty = settled.noise / jnp.sqrt(jnp.maximum((rest.counted & ~touched).sum(axis=0), 1))
    production = Production(
        jnp.where(done, rest.production.factor, 1.0)[rows], jnp.where(done, rest.production.level, 0.0)[rows]
    )
    return Measured(settled.usual, uncertainty, settled.levels[rows], settled.error[rows], production)


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
        start: state to settle from.
        measured: what is known of interventions, in the same units.
    """
    changed, known, samples = _measured_parts(factor, level, measured)
    asked = Production(jnp.asarray(factor[None], jnp.float32), jnp.asarray(level[None], jnp.float32))
    doing = _stacked(no_intervention(1, len(factor)), asked, known)
    if measured is None:
        settled = _settle_members(members, start, doing)
        usual, there, variance = settled[:, 0].mean(axis=0), settled[:, 1].mean(axis=0), settled[:, 1].var(axis=0)
    else:
        usual = measured.usual
        effects = [jnp.mean(measured.levels[rows] - usual, axis=0) for rows in samples]
        errors = [jnp.mean(measured.error[rows] ** 2, axis=0) / len(rows) for rows in samples]
        there, variance = sum(effects, usual), sum(errors, measured.uncertainty**2)
        for one, other in combinations(effects, 2):
            variance = variance + (INTERACTION * jnp.minimum(jnp.abs(one), jnp.abs(other))) ** 2
        unknown = changed - int(known.touched.sum())
        if unknown:
            # How measured parts combine is not asked of the model: what it says of that was worse than nothing.
            settled = _settle_members(members, start, doing)
            change = settled[:, 1:] - settled[:, :1]
            added = change[:, 0] - change[:, 1:].sum(axis=1)
            there = there + added.mean(axis=0)
            variance = variance + added.var(axis=0) + unknown * _missed(members, measured, start)
    held = jnp.asarray(factor == 0)
    return Prediction(usual, jnp.where(held, jnp.asarray(level), there), jnp.where(held, 0.0, jnp.sqrt(variance)))


def _measured_parts(
    factor: np.ndarray, level: np.ndarray, measured: Measured | None
) -> tuple[int, Production, list[np.ndarray]]:
    """Return how many genes are changed, the parts of it that were measured, and the samples of each.

    That is the whole where somebody made just this, or else what is done to single genes.
    """
    genes = np.flatnonzero((factor != 1) | (level != 0))
    if measured is None:
        return len(genes), no_intervention(0, len(factor)), []
    own = np.concatenate([np.ones((1, len(factor)), bool), np.eye(len(factor), dtype=bool)[genes]])
    factors, levels = np.where(own, factor, 1.0), np.where(own, level, 0.0)
    done = jax.tree.map(np.asarray, measured.production)
    samples = [
        np.flatnonzero((np.isclose(done.factor, share) & np.isclose(done.level, added, rtol=0, atol=SAME)).all(axis=1))
        for share, added in zip(factors, levels, strict=True)
    ]
    parts = [0] if len(samples[0]) else [part for part in range(1, len(samples)) if len(samples[part])]
    known = Production(jnp.asarray(factors[parts], jnp.float32), jnp.asarray(levels[parts], jnp.float32))
    return len(genes), known, [samples[part] for part in parts]


def _missed(members: Sequence[AbstractDynamics], measured: Measured, start) -> Float[Array, " gene"]:
    """Return the mean square by which the model misses interventions that were measured."""
    count = len(measured.levels)
    rows = np.linspace(0, count - 1, min(count, MOST_TOLD)).round().astype(int)
    done: Production = jax.tree.map(lambda leaf: leaf[rows], measured.production)
    settled = _settle_members(members, start, _stacked(no_intervention(1, done.factor.shape[1]), done))
    change = jnp.mean(settled[:, 1:] - settled[:, :1], axis=0)
    free = ~done.touched
    square = jnp.where(free, (measured.levels[rows] - measured.usual - change) ** 2, 0.0)
    common = square.sum() / jnp.maximum(free.sum(), 1)
    return (square.sum(axis=0) + BORROWED * common) / (free.sum(axis=0) + BORROWED)


def _stacked(*parts: Production) -> Production:
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *parts)


def _settle_members(
    members: Sequence[AbstractDynamics], start, production: Production
) -> Float[Array, "member experiment gene"]:
    """Return where every member settles under each of some experiments."""
    return jnp.stack([_settle(member, start, production) for member in members])


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
