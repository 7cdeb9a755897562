"""Dynamics under interventions."""

from __future__ import annotations

import jax
from jaxtyping import Array, Float

from dashjax.data import Production
from dashjax.dynamics.field import AbstractDynamics


class Intervened(AbstractDynamics):
    """The dynamics that experiments leave of a field: regulation' = factor · regulation + level.

    Attributes:
        field: dynamics of undisturbed genes.
        production: what is done, one row per state of the batch that is solved.
    """

    field: AbstractDynamics
    acting: Production

    def regulation(self, expression: Float[Array, "*batch gene"]) -> Float[Array, "*batch gene"]:
        """Return the level towards which each gene is driven."""
        return self.acting.factor * self.field.regulation(expression) + self.acting.level

    def decay(self) -> Float[Array, " gene"]:
        """Return each gene's rate of decay, which interventions leave."""
        return self.field.decay()


def under(field: AbstractDynamics, production: Production | None) -> AbstractDynamics:
    """Return a field as interventions leave it; itself where there are none."""
    return field if production is None else Intervened(field, production)


def repeated(production: Production | None, times: int) -> Production | None:
    """Return what is done, each experiment several times in a row."""
    return jax.tree.map(lambda leaf: leaf.repeat(times, axis=0), production)
