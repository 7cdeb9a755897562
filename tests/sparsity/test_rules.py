"""Pruning rules that look at the whole field: synaptic flow and global magnitude."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Phoenix, make_prior
from dashjax.sparsity import GlobalMagnitude, SynFlow, count_alive, mask_layers, path_sum, synflow_scores

KEY = jax.random.key(5)
TRUST = jnp.zeros(2)


@pytest.fixture(scope="module")
def field():
    return Phoenix.init(jax.random.key(0), 150, 30)


@pytest.fixture(scope="module")
def prior():
    return make_prior(np.eye(150))


def test_synaptic_flow_is_conserved_and_is_what_a_weight_carries(field):
    layers = field.effective_layers()
    scores = synflow_scores(layers)
    total = path_sum(tuple(jnp.abs(layer) for layer in layers))
    for score in scores:
        np.testing.assert_allclose(score.sum(), total, rtol=1e-4)
    into, out_of = scores[0].sum(2), scores[1].sum(1)
    np.testing.assert_allclose(into, out_of, rtol=1e-3)
    # Without a weight, the flow falls by exactly its score.
    at = tuple(int(i) for i in jnp.unravel_index(jnp.argmax(scores[0]), scores[0].shape))
    without = path_sum((jnp.abs(layers[0]).at[at].set(0), jnp.abs(layers[1])))
    np.testing.assert_allclose(total - without, scores[0][at], rtol=1e-2)


def test_synflow_keeps_a_path_open_at_extreme_sparsity(field, prior):
    rule = SynFlow()
    state = rule.init(KEY, field)
    pruned = jax.jit(lambda: rule.prune(state, field, prior, TRUST, jnp.asarray(0.999)))()
    assert int(count_alive(pruned.masks)) == round(0.001 * 4 * 150 * 30)
    kept = mask_layers(pruned.masks, tuple(jnp.abs(layer) for layer in field.effective_layers()))
    assert float(path_sum(kept)) > 0
    assert all(mask.any() for mask in pruned.masks)


def test_global_magnitude_takes_the_smallest_wherever_they_stand(field, prior):
    rule = GlobalMagnitude()
    state = rule.init(KEY, field)
    first = rule.prune(state, field, prior, TRUST, jnp.asarray(0.6))
    second = rule.prune(first, field, prior, TRUST, jnp.asarray(0.5))
    alive = 4 * 150 * 30
    assert int(count_alive(first.masks)) == round(0.4 * alive)
    assert int(count_alive(second.masks)) == round(0.2 * alive)
    magnitudes = np.concatenate([np.abs(layer).ravel() for layer in field.layers()])
    kept = np.concatenate([np.asarray(mask).ravel() for mask in second.masks])
    assert magnitudes[kept].min() >= magnitudes[~kept].max()
