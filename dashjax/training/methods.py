"""Methods by name: each a choice of schedule and of trust in the prior.

The four methods here differ in numbers only, so one compiled program serves them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp

from dashjax.errors import InputError, suggest
from dashjax.sparsity import Schedule, no_pruning, simulated_schedule


@dataclass(frozen=True)
class Method:
    """A named way to reach a sparse network.

    Attributes:
        name: what grids and tables call it.
        summary: one line for a table of methods.
        trust: λ of both layers where the method fixes it, or None where the user chooses.
        schedule: makes the pruning schedule.
        complete: whether its model is selected among the epochs after the schedule's last cut; otherwise
            among all epochs.
    """

    name: str
    summary: str
    trust: tuple[float, float] | None
    schedule: Callable[[], Schedule]
    complete: bool = True

    def target_sparsity(self, epochs: int) -> float:
        """Return the pruned share at which a model may be selected in a run of so many epochs."""
        if not self.complete:
            return 0.0
        # A cut in the last epoch's place is never made: nothing would be trained after it.
        return float(self.schedule().planned_sparsity(jnp.asarray(epochs - 1)))


#: λ of DASH on the simulated studies, for a method that leaves the choice open.
DEFAULT_TRUST = (0.05, 0.01)

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("dense", "PHOENIX without pruning", (0.0, 0.0), no_pruning, complete=False),
        Method("imp", "iterative magnitude pruning", (0.0, 0.0), simulated_schedule),
        # The prior alone soon cuts what the data need: its best validation error comes at about 83 %
        # sparsity, which is also what the paper reports.
        Method("bioprune", "pruning by the prior alone", (1.0, 1.0), simulated_schedule, complete=False),
        Method("dash", "pruning by magnitude and prior", None, simulated_schedule),
    )
}


def find_method(name: str) -> Method:
    """Return a method by name.

    Raises:
        InputError: on an unknown name; the message lists the known ones.
    """
    if name not in METHODS:
        raise InputError(f"unknown method '{name}'{suggest(name, list(METHODS))}; valid: {', '.join(METHODS)}")
    return METHODS[name]
