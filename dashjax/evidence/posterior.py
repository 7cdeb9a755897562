"""The probability of every edge, given the data and a prior that is trusted as far as the data bear it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from dashjax.data import Prior, RestSamples, Trajectories
from dashjax.dynamics import AbstractField, FixedSteps
from dashjax.dynamics.solve import Solve
from dashjax.evidence.edge_posterior import EdgePosterior
from dashjax.evidence.kinds import AbstractEvidence, AlongPaths
from dashjax.evidence.odds import fit_odds, hub_odds, initial_belief, odds_features
from dashjax.evidence.regression import Regressions, regress_nothing
from dashjax.evidence.rest import COURSES_COUNT, WIDTHS, Lines, interest, rest_evidence, weigh_rest
from dashjax.evidence.sampler import LEAST_NOISE, SLAB, Chains, partners, sweep


@dataclass(frozen=True)
class PosteriorConfig:
    """How a posterior is computed; hashable.

    Examples:
        >>> quick = PosteriorConfig(candidates=20, rounds=4)
        >>> quick.candidates, quick.rounds
        (20, 4)

    Attributes:
        candidates: regulators tested per target; others count as excluded.
        rounds: how often the odds are fitted to the chains, at most.
        sweeps: draws of every coefficient per round.
        cooling: temperatures of the first rounds.
        least: rounds that are made in any case.
        chain_error: at which it is enough, see `EdgePosterior.chain_error`.
    """

    candidates: int = 64
    rounds: int = 128
    sweeps: int = 10
    cooling: tuple[float, ...] = (30.0, 10.0, 4.0, 2.0)
    least: int = 16
    chain_error: float = 0.08


def edge_posterior(
    key: PRNGKeyArray,
    field: AbstractField,
    observed: Trajectories,
    prior: Prior,
    solve: Solve | None = None,
    config: PosteriorConfig | None = None,
    regulators: Bool[Array, " gene"] | None = None,
    evidence: AbstractEvidence | None = None,
    courses: Any = None,
    rest: RestSamples | None = None,
) -> EdgePosterior:
    """Weigh the evidence for every edge: Bayesian variable selection along the paths of a fitted field.

    The field carries the trajectories through their observations, which removes most of their noise. Each target is
    then regressed on its candidate regulators' paths, every regulator in or out. The log odds of being in, before
    the data, are linear in the prior's confidence and are fitted to all targets together (empirical Bayes), so a
    prior that the data contradict loses its say by itself, and an edge on which the data are silent keeps the
    odds that the prior has earned elsewhere; a regulator with many likely edges is more likely to have one more, see
    `hub_odds`. Samples at rest add rows of their own, and what interventions say of their targets, see
    `dashjax.evidence.rest`. Pure; `jit` and `vmap` as needed.

    Examples:
        >>> from dashjax import DirectSpec, make_prior, make_trajectories
        >>> levels = jax.random.uniform(jax.random.key(0), (6, 3, 3))
        >>> courses = make_trajectories([[0, 1, 2]] * 6, list(levels))
        >>> field = DirectSpec().init(jax.random.key(0), 3)
        >>> found = edge_posterior(jax.random.key(1), field, courses, make_prior(jnp.zeros((3, 3))))
        >>> found.probability.shape, bool((found.probability <= 1).all())
        ((3, 3), True)

    Args:
        key: for the chains.
        field: fitted to the observations, by any method.
        observed: trajectories as observed, training and validation together.
        prior: prior edges; weights in [−1, 1] count as confidence.
        solve: how to integrate while initial states are estimated.
        config: how long to sample; `PosteriorConfig()` if None.
        regulators: which genes may regulate; all if None.
        evidence: along what it is weighed, `AlongPaths()` if None.
        courses: what `evidence.prepare(observed)` returns, where it is known already.
        rest: samples at rest as observed; there must be some where there are no trajectories.
    """
    evidence = AlongPaths() if evidence is None else evidence
    config = PosteriorConfig() if config is None else config
    genes = observed.n_genes
    candidates = min(config.candidates, genes - 1)
    allowed = jnp.ones((genes, genes), bool) if regulators is None else jnp.broadcast_to(regulators, (genes, genes))
    allowed = allowed & ~jnp.eye(genes, dtype=bool)
    resting = None if rest is None else rest_evidence(rest)
    looked_at = None if resting is None else interest(resting)
    if observed.n_trajectories:
        courses = evidence.prepare(observed) if courses is None else courses
        solve = solve or FixedSteps()
        # Kinds of evidence that know nothing of samples at rest are not asked about them.
        more = {} if looked_at is None else {"interest": looked_at}
        regressions = evidence.regress(field, observed, courses, prior, candidates, allowed, solve, **more)
    else:
        assert looked_at is not None, "nothing was observed"
        regressions = regress_nothing(prior, candidates, allowed, looked_at, jnp.maximum(field.decay(), 1e-3))
    features = odds_features(prior)
    belief = initial_belief(features)
    tested = regressions.candidates
    row = jnp.arange(genes)[:, None]
    among_courses = partners(regressions.gram)
    of_courses = jnp.maximum(regressions.square / jnp.maximum(regressions.count, 1.0), LEAST_NOISE)

    def spread_out(values):
        return jnp.zeros((genes, genes)).at[row, tested].set(values)

    def round_(carry, temperature_and_key):
        chains, odds, slab, probability, known = carry
        temperature, key = temperature_and_key
        # Out-degrees of chains that still wander are no out-degrees.
        hubs = jnp.where(temperature > 1, 0.0, hub_odds(probability, allowed))
        log_odds, asked = features @ odds + hubs, regressions
        if resting is not None:
            effect = spread_out(known.effect * regressions.scale / regressions.decay[:, None])
            lines = weigh_rest(resting, regressions, effect, probability, known.widths)
            asked = _together(regressions, known.noise, lines)
            log_odds = log_odds + lines.log_ratio
            chains = Chains(chains.coefficient, jnp.ones_like(chains.noise))
        logit = jnp.take_along_axis(jnp.where(allowed, log_odds, -jnp.inf), tested, axis=1)
        partner = among_courses if resting is None else partners(asked.gram)
        chains, drawn = _sample(key, chains, asked, partner, logit, slab, temperature, config.sweeps)
        probability = spread_out(drawn.included.sum(-1))
        odds = fit_odds(probability, features @ odds + hubs, features, belief, allowed, hubs)
        slab = drawn.included.sum((0, 1)) + 1.0
        if resting is not None:
            noise = _left(regressions, chains.coefficient)
            known = _Known(drawn.value, jnp.clip(noise, LEAST_NOISE, of_courses), lines.widths)
            drawn = _with_direct(eqx.tree_at(lambda d: d.noise, drawn, noise), regressions, lines)
        return (chains, odds, slab / slab.sum(), probability, known), drawn

    temperatures = jnp.ones(config.rounds).at[: len(config.cooling)].set(jnp.array(config.cooling[: config.rounds]))

    def step(averaged: _Averaged):
        """Make one round; the draws since the last power of two of rounds are kept, in two halves."""
        number = averaged.rounds
        begins = jnp.left_shift(1, 31 - jax.lax.clz(jnp.maximum(number, 1)))
        state, drawn = round_(averaged.state, (temperatures[number], jax.random.fold_in(key, number)))
        fresh, late = number == begins, 2 * number >= 3 * begins
        counts = jnp.where(fresh, 0.0, averaged.counts) + jnp.where(late, jnp.array([0.0, 1.0]), jnp.array([1.0, 0.0]))

        def add(total, new, here):
            return jnp.where(fresh, 0.0, total) + jnp.where(here, new, 0.0)

        early = jax.tree.map(lambda total, new: add(total, new, ~late), averaged.early, drawn)
        late = jax.tree.map(lambda total, new: add(total, new, late), averaged.late, drawn)
        return _Averaged(state, early, late, counts, number + 1)

    def goes_on(averaged: _Averaged):
        done, number = averaged.rounds, jnp.maximum(averaged.rounds, 1)
        due = (number >= config.least) & (number & (number - 1) == 0) & (averaged.error() <= config.chain_error)
        return (done < config.rounds) & ~due

    known = None
    if resting is not None:
        known = _Known(jnp.zeros_like(regressions.moment), 0.5 * of_courses, jnp.full(len(WIDTHS), 1 / len(WIDTHS)))
    begun = Chains(jnp.zeros_like(regressions.moment), of_courses)
    first = begun, belief.mean, jnp.full(len(SLAB), 1 / len(SLAB)), jnp.zeros((genes, genes)), known
    nothing = jax.tree.map(
        lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
        jax.eval_shape(lambda: round_(first, (temperatures[0], key))[1]),
    )
    averaged = jax.lax.while_loop(goes_on, step, _Averaged(first, nothing, nothing, jnp.zeros(2), jnp.int32(0)))
    odds, drawn = averaged.state[1], averaged.mean()
    mean = drawn.value * regressions.scale
    spread = jnp.sqrt(jnp.maximum(drawn.square - drawn.value**2, 0.0)) * regressions.scale
    sided = drawn.positive + drawn.negative
    activation = jnp.where(sided > 0, drawn.positive / jnp.where(sided > 0, sided, 1.0), 0.5)
    half = jnp.full((genes, genes), 0.5)
    return EdgePosterior(
        probability=jnp.minimum(spread_out(drawn.included.sum(-1)), 1.0).T,
        effect=spread_out(mean).T,
        spread=spread_out(spread).T,
        activation=half.at[row, tested].set(activation).T,
        odds=odds,
        noise=jnp.sqrt(drawn.noise / of_courses),
        chain_error=averaged.error(),
    )


class _Averaged(eqx.Module):
    """The rounds so far.

    Attributes:
        state: what one round tells the next.
        early: sum over the rounds of the first half of those that count.
        late: the same of the second half.
        counts: rounds of both halves.
        rounds: rounds made.
    """

    state: Any
    early: _Drawn
    late: _Drawn
    counts: Array
    rounds: Array

    def mean(self) -> _Drawn:
        """Return the average over the rounds that count."""
        return jax.tree.map(lambda early, late: (early + late) / self.counts.sum(), self.early, self.late)

    def error(self) -> Array:
        """Return the `chain_error` of `EdgePosterior`; infinite where there is but one half."""
        early, late = (
            part.included.sum(-1) / jnp.maximum(count, 1.0)
            for part, count in zip((self.early, self.late), self.counts, strict=True)
        )
        whole = jnp.maximum(0.5 * (early + late).sum(), 1e-6)
        return jnp.where(self.counts.min() > 0, jnp.sqrt(jnp.sum((early - late) ** 2) / whole), jnp.inf)


class _Known(eqx.Module):
    """What one round tells the next about samples at rest.

    Attributes:
        effect: mean coefficients.
        noise: variance of the courses' observations around their regressions.
        widths: how common direct effects of each width are.
    """

    effect: Array
    noise: Array
    widths: Array


def _together(courses: Regressions, noise, lines: Lines) -> Regressions:
    """Return courses and samples at rest as one regression whose noise has variance one."""
    weight = COURSES_COUNT / noise
    return Regressions(
        courses.candidates,
        courses.gram * weight[:, None, None] + lines.gram,
        courses.moment * weight[:, None] + lines.moment,
        courses.square * weight + lines.square,
        COURSES_COUNT * courses.count + lines.count,
        courses.scale,
        courses.decay,
    )


def _left(regressions: Regressions, coefficient):
    """Return the variance that coefficients leave of the courses' observations."""
    explained = jnp.einsum("tc,tcd->td", coefficient, regressions.gram)
    left = regressions.square + jnp.sum(coefficient * (explained - 2 * regressions.moment), axis=1)
    return jnp.maximum(left, 0.0) / jnp.maximum(regressions.count, 1.0)


