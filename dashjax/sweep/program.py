"""The compiled program of a sweep: begin, advance and conclude runs, one or many at a time.

The only module that batches. Everything it calls is a single-run function.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dashjax.data import Prior, Split
from dashjax.evidence import EnsemblePosterior, edges_at_precision, ensemble_posterior
from dashjax.networks import NetworkScores, relative_effects, score_network
from dashjax.sparsity import Schedule, sparsity
from dashjax.sweep.grid import Cell
from dashjax.sweep.plan import Chunk
from dashjax.sweep.study import Study, stack
from dashjax.training import (
    Curves,
    FitConfig,
    FitResult,
    Hyperparameters,
    RunState,
    advance,
    advance_members,
    finish,
    finish_members,
    observe,
    start,
    start_members,
)

#: Epochs per call of the compiled program: how finely a sweep can be watched and interrupted.
EPOCHS_PER_CALL = 10

#: Expected precision of the edge set that an ensemble returns.
PRECISION = 0.9

#: On a CPU each worker thread runs its own single-threaded program. Two of them do 2.2 times the work
#: of one program that spreads its small matrix products over two cores.
CPU_OPTIONS: dict[str, Any] = {"xla_cpu_multi_thread_eigen": False}


class Outcome(eqx.Module):
    """What is kept of a run.

    Attributes:
        result: the selected model, its errors and the curves; an ensemble's first member, which saw all trajectories.
        scores: of its network against the truth.
        sparsity: share of exact zeros among the model's effective weights.
        posterior: of an ensemble's edges; None for a single run.
    """

    result: FitResult
    scores: NetworkScores
    sparsity: Float[Array, ""]
    posterior: EnsemblePosterior | None


class Programs:
    """All programs of a study on one device: one `Program` per configuration, made when first needed.

    Args:
        study: what the runs share.
        device: where to run.
        batched: whether a chunk is a batch of runs under one `vmap`, or a single run.
    """

    def __init__(self, study: Study, device: jax.Device, batched: bool):
        self.study, self.device, self.batched = study, device, batched
        self._programs: dict[FitConfig, Program] = {}
        self._lock = threading.Lock()

    def run(self, chunk: Chunk, on_epochs=lambda epochs: None, stop=lambda: False) -> Outcome | None:
        """Run a chunk to the end; see `Program.run`."""
        with self._lock:
            if chunk.config not in self._programs:
                self._programs[chunk.config] = Program(self.study, chunk.config, self.device, self.batched)
        return self._programs[chunk.config].run(chunk.cells, on_epochs, stop)

    @property
    def compilations(self) -> int:
        """Programs compiled so far."""
        return sum(program.compilations for program in self._programs.values())

    @property
    def compile_seconds(self) -> float:
        """Seconds spent on that."""
        return sum(program.compile_seconds for program in self._programs.values())


class Program:
    """Compiled functions for the runs of one configuration on one device.

    Args:
        study: what the runs share.
        config: what shapes the program.
        device: where to run.
        batched: whether a chunk is a batch of runs under one `vmap`, or a single run.
    """

    def __init__(self, study: Study, config: FitConfig, device: jax.Device, batched: bool):
        self.study, self.config, self.device, self.batched = study, config, device, batched
        self.data = jax.device_put(study.data, device)
        self.truth = jax.device_put(jnp.asarray(study.system.truth, jnp.float32), device)
        self.compilations, self.compile_seconds = 0, 0.0
        self._compiled: dict[Any, Any] = {}
        self._lock = threading.Lock()

        def split(rows, data):
            """Return a run's own division into training and validation trajectories."""
            pool = data.seen()
            return Split(pool[rows[0]], pool[rows[1]], data.test)

        begin, proceed, conclude = _single(config) if config.members is None else _ensemble(config, config.members)

        # When to prune is the same for a whole batch, so that pruning stays conditional under vmap.
        shared = {"first_epoch": None, "every": None}
        hyper_axes = Hyperparameters(Schedule(first_fraction=0, fraction=0, **shared), *[0] * 6)  # type: ignore[arg-type]
        self._begin = self._lift(
            lambda key, hyper, rows, data: begin(key, split(rows, data), hyper), (0, hyper_axes, 0, None)
        )
        self._advance = self._lift(
            lambda key, prior, hyper, rows, state, epochs, data: proceed(
                key, split(rows, data), prior, hyper, state, epochs
            ),
            (0, 0, hyper_axes, 0, 0, None, None),
        )
        self._conclude = self._lift(
            lambda key, prior, hyper, rows, state, curves, data, truth: conclude(
                key, split(rows, data), prior, hyper, state, curves, truth
            ),
            (0, 0, hyper_axes, 0, 0, 0, None, None),
        )

    def _lift(self, function, axes):
        return jax.vmap(function, in_axes=axes) if self.batched else function

    def run(self, cells: Sequence[Cell], on_epochs=lambda epochs: None, stop=lambda: False) -> Outcome | None:
        """Run a chunk of cells to the end.

        Args:
            cells: the runs; exactly one where the program is not batched.
            on_epochs: called with the number of epochs each run has just advanced.
            stop: asked between calls; a chunk that is stopped returns None.

        Returns:
            Outcomes as numpy arrays with a leading run axis.
        """
        keys = [jax.random.key(cell.seed) for cell in cells]
        priors: list[Prior] = [self.study.prior_of(cell) for cell in cells]
        hypers = [cell.hyperparameters() for cell in cells]
        rows = [jax.tree.map(jnp.asarray, self.study.rows_of(cell)) for cell in cells]
        assert self.batched or len(cells) == 1
        assert len({tuple(map(int, _timing(hyper))) for hyper in hypers}) == 1
        key, prior, hyper, row = (stack(t) if self.batched else t[0] for t in (keys, priors, hypers, rows))
        if self.batched:
            hyper = eqx.tree_at(_timing, hyper, _timing(hypers[0]))
        key, prior, hyper, row = jax.device_put((key, prior, hyper, row), self.device)

        state = self._call("begin", self._begin, key, hyper, row, self.data)
        total, done, curves = self.config.epochs, 0, []
        while done < total:
            if stop():
                return None
            # Always the same number of epochs, so that one program serves; those past the end do nothing.
            epochs = jnp.arange(done + 1, done + EPOCHS_PER_CALL + 1)
            state, piece = self._call("advance", self._advance, key, prior, hyper, row, state, epochs, self.data)
            curves.append(jax.tree.map(np.asarray, piece))
            before, done = done, min(done + EPOCHS_PER_CALL, total)
            if not np.any(np.asarray(state.running)):
                done = total
            on_epochs((done - before) * (self.config.members or 1))
        joined: Curves = jax.tree.map(partial(_join, epochs=total), *curves)
        outcome = self._call("conclude", self._conclude, key, prior, hyper, row, state, joined, self.data, self.truth)
        outcome = jax.tree.map(np.asarray, outcome)
        return outcome if self.batched else jax.tree.map(lambda leaf: leaf[None], outcome)

    def compiled(self) -> list[Any]:
        """Return the programs compiled so far."""
        return list(self._compiled.values())

    def _call(self, name, function, *arguments):
        """Call a function compiled once per name and argument shapes, shared by all threads."""
        shapes = (name, *[leaf.shape for leaf in jax.tree.leaves(arguments)])
        with self._lock:
            if shapes not in self._compiled:
                began = time.perf_counter()
                options = CPU_OPTIONS if self.device.platform == "cpu" else None
                # A run's state is replaced by each call, so its memory is handed on instead of copied.
                donated = [n for n, part in enumerate(arguments) if name == "advance" and isinstance(part, RunState)]
                lowered = jax.jit(function, donate_argnums=donated).lower(*arguments)
                self._compiled[shapes] = lowered.compile(compiler_options=options)
                self.compilations += 1
                self.compile_seconds += time.perf_counter() - began
        return self._compiled[shapes](*arguments)


