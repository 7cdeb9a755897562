"""Doing cells: whatever is not in the store yet, to its end, on whatever machine there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import jax
import numpy as np

from dashjax.data import DENSE_GENES
from dashjax.engine.cell import AnyCell, Cell, RivalCell
from dashjax.engine.local import Advanced, Event, Finished, local_executor
from dashjax.engine.plan import plan_chunks
from dashjax.engine.store import MemoryStore, Row
from dashjax.engine.work import Arrays, Chunk, Item, misses, missing_items
from dashjax.errors import InputError
from dashjax.networks import Network, make_network
from dashjax.training import STATUSES

if TYPE_CHECKING:
    import pandas as pd


class Executor(Protocol):
    """What does chunks: this process's devices, or a cluster."""

    size: int

    @property
    def busy(self) -> bool:
        """Whether anything is being done or waits for it."""

    @property
    def compilations(self) -> int:
        """Programs compiled so far."""

    @property
    def compile_seconds(self) -> float:
        """Seconds spent on that."""

    def submit(self, chunk: Chunk) -> None:
        """Add a chunk."""

    def expect(self, chunk: Chunk) -> None:
        """Say what will be submitted later."""

    def next(self) -> Event:
        """Wait for the next thing that happens."""

    def close(self) -> None:
        """Stop."""


