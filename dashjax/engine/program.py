"""Compiled programs: train runs, judge and weigh what came of them, one or many at a time.

The only module that batches. Everything it calls is a single-run function.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from dashjax.data import Problem, RestSamples, Split, Trajectories
from dashjax.dynamics import field_of_arrays
from dashjax.engine.cell import Cell, RivalCell
from dashjax.engine.work import Arrays, Chunk, Item, field_arrays
from dashjax.evidence import (
    AbstractEvidence,
    EdgePosterior,
    edge_posterior,
    edges_at_precision,
    hidden_edges_found,
    hide,
    mix_posteriors,
    path_and_step_error,
)
from dashjax.sparsity import Schedule, sparsity
from dashjax.training import (
    Curves,
    FitConfig,
    Hyperparameters,
    RunState,
    advance,
    allow_regulators,
    as_member,
    finish,
    observe,
    start,
)

#: Epochs per call of the compiled program: how finely training can be watched and interrupted.
EPOCHS_PER_CALL = 10
#: Data sets that a device holds at the same time.
PLACED = 4

#: On a CPU each worker thread runs its own single-threaded program. Two of them do 2.2 times the work
#: of one program that spreads its small matrix products over two cores.
CPU_OPTIONS: dict[str, Any] = {"xla_cpu_multi_thread_eigen": False}
#: Few runs of few genes take less time than optimising their programs does: 20 genes cold 14 s for 17 s.
QUICK_OPTIONS: dict[str, Any] = CPU_OPTIONS | {"xla_backend_optimization_level": 0}

OnEpochs = Callable[[int], None]
Stop = Callable[[], bool]


class Placed(NamedTuple):
    """A problem's data on a device.

    Attributes:
        pieces: what is trained on or held out one by one.
        test: trajectories to test on, if any.
        whole: whole trajectories, where pieces are not.
        rest: samples at rest, if any.
    """

    pieces: Trajectories
    test: Trajectories | None
    whole: Trajectories | None
    rest: RestSamples | None

    def split(self, rows) -> Split:
        """Return the data of a run."""
        return Split(self.pieces[rows[0]], self.pieces[rows[1]], self.test, self.rest)

    def seen(self, key, rows, hyper: Hyperparameters) -> tuple[Trajectories, RestSamples | None]:
        """Return everything that a run may be judged by, as it observes it."""
        observed = observe(key, self.split(rows), hyper)
        return (observed.seen() if self.whole is None else self.whole), observed.rest


class Programs:
    """Everything that a device runs, each program compiled once for all that can share it.

    Args:
        device: where to run.
        batched: whether a chunk is a batch under one `vmap`, or a single item.
        quick: whether programs are to be compiled quickly rather than well, on a CPU.
    """

    def __init__(self, device: jax.Device, batched: bool, quick: bool = False):
        self.device, self.batched = device, batched
        self.options = None
        if device.platform == "cpu":
            self.options = QUICK_OPTIONS if quick else CPU_OPTIONS
        self.compilations, self.compile_seconds = 0, 0.0
        self._compiled: dict[Any, Any] = {}
        self._compiling: dict[Any, threading.Lock] = {}
        self._placed: dict[str, Placed] = {}
        self._lock = threading.Lock()

    def run(
        self, chunk: Chunk, on_epochs: OnEpochs = lambda epochs: None, stop: Stop = lambda: False
    ) -> list[Arrays] | None:
        """Do a chunk's items; None where it was stopped.

        Args:
            chunk: what to do; a single item where programs are not batched.
            on_epochs: called with the epochs that the items have just advanced.
            stop: asked between calls.

        Returns:
            Per item, arrays by name.
        """
        if chunk.kind in HOST:
            return [HOST[chunk.kind](item) for item in chunk.items]
        parts = self._parts(chunk)
        if chunk.kind == "train":
            return self._train(chunk, parts, on_epochs, stop)
        inputs = self._judging(chunk, parts) if chunk.kind == "judge" else self._weighing(chunk, parts)
        found = jax.tree.map(np.asarray, self._call(*inputs))
        return [
            jax.tree.map(lambda leaf, n=n: leaf[n], found) if self.batched else found for n in range(len(chunk.items))
        ]

    def prepare(self, chunk: Chunk) -> None:
        """Compile what judging or weighing a chunk will need, before there are any runs to look at."""
        parts = self._parts(chunk)
        genes = len(chunk.items[0].cell.problem.genes)
        shapes = jax.eval_shape(lambda key: chunk.config.field.init(key, genes), jax.random.key(0))
        leading = (len(chunk.items),) if self.batched else ()
        fields = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((*leading, *leaf.shape), leaf.dtype), shapes)
        self._compile(*(self._judging if chunk.kind == "judge" else self._weighing)(chunk, parts, fields))

    def compiled(self) -> list[Any]:
        """Return the programs compiled so far."""
        return list(self._compiled.values())

    def _parts(self, chunk: Chunk) -> dict[str, Any]:
        """Return what every call for a chunk needs: what differs between items stacked, what they share as it is."""
        cells = _cells(chunk)
        hypers = [cell.hyper for cell in cells]
        rows = [jax.tree.map(jnp.asarray, cell.problem.rows(cell.seed, cell.fold)) for cell in cells]
        keys = [jax.random.key(cell.seed) for cell in cells]
        priors = [
            hide(cell.problem.prior, cell.seed)[0] if item.hides else cell.problem.prior
            for cell, item in zip(cells, chunk.items, strict=True)
        ]
        numbers = [None if item.member is None else jnp.asarray(item.member) for item in chunk.items]
        stacked = [self._together(trees) for trees in (keys, priors, hypers, rows, numbers)]
        if self.batched:
            stacked[2] = eqx.tree_at(_timing, stacked[2], _timing(hypers[0]))
        problem = cells[0].problem
        allowed = None if problem.regulators is None else jnp.asarray(problem.may_regulate)
        key, prior, hyper, row, number, allowed = jax.device_put((*stacked, allowed), self.device)
        data = self._place(problem)
        return dict(key=key, prior=prior, hyper=hyper, rows=row, number=number, allowed=allowed, data=data)

    def _together(self, trees: Sequence[Any]):
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees) if self.batched else trees[0]

    def _place(self, problem: Problem) -> Placed:
        """Return a problem's data on the device."""
        with self._lock:
            if problem.data_fingerprint not in self._placed:
                while len(self._placed) >= PLACED:
                    self._placed.pop(next(iter(self._placed)))
                whole = None if problem.whole else problem.observed
                data = Placed(problem.pieces, problem.test, whole, problem.rest)
                self._placed[problem.data_fingerprint] = jax.device_put(data, self.device)
            return self._placed[problem.data_fingerprint]

    def _train(self, chunk: Chunk, parts, on_epochs: OnEpochs, stop: Stop) -> list[Arrays] | None:
        begin, proceed, conclude = _training(chunk.config, self.batched)
        common = parts["key"], parts["hyper"], parts["rows"], parts["number"], parts["data"]._replace(whole=None)
        name = (chunk.config, "train")
        state = self._call((name, "begin"), begin, *common, parts["allowed"])
        total, done, curves = chunk.config.epochs, 0, []
        while done < total:
            if stop():
                return None
            # Always the same number of epochs, so that one program serves; those past the end do nothing.
            epochs = jnp.arange(done + 1, done + EPOCHS_PER_CALL + 1)
            state, piece = self._call((name, "advance"), proceed, *common, parts["prior"], state, epochs)
            curves.append(jax.tree.map(np.asarray, piece))
            before, done = done, min(done + EPOCHS_PER_CALL, total)
            if not np.any(np.asarray(state.running)):
                done = total
            on_epochs((done - before) * len(chunk.items))
        joined: Curves = jax.tree.map(partial(_join, epochs=total), *curves)
        found = jax.tree.map(np.asarray, self._call((name, "conclude"), conclude, *common, state, joined))
        lanes = range(len(chunk.items))
        results = [jax.tree.map(lambda leaf, n=n: leaf[n], found) if self.batched else found for n in lanes]
        return [_run_arrays(result, share) for result, share in results]

    def _fields(self, chunk: Chunk):
        return jax.device_put(self._together([_field(item, item.given[0]) for item in chunk.items]), self.device)

    def _judging(self, chunk: Chunk, parts, fields=None):
        inputs = parts["key"], parts["hyper"], parts["rows"], parts["data"]
        fields = self._fields(chunk) if fields is None else fields
        return (chunk.config, "judge"), _judge(chunk.config, self.batched), fields, *inputs

    def _weighing(self, chunk: Chunk, parts, fields=None):
        cells = _cells(chunk)
        # Members' chains have keys of their own.
        keys = [
            jax.random.split(jax.random.key(c.seed), c.runs)[i.member] for c, i in zip(cells, chunk.items, strict=True)
        ]
        chains = jax.device_put(self._together(keys), self.device)
        evidence = cells[0].method.evidence
        assert evidence is not None, "told by the work's kind"
        given = [parts[name] for name in ("key", "prior", "hyper", "rows", "allowed")]
        inputs = chains, *given, parts["data"]
        fields = self._fields(chunk) if fields is None else fields
        return (chunk.config, evidence, "weigh"), _weigh(chunk.config, evidence, self.batched), fields, *inputs

    def _call(self, name, function, *arguments):
        """Call a function compiled once per name and argument shapes, shared by all threads."""
        return self._compile(name, function, *arguments)(*arguments)

    def _compile(self, name, function, *arguments):
        leaves, structure = jax.tree.flatten(arguments)
        key = (name, structure, *[(leaf.shape, leaf.dtype) for leaf in leaves])
        with self._lock:
            compiling = self._compiling.setdefault(key, threading.Lock())
        # Threads that need the same program wait for it; other programs compile meanwhile.
        with compiling:
            if key not in self._compiled:
                began = time.perf_counter()
                # A run's state is replaced by each call, so its memory is handed on instead of copied.
                donated = [
                    n for n, part in enumerate(arguments) if name[-1] == "advance" and isinstance(part, RunState)
                ]
                lowered = jax.jit(function, donate_argnums=donated).lower(*arguments)
                self._compiled[key] = lowered.compile(compiler_options=self.options)
                with self._lock:
                    self.compilations += 1
                    self.compile_seconds += time.perf_counter() - began
        return self._compiled[key]


