"""Reading a network out of a fitted field."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dashjax.dynamics import AbstractField, Direct


def effects(field: AbstractField) -> Float[Array, "regulator target"]:
    """Return D, the signed linear effect of each regulator on each target's derivative, in 1/time.

    For PHOENIX, D = relu(v) ⊙ (U_Σ W_Σ + U_Π W_Π), transposed. An exact zero is an absent edge.

    Examples:
        >>> from dashjax import DirectSpec
        >>> field = DirectSpec().init(jax.random.key(0), 3)
        >>> effects(field).shape
        (3, 3)
    """
    return field.effects()


def relative_effects(field: AbstractField) -> Float[Array, "regulator target"]:
    """Return D̃, each target's effects divided by the sum of their magnitudes (DASH, appendix).

    Examples:
        Genes 1 and 2 act on gene 0, one three times as strongly as the other:

        >>> half = jnp.full(3, 0.5)
        >>> weight = jnp.zeros((2, 3, 3)).at[0, 0, 1:].set(jnp.array([6.0, -2.0]))  # (branch, target, regulator)
        >>> relative_effects(Direct(weight, half, half, half)).tolist()  # (regulator, target)
        [[0.0, 0.0, 0.0], [0.75, 0.0, 0.0], [-0.25, 0.0, 0.0]]
    """
    return _relative(field.effects())


def strongest_edges(
    field: AbstractField, count: int, relative: bool = True, block: int = 256
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the strongest edges of a field of any size: regulators, targets and weights, the strongest first.

    Effects are computed for some targets at a time and only the strongest kept, so the network is never formed.
    Equal weights come in the genes' order.

    Examples:
        Gene 1 activates gene 0 and represses gene 2:

        >>> half = jnp.full(3, 0.5)
        >>> weight = jnp.zeros((2, 3, 3)).at[0, [0, 2], 1].set(jnp.array([4.0, -2.0]))  # (branch, target, regulator)
        >>> [part.tolist() for part in strongest_edges(Direct(weight, half, half, half), 2, relative=False)]
        [[1, 1], [0, 2], [2.0, -1.0]]

    Args:
        field: the model.
        count: edges to return, at most; exact zeros are no edges.
        relative: whether weights are `relative_effects` or `effects`.
        block: targets at a time.

    Returns:
        Numbers of the regulators and of the targets, and the weights: shares without a unit if `relative`, else in
        1/time.
    """
    genes = field.decay().size
    block = min(block, genes)

    @jax.jit
    def columns(field, targets):
        effect = field.effects_on(targets)
        return _relative(effect) if relative else effect

    least = 0.0
    kept = [np.zeros(0, int), np.zeros(0, int), np.zeros(0, np.float32)]
    for begin in range(0, genes, block):
        targets = np.arange(begin, min(begin + block, genes))
        # The last block is filled up with its own last target, so that one program serves all.
        filled = np.minimum(np.arange(begin, begin + block), genes - 1)
        effect = np.asarray(columns(field, filled))[:, : len(targets)]
        regulator, place = np.nonzero((np.abs(effect) >= least) & (effect != 0))
        found = regulator, targets[place], effect[regulator, place]
        kept = [np.concatenate(pair) for pair in zip(kept, found, strict=True)]
        if len(kept[2]) > 2 * count or begin + block >= genes:
            order = np.lexsort((kept[1], kept[0], -np.abs(kept[2])))[:count]
            kept = [part[order] for part in kept]
            least = float(np.abs(kept[2][-1])) if len(order) == count else 0.0
    return kept[0], kept[1], kept[2]


def _relative(effect: Float[Array, "regulator target"]) -> Float[Array, "regulator target"]:
    total = jnp.sum(jnp.abs(effect), axis=0, keepdims=True)
    return effect / jnp.where(total > 0, total, 1.0)


def along_edges(field: Direct, network: Float[Array, "regulator target"]) -> Direct:
    """Return an edge-resolved field without the weights of all other edges than a network's non-zeros."""
    return field.with_layers((jnp.where(field.of_regulators(network.T) != 0, field.weight, 0.0),))
