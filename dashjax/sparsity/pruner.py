"""The pruner: masks and scores carried through a run, updated where the schedule says so."""

from __future__ import annotations

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from dashjax.data import Prior
from dashjax.dynamics import AbstractField, Layers
from dashjax.sparsity.masks import Masks, full_masks, prune_masks
from dashjax.sparsity.scores import dash_scores

Variant = Literal["released", "paper"]


class PrunerState(eqx.Module):
    """What pruning remembers.

    Attributes:
        masks: which weights are alive.
        scores: the last pruning's scores, dense: pruned weights keep one too.
    """

    masks: Masks
    scores: Layers


def init_pruner(key: PRNGKeyArray, field: AbstractField, variant: Variant = "released") -> PrunerState:
    """Start with every weight alive and random scores.

    The first scores are U[0, 1) in the released code and standard Gaussian in the paper.
    """
    draw = jax.random.uniform if variant == "released" else jax.random.normal
    layers = field.layers()
    keys = jax.random.split(key, len(layers))
    scores = tuple(draw(k, layer.shape) for k, layer in zip(keys, layers, strict=True))
    return PrunerState(full_masks(field), scores)


def prune(
    state: PrunerState,
    field: AbstractField,
    prior: Prior,
    trust: Float[Array, " layer"],
    fraction: Float[Array, ""],
    variant: Variant = "released",
) -> PrunerState:
    """Score every weight and cut the lowest `fraction` of those alive, per layer and branch.

    Args:
        state: masks and scores so far.
        field: the field as trained, pruned weights zero.
        prior: prior edges and input-input knowledge.
        trust: λ per layer.
        fraction: share of living weights to cut.
        variant: "released" divides C by its sum, as the released code does, so that even a small λ₁
            leaves the prior in charge of ties only; "paper" takes C as it is.
    """
    similarity = prior.similarity
    if variant == "released":
        total = similarity.sum()
        similarity = similarity / jnp.where(total > 0, total, 1.0)
    scores = dash_scores(state.scores, field.magnitudes(), prior.edges, similarity, trust)
    return PrunerState(prune_masks(state.masks, scores, fraction), scores)