def _with_direct(drawn: _Drawn, regressions: Regressions, lines: Lines) -> _Drawn:
    """Return averages in which sizes and signs are also what interventions on the regulators showed directly."""

    def of_candidates(pairs):
        return jnp.take_along_axis(pairs, regressions.candidates, axis=1)

    unit = regressions.scale / regressions.decay[:, None]
    slope, precision = of_candidates(lines.slope) / unit, of_candidates(lines.precision) * unit**2
    share = drawn.included.sum(-1)
    there = jnp.maximum(share, 1e-6)
    mean = drawn.value / there
    variance = jnp.maximum(drawn.square / there - mean**2, 1e-8)
    both = 1 / variance + precision
    together = (mean / variance + precision * slope) / both
    sided = drawn.positive + drawn.negative
    before = jnp.where(sided > 0, drawn.positive / jnp.where(sided > 0, sided, 1.0), 0.5)
    before = jnp.clip(before, 1e-4, 1 - 1e-4)
    positive = jax.nn.sigmoid(jnp.log(before) - jnp.log1p(-before) + of_candidates(lines.sign))
    asked = precision > 0
    parts = (share * together, share * (together**2 + 1 / both), share * positive, share * (1 - positive))
    names = ("value", "square", "positive", "negative")
    kept = [jnp.where(asked, part, getattr(drawn, name)) for part, name in zip(parts, names, strict=True)]
    return eqx.tree_at(lambda d: [getattr(d, name) for name in names], drawn, kept)


