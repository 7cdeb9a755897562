import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Phoenix, make_prior
from dashjax.sparsity import Dash, dash_deep, dash_input_layer, dash_one_layer, dash_output_layer, dash_scores


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    return {
        "inner": rng.random((3, 7)),
        "outer": rng.random((7, 3)),
        "previous": rng.random((3, 7)),
        "prior": (rng.random((7, 7)) < 0.2) * rng.choice([-1.0, 1.0], (7, 7)),
        "similarity": rng.random((7, 7)),
    }


def test_two_layer_scores_are_the_printed_formulas(arrays):
    a, (l1, l2) = arrays, (0.3, 0.6)
    previous = a["previous"]
    guess = np.linalg.inv(previous @ previous.T) @ previous @ a["similarity"]
    omega_1 = (1 - l1) * a["inner"] + l1 * np.abs(guess)
    p = np.abs(a["prior"]).T
    omega_2 = (1 - l2) * a["outer"] + l2 * np.abs(p @ omega_1.T @ np.linalg.inv(omega_1 @ omega_1.T))

    inner = dash_input_layer(a["inner"], jnp.asarray(previous), a["similarity"], l1)
    outer = dash_output_layer(a["outer"], inner, jnp.asarray(p), l2)
    np.testing.assert_allclose(inner, omega_1, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(outer, omega_2, rtol=1e-3, atol=1e-4)


def test_whole_trees_are_scored_branch_by_branch(arrays):
    a = {name: jnp.asarray(value, jnp.float32) for name, value in arrays.items()}
    stacked = (jnp.stack([a["inner"], 2 * a["inner"]]), jnp.stack([a["outer"], a["outer"]]))
    previous = (jnp.stack([a["previous"]] * 2), stacked[1])
    inner, outer = dash_scores(previous, stacked, a["prior"], a["similarity"], jnp.array([0.3, 0.6]))
    expected = dash_input_layer(2 * a["inner"], a["previous"], a["similarity"], 0.3)
    np.testing.assert_allclose(inner[1], expected, rtol=1e-5)
    np.testing.assert_allclose(outer[1], dash_output_layer(a["outer"], expected, jnp.abs(a["prior"]).T, 0.6), rtol=1e-4)


def test_no_trust_is_magnitude_and_full_trust_ignores_it(arrays):
    a = arrays
    np.testing.assert_allclose(dash_one_layer(a["prior"], a["prior"].T, 0.0), a["prior"], rtol=1e-6)
    np.testing.assert_allclose(dash_one_layer(a["inner"][:, :3], -np.ones((3, 3)), 1.0), 1, rtol=1e-6)
    np.testing.assert_allclose(dash_input_layer(a["inner"], a["previous"], a["similarity"], 0.0), a["inner"], rtol=1e-6)
    pure = dash_input_layer(0 * a["inner"], a["previous"], a["similarity"], 1.0)
    np.testing.assert_allclose(dash_input_layer(a["inner"], a["previous"], a["similarity"], 1.0), pure, rtol=1e-6)


def test_a_field_of_one_layer_is_scored_with_the_first_trust():
    magnitude, prior = np.array([[[0.2, 0.8], [0.5, 0.1]]]), np.array([[0.0, 1.0], [0.0, 0.0]])
    # Of the pair (target 1, regulator 0) the prior is sure; λ of a last layer must not matter.
    (score,) = dash_scores(
        (magnitude,), (jnp.asarray(magnitude),), jnp.asarray(prior), jnp.eye(2), jnp.array([0.0, 1.0])
    )
    np.testing.assert_allclose(score / score.max(), magnitude / magnitude.max(), rtol=1e-6)
    (score,) = dash_scores(
        (magnitude,), (jnp.asarray(magnitude),), jnp.asarray(prior), jnp.eye(2), jnp.array([1.0, 0.0])
    )
    np.testing.assert_allclose(score / score.max(), [prior.T], atol=1e-6)


def test_scale_of_the_previous_score_is_handled_and_rank_loss_stays_finite(arrays):
    small = 1e-9 * jnp.asarray(arrays["previous"], jnp.float32)
    guess = dash_input_layer(jnp.zeros((3, 7)), small, arrays["similarity"], 1.0)
    expected = dash_input_layer(jnp.zeros((3, 7)), small * 1e9, arrays["similarity"], 1.0) * 1e9
    np.testing.assert_allclose(guess, expected, rtol=1e-3)
    equal_rows = jnp.ones((3, 7))
    assert jnp.isfinite(dash_input_layer(jnp.zeros((3, 7)), equal_rows, arrays["similarity"], 1.0)).all()


def test_released_variant_divides_similarity_by_its_sum():
    field = Phoenix.init(jax.random.key(0), 7, 3)
    edges = (jax.random.uniform(jax.random.key(1), (7, 7)) < 0.3).astype(jnp.float32)
    prior = make_prior(edges)
    state = Dash().init(jax.random.key(2), field)
    trust, fraction = jnp.array([1.0, 0.0]), jnp.asarray(0.5)
    released = Dash("released").prune(state, field, prior, trust, fraction)
    paper = Dash("paper").prune(state, field, prior, trust, fraction)
    np.testing.assert_allclose(paper.scores[0], released.scores[0] * prior.similarity.sum(), rtol=1e-4)
    scaled = make_prior(edges, prior.similarity / prior.similarity.sum())
    np.testing.assert_allclose(
        Dash("paper").prune(state, field, scaled, trust, fraction).scores[0], released.scores[0], rtol=1e-4
    )


def test_initial_scores_follow_the_variant():
    field = Phoenix.init(jax.random.key(0), 7, 3)
    assert min(float(s.min()) for s in Dash("released").init(jax.random.key(2), field).scores) >= 0
    assert min(float(s.min()) for s in Dash("paper").init(jax.random.key(2), field).scores) < 0


def test_deep_scores_are_the_printed_formulas():
    rng = np.random.default_rng(1)
    first, middle, last = rng.normal(size=(3, 8)), rng.normal(size=(3, 3)) + 2 * np.eye(3), rng.normal(size=(6, 3))
    sizes = [score.shape for score in (first, middle, last)]
    magnitudes = [np.abs(rng.normal(size=size)) for size in sizes]
    prior, share = (rng.random((6, 8)) < 0.4) * 1.0, np.array([0.3, 0.6])
    omega_1 = 0.7 * magnitudes[0] + 0.3 * np.abs(np.linalg.pinv(last @ middle) @ prior)
    omega_2 = 0.7 * magnitudes[1] + 0.3 * np.abs(np.linalg.pinv(last) @ prior @ np.linalg.pinv(omega_1))
    omega_3 = 0.4 * magnitudes[2] + 0.6 * np.abs(prior @ np.linalg.pinv(omega_2 @ omega_1))
    found = dash_scores(
        tuple(jnp.asarray(score)[None] for score in (first, middle, last)),
        tuple(jnp.asarray(magnitude)[None] for magnitude in magnitudes),
        jnp.asarray(prior).T,
        jnp.zeros((8, 8)),
        jnp.asarray(share),
    )
    for ours, expected in zip(found, (omega_1, omega_2, omega_3), strict=True):
        np.testing.assert_allclose(ours[0], expected, rtol=1e-2, atol=1e-2)


def test_deep_scores_reproduce_layers_that_spell_out_the_prior():
    rng = np.random.default_rng(2)
    layers = [rng.random((3, 8)), rng.random((3, 3)) + np.eye(3), rng.random((6, 3))]
    prior = layers[2] @ layers[1] @ layers[0]
    stacked = tuple(jnp.asarray(layer)[None] for layer in layers)
    nothing = tuple(0 * layer for layer in stacked)
    found = dash_scores(stacked, nothing, jnp.asarray(prior).T, jnp.zeros((8, 8)), jnp.ones(2))
    for ours, expected in zip(found, layers, strict=True):
        np.testing.assert_allclose(ours[0], expected, rtol=1e-2, atol=1e-3)


def test_deep_and_two_layer_rules_agree_on_the_last_layer(arrays):
    a = arrays
    previous = [jnp.asarray(a["previous"]), jnp.asarray(a["outer"])]
    magnitudes, trust = [jnp.asarray(a["inner"]), jnp.asarray(a["outer"])], jnp.array([0.3, 0.6])
    prior = jnp.abs(a["prior"]).T
    inner, outer = dash_deep(previous, magnitudes, prior, trust)
    np.testing.assert_allclose(outer, dash_output_layer(a["outer"], inner, prior, 0.6), rtol=1e-4)
