import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Direct, Phoenix
from dashjax.data import Units
from dashjax.dynamics import Adaptive, InUnits
from dashjax.dynamics.field import AbstractDynamics
from dashjax.questions import (
    gene_influence,
    has_influence,
    influence_table,
    random_starts,
    response_times,
)


class Linear(AbstractDynamics):
    """dg/dt = v ⊙ (gᵀW − g)."""

    weight: jax.Array
    rate: jax.Array

    def regulation(self, expression):
        return expression @ self.weight

    def decay(self):
        return self.rate


@pytest.fixture(scope="module")
def field():
    return Direct(0.5 * jax.random.normal(jax.random.key(0), (2, 5, 5)).at[:, :, 3].set(0.0), *3 * [jnp.full(5, 0.5)])


@pytest.fixture(scope="module")
def starts():
    return random_starts(jax.random.key(1), 7, 5)


def test_a_constant_regulators_influence_has_its_closed_form():
    # Gene 0 stays where it is pushed; its targets approach their new levels: Δ = w push (1 − e^(−t)).
    weight = jnp.zeros((4, 4)).at[0, 1].set(0.7).at[0, 2].set(-0.4)
    field = Linear(weight, jnp.array([0.0, 1.0, 1.0, 1.0]))
    times = jnp.array([0.0, 0.5, 1.0, 3.0])
    measured = jax.jit(gene_influence)(field, random_starts(jax.random.key(0), 3, 4), times, push=0.2)
    expected = 0.2 * (0.7 + 0.4) / 3 * np.mean(1 - np.exp(-np.asarray(times[1:])))
    np.testing.assert_allclose(measured.mean, [expected, 0, 0, 0], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(measured.standard_error, 0, atol=1e-7)  # the same from every start


def test_batches_and_choices_of_genes_change_nothing(field, starts):
    times = response_times(field)
    measured = [gene_influence(field, starts, times, batch_size=size) for size in (1, 3)]
    chosen = gene_influence(field, starts, times, jnp.array([4, 1]))
    for name in ("mean", "standard_error"):
        one, three = (getattr(influence, name) for influence in measured)
        np.testing.assert_allclose(one, three, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(getattr(chosen, name), one[jnp.array([4, 1])], rtol=1e-4, atol=1e-7)


def test_memory_does_not_grow_with_the_number_of_genes(field, starts):
    def bytes_for(genes):
        compiled = jax.jit(gene_influence).lower(field, starts, response_times(field), jnp.zeros(genes, int)).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    state = starts.size * 4
    assert bytes_for(400) - bytes_for(40) < 2 * state  # nothing of the size gene × start


def test_influence_is_the_mean_over_starts_with_its_error_and_near_an_exact_solver(field, starts):
    times = response_times(field)
    measure = jax.jit(gene_influence)
    alone = np.array([measure(field, starts[n : n + 1], times).mean for n in range(3)])
    together = measure(field, starts[:3], times)
    np.testing.assert_allclose(together.mean, alone.mean(0), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(together.standard_error, alone.std(0, ddof=1) / 3**0.5, rtol=1e-3, atol=1e-7)
    exact = gene_influence(field, starts[:3], times, method=Adaptive(max_steps=16))
    np.testing.assert_allclose(together.mean, exact.mean, rtol=0.05, atol=1e-6)


@pytest.mark.parametrize("kind", ["direct", "phoenix"])
def test_genes_without_weights_have_none(field, starts, kind):
    if kind == "phoenix":
        field = Phoenix.init(jax.random.key(0), 5, 3)
        field = field.with_layers((field.input_weight.at[:, :, 3].set(0.0), field.output_weight))
    np.testing.assert_array_equal(has_influence(field), [True, True, True, False, True])
    influence = gene_influence(field, starts, response_times(field)).mean
    np.testing.assert_array_equal(np.asarray(influence) > 1e-7, has_influence(field))


def test_response_times_follow_the_unit_of_time(field):
    minutes = InUnits(field, Units(jnp.asarray(60.0), jnp.zeros(5), jnp.ones(5)))
    np.testing.assert_allclose(response_times(minutes), 60 * response_times(field), rtol=1e-5)
    assert response_times(field, 9.0)[-1] == 9


def test_the_table_ranks_regulators():
    network = np.array([[0.5, 0.2, -0.3], [0, 0, 0], [0, 0.1, 0]])
    influence = gene_influence(
        Linear(jnp.asarray(network), jnp.ones(3)), jnp.full((2, 3), 0.5), jnp.linspace(0.0, 2.0, 5)
    )
    table = influence_table(influence, network, ["a", "b", "c"])
    assert list(table["gene"]) == ["a", "c", "b"]
    first = table.iloc[0]
    assert (first["out_degree"], first["activates"], first["represses"]) == (2, 1, 1)  # not the self loop
    assert first["total_effect"] == pytest.approx(0.5)