def _single(config: FitConfig):
    """Return how to begin, go on with and conclude a run whose weights are its network."""

    def begin(key, data, hyper):
        return start(key, data, hyper, config)

    def proceed(key, data, prior, hyper, state, epochs):
        return advance(key, data, prior, hyper, config, state, epochs)

    def conclude(key, data, prior, hyper, state, curves, truth):
        result = finish(state, curves, data, config)
        scores = score_network(relative_effects(result.field), truth, prior.edges)
        return Outcome(result, scores, sparsity(result.field.effective_layers()), None)

    return begin, proceed, conclude


def _ensemble(config: FitConfig, members: int):
    """Return the same for an ensemble, whose network is the posterior of its edges."""

    def begin(key, data, hyper):
        return start_members(key, data, hyper, config, members)

    def proceed(key, data, prior, hyper, states, epochs):
        return advance_members(key, data, prior, hyper, config, states, epochs)

    def conclude(key, data, prior, hyper, states, curves, truth):
        results = finish_members(states, curves, data, config)
        observed = observe(key, data, hyper).seen()
        posterior = ensemble_posterior(
            key, results.field, observed, prior, PRECISION, config.solve, along=config.objective.along
        )
        first = jax.tree.map(lambda leaf: leaf[0], results)
        probability = posterior.posterior.probability
        returned = edges_at_precision(probability, PRECISION)
        scores = score_network(probability, truth, prior.edges, returned)
        return Outcome(first, scores, sparsity(first.field.effective_layers()), posterior)

    return begin, proceed, conclude


def _timing(hyper: Hyperparameters) -> tuple[Array, Array]:
    """Return when a run prunes: one of the few things that all runs of a batch must share."""
    return hyper.schedule.first_epoch, hyper.schedule.every


def _join(*pieces: np.ndarray, epochs: int) -> Array:
    """Join a curve's pieces along the epochs, cut or filled up with NaN to so many."""
    curve = np.concatenate(pieces, axis=-1)[..., :epochs]
    rest = epochs - curve.shape[-1]
    return jnp.asarray(np.pad(curve, [(0, 0)] * (curve.ndim - 1) + [(0, rest)], constant_values=np.nan))
