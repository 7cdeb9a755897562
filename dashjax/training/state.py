"""What a run carries from epoch to epoch, and what it returns."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from dashjax.dynamics import AbstractField
from dashjax.sparsity import Masks, PrunerState

#: What `FitResult.status` counts: ran all epochs, stopped without improvement, or stopped being finite.
STATUSES = ("finished", "stopped_early", "diverged")


class Snapshot(eqx.Module):
    """A model taken at some epoch.

    Attributes:
        field: the vector field, pruned weights exactly zero.
        masks: its living weights.
        validation_error: its one-step error on the validation trajectories; infinite for none yet.
        epoch: after which epoch it was taken; 0 for none yet.
        eligible: whether it had reached the target sparsity; otherwise it only stands in.
    """

    field: AbstractField
    masks: Masks
    validation_error: Float[Array, ""]
    epoch: Int[Array, ""]
    eligible: Bool[Array, ""]


class Latent(eqx.Module):
    """The objective's own numbers per trajectory, and Adam's state for them, row by row.

    Attributes:
        value: the numbers.
        mean: Adam's first moments.
        square: Adam's second moments.
    """

    value: Float[Array, "trajectory latent"]
    mean: Float[Array, "trajectory latent"]
    square: Float[Array, "trajectory latent"]


class RunState(eqx.Module):
    """A run between two epochs.

    Attributes:
        field: the vector field being trained, before its gate.
        gate: the gate's parameters, trained with it.
        latent: the objective's numbers per training trajectory.
        pruner: masks and scores.
        moments: Adam's state for field and gate.
        learning_rate: the current rate.
        plateau_best: lowest validation error since the learning rate was last reset.
        plateau_wait: epochs since that improved.
        best: lowest validation error among the epochs at the target sparsity.
        wait: epochs since that improved; early stopping does not count before the target is reached.
        chosen: the model selected so far.
        running: False once the run has stopped; it is frozen from then on.
        status: index into `STATUSES`.
        last_epoch: the last epoch trained.
    """

    field: AbstractField
    gate: Any
    latent: Latent
    pruner: PrunerState
    moments: Any
    learning_rate: Float[Array, ""]
    plateau_best: Float[Array, ""]
    plateau_wait: Int[Array, ""]
    best: Float[Array, ""]
    wait: Int[Array, ""]
    chosen: Snapshot
    running: Bool[Array, ""]
    status: Int[Array, ""]
    last_epoch: Int[Array, ""]


class Curves(eqx.Module):
    """What was seen after each epoch; NaN once a run has stopped.

    Attributes:
        train_error: mean one-step error over the epoch's steps, each before its update.
        validation_error: one-step error on the validation trajectories.
        learning_rate: the rate the epoch ended with.
        pruned: share of prunable weights that no longer act.
    """

    train_error: Float[Array, " epoch"]
    validation_error: Float[Array, " epoch"]
    learning_rate: Float[Array, " epoch"]
    pruned: Float[Array, " epoch"]

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the curves by name, as stores and figures take them."""
        return {part.name: np.asarray(getattr(self, part.name)) for part in fields(self)}


class FitResult(eqx.Module):
    """What a run returns.

    Attributes:
        field: the selected vector field, pruned weights exactly zero.
        masks: its living weights.
        epoch: the epoch it was taken after.
        validation_error: its one-step error on the (noisy) validation trajectories.
        test_error: its one-step error on the test trajectories, which are taken as given.
        curves: errors, learning rate and pruning by epoch.
        status: index into `STATUSES`.
        last_epoch: the last epoch trained; the one that diverged, where one did.
    """

    field: AbstractField
    masks: Masks
    epoch: Int[Array, ""]
    validation_error: Float[Array, ""]
    test_error: Float[Array, ""]
    curves: Curves
    status: Int[Array, ""]
    last_epoch: Int[Array, ""]
