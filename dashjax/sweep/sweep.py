"""Running a grid: its combinations become cells, the engine does them, and a table shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np
import pandas as pd

from dashjax.data import Problem, identity_of
from dashjax.dynamics import FIELDS
from dashjax.engine import Cell, OnProgress, Store, collect, local_executor, network_of, run_cells
from dashjax.engine.cell import describe
from dashjax.engine.cluster import RayExecutor
from dashjax.errors import InputError
from dashjax.io import CellOptions, read_system
from dashjax.io.sealed import write_json
from dashjax.methods import find_method
from dashjax.networks import Network
from dashjax.problems import read_problem, simulated_problem, with_corrupted_prior
from dashjax.scoring import NetworkScores, score_network
from dashjax.simulate import generate_system
from dashjax.sweep.grid import Combination, Grid, SimulatedSystem, expand
from dashjax.training import NUMERICS_VERSION, OBJECTIVES, FitConfig

#: Scores of a network that become columns of the results.
SCORES = tuple(part.name for part in fields(NetworkScores))
#: Row name of the prior scored as if it were a fitted network.
PRIOR_ONLY = "prior_only"


@dataclass(frozen=True)
class Results:
    """A sweep, finished or not.

    Attributes:
        table: one row per finished run, and one per prior scored alone, where the truth is known.
        cells: all cells of the grid, by identity.
        store: where models and curves are.
        compilations: programs compiled.
        compile_seconds: spent on that.
    """

    table: pd.DataFrame
    cells: Mapping[str, Cell]
    store: Store
    compilations: int = 0
    compile_seconds: float = 0.0

    def network(self, identity: str) -> Network:
        """Return the network of a finished run."""
        return network_of(self.cells[identity], self.store[identity])


def run_sweep(
    grid: Grid,
    folder: Path | str,
    on_progress: OnProgress = lambda progress: None,
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
        ray_address: where that is; see `dashjax.engine.cluster.connect`.

    Raises:
        InputError: where the folder is not writable or holds another study, the shard is out of range, the
            chunks cannot fit into memory, or no Ray cluster answers. What was finished is kept.
        KeyboardInterrupt: after the running chunks were abandoned; finished ones are kept.
    """
    index, count = shard or (jax.process_index() + 1, jax.process_count())
    if not 1 <= index <= count:
        raise InputError(f"{index}/{count} is out of range, expected i/n with 1 <= i <= n", "shard")
    cells = make_cells(grid)
    # Every n-th cell, so that slow and fast methods are spread over all shards.
    mine = cells[index - 1 :: count]
    runner = RayExecutor(mine, ray_address, chunk) if executor == "ray" else local_executor(mine, workers, chunk)
    store = open_store(grid, cells, folder)
    known = set(store.rows()["id"])
    skipped = len({cell.identity for cell in mine} & known)
    store.log("start", runs=len(mine) - skipped, skipped=skipped, shard=f"{index}/{count}", executor=executor)
    run_cells(mine, store, runner, on_progress)
    store.log("end", compile_seconds=runner.compile_seconds)
    return _results(cells, store, runner.compilations, runner.compile_seconds)


def collect_sweep(grid: Grid, folder: Path | str) -> Results:
    """Return what a folder holds of a grid, finished or not."""
    cells = make_cells(grid)
    return _results(cells, open_store(grid, cells, folder))


def open_store(grid: Grid, cells: Sequence[Cell], folder: Path | str) -> Store:
    """Open a sweep's results folder, and note in it which cells make the grid.

    Raises:
        InputError: where it cannot be written, or holds results of other data or of another configuration.
    """
    data = sorted({cell.problem.data_fingerprint for cell in cells}) if grid.data is None else ["user data"]
    study = identity_of(NUMERICS_VERSION, describe(base_config(grid)) if grid.data is None else "", *data)
    store = Store(folder, study, {"grid": grid.model_dump(mode="json")})
    write_json(store.folder / "cells.json", {"methods": {cell.identity: cell.label for cell in cells}})
    return store


def make_cells(grid: Grid) -> list[Cell]:
    """Return the cells of a grid, their problems simulated or read."""
    problems = _Problems(grid)
    config = base_config(grid)
    return [_cell(grid, combination, problems, config) for combination in expand(grid)]


def base_config(grid: Grid) -> FitConfig:
    """Return what shapes the programs of all methods that do not bring parts of their own."""
    kind = "deep_mlp" if grid.field == "mlp" and grid.hidden_layers > 1 else grid.field
    options: dict[str, Any] = {}
    known = FIELDS[kind].__dataclass_fields__
    if grid.hidden is not None and "hidden" in known:
        options["hidden"] = grid.hidden
    if "hidden_layers" in known:
        options["hidden_layers"] = grid.hidden_layers
    return FitConfig(
        field=FIELDS[kind](**options),
        objective=OBJECTIVES[grid.objective],
        trajectories_per_step=grid.trajectories_per_step,
    )


