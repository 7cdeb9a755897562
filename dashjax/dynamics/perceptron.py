"""Plain perceptrons: the ablation's base model, and a deeper one."""

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


@dataclass(frozen=True)
class DeepPerceptronSpec(AbstractSpec):
    """How to build a perceptron field with several hidden layers.

    Attributes:
        hidden: units of each hidden layer, or None for twice PHOENIX's.
        hidden_layers: how many, at least two; `PerceptronSpec` builds the field with one.
    """

    hidden: int | None = None
    hidden_layers: int = 2

    def init(self, key: PRNGKeyArray, genes: int) -> DeepPerceptron:
        """Draw an initial field for so many genes."""
        hidden = self.hidden if self.hidden is not None else 2 * default_hidden(genes)
        return DeepPerceptron.init(key, genes, hidden, self.hidden_layers)


class DeepPerceptron(AbstractField):
    """dg/dt = U elu(W_L … elu(W₁ g + b₁) … + b_L) − g, to ask what DASH's scores do at greater depth.

    Attributes:
        input_weight: W₁.
        middle_weight: W₂ … W_L.
        biases: b₁ … b_L.
        output_weight: U.
    """

    input_weight: Float[Array, "1 hidden gene"]
    middle_weight: Float[Array, "middle 1 hidden hidden"]
    biases: Float[Array, "layer hidden"]
    output_weight: Float[Array, "1 gene hidden"]

    @classmethod
    def init(cls, key: PRNGKeyArray, genes: int, hidden: int, hidden_layers: int) -> DeepPerceptron:
        """Draw every weight and bias ~ U(±1/√inputs), the usual initial weights of linear layers."""
        keys = jax.random.split(key, 4)
        shapes = (1, hidden, genes), (hidden_layers - 1, 1, hidden, hidden), (hidden_layers, hidden), (1, genes, hidden)
        bounds = genes**-0.5, hidden**-0.5, hidden**-0.5, hidden**-0.5
        return cls(
            *[jax.random.uniform(k, s, minval=-b, maxval=b) for k, s, b in zip(keys, shapes, bounds, strict=True)]
        )

    def regulation(self, expression: Float[Array, "*batch gene"]) -> Float[Array, "*batch gene"]:
        """Return U elu(W_L … elu(W₁ g + b₁) … + b_L)."""
        *inner, outer = self.layers()
        state = expression
        for weight, bias in zip(inner, self.biases, strict=True):
            state = jax.nn.elu(state @ weight[0].T + bias)
        return state @ outer[0].T

    def decay(self) -> Float[Array, " gene"]:
        """Return ones."""
        return jnp.ones(self.output_weight.shape[1])

    def layers(self) -> Layers:
        """Return (W₁, …, W_L, U)."""
        return self.input_weight, *self.middle_weight, self.output_weight

    def with_layers(self, layers: Layers) -> Self:
        """Return this field with (W₁, …, W_L, U) replaced."""
        first, *middle, last = layers
        return DeepPerceptron(first, jnp.stack(middle), self.biases, last)  # type: ignore[return-value]

    def effective_layers(self) -> Layers:
        """Return (W₁, …, W_L, U)."""
        return self.layers()

    def magnitudes(self) -> Layers:
        """Return every layer's magnitudes, divided by their sum."""
        return tuple(normalise(jnp.abs(layer)) for layer in self.layers())