def _cells(chunk: Chunk) -> list[Cell]:
    """Return the cells of a chunk of training, judging or weighing."""
    return [item.cell for item in chunk.items if isinstance(item.cell, Cell)]


def rank(item: Item) -> Arrays:
    """Let a rival rank the edges."""
    cell = item.cell
    assert isinstance(cell, RivalCell)
    return {"ranking": cell.rival.rank(cell.problem, cell.seed)}


def mix(item: Item) -> Arrays:
    """Average what the members of an ensemble say; beside it the first member's model and curves."""
    cell = item.cell
    assert isinstance(cell, Cell)
    first, *weighed = item.given
    found, problem = None, cell.problem
    if cell.hides:
        *weighed, unknown = weighed
        probability = unknown["posterior_probability"]
        found = hidden_edges_found(problem.prior, probability, problem.may_regulate, cell.seed)
    members = [
        EdgePosterior(**{name: arrays[f"posterior_{name}"] for name in EdgePosterior.__dataclass_fields__})  # type: ignore
        for arrays in weighed
    ]
    mixture = mix_posteriors(jax.tree.map(lambda *leaves: np.stack(leaves), *members), cell.precision)
    return {
        **first,
        **posterior_arrays(mixture.posterior),
        **({} if found is None else found.arrays()),
        "frequency": np.asarray(mixture.frequency),
        "agreement": np.asarray(mixture.agreement),
    }