class _Drawn(eqx.Module):
    """Averages over the sweeps of a round."""

    included: Array
    value: Array
    square: Array
    positive: Array
    negative: Array
    noise: Array


def _sample(key, chains, regressions: Regressions, partner, logit, slab, temperature, sweeps):
    """Run all targets' chains for some sweeps and average what they pass through."""

    def once(chains, key):
        given = regressions.gram, regressions.moment, regressions.square, regressions.count, partner, logit
        chains, included = sweep(key, chains, *given, slab, temperature)
        value = chains.coefficient
        return chains, _Drawn(included, value, value**2, (value > 0) * 1.0, (value < 0) * 1.0, chains.noise)

    def add(carry, key):
        chains, total = carry
        chains, drawn = once(chains, key)
        return (chains, jax.tree.map(jnp.add, total, drawn)), None

    shapes = jax.eval_shape(lambda c, k: once(c, k)[1], chains, key)
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    (chains, total), _ = jax.lax.scan(add, (chains, nothing), jax.random.split(key, sweeps))
    return chains, jax.tree.map(lambda leaf: leaf / sweeps, total)


def edges_at_precision(
    probability: Float[Array, "regulator target"], precision: float
) -> Bool[Array, "regulator target"]:
    """Return the largest set of most probable edges whose expected precision, their mean probability, is as asked.

    Ties enter together or not at all.

    Examples:
        >>> edges_at_precision(jnp.array([[0.99, 0.9], [0.75, 0.2]]), 0.87).tolist()
        [[True, True], [True, False]]
    """
    flat = probability.ravel()
    order = jnp.argsort(-flat)
    ranked = flat[order]
    expected = jnp.cumsum(ranked) / jnp.arange(1, ranked.size + 1)
    last_of_tie = jnp.concatenate([ranked[1:] != ranked[:-1], jnp.ones(1, bool)])
    enough = (expected >= precision) & (ranked > 0) & last_of_tie
    threshold = jnp.min(jnp.where(enough, ranked, jnp.inf))
    return probability >= threshold