@dataclass
class Progress:
    """How far the work is.

    Attributes:
        runs: networks to find now (finished ones of an earlier call are not counted).
        epochs: run-epochs to do now.
        skipped: networks found finished in the store.
        finished: of the networks, done.
        trained: of the run-epochs, done.
        diverged: networks of runs that ended without a finite error.
        stage: what was done last.
        started: when the work began.
    """

    runs: int
    epochs: int
    skipped: int
    finished: int = 0
    trained: int = 0
    diverged: int = 0
    stage: str = ""
    started: float = dataclass_field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Return the seconds since the work began."""
        return time.monotonic() - self.started


OnProgress = Callable[[Progress], None]
#: Columns of a finished cell's row.
Score = Callable[[AnyCell, Network], Row]


def run_cells(
    cells: Sequence[AnyCell],
    store: MemoryStore | None = None,
    executor: Executor | None = None,
    on_progress: OnProgress = lambda progress: None,
    one_by_one: bool = False,
    score: Score | None = None,
) -> MemoryStore:
    """Find the network of every cell that the store does not hold yet.

    Args:
        cells: what to do; equal ones are done once.
        store: what is finished, and where to keep what will be; a store in memory if None.
        executor: what does the work; this process's devices if None.
        on_progress: called from this thread whenever something has advanced.
        one_by_one: whether to finish a cell before the next begins, so that seconds and memory are its own.
        score: columns of a finished cell's row; `score_cell` if None.

    Returns:
        The store, with `cell.identity` of every cell among its rows.

    Raises:
        InputError: where the folder cannot be written, or memory does not suffice. What was finished is kept.
        KeyboardInterrupt: after the running chunks were abandoned; finished ones are kept.
    """
    store = MemoryStore() if store is None else store
    unique = list({cell.identity: cell for cell in cells}.values())
    known = set(store.rows()["id"])
    todo = [cell for cell in unique if cell.identity not in known]
    progress = Progress(
        runs=len(todo), epochs=sum(cell.runs * cell.run_epochs for cell in todo), skipped=len(unique) - len(todo)
    )
    on_progress(progress)
    executor = local_executor(unique, kept=True) if executor is None else executor
    work = _Work(store, executor, progress, on_progress, score or score_cell)
    try:
        for batch in [[cell] for cell in todo] if one_by_one else [todo]:
            work.finish(batch, timed=one_by_one)
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise InputError(
            f"out of memory with {executor.size} runs at a time; finished runs are kept, "
            f"try {max(1, executor.size // 2)}",
            "chunk",
        ) from None
    finally:
        executor.close()
    return store


class _Work:
    """One call of `run_cells`: what was submitted, and which cells wait for it."""

    def __init__(
        self, store: MemoryStore, executor: Executor, progress: Progress, on_progress: OnProgress, score: Score
    ):
        self.store, self.executor, self.progress, self.on_progress = store, executor, progress, on_progress
        self.score = score
        self.open: dict[str, AnyCell] = {}
        self.submitted: set[str] = set()
        self.expected: set[str] = set()
        self.seconds: dict[str, float] = {}

    def finish(self, cells: Sequence[AnyCell], timed: bool) -> None:
        """Do some cells to their end."""
        began = time.perf_counter()
        if timed:
            forget_peak()
        self.open = {cell.identity: cell for cell in cells}
        waiting: list[Item] = []
        alone = cells[0] if len(cells) == 1 and self.executor.size == 1 else None
        while True:
            # What an earlier call found, or another cell's item: its row alone is missing.
            for cell in [cell for cell in self.open.values() if cell.source in self.store]:
                self._conclude(cell, self.store[cell.source])
            if not self.open:
                break
            known = self.submitted | {item.identity for item in waiting}
            fresh = {item.identity: item for cell in self.open.values() for item in missing_items(cell, self.store)}
            waiting += [item for identity, item in fresh.items() if identity not in known]
            for chunk in plan_chunks(waiting, self.executor.size):
                # A chunk that is not full waits for more of its kind, unless there is nothing else to wait for.
                if len(chunk.items) == self.executor.size or not self.executor.busy:
                    self.submitted |= {item.identity for item in chunk.items}
                    self.executor.submit(chunk)
                    if alone is not None and chunk.kind == "train":
                        self._expect(chunk.items[0])
            waiting = [item for item in waiting if item.identity not in self.submitted]
            self._listen(began if timed else None)

    def _expect(self, trained: Item) -> None:
        """Say what a run that is being trained will be needed for, so that idle lanes can compile it."""
        cell = trained.cell
        if not isinstance(cell, Cell) or cell.method.evidence is None or cell.identity in self.expected:
            return
        (wanted,) = self.open.values()
        judged = cell.method.fallback is None or (isinstance(wanted, Cell) and wanted.judgement in self.store)
        if judged:
            self.expected.add(cell.identity)
        self.executor.expect(Chunk((Item("weigh" if judged else "judge", "", cell, 0),)))

    def _listen(self, began: float | None) -> None:
        """Wait for the next event, and keep what it brings."""
        event = self.executor.next()
        if isinstance(event, Advanced):
            self.progress.trained += event.epochs
        else:
            self._keep(event, began)
        self.on_progress(self.progress)

    def _keep(self, event: Finished, began: float | None) -> None:
        items = event.chunk.items
        arrays, rows, concluded = {}, [], []
        for item, found in zip(items, event.found, strict=True):
            seconds = event.seconds / len(items)
            self.seconds[item.identity] = seconds
            # An ensemble's record is whole: its first member's model and curves beside the posterior.
            arrays[item.identity] = {**item.runs[0], **found} if item.kind == "weigh" else dict(found)
            cell = self.open.get(item.identity)
            if cell is None:
                rows.append({"id": item.identity, "seconds": seconds})
            else:
                fitted = item.cell if isinstance(item.cell, Cell) else None
                rows.append(self._row(cell, arrays[item.identity], fitted, seconds, began))
                concluded.append((cell, rows[-1]))
        self.store.write(arrays, rows)
        for cell, row in concluded:
            self._count(cell, row)
        if items[0].kind == "judge":
            again = [item.cell for item, found in zip(items, event.found, strict=True) if misses(found)]
            self.progress.epochs += sum(cell.runs * cell.run_epochs for cell in again)
            if again:
                self.progress.stage = "the dynamics are disturbed: once more, from single steps"

    def _conclude(self, cell: AnyCell, arrays: Arrays) -> None:
        """Write the row of a cell whose network was found for another, or by an earlier call."""
        row = self._row(cell, arrays, None, self.seconds.get(cell.source, np.nan), None)
        self.store.write({}, [row])
        self._count(cell, row)

    def _count(self, cell: AnyCell, row: Row) -> None:
        del self.open[cell.identity]
        self.store.log("run", **{name: row.get(name) for name in ("id", "method", "seed", "status", "seconds")})
        self.progress.finished += 1
        self.progress.diverged += row.get("status") == "diverged"
        self.on_progress(self.progress)

    def _row(self, cell: AnyCell, arrays: Arrays, fitted: Cell | None, seconds: float, began: float | None) -> Row:
        """Return a finished network's row: what it is, how the run went, and its scores where the truth is known."""
        row: Row = {"id": cell.identity, **cell.row()}
        if "run_status" in arrays:
            row |= {
                "fitted": fitted.method.name if fitted is not None else row["method"],
                "sparsity": float(arrays["run_sparsity"]),
                "test_mse": float(arrays["run_test_error"]),
                "validation_mse": float(arrays["run_validation_error"]),
                "status": STATUSES[int(arrays["run_status"])],
                "selected_epoch": int(arrays["run_epoch"]),
                "last_epoch": int(arrays["run_last_epoch"]),
            }
        else:
            row |= {"status": STATUSES[0]}
        row |= self.score(cell, network_of(cell, arrays))
        row["seconds"] = seconds if began is None else time.perf_counter() - began
        if began is not None:
            row["peak_memory_mib"] = peak_mebibytes()
        return row


