"""Gates against Monte Carlo, quadrature and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Phoenix
from dashjax.sparsity import HardConcrete, NoGate, Thresholds
from dashjax.sparsity.gates import step_function

LOG_ALPHA = jnp.array([-3.0, -1.0, 0.0, 0.5, 2.0])


@pytest.fixture(scope="module")
def field():
    return Phoenix.init(jax.random.key(0), 12, 4)


def expected_gate(log_alpha, gate):
    """E[z] by the midpoint rule over the uniform draw, in double precision."""
    u = (np.arange(200_000) + 0.5) / 200_000
    s = 1 / (1 + np.exp(-(np.log(u) - np.log1p(-u) + log_alpha) / gate.temperature))
    return np.clip(s * (gate.high - gate.low) + gate.low, 0, 1).mean()


@pytest.mark.parametrize("gate", [HardConcrete(), HardConcrete(temperature=0.3)], ids=["paper", "sharp"])
def test_gate_expectation_and_gradient_agree_with_quadrature(gate):
    count = 100_000

    def mean(log_alpha):
        return gate.draw(jax.random.key(1), jnp.broadcast_to(log_alpha[:, None], (5, count))).mean(1)

    exact = np.array([expected_gate(float(a), gate) for a in LOG_ALPHA])
    np.testing.assert_allclose(mean(LOG_ALPHA), exact, atol=0.005)
    slope = jax.grad(lambda a: mean(a).sum())(LOG_ALPHA)
    step = 1e-3
    finite = [
        (expected_gate(float(a) + step, gate) - expected_gate(float(a) - step, gate)) / (2 * step) for a in LOG_ALPHA
    ]
    np.testing.assert_allclose(slope, finite, atol=0.01)


def test_open_probability_agrees_with_monte_carlo(field):
    gate = HardConcrete()
    count = 100_000
    drawn = gate.draw(jax.random.key(2), jnp.broadcast_to(LOG_ALPHA[:, None], (5, count)))
    filled = tuple(jnp.full(layer.shape, a) for layer, a in zip(field.layers(), LOG_ALPHA, strict=False))
    formula = [float(p.mean()) for p in gate.open_probability(filled, field)]
    np.testing.assert_allclose(formula, (drawn > 0).mean(1)[:2], atol=0.006)


def test_settled_gates_are_exactly_closed_exactly_open_or_between(field):
    gate = HardConcrete()
    values = gate.value(jnp.array([-5.0, 0.0, 5.0]))
    assert values[0] == 0
    assert 0 < values[1] < 1
    assert values[2] == 1
    closed = tuple(jnp.full(layer.shape, -5.0) for layer in field.layers())
    assert not any(layer.any() for layer in gate.settle(closed, field).layers())
    assert not any(mask.any() for mask in gate.masks(closed, field))


def test_released_gates_sit_on_inputs(field):
    gate = HardConcrete(per_input=True)
    parameters = gate.init(jax.random.key(0), field)
    assert [p.shape for p in parameters] == [(2, 1, 12), (2, 1, 4)]
    acting = gate.sample(jax.random.key(1), parameters, field)
    ratio = np.asarray(acting.output_weight / field.output_weight)
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1], ratio.shape), rtol=1e-5)


def test_no_gate_changes_nothing(field):
    gate = NoGate()
    assert gate.sample(jax.random.key(0), gate.init(jax.random.key(0), field), field) is field
    assert all(mask.all() for mask in gate.masks((), field))


def test_step_functions_surrogate_derivative():
    slope = jax.vmap(jax.grad(step_function))(jnp.array([-2.0, -0.7, -0.2, 0.0, 0.3, 0.5, 1.5]))
    np.testing.assert_allclose(slope, [0, 0.4, 1.2, 2, 0.8, 0.4, 0], atol=1e-6)


def test_thresholds_zero_small_weights_and_dead_layers_come_back(field):
    gate = Thresholds()
    thresholds = gate.init(jax.random.key(0), field)
    middle = tuple(jnp.full_like(t, 0.1) for t in thresholds)
    settled = gate.settle(middle, field)
    for before, after in zip(field.layers(), settled.layers(), strict=True):
        np.testing.assert_array_equal(after, np.where(np.abs(before) > 0.1, before, 0))
    # A branch of which no weight is left gets its thresholds back to zero; one that lives keeps them.
    dead = (middle[0].at[0].set(10.0), middle[1])
    tidied = gate.tidy(dead, field)
    assert not tidied[0][0].any()
    np.testing.assert_array_equal(tidied[1], middle[1])
