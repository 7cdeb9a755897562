"""One network from trajectories and a prior, whatever the method: the core of every job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from dashjax.data import Prior, Split, Trajectories
from dashjax.dynamics import AbstractField, DirectSpec, FixedSteps
from dashjax.errors import InputError
from dashjax.evidence import EnsemblePosterior, ensemble_posterior, initial_states
from dashjax.training import (
    METHODS,
    FitConfig,
    FitResult,
    Hyperparameters,
    Method,
    WholeTrajectory,
    advance,
    advance_members,
    allow_regulators,
    find_method,
    finish,
    finish_members,
    one_step_error,
    start,
    start_members,
    transitions,
)

#: Called with epochs done, epochs to do, and a few words.
OnEpochs = Callable[[int, int, str], None]

#: What a trajectory of the published study lasts, in its unit of time.
SPAN = 9.0
#: Epochs between two progress reports.
EPOCHS_PER_CALL = 10


@dataclass(frozen=True)
class NetworkFit:
    """What a fit gives.

    Attributes:
        result: the run, or the ensemble's first, its field in the user's unit of time.
        posterior: of an ensemble's edges; None for a single run.
        method: what was fitted in the end.
        errors: root mean squares by which whole paths and single steps missed, where the method depends on them.
    """

    result: FitResult
    posterior: EnsemblePosterior | None
    method: Method
    errors: tuple[float, float] | None


def fit_network(
    trajectories: Trajectories,
    prior: Prior,
    method: Method,
    config: FitConfig,
    trust: tuple[float, float] = (0.05, 0.01),
    strength: float | None = None,
    regulators: np.ndarray | None = None,
    validation: float = 0.1,
    seed: int = 0,
    precision: float = 0.9,
    on_epochs: OnEpochs = lambda done, total, text: None,
) -> NetworkFit:
    """Fit one network, or an ensemble and the posterior of its edges, in a unit of time that suits the data.

    An ensemble on whole trajectories whose paths then miss more than single steps do is fitted again from single
    steps: the dynamics themselves are noisy or disturbed, see `path_and_step_error`.

    Args:
        trajectories: in the user's unit of time.
        prior: prior edges.
        method: with its number of members, if it is an ensemble.
        config: what shapes the program; a user's epochs are those of every run.
        trust: λ of the method.
        strength: its own number; its default if None.
        regulators: which genes may regulate; all if None.
        validation: share of the data held out.
        seed: seeds weights, order, resampling and chains.
        precision: expected precision of the edge sets whose overlap is the frequency.
        on_epochs: told of progress.

    Raises:
        InputError: on data too short to hold anything out.
    """
    allowed = np.ones(trajectories.n_genes, bool) if regulators is None else regulators
    unit = time_unit(trajectories)
    train, held = hold_out(trajectories.in_time_unit(unit), validation, seed)
    split = Split(train, held, held)
    if regulators is not None and isinstance(method.field, DirectSpec):
        method = replace(method, field=DirectSpec(tuple(int(gene) for gene in np.flatnonzero(allowed))))
    total, given = config.epochs * (method.members or 1), config
    config = method.configure(replace(config, epochs=total))
    key, trainer = jax.random.key(seed), Trainer(config, allowed)
    results = trainer(key, split, prior, method.hyperparameters(total, trust, strength), on_epochs)
    scaled = results.field
    results = eqx.tree_at(lambda r: r.field, results, scaled.in_time_unit(1 / unit))
    if config.members is None:
        return NetworkFit(results, None, method, None)
    first = jax.tree.map(lambda leaf: leaf[0], results)
    errors = None
    if f"{method.name}+steps" in METHODS:
        # A large field bends its paths through whatever it was trained on, so whole trajectories held out judge.
        judge = held if held.times.shape[1] > 2 else trajectories.in_time_unit(unit)
        errors = path_and_step_error(jax.tree.map(lambda leaf: leaf[0], scaled), judge)
        if errors[0] > errors[1]:
            on_epochs(0, config.epochs, "the dynamics are disturbed: once more, from single steps")
            steps = replace(find_method(f"{method.name}+steps"), members=method.members)
            again = fit_network(
                trajectories, prior, steps, given, trust, strength, regulators, validation, seed, precision, on_epochs
            )
            return replace(again, errors=errors)
    on_epochs(config.epochs, config.epochs, "weighing the evidence")
    posterior = trainer.weigh(key, results.field, trajectories, prior, precision)
    return NetworkFit(first, posterior, method, errors)


class Trainer:
    """Trains runs of one configuration, or ensembles, with functions compiled once for all of them.

    Args:
        config: what shapes the program.
        regulators: which genes may regulate.
    """

    def __init__(self, config: FitConfig, regulators: np.ndarray):
        allowed, members = jnp.asarray(regulators), config.members
        self.config = config
        begin: Callable = partial(start, config=config)
        proceed: Callable = advance
        self._finish: Callable = finish
        if members is not None:
            begin = partial(start_members, config=config, members=members)
            proceed, self._finish = advance_members, finish_members
        self._begin = jax.jit(lambda key, data, hyper: allow_regulators(begin(key, data, hyper), allowed))
        # A prior is an argument: closed over, its matrices would be constants of the program.
        self._proceed = jax.jit(
            lambda key, data, prior, hyper, state, numbers: proceed(key, data, prior, hyper, config, state, numbers)
        )
        self._weigh = jax.jit(
            lambda key, fields, observed, prior, precision: ensemble_posterior(
                key, fields, observed, prior, precision, regulators=allowed, along=config.objective.along
            )
        )

    def __call__(
        self,
        key: PRNGKeyArray,
        data: Split,
        prior: Prior,
        hyper: Hyperparameters,
        on_epochs: OnEpochs = lambda done, total, text: None,
    ) -> FitResult:
        """Train a run, or all members of an ensemble along a leading axis, and report now and then."""
        epochs, state = self.config.epochs, self._begin(key, data, hyper)
        pieces, done = [], 0
        while done < epochs and bool(np.any(state.running)):
            numbers = jnp.arange(done + 1, done + EPOCHS_PER_CALL + 1)
            state, piece = self._proceed(key, data, prior, hyper, state, numbers)
            pieces.append(piece)
            done = min(done + EPOCHS_PER_CALL, epochs)
            on_epochs(done, epochs, f"validation error {float(np.mean(state.chosen.validation_error)):.3g}")
        curves = jax.tree.map(lambda *parts: jnp.concatenate(parts, axis=-1)[..., :done], *pieces)
        return self._finish(state, curves, data, self.config)

    def weigh(
        self, key: PRNGKeyArray, fields: AbstractField, observed: Trajectories, prior: Prior, precision: float
    ) -> EnsemblePosterior:
        """Return the posterior of an ensemble's edges; its fields and the observations count time in one unit."""
        return self._weigh(key, fields, observed, prior, precision)


