"""What a vector field must offer to be solved, pruned and read."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

Layers = tuple[Float[Array, "branch out in"], ...]


class AbstractDynamics(eqx.Module):
    """Semilinear gene-regulatory dynamics, dg/dt = production(g) − decay ⊙ g: all that it takes to be solved."""

    @abc.abstractmethod
    def regulation(self, expression: Float[Array, "*batch gene"]) -> Float[Array, "*batch gene"]:
        """Return the level of expression towards which each gene is driven."""

    def production(self, expression: Float[Array, "*batch gene"]) -> Float[Array, "*batch gene"]:
        """Return the rate at which each gene is produced, in expression per time: decay ⊙ regulation."""
        return self.decay() * self.regulation(expression)

    @abc.abstractmethod
    def decay(self) -> Float[Array, " gene"]:
        """Return each gene's rate of linear decay, in 1/time, never negative."""

    def __call__(self, t, expression: Float[Array, "*batch gene"], args=None) -> Float[Array, "*batch gene"]:
        """Return dg/dt in the form that diffrax expects; it does not depend on time."""
        return self.production(expression) - self.decay() * expression


class AbstractField(AbstractDynamics):
    """A vector field to be fitted, pruned and read.

    Prunable weights are exposed as a tuple of layers from input to output, each stacked over the
    field's parallel branches, so that masks, scores and magnitudes are tuples of the same shapes and
    no pruning rule needs to know which field it prunes.
    """

    @abc.abstractmethod
    def layers(self) -> Layers:
        """Return the prunable weights, input layer first."""

    @abc.abstractmethod
    def with_layers(self, layers: Layers) -> Self:
        """Return this field with its prunable weights replaced."""

    @abc.abstractmethod
    def effective_layers(self) -> Layers:
        """Return the weights as they act, with everything that scales a whole row folded in.

        The product of the effective layers, summed over branches, is the field's end-to-end effect
        of each gene on each gene's derivative; their exact zeros are what sparsity counts.
        """

    @abc.abstractmethod
    def magnitudes(self) -> Layers:
        """Return the normalised magnitude norm(W) of every prunable weight, as pruning scores see it."""

    @property
    def regulators(self) -> tuple[int, ...] | None:
        """Return the numbers of the genes that the columns of the first layer stand for; None for all, in order."""
        return None

    @property
    def inputs(self) -> Int[Array, " regulator"] | None:
        """Return `regulators` as an array to index with."""
        return None if self.regulators is None else jnp.asarray(self.regulators, jnp.int32)

    def of_regulators(self, values: Shaped[Array, "*batch gene"]) -> Shaped[Array, "*batch regulator"]:
        """Return the values of the genes that the columns of the first layer stand for."""
        return values if self.inputs is None else values[..., self.inputs]

    def arrays(self) -> dict[str, Array]:
        """Return the field's arrays by their path inside it, as files keep them; see `field_of_arrays`."""
        leaves, _ = jax.tree_util.tree_flatten_with_path(self)
        return {_name(path): leaf for path, leaf in leaves}

    def compact(self) -> Self:
        """Return the same dynamics without weights that no longer act; concrete arrays only, for shapes change.

        Nothing is left out by default.
        """
        return self

    def relative_rates(self) -> Self:
        """Return, leaf by leaf, the factor on the learning rate (a tree of floats); 1 throughout by default."""
        return jax.tree.map(lambda _: 1.0, self)

    def effects(self) -> Float[Array, "regulator target"]:
        """Return the end-to-end linear effect of each regulator on each target's derivative.

        For PHOENIX this is relu(v) ⊙ (U_Σ W_Σ + U_Π W_Π), transposed to (regulator, target).
        """
        return self.effects_on(jnp.arange(self.decay().size))

    def effects_on(self, targets: Int[Array, " target"]) -> Float[Array, "regulator target"]:
        """Return the columns of `effects` of some targets, without computing the others."""
        *before, last = self.effective_layers()
        product = last[:, targets]
        for layer in reversed(before):
            product = product @ layer
        effect = jnp.sum(product, axis=0).T
        if self.inputs is None:
            return effect
        return jnp.zeros((self.decay().size, effect.shape[1])).at[self.inputs].set(effect)


def field_of_arrays(spec: AbstractSpec, genes: int, arrays: Mapping[str, Any]) -> AbstractField:
    """Return the field that a spec builds, with the arrays that `AbstractField.arrays` returned.

    Leading axes, of runs or members, are kept.

    Raises:
        KeyError: where an array is missing.
        ValueError: where one has not the shape that the spec gives it.
    """
    shapes = jax.eval_shape(lambda key: spec.init(key, genes), jax.random.key(0))
    leaves, structure = jax.tree_util.tree_flatten_with_path(shapes)
    filled = []
    for path, leaf in leaves:
        array = jnp.asarray(arrays[_name(path)])
        if array.shape[array.ndim - leaf.ndim :] != leaf.shape:
            raise ValueError(f"{_name(path)} has shape {array.shape}, expected {leaf.shape}")
        filled.append(array)
    return jax.tree.unflatten(structure, filled)


def _name(path) -> str:
    return jax.tree_util.keystr(path).lstrip(".")


def renumber(field: AbstractField, used: np.ndarray) -> tuple[int, ...]:
    """Return the genes that some columns of a field's first layer stand for."""
    return tuple(int(gene) for gene in (used if field.inputs is None else np.asarray(field.inputs)[used]))


@dataclass(frozen=True)
class AbstractSpec(abc.ABC):
    """How to build a field; hashable, so that it can be part of a compiled program's key."""

    @abc.abstractmethod
    def init(self, key: PRNGKeyArray, genes: int) -> AbstractField:
        """Draw an initial field for so many genes."""
