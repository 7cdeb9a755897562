"""One linear regression per target: what the paths say about each regulator, condensed to small matrices.

With the regulators' paths given, the field of one target is a linear equation, dg/dt = Σ_j a_j x_j(t) + c − v g, and
its solution is linear in a and c,

    g(t) − e^{−vt} g(0) = Σ_j a_j ∫ e^{−v(t−s)} x_j(s) ds + c ∫ e^{−v(t−s)} ds,

so evidence for an edge is evidence for a non-zero coefficient. Paths and observations are standardised per gene, and
integrals divided by the mean of the last one, so that coefficients have no unit: by how many of its standard
deviations a target's level moves when a regulator stays one of its own higher. Three nuisances are integrated out:
the constant c; each trajectory's error in g(0), along e^{−vt}; and the error of the decay, along the gene's own
integral ∫ e^{−v(t−s)} g(s) ds, by which the solution changes with v.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from dashjax.data import Prior, Trajectories
from dashjax.dynamics import AbstractField
from dashjax.evidence.paths import STEPS, Paths
from dashjax.evidence.sampler import SLAB
from dashjax.evidence.smoothing import Smoothed
from dashjax.numerics.linalg import inverse_positive_definite
from dashjax.numerics.sparse import dense_rows

Pairs = Bool[Array, "target regulator"]
Interest = Float[Array, "target regulator"]

#: Relaxation times that a trajectory lasts at least, where steps are regressed.
LEAST_RELAXATIONS = 5.0
#: Share of a regressor's square that is its own alone, so that regulators with the same path are still two columns
#: in single precision.
ROUNDING = 1e-5
#: Standard deviation of a fitted decay around the true one, as a share of it: what is believed of a decay's error. Set
#: by hand on the published 350-gene system, as the posterior's other numbers.
DECAY_ERROR = 0.15


class Regressions(eqx.Module):
    """Sufficient statistics of every target's regression on its candidate regulators.

    Attributes:
        candidates: regulators that are tested.
        gram: XᵀX, the regressors centred (the constant is projected out).
        moment: Xᵀy.
        square: yᵀy.
        count: observations of each target less the constant.
        scale: production rate of the target, in expression per time and per unit of the regulator's expression,
            that a coefficient of one stands for.
        decay: of the target, in 1/time, never zero: what a rate of production comes to at rest is that by the decay.
    """

    candidates: Int[Array, "target candidate"]
    gram: Float[Array, "target candidate candidate"]
    moment: Float[Array, "target candidate"]
    square: Float[Array, " target"]
    count: Float[Array, " target"]
    scale: Float[Array, "target candidate"]
    decay: Float[Array, " target"]


def regress(
    field: AbstractField,
    paths: Paths,
    observed: Trajectories,
    prior: Prior,
    candidates: int,
    allowed: Pairs,
    interest: Interest | None = None,
) -> Regressions:
    """Set up every target's regression on its most promising regulators: see `_screen`.

    A gene should not be its own candidate: the data cannot tell its self-regulation from its decay. A trajectory in
    which a target was knocked out tells nothing about its regulators. Observations count for `independent_share` of
    themselves, as the field's misses go.

    Args:
        field: fitted to the data; gives each gene's decay.
        paths: of all trajectories under that field.
        observed: the observations.
        prior: prior edges.
        candidates: regulators tested per target.
        allowed: (target, regulator) pairs that may be edges; others fill places only where too few are left.
        interest: what else speaks for looking at a pair, in standard deviations.
    """
    states = paths.states
    genes = states.shape[-1]
    deviation = jnp.std(states, axis=(0, 1, 2))
    # Paths that never move say nothing, and divide nothing.
    spread = jnp.where(deviation > 1e-6, deviation, 1.0)
    regressors = (states - jnp.mean(states, axis=(0, 1, 2))) / spread * (deviation > 1e-6)
    height = observed.deviation
    height = jnp.where(height > 1e-6, height, 1.0)
    confidence = jnp.abs(dense_rows(prior.edges).T) * allowed
    measured = jnp.broadcast_to(observed.counted[:, 1:], observed.expression[:, 1:].shape)
    elapsed = jnp.cumsum(paths.step, axis=1)[..., None] * STEPS
    interest = jnp.zeros((genes, genes)) if interest is None else interest
    own = _own_middle(observed, jnp.mean(states, axis=(0, 1, 2)) / spread * (deviation > 1e-6))
    # By how much paths miss an observation tells of the next miss where a field bends too little.
    seen_at = paths.observed[..., None]
    told = measured & seen_at
    if observed.production is not None:
        told = told & (observed.production.factor > 0)[:, None]
    independent = independent_share(
        mean_autocorrelation(regressors[:, :, -1] * seen_at),
        jnp.where(told, observed.expression[:, 1:] - states[:, :, -1], 0.0),
    )

    def one(target):
        decay = field.decay()[target]
        factor, level = _done_to(observed, target)
        seen = (paths.observed & measured[..., target] & (factor > 0))[..., None]
        count = jnp.maximum(seen.sum(), 1)
        filtered, constant = _convolve(regressors, paths.step, decay)
        filtered = filtered.at[..., target].add(own[target] * constant)
        share = _shares(factor, target, genes)
        fading = jnp.exp(-decay * elapsed) * seen
        begun = states[:, :1, :1, target]
        given = decay * (level * constant)[..., None]
        response = (observed.expression[:, 1:, target, None] - begun * fading - given) / height[target] * seen
        unit = jnp.sum(constant[..., None] * seen) / count
        unit = jnp.where(unit > 0, unit, 1.0)
        fixed = (factor * constant)[..., None] * seen
        columns = jnp.concatenate([filtered * share * seen / unit, fixed, response], axis=-1)
        # Each trajectory's initial state is known about as well as one observation.
        columns = _project_out(fading, columns, 1.0)
        columns = columns.reshape(-1, columns.shape[-1])
        columns = _project_out(columns[:, -2, None], columns)
        missed = (observed.expression[:, 1:, target, None] - states[:, :, -1, target, None]) / height[target] * seen
        noise = jnp.sum(missed * missed) / count
        columns, count = columns * jnp.sqrt(independent[target]), count * independent[target]
        belief = DECAY_ERROR * decay * unit * spread[target] / height[target]
        columns = _project_out(columns[:, target, None], columns, noise / jnp.maximum(belief**2, 1e-12))
        chosen = _screen(columns, confidence[target], allowed[target], interest[target], candidates)
        # A gene that the trajectories do not show to settle is one that takes as long as they last.
        settling = jnp.maximum(decay, 1 / jnp.maximum(elapsed.max(), 1e-6))
        return _condense(columns, chosen, count - 1.0, height[target] / (unit * spread[chosen]), settling)

    return jax.lax.map(one, jnp.arange(genes))


def regress_steps(
    decay: Float[Array, ""],
    smoothed: Smoothed,
    prior: Prior,
    candidates: int,
    allowed: Pairs,
    interest: Interest | None = None,
) -> Regressions:
    """Set up every target's regression from each observation to the next: for dynamics that are noisy themselves.

    Every step takes the regulators' levels at its start for the whole step, so that nothing that happens later, and
    shows in a target and its regulators alike, counts as regulation. What a step says of the decay of a single gene
    is little: all share one. Levels are those of the smoothed courses: what is only noise would otherwise stand on
    both sides of the equation.

    Steps are not independent, and evidence that is taken for more than it is would overrule a good prior. Every
    observation ends one step and starts the next, so a trajectory's steps count as its observations, not as their ends
    (composite likelihoods: Varin et al. 2011), and observations count as the degrees of freedom that smoothing leaves.
    Where there is a prior to be weighed against, they count for no more than `independent_share` of what regulators
    leave unexplained either: what they do explain is as slow as they are, and tells nothing of the error. Without a
    prior that changed no calibration and cost .01 of AUPR on simulated cells.

    Args:
        decay: of all genes, in 1/time.
        smoothed: the observations, smoothed.
        prior: prior edges.
        candidates: regulators tested per target.
        allowed: (target, regulator) pairs that may be edges; others fill places only where too few are left.
        interest: what else speaks for looking at a pair, in standard deviations.
    """
    observed = smoothed.courses
    start, end = observed.expression[:, :-1], observed.expression[:, 1:]
    genes = start.shape[-1]
    valid = (observed.observed[:, 1:] & observed.observed[:, :-1])[..., None]
    measured = valid & jnp.broadcast_to(observed.counted[:, 1:] & observed.counted[:, :-1], end.shape)
    if observed.production is not None:
        measured = measured & (observed.production.factor > 0)[:, None]
    keep = jnp.exp(-decay * jnp.diff(observed.times, axis=1))[..., None]
    spread = jnp.where(observed.deviation > 1e-6, observed.deviation, 1.0)
    middle = jnp.mean(start, axis=(0, 1), where=jnp.broadcast_to(valid, start.shape))
    moves = (observed.deviation > 1e-6) & jnp.isfinite(middle)
    regressors = jnp.where(moves, (start - middle) / spread, 0.0)
    response = (end - keep * start) / spread
    unit = jnp.sum((1 - keep) * valid) / jnp.maximum(valid.sum(), 1)
    unit = jnp.where(unit > 0, unit, 1.0)
    confidence = jnp.abs(dense_rows(prior.edges).T) * allowed
    likeness, against_prior = mean_autocorrelation(regressors * (1 - keep) * valid), jnp.any(confidence > 0)
    interest = jnp.zeros((genes, genes)) if interest is None else interest
    own = _own_middle(observed, jnp.where(moves, middle / spread, 0.0))

    def one(target):
        factor, level = _done_to(observed, target)
        seen = measured[..., target, None]
        steps = seen.sum()
        levels = regressors.at[..., target].add(own[target]) * _shares(factor, target, genes)
        driven = levels, factor[..., None] * jnp.ones_like(keep)
        columns = jnp.concatenate(driven, axis=-1) * (1 - keep) / unit
        changed = response[..., target, None] - level[..., None] / spread[target] * (1 - keep)
        columns = jnp.concatenate([columns, changed], axis=-1) * seen
        columns = columns.reshape(-1, columns.shape[-1])
        columns = _project_out(columns[:, -2, None], columns)
        noise = 0.5 * jnp.sum(columns[:, -1] ** 2) / jnp.maximum(steps, 1)
        precision = noise / (DECAY_ERROR * unit) ** 2
        settled = _project_out(columns[:, target, None], columns, precision)
        chosen = _screen(settled, confidence[target], allowed[target], interest[target], candidates)
        left = _left_over(settled[:, chosen], settled[:, -1], steps).reshape(seen.shape) * seen
        independent = jnp.where(against_prior, independent_share(likeness, left)[0], 1.0)
        independent = jnp.minimum(independent, smoothed.share)
        share = 0.5 * (1 + jnp.any(seen, axis=1).sum() / jnp.maximum(steps, 1)) * independent
        # What steps that count for less say of the decay counts for less too.
        columns = _project_out(columns[:, target, None], columns, precision / share) * jnp.sqrt(share)
        return _condense(columns, chosen, steps * share - 1.0, decay * spread[target] / (unit * spread[chosen]), decay)

    return jax.lax.map(one, jnp.arange(genes))


def regress_nothing(
    prior: Prior, candidates: int, allowed: Pairs, interest: Interest, decay: Float[Array, " target"]
) -> Regressions:
    """Return regressions without a row, for data that are all at rest: who is looked at, and in what unit.

    Args:
        prior: prior edges.
        candidates: regulators tested per target.
        allowed: (target, regulator) pairs that may be edges.
        interest: what speaks for looking at a pair.
        decay: of every target, in 1/time.
    """
    genes = allowed.shape[0]
    confidence = jnp.abs(dense_rows(prior.edges).T) * allowed
    strength, known = jax.lax.top_k(confidence, (candidates + 1) // 2)
    rank = interest.at[jnp.arange(genes)[:, None], known].max(jnp.where(strength > 0, jnp.inf, -1.0))
    chosen = jax.lax.top_k(jnp.where(allowed, rank, -1.0), candidates)[1]
    nothing = jnp.zeros((genes, candidates))
    none = jnp.zeros(genes)
    gram = jnp.zeros((genes, candidates, candidates))
    return Regressions(chosen, gram, nothing, none, none, jnp.broadcast_to(decay[:, None], nothing.shape), decay)


def independent_share(
    likeness: Float[Array, " lag"], errors: Float[Array, "trajectory step target"]
) -> Float[Array, " target"]:
    """Return which share of the steps are independent, as far as correlations with a target's errors go.

    Two unrelated series whose autocorrelations at lag l are ρ and ρ' correlate by chance as those of n / (1 + 2 Σ ρ ρ')
    independent values do (Bartlett 1935; Bayley & Hammersley 1946), with Bartlett's weights. No share is above one.

    Args:
        likeness: from `mean_autocorrelation` of the regressors.
        errors: centred by target, zero where nothing was observed, in any unit.
    """
    lags = len(likeness)
    weight = 1 - jnp.arange(1, lags + 1) / (lags + 1)
    return 1 / jnp.maximum(1 + 2 * (likeness * weight) @ _autocorrelation(errors, lags), 1.0)


def mean_autocorrelation(regressors: Float[Array, "trajectory step regulator"]) -> Float[Array, " lag"]:
    """Return all regressors' mean autocorrelation at lags from 1 to a third of a trajectory; none of a single step.

    Args:
        regressors: centred by regulator, zero where nothing was observed.
    """
    steps = regressors.shape[1]
    return jnp.mean(_autocorrelation(regressors, min(max(1, steps // 3), steps - 1)), axis=1)


def _autocorrelation(series, lags):
    """Return autocorrelations (lag, series) at lags from 1 on."""
    series = series - jnp.mean(series, axis=(0, 1)) * (series != 0)
    square = jnp.sum(series**2, axis=(0, 1))
    products = [jnp.sum(series[:, :-lag] * series[:, lag:], axis=(0, 1)) for lag in range(1, lags + 1)]
    sums = jnp.stack(products) if products else jnp.zeros((0, *square.shape))
    return sums / jnp.where(square > 0, square, 1.0)


def _left_over(design, response, count):
    """Return what a ridge regression leaves of a response: as if every regulator had a middling effect.

    The first regression takes all of the response for noise, the second what the first has left.
    """
    gram, moment, left = design.T @ design, design.T @ response, response
    # Smooth courses explain each other to the last digit.
    least = 1e-3 * jnp.trace(gram) / len(gram) + 1e-6
    for _ in range(2):
        penalty = jnp.maximum(jnp.sum(left**2) / jnp.maximum(count, 1) / SLAB[1], least)
        left = response - design @ (inverse_positive_definite(gram + penalty * jnp.eye(len(gram))) @ moment)
    return left


def shared_decay(field: AbstractField, smoothed: Smoothed) -> Float[Array, ""]:
    """Return the decay that all genes share in steps, in 1/time: at least `LEAST_RELAXATIONS` per longest trajectory.

    Slower genes cannot be told from genes that never settle, and fitted decays then collapse to zero. Where courses are
    smooth it is the median of the fitted decays if that is more. Where they are rough it is not: what is only noise at
    the start of a step is gone at its end, and a fit from step to step takes that for decay.
    """
    times = smoothed.courses.times
    least = LEAST_RELAXATIONS / jnp.max(times[:, -1] - times[:, 0])
    return jnp.where(smoothed.share < 1, jnp.maximum(jnp.median(field.decay()), least), least)


def _done_to(observed: Trajectories, target) -> tuple[Array, Array]:
    """Return what was done to a target's production in each trajectory: factor and level, (trajectory, 1)."""
    if observed.production is None:
        return jnp.ones((1, 1)), jnp.zeros((1, 1))
    return observed.production.factor[:, target, None], observed.production.level[:, target, None]


