"""PHOENIX, the two-branch field that the paper prunes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from dashjax.dynamics.field import AbstractField, AbstractSpec, Layers, renumber
from dashjax.numerics.linalg import orthonormal_columns


def soft_sign(expression: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return φ_Σ(x) = (x − ½)/(1 + |x − ½|), a saturating response centred on half expression."""
    shifted = expression - 0.5
    return shifted / (1 + jnp.abs(shifted))


def default_hidden(genes: int) -> int:
    """Return 2.14·√genes, close to the published numbers of hidden units per branch (40 at 350 genes)."""
    return max(2, round(2.14 * genes**0.5))


@dataclass(frozen=True)
class PhoenixSpec(AbstractSpec):
    """How to build a PHOENIX field.

    Examples:
        >>> PhoenixSpec(hidden=2).init(jax.random.key(0), 3).input_weight.shape  # branch, hidden unit, regulator
        (2, 2, 3)

    Attributes:
        hidden: hidden units per branch, or None for `default_hidden`.
    """

    hidden: int | None = None

    def init(self, key: PRNGKeyArray, genes: int) -> Phoenix:
        """Draw an initial field for so many genes."""
        hidden = self.hidden if self.hidden is not None else default_hidden(genes)
        return Phoenix.init(key, genes, hidden)


class Phoenix(AbstractField):
    """dg/dt = relu(v) ⊙ (U_Σ (W_Σ φ_Σ(g) + b_Σ) + U_Π exp(W_Π φ_Π(g) + b_Π) − g).

    Hossain et al., "Biologically informed NeuralODEs for genome-wide regulatory dynamics", Genome
    Biology 2024. φ_Π = log(1 + φ_Σ), so the second branch multiplies powers of the responses.
    Branch 0 is the additive one (Σ), branch 1 the multiplicative one (Π).

    Examples:
        >>> field = Phoenix.init(jax.random.key(0), genes=3, hidden=2)
        >>> field(0.0, jnp.array([0.1, 0.5, 0.9])).shape
        (3,)

    Attributes:
        input_weight: W.
        input_bias: b.
        output_weight: U.
        gene_multiplier: v.
        regulators: numbers of the genes that the columns of W stand for; None for all. Only `compact` leaves any out.
    """

    input_weight: Float[Array, "branch hidden gene"]
    input_bias: Float[Array, "branch hidden"]
    output_weight: Float[Array, "branch gene hidden"]
    gene_multiplier: Float[Array, " gene"]
    regulators: tuple[int, ...] | None = eqx.field(static=True, default=None)

    @classmethod
    def init(cls, key: PRNGKeyArray, genes: int, hidden: int) -> Phoenix:
        """Draw the released code's initial weights.

        95 % of each column of W is zero and the rest N(0, 0.05²); b ~ U(±1/√genes); U has
        orthonormal columns; v ~ U[0, 1).
        """
        key_support, key_weight, key_bias, key_output, key_multiplier = jax.random.split(key, 5)
        # At least one weight per column survives, also where 5 % of the hidden units round to none.
        alive = max(hidden - -(-hidden * 95 // 100), 1)
        order = jnp.argsort(jax.random.uniform(key_support, (2, hidden, genes)), axis=1)
        weight = 0.05 * jax.random.normal(key_weight, (2, hidden, genes))
        bound = genes**-0.5
        gaussian = jax.random.normal(key_output, (2, max(genes, hidden), min(genes, hidden)))
        frame = jax.vmap(orthonormal_columns)(gaussian)
        return cls(
            input_weight=jnp.where(order < alive, weight, 0.0),
            input_bias=jax.random.uniform(key_bias, (2, hidden), minval=-bound, maxval=bound),
            output_weight=frame if genes >= hidden else jnp.swapaxes(frame, -1, -2),
            gene_multiplier=jax.random.uniform(key_multiplier, (genes,)),
        )

    def regulation(self, expression: Float[Array, "*batch gene"]) -> Float[Array, "*batch gene"]:
        """Return the bracket before −g: the level towards which each gene is driven."""
        response = soft_sign(self.of_regulators(expression))
        inputs = jnp.stack([response, jnp.log1p(response)])
        bias = jnp.expand_dims(self.input_bias, range(1, expression.ndim))
        additive, log_product = jnp.einsum("c...g,chg->c...h", inputs, self.input_weight) + bias
        hidden = jnp.stack([additive, jnp.exp(log_product)])
        return jnp.einsum("c...h,cgh->...g", hidden, self.output_weight)

    def compact(self) -> Phoenix:
        """Return the same dynamics without hidden units that reach no gene and genes that reach no hidden unit.

        Both branches keep as many units as the fuller one needs.
        """
        reaching = np.asarray(self.output_weight != 0).any(axis=1)
        width = max(1, int(reaching.sum(axis=1).max()))
        units = jnp.asarray(np.argsort(~reaching, axis=1, kind="stable")[:, :width])
        inner = jnp.take_along_axis(self.input_weight, units[..., None], axis=1)
        # A unit that only fills a branch up reaches nothing, so whatever reaches it does not count.
        filled = jnp.take_along_axis(jnp.asarray(reaching), units, axis=1)
        used = np.flatnonzero(np.asarray((inner != 0) & filled[..., None]).any(axis=(0, 1)))
        return Phoenix(
            inner[..., used],
            jnp.take_along_axis(self.input_bias, units, axis=1),
            jnp.take_along_axis(self.output_weight, units[:, None], axis=2),
            self.gene_multiplier,
            renumber(self, used),
        )

    def decay(self) -> Float[Array, " gene"]:
        """Return relu(v)."""
        return jax.nn.relu(self.gene_multiplier)

    def layers(self) -> Layers:
        """Return (W, U)."""
        return self.input_weight, self.output_weight

    def with_layers(self, layers: Layers) -> Self:
        """Return this field with (W, U) replaced."""
        return eqx.tree_at(lambda f: (f.input_weight, f.output_weight), self, layers)

    def effective_layers(self) -> Layers:
        """Return (W, relu(v) ⊙ U)."""
        return self.input_weight, self.output_weight * self.decay()[:, None]

    def magnitudes(self) -> Layers:
        """Return |W_Σ|, exp(W_Π) (that branch acts in log space) and |U|·relu(v), each divided by its sum."""
        inner, outer = self.effective_layers()
        return (
            normalise(jnp.stack([jnp.abs(inner[0]), jnp.exp(inner[1])])),
            normalise(jnp.abs(outer)),
        )

    def relative_rates(self) -> Self:
        """Return 1 for the weights and 5 for the gene multipliers (released code)."""
        return eqx.tree_at(lambda f: f.gene_multiplier, super().relative_rates(), 5.0)


def normalise(magnitude: Float[Array, "branch out in"]) -> Float[Array, "branch out in"]:
    """Divide every branch's magnitudes by their sum."""
    total = jnp.sum(magnitude, axis=(-2, -1), keepdims=True)
    return magnitude / jnp.where(total > 0, total, 1.0)
