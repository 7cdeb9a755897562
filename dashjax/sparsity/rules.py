"""Pruning rules: masks and scores carried through a run, updated where the schedule says so."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from dashjax.data import Prior
from dashjax.dynamics import AbstractField
from dashjax.numerics.sparse import dense_rows
from dashjax.sparsity.masks import Masks, count_alive, full_masks, prune_globally, prune_masks
from dashjax.sparsity.scores import dash_scores, synflow_scores

Variant = Literal["released", "paper"]


class PrunerState(eqx.Module):
    """What pruning remembers.

    Attributes:
        masks: which weights are alive.
        scores: what a rule carries from one pruning to the next; empty for rules that carry nothing.
    """

    masks: Masks
    scores: Any


class AbstractRule(abc.ABC):
    """Which weights go when some have to. Hashable and stateless."""

    def init(self, key: PRNGKeyArray, field: AbstractField) -> PrunerState:
        """Start with every weight alive; rules that carry scores override this."""
        return PrunerState(full_masks(field), ())

    @abc.abstractmethod
    def prune(
        self,
        state: PrunerState,
        field: AbstractField,
        prior: Prior,
        trust: Float[Array, " layer"],
        fraction: Float[Array, ""],
    ) -> PrunerState:
        """Cut `fraction` of the living weights.

        Args:
            state: masks and scores so far.
            field: the field as trained, pruned weights zero.
            prior: prior edges and input-input knowledge.
            trust: λ per layer.
            fraction: share of living weights to cut.
        """


@dataclass(frozen=True)
class Dash(AbstractRule):
    """DASH: per layer and branch, the lowest blend of magnitude and prior goes (see `dash_scores`).

    Attributes:
        variant: "released" starts from uniform scores and divides C by its sum, as the released code does, so
            that even a small λ₁ leaves the prior in charge of ties only; "paper" starts from Gaussian scores
            and takes C as it is.
    """

    variant: Variant = "released"

    def init(self, key, field):
        """Draw the scores that the first pruning takes as the previous ones."""
        draw = jax.random.uniform if self.variant == "released" else jax.random.normal
        layers = field.layers()
        keys = jax.random.split(key, len(layers))
        scores = tuple(draw(k, layer.shape) for k, layer in zip(keys, layers, strict=True))
        return PrunerState(full_masks(field), scores)

    def prune(self, state, field, prior, trust, fraction):
        """Score every weight and cut the lowest of those alive, per layer and branch."""
        similarity = prior.similarity
        if self.variant == "released":
            total = similarity.sum()
            similarity = similarity / jnp.where(total > 0, total, 1.0)
        # Hidden units may listen to any gene; a layer that is the network itself has weights of its inputs only.
        edges = prior.edges if field.inputs is None else dense_rows(prior.edges, field.inputs)
        scores = dash_scores(state.scores, field.magnitudes(), edges, similarity, trust)
        return PrunerState(prune_masks(state.masks, scores, fraction), scores)


@dataclass(frozen=True)
class GlobalMagnitude(AbstractRule):
    """The smallest |w| go, wherever in the flow they stand (Liebenwein et al. 2021, "Sparse flows", Algorithm 1)."""

    def prune(self, state, field, prior, trust, fraction):
        """Cut the smallest weights of all layers together."""
        magnitudes = tuple(jnp.abs(layer) for layer in field.layers())
        count = jnp.round(fraction * count_alive(state.masks)).astype(jnp.int32)
        return PrunerState(prune_globally(state.masks, magnitudes, count), state.scores)


@dataclass(frozen=True)
class SynFlow(AbstractRule):
    """Iterative synaptic-flow pruning, without data (Tanaka et al. 2020, Algorithm 1).

    Scores are recomputed `rounds` times while the kept share falls exponentially to its goal, which keeps every
    layer alive.

    Attributes:
        rounds: how often to score and cut; the paper takes 100.
    """

    rounds: int = 100

    def prune(self, state, field, prior, trust, fraction):
        """Cut the weights of least synaptic flow, all layers together, in many small cuts."""
        alive = count_alive(state.masks)

        def cut(masks, number):
            kept = jnp.round(alive * (1 - fraction) ** (number / self.rounds)).astype(jnp.int32)
            scores = synflow_scores(tuple(jnp.where(m, w, 0) for m, w in zip(masks, weights, strict=True)))
            return prune_globally(masks, scores, jnp.maximum(count_alive(masks) - kept, 0)), None

        weights = field.effective_layers()
        masks, _ = jax.lax.scan(cut, state.masks, jnp.arange(1, self.rounds + 1))
        return PrunerState(masks, state.scores)
