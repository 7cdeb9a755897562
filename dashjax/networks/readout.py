"""Reading a network out of a fitted field."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from dashjax.dynamics import AbstractField


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
