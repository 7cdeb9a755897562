import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dashjax import Phoenix
from dashjax.sparsity import apply_masks, full_masks, prune_globally, prune_lowest, prune_masks, sparsity

prune = jax.jit(prune_lowest)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, np.inf, np.nan]), min_size=12, max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
    st.floats(0, 1, width=32),
)
def test_pruning_is_exact_monotone_and_takes_the_lowest(scores, alive, fraction):
    mask, score = jnp.array(alive).reshape(3, 4), jnp.array(scores, jnp.float32).reshape(3, 4)
    pruned = prune(mask, score, fraction)
    assert not (pruned & ~mask).any()
    assert int(mask.sum() - pruned.sum()) == round(float(np.float32(fraction) * np.float32(sum(alive))))
    gone, kept = np.asarray(score)[np.asarray(mask & ~pruned)], np.asarray(score)[np.asarray(pruned)]
    if gone.size and kept.size:
        assert np.nan_to_num(gone, nan=-1).max() <= np.nan_to_num(kept, nan=-1).min()


def test_ties_fall_in_index_order():
    pruned = prune(jnp.ones((2, 3), bool), jnp.zeros((2, 3)), 0.5)
    np.testing.assert_array_equal(pruned, [[False, False, False], [True, True, True]])


def test_each_branch_and_layer_is_pruned_by_its_own_count():
    field = Phoenix.init(jax.random.key(0), 10, 5)
    masks = prune_masks(full_masks(field), field.magnitudes(), jnp.asarray(0.7))
    for mask in masks:
        np.testing.assert_array_equal(mask.sum((1, 2)), 15)


def test_masking_selects_instead_of_multiplying():
    field = Phoenix.init(jax.random.key(0), 4, 2)
    inner, outer = field.layers()
    broken = field.with_layers((inner.at[0, 0, 0].set(jnp.nan), outer))
    masks = full_masks(field)
    masks = (masks[0].at[0, 0, 0].set(False), masks[1])
    assert float(apply_masks(masks, broken).input_weight[0, 0, 0]) == 0.0


def test_sparsity_counts_exact_zeros():
    layers = (jnp.array([[[0.0, 1.0]]]), jnp.array([[[0.0], [0.0]]]))
    assert float(sparsity(layers)) == 0.75


def test_cuts_are_those_of_a_stable_sort_whatever_the_scores():
    rng = np.random.default_rng(0)
    values = np.array([0.0, -0.0, 1.0, -1.0, 0.5, np.inf, -np.inf, np.nan, 2.0], np.float32)
    for _ in range(20):
        mask, score = rng.random((4, 6)) < 0.8, rng.choice(values, (4, 6))
        count = rng.integers(0, mask.sum() + 1)
        order = np.argsort(np.where(np.isnan(score), -np.inf, score)[mask], kind="stable")
        expected = np.ones(mask.sum(), bool)
        expected[order[:count]] = False
        (kept,) = prune_globally((jnp.asarray(mask)[None],), (jnp.asarray(score)[None],), jnp.asarray(count))
        np.testing.assert_array_equal(np.asarray(kept[0])[mask], expected)
        assert not np.asarray(kept[0])[~mask].any()
