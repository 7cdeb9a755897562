"""Gates: what stands between a field's weights and the dynamics, trained together with the weights.

A gate owns parameters of its own (a pytree, empty for none). While training it may be random; the model
that is validated, selected and read out is the gate's deterministic answer, with exact zeros.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from dashjax.dynamics import AbstractField, Layers
from dashjax.sparsity.masks import Field, Masks, full_masks


class AbstractGate(abc.ABC):
    """How trainable parameters decide which weights act, and how strongly. Hashable and stateless."""

    @abc.abstractmethod
    def init(self, key: PRNGKeyArray, field: AbstractField) -> Any:
        """Return initial gate parameters for a field."""

    @abc.abstractmethod
    def sample(self, key: PRNGKeyArray, gate: Any, field: Field) -> Field:
        """Return the field as it acts in one training step; gradients reach `gate` through it."""

    @abc.abstractmethod
    def settle(self, gate: Any, field: Field) -> Field:
        """Return the field as it acts after training, weights without a place in it exactly zero."""

    @abc.abstractmethod
    def masks(self, gate: Any, field: AbstractField) -> Masks:
        """Return which weights act after training."""

    def tidy(self, gate: Any, field: AbstractField) -> Any:
        """Return the parameters to go on with after an epoch; unchanged by default."""
        return gate


@dataclass(frozen=True)
class NoGate(AbstractGate):
    """Every weight acts as it is."""

    def init(self, key, field):
        """Return no parameters."""
        return ()

    def sample(self, key, gate, field):
        """Return the field."""
        return field

    def settle(self, gate, field):
        """Return the field."""
        return field

    def masks(self, gate, field):
        """Return full masks."""
        return full_masks(field)


@dataclass(frozen=True)
class HardConcrete(AbstractGate):
    """Stretched binary concrete gates z on weights (Louizos et al., ICLR 2018, "L0 regularization", section 2.2).

    s = σ((log u − log(1−u) + log α)/β) for u ~ U(0, 1), z = clip(s(ζ − γ) + γ, 0, 1); after training
    z = clip(σ(log α)(ζ − γ) + γ, 0, 1). Parameters are the log α of every layer.

    Attributes:
        temperature: β; the paper takes 2/3.
        low: γ, below zero, so that gates close exactly.
        high: ζ, above one, so that gates open exactly.
        drop_rate: probability-like initial closedness per layer, log α₀ = log(1 − drop) − log(drop), last one
            repeated for deeper layers.
        per_input: one gate for all the weights that leave an input, as in the released DASH and PathReg code,
            instead of one per weight.
    """

    temperature: float = 2 / 3
    low: float = -0.1
    high: float = 1.1
    drop_rate: tuple[float, ...] = (0.2, 0.5)
    per_input: bool = False

    def init(self, key, field):
        """Draw log α ~ N(log(1−drop) − log(drop), 0.01²)."""
        layers = field.layers()
        rates = [self.drop_rate[min(number, len(self.drop_rate) - 1)] for number in range(len(layers))]
        return tuple(
            jnp.log(1 - rate) - jnp.log(rate) + 0.01 * jax.random.normal(k, self._shape(layer))
            for k, layer, rate in zip(jax.random.split(key, len(layers)), layers, rates, strict=True)
        )

    def sample(self, key, gate, field):
        """Multiply the weights by one draw of the gates."""
        keys = jax.random.split(key, len(gate))
        draws = [self.draw(k, log_alpha) for k, log_alpha in zip(keys, gate, strict=True)]
        return field.with_layers(tuple(z * w for z, w in zip(draws, field.layers(), strict=True)))

    def settle(self, gate, field):
        """Multiply the weights by the deterministic gates."""
        return field.with_layers(tuple(self.value(a) * w for a, w in zip(gate, field.layers(), strict=True)))

    def masks(self, gate, field):
        """Return where the deterministic gate is not closed."""
        return tuple(jnp.broadcast_to(self.value(a) > 0, w.shape) for a, w in zip(gate, field.layers(), strict=True))

    def draw(self, key: PRNGKeyArray, log_alpha: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """Draw gates."""
        u = jax.random.uniform(key, log_alpha.shape, minval=1e-6, maxval=1 - 1e-6)
        s = jax.nn.sigmoid((jnp.log(u) - jnp.log1p(-u) + log_alpha) / self.temperature)
        return jnp.clip(s * (self.high - self.low) + self.low, 0, 1)

    def value(self, log_alpha: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """Return the deterministic gates."""
        return jnp.clip(jax.nn.sigmoid(log_alpha) * (self.high - self.low) + self.low, 0, 1)

    def open_probability(self, gate: Layers, field: AbstractField) -> Layers:
        """Return P(z ≠ 0) = σ(log α − β log(−γ/ζ)) of every weight."""
        shift = self.temperature * jnp.log(-self.low / self.high)
        return tuple(
            jnp.broadcast_to(jax.nn.sigmoid(a - shift), w.shape) for a, w in zip(gate, field.layers(), strict=True)
        )

    def _shape(self, layer):
        return (layer.shape[0], 1, layer.shape[2]) if self.per_input else layer.shape


@jax.custom_jvp
def step_function(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return 1 where x > 0, else 0, with the long-tailed surrogate derivative of Liu et al. (2020).

    The derivative is 2 − 4|x| for |x| ≤ 0.4, then 0.4 up to |x| = 1, then 0 (eq. 4 there, after Xu & Cheung 2019).
    """
    return (x > 0).astype(x.dtype)


@step_function.defjvp
def _step_function_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    size = jnp.abs(x)
    slope = jnp.where(size <= 0.4, 2 - 4 * size, jnp.where(size <= 1, 0.4, 0.0))
    return step_function(x), slope * dx


@dataclass(frozen=True)
class Thresholds(AbstractGate):
    """A trainable threshold per neuron; weights below it do not act (Liu et al., ICLR 2020, "Dynamic sparse training").

    The weight acts as w · step(|w| − t), t per output unit of its layer, starting at zero. Gradients pass through
    the step by `step_function`'s surrogate, so weights come back when they grow.

    Attributes:
        least_alive: a layer with a smaller share of acting weights has its thresholds set back to zero, as in the
            authors' code.
    """

    least_alive: float = 0.01

    def init(self, key, field):
        """Return zeros, (branch, out, 1) per layer."""
        return tuple(jnp.zeros((*layer.shape[:2], 1)) for layer in field.layers())

    def sample(self, key, gate, field):
        """Return the thresholded field."""
        return field.with_layers(
            tuple(w * step_function(jnp.abs(w) - t) for w, t in zip(field.layers(), gate, strict=True))
        )

    def settle(self, gate, field):
        """Return the thresholded field."""
        return self.sample(None, gate, field)

    def masks(self, gate, field):
        """Return which weights exceed their threshold."""
        return tuple(jnp.abs(w) > t for w, t in zip(field.layers(), gate, strict=True))

    def tidy(self, gate, field):
        """Reset the thresholds of a branch that has all but died."""
        alive = [mask.mean(axis=(1, 2), keepdims=True) for mask in self.masks(gate, field)]
        return tuple(jnp.where(share < self.least_alive, 0.0, t) for share, t in zip(alive, gate, strict=True))
