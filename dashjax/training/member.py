"""Members of an ensemble: runs of one data set, each from its own draws and on its own resample of the trajectories."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from dashjax.data import Split
from dashjax.training.config import Hyperparameters
from dashjax.training.fit import observe


def as_member(
    key: PRNGKeyArray, data: Split, hyper: Hyperparameters, number: Int[Array, ""]
) -> tuple[PRNGKeyArray, Split, Hyperparameters]:
    """Return the key, data and hyperparameters that make a run the member of an ensemble.

    All members see the observations that the ensemble's key draws. Member 0 trains on every trajectory, the others on
    as many drawn with replacement.

        key, data, hyper = as_member(key, data, hyper, 1)
        state = start(key, data, hyper, config)

    Args:
        key: of the ensemble.
        data: of the ensemble.
        hyper: of the ensemble.
        number: of the member, from 0.
    """
    observed, count = observe(key, data, hyper), data.train.n_trajectories
    own = jax.random.fold_in(key, number)
    drawn = jax.random.randint(jax.random.fold_in(own, 0), (count,), 0, max(count, 1))
    rows = jnp.where(number == 0, jnp.arange(count), drawn)
    # The observations have their noise already.
    quiet = eqx.tree_at(lambda h: h.noise, hyper, jnp.zeros_like(hyper.noise))
    return own, Split(observed.train[rows], observed.validation, observed.test, observed.rest), quiet
