"""How much the data make us trust the prior: the odds of an edge before its own evidence."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from dashjax.linalg import inverse_positive_definite

Features = Float[Array, "target regulator feature"]
Coefficients = Float[Array, " feature"]

#: Standard deviations of what is believed about the coefficients before any data.
BELIEF = (2.0, 3.0, 1.0)
#: Newton steps; the problem is convex and has three unknowns.
NEWTON_STEPS = 8


def odds_features(prior: Float[Array, "regulator target"]) -> Features:
    """Return what an edge's odds may depend on: a constant, its confidence in the prior, and its regulator's renown.

    Renown is log(1 + the regulator's prior confidence in all *other* targets): who is known to regulate regulates.
    """
    confidence = jnp.clip(jnp.abs(prior.T), 0.0, 1.0)
    renown = jnp.log1p(confidence.sum(axis=0) - confidence)
    return jnp.stack([jnp.ones_like(confidence), confidence, renown], axis=-1)


def expected_odds(genes: int) -> Coefficients:
    """Return the coefficients believed in before any data: two regulators per gene, even odds for a prior edge."""
    share = min(2 / genes, 0.4)
    rare = math.log(share / (1 - share))
    return jnp.array([rare, -rare, 0.0])


def fit_odds(
    probability: Float[Array, "target regulator"],
    features: Features,
    belief: Coefficients,
    allowed: Bool[Array, "target regulator"],
) -> Coefficients:
    """Return the coefficients that explain the current edge probabilities best (logistic regression, Newton).

    A prior that the data contradict gets a coefficient near zero, and is then no longer believed.

    Args:
        probability: of every edge, as the chains have it.
        features: from `odds_features`.
        belief: the coefficients' means before any data.
        allowed: the pairs that may be edges; others do not count.
    """
    precision = jnp.diag(1 / jnp.square(jnp.array(BELIEF)))

    def newton(coefficients, _):
        expected = jax.nn.sigmoid(features @ coefficients)
        slope = jnp.einsum("tr,trf->f", (probability - expected) * allowed, features)
        weight = expected * (1 - expected) * allowed
        curvature = jnp.einsum("trf,tr,trg->fg", features, weight, features) + precision
        step = inverse_positive_definite(curvature) @ (slope - precision @ (coefficients - belief))
        return coefficients + jnp.clip(step, -2, 2), None

    return jax.lax.scan(newton, belief, length=NEWTON_STEPS)[0]