class _Problems:
    """The problems of a grid, each made when it is first asked for."""

    def __init__(self, grid: Grid):
        self.grid = grid
        self.names = {} if grid.data is None else _endings(grid.data.expression) | _endings(_sources(grid.data.prior))
        self.simulated = lru_cache(maxsize=None)(self._simulated)
        self.base = lru_cache(maxsize=None)(self._base)
        self.given = lru_cache(maxsize=None)(self._given)

    def of(self, combination: Combination) -> Problem:
        """Return the problem of a combination."""
        if self.grid.data is None:
            return self.simulated(combination.prior_corruption, combination.seed)
        problem = self.given(combination.expression, combination.prior)
        return problem.with_folds(self.grid.folds) if self.grid.folds else problem

    def _base(self) -> Problem:
        system, plan = self.grid.system, self.grid.trajectories
        assert system is not None, "told by the grid"
        if isinstance(system, SimulatedSystem):
            made = generate_system(system.genes, system.seed)
        else:
            made = read_system(system.equations, system.names)
        return simulated_problem(made, system.seed, plan.train, plan.validation, plan.test, plan.times)

    def _simulated(self, corruption: float, seed: int) -> Problem:
        return with_corrupted_prior(self.base(), corruption, seed)

    def _given(self, expression: int, prior: int) -> Problem:
        data = self.grid.data
        assert data is not None, "told by the grid"
        options = CellOptions(**{part.name: getattr(data, part.name) for part in fields(CellOptions)})
        return read_problem(
            data.expression[expression],
            data.prior[prior],
            regulators=data.regulators,
            cells=None if options == CellOptions() else options,
            genes=data.genes,
            match=data.match,
            steady=data.steady,
            interventions=data.interventions,
            truth=data.truth,
            validation=data.validation,
            transpose=data.transpose,
        )


def _cell(grid: Grid, combination: Combination, problems: _Problems, config: FitConfig) -> Cell:
    coordinates: dict[str, Any] = {"prior_corruption": np.nan, "data": "", "prior": ""}
    if grid.data is None:
        coordinates["prior_corruption"] = combination.prior_corruption
    else:
        assert combination.expression is not None, "told by the grid"
        assert combination.prior is not None, "told by the grid"
        coordinates["data"] = problems.names[grid.data.expression[combination.expression]]
        sources = _sources(grid.data.prior[combination.prior])
        coordinates["prior"] = " + ".join(problems.names[source] for source in sources) or "none"
    return Cell(
        problems.of(combination),
        find_method(combination.method),
        combination.seed,
        config,
        combination.epochs,
        (combination.lambda_1, combination.lambda_2),
        combination.strength,
        combination.noise,
        combination.fold,
        combination.target_sparsity,
        label=combination.method,
        coordinates=coordinates,
    )


def _sources(prior: Any) -> list[str]:
    """Return the files of a prior, or of several."""
    if prior is None:
        return []
    return [prior] if isinstance(prior, str) else [source for part in prior for source in _sources(part)]


def _endings(paths: Sequence[str]) -> dict[str, str]:
    """Return, by path, the shortest endings that tell paths apart: their names, where these differ."""
    parts = {path: Path(path).parts for path in paths}
    for depth in range(1, max(map(len, parts.values()), default=0) + 1):
        endings = {path: "/".join(part[-depth:]) for path, part in parts.items()}
        if len(set(endings.values())) == len(endings):
            return endings
    return {path: path for path in parts}


def _results(cells: Sequence[Cell], store: Store, compilations: int = 0, seconds: float = 0.0) -> Results:
    table = pd.concat([collect(cells, store), prior_only_rows(cells)], ignore_index=True)
    # Where nothing is finished, or no truth is known, some columns are empty but there.
    for name in (*cells[0].row(), "sparsity", "status", "test_mse", "validation_mse", *SCORES):
        if name not in table:
            table[name] = np.nan
    return Results(table, {cell.identity: cell for cell in cells}, store, compilations, seconds)


def prior_only_rows(cells: Sequence[Cell]) -> pd.DataFrame:
    """Score each prior as if it were a fitted network: the bar every method has to clear.

    One row per prior and seed, so that corrupted priors of several seeds have a spread.
    """
    score, rows = jax.jit(score_network), {}
    for cell in cells:
        problem, corruption = cell.problem, cell.coordinates["prior_corruption"]
        key = (problem.fingerprint, cell.seed)
        if problem.truth is None or key in rows or not problem.prior.n_edges:
            continue
        prior = np.asarray(problem.prior.edges)
        scores = score(prior, problem.truth, prior)
        rows[key] = {
            "method": PRIOR_ONLY,
            "seed": cell.seed,
            **cell.coordinates,
            "prior_corruption": corruption,
            "sparsity": float((prior == 0).mean()),
            **{name: float(getattr(scores, name)) for name in SCORES},
            "status": "finished",
        }
    return pd.DataFrame(list(rows.values()))