def path_and_step_error(field: AbstractField, trajectories: Trajectories) -> tuple[float, float]:
    """Return by how much whole paths and single steps miss the observations, as root mean squares.

    Were there nothing but observation noise, a step from a noisy observation would miss by more than a path that all
    observations have a say in. Where paths miss by more, the dynamics are disturbed, not only the observations.
    """
    solve = FixedSteps()
    path = WholeTrajectory().error(field, initial_states(field, trajectories, solve), trajectories, solve)
    step, _ = one_step_error(field, transitions(trajectories), solve)
    return float(path) ** 0.5, float(step) ** 0.5


def hold_out(trajectories: Trajectories, share: float, seed: int) -> tuple[Trajectories, Trajectories]:
    """Split trajectories into those to train on and those to validate on.

    Whole trajectories are held out where there are at least five; otherwise each is cut into its single
    transitions first, so that one long time course can be validated too.

    Raises:
        InputError: on a share outside (0, 1) or data too short to hold anything out.
    """
    if not 0 < share < 1:
        raise InputError(f"--validation: must be between 0 and 1, got {share:g}")
    trajectories = pieces_of(trajectories)
    count = trajectories.n_trajectories
    held = max(1, round(share * count))
    if held >= count:
        raise InputError(f"--validation: {share:g} of {count} pieces of data leaves nothing to train on")
    order = np.random.default_rng([seed, 3]).permutation(count)
    return trajectories[np.sort(order[held:])], trajectories[np.sort(order[:held])]


def time_unit(trajectories: Trajectories) -> float:
    """Return the unit to train in, in the user's: the median trajectory lasts `SPAN` of it.

    Initial rates and learning rates suit that span; a network must not depend on whether times are hours or seconds.
    """
    observed, times = np.asarray(trajectories.observed), np.asarray(trajectories.times)
    lasts = [row[seen][-1] - row[seen][0] for row, seen in zip(times, observed, strict=True)]
    return float(np.median(lasts)) / SPAN


def pieces_of(trajectories: Trajectories) -> Trajectories:
    """Return what can be held out one by one: trajectories, or single transitions where those are few."""
    return trajectories if trajectories.n_trajectories >= 5 else single_transitions(trajectories)


def single_transitions(trajectories: Trajectories) -> Trajectories:
    """Cut trajectories into pieces of two observations."""
    pieces = trajectories.in_steps()
    return pieces[np.flatnonzero(np.asarray(pieces.observed).all(axis=1))]