def _own_middle(observed: Trajectories, middle: Float[Array, " gene"]) -> Float[Array, " gene"]:
    """Return what a target's own centred level lacks to be what decays.

    Centring adds to the constant, of which interventions leave a share; of the decay they leave all. Without any it
    changes nothing.
    """
    return jnp.zeros_like(middle) if observed.production is None else middle


def _shares(factor, target, genes):
    """Return what is left of each regulator's say, (trajectory, 1, gene); of the target's own decay all."""
    return jnp.where(jnp.arange(genes) == target, 1.0, factor[..., None])


def _condense(columns, chosen, count, scale, decay) -> Regressions:
    """Return what the sampler needs of a target's columns: all regressors, the constant, the response."""
    design, response = columns[:, chosen], columns[:, -1]
    gram = design.T @ design
    gram = gram + ROUNDING * jnp.diag(jnp.diag(gram))
    return Regressions(chosen, gram, design.T @ response, response @ response, count, scale, decay)


def _convolve(regressors, step, decay):
    """Return ∫ e^{−v(t−s)} x(s) ds at the end of every interval, for each regressor and for x = 1.

    Exact for paths that are straight between two steps.
    """
    exponent = decay * step
    keep = jnp.exp(-exponent)
    # Weights of a step's two ends: the integrals of e^{−z(1−u)}(1−u) and of e^{−z(1−u)}u over the step. The closed
    # forms cancel where z is small, the series serve there.
    small = exponent < 0.05
    safe = jnp.where(small, 1.0, exponent)
    mean = -jnp.expm1(-safe) / safe
    late = jnp.where(small, 1 / 2 - exponent / 6 + exponent**2 / 24, (1 - mean) / safe)
    early = jnp.where(small, 1 / 2 - exponent / 3 + exponent**2 / 8, mean - (1 - mean) / safe)

    def interval(total, x):
        points, step, keep, early, late = x

        def advance(total, pair):
            start, end = pair
            return keep * total + step * (early * start + late * end), None

        total, _ = jax.lax.scan(advance, total, (points[:-1], points[1:]))
        return total, total

    points = jnp.moveaxis(regressors, 0, 2)  # interval, point, trajectory, gene
    points = jnp.concatenate([points, jnp.ones_like(points[..., :1])], axis=-1)
    per_interval = tuple(part.T[..., None] for part in (step, keep, early, late))
    _, total = jax.lax.scan(interval, jnp.zeros_like(points[0, 0]), (points, *per_interval))
    total = jnp.moveaxis(total, 0, 1)
    return total[..., :-1], total[..., -1]


