import jax
import jax.numpy as jnp
import numpy as np

from dashjax import Phoenix, PhoenixSpec


def test_field_is_the_published_formula():
    field = Phoenix(
        input_weight=jnp.array([[[1.0, -2.0]], [[0.5, 0.25]]]),
        input_bias=jnp.array([[0.1], [-0.2]]),
        output_weight=jnp.array([[[3.0], [0.0]], [[1.0], [-1.0]]]),
        gene_multiplier=jnp.array([2.0, -1.0]),
    )
    g = np.array([1.0, 0.0])
    phi = np.array([0.5 / 1.5, -0.5 / 1.5])
    additive = 1.0 * phi[0] - 2.0 * phi[1] + 0.1
    product = np.exp(0.5 * np.log(1 + phi[0]) + 0.25 * np.log(1 + phi[1]) - 0.2)
    expected = [2.0 * (3.0 * additive + 1.0 * product - g[0]), 0.0]
    np.testing.assert_allclose(field(0.0, jnp.asarray(g)), expected, rtol=1e-5)
    # D = relu(v) ⊙ (U_Σ W_Σ + U_Π W_Π), (regulator, target)
    np.testing.assert_allclose(field.effects(), np.array([[2 * (3 + 0.5), 0], [2 * (-6 + 0.25), 0]]), rtol=1e-6)


def test_batches_are_rows():
    field = Phoenix.init(jax.random.key(0), 6, 3)
    states = jax.random.uniform(jax.random.key(1), (4, 5, 6))
    rows = jax.vmap(jax.vmap(field.production))(states)
    np.testing.assert_allclose(field.production(states), rows, rtol=1e-5, atol=1e-6)


def test_initial_weights_have_the_released_distribution():
    field = Phoenix.init(jax.random.key(0), 200, 40)
    nonzero = field.input_weight != 0
    np.testing.assert_array_equal(nonzero.sum(axis=1), 2)  # 95 % of 40 rows are zero in every column
    assert abs(float(field.input_weight[nonzero].std()) - 0.05) < 0.005
    for branch in range(2):
        gram = field.output_weight[branch].T @ field.output_weight[branch]
        np.testing.assert_allclose(gram, np.eye(40), atol=1e-5)
    assert float(jnp.abs(field.input_bias).max()) <= 200**-0.5
    assert 0 <= float(field.gene_multiplier.min()) <= float(field.gene_multiplier.max()) < 1


def test_more_hidden_units_than_genes_work():
    field = PhoenixSpec(9).init(jax.random.key(0), 5)
    rows = field.output_weight[0] @ field.output_weight[0].T
    np.testing.assert_allclose(rows, np.eye(5), atol=1e-5)


def test_default_size_is_the_published_one():
    assert PhoenixSpec().init(jax.random.key(0), 350).input_weight.shape == (2, 40, 350)


def test_magnitudes_sum_to_one_and_act_in_log_space_in_the_product_branch():
    field = Phoenix.init(jax.random.key(0), 6, 3)
    inner, outer = field.magnitudes()
    np.testing.assert_allclose(inner.sum((1, 2)), 1, rtol=1e-5)
    np.testing.assert_allclose(outer.sum((1, 2)), 1, rtol=1e-5)
    ratio = inner[1] / jnp.exp(field.input_weight[1])
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-5)
    dead = field.gene_multiplier.at[2].set(-1.0)
    switched_off = Phoenix(field.input_weight, field.input_bias, field.output_weight, dead)
    np.testing.assert_array_equal(switched_off.magnitudes()[1][:, 2], 0)
