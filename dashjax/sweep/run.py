"""Running a sweep: cells to workers, outcomes to the store."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from dashjax.errors import InputError
from dashjax.networks import score_network
from dashjax.sweep.grid import Cell, Grid, expand
from dashjax.sweep.program import Outcome, Program
from dashjax.sweep.store import Store, missing
from dashjax.sweep.study import Study, make_study
from dashjax.training import STATUSES

#: Scores of a network that become columns of the results.
SCORES = (
    "balanced_accuracy",
    "precision",
    "recall",
    "aupr",
    "auroc",
    "early_precision",
    "aupr_outside_prior",
    "aupr_inside_prior",
    "n_edges",
)
#: Row name of the prior scored as if it were a fitted network.
PRIOR_ONLY = "prior_only"


@dataclass
class Progress:
    """How far a sweep is.

    Attributes:
        runs: runs to do now (finished ones of an earlier call are not counted).
        finished: of these, done.
        epochs: run-epochs to do now.
        trained: of these, done.
        skipped: runs found finished in the store.
        diverged: runs that ended without a finite error.
        seconds: since the sweep began.
    """

    runs: int
    epochs: int
    skipped: int
    finished: int = 0
    trained: int = 0
    diverged: int = 0
    started: float = dataclass_field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Return the seconds since the sweep began."""
        return time.monotonic() - self.started


@dataclass(frozen=True)
class Results:
    """A finished sweep.

    Attributes:
        table: one row per run, and one per corrupted prior scored alone.
        study: what the runs shared.
        store: where models and curves are.
        compilations: programs compiled.
    """

    table: pd.DataFrame
    study: Study
    store: Store
    compilations: int


def run_sweep(
    grid: Grid,
    folder: Path | str,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    workers: int | None = None,
    chunk: int | None = None,
    shard: tuple[int, int] = (1, 1),
) -> Results:
    """Run every cell of a grid that the folder does not hold yet, and collect what it holds then.

    Args:
        grid: what to run.
        folder: results folder; runs found finished there are not repeated. Several processes may share it.
        on_progress: called from this thread whenever a run has advanced.
        workers: threads, each with its own runs; the number of cores on a single-device CPU, one per device
            otherwise.
        chunk: runs per batch; 1 on a CPU, 64 on an accelerator.
        shard: (i, n) runs only the i-th of n equal shares of the grid, counted from 1.

    Raises:
        InputError: where the folder is not writable or holds another study, or the shard is out of range.
        KeyboardInterrupt: after the running chunks were abandoned; finished ones are kept.
    """
    index, count = shard
    if not 1 <= index <= count:
        raise InputError(f"--shard: {index}/{count} is out of range, expected i/n with 1 <= i <= n")
    study = make_study(grid)
    store = Store(folder, study.fingerprint, {"grid": grid.model_dump(mode="json")})
    # Every n-th cell, so that slow and fast methods are spread over all shards.
    cells = expand(grid)[index - 1 :: count]
    identities = [cell.identity(study.fingerprint) for cell in cells]
    todo = missing(cells, identities, set(store.rows()["id"]))
    devices = jax.local_devices()
    on_cpu = devices[0].platform == "cpu"
    size = chunk or (1 if on_cpu else 64)
    programs = [Program(study, device, batched=size > 1) for device in devices]
    # A CPU that is one device to JAX still has cores: each gets a worker, all sharing one program.
    share = usable_cores() if on_cpu and len(devices) == 1 else 1
    lanes = programs * (workers or share) if len(devices) == 1 else programs
    chunks = [todo[at : at + size] for at in range(0, len(todo), size)]
    progress = Progress(runs=len(todo), epochs=len(todo) * grid.epochs, skipped=len(cells) - len(todo))
    store.log("start", runs=progress.runs, skipped=progress.skipped, shard=f"{index}/{count}", devices=len(devices))
    _work(lanes, chunks, study, store, progress, on_progress)
    store.log("end", finished=progress.finished, diverged=progress.diverged)
    return collect(grid, study, store, sum(program.compilations for program in programs))


