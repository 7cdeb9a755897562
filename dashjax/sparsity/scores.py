"""Pruning scores: what a weight is worth, from its magnitude, the prior, or both.

DASH (Hossain et al., NeurIPS 2024) scores a layer by Ω = (1−λ)·norm|W| + λ·(what the prior says of
it). With hidden units the prior only speaks of products of layers, so each layer's share is solved
for by least squares from the other layers' scores.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dashjax.dynamics import Layers
from dashjax.numerics.linalg import inverse_positive_definite
from dashjax.numerics.sparse import Matrix, SharedTargets, SparseMatrix, dense_rows


def dash_scores(
    previous: Layers,
    magnitudes: Layers,
    prior: Matrix,
    similarity: Matrix | SharedTargets,
    trust: Float[Array, " layer"],
) -> Layers:
    """Score every weight of a field, branch by branch.

    One layer takes the prior as it is, two solve for it with C's help, more solve for it alone, see `dash_deep`.
    λ = 0 everywhere is iterative magnitude pruning, λ = 1 is BioPrune.

    Args:
        previous: the scores of the last pruning.
        magnitudes: the field's normalised magnitudes.
        prior: prior edges (regulator, target), dense or sparse; two layers never make a sparse one dense.
        similarity: input-input knowledge C.
        trust: λ of the first layer (and of those between) and of the last.
    """
    if len(magnitudes) == 2:
        belief: Matrix = abs(prior) if isinstance(prior, SparseMatrix) else jnp.abs(prior)
        inner = jax.vmap(dash_input_layer, in_axes=(0, 0, None, None))(magnitudes[0], previous[0], similarity, trust[0])
        outer = jax.vmap(dash_output_layer, in_axes=(0, 0, None, None))(magnitudes[1], inner, belief.T, trust[1])
        return inner, outer
    target_first = jnp.abs(dense_rows(prior)).T
    if len(magnitudes) == 1:
        (magnitude,) = magnitudes
        return (dash_one_layer(magnitude, target_first, trust[0]),)
    return jax.vmap(dash_deep, in_axes=(0, 0, None, None))(previous, magnitudes, target_first, trust)


def dash_one_layer(
    magnitude: Float[Array, "target regulator"],
    prior: Float[Array, "target regulator"],
    trust: Float[Array, ""],
) -> Float[Array, "target regulator"]:
    """Ω = (1−λ)·norm|W| + λ·|P|, for a layer that maps regulators to targets itself.

    Examples:
        >>> dash_one_layer(jnp.array([[0.75, 0.25]]), jnp.array([[0.0, -1.0]]), 0.5).tolist()
        [[0.375, 0.625]]

    Args:
        magnitude: norm|W|.
        prior: prior edges in the layer's orientation, (target, regulator).
        trust: λ, the prior's share in [0, 1].
    """
    return (1 - trust) * magnitude + trust * jnp.abs(prior)


def dash_input_layer(
    magnitude: Float[Array, "hidden regulator"],
    previous: Float[Array, "hidden regulator"],
    similarity: Matrix | SharedTargets,
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
    prior: Matrix,
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


def dash_deep(
    previous: Sequence[Float[Array, "out in"]],
    magnitudes: Sequence[Float[Array, "out in"]],
    prior: Float[Array, "target regulator"],
    trust: Float[Array, " layer"],
) -> tuple[Float[Array, "out in"], ...]:
    """Ω_l = (1−λ)·norm|W_l| + λ·|pinvL(Ω_L…Ω_{l+1}) · P · pinvR(Ω_{l−1}…Ω₁)|, for any number of layers.

    Each layer's score is solved for with the others held fixed, from the first to the last: those before it are the new
    ones, those after it the previous ones (proposed by Hossain et al., NeurIPS 2024, appendix).

    Args:
        previous: the scores of the last pruning, input layer first.
        magnitudes: norm|W| of every layer.
        prior: P, prior edges as (target, regulator).
        trust: λ of all layers but the last, and of the last.
    """
    scores = list(previous)
    last = len(scores) - 1
    for number, magnitude in enumerate(magnitudes):
        guess = prior
        if number < last:
            after = functools.reduce(lambda product, score: score @ product, scores[number + 1 :])
            guess = _solve_gram(after.T, after.T @ guess)
        if number > 0:
            before = functools.reduce(lambda product, score: score @ product, scores[:number])
            guess = _solve_gram(before, before @ guess.T).T
        share = trust[1] if number == last else trust[0]
        scores[number] = (1 - share) * magnitude + share * jnp.abs(guess)
    return tuple(scores)


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
