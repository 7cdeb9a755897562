"""Courses that observations are noisy samples of, where the observations say that courses are smooth.

A gene's course is a Gaussian process around its mean (Rasmussen & Williams 2006): rough where the dynamics themselves
are disturbed (Ornstein–Uhlenbeck), smooth where they are not (Matérn 3/2), as means of different cells along a
pseudotime are. How long it remembers and how much of the variance is observation noise is chosen once for all genes by
marginal likelihood. Rough courses are left as they were observed: what drives a gene is as rough as the noise. Smooth
ones become their posterior mean, a linear smoother whose trace tells how many independent observations are left.
"""

from __future__ import annotations

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dashjax.data import Trajectories
from dashjax.numerics.linalg import inverse_and_log_determinant

#: What is tried: memories in steps between observations, and shares of the variance that are noise.
MEMORIES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
NOISES = (0.001, 0.01, 0.03, 0.1, 0.2, 0.4, 0.7)
#: Log likelihood per value by which smooth courses must be better than rough ones. Genes move together, so their
#: likelihoods add up to more than they know; and smoothing away what drives a gene costs more than a little noise.
#: Set on `simulate_cells` and `simulate_disturbed` systems, after DREAM4 had shown that a margin is needed.
CLEARLY = 0.015


class Smoothed(eqx.Module):
    """Observations without their noise, as far as that can be told.

    Attributes:
        courses: levels at the observation times.
        share: degrees of freedom of the smoother per observation, at most one: 0.3 means that three observations in
            ten would have been enough.
    """

    courses: Trajectories
    share: Float[Array, ""]


def smooth(observed: Trajectories) -> Smoothed:
    """Return smooth courses, or the observations themselves if courses are not clearly smooth.

    Values that were filled because they are missing count as observed here.

    Args:
        observed: the observations; memories are counted in the median step between two.
    """
    seen = observed.observed
    deviation = jnp.std(observed.expression, axis=(0, 1), where=seen[..., None])
    moves = deviation > 1e-6
    spread = jnp.where(moves, deviation, 1.0)
    middle = jnp.mean(observed.expression, axis=(0, 1), where=seen[..., None])
    values = jnp.where(seen[..., None], (observed.expression - middle) / spread, 0.0)
    both = seen[:, 1:] & seen[:, :-1]
    step = jnp.nanmedian(jnp.where(both, jnp.diff(observed.times, axis=1), jnp.nan))
    lag = jnp.abs(observed.times[:, :, None] - observed.times[:, None]) / step
    pairs = seen[:, :, None] & seen[:, None]
    own = jnp.eye(seen.shape[1])

    def rough(memory):
        return jnp.where(pairs, jnp.exp(-lag / memory), 0.0)

    def matern(memory):
        distance = jnp.sqrt(3.0) * lag / memory
        return jnp.where(pairs, (1 + distance) * jnp.exp(-distance), 0.0)

    def with_noise(covariance, noise):
        # What was not observed is a value of its own, of variance one.
        return (1 - noise) * covariance + jnp.where(seen[:, None], noise, 1.0) * own

    def likelihoods(setting):
        memory, noise = setting

        def per_value(covariance):
            precision, log_determinant = jax.vmap(inverse_and_log_determinant)(with_noise(covariance, noise))
            misfit = jnp.einsum("tig,tij,tjg->", values, precision, values)
            log_likelihood = -0.5 * (misfit + moves.sum() * log_determinant.sum())
            return log_likelihood / jnp.maximum(moves.sum() * seen.sum(), 1)

        # Both kinds in one call, which is compiled once.
        return jax.vmap(per_value)(jnp.stack([rough(memory), matern(memory)]))

    settings = jnp.asarray(np.stack(np.meshgrid(MEMORIES, NOISES), axis=-1).reshape(-1, 2), jnp.float32)
    if_rough, if_smooth = jax.lax.map(likelihoods, settings).T
    clearly = if_smooth.max() > if_rough.max() + CLEARLY
    memory, noise = settings[jnp.argmax(if_smooth)]
    covariance = matern(memory)
    precision, _ = jax.vmap(inverse_and_log_determinant)(with_noise(covariance, noise))
    smoother = (1 - noise) * covariance @ precision
    expression = jnp.where(clearly & seen[..., None], smoother @ values * spread + middle, observed.expression)
    share = jnp.where(clearly, jnp.minimum(jnp.einsum("tii->", smoother) / seen.sum(), 1.0), 1.0)
    return Smoothed(replace(observed, expression=expression), share)
