"""Pruning by what flows: synaptic flow before training, and the flow's weights during it."""

import jax.numpy as jnp

from dashjax.methods.method import Method
from dashjax.sparsity import GlobalMagnitude, SynFlow, make_schedule, simulated_schedule

#: Prune–retrain cycles of SparseFlow.
CYCLES = 10


def _planned_sparsity(epochs: int):
    """Return what dash's schedule reaches, so that methods without a sparsity of their own are compared at equal."""
    return simulated_schedule().planned_sparsity(jnp.asarray(epochs - 1))


def _prune_before_training(epochs: int, strength: float):
    return make_schedule(first_epoch=1, first_fraction=_planned_sparsity(epochs), every=epochs + 1, fraction=0.0)


def _prune_and_retrain(epochs: int, strength: float):
    period = max(1, epochs // CYCLES)
    cuts = max(1, (epochs - 1) // period)
    share = 1 - (1 - _planned_sparsity(epochs)) ** (1 / cuts)
    return make_schedule(first_epoch=period, first_fraction=share, every=period, fraction=share)


synflow = Method(
    "synflow",
    "synaptic flow, pruned before training in 100 rounds without data (Tanaka 2020)",
    schedule=_prune_before_training,
    rule=SynFlow(),
)
sparseflow = Method(
    "sparseflow",
    "prune–retrain cycles by the magnitude of the flow's weights, all layers together (Liebenwein 2021)",
    schedule=_prune_and_retrain,
    rule=GlobalMagnitude(),
)
