import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import (
    Adaptive,
    FitConfig,
    FixedSteps,
    Phoenix,
    fit,
    generate_system,
    make_hyperparameters,
    make_prior,
    simulate_study,
)
from dashjax.dynamics import ExponentialMidpoint, integrate, semilinear_terms, solve_trajectories
from dashjax.simulate.system import double_precision
from dashjax.sparsity import no_pruning
from dashjax.training import transitions


@pytest.fixture(scope="module")
def field():
    return Phoenix.init(jax.random.key(0), 12, 4)


@pytest.fixture(scope="module")
def problem():
    return jax.random.uniform(jax.random.key(1), (3, 12)), jnp.array([2.0, 4.0, 1.0])


@pytest.fixture(scope="module")
def reference(field, problem):
    final, ok = integrate(field, *problem, Adaptive(rtol=1e-6, atol=1e-7))
    assert ok
    return final


def test_exponential_midpoint_converges_at_second_order(field, problem):
    with double_precision():
        field, problem = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf), float), (field, problem))
        exact, _ = integrate(field, *problem, Adaptive(rtol=1e-11, atol=1e-12, max_steps=1000))
        ends = [integrate(field, *problem, FixedSteps(n))[0] for n in (16, 32, 64)]
        errors = np.array([float(jnp.abs(end - exact).max()) for end in ends])
    orders = np.log2(errors[:-1] / errors[1:])
    assert orders.min() > 1.8, (errors, orders)
    assert abs(orders[-1] - 2) < 0.05, (errors, orders)


@pytest.mark.slow
def test_default_steps_are_the_fewest_that_differ_by_less_than_a_tenth_of_the_noise():
    """On a trained dense model of 100 genes over the published intervals, at the published noise of .025."""
    data = simulate_study(generate_system(100, seed=0), seed=0)
    hyper = make_hyperparameters(no_pruning(), noise=0.025)
    prior = make_prior(np.eye(100))
    trained = jax.jit(lambda key: fit(key, data, prior, hyper, FitConfig()))(jax.random.key(0)).field
    steps = transitions(data.test)
    start, duration = steps.start.reshape(-1, 100), steps.duration.ravel()
    exact, ok = integrate(trained, start, duration, Adaptive())
    assert ok

    def accurate(count):
        final, _ = integrate(trained, start, duration, FixedSteps(count))
        return float(jnp.sqrt(jnp.mean((final - exact) ** 2))) < 0.025 / 10

    assert next(count for count in range(1, 9) if accurate(count)) == FixedSteps().steps


def test_constant_production_is_solved_exactly():
    # Without regulation genes decay to their constant production: g(t) = c + (g0 − c) exp(−v t).
    field = Phoenix(jnp.zeros((2, 1, 3)), jnp.zeros((2, 1)), jnp.full((2, 3, 1), 0.7), jnp.array([0.5, 2.0, -1.0]))
    start, time = jnp.array([[0.1, 0.9, 0.4]]), jnp.array([3.0])
    final, _ = integrate(field, start, time, FixedSteps(1))
    rate = np.array([0.5, 2.0, 0.0])
    expected = 0.7 + (np.asarray(start[0]) - 0.7) * np.exp(-rate * 3)
    np.testing.assert_allclose(final[0], expected, rtol=1e-5)


def test_zero_duration_leaves_the_state(field, problem):
    start, _ = problem
    for method in (FixedSteps(2), Adaptive()):
        np.testing.assert_allclose(integrate(field, start, jnp.zeros(3), method)[0], start)


def test_diffrax_solver_takes_the_same_steps(field, problem, reference):
    start, duration = problem
    solution = diffrax.diffeqsolve(
        semilinear_terms(field), ExponentialMidpoint(), 0.0, duration[1], duration[1] / 4, start[1]
    )
    np.testing.assert_allclose(solution.ys[0], integrate(field, *problem, FixedSteps(4))[0][1], atol=1e-6)
    adaptive, ok = integrate(field, *problem, Adaptive(ExponentialMidpoint(), rtol=1e-4, atol=1e-5))
    assert ok
    np.testing.assert_allclose(adaptive, reference, atol=1e-4)


def test_backward_in_time_undoes_forward(field, problem):
    start, _ = problem
    terms, solver = semilinear_terms(field), ExponentialMidpoint()
    there = diffrax.diffeqsolve(terms, solver, 0.0, 1.0, 0.02, start[0]).ys[0]
    back = diffrax.diffeqsolve(terms, solver, 1.0, 0.0, -0.02, there).ys[0]
    np.testing.assert_allclose(back, start[0], atol=1e-3)


def test_gradients_agree_with_the_adaptive_path_and_finite_differences(field, problem):
    def loss(field, start, method):
        return jnp.sum(integrate(field, start, problem[1], method)[0] ** 2)

    fixed = jax.grad(loss, argnums=(0, 1))(field, problem[0], FixedSteps(32))
    adaptive = jax.grad(loss, argnums=(0, 1))(field, problem[0], Adaptive())
    for ours, theirs in zip(jax.tree.leaves(fixed), jax.tree.leaves(adaptive), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-3 * float(jnp.abs(theirs).max()))

    direction = jax.tree.map(lambda leaf: jax.random.normal(jax.random.key(2), leaf.shape), field)
    step = 1e-3
    moved = [jax.tree.map(lambda p, d, s=s: p + s * step * d, field, direction) for s in (1, -1)]
    numeric = (loss(moved[0], problem[0], FixedSteps(4)) - loss(moved[1], problem[0], FixedSteps(4))) / (2 * step)
    gradient = jax.grad(loss)(field, problem[0], FixedSteps(4))
    analytic = sum(jax.tree.leaves(jax.tree.map(lambda g, d: jnp.sum(g * d), gradient, direction)))
    np.testing.assert_allclose(analytic, numeric, rtol=2e-2)


def test_a_solve_that_fails_is_reported_not_raised(field, problem):
    start, duration = problem
    _, ok = integrate(field, start.at[0, 0].set(jnp.nan), duration, FixedSteps(2))
    assert not ok
    _, ok = integrate(field, start, duration, Adaptive(max_steps=2))
    assert not ok


def test_trajectory_reports_at_its_times(field, problem):
    times = jnp.array([1.0, 1.5, 4.0])
    (path,) = solve_trajectories(field, problem[0][:1], times[None], Adaptive())
    np.testing.assert_array_equal(path[0], problem[0][0])
    whole, _ = integrate(field, problem[0][:1], jnp.array([3.0]), Adaptive())
    np.testing.assert_allclose(path[2], whole[0], atol=1e-4)
