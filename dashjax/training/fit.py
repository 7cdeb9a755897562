"""One run as one pure function: initialise, train, prune, select."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from dashjax.data import Prior, RestSamples, Split, Trajectories, settle
from dashjax.dynamics import AbstractField
from dashjax.sparsity import apply_masks, count_alive, mask_layers
from dashjax.training.config import ADAM, FitConfig, Hyperparameters
from dashjax.training.objective import (
    Transitions,
    add_observation_noise,
    add_rest_noise,
    one_step_error,
    rest_error,
    transitions,
)
from dashjax.training.state import Curves, FitResult, Latent, RunState, Snapshot

#: Changes whenever the same inputs would give other numbers; part of every run's identity.
NUMERICS_VERSION = 9

#: Samples at rest per gradient step.
RESTING = 32
#: Samples at rest, and their levels without noise.
AtRest = tuple[RestSamples, Array]

#: Learning rate of the objective's latent numbers, as a multiple of the weights': each is updated once per epoch only.
#: Set by hand on generated systems.
LATENT_RATE = 5.0


def fit(
    key: PRNGKeyArray, data: Split, prior: Prior, hyper: Hyperparameters, config: FitConfig | None = None
) -> FitResult:
    """Fit one model: train a field while pruning it towards a sparse network.

    Pure, so `jax.jit` it with `config` closed over or static, and `jax.vmap` it over keys, priors or
    any leaf of `hyper`:

        method, config = find_method("dash"), FitConfig(epochs=100)
        run = jax.jit(fit, static_argnames="config")
        result = run(jax.random.key(0), data, prior, method.hyperparameters(100), method.configure(config))

    Examples:
        >>> from dashjax import find_method, generate_system, make_prior, simulate_study
        >>> system, method = generate_system(8, seed=0), find_method("dash")
        >>> data = simulate_study(system, 0, train=4, validation=1, test=1, times=(0.0, 1.0))
        >>> config = method.configure(FitConfig(epochs=2))
        >>> result = fit(jax.random.key(0), data, make_prior(system.truth), method.hyperparameters(2), config)
        >>> result.curves.train_error.shape, int(result.last_epoch)
        ((2,), 2)

    Args:
        key: seeds the initial weights and scores, the observation noise and the order of steps.
        data: trajectories to train on, validate on and, where there are any, test on.
        prior: prior edges in the trajectories' gene order.
        hyper: the swept numbers.
        config: what shapes the program; `FitConfig()` if None.

    Returns:
        The selected model, the curves and the run's health.
    """
    config = FitConfig() if config is None else config
    state = start(key, data, hyper, config)
    epochs = jnp.arange(1, config.epochs + 1)
    state, curves = advance(key, data, prior, hyper, config, state, epochs)
    return finish(state, curves, data, config)


def start(key: PRNGKeyArray, data: Split, hyper: Hyperparameters, config: FitConfig) -> RunState:
    """Return a run before its first epoch."""
    key_field, key_scores, _, _ = jax.random.split(key, 4)
    latent = config.objective.init(observe(key, data, hyper).train)
    field = config.field.init(key_field, data.train.n_genes)
    pruner = config.rule.init(key_scores, field)
    gate = config.gate.init(jax.random.fold_in(key_field, 1), field)
    infinity, zero = jnp.asarray(jnp.inf), jnp.asarray(0, jnp.int32)
    return RunState(
        field=field,
        gate=gate,
        latent=Latent(latent, jnp.zeros_like(latent), jnp.zeros_like(latent)),
        pruner=pruner,
        moments=config.optimiser.init((field, gate)),
        learning_rate=hyper.learning_rate,
        plateau_best=infinity,
        plateau_wait=zero,
        best=infinity,
        wait=zero,
        chosen=Snapshot(field, pruner.masks, infinity, zero, jnp.asarray(False)),
        running=jnp.asarray(True),
        status=zero,
        last_epoch=zero,
    )


def allow_regulators(state: RunState, regulators: Bool[Array, " gene"]) -> RunState:
    """Return a run in which only some genes may regulate: the other genes' columns of the first layer are dead.

    Args:
        state: a run before its first epoch.
        regulators: True for genes that may regulate.
    """
    first, *rest = state.pruner.masks
    masks = (first & state.field.of_regulators(regulators), *rest)
    return eqx.tree_at(lambda s: (s.field, s.pruner.masks), state, (apply_masks(masks, state.field), masks))


def advance(
    key: PRNGKeyArray,
    data: Split,
    prior: Prior,
    hyper: Hyperparameters,
    config: FitConfig,
    state: RunState,
    epochs: Int[Array, " epoch"],
) -> tuple[RunState, Curves]:
    """Train for the given epochs, numbered from 1, and return the new state and their curves.

    Cutting a run into several calls changes nothing: noise and step order depend on `key` and the
    epoch's number alone, and numbers past the last epoch do nothing, so calls may be of equal length.
    Under `vmap`, pass `epochs` unbatched and pruning stays conditional.
    """
    observed = observe(key, data, hyper)
    train, held_out = observed.train, transitions(observed.validation)
    rest = None if observed.rest is None else (observed.rest, settle(observed.rest).levels)
    key_order = jax.random.split(key, 4)[3]

    def epoch(state: RunState, number):
        def run(state):
            key_epoch = jax.random.fold_in(key_order, number)
            order = jax.random.permutation(key_epoch, data.train.n_trajectories)
            # A cut before the last epoch would leave a model that no plateau has healed.
            due = hyper.schedule.due(number) & (number < config.epochs)
            state = jax.lax.cond(due, lambda s: _prune(s, prior, hyper, number, config), lambda s: s, state)
            trained, error = train_epoch(
                jax.random.fold_in(key_epoch, 1), state, number, train, order, prior, hyper, config, rest
            )
            return _conclude_epoch(state, trained, error, held_out, hyper, number, config, rest)

        def idle(state):
            nothing = jnp.full((), jnp.nan)
            return state, Curves(nothing, nothing, nothing, nothing)

        return jax.lax.cond(state.running & (number <= config.epochs), run, idle, state)

    return jax.lax.scan(epoch, state, epochs)


def observe(key: PRNGKeyArray, data: Split, hyper: Hyperparameters) -> Split:
    """Return the data as a run with this key observes them: noise on all but the test trajectories."""
    _, _, key_noise, _ = jax.random.split(key, 4)
    key_train, key_validation = jax.random.split(key_noise)
    key_rest = jax.random.fold_in(key_noise, 1)
    return Split(
        add_observation_noise(key_train, data.train, hyper.noise),
        add_observation_noise(key_validation, data.validation, hyper.noise),
        data.test,
        add_rest_noise(key_rest, data.rest, hyper.noise),
    )


def finish(state: RunState, curves: Curves, data: Split, config: FitConfig) -> FitResult:
    """Return the selected model of a run, with its test error."""
    chosen, test_error = state.chosen, jnp.asarray(jnp.nan)
    if data.test is not None:
        test_error, _ = one_step_error(chosen.field, transitions(data.test), config.solve)
    return FitResult(
        field=chosen.field,
        masks=chosen.masks,
        epoch=chosen.epoch,
        validation_error=chosen.validation_error,
        test_error=test_error,
        curves=curves,
        status=state.status,
        last_epoch=state.last_epoch,
    )


def _prune(state: RunState, prior: Prior, hyper: Hyperparameters, number, config: FitConfig) -> RunState:
    """Cut weights, forget their moments, and reset the learning rate where anything was cut."""
    fraction = hyper.schedule.cut(number)
    pruner = config.rule.prune(state.pruner, state.field, prior, hyper.trust, fraction)
    cut = fraction > 0

    return eqx.tree_at(
        lambda s: (s.field, s.pruner, s.moments, s.learning_rate, s.plateau_best, s.plateau_wait),
        state,
        (
            apply_masks(pruner.masks, state.field),
            pruner,
            _forget_dead(pruner.masks, state.moments),
            jnp.where(cut, hyper.learning_rate, state.learning_rate),
            jnp.where(cut, jnp.inf, state.plateau_best),
            jnp.where(cut, 0, state.plateau_wait),
        ),
    )


def train_epoch(
    key: PRNGKeyArray,
    state: RunState,
    number: Int[Array, ""],
    train: Trajectories,
    order: Int[Array, " trajectory"],
    prior: Prior,
    hyper: Hyperparameters,
    config: FitConfig,
    rest: AtRest | None = None,
) -> tuple[RunState, Array]:
    """Take one gradient step per trajectory (or per few), in the given order.

    Every step sees some of the samples at rest too, drawn with replacement; where there are no trajectories, there are
    as many steps as it takes to see all of them.

    Args:
        key: for gates and penalties that draw.
        state: the run so far.
        number: the epoch, from 1; each trajectory's latent numbers have been updated once per epoch before.
        train: training trajectories as observed.
        order: in which they are taken.
        prior: prior edges.
        hyper: the swept numbers.
        config: what shapes the program.
        rest: samples at rest, and their levels without noise.

    Returns:
        The run with its field, gate, latent numbers and moments updated, and the mean error of the steps.
    """
    adam = ADAM
    rates = state.field.relative_rates(), jax.tree.map(lambda _: 1.0, state.gate)
    masks = state.pruner.masks
    per_step = config.trajectories_per_step
    samples = 0 if rest is None else rest[0].n_samples
    at_once = min(samples, RESTING)
    if order.size:
        missing = -order.size % per_step
        rows = jnp.concatenate([order, order[:missing]]).reshape(-1, per_step)
    else:
        rows = jnp.zeros((-(-samples // max(at_once, 1)), 0), int)

    def step(carry, index_and_rows):
        trained, moments, latent = carry
        index, rows = index_and_rows
        # Methods that draw nothing never use these, and the compiler drops them.
        key_gate, key_penalty = jax.random.split(jax.random.fold_in(key, index))

        def loss(trained, latent):
            field, gate = trained
            acting = config.gate.sample(key_gate, gate, field)
            error = config.objective.error(acting, latent, train[rows], config.solve)
            if rest is not None:
                drawn = jax.random.choice(jax.random.fold_in(key_gate, 1), samples, (at_once,), replace=False)
                error = error + rest_error(acting, rest[0][drawn], rest[1][drawn])
            penalty = config.penalty(key_penalty, field, gate, prior, hyper.strengths)
            return hyper.data_weight * error + penalty, error

        mine = jax.tree.map(lambda leaf: leaf[rows], latent)
        value_and_gradients = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)
        (_, error), (gradient, latent_gradient) = value_and_gradients(trained, mine.value)
        # Dead weights see no gradient and take no update, whatever the optimiser remembers, so they stay exactly zero.
        gradient = _of_living(masks, gradient)
        update, moments = config.optimiser.update(gradient, moments, trained)
        update = _of_living(masks, update)
        field, gate = jax.tree.map(lambda p, u, r: p - state.learning_rate * r * u, trained, update, rates)
        field = config.penalty.shrink(field, prior, hyper.strengths, state.learning_rate)
        before = optax.ScaleByAdamState(number - 1, mine.mean, mine.square)
        update, after = adam.update(latent_gradient, before)
        moved = Latent(mine.value - state.learning_rate * LATENT_RATE * update, after.mu, after.nu)
        latent = jax.tree.map(lambda whole, part: whole.at[rows].set(part), latent, moved)
        return ((field, gate), moments, latent), error

    numbered = jnp.arange(len(rows)), rows
    begun = (state.field, state.gate), state.moments, state.latent
    ((field, gate), moments, latent), errors = jax.lax.scan(step, begun, numbered)
    gate = config.gate.tidy(gate, field)
    state = eqx.tree_at(lambda s: (s.field, s.gate, s.moments, s.latent), state, (field, gate, moments, latent))
    return state, jnp.mean(errors)


def _forget_dead(masks, moments):
    """Return an optimiser's state without what it remembers of dead weights: every (field, gate) pair in it."""

    def is_pair(node):
        return isinstance(node, tuple) and len(node) == 2 and isinstance(node[0], AbstractField)

    return jax.tree.map(lambda node: _of_living(masks, node) if is_pair(node) else node, moments, is_leaf=is_pair)


