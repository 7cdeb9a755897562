"""What data and prior together say about every edge."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class EdgePosterior(eqx.Module):
    """What data and prior together say about every edge.

    Examples:
        >>> half = jnp.full((2, 2), 0.5)
        >>> found = EdgePosterior(half, half, half, half, odds=jnp.zeros(3), noise=jnp.ones(2))
        >>> found.probability.sum().item()  # edges that are expected
        2.0

    Attributes:
        probability: that the edge exists.
        effect: posterior mean of the target's production rate per unit of the regulator's expression, zero included.
        spread: its posterior standard deviation.
        activation: probability that the edge activates, given that it exists; one half where it was never drawn.
        odds: coefficients of the log odds before the data: constant, confidence in each source, regulator's out-degree.
        noise: standard deviation of each gene's observations around its regression, relative to their own.
        chain_error: by how much probabilities differ between the two halves of the draws that they are averages of,
            √(Σ(p₁ − p₂)² / Σp); zero where nothing was drawn.
    """

    probability: Float[Array, "regulator target"]
    effect: Float[Array, "regulator target"]
    spread: Float[Array, "regulator target"]
    activation: Float[Array, "regulator target"]
    odds: Float[Array, " feature"]
    noise: Float[Array, " gene"]
    chain_error: Float[Array, ""] = eqx.field(default_factory=lambda: jnp.zeros(()))
