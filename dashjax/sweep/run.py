"""Running a sweep: cells to workers, outcomes to the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, fields, replace
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np
import pandas as pd

from dashjax.errors import InputError
from dashjax.networks import NetworkScores, score_network
from dashjax.sweep.cluster import RayExecutor
from dashjax.sweep.events import Advanced, Event
from dashjax.sweep.grid import Grid, expand
from dashjax.sweep.local import LocalExecutor
from dashjax.sweep.plan import Chunk, plan_chunks
from dashjax.sweep.program import Outcome
from dashjax.sweep.store import Store, missing
from dashjax.sweep.study import Study, make_study
from dashjax.training import STATUSES

#: Scores of a network that become columns of the results.
SCORES = tuple(part.name for part in fields(NetworkScores))
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
        compile_seconds: spent on that.
    """

    table: pd.DataFrame
    study: Study
    store: Store
    compilations: int = 0
    compile_seconds: float = 0.0


def run_sweep(
    grid: Grid,
    folder: Path | str,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    workers: int | None = None,
    chunk: int | None = None,
    shard: tuple[int, int] | None = None,
    executor: Literal["local", "ray"] = "local",
    ray_address: str | None = None,
) -> Results:
    """Run every cell of a grid that the folder does not hold yet, and collect what it holds then.

    Args:
        grid: what to run.
        folder: results folder; runs found finished there are not repeated. Several processes may share it.
        on_progress: called from this thread whenever a run has advanced.
        workers: threads, each with its own runs; the number of cores on a single-device CPU, one per device
            otherwise.
        chunk: runs per batch; 1 on a CPU, as many as memory holds on an accelerator.
        shard: (i, n) runs only the i-th of n equal shares of the grid, counted from 1; by default this
            process's share where several were joined by `jax.distributed`, everything otherwise.
        executor: "local" uses this process's devices, "ray" a running Ray cluster.
        ray_address: where that is; see `dashjax.sweep.cluster.connect`.

    Raises:
        InputError: where the folder is not writable or holds another study, the shard is out of range, the
            chunks cannot fit into memory, or no Ray cluster answers. What was finished is kept.
        KeyboardInterrupt: after the running chunks were abandoned; finished ones are kept.
    """
    index, count = shard or (jax.process_index() + 1, jax.process_count())
    if not 1 <= index <= count:
        raise InputError(f"--shard: {index}/{count} is out of range, expected i/n with 1 <= i <= n")
    study = make_study(grid)
    # Every n-th cell, so that slow and fast methods are spread over all shards.
    cells = expand(grid)[index - 1 :: count]
    runner = (
        RayExecutor(study, cells, ray_address, chunk)
        if executor == "ray"
        else LocalExecutor(study, cells, workers, chunk)
    )
    store = Store(folder, study.fingerprint, {"grid": grid.model_dump(mode="json")})
    identities = [cell.identity(study.fingerprint) for cell in cells]
    todo = missing(cells, identities, set(store.rows()["id"]))
    progress = Progress(runs=len(todo), epochs=len(todo) * grid.epochs, skipped=len(cells) - len(todo))
    store.log("start", runs=progress.runs, skipped=progress.skipped, shard=f"{index}/{count}", executor=executor)
    try:
        _keep(runner.run(plan_chunks(todo, study, runner.size)), study, store, progress, on_progress)
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise InputError(
            f"out of memory with {runner.size} runs at a time; finished runs are kept, "
            f"try --chunk {max(1, runner.size // 2)}"
        ) from None
    seconds = runner.compile_seconds
    store.log("end", finished=progress.finished, diverged=progress.diverged, compile_seconds=seconds)
    return replace(collect(grid, study, store), compilations=runner.compilations, compile_seconds=seconds)


def collect(grid: Grid, study: Study, store: Store) -> Results:
    """Return what a store holds of a grid, finished or not, beside the prior alone."""
    identities = [cell.identity(study.fingerprint) for cell in expand(grid)]
    rows = store.rows().set_index("id")
    rows = rows.loc[[identity for identity in identities if identity in rows.index]].reset_index()
    table = pd.concat([rows, prior_only_rows(grid, study)], ignore_index=True)
    return Results(table, study, store)


def _keep(
    events: Iterator[Event],
    study: Study,
    store: Store,
    progress: Progress,
    on_progress: Callable[[Progress], None],
) -> None:
    """Write every finished chunk and report every advance, from this thread alone."""
    on_progress(progress)
    with closing(events):  # type: ignore[type-var]
        for event in events:
            if isinstance(event, Advanced):
                progress.trained += event.run_epochs
            else:
                rows, arrays = _records(event.chunk, event.outcome, study, event.seconds)
                store.write(rows, arrays)
                for row in rows:
                    store.log("run", **{name: row[name] for name in ("id", "method", "seed", "status", "seconds")})
                progress.finished += len(rows)
                progress.diverged += sum(row["status"] == "diverged" for row in rows)
            on_progress(progress)


def _records(
    chunk: Chunk, outcome: Outcome, study: Study, seconds: float
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Turn a chunk's outcomes into table rows and arrays."""
    result = outcome.result
    rows = []
    for number, cell in enumerate(chunk.cells):
        scores = {name: float(getattr(outcome.scores, name)[number]) for name in SCORES}
        rows.append(
            {
                "id": cell.identity(study.fingerprint),
                **asdict(cell),
                "strength": np.nan if cell.strength is None else cell.strength,
                "sparsity": float(outcome.sparsity[number]),
                **scores,
                "test_mse": float(result.test_error[number]),
                "validation_mse": float(result.validation_error[number]),
                "status": STATUSES[int(result.status[number])],
                "selected_epoch": int(result.epoch[number]),
                "last_epoch": int(result.last_epoch[number]),
                "seconds": seconds / len(chunk.cells),
            }
        )
    field = result.field
    arrays = {f"field_{name}": np.asarray(array) for name, array in field.arrays().items()}
    if outcome.posterior is not None:
        posterior = outcome.posterior.posterior
        arrays |= {f"posterior_{name}": np.asarray(getattr(posterior, name)) for name in posterior.__dataclass_fields__}
        arrays |= {name: np.asarray(getattr(outcome.posterior, name)) for name in ("frequency", "agreement")}
    return rows, arrays | result.curves.arrays()


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
