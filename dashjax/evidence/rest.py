"""What samples at rest say about edges: knock-outs, knock-downs, and whatever else was measured once.

A sample at rest is a step of infinite duration from a state to itself, so a target's level is what its regulators'
levels make it: around the usual state, y_i = Σ_j a_ij x_j + error, with x_j the regulators' shifts without noise (see
`dashjax.data.settled`). Nothing is asked of a gene in a sample in which its own production was changed.

A gene that is switched off moves far, and responses are seldom straight over such a distance: were the line that small
changes follow held against it, a mediator that follows the same curve would be preferred to the gene itself. What an
intervention on k does to i directly is therefore a shift of its own, δ_ki ~ N(0, w² x_k²) if there is an edge and 0 if
there is none, and with δ integrated out the sample gives the edge the ratio of two densities of the residual, all other
regulators' lines taken off: those of whoever moved on the way, so that an indirect effect A → B → C leaves nothing for
A → C. Where an edge is likely, that sample tells nothing about the other regulators. A regulator's line elsewhere is
about as steep as its own intervention shows it, or a mediator could explain any shift, and a feed-forward loop were a
chain. Lines off the state they were
fitted around err in proportion to what they explain, which is part of the error's variance; errors have Student's t
distribution, for measurements have outliers.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from dashjax.data import RestSamples, settle
from dashjax.evidence.regression import Regressions

#: Widths w of direct effects, in levels of the target per level of the regulator; how common each is is estimated.
WIDTHS = (0.05, 0.12, 0.25, 0.5, 1.25)
#: Standard deviation of the error of a line, as a share of what it explains.
BENT = 0.8
#: Degrees of freedom of the errors.
FREEDOM = 20.0
#: What single observations of courses count beside samples at rest: their errors are not independent of each other.
#: On two `simulate_disturbed` systems with knock-outs AUPR is .61 and .74 for .60 and .74 where they count fully. All
#: numbers here were set on such systems, DREAM4's networks 1 and 2 beside them.
COURSES_COUNT = 0.5
#: Bounds of the log ratio that samples may give an edge.
MOST_AGAINST, MOST_FOR = -8.0, 15.0


class RestEvidence(eqx.Module):
    """Samples at rest as regressors, responses, and direct effects.

    Attributes:
        shifts: of all regulators but the single one that a sample's intervention moved, from their usual levels.
        own: shift of that one.
        responses: measured shifts of the targets.
        usable: which of them tell something.
        noise: standard deviation of each gene's measurements.
        varied: samples that differ in what nobody stated; their error is estimated.
    """

    shifts: Float[Array, "sample regulator"]
    own: Float[Array, "sample regulator"]
    responses: Float[Array, "sample target"]
    usable: Bool[Array, "sample target"]
    noise: Float[Array, " gene"]
    varied: Bool[Array, " sample"]


class Lines(eqx.Module):
    """What is known of the edges so far, and the sums that samples at rest add to a regression.

    Attributes:
        gram: as in `Regressions`, of whitened rows.
        moment: likewise.
        square: likewise.
        count: likewise.
        log_ratio: evidence for each pair from interventions on the regulator.
        slope: direct effect at rest per unit of the regulator, if there is an edge, as those interventions show it.
        precision: of that slope; zero where nobody intervened.
        sign: log odds that it is positive.
        widths: how common direct effects of each of `WIDTHS` are.
    """

    gram: Float[Array, "target candidate candidate"]
    moment: Float[Array, "target candidate"]
    square: Float[Array, " target"]
    count: Float[Array, " target"]
    log_ratio: Float[Array, "target regulator"]
    slope: Float[Array, "target regulator"]
    precision: Float[Array, "target regulator"]
    sign: Float[Array, "target regulator"]
    widths: Float[Array, " width"]


def rest_evidence(rest: RestSamples) -> RestEvidence:
    """Tell apart what regulators did from what targets showed."""
    settled, acting = settle(rest), rest.acting
    varied = settled.varied[:, None]
    middle = jnp.nan_to_num(jnp.nanmean(jnp.where(varied & rest.counted, rest.levels, jnp.nan), axis=0))
    usual = jnp.where(varied, middle, settled.usual)
    shifts = settled.levels - usual
    moved = acting.touched & (jnp.abs(shifts) > 1e-6)
    single = moved & (moved.sum(axis=1, keepdims=True) == 1)
    usable = rest.counted & ~acting.touched
    responses = jnp.where(usable, rest.levels - usual, 0.0)
    return RestEvidence(
        jnp.where(single, 0.0, shifts), jnp.where(single, shifts, 0.0), responses, usable, settled.noise, settled.varied
    )


def interest(rest: RestEvidence) -> Float[Array, "target regulator"]:
    """Return by how many standard deviations a regulator's shifts and a target's move together: whom to look at."""
    spread = jnp.sqrt(jnp.mean(rest.responses**2, axis=0, where=rest.varied[:, None] & rest.usable))
    deviation = jnp.where(rest.varied[:, None], jnp.maximum(jnp.nan_to_num(spread), rest.noise), rest.noise)
    scores = rest.responses / deviation
    shifts = rest.shifts + rest.own
    length = jnp.sqrt(jnp.sum(shifts**2, axis=0))
    return jnp.abs(scores.T @ (shifts / jnp.where(length > 0, length, 1.0)))


def weigh_rest(
    rest: RestEvidence,
    regressions: Regressions,
    effect: Float[Array, "target regulator"],
    probability: Float[Array, "target regulator"],
    widths: Float[Array, " width"],
) -> Lines:
    """Return what samples at rest say, given the edges as they stand.

    Args:
        rest: the samples.
        regressions: whose candidates are asked.
        effect: of the regulator's level on the target's, at rest.
        probability: of every edge.
        widths: how common direct effects of each width are.
    """
    explained = rest.shifts @ effect.T
    residual = rest.responses - explained
    usable = rest.usable.astype(explained.dtype)
    unstated = rest.varied[:, None] * usable
    left = jnp.sum(unstated * residual**2, axis=0) / jnp.maximum(unstated.sum(axis=0), 1)
    floor = jnp.maximum(rest.noise**2, 1e-10)
    variance = jnp.where(rest.varied[:, None], jnp.maximum(left, floor), floor) + (BENT * explained) ** 2

    # Each sample's own intervention: one regulator, by construction.
    moved = (rest.own != 0).astype(explained.dtype)
    reach = jnp.sum(rest.own**2, axis=1, keepdims=True)
    without = _log_density(residual, variance)
    with_each = jnp.stack(
        [jnp.log(share) + _log_density(residual, variance + width**2 * reach)
         for share, width in zip(widths, WIDTHS, strict=True)]
    )  # fmt: skip
    with_edge = jax.nn.logsumexp(with_each, axis=0)
    ratio = moved.T @ jnp.where(rest.usable & (reach > 0), with_edge - without, 0.0)
    believed = moved @ probability.T
    found = jnp.einsum("wst,st->w", jnp.exp(with_each - with_edge), believed * usable) + 1.0

    direct = reach * jnp.sum(found / found.sum() * jnp.asarray(WIDTHS) ** 2)
    weight = usable * ((1 - believed) / variance + believed / (variance + direct))
    weight = weight * (FREEDOM + 1) / (FREEDOM + residual**2 / variance)

    log_ratio = jnp.clip(ratio.T, MOST_AGAINST, MOST_FOR)
    slope, precision, sign = (
        part.T for part in _slopes(rest, residual, variance, reach, moved, jnp.exp(with_each - with_edge))
    )
    # What a direct effect tells of the line elsewhere, as far as that is straight.
    known = jnp.where(precision > 0, 1 / (1 / jnp.where(precision > 0, precision, 1.0) + (BENT * slope) ** 2), 0.0)

    def sums(target):
        chosen = regressions.candidates[target]
        unit = regressions.scale[target] / regressions.decay[target]
        design = rest.shifts[:, chosen] * unit
        weighted = design * weight[:, target, None]
        response = rest.responses[:, target]
        steep, as_known = slope[target, chosen], known[target, chosen]
        return (
            weighted.T @ design + jnp.diag(as_known * unit**2),
            weighted.T @ response + as_known * unit * steep,
            weight[:, target] @ response**2 + jnp.sum(as_known * steep**2),
        )

    gram, moment, square = jax.lax.map(sums, jnp.arange(effect.shape[0]), batch_size=16)
    return Lines(gram, moment, square, usable.sum(axis=0), log_ratio, slope, precision, sign, found / found.sum())


def _slopes(rest: RestEvidence, residual, variance, reach, moved, share):
    """Return what interventions on regulators say of direct effects, given that there are: slope, precision, sign.

    Of every width a normal distribution, mixed by its share (width, sample, target); samples are independent.
    """
    told = rest.usable & (reach > 0)
    prior = jnp.asarray(WIDTHS)[:, None, None] ** 2
    distance = rest.own.sum(axis=1, keepdims=True)
    kept = prior * reach / (prior * reach + variance)
    each = kept * residual / jnp.where(reach > 0, distance, 1.0)
    spread = prior * (1 - kept)
    mean = jnp.sum(share * each, axis=0)
    precision = jnp.where(told, 1 / jnp.maximum(jnp.sum(share * (spread + each**2), axis=0) - mean**2, 1e-10), 0.0)
    positive = jnp.sum(share * jax.scipy.stats.norm.cdf(each / jnp.sqrt(jnp.maximum(spread, 1e-12))), axis=0)
    positive = jnp.clip(positive, 1e-6, 1 - 1e-6)
    sign = jnp.where(told, jnp.log(positive) - jnp.log1p(-positive), 0.0)
    total = moved.T @ precision
    slope = moved.T @ jnp.where(told, precision * mean, 0.0) / jnp.where(total > 0, total, 1.0)
    return slope, total, moved.T @ sign


def _log_density(residual, variance):
    """Return the log density of Student's t distribution, up to a constant."""
    return -0.5 * jnp.log(variance) - 0.5 * (FREEDOM + 1) * jnp.log1p(residual**2 / (FREEDOM * variance))
