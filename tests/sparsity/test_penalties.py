"""Penalties against explicit sums, and the prior's loss at the prior's own model."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Phoenix, make_prior
from dashjax.dynamics import AbstractField
from dashjax.sparsity import (
    GatedPathPenalty,
    GatePenalty,
    HardConcrete,
    PathPenalty,
    PriorLoss,
    ThresholdPenalty,
    Thresholds,
    path_sum,
)

KEY = jax.random.key(3)
STRENGTHS = jnp.array([0.7, 0.2])


@pytest.fixture(scope="module")
def field():
    return Phoenix.init(jax.random.key(0), 5, 3)


@pytest.fixture(scope="module")
def prior():
    return make_prior(np.random.default_rng(0).normal(size=(5, 5)).round(1))


def paths(inner, outer):
    """Sum over branch, input, hidden and output by hand."""
    inner, outer = np.asarray(inner, float), np.asarray(outer, float)
    branches, hidden, genes = inner.shape
    every = itertools.product(range(branches), range(genes), range(hidden), range(genes))
    return sum(inner[b, h, i] * outer[b, o, h] for b, i, h, o in every)


def test_path_penalty_is_the_sum_over_paths(field, prior):
    inner, outer = (np.abs(layer) for layer in field.layers())
    expected = paths(inner, outer)
    np.testing.assert_allclose(path_sum((jnp.asarray(inner), jnp.asarray(outer))), expected, rtol=1e-5)
    np.testing.assert_allclose(PathPenalty()(KEY, field, (), prior, STRENGTHS), 0.7 * expected, rtol=1e-5)
    mean = PathPenalty(mean=True)(KEY, field, (), prior, STRENGTHS)
    np.testing.assert_allclose(mean, 0.7 * expected / 25, rtol=1e-5)


def test_gated_paths_are_open_with_the_product_of_their_gates(field, prior):
    gate = HardConcrete()
    parameters = gate.init(KEY, field)
    open_ = gate.open_probability(parameters, field)
    gates = sum(float(layer.sum()) for layer in open_)
    np.testing.assert_allclose(GatePenalty(gate)(KEY, field, parameters, prior, STRENGTHS), 0.7 * gates, rtol=1e-5)
    np.testing.assert_allclose(
        GatedPathPenalty(gate)(KEY, field, parameters, prior, STRENGTHS), 0.7 * gates + 0.2 * paths(*open_), rtol=1e-5
    )


def test_threshold_penalty_makes_thresholds_grow(field, prior):
    start = Thresholds().init(KEY, field)
    slope = jax.grad(lambda t: ThresholdPenalty()(KEY, field, t, prior, STRENGTHS))(start)
    for part in slope:
        np.testing.assert_allclose(part, -0.7, rtol=1e-6)  # d/dt exp(−t) at 0; descent moves up


class Linear(AbstractField):
    """dg/dt = A g − g, which a prior of A describes exactly."""

    weight: jax.Array

    def regulation(self, expression):
        return expression @ self.weight[0].T

    def decay(self):
        return jnp.ones(self.weight.shape[1])

    def layers(self):
        return (self.weight,)

    def with_layers(self, layers):
        return eqx.tree_at(lambda f: f.weight, self, layers[0])

    def effective_layers(self):
        return (self.weight,)

    def magnitudes(self):
        return (jnp.abs(self.weight),)


def test_prior_loss_and_its_gradient_vanish_at_the_priors_own_model(prior):
    own = Linear(prior.edges.T[None])
    loss, slope = jax.value_and_grad(lambda f: PriorLoss(8)(KEY, f, (), prior, STRENGTHS))(own)
    np.testing.assert_allclose(loss, 0, atol=1e-10)
    np.testing.assert_allclose(slope.weight, 0, atol=1e-6)
    off = eqx.tree_at(lambda f: f.weight, own, own.weight + 0.3)
    # E[(0.3 Σγ)²] = 0.09 · 5/12 for five draws from U(−½, ½).
    np.testing.assert_allclose(PriorLoss(200_000)(KEY, off, (), prior, STRENGTHS), 0.7 * 0.09 * 5 / 12, rtol=0.01)
