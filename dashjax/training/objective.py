"""What a run minimises: the error one step ahead."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from dashjax.data import Trajectories
from dashjax.dynamics import AbstractField
from dashjax.dynamics.solve import Solve, integrate


class Transitions(eqx.Module):
    """Trajectories cut into steps from each observation to the next.

    Attributes:
        start: observed state at the beginning of each step.
        end: observed state at its end.
        duration: time between the two.
        valid: False for padding, which has duration zero.
    """

    start: Float[Array, "trajectory transition gene"]
    end: Float[Array, "trajectory transition gene"]
    duration: Float[Array, "trajectory transition"]
    valid: Bool[Array, "trajectory transition"]

    def __getitem__(self, rows) -> Transitions:
        """Return the trajectories selected by `rows`."""
        return jax.tree.map(lambda leaf: leaf[rows], self)


def transitions(trajectories: Trajectories) -> Transitions:
    """Cut trajectories into one-step transitions."""
    return Transitions(
        start=trajectories.expression[:, :-1],
        end=trajectories.expression[:, 1:],
        duration=jnp.diff(trajectories.times, axis=1),
        valid=trajectories.observed[:, :-1] & trajectories.observed[:, 1:],
    )


def add_observation_noise(key: PRNGKeyArray, trajectories: Trajectories, noise: Float[Array, ""]) -> Trajectories:
    """Add N(0, noise²) to every observation, so that a step's input and target are both noisy."""
    error = noise * jax.random.normal(key, trajectories.expression.shape)
    return Trajectories(trajectories.times, trajectories.expression + error, trajectories.observed)


def one_step_error(field: AbstractField, steps: Transitions, method: Solve) -> tuple[Float[Array, ""], Bool[Array, ""]]:
    """Return the mean squared one-step-ahead error, and whether every solve succeeded.

    The mean is over genes and over the valid transitions of all the trajectories given.
    """
    genes = steps.start.shape[-1]
    predicted, ok = integrate(field, steps.start.reshape(-1, genes), steps.duration.ravel(), method)
    squared = jnp.mean((predicted - steps.end.reshape(-1, genes)) ** 2, axis=-1)
    valid = steps.valid.ravel()
    error = jnp.sum(jnp.where(valid, squared, 0.0)) / jnp.maximum(valid.sum(), 1)
    return error, ok
