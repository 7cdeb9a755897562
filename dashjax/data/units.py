"""Units: what a user's numbers become before a model is trained on them, and how results go back.

Initial weights, learning rates and the responses φ of the fields suit levels around one half and time courses of about
nine units of time. A network must not depend on whether expression is in counts, logarithms or z-scores, nor times in
hours or seconds; so data are trained on in units of their own, and results are reported in the user's.
"""

from __future__ import annotations

from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dashjax.data.interventions import Production, RestSamples
from dashjax.data.trajectories import Trajectories

#: What a trajectory of the published studies lasts, in its unit of time: the median one lasts as long in training.
SPAN = 9.0
#: Standard deviations of a gene that become one unit of expression. Chosen on simulated systems (100 genes, noise sd
#: .025: AUPR .910 without a prior, .906 where minimum and maximum become 0 and 1, .897 with four, .890 unscaled).
WIDTH = 6.0


class Units(eqx.Module):
    """Training units: t' = t / time, and for every gene g' = (g − offset) / scale.

    Attributes:
        time: one unit of training time, in the user's.
        offset: level of each gene that counts as zero.
        scale: one unit of each gene's level.
    """

    time: Float[Array, ""]
    offset: Float[Array, " gene"]
    scale: Float[Array, " gene"]

    def scaled(self, observed: Trajectories) -> Trajectories:
        """Return a user's trajectories in training units."""
        return replace(
            observed,
            times=observed.times / self.time,
            expression=self.scaled_levels(observed.expression),
            production=self.scaled_production(observed.production),
        )

    def given(self, scaled: Trajectories) -> Trajectories:
        """Return trajectories in training units in the user's."""
        return replace(
            scaled,
            times=scaled.times * self.time,
            expression=self.levels(scaled.expression),
            production=self.given_production(scaled.production),
        )

    def scaled_rest(self, rest: RestSamples) -> RestSamples:
        """Return a user's samples at rest in training units."""
        production = self.scaled_production(rest.production)
        return replace(rest, levels=self.scaled_levels(rest.levels), production=production)

    def given_rest(self, scaled: RestSamples) -> RestSamples:
        """Return samples at rest in training units in the user's."""
        return replace(scaled, levels=self.levels(scaled.levels), production=self.given_production(scaled.production))

    def scaled_production(self, production: Production | None) -> Production | None:
        """Return what is done to a user's levels as what is done to those in training units."""
        return self._production(production, -self.offset, self.scale)

    def given_production(self, scaled: Production | None) -> Production | None:
        """Return what is done to levels in training units as what is done to the user's."""
        return self._production(scaled, self.offset / self.scale, 1 / self.scale)

    @staticmethod
    def _production(production: Production | None, shift, scale) -> Production | None:
        """Return f R + l of levels R as f R' + l' of levels R' = (R + shift) / scale."""
        if production is None:
            return None
        return Production(production.factor, (production.level + (1 - production.factor) * shift) / scale)

    def scaled_levels(self, expression: Float[Array, "*batch gene"]) -> Float[Array, "*batch gene"]:
        """Return a user's levels in training units."""
        return (expression - self.offset) / self.scale

    def levels(self, scaled: Float[Array, "*batch gene"]) -> Float[Array, "*batch gene"]:
        """Return levels in the user's units."""
        return self.offset + self.scale * scaled

    def effects(self, scaled: Float[Array, "regulator target"]) -> Float[Array, "regulator target"]:
        """Return effects in the user's units: the target's rate of change per unit of the regulator's level."""
        return scaled * self.scale / self.scale[:, None] / self.time


def as_given(genes: int) -> Units:
    """Return units that change nothing: for simulated systems, whose levels lie in [0, 1]."""
    return Units(jnp.ones(()), jnp.zeros(genes), jnp.ones(genes))


def time_only(observed: Trajectories) -> Units:
    """Return units that scale time alone: for published studies, which train on levels as they are."""
    given = as_given(observed.n_genes)
    return eqx.tree_at(lambda u: u.time, given, jnp.asarray(time_unit(observed), jnp.float32))


def units_of(observed: Trajectories, rest: RestSamples | None = None) -> Units:
    """Return the units that suit some data: each gene's mean at one half, `WIDTH` standard deviations wide.

    Samples at rest count like observations. Changing the unit or the offset of any gene's expression, or the unit of
    time, changes these units and nothing else.
    """
    genes = observed.n_genes
    counted = np.broadcast_to(np.asarray(observed.counted), observed.expression.shape).reshape(-1, genes)
    expression = np.asarray(observed.expression, np.float64).reshape(-1, genes)
    if rest is not None:
        expression = np.concatenate([expression, np.asarray(rest.levels)])
        counted = np.concatenate([counted, np.asarray(rest.counted)])
    count = np.maximum(counted.sum(axis=0), 1)
    mean = np.where(counted, expression, 0.0).sum(axis=0) / count
    variance = np.where(counted, (expression - mean) ** 2, 0.0).sum(axis=0) / count
    scale = WIDTH * np.sqrt(variance)
    # A gene that never changes keeps its unit, whatever that is: it says nothing.
    scale = np.where(scale > 1e-6 * np.abs(mean), scale, np.maximum(np.abs(mean), 1.0))
    return Units(
        jnp.asarray(time_unit(observed), jnp.float32),
        jnp.asarray(mean - 0.5 * scale, jnp.float32),
        jnp.asarray(scale, jnp.float32),
    )


def time_unit(observed: Trajectories) -> float:
    """Return the unit of training time, in the user's: the median trajectory lasts `SPAN` of it; 1 without any."""
    if not observed.n_trajectories:
        return 1.0
    seen, times = np.asarray(observed.observed), np.asarray(observed.times)
    lasts = [row[there][-1] - row[there][0] for row, there in zip(times, seen, strict=True)]
    return float(np.median(lasts)) / SPAN
