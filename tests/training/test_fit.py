"""One run as one pure function: what it promises about masks, batching, selection and failure."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from dashjax import (
    DirectSpec,
    FitConfig,
    InputError,
    PhoenixSpec,
    Split,
    find_method,
    fit,
    make_hyperparameters,
    make_schedule,
    no_pruning,
)
from dashjax.training import STATUSES, advance, one_step_error, start, transitions

KEY = jax.random.key(7)


def test_pruned_weights_are_exactly_zero_and_counted(run, prior):
    result = run(KEY, prior, make_hyperparameters(noise=0.02))
    for mask, layer in zip(result.masks, result.field.layers(), strict=True):
        assert not np.asarray(layer)[~np.asarray(mask)].any()
        assert np.asarray(layer)[np.asarray(mask)].all()  # and living ones were trained away from zero
    # 48 weights per branch and layer; 70 % then twice 10 % of the survivors, rounded each time.
    np.testing.assert_array_equal(result.masks[0].sum((1, 2)), 48 - 34 - 1 - 1)
    pruned = np.asarray(result.curves.pruned)
    assert (np.diff(pruned) >= 0).all()
    assert set(np.flatnonzero(np.diff(pruned)) + 2) == {3, 10, 20}
    assert STATUSES[int(result.status)] == "finished"


def test_training_lowers_the_error(run, prior):
    curves = run(KEY, prior, make_hyperparameters(schedule=no_pruning(), learning_rate=3e-3)).curves
    assert curves.validation_error[-1] < 0.5 * curves.validation_error[0]


def test_same_seed_same_result_and_noise_matters(run, prior):
    hyper = make_hyperparameters(noise=0.02)
    first, again = run(KEY, prior, hyper), run(KEY, prior, hyper)
    jax.tree.map(np.testing.assert_array_equal, first, again)
    other = run(KEY, prior, make_hyperparameters(noise=0.03))
    assert float(other.validation_error) != float(first.validation_error)


def test_vmap_over_any_hyperparameter_is_the_stacked_loop(split, prior, config, run):
    base = make_hyperparameters(noise=0.02)
    swept = {
        "trust": jnp.array([[0.0, 0.0], [0.05, 0.01], [1.0, 1.0]]),
        "noise": jnp.array([0.0, 0.02, 0.05]),
        "learning_rate": jnp.array([1e-3, 2e-3, 5e-4]),
        "schedule": jax.tree.map(lambda *s: jnp.stack(s), make_schedule(), make_schedule(5, 0.5, 6, 0.2), no_pruning()),
        "target_sparsity": jnp.array([0.0, 0.7, 0.72]),
        "data_weight": jnp.array([1.0, 0.9, 0.5]),
        "strengths": jnp.zeros((3, 2)),
    }
    hyper = eqx.tree_at(lambda h: [getattr(h, name) for name in swept], base, list(swept.values()))
    keys = jax.random.split(KEY, 3)
    batch = jax.jit(jax.vmap(lambda k, h: fit(k, split, prior, h, config)))(keys, hyper)
    for lane in range(3):
        alone = run(keys[lane], prior, jax.tree.map(lambda leaf, lane=lane: leaf[lane], hyper))
        together = jax.tree.map(lambda leaf, lane=lane: leaf[lane], batch)
        jax.tree.map(np.testing.assert_array_equal, alone.masks, together.masks)
        np.testing.assert_allclose(alone.curves.validation_error, together.curves.validation_error, rtol=1e-3)
        assert int(alone.epoch) == int(together.epoch)


def test_one_compilation_for_four_methods_any_trust_and_any_seed(split, prior, config):
    @jax.jit
    @eqx.debug.assert_max_traces(max_traces=1)
    def compiled(key, prior, hyper):
        return fit(key, split, prior, hyper, config).validation_error

    errors = set()
    for seed, (name, trust) in enumerate(
        [("dense", None), ("imp", None), ("bioprune", None), ("dash", (0.05, 0.01)), ("dash", (0.5, 0.9))]
    ):
        method = find_method(name)
        hyper = method.hyperparameters(24, trust or (0, 0))
        errors.add(float(compiled(jax.random.key(seed), prior, hyper)))
    assert len(errors) == 5


def test_cutting_a_run_into_calls_changes_nothing(split, prior, config, run):
    hyper = make_hyperparameters(noise=0.02)
    whole = run(KEY, prior, hyper)
    state = start(KEY, split, hyper, config)
    step = jax.jit(lambda state, epochs: advance(KEY, split, prior, hyper, config, state, epochs))
    pieces = []
    for first in range(1, 25, 8):
        state, curves = step(state, jnp.arange(first, first + 8))
        pieces.append(curves.validation_error)
    np.testing.assert_allclose(jnp.concatenate(pieces), whole.curves.validation_error, rtol=1e-5)
    jax.tree.map(np.testing.assert_array_equal, state.chosen.masks, whole.masks)


def test_selection_keeps_to_the_target_sparsity(run, prior, split, config):
    curves = run(KEY, prior, make_hyperparameters()).curves
    for target, allowed in ((0.0, range(1, 25)), (0.7, range(3, 25)), (0.73, range(10, 25)), (0.99, [24])):
        result = run(KEY, prior, make_hyperparameters(target_sparsity=target))
        best = min(allowed, key=lambda n: float(curves.validation_error[n - 1]))
        assert int(result.epoch) == best, target
        np.testing.assert_allclose(result.validation_error, curves.validation_error[best - 1], rtol=1e-5)
    last = dataclasses.replace(config, select="last", epochs=5)
    assert int(jax.jit(lambda: fit(KEY, split, prior, make_hyperparameters(), last))().epoch) == 5


def test_reported_errors_are_those_of_the_returned_model(run, prior, split):
    result = run(KEY, prior, make_hyperparameters())
    error, ok = one_step_error(result.field, transitions(split.test), FitConfig().solve)
    assert ok
    np.testing.assert_allclose(result.test_error, error, rtol=1e-5)
    error, _ = one_step_error(result.field, transitions(split.validation), FitConfig().solve)
    np.testing.assert_allclose(result.validation_error, error, rtol=1e-5)


def test_a_diverging_lane_ends_alone(split, prior, config, run):
    hyper = make_hyperparameters(noise=0.02)
    hypers = eqx.tree_at(lambda h: h.learning_rate, hyper, jnp.array([1e-3, 1e30]))
    axes = jax.tree.map(lambda _: None, hyper)
    axes = eqx.tree_at(lambda h: h.learning_rate, axes, 0, is_leaf=lambda leaf: leaf is None)
    compiled = jax.jit(jax.vmap(lambda h: fit(KEY, split, prior, h, config), in_axes=(axes,)))
    batch = compiled(hypers)
    assert [STATUSES[s] for s in batch.status] == ["finished", "diverged"]
    assert int(batch.last_epoch[1]) == 1
    assert np.isfinite(batch.curves.validation_error[0]).all()
    assert np.isnan(batch.curves.validation_error[1, 1:]).all()
    # Its neighbour is bit for bit what it would have been beside a healthy run.
    healthy = compiled(eqx.tree_at(lambda h: h.learning_rate, hyper, jnp.array([1e-3, 2e-3])))
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a[0], b[0]), batch, healthy)
    alone = run(KEY, prior, hyper)
    np.testing.assert_allclose(batch.curves.validation_error[0], alone.curves.validation_error, rtol=1e-3)


def test_early_stopping_freezes_and_the_learning_rate_follows_the_plateau(split, prior):
    config = FitConfig(field=PhoenixSpec(4), epochs=16, stop_patience=4, plateau_patience=1)
    # At rate zero nothing improves after the first epoch, so both patience counters are exact.
    hyper = make_hyperparameters(schedule=no_pruning(), learning_rate=0.0)
    result = jax.jit(lambda: fit(KEY, split, prior, hyper, config))()
    assert STATUSES[int(result.status)] == "stopped_early"
    assert int(result.last_epoch) == 5
    assert int(result.epoch) == 1
    assert np.isnan(result.curves.train_error[5:]).all()

    hyper = make_hyperparameters(schedule=make_schedule(9, 0.1, 100, 0.0), learning_rate=1e-9)
    config = dataclasses.replace(config, stop_patience=100, learning_rate_floor=8.5e-10)
    rates = jax.jit(lambda: fit(KEY, split, prior, hyper, config))().curves.learning_rate
    falling = [1, 1, 0.9, 0.9, 0.85, 0.85, 0.85, 0.85]
    np.testing.assert_allclose(rates * 1e9, [*falling, 1, 1, 0.9, 0.9, 0.85, 0.85, 0.85, 0.85], rtol=1e-5)


def test_larger_steps_average_over_their_trajectories(split, prior):
    # All six training trajectories in one step: the epoch's error is theirs, before the update.
    config = FitConfig(field=PhoenixSpec(4), epochs=1, trajectories_per_step=6)
    result = jax.jit(lambda: fit(KEY, split, prior, make_hyperparameters(), config))()
    initial = start(KEY, split, make_hyperparameters(), config).field
    expected, _ = one_step_error(initial, transitions(split.train), config.solve)
    np.testing.assert_allclose(result.curves.train_error[0], expected, rtol=1e-5)


def first_step(split, prior, hyper, **parts):
    """Return by how much a run's first gradient step moves its field, leaf by leaf."""
    config = FitConfig(epochs=1, trajectories_per_step=6, select="last", **parts)

    @jax.jit
    def moved():
        return start(KEY, split, hyper, config).field, fit(KEY, split, prior, hyper, config).field

    before, after = moved()
    return jax.tree.map(lambda a, b: np.asarray(a - b), after, before)


