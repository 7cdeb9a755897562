"""A field without the weights that no longer act is the same field."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax.dynamics import DirectSpec, PerceptronSpec, PhoenixSpec
from dashjax.networks import relative_effects, strongest_edges

GENES = 12
STATES = jax.random.uniform(jax.random.key(5), (4, GENES))


def pruned_phoenix():
    field = PhoenixSpec(6).init(jax.random.key(0), GENES)
    inner = field.input_weight.at[:, :, 4:].set(0.0) + 0.1 * (jnp.arange(GENES) < 4)
    inner = inner.at[:, 2, 9].set(0.3)  # gene 9 acts through unit 2 alone, which reaches nothing
    outer = field.output_weight.at[:, :, 2].set(0.0).at[1, :, 4:].set(0.0)
    return field.with_layers((inner, outer))


def test_dead_units_and_genes_are_dropped_and_nothing_changes():
    field = pruned_phoenix()
    small = field.compact()
    assert small.input_weight.shape == (2, 5, 4)
    assert small.output_weight.shape == (2, GENES, 5)
    assert small.regulators == (0, 1, 2, 3)
    np.testing.assert_allclose(small(0.0, STATES), field(0.0, STATES), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(small.effects(), field.effects(), rtol=1e-5, atol=1e-6)
    again = small.compact()
    assert again.regulators == small.regulators
    assert again.input_weight.shape == small.input_weight.shape


def test_a_direct_field_keeps_the_columns_of_its_regulators():
    field = DirectSpec((1, 4, 7, 8)).init(jax.random.key(0), GENES)
    field = field.with_layers((field.weight.at[..., 2].set(0.0),))
    small = field.compact()
    assert small.regulators == (1, 4, 8)
    np.testing.assert_allclose(small(0.0, STATES), field(0.0, STATES), rtol=1e-6)
    np.testing.assert_array_equal(small.effects(), field.effects())


def test_a_direct_field_of_some_regulators_is_the_whole_one_with_zero_columns():
    some = DirectSpec((1, 4)).init(jax.random.key(0), GENES)
    whole = DirectSpec().init(jax.random.key(0), GENES)
    whole = whole.with_layers((jnp.zeros_like(whole.weight).at[..., jnp.array([1, 4])].set(some.weight),))
    np.testing.assert_allclose(some(0.0, STATES), whole(0.0, STATES), rtol=1e-6)
    np.testing.assert_allclose(some.effects(), whole.effects(), rtol=1e-6)


def test_a_field_without_any_weight_left_can_be_compacted():
    field = pruned_phoenix()
    dead = field.with_layers(jax.tree.map(jnp.zeros_like, field.layers()))
    small = dead.compact()
    assert small.regulators == ()
    np.testing.assert_array_equal(small(0.0, STATES), dead(0.0, STATES))


@pytest.mark.parametrize("count", [1, 7, 1000])
@pytest.mark.parametrize("block", [5, 64])
def test_strongest_edges_are_those_of_the_whole_network(count, block):
    field = pruned_phoenix()
    network = np.asarray(relative_effects(field))
    regulator, target, weight = strongest_edges(field, count, block=block)
    order = np.argsort(-np.abs(network), axis=None, kind="stable")[: min(count, int((network != 0).sum()))]
    np.testing.assert_allclose(weight, network.ravel()[order], rtol=1e-5)
    np.testing.assert_allclose(network[regulator, target], weight, rtol=1e-5)
    plain = strongest_edges(field, count, relative=False, block=block)
    assert np.abs(plain[2][0]) == pytest.approx(np.abs(field.effects()).max(), rel=1e-5)


def test_equal_weights_come_in_the_genes_order():
    field = PerceptronSpec(1).init(jax.random.key(0), 3)
    field = field.with_layers((jnp.ones((1, 1, 3)), jnp.ones((1, 3, 1))))
    regulator, target, _ = strongest_edges(field, 4, block=2)
    assert list(zip(regulator.tolist(), target.tolist(), strict=True)) == [(0, 0), (0, 1), (0, 2), (1, 0)]
