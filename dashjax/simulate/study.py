"""A whole synthetic study: trajectories of a system, split as the published ones are."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from dashjax.data import Split, Trajectories
from dashjax.simulate.system import System, draw_initial_states, simulate_expression

#: Observation times of the published simulated studies.
PUBLISHED_TIMES = (0.0, 2.0, 3.0, 7.0, 9.0)


def simulate_study(
    system: System,
    seed: int,
    train: int = 140,
    validation: int = 10,
    test: int = 10,
    times: Sequence[float] = PUBLISHED_TIMES,
) -> Split:
    """Simulate noise-free trajectories and split them; `fit` adds the observation noise.

    Examples:
        >>> from dashjax import generate_system
        >>> system = generate_system(8, seed=0)
        >>> data = simulate_study(system, seed=0, train=4, validation=1, test=1, times=(0.0, 1.0, 3.0))
        >>> data.train.expression.shape  # trajectory, time, gene
        (4, 3, 8)

    Args:
        system: the ground truth.
        seed: seeds the initial states.
        train: trajectories to train on.
        validation: trajectories to validate on.
        test: trajectories to test on.
        times: observation times of all of them.
    """
    rng = np.random.default_rng([seed, 1])
    initial = draw_initial_states(rng, system, train + validation + test)
    expression = simulate_expression(system, initial, times)
    grid = np.broadcast_to(np.asarray(times, np.float32), expression.shape[:2])
    everything = Trajectories(
        times=jnp.asarray(grid),
        expression=jnp.asarray(expression, jnp.float32),
        observed=jnp.ones(grid.shape, bool),
    )
    return Split(
        everything[:train],
        everything[train : train + validation],
        everything[train + validation :],
    )
