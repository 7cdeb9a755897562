import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Direct, generate_system, make_prior, make_problem, make_trajectories, relocate_edges, score_network
from dashjax.evidence import path_and_step_error
from dashjax.inference import infer
from dashjax.scoring import edge_universe
from dashjax.simulate import simulate_disturbed


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
    assert step == pytest.approx(0.1 if disturbed else 0.1 * 2**0.5, rel=0.05)


@pytest.fixture(scope="module")
def disturbed():
    system = generate_system(12, seed=3)
    return system, simulate_disturbed(system, seed=3, trajectories=30)


def test_disturbed_trajectories_are_pushed_until_half_time_and_fluctuate(disturbed):
    system, observed = disturbed
    again = simulate_disturbed(system, seed=3, trajectories=30)
    np.testing.assert_array_equal(again.expression, observed.expression)
    calm = np.asarray(simulate_disturbed(system, seed=3, trajectories=30, fluctuation=0, noise=0).expression)
    assert np.ptp(calm[:, 0], axis=0).max() < 1e-3  # all start at the steady state
    moved = np.abs(calm - calm[:, :1]).max(axis=2)
    assert (moved[:, 10] > moved[:, 20]).all()  # and go back to it when released
    assert np.median(moved[:, 10]) > 0.2


@pytest.mark.slow
def test_an_ensemble_on_disturbed_dynamics_turns_to_single_steps(disturbed):
    system, observed = disturbed
    prior = relocate_edges(np.random.default_rng(0), np.asarray(system.truth), 0.4)
    network = infer(make_problem(observed, system.genes, make_prior(prior)), members=1, epochs=30)
    assert (network.how["method"], network.how["fitted"]) == ("posterior", "posterior_steps")
    assert network.how["path_error"] > network.how["step_error"]
    assert "the dynamics are disturbed" in network.findings[-1].text
    pairs = edge_universe(12)
    ours, alone = (
        float(score_network(jnp.asarray(found), jnp.asarray(system.truth), jnp.asarray(prior), pairs=pairs).aupr)
        for found in (network.matrix("probability"), prior)
    )
    assert ours > alone + 0.2