@pytest.mark.parametrize("spec", [PhoenixSpec(4), DirectSpec()], ids=["phoenix", "direct"])
def test_gene_multipliers_learn_five_times_as_fast_as_weights(split, prior, spec):
    # Adam's first step is as long as its rate, whatever the gradient.
    hyper = make_hyperparameters(no_pruning(), learning_rate=1e-4)
    moved = first_step(split, prior, hyper, field=spec)
    assert np.abs(moved.gene_multiplier).max() == pytest.approx(5e-4, rel=0.02)
    for layer in moved.layers():
        assert np.abs(layer).max() == pytest.approx(1e-4, rel=0.02)


def test_the_datas_error_is_weighed_in_the_loss(split, prior):
    # Plain gradient descent moves as far as the loss is steep.
    moved = {
        weight: first_step(
            split,
            prior,
            make_hyperparameters(no_pruning(), data_weight=weight),
            field=PhoenixSpec(4),
            optimiser=optax.scale(1.0),
        ).output_weight
        for weight in (0.0, 0.25, 1.0)
    }
    assert np.abs(moved[1.0]).max() > 1e-6
    assert not moved[0.0].any()
    np.testing.assert_allclose(moved[0.25], 0.25 * moved[1.0], rtol=0.05, atol=0.01 * np.abs(moved[1.0]).max())


