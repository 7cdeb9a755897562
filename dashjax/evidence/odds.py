"""How much the data make us trust the prior: the odds of an edge before its own evidence."""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from dashjax.data import Prior
from dashjax.numerics.linalg import inverse_positive_definite
from dashjax.numerics.sparse import dense_rows

Features = Float[Array, "target regulator feature"]
Coefficients = Float[Array, " feature"]

#: Newton steps; the problem is convex and has few unknowns.
NEWTON_STEPS = 8


class Belief(eqx.Module):
    """What is believed about the coefficients before any data: independent normals.

    Attributes:
        mean: of each coefficient.
        deviation: its standard deviation.
    """

    mean: Coefficients
    deviation: Coefficients


def odds_features(prior: Prior) -> Features:
    """Return what an edge's odds may depend on: a constant, its confidence in each source, its regulator's out-degree.

    Out-degree as log(1 + the regulator's prior confidence in all *other* targets): who is known to regulate regulates.
    """
    sources = dense_rows(prior.edges)[None] if prior.sources is None else prior.sources
    confidence = jnp.clip(jnp.abs(sources.mT), 0.0, 1.0)
    best = confidence.max(axis=0)
    out_degree = jnp.log1p(best.sum(axis=0) - best)
    return jnp.stack([jnp.ones_like(best), *confidence, out_degree], axis=-1)


def initial_belief(genes: int, sources: int) -> Belief:
    """Return the belief that a gene has two regulators, and that an edge that one source states has even odds."""
    share = min(2 / genes, 0.4)
    rare = math.log(share / (1 - share))
    return Belief(jnp.array([rare, *[-rare] * sources, 0.0]), jnp.array([2.0, *[3.0] * sources, 1.0]))


def fit_odds(
    probability: Float[Array, "target regulator"],
    features: Features,
    belief: Belief,
    allowed: Bool[Array, "target regulator"],
) -> Coefficients:
    """Return the coefficients that explain the current edge probabilities best (logistic regression, Newton).

    A prior that the data contradict gets a coefficient of zero, and is then no longer believed; none is negative, for
    what the data cannot tell apart (five genes, a few smooth courses) would turn a good prior against itself.

    Args:
        probability: of every edge, as the chains have it.
        features: from `odds_features`.
        belief: about the coefficients, before any data.
        allowed: the pairs that may be edges; others do not count.
    """
    precision = jnp.diag(1 / jnp.square(belief.deviation))
    least = jnp.zeros(features.shape[-1]).at[0].set(-jnp.inf)

    def newton(coefficients, _):
        expected = jax.nn.sigmoid(features @ coefficients)
        slope = jnp.einsum("tr,trf->f", (probability - expected) * allowed, features)
        weight = expected * (1 - expected) * allowed
        curvature = jnp.einsum("trf,tr,trg->fg", features, weight, features) + precision
        slope = slope - precision @ (coefficients - belief.mean)
        # What is at its bound and would leave it stays, and the others step without it (Bertsekas 1982).
        stays = (coefficients <= least) & (slope < 0)
        curvature = jnp.where(stays[:, None] | stays, jnp.eye(len(stays)), curvature)
        step = inverse_positive_definite(curvature) @ jnp.where(stays, 0.0, slope)
        return jnp.maximum(coefficients + jnp.clip(step, -2, 2), least), None

    return jax.lax.scan(newton, belief.mean, length=NEWTON_STEPS)[0]