def _project_out(
    column: Float[Array, "*batch row 1"], others: Float[Array, "*batch row column"], precision=0.0
) -> Float[Array, "*batch row column"]:
    """Remove a column's part from others: all of it, or as much as a coefficient known to some precision allows.

    With a coefficient ~ N(0, s²) and noise of variance σ², integrating it out leaves the inner products of columns
    that are shortened along it by √(p/(p + cᵀc)), p = σ²/s².
    """
    square = jnp.sum(column * column, axis=-2, keepdims=True)
    there = square > 0
    square = jnp.where(there, square, 1.0)
    kept = jnp.where(there, jnp.sqrt(precision / (precision + square)), 1.0)
    return others - (1 - kept) / square * column * (column.mT @ others)


def _screen(columns, confidence, allowed, interest, candidates):
    """Return the candidates of one target: its prior edges, then whoever correlates best with what those leave over.

    Prior edges fill at most half of the places by themselves, the most confident first. Correlations count in standard
    deviations beside what samples at rest say.
    """
    design, response = columns[:, :-2], columns[:, -1]
    places = (candidates + 1) // 2
    strength, known = jax.lax.top_k(confidence, places)
    part = design[:, known] * (strength > 0)
    ridge = jnp.eye(places) * (1e-3 * jnp.sum(design * design) / design.shape[1] + 1e-6)
    left = response - part @ (inverse_positive_definite(part.T @ part + ridge) @ (part.T @ response))
    length = jnp.sqrt(jnp.sum(design * design, axis=0))
    noise = jnp.sqrt(jnp.sum(left**2) / jnp.maximum(jnp.sum(left != 0), 1))
    correlation = jnp.abs(left @ design) / jnp.where(length > 0, length, 1.0) / jnp.where(noise > 0, noise, 1.0)
    rank = jnp.maximum(correlation, interest).at[known].max(jnp.where(strength > 0, jnp.inf, -1.0))
    return jax.lax.top_k(jnp.where(allowed, rank, -1.0), candidates)[1]
