import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Direct, make_trajectories
from dashjax.jobs.fit import describe_paths
from dashjax.training import find_method


@pytest.mark.parametrize("disturbed", [False, True])
def test_disturbed_dynamics_are_told_from_noisy_observations(disturbed):
    rng = np.random.default_rng(0)
    times = np.arange(8.0)
    noise = 0.1 * rng.normal(size=(30, 8, 4))
    # Under a field that moves nothing: noise around a constant, or a random walk.
    levels = 0.5 + (noise.cumsum(axis=1) if disturbed else noise)
    zero = jnp.zeros(4)
    still = Direct(jnp.zeros((2, 4, 4)), zero, zero, zero)
    said = describe_paths(find_method("direct+dash+ensemble"), still, make_trajectories([times] * 30, list(levels)))
    assert bool(said) == disturbed
    if disturbed:
        assert "single steps by 0.0996" in said[0]
        assert "--method direct+dash+ensemble+steps" in said[0]
