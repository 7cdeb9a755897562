"""Penalties: what a method adds to the data's error, each with a strength that may be swept."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from dashjax.data import Prior
from dashjax.dynamics import AbstractField
from dashjax.numerics.sparse import dense_rows
from dashjax.sparsity.gates import HardConcrete
from dashjax.sparsity.masks import Field
from dashjax.sparsity.scores import path_sum

Strengths = Float[Array, " strength"]


class AbstractPenalty(abc.ABC):
    """A non-negative addition to the loss. Hashable and stateless."""

    @abc.abstractmethod
    def __call__(
        self, key: PRNGKeyArray, field: AbstractField, gate: Any, prior: Prior, strengths: Strengths
    ) -> Float[Array, ""] | float:
        """Return the penalty.

        Args:
            key: for penalties that draw.
            field: the field before its gate, pruned weights zero.
            gate: the gate's parameters.
            prior: prior edges.
            strengths: the swept strengths, two numbers of which a penalty may ignore the second.
        """

    def shrink(self, field: Field, prior: Prior, strengths: Strengths, step: Float[Array, ""]) -> Field:
        """Return the field after the penalty's proximal step of so much length; unchanged by default."""
        return field


@dataclass(frozen=True)
class NoPenalty(AbstractPenalty):
    """Nothing."""

    def __call__(self, key, field, gate, prior, strengths):
        """Return zero."""
        return 0.0


@dataclass(frozen=True)
class PathPenalty(AbstractPenalty):
    """λ₁ times the L1 norm of the end-to-end path matrix (Aliee et al. 2021, "Beyond predictions in neural ODEs").

    Attributes:
        mean: average over gene pairs, as the released DASH code does, instead of the paper's sum.
    """

    mean: bool = False

    def __call__(self, key, field, gate, prior, strengths):
        """Return λ₁ Σ |W_L|…|W_1|, summed over branches and gene pairs."""
        magnitudes = tuple(jnp.abs(layer) for layer in field.layers())
        pairs = magnitudes[0].shape[-1] * magnitudes[-1].shape[-2]
        return strengths[0] * path_sum(magnitudes) / (pairs if self.mean else 1)


@dataclass(frozen=True)
class PriorWeightedL1(AbstractPenalty):
    """L1 on every weight of a one-layer field, less on prior edges, as a proximal step (exact zeros).

    After each of Adam's steps of rate h a weight w becomes sign(w) · max(|w| − h λ c, 0), c being 1 off the prior and
    `on_prior` on it. Adam's steps are of the order of h, so λ is without unit: a weight stays where its gradient
    keeps its sign in more than about a share λ c of the steps. (Proximal steps for adaptive methods: Yun et al. 2021.)

    Attributes:
        on_prior: share of the penalty that a prior edge of weight ±1 pays.
    """

    on_prior: float = 0.01

    def __call__(self, key, field, gate, prior, strengths):
        """Return zero: all is done by `shrink`."""
        return 0.0

    def shrink(self, field, prior, strengths, step):
        """Soft-threshold the weights."""
        (layer,) = field.layers()
        confidence = jnp.clip(jnp.abs(dense_rows(prior.edges, field.inputs).T), 0, 1)
        width = step * strengths[0] * (1 - confidence * (1 - self.on_prior))
        return field.with_layers((jnp.sign(layer) * jnp.maximum(jnp.abs(layer) - width, 0),))


@dataclass(frozen=True)
class GatePenalty(AbstractPenalty):
    """λ₀ times the expected number of open gates (Louizos et al. 2018, eq. 12).

    Attributes:
        gate: the hard-concrete gates.
    """

    gate: HardConcrete

    def __call__(self, key, field, gate, prior, strengths):
        """Return λ₀ Σ P(z ≠ 0)."""
        return strengths[0] * sum(open_.sum() for open_ in self.gate.open_probability(gate, field))


@dataclass(frozen=True)
class GatedPathPenalty(AbstractPenalty):
    """λ₀ times the expected number of open gates plus λ_path times the expected number of open paths.

    Aliee et al. 2022, "Sparsity in continuous-depth neural networks" (PathReg): gates are independent, so a path
    from gene to gene is open with the product of its gates' probabilities.

    Attributes:
        gate: the hard-concrete gates.
    """

    gate: HardConcrete

    def __call__(self, key, field, gate, prior, strengths):
        """Return λ₀ Σ P(z ≠ 0) + λ_path Σ_paths Π P(z ≠ 0)."""
        open_ = self.gate.open_probability(gate, field)
        return strengths[0] * sum(layer.sum() for layer in open_) + strengths[1] * path_sum(open_)


@dataclass(frozen=True)
class ReleasedPathPenalty(AbstractPenalty):
    """What the released DASH code minimises under the name PathReg: means instead of sums, and no L0 term.

    λ₁ · mean path matrix of |weights| + λ_path · mean path matrix of one draw of the gates.

    Attributes:
        gate: the hard-concrete gates.
    """

    gate: HardConcrete

    def __call__(self, key, field, gate, prior, strengths):
        """Return the two means."""
        layers = field.layers()
        pairs = layers[0].shape[-1] * layers[-1].shape[-2]
        keys = jax.random.split(key, len(gate))
        drawn = tuple(
            jnp.broadcast_to(self.gate.draw(k, a), w.shape) for k, a, w in zip(keys, gate, layers, strict=True)
        )
        weights = tuple(jnp.abs(layer) for layer in layers)
        return (strengths[0] * path_sum(weights) + strengths[1] * path_sum(drawn)) / pairs


@dataclass(frozen=True)
class ThresholdPenalty(AbstractPenalty):
    """α Σ exp(−t) over a `Thresholds` gate, which makes thresholds grow (Liu et al. 2020, eq. 6)."""

    def __call__(self, key, field, gate, prior, strengths):
        """Return α Σ exp(−t)."""
        return strengths[0] * sum(jnp.exp(-thresholds).sum() for thresholds in gate)


@dataclass(frozen=True)
class PriorLoss(AbstractPenalty):
    """(1−τ) · mean‖r(γ) − γA‖², the prior as a physics-informed term; use it with the error weighted by τ.

    r is the field's regulation (the level genes are driven to), A the prior edges and γ ~ U(−½, ½). Hossain et al.
    2024 (PHOENIX) reuse 10,000 draws in every step; fresh draws at every step have the same expectation.

    Attributes:
        draws: draws per training step.
    """

    draws: int = 64

    def __call__(self, key, field, gate, prior, strengths):
        """Return the strength times the mean squared difference over draws and genes."""
        genes = prior.edges.shape[0]
        draws = jax.random.uniform(key, (self.draws, genes), minval=-0.5, maxval=0.5)
        return strengths[0] * jnp.mean((field.regulation(draws) - draws @ prior.edges) ** 2)
