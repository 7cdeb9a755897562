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


class Chain(eqx.Module):
    """State of one target's chain.

    Attributes:
        coefficient: of each candidate, zero where it is excluded.
        noise: variance of the observations around the regression.
    """

    coefficient: Float[Array, " candidate"]
    noise: Float[Array, ""]


def partners(gram: Float[Array, "candidate candidate"]) -> Float[Array, "candidate candidate"]:
    """Return, row by row, the cumulative distribution of the candidate that each is drawn together with.

    Proportional to the fourth power of their correlation, and a little for all others: look-alikes must trade places
    often. Any such distribution leaves the posterior as it is; this one mixes fast.
    """
    length = jnp.sqrt(jnp.diag(gram))
    length = jnp.where(length > 0, length, 1.0)
    likeness = jnp.abs(gram / length / length[:, None]) ** 4 + 1e-3
    likeness = likeness * (1 - jnp.eye(len(gram)))
    return jnp.cumsum(likeness / likeness.sum(axis=1, keepdims=True), axis=1)


def sweep(
    key: PRNGKeyArray,
    order,
    chain: Chain,
    gram: Float[Array, "candidate candidate"],
    moment: Float[Array, " candidate"],
    square: Float[Array, ""],
    count: Float[Array, ""],
    partner: Float[Array, "candidate candidate"],
    logit: Float[Array, " candidate"],
    slab: Float[Array, " component"],
    temperature: Float[Array, ""],
) -> tuple[Chain, Float[Array, "candidate component"]]:
    """Draw every coefficient once, each with a partner, then the noise.

    Args:
        key: for the draws.
        order: in which candidates take their turn.
        chain: the state so far.
        gram: XᵀX.
        moment: Xᵀy.
        square: yᵀy.
        count: degrees of freedom.
        partner: from `partners`.
        logit: log odds of inclusion before the data.
        slab: weights of the slab's components.
        temperature: by how much the noise is exaggerated; above one the chain wanders.

    Returns:
        The new state, and each candidate's probability of being included with each component, given the others.
    """
    size, variance = len(moment), jnp.array(SLAB)
    tight = 1 / variance
    components = len(SLAB)
    # Few calls: each is some thousand lines of a program that is compiled for every new size.
    key_uniform, key_normal = jax.random.split(key)
    uniform, normals = jax.random.uniform(key_uniform, (2 * size + 1,)), jax.random.normal(key_normal, (2 * size + 1,))
    noise, log_slab = chain.noise * temperature, jnp.log(slab)

    def turn(carry, draws):
        value, residual = carry
        first, uniform_pair, uniform_pick, normal = draws
        second = jnp.minimum(jnp.searchsorted(partner[first], uniform_pair, method="compare_all"), size - 1)
        row_first, row_second = gram[first], gram[second]
        shared = row_first[second]
        # What the two have to explain, the others given; precisions with each component of the slab.
        pull_first = (residual[first] + row_first[first] * value[first] + shared * value[second]) / noise
        pull_second = (residual[second] + row_second[second] * value[second] + shared * value[first]) / noise
        own_first, own_second, coupling = row_first[first] / noise, row_second[second] / noise, shared / noise
        sharp_first, sharp_second = own_first + tight, own_second + tight
        # The determinant of both, multiplied out: where their paths are the same, all but the slab's share cancels.
        apart = jnp.maximum(own_first * own_second - coupling**2, 0.0)
        determinant = apart + own_first * tight + own_second * tight[:, None] + tight[:, None] * tight

        def alone(logit, pull, sharp):
            return logit + log_slab + 0.5 * (pull**2 / sharp - jnp.log(sharp * variance))

        rest = pull_first - coupling * pull_second / sharp_second
        quadratic = rest**2 * sharp_second / determinant + pull_second**2 / sharp_second
        both = logit[first] + logit[second] + log_slab[:, None] + log_slab
        both = both + 0.5 * (quadratic - jnp.log(determinant * variance[:, None] * variance))
        scores = jnp.concatenate(
            [
                jnp.zeros(1),
                alone(logit[first], pull_first, sharp_first),
                alone(logit[second], pull_second, sharp_second),
                both.ravel(),
            ]
        )
        chance = jax.nn.softmax(scores)
        pick = jnp.minimum(jnp.searchsorted(jnp.cumsum(chance), uniform_pick, method="compare_all"), scores.size - 1)
        together = pick > 2 * components
        with_first = together | ((pick > 0) & (pick <= components))
        with_second = pick > components
        pair = pick - 1 - 2 * components
        width_first = jnp.where(together, pair // components, jnp.clip(pick - 1, 0, components - 1))
        width_second = jnp.where(together, pair % components, jnp.clip(pick - 1 - components, 0, components - 1))
        sharp_second = sharp_second[width_second]
        coupling = jnp.where(together, coupling, 0.0)
        # The first from its marginal, the second given the first.
        schur = jnp.where(together, determinant[width_first, width_second] / sharp_second, sharp_first[width_first])
        mean = (pull_first - coupling * pull_second / sharp_second) / schur
        new_first = jnp.where(with_first, mean + normal[0] / jnp.sqrt(schur), 0.0)
        mean = (pull_second - coupling * new_first) / sharp_second
        new_second = jnp.where(with_second, mean + normal[1] / jnp.sqrt(sharp_second), 0.0)
        residual = residual - row_first * (new_first - value[first]) - row_second * (new_second - value[second])
        value = value.at[first].set(new_first).at[second].set(new_second)
        included = chance[1 : 1 + components] + chance[1 + 2 * components :].reshape(components, components).sum(1)
        return (value, residual), included

    draws = order, uniform[:size], uniform[size:-1], normals[:-1].reshape(size, 2)
    begun = chain.coefficient, moment - gram @ chain.coefficient
    (value, residual), included = jax.lax.scan(turn, begun, draws)
    left = jnp.maximum(square - value @ moment - value @ residual, 0.0)
    # The prior p(σ²) ∝ 1/σ², with a floor where a target is explained to the last digit.
    shape, rate = 0.5 * jnp.maximum(count, 1.0), 0.5 * (left + LEAST_NOISE * jnp.maximum(count, 1.0))
    noise = rate / draw_gamma(shape, rate / chain.noise, normals[-1], uniform[-1])
    noise = jnp.minimum(noise, MOST_NOISE * jnp.maximum(square / jnp.maximum(count, 1.0), LEAST_NOISE))
    return Chain(value, noise), jnp.zeros((size, components)).at[order].set(included)


def draw_gamma(
    shape: Float[Array, ""], current: Float[Array, ""], normal: Float[Array, ""], uniform: Float[Array, ""]
) -> Float[Array, ""]:
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
