"""Reading a network out of a fitted field."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from dashjax.dynamics import AbstractField, Direct


def effects(field: AbstractField) -> Float[Array, "regulator target"]:
    """Return D, the signed linear effect of each regulator on each target's derivative, in 1/time.

    For PHOENIX, D = relu(v) ⊙ (U_Σ W_Σ + U_Π W_Π), transposed. An exact zero is an absent edge.
    """
    return field.effects()


def relative_effects(field: AbstractField) -> Float[Array, "regulator target"]:
    """Return D̃, each target's effects divided by the sum of their magnitudes (DASH, appendix)."""
    effect = field.effects()
    total = jnp.sum(jnp.abs(effect), axis=0, keepdims=True)
    return effect / jnp.where(total > 0, total, 1.0)


def along_edges(field: Direct, network: Float[Array, "regulator target"]) -> Direct:
    """Return an edge-resolved field without the weights of all other edges than a network's non-zeros."""
    return field.with_layers((jnp.where(network.T != 0, field.weight, 0.0),))
