import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from dashjax.questions import benjamini_hochberg, bonferroni, pathway_table, pathway_test

INFLUENCE = jnp.array([3.0, 2.0, 1.0, 0.0])
#: Two of four genes: the six sums 5, 4, 3, 3, 2, 1 are equally likely.
PAIRS = jnp.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]], bool)


@pytest.fixture(scope="module")
def tested():
    return jax.jit(lambda key: pathway_test(key, INFLUENCE, PAIRS, 20_000))(jax.random.key(0))


def test_sums_and_probabilities_are_those_of_all_permutations(tested):
    np.testing.assert_allclose(tested.score, [5, 4, 3, 1, 6])
    # Sums of 3 tie, and count: 4 of 6 pairs have at least 3.
    np.testing.assert_allclose(tested.p, np.array([1, 2, 4, 6, 6]) / 6, atol=0.01)
    np.testing.assert_allclose(tested.expected[:4], 3, atol=0.03)
    sd = np.std([5, 4, 3, 3, 2, 1])
    np.testing.assert_allclose(tested.z[:4], (np.array([5, 4, 3, 1]) - 3) / sd, atol=0.03)
    assert np.isnan(tested.z[4])  # all genes: nothing varies


def test_a_probability_is_never_zero_and_counts_the_observed_labels():
    influence = jnp.arange(40.0) ** 4
    top = jnp.arange(40) >= 30
    found = pathway_test(jax.random.key(0), influence, top[None], 99)
    assert found.p[0] == pytest.approx(1 / 100)
    flat = pathway_test(jax.random.key(0), jnp.full(40, 0.1), top[None], 99)
    assert flat.p[0] == 1  # equal sums in another order


def test_batches_of_permutations_change_nothing():
    key, members = jax.random.key(1), jax.random.uniform(jax.random.key(2), (7, 30)) < 0.4
    influence = jax.random.uniform(jax.random.key(3), (30,))
    one, three = (pathway_test(key, influence, members, 50, batch_size=size) for size in (1, 3))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4), one, three)


def test_corrections_agree_with_scipy():
    p = np.random.default_rng(0).uniform(size=50) ** 3
    p[7] = p[8]
    np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p))
    np.testing.assert_allclose(bonferroni(p), np.minimum(50 * p, 1))


def test_the_table_lists_what_was_left_out(tested):
    test = jax.tree.map(lambda leaf: leaf[jnp.array([3, 0])], tested)
    members = [np.array([2, 3]), np.array([1]), np.array([0, 1])]
    arguments = [np.array([0, 2]), members, np.asarray(INFLUENCE), ["low", "small", "high"], "ABCD"]
    table = pathway_table(test, *arguments)
    assert list(table["pathway"]) == ["high", "low", "small"]
    assert list(table["tested"]) == [True, True, False]
    assert table["p"].isna().sum() == 1
    high = table.iloc[0]
    assert (high["score"], high["mean"], high["genes"], high["strongest"]) == (5, 2.5, 2, "A B")
    assert high["bonferroni"] == pytest.approx(2 * high["p"])
