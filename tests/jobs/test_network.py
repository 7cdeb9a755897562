import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Direct, make_trajectories
from dashjax.jobs.network import path_and_step_error


@pytest.mark.parametrize("disturbed", [False, True])
def test_disturbed_dynamics_are_told_from_noisy_observations(disturbed):
    rng = np.random.default_rng(0)
    times = np.arange(8.0)
    noise = 0.1 * rng.normal(size=(30, 8, 4))
    # Under a field that moves nothing: noise around a constant, or a random walk.
    levels = 0.5 + (noise.cumsum(axis=1) if disturbed else noise)
    zero = jnp.zeros(4)
    still = Direct(jnp.zeros((2, 4, 4)), zero, zero, zero)
    path, step = path_and_step_error(still, make_trajectories([times] * 30, list(levels)))
    assert (path > step) == disturbed
    assert step == pytest.approx(0.0996 if disturbed else 0.141, rel=0.02)
