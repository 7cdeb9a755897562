"""Gibbs sampling of which regulators act on a target, two at a time so that look-alikes can trade places.

Each coefficient is exactly zero (spike) or drawn from a mixture of normals of a few widths (slab), so that weak effects
cost no more than they should. George & McCulloch, "Variable selection via Gibbs sampling" (JASA 1993), for the model;
here pairs of coefficients are drawn jointly, their values integrated out, because two regulators whose paths
correlate explain the same target and one at a time would never swap.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

#: Variances of the slab's components, in squared standard deviations of the target: weak, middling and strong effects.
#: Set by hand on the published 350-gene system; how common each of them is is estimated.
SLAB = (0.05**2, 0.25**2, 1.0)

#: Floor of the noise's variance: responses are standardised, so this is far below any observation's error, and
#: still far enough above what single precision can tell apart.
LEAST_NOISE = 1e-6

#: Most of the noise's variance, in variances of the response: a guard for targets with hardly an observation. Where
#: nothing explains a target its noise is as often above the response's variance as below, so that a bound there would
#: make evidence count for more than it is (simulation-based calibration shows it).
MOST_NOISE = 100.0


class Chains(eqx.Module):
    """State of the chains, one per target.

    Attributes:
        coefficient: of each candidate, zero where it is excluded.
        noise: variance of the observations around the regression.
    """

    coefficient: Float[Array, "target candidate"]
    noise: Float[Array, " target"]


def partners(gram: Float[Array, "target candidate candidate"]) -> Float[Array, "target candidate candidate"]:
    """Return, row by row, the cumulative distribution of the candidate that each is drawn together with.

    Proportional to the fourth power of their correlation, and a little for all others: look-alikes must trade places
    often. Any such distribution leaves the posterior as it is; this one mixes fast.
    """
    length = jnp.sqrt(jnp.diagonal(gram, axis1=-2, axis2=-1))
    length = jnp.where(length > 0, length, 1.0)
    likeness = jnp.abs(gram / length[:, None] / length[..., None]) ** 4 + 1e-3
    likeness = likeness * (1 - jnp.eye(gram.shape[-1]))
    return jnp.cumsum(likeness / likeness.sum(axis=-1, keepdims=True), axis=-1)


def sweep(
    key: PRNGKeyArray,
    chains: Chains,
    gram: Float[Array, "target candidate candidate"],
    moment: Float[Array, "target candidate"],
    square: Float[Array, " target"],
    count: Float[Array, " target"],
    partner: Float[Array, "target candidate candidate"],
    logit: Float[Array, "target candidate"],
    slab: Float[Array, " component"],
    temperature: Float[Array, ""],
) -> tuple[Chains, Float[Array, "target candidate component"]]:
    """Draw every coefficient of every target once, each with a partner, then the noise.

    All targets take their candidates in one random order, so that a turn is a few loops over arrays of all targets.

    Args:
        key: for the draws.
        chains: the states so far.
        gram: XᵀX.
        moment: Xᵀy.
        square: yᵀy.
        count: degrees of freedom.
        partner: from `partners`.
        logit: log odds of inclusion before the data.
        slab: weights of the slab's components.
        temperature: by how much the noise is exaggerated; above one the chains wander.

    Returns:
        The new states, and each candidate's probability of being included with each component, given the others.
    """
    targets, size = moment.shape
    every = jnp.arange(targets)
    keys = jax.random.split(key, 5)
    order = jnp.argsort(jax.random.uniform(keys[0], (size,)))
    picks = jax.random.uniform(keys[1], (2, size, targets))
    normals = jax.random.normal(keys[2], (size, 2, targets))
    noise, log_slab = chains.noise * temperature, jnp.log(slab)
    seconds = jnp.sum(partner[:, order] < picks[0].T[..., None], axis=-1)
    seconds = jnp.minimum(seconds, size - 1).T

    def turn(carry, draws):
        value, residual = carry
        first, second, uniform, normal = draws

        def at_second(rows):
            return rows[every, second]

        row_first, row_second = gram[:, first], gram[every, second]
        before_first, before_second = value[:, first], at_second(value)
        own_first, own_second, shared = row_first[:, first], at_second(row_second), at_second(row_first)
        # What the two have to explain, the others given.
        pull_first = residual[:, first] + own_first * before_first + shared * before_second
        pull_second = at_second(residual) + own_second * before_second + shared * before_first
        say = [part / noise for part in (pull_first, pull_second, own_first, own_second, shared)]
        odds = logit[:, first], at_second(logit)
        new_first, new_second, included = _draw_pair(say, odds, log_slab, uniform, normal)
        change_first, change_second = new_first - before_first, new_second - before_second
        residual = residual - row_first * change_first[:, None] - row_second * change_second[:, None]
        value = value.at[:, first].set(new_first).at[every, second].set(new_second)
        return (value, residual), included

    begun = chains.coefficient, moment - jnp.einsum("tcd,td->tc", gram, chains.coefficient)
    (value, residual), included = jax.lax.scan(turn, begun, (order, seconds, picks[1], normals))
    left = jnp.maximum(square - jnp.sum(value * (moment + residual), axis=1), 0.0)
    # The prior p(σ²) ∝ 1/σ², with a floor where a target is explained to the last digit.
    shape, rate = 0.5 * jnp.maximum(count, 1.0), 0.5 * (left + LEAST_NOISE * jnp.maximum(count, 1.0))
    normal, uniform = jax.random.normal(keys[3], (targets,)), jax.random.uniform(keys[4], (targets,))
    noise = rate / draw_gamma(shape, rate / chains.noise, normal, uniform)
    noise = jnp.minimum(noise, MOST_NOISE * jnp.maximum(square / jnp.maximum(count, 1.0), LEAST_NOISE))
    included = jnp.zeros_like(included).at[order].set(included)
    return Chains(value, noise), jnp.transpose(included, (2, 0, 1))


def _draw_pair(say, odds, log_slab, uniform, normal):
    """Draw two coefficients of every target: in or out, with which component of the slab, and their values.

    Components stand before targets, so that loops run along targets.

    Args:
        say: what the data say in units of the noise: the pulls on both, and the precision matrix of both.
        odds: log odds of both.
        log_slab: logarithms of the components' weights.
        uniform: a draw per target.
        normal: two draws per target.

    Returns:
        Both values, and the probability that the first is included with each component.
    """
    pull_first, pull_second, own_first, own_second, coupling = say
    variance, components = jnp.array(SLAB)[:, None], len(SLAB)
    tight = 1 / variance
    # The determinant of both, multiplied out: where their paths are the same, all but the slab's share cancels.
    apart = jnp.maximum(own_first * own_second - coupling**2, 0.0)

    def determinant(tight_first, tight_second):
        return apart + own_first * tight_second + own_second * tight_first + tight_first * tight_second

    both_tight = jnp.repeat(tight, components, axis=0), jnp.tile(tight, (components, 1))
    sharp_first, sharp_second = own_first + tight, own_second + tight
    first = odds[0] + log_slab[:, None]
    second = odds[1] + log_slab[:, None]
    alone_second = second + 0.5 * (pull_second**2 / sharp_second)
    rest = pull_first - coupling * pull_second / sharp_second
    given_second = jnp.tile(rest**2 * sharp_second, (components, 1)) / (both_determinant := determinant(*both_tight))
    both = jnp.repeat(first, components, axis=0) + jnp.tile(alone_second, (components, 1)) + 0.5 * given_second
    alone_first = first + 0.5 * (pull_first**2 / sharp_first)
    exponent = jnp.concatenate([jnp.zeros_like(uniform)[None], alone_first, alone_second, both])
    shrunk = jnp.concatenate(
        [
            jnp.ones_like(uniform)[None],
            sharp_first * variance,
            sharp_second * variance,
            both_determinant / (both_tight[0] * both_tight[1]),
        ]
    )
    weight = jnp.exp(exponent - exponent.max(axis=0)) * jax.lax.rsqrt(shrunk)
    below = jnp.cumsum(weight, axis=0)
    total = below[-1]
    pick = jnp.sum(below[:-1] <= uniform * total, axis=0)
    together = pick > 2 * components
    with_first = together | ((pick > 0) & (pick <= components))
    with_second = pick > components
    pair = pick - 1 - 2 * components
    width_first = jnp.where(together, pair // components, pick - 1)
    width_second = jnp.where(together, pair % components, pick - 1 - components)
    number = jnp.arange(components)[:, None]
    # Who is left out has some width all the same, so that nothing is divided by zero.
    tight_first, tight_second = (
        jnp.sum(jnp.where(number == jnp.clip(width, 0, components - 1), tight, 0.0), axis=0)
        for width in (width_first, width_second)
    )
    # The first from its marginal, the second given the first.
    sharp_second = own_second + tight_second
    schur = jnp.where(together, determinant(tight_first, tight_second) / sharp_second, own_first + tight_first)
    mean = (pull_first - jnp.where(together, coupling, 0.0) * pull_second / sharp_second) / schur
    new_first = jnp.where(with_first, mean + normal[0] * jax.lax.rsqrt(schur), 0.0)
    mean = (pull_second - coupling * new_first) / sharp_second
    new_second = jnp.where(with_second, mean + normal[1] * jax.lax.rsqrt(sharp_second), 0.0)
    with_both = weight[1 + 2 * components :].reshape(components, components, -1).sum(axis=1)
    return new_first, new_second, (weight[1 : 1 + components] + with_both) / total


def draw_gamma(
    shape: Float[Array, "*any"],
    current: Float[Array, "*any"],
    normal: Float[Array, "*any"],
    uniform: Float[Array, "*any"],
) -> Float[Array, "*any"]:
    """Move a draw from Gamma(shape, 1) to the next, which the distribution does not change.

    The cube root of a gamma variable is nearly normal (Wilson & Hilferty, PNAS 1931), so a cubed normal is proposed and
    accepted by Metropolis' rule: from shape 3 on all but one in a hundred are. `jax.random.gamma` draws independently,
    and takes as long to compile as the rest of the sampler.

    Args:
        shape: of the distribution.
        current: the draw so far, positive.
        normal: a standard normal draw.
        uniform: a uniform draw.
    """
    middle, width = 1 - 1 / (9 * shape), 1 / (3 * jnp.sqrt(shape))

    def log_weight(root):
        # Of x = shape · root³: log of the density over that of the proposal.
        x = shape * root**3
        return (shape - 1) * jnp.log(x) - x + 0.5 * ((root - middle) / width) ** 2 + 2 * jnp.log(root)

    root = jnp.cbrt(jnp.maximum(current, 1e-30) / shape)
    proposed = middle + width * normal
    safe = jnp.maximum(proposed, 1e-6)
    accepted = (proposed > 1e-6) & (jnp.log(uniform) < log_weight(safe) - log_weight(root))
    return shape * jnp.where(accepted, safe, root) ** 3