def estimate(item: Item) -> Arrays:
    """Estimate edges without any run."""
    cell = item.cell
    assert isinstance(cell, Cell)
    assert cell.method.estimator is not None
    posterior, found = cell.method.estimator.estimate(cell.problem, cell.seed)
    returned = np.asarray(edges_at_precision(jnp.asarray(posterior.probability), cell.precision), np.float32)
    again = {} if found is None else found.arrays()
    return {**posterior_arrays(posterior), **again, "frequency": returned, "agreement": np.ones_like(returned)}


def posterior_arrays(posterior: EdgePosterior) -> dict[str, Any]:
    """Return a posterior's arrays by name, as the engine keeps them."""
    return {f"posterior_{name}": getattr(posterior, name) for name in EdgePosterior.__dataclass_fields__}


#: Work that compiles nothing of its own.
HOST: dict[str, Callable[[Item], Arrays]] = {"rank": rank, "mix": mix, "estimate": estimate}


def _training(config: FitConfig, batched: bool):
    """Return how to begin, go on with and conclude runs."""

    def prepared(key, hyper, rows, number, data):
        split = data.split(rows)
        return (key, split, hyper) if number is None else as_member(key, split, hyper, number)

    def begin(key, hyper, rows, number, data, allowed):
        key, split, hyper = prepared(key, hyper, rows, number, data)
        state = start(key, split, hyper, config)
        return state if allowed is None else allow_regulators(state, allowed)

    def proceed(key, hyper, rows, number, data, prior, state, epochs):
        key, split, hyper = prepared(key, hyper, rows, number, data)
        return advance(key, split, prior, hyper, config, state, epochs)

    def conclude(key, hyper, rows, number, data, state, curves):
        _, split, _ = prepared(key, hyper, rows, number, data)
        result = finish(state, curves, split, config)
        return result, sparsity(result.field.effective_layers())

    common = 0, _HYPER_AXES, 0, 0, None
    return (
        _lift(begin, (*common, None), batched),
        _lift(proceed, (*common, 0, 0, None), batched),
        _lift(conclude, (*common, 0, 0), batched),
    )


