"""Masks: boolean trees shaped like a field's prunable layers, True where a weight is alive."""

from __future__ import annotations

from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt32

from dashjax.dynamics import AbstractField, Layers

Field = TypeVar("Field", bound=AbstractField)
Masks = tuple[Bool[Array, "branch out in"], ...]


def full_masks(field: AbstractField) -> Masks:
    """Return masks with every prunable weight of `field` alive."""
    return tuple(jnp.ones(layer.shape, bool) for layer in field.layers())


def apply_masks(masks: Masks, field: Field) -> Field:
    """Return `field` with its pruned weights exactly zero.

    Selects instead of multiplying, so a pruned weight that is infinite or NaN becomes zero too.
    """
    return field.with_layers(mask_layers(masks, field.layers()))


def mask_layers(masks: Masks, layers: Layers) -> Layers:
    """Return layers (weights, gradients or moments) with zeros where the mask is False."""
    return tuple(jnp.where(mask, layer, 0) for mask, layer in zip(masks, layers, strict=True))


def prune_lowest(
    mask: Bool[Array, "out in"], score: Float[Array, "out in"], fraction: Float[Array, ""]
) -> Bool[Array, "out in"]:
    """Prune the given fraction of the weights still alive, those of lowest score.

    Exactly round(fraction · alive) weights go (halves round to even); equal scores fall in index
    order, and a score that is not a number counts as the lowest.

    Examples:
        >>> score = jnp.array([[0.1, 0.4], [0.2, 0.3]])
        >>> prune_lowest(jnp.ones((2, 2), bool), score, 0.5).tolist()
        [[False, True], [False, True]]
    """
    count = jnp.round(fraction * mask.sum()).astype(jnp.int32)
    return _cut_lowest(mask.ravel(), score.ravel(), count).reshape(mask.shape)


def prune_globally(masks: Masks, scores: Layers, count: Int[Array, ""]) -> Masks:
    """Prune exactly `count` of the weights still alive in all layers together, those of lowest score."""
    flat = jnp.concatenate([mask.ravel() for mask in masks])
    kept = _cut_lowest(flat, jnp.concatenate([score.ravel() for score in scores]), count)
    ends = np.cumsum([mask.size for mask in masks])
    return tuple(part.reshape(mask.shape) for part, mask in zip(jnp.split(kept, ends[:-1]), masks, strict=True))


def _cut_lowest(
    mask: Bool[Array, " weight"], score: Float[Array, " weight"], count: Int[Array, ""]
) -> Bool[Array, " weight"]:
    key = jnp.where(mask, _sortable(score), jnp.uint32(0xFFFFFFFF))

    # The largest threshold below which there are fewer than `count`, bit by bit: 32 passes, where sorting a genome's
    # weights takes many seconds.
    def settle(number, threshold):
        higher = threshold | (jnp.uint32(1) << (31 - number).astype(jnp.uint32))
        return jnp.where(jnp.sum(key < higher) < count, higher, threshold)

    threshold = jax.lax.fori_loop(0, 32, settle, jnp.uint32(0))
    below, level = key < threshold, key == threshold
    # Of equal scores the first in index order fill up what is left to cut.
    first = jnp.cumsum(level) <= count - below.sum()
    return mask & ~((below | (level & first)) & (count > 0))


def _sortable(score: Float[Array, " weight"]) -> UInt32[Array, " weight"]:
    """Return integers in the order of floats, NaN before all."""
    score = jnp.where(jnp.isnan(score), -jnp.inf, score) + 0.0  # −0 becomes 0
    bits = jax.lax.bitcast_convert_type(score.astype(jnp.float32), jnp.uint32)
    return jnp.where(bits >> 31 == 1, ~bits, bits | jnp.uint32(0x80000000))


def prune_masks(masks: Masks, scores: Layers, fraction: Float[Array, ""]) -> Masks:
    """Prune every branch of every layer by the same fraction of its own living weights."""
    prune = jax.vmap(prune_lowest, in_axes=(0, 0, None))
    return tuple(prune(mask, score, fraction) for mask, score in zip(masks, scores, strict=True))


def count_alive(masks: Masks) -> Int[Array, ""]:
    """Count the living weights."""
    return sum((mask.sum() for mask in masks), start=jnp.zeros((), jnp.int32))


def sparsity(layers: Layers) -> Float[Array, ""]:
    """Return the share of exact zeros among the weights of `layers`; biases do not count.

    Examples:
        >>> float(sparsity((jnp.array([[[0.0, 2.0]]]), jnp.array([[[0.0], [0.0]]]))))
        0.75
    """
    zeros = sum((layer == 0).sum() for layer in layers)
    return jnp.asarray(zeros / sum(layer.size for layer in layers))
