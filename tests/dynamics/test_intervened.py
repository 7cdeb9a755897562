"""Dynamics under interventions: closed forms, and the gradient that is taken by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax.data import Production, no_intervention
from dashjax.dynamics import Adaptive, Direct, FixedSteps, Intervened, integrate, repeated, solve_trajectories, under
from dashjax.dynamics.solve import ExponentialMidpoint, exponential_midpoint_step, step_factors

#: Without regulation each gene is driven to its bias.
BIAS, DECAY = jnp.array([0.8, 0.6, 0.4, 0.2]), jnp.array([1.0, 0.5, 2.0, 0.25])
FREE = Direct(jnp.zeros((2, 4, 4)), jnp.zeros(4), BIAS, DECAY)
START = jnp.array([[0.3, 0.9, 0.5, 0.7], [0.1, 0.2, 0.3, 0.4], [0.6, 0.6, 0.6, 0.6], [0.5, 0.4, 0.1, 1.0]])
#: Knocked out: gene 1; clamped at .7: gene 2; knocked down by half: gene 3; over-expressed by .3: gene 0.
DONE = Production(
    jnp.array([[1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0.5], [1.0, 1, 1, 1]]),
    jnp.array([[0, 0, 0, 0], [0, 0, 0.7, 0], [0, 0, 0, 0], [0.3, 0, 0, 0]]),
)
TOWARDS = np.array([[0.8, 0.0, 0.4, 0.2], [0.8, 0.6, 0.7, 0.2], [0.8, 0.6, 0.4, 0.1], [1.1, 0.6, 0.4, 0.2]])


def relaxed(time):
    """Return the exact states (row, gene) after a time per row."""
    left = np.exp(-np.asarray(time)[:, None] * np.asarray(DECAY))
    return TOWARDS + (np.asarray(START) - TOWARDS) * left


@pytest.mark.parametrize(
    "method", [FixedSteps(1), FixedSteps(3), Adaptive(), Adaptive(ExponentialMidpoint())],
    ids=["one step", "three steps", "dopri", "exponential"],
)  # fmt: skip
def test_each_row_relaxes_to_where_its_own_intervention_drives_it(method):
    duration = jnp.array([0.5, 1.0, 2.0, 4.0])
    reached, ok = integrate(Intervened(FREE, DONE), START, duration, method)
    assert ok
    np.testing.assert_allclose(reached, relaxed(duration), atol=2e-5)
    settled, _ = integrate(Intervened(FREE, DONE), START, jnp.full(4, 100.0), method)
    np.testing.assert_allclose(settled, TOWARDS, atol=2e-5)


def test_trajectories_keep_their_intervention_at_all_times():
    times = jnp.array([[0.0, 0.5, 3.0]] * 4)
    path = solve_trajectories(Intervened(FREE, DONE), START, times, FixedSteps())
    for column, time in enumerate((0.0, 0.5, 3.0)):
        np.testing.assert_allclose(path[:, column], relaxed([time] * 4), atol=1e-5)


def test_nothing_done_is_the_field_itself_and_rows_repeat_in_place():
    assert under(FREE, None) is FREE
    assert repeated(None, 3) is None
    same = Intervened(FREE, no_intervention(4, 4))
    np.testing.assert_array_equal(same.regulation(START), FREE.regulation(START))
    twice = repeated(DONE, 2)
    np.testing.assert_array_equal(twice.factor[2:4], jnp.stack([DONE.factor[1]] * 2))
    np.testing.assert_array_equal(twice.level[6:], jnp.stack([DONE.level[3]] * 2))


def test_gradients_are_those_of_a_plain_loop_and_of_finite_differences():
    keys = jax.random.split(jax.random.key(0), 6)
    field = Direct(
        0.5 * jax.random.normal(keys[0], (2, 4, 4)), jax.random.uniform(keys[1], (4,)),
        jax.random.uniform(keys[2], (4,)), 0.5 + jax.random.uniform(keys[3], (4,)),
    )  # fmt: skip
    done = Production(DONE.factor.at[0, 2].set(0.3), 0.1 + DONE.level)
    duration, goal = jnp.array([0.5, 1.0, 2.0, 0.0]), jax.random.normal(keys[4], (4, 4))

    def plain(intervened, start):
        state, decay = start, intervened.decay()
        for _ in range(3):
            factors = step_factors(decay, duration[:, None] / 3)
            state, _ = exponential_midpoint_step(lambda x: decay * intervened.regulation(x), factors, state)
        return jnp.sum(goal * state**2)

    def ours(intervened, start):
        return jnp.sum(goal * integrate(intervened, start, duration, FixedSteps(3))[0] ** 2)

    acting = Intervened(field, done)
    value, gradient = jax.value_and_grad(ours, (0, 1))(acting, START)
    expected, theirs = jax.value_and_grad(plain, (0, 1))(acting, START)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    for a, b in zip(jax.tree.leaves(gradient), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5 * float(jnp.abs(b).max()))
    direction = jax.tree.map(lambda leaf: jax.random.normal(keys[5], leaf.shape), acting)
    up, down = (ours(jax.tree.map(lambda p, d, s=sign: p + s * 1e-3 * d, acting, direction), START) for sign in (1, -1))
    along = sum(jax.tree.leaves(jax.tree.map(lambda g, d: jnp.sum(g * d), gradient[0], direction)))
    np.testing.assert_allclose(along, (up - down) / 2e-3, rtol=2e-2)