def _judge(config: FitConfig, batched: bool):
    """Return how to ask by how much a run's paths and steps miss the observations."""

    def judge(field, key, hyper, rows, data):
        # A large field bends its paths through whatever it was trained on, so whole trajectories held out judge.
        judges = data.whole
        if judges is None:
            observed = observe(key, data.split(rows), hyper)
            judges = observed.validation if data.pieces.times.shape[1] > 2 else observed.seen()
        path, step = path_and_step_error(field, judges, config.solve)
        return {"path_error": path, "step_error": step}

    return _lift(judge, (0, 0, _HYPER_AXES, 0, None), batched)


def _weigh(config: FitConfig, evidence: AbstractEvidence, batched: bool):
    """Return how to weigh the evidence for every edge along one run."""

    def weigh(field, chains, key, prior, hyper, rows, allowed, data):
        observed, rest = data.seen(key, rows, hyper)
        return posterior_arrays(
            edge_posterior(
                chains, field, observed, prior, config.solve, regulators=allowed, evidence=evidence, rest=rest
            )
        )

    return _lift(weigh, (0, 0, 0, 0, _HYPER_AXES, 0, None, None), batched)


def _lift(function, axes, batched: bool):
    return jax.vmap(function, in_axes=axes) if batched else function


#: When to prune is the same for a whole batch, so that pruning stays conditional under vmap.
_HYPER_AXES = Hyperparameters(Schedule(None, 0, None, 0), *[0] * 6)  # type: ignore[arg-type]


def _timing(hyper: Hyperparameters) -> tuple[Array, Array]:
    """Return when a run prunes: one of the few things that all runs of a batch must share."""
    return hyper.schedule.first_epoch, hyper.schedule.every


def _field(item: Item, run: Arrays):
    cell = item.cell
    assert isinstance(cell, Cell)
    return field_of_arrays(cell.run_config.field, len(cell.problem.genes), field_arrays(run))


def _run_arrays(result, share) -> Arrays:
    """Return what is kept of a run."""
    numbers = ("epoch", "validation_error", "test_error", "status", "last_epoch")
    return {
        **{f"field_{name}": np.asarray(array) for name, array in result.field.arrays().items()},
        **result.curves.arrays(),
        **{f"run_{name}": np.asarray(getattr(result, name)) for name in numbers},
        "run_sparsity": np.asarray(share),
    }


def _join(*pieces: np.ndarray, epochs: int) -> Array:
    """Join a curve's pieces along the epochs, cut or filled up with NaN to so many."""
    curve = np.concatenate(pieces, axis=-1)[..., :epochs]
    rest = epochs - curve.shape[-1]
    return jnp.asarray(np.pad(curve, [(0, 0)] * (curve.ndim - 1) + [(0, rest)], constant_values=np.nan))