@pytest.mark.parametrize(
    "optimiser",
    [optax.scale_by_lion(), optax.trace(0.9), optax.adamw(1.0, weight_decay=0.1)],
    ids=["lion", "trace", "adamw"],
)
def test_pruned_weights_stay_zero_with_any_optimiser(split, prior, optimiser):
    """Those that remember would go on moving what was cut."""
    config = FitConfig(field=PhoenixSpec(4), epochs=12, optimiser=optimiser, select="last")
    hyper = make_hyperparameters(make_schedule(4, 0.5, 5, 0.2), learning_rate=1e-4)
    result = jax.jit(lambda: fit(KEY, split, prior, hyper, config))()
    assert STATUSES[int(result.status)] == "finished"
    assert float(result.curves.pruned[-1]) > 0.5
    for mask, layer in zip(result.masks, result.field.layers(), strict=True):
        assert not np.asarray(layer)[~np.asarray(mask)].any()


def test_a_run_without_test_trajectories_has_no_test_error(split, prior, config, run):
    hyper = make_hyperparameters(noise=0.02)
    result = jax.jit(lambda: fit(KEY, Split(split.train, split.validation), prior, hyper, config))()
    assert np.isnan(result.test_error)
    expected = run(KEY, prior, hyper)
    np.testing.assert_allclose(result.curves.validation_error, expected.curves.validation_error, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FitConfig(select="lasst"), r"select: unknown value 'lasst' \(did you mean 'last'\?\)"),
        (lambda: FitConfig(epochs=0), "epochs: must be at least 1, got 0"),
        (lambda: FitConfig(trajectories_per_step=0), "trajectories_per_step: must be at least 1, got 0"),
        (lambda: make_hyperparameters(trust=2.0), "trust: must be between 0 and 1, got 2.0"),
        (lambda: make_hyperparameters(trust=(0.1, -0.1)), "trust: must be between 0 and 1"),
        (lambda: make_hyperparameters(noise=-1.0), "noise: must not be negative, got -1.0"),
        (lambda: make_hyperparameters(learning_rate=float("nan")), "learning_rate: must not be negative"),
        (lambda: make_hyperparameters(target_sparsity=1.1), "target_sparsity: must be between 0 and 1"),
        (lambda: make_hyperparameters(data_weight=1.5), "data_weight: must be between 0 and 1"),
    ],
)
def test_what_no_run_can_use_is_refused_with_its_name(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_one_number_of_trust_is_that_of_both_layers():
    np.testing.assert_array_equal(make_hyperparameters(trust=0.5).trust, np.float32([0.5, 0.5]))
    traced = jax.vmap(lambda trust: make_hyperparameters(trust=trust).trust)(jnp.array([0.1, 0.9]))
    np.testing.assert_array_equal(traced, np.float32([[0.1, 0.1], [0.9, 0.9]]))


def test_padding_does_not_change_the_error(split):
    field = PhoenixSpec(4).init(KEY, 12)
    steps = transitions(split.test)
    padded = eqx.tree_at(
        lambda s: (s.start, s.end, s.duration, s.valid),
        steps,
        (
            jnp.concatenate([steps.start, steps.end[:, -1:]], 1),
            jnp.concatenate([steps.end, steps.end[:, -1:] + 5], 1),
            jnp.pad(steps.duration, ((0, 0), (0, 1))),
            jnp.pad(steps.valid, ((0, 0), (0, 1), (0, 0))),
        ),
    )
    method = FitConfig().solve
    np.testing.assert_allclose(one_step_error(field, padded, method)[0], one_step_error(field, steps, method)[0])


@pytest.mark.slow
def test_dash_finds_more_of_the_truth_than_magnitude_pruning():
    from dashjax import generate_system, make_prior, relative_effects, relocate_edges, score_network, simulate_study

    system = generate_system(60, seed=3)
    data = simulate_study(system, seed=0, train=100, validation=10, test=10)
    prior = make_prior(relocate_edges(np.random.default_rng(0), system.truth, 0.05))
    config = FitConfig(epochs=100)

    @jax.jit
    def job(key, hyper):
        result = fit(key, data, prior, hyper, config)
        return score_network(relative_effects(result.field), system.truth, prior.edges), result.test_error

    steps = transitions(data.test)
    unchanged = float(jnp.mean((steps.end - steps.start) ** 2))
    scores = {}
    for name in ("dense", "imp", "dash"):
        method = find_method(name)
        hyper = method.hyperparameters(100, noise=0.025)
        scores[name], error = job(KEY, hyper)
        assert float(error) < 0.2 * unchanged
    accuracy = {name: float(score.balanced_accuracy) for name, score in scores.items()}
    assert accuracy["dash"] > accuracy["imp"] + 0.1
    assert accuracy["dash"] > 0.75
    assert accuracy["dense"] < 0.65