def collect(grid: Grid, study: Study, store: Store, compilations: int = 0) -> Results:
    """Return what a store holds of a grid, finished or not, beside the prior alone."""
    identities = [cell.identity(study.fingerprint) for cell in expand(grid)]
    rows = store.rows().set_index("id")
    rows = rows.loc[[identity for identity in identities if identity in rows.index]].reset_index()
    table = pd.concat([rows, prior_only_rows(grid, study)], ignore_index=True)
    return Results(table, study, store, compilations)


def _work(
    lanes: Sequence[Program],
    chunks: Sequence[Sequence[Cell]],
    study: Study,
    store: Store,
    progress: Progress,
    on_progress: Callable[[Progress], None],
) -> None:
    """Let every lane take the next chunk until none is left; write outcomes from this thread."""
    waiting: queue.SimpleQueue = queue.SimpleQueue()
    for cells in chunks:
        waiting.put(cells)
    events: queue.SimpleQueue = queue.SimpleQueue()
    stop = threading.Event()

    def lane(program: Program) -> None:
        try:
            while not stop.is_set():
                try:
                    cells = waiting.get_nowait()
                except queue.Empty:
                    break
                began = time.monotonic()
                outcome = program.run(cells, lambda n, c=cells: events.put(("epochs", n * len(c))), stop.is_set)
                if outcome is not None:
                    events.put(("chunk", cells, outcome, time.monotonic() - began))
        except BaseException as error:  # handed to the caller's thread, which raises it
            events.put(("error", error))
        finally:
            events.put(("done",))

    threads = [threading.Thread(target=lane, args=(program,), daemon=True) for program in lanes[: len(chunks)]]
    on_progress(progress)
    for thread in threads:
        thread.start()
    running = len(threads)
    try:
        while running:
            kind, *content = events.get()
            if kind == "epochs":
                progress.trained += content[0]
            elif kind == "chunk":
                cells, outcome, seconds = content
                rows, arrays = _records(cells, outcome, study, seconds)
                store.write(rows, arrays)
                for row in rows:
                    store.log("run", **{name: row[name] for name in ("id", "method", "seed", "status", "seconds")})
                progress.finished += len(cells)
                progress.diverged += int((outcome.result.status == STATUSES.index("diverged")).sum())
            elif kind == "error":
                raise content[0]
            else:
                running -= 1
            on_progress(progress)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _records(
    cells: Sequence[Cell], outcome: Outcome, study: Study, seconds: float
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Turn a chunk's outcomes into table rows and arrays."""
    result = outcome.result
    rows = []
    for number, cell in enumerate(cells):
        scores = {name: float(getattr(outcome.scores, name)[number]) for name in SCORES}
        rows.append(
            {
                "id": cell.identity(study.fingerprint),
                **asdict(cell),
                "sparsity": float(outcome.sparsity[number]),
                **scores,
                "test_mse": float(result.test_error[number]),
                "validation_mse": float(result.validation_error[number]),
                "status": STATUSES[int(result.status[number])],
                "selected_epoch": int(result.epoch[number]),
                "last_epoch": int(result.last_epoch[number]),
                "seconds": seconds / len(cells),
            }
        )
    field = result.field
    arrays = {f"field_{name}": np.asarray(getattr(field, name)) for name in field.__dataclass_fields__}
    arrays |= {name: np.asarray(getattr(result.curves, name)) for name in result.curves.__dataclass_fields__}
    return rows, arrays


def prior_only_rows(grid: Grid, study: Study) -> pd.DataFrame:
    """Score each corrupted prior as if it were a fitted network: the bar every method has to clear."""
    score = jax.jit(score_network)
    rows = []
    for corruption in grid.prior_corruption:
        for seed in grid.seeds:
            prior = study.prior(corruption, seed).edges
            scores = score(prior, study.system.truth, prior)
            rows.append(
                {
                    "method": PRIOR_ONLY,
                    "seed": seed,
                    "prior_corruption": corruption,
                    "sparsity": float((np.asarray(prior) == 0).mean()),
                    **{name: float(getattr(scores, name)) for name in SCORES},
                    "status": "finished",
                }
            )
    return pd.DataFrame(rows)


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
