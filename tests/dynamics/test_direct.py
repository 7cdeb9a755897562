"""The edge-resolved field: its effects are its derivatives, and its weights are edges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import FitConfig, fit, make_hyperparameters, make_prior, no_pruning, relative_effects, score_network
from dashjax.dynamics import DeepPerceptron, DeepPerceptronSpec, Direct, DirectSpec, Perceptron, PerceptronSpec
from dashjax.sparsity import PriorWeightedL1


@pytest.mark.parametrize(
    "spec", [DirectSpec(), PerceptronSpec(6), DeepPerceptronSpec(6, 3)], ids=["direct", "perceptron", "deep"]
)
def test_fields_keep_their_contract(spec):
    field = spec.init(jax.random.key(0), 7)
    assert isinstance(field, Direct | Perceptron | DeepPerceptron)
    states = jax.random.uniform(jax.random.key(1), (3, 7))
    np.testing.assert_allclose(field(0.0, states), field.production(states) - field.decay() * states, rtol=1e-6)
    doubled = field.with_layers(tuple(2 * layer for layer in field.layers()))
    for before, after in zip(field.layers(), doubled.layers(), strict=True):
        np.testing.assert_allclose(after, 2 * before)
    assert [m.shape for m in field.magnitudes()] == [w.shape for w in field.layers()]
    for magnitude in field.magnitudes():
        np.testing.assert_allclose(magnitude.sum((1, 2)), 1, rtol=1e-5)


def test_a_deep_perceptron_composes_its_layers():
    field = DeepPerceptronSpec(4, 2).init(jax.random.key(0), 5)
    assert [layer.shape for layer in field.layers()] == [(1, 4, 5), (1, 4, 4), (1, 5, 4)]
    first, second, last = (np.asarray(layer[0], float) for layer in field.layers())
    state = np.linspace(-1, 1, 5)

    def elu(x):
        return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))

    hidden = elu(second @ elu(first @ state + np.asarray(field.biases[0])) + np.asarray(field.biases[1]))
    np.testing.assert_allclose(field.regulation(jnp.asarray(state)), last @ hidden, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(field.effects(), (last @ second @ first).T, rtol=1e-4, atol=1e-5)


def test_direct_effects_are_the_slopes_at_half_expression():
    weight = 0.3 * jax.random.normal(jax.random.key(2), (2, 6, 6))
    field = Direct(weight, jnp.linspace(-1, 1, 6), jnp.full(6, 0.2), jnp.array([0.5, 1, 2, -1, 0.3, 1]))
    slope = jax.jacfwd(field.production)(jnp.full(6, 0.5 + 1e-4))
    np.testing.assert_allclose(field.effects(), slope.T, atol=2e-3)
    assert not field.effects()[:, 3].any()  # a gene that does not move has no regulators


def test_proximal_step_by_hand():
    weight = jnp.array([[[0.5, -0.02], [0.009, -0.5]], [[0.0, 0.03], [-0.011, 0.2]]])
    field = Direct(weight, *[jnp.ones(2)] * 3)
    prior = make_prior(np.array([[0.0, -1.0], [0.0, 0.0]]))  # gene 1 regulates gene 2: (target 1, regulator 0)
    shrunk = PriorWeightedL1(on_prior=0.5).shrink(field, prior, jnp.array([2.0, 0.0]), 0.01)
    expected = [[[0.48, 0.0], [0.0, -0.48]], [[0.0, 0.01], [-0.001, 0.18]]]
    np.testing.assert_allclose(shrunk.weight, expected, atol=1e-6)


@pytest.mark.slow
def test_direct_l1_ranks_edges_better_than_its_prior():
    from dashjax import generate_system, relocate_edges, simulate_study

    system = generate_system(60, seed=3)
    data = simulate_study(system, seed=0, train=100, validation=10, test=10)
    prior = make_prior(relocate_edges(np.random.default_rng(0), system.truth, 0.2))
    config = FitConfig(field=DirectSpec(), penalty=PriorWeightedL1(), epochs=150)
    hyper = make_hyperparameters(no_pruning(), noise=0.025, strengths=(0.2, 0.0))
    result = jax.jit(lambda: fit(jax.random.key(0), data, prior, hyper, config))()
    fitted = score_network(relative_effects(result.field), system.truth, prior.edges)
    alone = score_network(prior.edges, system.truth, prior.edges)
    assert float(fitted.aupr) > float(alone.aupr) + 0.1
    assert float(fitted.aupr_inside_prior) > 0.95 > float(alone.aupr_inside_prior)
    assert float(fitted.aupr_outside_prior) > 0.1 > float(alone.aupr_outside_prior)