def _of_living(masks, tree):
    """Return a (field, gate) pair of gradients or updates without those of dead weights."""
    for_field, for_gate = tree
    return for_field.with_layers(mask_layers(masks, for_field.layers())), for_gate


def _conclude_epoch(
    before: RunState, state: RunState, train_error, validation: Transitions, hyper, number, config: FitConfig, rest
) -> tuple[RunState, Curves]:
    """Validate, lower the learning rate on a plateau, select, and decide whether to go on."""
    settled = config.gate.settle(state.gate, state.field)
    error, solved = one_step_error(settled, validation, config.solve)
    if not validation.duration.size:
        # Nothing is held out where all samples are at rest, for each tells what no other does.
        error = rest_error(settled, *rest)
    healthy = solved & jnp.isfinite(error) & jnp.isfinite(train_error)

    better_plateau = error < state.plateau_best - config.plateau_threshold
    plateau_wait = jnp.where(better_plateau, 0, state.plateau_wait + 1)
    lower = plateau_wait > config.plateau_patience
    lowered = jnp.maximum(state.learning_rate * config.plateau_factor, config.learning_rate_floor)
    learning_rate = jnp.where(lower, jnp.minimum(lowered, state.learning_rate), state.learning_rate)

    acting = config.gate.masks(state.gate, state.field)
    masks = tuple(alive & acts for alive, acts in zip(state.pruner.masks, acting, strict=True))
    pruned = 1 - count_alive(masks) / sum(mask.size for mask in masks)
    # Each cut rounds to whole weights, so small layers may miss the planned share by a little.
    eligible = pruned >= hyper.target_sparsity - 2e-3
    better = ~eligible | (error < state.best)
    wait = jnp.where(better, 0, state.wait + 1)
    exhausted = wait >= config.stop_patience

    chosen = state.chosen
    improves = error < chosen.validation_error
    # Until the target sparsity is reached the latest model stands in.
    take = ~chosen.eligible | (eligible & (improves | (config.select == "last")))
    snapshot = Snapshot(settled, masks, error, jnp.asarray(number), eligible)
    chosen = jax.tree.map(lambda new, old: jnp.where(take, new, old), snapshot, chosen)

    concluded = RunState(
        field=state.field,
        gate=state.gate,
        latent=state.latent,
        pruner=state.pruner,
        moments=state.moments,
        learning_rate=learning_rate,
        plateau_best=jnp.where(better_plateau, error, state.plateau_best),
        plateau_wait=jnp.where(lower, 0, plateau_wait),
        best=jnp.where(eligible & better, error, state.best),
        wait=wait,
        chosen=chosen,
        running=~exhausted,
        status=jnp.where(exhausted, 1, 0),
        last_epoch=jnp.asarray(number),
    )
    diverged = eqx.tree_at(
        lambda s: (s.running, s.status, s.last_epoch),
        before,
        (jnp.asarray(False), jnp.asarray(2), jnp.asarray(number)),
    )
    state = jax.tree.map(lambda good, bad: jnp.where(healthy, good, bad), concluded, diverged)
    return state, Curves(train_error, error, learning_rate, pruned)
