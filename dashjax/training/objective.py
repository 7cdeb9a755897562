"""What a run minimises: the error one step ahead, or of whole trajectories from latent initial states."""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from dashjax.data import Production, RestSamples, Trajectories
from dashjax.dynamics import AbstractDynamics, AbstractField, repeated, under
from dashjax.dynamics.solve import Solve, integrate, solve_trajectories


class Transitions(eqx.Module):
    """Trajectories cut into steps from each observation to the next.

    Attributes:
        start: observed state at the beginning of each step.
        end: observed state at its end.
        duration: time between the two.
        valid: which values of `end` count in an error: none where a step is padding, which has duration zero, and
            those that were measured elsewhere; one for all genes of a step where no value is missing.
        production: what was done in each trajectory; None where nothing was.
    """

    start: Float[Array, "trajectory transition gene"]
    end: Float[Array, "trajectory transition gene"]
    duration: Float[Array, "trajectory transition"]
    valid: Bool[Array, "trajectory transition #gene"]
    production: Production | None = None

    def __getitem__(self, rows) -> Transitions:
        """Return the trajectories selected by `rows`."""
        return jax.tree.map(lambda leaf: leaf[rows], self)


def transitions(trajectories: Trajectories) -> Transitions:
    """Cut trajectories into one-step transitions."""
    return Transitions(
        start=trajectories.expression[:, :-1],
        end=trajectories.expression[:, 1:],
        duration=jnp.diff(trajectories.times, axis=1),
        valid=trajectories.observed[:, :-1, None] & trajectories.counted[:, 1:],
        production=trajectories.production,
    )


def add_observation_noise(key: PRNGKeyArray, trajectories: Trajectories, noise: Float[Array, ""]) -> Trajectories:
    """Add N(0, noise²) to every observation, so that a step's input and target are both noisy."""
    error = noise * jax.random.normal(key, trajectories.expression.shape)
    return replace(trajectories, expression=trajectories.expression + error)


def add_rest_noise(key: PRNGKeyArray, rest: RestSamples | None, noise: Float[Array, ""]) -> RestSamples | None:
    """Add N(0, noise²) to every sample at rest."""
    if rest is None:
        return None
    return replace(rest, levels=rest.levels + noise * jax.random.normal(key, rest.levels.shape))


def one_step_error(
    field: AbstractDynamics, steps: Transitions, method: Solve
) -> tuple[Float[Array, ""], Bool[Array, ""]]:
    """Return the mean squared one-step-ahead error, and whether every solve succeeded.

    The mean is over the valid values of all the transitions given.
    """
    genes = steps.start.shape[-1]
    acting = under(field, repeated(steps.production, steps.start.shape[1]))
    predicted, ok = integrate(acting, steps.start.reshape(-1, genes), steps.duration.ravel(), method)
    squared = (predicted - steps.end.reshape(-1, genes)) ** 2
    return _mean_where(steps.valid.reshape(-1, steps.valid.shape[-1]), squared), ok


def rest_error(field: AbstractDynamics, rest: RestSamples, settled: Float[Array, "sample gene"]) -> Float[Array, ""]:
    """Return by how much samples miss being at rest: the mean squared difference of regulation and level.

    A sample at rest is a step of infinite duration from a state to itself.

    Args:
        field: the vector field.
        rest: the samples.
        settled: their levels without noise, see `settle`: what regulators are taken to be.
    """
    driven = under(field, rest.production).regulation(settled)
    return _mean_where(rest.counted, (driven - rest.levels) ** 2)


def _mean_where(valid: Bool[Array, "*shape #gene"], values: Float[Array, "*shape gene"]) -> Float[Array, ""]:
    """Average the valid values; zero where there is none."""
    if valid.shape[-1] == 1:  # all genes of a row count, or none
        values = jnp.mean(values, axis=-1, keepdims=True)
    return jnp.sum(jnp.where(valid, values, 0.0)) / jnp.maximum(valid.sum(), 1)


class AbstractObjective(abc.ABC):
    """How a model is compared with trajectories. Hashable and stateless.

    An objective may have latent numbers of its own for every trajectory, trained with the field whenever the
    trajectory is.
    """

    @abc.abstractmethod
    def init(self, observed: Trajectories) -> Float[Array, "trajectory latent"]:
        """Return the initial latent numbers of every trajectory; none is a width of zero."""

    @abc.abstractmethod
    def error(
        self, field: AbstractField, latent: Float[Array, "trajectory latent"], observed: Trajectories, method: Solve
    ) -> Float[Array, ""]:
        """Return the mean squared error of some trajectories, given their latent numbers."""


@dataclass(frozen=True)
class OneStep(AbstractObjective):
    """From each observation to the next, as the paper: simple, and biased by the noise in its starting points.

    Examples:
        >>> from dashjax import FixedSteps, PhoenixSpec, make_trajectories
        >>> field = PhoenixSpec(2).init(jax.random.key(0), 1)
        >>> course = make_trajectories([[0, 1, 2]], [[[1.0], [0.5], [0.2]]])
        >>> OneStep().error(field, OneStep().init(course), course, FixedSteps()).shape
        ()
    """

    def init(self, observed):
        """Return no latent numbers."""
        return jnp.zeros((observed.n_trajectories, 0))

    def error(self, field, latent, observed, method):
        """Return `one_step_error` of the trajectories' transitions."""
        return one_step_error(field, transitions(observed), method)[0]


@dataclass(frozen=True)
class WholeTrajectory(AbstractObjective):
    """From a latent initial state through all times: noise is where it belongs, between state and observation.

    The initial states start at the first observations and are fitted with the field, so a gene that stays constant is
    known from all its observations at once.

    Examples:
        >>> from dashjax import make_trajectories
        >>> course = make_trajectories([[0, 1, 2]], [[[1.0], [0.5], [0.2]]])
        >>> WholeTrajectory().init(course).tolist()
        [[1.0]]
    """

    def init(self, observed):
        """Return the first observations."""
        return observed.expression[:, 0]

    def error(self, field, latent, observed, method):
        """Return the mean squared difference between the path from `latent` and the observations."""
        path = solve_trajectories(under(field, observed.production), latent, observed.times, method)
        return _mean_where(observed.counted, (path - observed.expression) ** 2)


#: Objectives by the name that grids call them. A new one is a class and an entry.
OBJECTIVES: dict[str, AbstractObjective] = {"one_step": OneStep(), "whole_trajectory": WholeTrajectory()}
