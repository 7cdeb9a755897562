"""Pruning scores: what a weight is worth, from its magnitude, the prior, or both.

DASH (Hossain et al., NeurIPS 2024) scores a layer by Ω = (1−λ)·norm|W| + λ·(what the prior says of
it). With hidden units the prior only speaks of products of layers, so each layer's share is solved
for by least squares from the other layers' scores.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dashjax.dynamics import Layers
from dashjax.linalg import inverse_positive_definite


def dash_scores(
    previous: Layers,
    magnitudes: Layers,
    prior: Float[Array, "regulator target"],
    similarity: Float[Array, "regulator regulator"],
    trust: Float[Array, " layer"],
) -> Layers:
    """Score every weight of a field with one or two prunable layers, branch by branch.

    λ = 0 everywhere is iterative magnitude pruning, λ = 1 is BioPrune.

    Args:
        previous: the scores of the last pruning.
        magnitudes: the field's normalised magnitudes.
        prior: prior edges.
        similarity: input-input knowledge C.
        trust: λ per layer.

    Raises:
        NotImplementedError: for fields with more than two prunable layers.
    """
    target_first = jnp.abs(prior).T
    if len(magnitudes) == 1:
        (magnitude,) = magnitudes
        return (dash_one_layer(magnitude, target_first, trust[0]),)
    if len(magnitudes) == 2:
        inner = jax.vmap(dash_input_layer, in_axes=(0, 0, None, None))(magnitudes[0], previous[0], similarity, trust[0])
        outer = jax.vmap(dash_output_layer, in_axes=(0, 0, None, None))(magnitudes[1], inner, target_first, trust[1])
        return inner, outer
    raise NotImplementedError(f"DASH scores for {len(magnitudes)} layers")


def dash_one_layer(
    magnitude: Float[Array, "target regulator"],
    prior: Float[Array, "target regulator"],
    trust: Float[Array, ""],
) -> Float[Array, "target regulator"]:
    """Ω = (1−λ)·norm|W| + λ·|P|, for a layer that maps regulators to targets itself.

    Args:
        magnitude: norm|W|.
        prior: prior edges in the layer's orientation, (target, regulator).
        trust: λ, the prior's share in [0, 1].
    """
    return (1 - trust) * magnitude + trust * jnp.abs(prior)


def dash_input_layer(
    magnitude: Float[Array, "hidden regulator"],
    previous: Float[Array, "hidden regulator"],
    similarity: Float[Array, "regulator regulator"],
    trust: Float[Array, ""],
) -> Float[Array, "hidden regulator"]:
    """Ω₁ = (1−λ₁)·norm|W₁| + λ₁·|(Ω₁'Ω₁'ᵀ)⁻¹ Ω₁' C|.

    The second term solves Ω₁'ᵀ Ω₁ ≈ C: inputs that the prior calls similar should reach the same
    hidden units.

    Args:
        magnitude: norm|W₁|.
        previous: Ω₁', this layer's score at the last pruning.
        similarity: C, input-input knowledge.
        trust: λ₁, the prior's share in [0, 1].
    """
    guess = _solve_gram(previous, previous @ similarity)
    return (1 - trust) * magnitude + trust * jnp.abs(guess)


def dash_output_layer(
    magnitude: Float[Array, "target hidden"],
    input_score: Float[Array, "hidden regulator"],
    prior: Float[Array, "target regulator"],
    trust: Float[Array, ""],
) -> Float[Array, "target hidden"]:
    """Ω₂ = (1−λ₂)·norm|W₂| + λ₂·|P Ω₁ᵀ (Ω₁Ω₁ᵀ)⁻¹|.

    The second term solves Ω₂ Ω₁ ≈ P: paths through the hidden units should spell out the prior.

    Args:
        magnitude: norm|W₂|.
        input_score: Ω₁, the input layer's score just computed.
        prior: P, prior edges as (target, regulator).
        trust: λ₂, the prior's share in [0, 1].
    """
    guess = _solve_gram(input_score, input_score @ prior.T).T
    return (1 - trust) * magnitude + trust * jnp.abs(guess)


def path_sum(layers: Layers) -> Float[Array, ""]:
    """Sum non-negative layers over all paths from input to output and over branches: 1ᵀ W_L … W_1 1."""
    flow = jnp.ones((layers[0].shape[0], layers[0].shape[-1]))
    for layer in layers:
        flow = jnp.einsum("coi,ci->co", layer, flow)
    return flow.sum()


def synflow_scores(layers: Layers) -> Layers:
    """Return each weight's synaptic flow |w| · ∂R/∂|w|, R = Σ_branch 1ᵀ |W_L| … |W_1| 1.

    Tanaka et al., "Pruning neural networks without any data by iteratively conserving synaptic flow" (NeurIPS 2020).
    The scores that enter a hidden unit and those that leave it have the same sum, so every layer's sum is R.
    """
    magnitudes = tuple(jnp.abs(layer) for layer in layers)
    return tuple(m * slope for m, slope in zip(magnitudes, jax.grad(path_sum)(magnitudes), strict=True))


def _solve_gram(
    score: Float[Array, "hidden regulator"], right: Float[Array, "hidden column"]
) -> Float[Array, "hidden column"]:
    """Return (ΩΩᵀ)⁻¹ · right for scores of any scale.

    Scores are divided by their root mean square first, which the solution undoes exactly, and the
    Gram matrix gets a ridge of a few rounding errors, so that scores which have become linearly
    dependent (a pure-prior score tends to) give large finite values instead of NaN.
    """
    scale = jnp.sqrt(jnp.mean(score**2))
    scale = jnp.where(scale > 0, scale, 1.0)
    unit = score / scale
    gram = jnp.matmul(unit, unit.T, precision="highest")
    ridge = 4 * jnp.finfo(gram.dtype).eps * jnp.trace(gram)
    gram = gram + ridge * jnp.eye(gram.shape[0], dtype=gram.dtype)
    return jnp.matmul(inverse_positive_definite(gram), right, precision="highest") / scale**2