def score_cell(cell: AnyCell, network: Network) -> Row:
    """Return a network's scores where the truth is known, and how many edges it returns, in all and of the prior."""
    problem = cell.problem
    if len(problem.genes) > DENSE_GENES and problem.truth is None:
        return {}
    edges = {
        "n_edges": float(network.returned.sum()),
        "n_in_prior": float(network.returned[problem.prior.pairs()].sum()),
    }
    if problem.truth is None:
        return edges
    scores = network.score(problem.truth, problem.covered, problem.self_loops)
    found = {name: float(value) for name, value in vars(scores).items()}
    # Where the truth covers few regulators, the edges of the others still count as edges.
    return found | edges if problem.covered is not None else edges | found


def network_of(cell: AnyCell, arrays: Arrays, members: Sequence[Arrays] = ()) -> Network:
    """Return a cell's network from what the store keeps under `cell.source`.

    Args:
        cell: whose.
        arrays: of its record.
        members: records of an ensemble's members; only the first, which the record holds, if empty.
    """
    how = {name: value for name, value in cell.row().items() if not (isinstance(value, float) and np.isnan(value))}
    if isinstance(cell, RivalCell):
        ranking = cell.rival.with_prior(np.asarray(arrays["ranking"]), np.asarray(cell.problem.prior.edges))
        return make_network(cell.problem, {"ranking": ranking}, how)
    how |= {
        name: float(np.asarray(arrays[key]))
        for name, key in (
            ("validation_error", "run_validation_error"),
            ("test_error", "run_test_error"),
            ("sparsity", "run_sparsity"),
            ("selected_epoch", "run_epoch"),
            ("last_epoch", "run_last_epoch"),
            ("path_error", "path_error"),
            ("step_error", "step_error"),
        )
        if key in arrays
    }
    how["status"] = STATUSES[int(arrays["run_status"])]
    return make_network(cell.problem, arrays, how, cell.run_config.field, members, cell.precision)


def find_network(cell: AnyCell, store: MemoryStore) -> Network:
    """Return the network of a finished cell, with all members."""
    arrays = store[cell.source]
    if not isinstance(cell, Cell) or cell.method.evidence is None:
        return network_of(cell, arrays)
    judged = store[cell.judgement] if cell.method.fallback is not None else {}
    fitted = cell.fallback if judged and misses(judged) else cell
    members = [store[fitted.identity_of_run(number)] for number in range(fitted.runs)]
    network = network_of(replace(cell, method=fitted.method, label=cell.row()["method"]), {**judged, **arrays}, members)
    return replace(network, how={**network.how, "fitted": fitted.method.name, "members": fitted.runs})


def collect(cells: Sequence[AnyCell], store: MemoryStore) -> pd.DataFrame:
    """Return the rows of those cells that are finished, in their order, each with its own coordinates.

    A network that two calls know under two labels was still found once.
    """
    import pandas as pd

    rows = store.rows().set_index("id")
    there = [cell for cell in cells if cell.identity in rows.index]
    table = rows.loc[[cell.identity for cell in there]].reset_index()
    labels = pd.DataFrame([cell.row() for cell in there])
    for name in labels:
        table[name] = labels[name].to_numpy()
    return table


def forget_peak() -> None:
    """Let the process's peak memory start again, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_mebibytes() -> float:
    """Return the peak of resident memory in MiB since `forget_peak`; NaN where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return float("nan")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
