"""A plain two-layer perceptron, the ablation's base model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from dashjax.dynamics.field import AbstractField, AbstractSpec, Layers
from dashjax.dynamics.phoenix import default_hidden, normalise


@dataclass(frozen=True)
class PerceptronSpec(AbstractSpec):
    """How to build a perceptron field.

    Attributes:
        hidden: hidden units, or None for twice PHOENIX's, which matches its number of weights.
    """

    hidden: int | None = None

    def init(self, key: PRNGKeyArray, genes: int) -> Perceptron:
        """Draw an initial field for so many genes."""
        return Perceptron.init(key, genes, self.hidden if self.hidden is not None else 2 * default_hidden(genes))


class Perceptron(AbstractField):
    """dg/dt = U elu(W g + b) − g, the ablation of Hossain et al. (NeurIPS 2024).

    Attributes:
        input_weight: W.
        input_bias: b.
        output_weight: U.
    """

    input_weight: Float[Array, "1 hidden gene"]
    input_bias: Float[Array, "1 hidden"]
    output_weight: Float[Array, "1 gene hidden"]

    @classmethod
    def init(cls, key: PRNGKeyArray, genes: int, hidden: int) -> Perceptron:
        """Draw W, b ~ U(±1/√genes) and U ~ U(±1/√hidden), the usual initial weights of linear layers."""
        keys = jax.random.split(key, 3)
        shapes = (1, hidden, genes), (1, hidden), (1, genes, hidden)
        bounds = genes**-0.5, genes**-0.5, hidden**-0.5
        return cls(
            *[jax.random.uniform(k, s, minval=-b, maxval=b) for k, s, b in zip(keys, shapes, bounds, strict=True)]
        )

    def regulation(self, expression: Float[Array, "*batch gene"]) -> Float[Array, "*batch gene"]:
        """Return U elu(W g + b)."""
        hidden = jax.nn.elu(expression @ self.input_weight[0].T + self.input_bias[0])
        return hidden @ self.output_weight[0].T

    def decay(self) -> Float[Array, " gene"]:
        """Return ones."""
        return jnp.ones(self.output_weight.shape[1])

    def layers(self) -> Layers:
        """Return (W, U)."""
        return self.input_weight, self.output_weight

    def with_layers(self, layers: Layers) -> Self:
        """Return this field with (W, U) replaced."""
        return eqx.tree_at(lambda f: (f.input_weight, f.output_weight), self, layers)

    def effective_layers(self) -> Layers:
        """Return (W, U)."""
        return self.layers()

    def magnitudes(self) -> Layers:
        """Return |W| and |U|, each divided by its sum."""
        inner, outer = self.layers()
        return normalise(jnp.abs(inner)), normalise(jnp.abs(outer))
