"""When to prune, and how much."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


class Schedule(eqx.Module):
    """One large first cut, then small ones at regular epochs; all values may be traced and swept.

    Epochs count from 1 and pruning happens before an epoch's training, so with the simulated
    studies' values (70 % at epoch 3, then 10 % whenever the epoch is a multiple of 10) the sparsity
    after k small cuts is 1 − 0.3·0.9ᵏ.

    Attributes:
        first_epoch: epoch of the first cut.
        first_fraction: share of the weights it removes; zero leaves the model dense.
        every: period of the later cuts, in epochs.
        fraction: share of the still living weights that each later cut removes.
    """

    first_epoch: Int[Array, ""]
    first_fraction: Float[Array, ""]
    every: Int[Array, ""]
    fraction: Float[Array, ""]

    def due(self, epoch: Int[Array, ""]) -> Bool[Array, ""]:
        """Return whether weights are cut at the start of `epoch`."""
        later = (epoch > self.first_epoch) & (epoch % self.every == 0)
        return (epoch == self.first_epoch) | later

    def cut(self, epoch: Int[Array, ""]) -> Float[Array, ""]:
        """Return the share of living weights to cut at a due epoch."""
        return jnp.where(epoch == self.first_epoch, self.first_fraction, self.fraction)

    def planned_sparsity(self, epoch: Int[Array, ""]) -> Float[Array, ""]:
        """Return the sparsity that the schedule has reached after `epoch`."""
        later = jnp.maximum(epoch // self.every - self.first_epoch // self.every, 0)
        kept = jnp.where(epoch >= self.first_epoch, (1 - self.first_fraction) * (1 - self.fraction) ** later, 1.0)
        return 1 - kept


def make_schedule(first_epoch=3, first_fraction=0.7, every=10, fraction=0.1) -> Schedule:
    """Build a schedule; the defaults are those of the simulated and bone-marrow studies.

    Examples:
        >>> [round(float(make_schedule().planned_sparsity(jnp.array(epoch))), 3) for epoch in (2, 3, 10, 200)]
        [0.0, 0.7, 0.73, 0.964]
    """
    return Schedule(
        jnp.asarray(first_epoch, jnp.int32),
        jnp.asarray(first_fraction, jnp.float32),
        jnp.asarray(every, jnp.int32),
        jnp.asarray(fraction, jnp.float32),
    )


def simulated_schedule() -> Schedule:
    """70 % at epoch 3, then 10 % every 10 epochs (simulated systems, bone marrow).

    Examples:
        >>> plan = simulated_schedule()
        >>> int(plan.first_epoch), round(float(plan.first_fraction), 2), int(plan.every), round(float(plan.fraction), 2)
        (3, 0.7, 10, 0.1)
    """
    return make_schedule()


def genome_schedule() -> Schedule:
    """90 % at epoch 10, then 10 % every 20 epochs (yeast, breast cancer).

    Examples:
        >>> plan = genome_schedule()
        >>> int(plan.first_epoch), round(float(plan.first_fraction), 2), int(plan.every), round(float(plan.fraction), 2)
        (10, 0.9, 20, 0.1)
    """
    return make_schedule(10, 0.9, 20, 0.1)


def no_pruning() -> Schedule:
    """Cut nothing, ever, at the epochs where the simulated schedule would.

    Examples:
        >>> float(no_pruning().first_fraction)
        0.0
    """
    return make_schedule(first_fraction=0.0, fraction=0.0)
