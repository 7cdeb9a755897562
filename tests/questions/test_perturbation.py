import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Direct
from dashjax.data import Production
from dashjax.questions import path_lengths, perturb, response_table, response_times
from dashjax.simulate import make_system, simulate_expression

NAN = float("nan")


@pytest.fixture(scope="module")
def chain():
    """A → B ⊣ C beside a lone D, all decaying at rate 1."""
    weight = jnp.zeros((2, 4, 4)).at[0, 1, 0].set(0.8).at[0, 2, 1].set(-0.6)
    return Direct(weight, jnp.full(4, 0.5), jnp.full(4, 0.5), jnp.ones(4))


@pytest.fixture(scope="module")
def apply(chain):
    starts = jax.random.uniform(jax.random.key(0), (6, 4))
    compiled = jax.jit(perturb)
    return lambda *levels: compiled(chain, starts, response_times(chain), jnp.array(levels))


def test_a_knocked_out_gene_stays_away_and_the_rest_of_a_chain_follows(chain, apply):
    response = apply(0.0, NAN, NAN, NAN)
    np.testing.assert_array_equal(response.perturbed[:, :, 0], 0)
    assert (response.unperturbed[:, 1:, 0] > 0).all()
    np.testing.assert_allclose(response.mean[3], 0, atol=1e-7)
    table = response_table(response, chain.effects(), np.arange(4) == 0, "ABCD").set_index("gene")
    assert list(table.index[:3]) == ["A", "B", "C"]
    assert table["relation"].to_dict() == {"A": "perturbed", "B": "direct", "C": "downstream", "D": "unconnected"}
    assert list(table["path_length"][:3]) == [0, 1, 2]
    assert table["path_length"].isna()["D"]
    assert table["response"]["B"] < 0 < table["response"]["C"]  # less of an activator, then less of a repressor
    np.testing.assert_allclose(table["final"], table["perturbed"] - table["unperturbed"], atol=1e-6)


def test_a_held_regulator_drives_its_target_to_the_level_that_the_field_states(chain, apply):
    # B relaxes to ½ + 0.8 φ(1) at rate 1 while A is held at 1; φ(1) = ⅓.
    response = apply(1.0, NAN, NAN, NAN)
    level = 0.5 + 0.8 / 3
    expected = level + (response.perturbed[:, :1, 1] - level) * jnp.exp(-response.times)
    np.testing.assert_allclose(response.perturbed[:, :, 1], expected, rtol=1e-5)


def test_combinations_hold_every_gene_at_its_own_level(apply):
    response = apply(NAN, 0.0, NAN, 1.5)
    np.testing.assert_array_equal(response.perturbed[:, :, 1], 0)
    np.testing.assert_array_equal(response.perturbed[:, :, 3], 1.5)
    np.testing.assert_array_equal(response.perturbed[:, :, 0], response.unperturbed[:, :, 0])
    np.testing.assert_allclose(response.final, (response.perturbed - response.unperturbed)[:, -1].mean(0), rtol=1e-6)


def test_nothing_held_changes_nothing(apply):
    response = apply(NAN, NAN, NAN, NAN)
    np.testing.assert_array_equal(response.mean, 0)


def test_paths_are_the_shortest_from_any_source_also_around_loops():
    network = np.zeros((6, 6))
    for source, target in [(0, 1), (1, 2), (2, 0), (2, 3), (4, 3)]:
        network[source, target] = -1
    np.testing.assert_array_equal(path_lengths(network, np.arange(6) == 0), [0, 1, 2, 3, np.inf, np.inf])
    np.testing.assert_array_equal(path_lengths(network, np.isin(np.arange(6), [0, 4])), [0, 1, 2, 1, 0, np.inf])


def test_the_true_system_can_be_knocked_out_too(system):
    """Holding a gene is the same as making it an input gene that starts there."""
    gene = int(np.argmax((system.truth != 0).sum(1) * ~system.is_input))
    states = np.random.default_rng(0).uniform(size=(2, 12))
    states[1] = np.where(np.arange(12) == gene, 0.0, states[0])
    held = np.zeros((2, 12), bool)
    held[1, gene] = True
    free, followed = simulate_expression(system, states, [0, 1, 4], held=held)
    equations = ["input gene" if n == gene else e for n, e in enumerate(system.equations)]
    (knocked_out,) = simulate_expression(make_system(system.genes, equations), states[1:], [0, 1, 4])
    np.testing.assert_allclose(followed, knocked_out, atol=1e-6)
    assert not followed[:, gene].any()
    targets = system.truth[gene] != 0
    assert (np.abs(followed - free)[-1, targets] > 1e-3).all()


def test_a_table_says_between_which_levels_nine_in_ten_responses_lie(chain, apply):
    response = apply(0.0, NAN, NAN, NAN)
    table = response_table(response, chain.effects(), np.arange(4) == 0, "ABCD").set_index("gene")
    expected = np.quantile(response.of_starts, [0.05, 0.95], axis=0)
    np.testing.assert_allclose(table.loc[list("ABCD"), ["response_low", "response_high"]].T, expected, rtol=1e-6)


def test_production_that_is_left_decides_the_level(chain):
    """A decays at rate 1 towards ½ of what is left of its production."""
    starts, times = jnp.full((1, 4), 0.5), jnp.array([0.0, 5.0, 20.0])
    for left in (1.0, 0.3, 0.0):
        acting = Production(jnp.ones((1, 4)).at[0, 0].set(left), jnp.zeros((1, 4)))
        response = perturb(chain, starts, times, jnp.full(4, jnp.nan), acting=acting)
        np.testing.assert_allclose(response.perturbed[0, -1, 0], 0.5 * left, atol=1e-4)
