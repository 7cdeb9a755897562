"""A fitted field in the user's units."""

from __future__ import annotations

from jaxtyping import Array, Float

from dashjax.data import Units
from dashjax.dynamics.field import AbstractDynamics


class InUnits(AbstractDynamics):
    """The dynamics of a user's levels over a user's time, computed by a field that was trained in other units.

    Attributes:
        field: dynamics in training units.
        units: how the user's numbers become those.
    """

    field: AbstractDynamics
    units: Units

    def regulation(self, expression: Float[Array, "*batch gene"]) -> Float[Array, "*batch gene"]:
        """Return the level towards which each gene is driven."""
        return self.units.levels(self.field.regulation(self.units.scaled_levels(expression)))

    def decay(self) -> Float[Array, " gene"]:
        """Return each gene's rate of decay, per user's time."""
        return self.field.decay() / self.units.time
