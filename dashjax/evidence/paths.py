"""Where each trajectory went between its observations, according to a fitted field."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float

from dashjax.data import Trajectories
from dashjax.dynamics import AbstractDynamics, AbstractField, under
from dashjax.dynamics.solve import FixedSteps, Solve, integrate
from dashjax.training import WholeTrajectory, one_step_error, transitions

#: Steps from one observation to the next at which a path is kept.
STEPS = 8


class Paths(eqx.Module):
    """Trajectories as a field carries them from its estimate of their initial states.

    Attributes:
        states: expression at every step of every interval between observations; the first state of an interval is
            the last of the one before.
        step: length of the steps of each interval, zero where it is padding.
        observed: whether the interval's end was observed.
    """

    states: Float[Array, "trajectory interval point gene"]
    step: Float[Array, "trajectory interval"]
    observed: Bool[Array, "trajectory interval"]


def initial_states(
    field: AbstractField, observed: Trajectories, method: Solve, steps: int = 60
) -> Float[Array, "trajectory gene"]:
    """Estimate where each trajectory began: the start from which the field comes closest to all its observations.

    Adam from the first observations, its rate a tenth of each gene's standard deviation and falling to zero.
    """
    objective = WholeTrajectory()
    scale = observed.deviation
    adam = optax.adam(optax.cosine_decay_schedule(0.1, steps))

    def loss(offset):
        return objective.error(field, start + scale * offset, observed, method)

    def step(carry, _):
        offset, moments = carry
        update, moments = adam.update(jax.grad(loss)(offset), moments)
        return (offset + update, moments), None

    start = objective.init(observed)
    offset = jnp.zeros_like(start)
    (offset, _), _ = jax.lax.scan(step, (offset, adam.init(offset)), length=steps)
    return start + scale * offset


def follow(field: AbstractDynamics, initial: Float[Array, "trajectory gene"], observed: Trajectories) -> Paths:
    """Carry initial states through the observation times, under what was done in each trajectory."""
    acting = under(field, observed.production)
    step = jnp.diff(observed.times, axis=1) / STEPS

    def interval(state, step):
        def advance(state, _):
            reached, _ = integrate(acting, state, step, FixedSteps(1))
            return reached, reached

        end, passed = jax.lax.scan(advance, state, length=STEPS)
        return end, jnp.concatenate([state[None], passed])

    _, states = jax.lax.scan(interval, initial, step.T)
    valid = observed.observed[:, 1:] & observed.observed[:, :-1]
    return Paths(jnp.moveaxis(states, 2, 0), jnp.where(valid, step, 0.0), valid)


def path_and_step_error(
    field: AbstractField, observed: Trajectories, solve: Solve | None = None
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Return by how much whole paths and single steps miss the observations, as root mean squares.

    Were there nothing but observation noise, a step from a noisy observation would miss by more than a path that all
    observations have a say in. Where paths miss by more, the dynamics are disturbed, not only the observations. Without
    any trajectory both are zero.
    """
    if not observed.n_trajectories:
        return jnp.zeros(()), jnp.zeros(())
    solve = FixedSteps() if solve is None else solve
    path = WholeTrajectory().error(field, initial_states(field, observed, solve), observed, solve)
    step, _ = one_step_error(field, transitions(observed), solve)
    return jnp.sqrt(path), jnp.sqrt(step)
