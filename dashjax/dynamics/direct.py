"""An edge-resolved field: one weight per regulator and target, no hidden units to smear them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from dashjax.dynamics.field import AbstractField, AbstractSpec, Layers, renumber
from dashjax.dynamics.phoenix import normalise, soft_sign


@dataclass(frozen=True)
class DirectSpec(AbstractSpec):
    """How to build an edge-resolved field.

    Examples:
        >>> DirectSpec(regulators=(0, 2)).init(jax.random.key(0), 3).weight.shape  # branch, target, regulator
        (2, 3, 2)

    Attributes:
        regulators: numbers of the genes that may regulate, in increasing order; None for all.
    """

    regulators: tuple[int, ...] | None = None

    def init(self, key: PRNGKeyArray, genes: int) -> Direct:
        """Draw an initial field for so many genes."""
        return Direct.init(key, genes, self.regulators)


class Direct(AbstractField):
    """dg/dt = relu(v) ⊙ (A φ_Σ(g) + s ⊙ (exp(B φ_Π(g)) − 1) + b − g).

    PHOENIX's two responses without its hidden layer: branch 0 adds regulators up (A), branch 1 multiplies powers of
    them (B), scaled per target by s. Near half expression the effect of regulator j on target i is A_ij + s_i B_ij.

    Examples:
        >>> field = Direct.init(jax.random.key(0), genes=3)
        >>> field.weight.shape  # branch, target, regulator
        (2, 3, 3)

    Attributes:
        weight: (A, B).
        amplitude: s.
        bias: b, the level a gene without regulators is driven to.
        gene_multiplier: v.
        regulators: numbers of the genes that have weights; None for all. A genome has few regulators, and the weights
            of the others are never stored.
    """

    weight: Float[Array, "branch target regulator"]
    amplitude: Float[Array, " gene"]
    bias: Float[Array, " gene"]
    gene_multiplier: Float[Array, " gene"]
    regulators: tuple[int, ...] | None = eqx.field(static=True, default=None)

    @classmethod
    def init(cls, key: PRNGKeyArray, genes: int, regulators: tuple[int, ...] | None = None) -> Direct:
        """Start without regulation: A, B ~ N(0, 0.001²), s = b = v = ½."""
        half = jnp.full(genes, 0.5)
        inputs = genes if regulators is None else len(regulators)
        return cls(1e-3 * jax.random.normal(key, (2, genes, inputs)), half, half, half, regulators)

    def compact(self) -> Direct:
        """Return the same dynamics without the columns of genes that regulate nothing."""
        used = np.flatnonzero(np.asarray(self.weight != 0).any(axis=(0, 1)))
        return Direct(self.weight[..., used], self.amplitude, self.bias, self.gene_multiplier, renumber(self, used))

    def regulation(self, expression: Float[Array, "*batch gene"]) -> Float[Array, "*batch gene"]:
        """Return the bracket before −g: the level towards which each gene is driven."""
        response = soft_sign(self.of_regulators(expression))
        additive = response @ self.weight[0].T
        log_product = jnp.log1p(response) @ self.weight[1].T
        return additive + self.amplitude * jnp.expm1(log_product) + self.bias

    def decay(self) -> Float[Array, " gene"]:
        """Return relu(v)."""
        return jax.nn.relu(self.gene_multiplier)

    def layers(self) -> Layers:
        """Return ((A, B),), one layer."""
        return (self.weight,)

    def with_layers(self, layers: Layers) -> Self:
        """Return this field with (A, B) replaced."""
        return eqx.tree_at(lambda f: f.weight, self, layers[0])

    def effective_layers(self) -> Layers:
        """Return relu(v) ⊙ (A, s ⊙ B), one layer."""
        scale = jnp.stack([jnp.ones_like(self.amplitude), self.amplitude]) * self.decay()
        return (self.weight * scale[..., None],)

    def magnitudes(self) -> Layers:
        """Return the size of the effective weights, each branch divided by its sum."""
        return (normalise(jnp.abs(self.effective_layers()[0])),)

    def relative_rates(self) -> Self:
        """Return 1 for the weights and 5 for the gene multipliers, as PHOENIX."""
        return eqx.tree_at(lambda f: f.gene_multiplier, super().relative_rates(), 5.0)
