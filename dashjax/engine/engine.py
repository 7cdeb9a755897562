"""Doing cells: whatever is not in the store yet, to its end, on whatever machine there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import jax
import numpy as np

from dashjax.data import DENSE_GENES
from dashjax.engine.cell import AnyCell, Cell, RivalCell
from dashjax.engine.local import Advanced, Event, Finished, local_executor
from dashjax.engine.pace import OnProgress, Progress
from dashjax.engine.plan import plan_chunks
from dashjax.engine.store import MemoryStore, Row
from dashjax.engine.work import Arrays, Chunk, Item, misses, missing_items, work_left
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
        """Wait for the next thing that happens, but not for ever: that nothing has is an event too."""

    def close(self) -> None:
        """Stop."""


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
    epochs, pieces = (sum(parts) for parts in zip((0, 0), *(work_left(cell, store) for cell in todo), strict=True))
    progress = Progress(runs=len(todo), epochs=epochs, skipped=len(unique) - len(todo), pieces=pieces)
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
        self.watched = False
        self.open: dict[str, AnyCell] = {}
        self.waited_for: dict[str, list[AnyCell]] = {}
        self.expected: set[tuple[str, str]] = set()
        self.seconds: dict[str, float] = {}
        self.costs: dict[str, Row] = {}

    def finish(self, cells: Sequence[AnyCell], timed: bool) -> None:
        """Do some cells to their end."""
        began = time.perf_counter() if timed else None
        if timed:
            forget_peak()
        self.open = {cell.identity: cell for cell in cells}
        # Cells that something new is known of, and items that wait for more of their kind.
        touched, ready = list(cells), []
        while True:
            for cell in touched:
                if cell.identity not in self.open:
                    continue
                if cell.source in self.store:
                    self._conclude(cell, self.store[cell.source])
                    continue
                for item in missing_items(cell, self.store):
                    if item.identity not in self.waited_for:
                        ready.append(item)
                    waiters = self.waited_for.setdefault(item.identity, [])
                    if cell not in waiters:
                        waiters.append(cell)
            if not self.open:
                return
            submitted: set[str] = set()
            for chunk in plan_chunks(ready, self.executor.size):
                # A chunk that is not full waits for more of its kind, unless there is nothing else to wait for.
                if len(chunk.items) == self.executor.size or not self.executor.busy:
                    submitted |= {item.identity for item in chunk.items}
                    self.executor.submit(self._given(chunk))
                    if len(cells) == 1 and self.executor.size == 1 and chunk.kind == "train":
                        self._expect(chunk.items[0])
            ready = [item for item in ready if item.identity not in submitted]
            touched = self._listen(began)

    def _given(self, chunk: Chunk) -> Chunk:
        """Return a chunk with what its items look at."""
        return Chunk(tuple(replace(item, given=tuple(self.store[name] for name in item.needs)) for item in chunk.items))

    def _expect(self, trained: Item) -> None:
        """Say what a run that is being trained will be needed for, so that idle lanes can compile it."""
        cell = trained.cell
        if not isinstance(cell, Cell) or cell.method.evidence is None:
            return
        (wanted,) = self.open.values()
        coming = [("weigh", cell)]
        if cell.method.fallback is not None and cell is wanted and cell.judgement not in self.store:
            # Where trajectories are too few to hold whole ones out, single steps mostly win.
            likely = cell if cell.problem.whole else cell.fallback
            coming = [("judge", cell), ("weigh", likely)]
        for kind, whose in coming:
            if (kind, whose.identity) not in self.expected:
                self.expected.add((kind, whose.identity))
                self.executor.expect(Chunk((Item(kind, "", whose, 0),)))  # type: ignore[arg-type]

    def _listen(self, began: float | None) -> list[AnyCell]:
        """Wait for the next event, keep what it brings, and return the cells that waited for it."""
        event = self.executor.next()
        if isinstance(event, Advanced):
            self.watched |= event.epochs > 0
            if event.epochs:
                self.progress.advance(event.epochs, event.seconds)
            self.on_progress(self.progress)
            return []
        items = event.chunk.items
        if event.chunk.kind == "train":
            # An executor far away tells of no epochs before a run is done.
            if not self.watched:
                self.progress.advance(sum(item.epochs for item in items), event.seconds)
        elif event.chunk.kind != "mix":
            self.progress.weigh(len(items), event.seconds)
        self._keep(event, began)
        self.on_progress(self.progress)
        return [cell for item in event.chunk.items for cell in self.waited_for.pop(item.identity, [])]

    def _keep(self, event: Finished, began: float | None) -> None:
        items = event.chunk.items
        arrays, rows, concluded = {}, [], []
        for item, found in zip(items, event.found, strict=True):
            seconds = event.seconds / len(items)
            arrays[item.identity] = found
            cell = self.open.get(item.identity)
            if cell is None:
                peak = {} if began is None else {"peak_memory_mib": peak_mebibytes()}
                self.costs[item.identity] = {"seconds": seconds, **peak}
                rows.append({"id": item.identity, **self.costs[item.identity]})
            else:
                spent = seconds + sum(self.seconds.get(name, 0.0) for name in item.needs)
                rows.append(self._row(cell, found, item.cell, spent, began))
                concluded.append((cell, rows[-1]))
            self.seconds[item.identity] = seconds + sum(self.seconds.get(name, 0.0) for name in item.needs[:1])
        self.store.write(arrays, rows)
        for cell, row in concluded:
            self._count(cell, row)
        if items[0].kind == "judge":
            again = [item.cell for item, found in zip(items, event.found, strict=True) if misses(found)]
            # The members that are not trained, and those that are instead.
            self.progress.epochs += sum(cell.run_epochs for cell in again)
            if again:
                self.progress.stage = "the dynamics are disturbed: once more, from single steps"

    def _conclude(self, cell: AnyCell, arrays: Arrays) -> None:
        """Write the row of a cell whose network was found for another, or by an earlier call."""
        row = self._row(cell, arrays, None, np.nan, None) | self._cost(cell.source)
        self.store.write({}, [row])
        self._count(cell, row)

    def _cost(self, identity: str) -> Row:
        """Return what a finished item took, in this call or an earlier one."""
        if identity not in self.costs:
            rows = self.store.rows().set_index("id")
            told = rows[rows.columns.intersection(["seconds", "peak_memory_mib"])].to_dict("index")
            self.costs |= {str(name): {str(part): value for part, value in row.items()} for name, row in told.items()}
        return self.costs.get(identity, {})

    def _count(self, cell: AnyCell, row: Row) -> None:
        del self.open[cell.identity]
        self.store.log("run", **{name: row.get(name) for name in ("id", "method", "seed", "status", "seconds")})
        self.progress.finished += 1
        self.progress.diverged += row.get("status") == "diverged"
        self.on_progress(self.progress)

    def _row(self, cell: AnyCell, arrays: Arrays, fitted: AnyCell | None, seconds: float, began: float | None) -> Row:
        """Return a finished network's row: what it is, how the run went, and its scores where the truth is known."""
        row: Row = {"id": cell.identity, **cell.row()}
        if "run_status" in arrays:
            row |= {
                "fitted": fitted.method.name if isinstance(fitted, Cell) else row["method"],
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
    scores = network.score(problem.truth, problem.covered, problem.self_loops, problem.covered_targets)
    found = {name: float(value) for name, value in vars(scores).items()}
    # Where the truth covers some pairs alone, the edges among the others still count as edges.
    part = problem.covered is not None or problem.covered_targets is not None
    return found | edges if part else edges | found


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
    how |= {name: float(value) for name, value in arrays.items() if name.startswith("hidden_")}
    if "run_status" not in arrays:
        how |= {"status": STATUSES[0], "carrier": "activity"}
        return make_network(cell.problem, arrays, how, precision=cell.precision)
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
            ("chain_error", "posterior_chain_error"),
        )
        if key in arrays
    }
    how["status"] = STATUSES[int(arrays["run_status"])]
    return make_network(cell.problem, arrays, how, cell.run_config.field, members, cell.precision)


def find_network(cell: AnyCell, store: MemoryStore) -> Network:
    """Return the network of a finished cell, with all members."""
    arrays = store[cell.source]
    if not isinstance(cell, Cell) or (cell.method.evidence is None and cell.method.estimator is None):
        return network_of(cell, arrays)
    if cell.resolved.method.estimator is not None:
        network = network_of(replace(cell.resolved, label=cell.row()["method"]), arrays)
        return replace(network, how={**network.how, "fitted": cell.resolved.method.name})
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
