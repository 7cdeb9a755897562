"""Several runs of one data set, each from its own draws and on its own resample of the trajectories."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from dashjax.data import Prior, Split
from dashjax.training.config import FitConfig, Hyperparameters
from dashjax.training.fit import advance, finish, observe, start
from dashjax.training.state import Curves, FitResult, RunState


def start_members(key: PRNGKeyArray, data: Split, hyper: Hyperparameters, config: FitConfig, members: int) -> RunState:
    """Return all members before their first epoch, along a leading axis."""
    return _each(
        lambda key, data, hyper, _: start(key, data, hyper, config),
        key,
        data,
        hyper,
        jnp.arange(members),
    )


def advance_members(
    key: PRNGKeyArray,
    data: Split,
    prior: Prior,
    hyper: Hyperparameters,
    config: FitConfig,
    states: RunState,
    epochs: Int[Array, " epoch"],
) -> tuple[RunState, Curves]:
    """Train all members for the given epochs; see `advance`."""
    return _each(
        lambda key, data, hyper, state: advance(key, data, prior, hyper, config, state, epochs),
        key,
        data,
        hyper,
        states,
    )


def finish_members(states: RunState, curves: Curves, data: Split, config: FitConfig) -> FitResult:
    """Return the members' results along a leading axis."""
    return jax.lax.map(lambda pair: finish(pair[0], pair[1], data, config), (states, curves))


def _each(function: Callable, key: PRNGKeyArray, data: Split, hyper: Hyperparameters, members):
    """Call a function for one member after the other, with the member's key, data and hyperparameters.

    All see the observations that the ensemble's key draws. Member 0 trains on every trajectory, the others on as many
    drawn with replacement. One after the other, because batched products of small matrices gain nothing on a CPU;
    under `vmap` each step is a batch over ensembles.
    """
    observed = observe(key, data, hyper)
    # The observations have their noise already.
    hyper = eqx.tree_at(lambda h: h.noise, hyper, jnp.zeros_like(hyper.noise))
    count = data.train.n_trajectories
    numbers = jnp.arange(jax.tree.leaves(members)[0].shape[0])

    def call(number_and_member):
        number, member = number_and_member
        own = jax.random.fold_in(key, number)
        drawn = jax.random.randint(jax.random.fold_in(own, 0), (count,), 0, count)
        rows = jnp.where(number == 0, jnp.arange(count), drawn)
        mine = Split(observed.train[rows], observed.validation, observed.test)
        return function(own, mine, hyper, member)

    return jax.lax.map(call, (numbers, members))
