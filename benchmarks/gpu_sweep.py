"""Claim: one accelerator does 1,000 SIM350 DASH runs of 200 epochs in a minute.

Runs the sweep as a user would, through the store, and reports wall time with and without compilation. Needs an
accelerator; elsewhere it says so, unless `--runs` asks for fewer.

    python benchmarks/gpu_sweep.py [--grid benchmarks/grids/sim350_core.yaml] [--runs 1000] [--chunk N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
from common import ceilings, save
from throughput import work_per_step

from dashjax.dynamics import FixedSteps
from dashjax.dynamics.phoenix import default_hidden
from dashjax.sweep import PRIOR_ONLY, load_grid, run_sweep
from dashjax.sweep.grid import parse_grid


def main() -> None:
    """Run, print one line, save the row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", type=Path, default=Path(__file__).parent / "grids" / "sim350_core.yaml")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--chunk", type=int)
    options = parser.parse_args()
    if jax.default_backend() == "cpu" and options.runs is None:
        sys.exit("gpu_sweep: no accelerator here; --runs N does N runs on the CPU instead")
    runs = options.runs or 1000
    content = load_grid(options.grid).model_dump(mode="json")
    grid = parse_grid(content | {"methods": ["dash"], "seeds": runs})
    peak = ceilings()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        results = run_sweep(grid, Path(folder) / "out", chunk=options.chunk)
        seconds = time.perf_counter() - began
    table = results.table[results.table["method"] != PRIOR_ONLY]
    assert len(table) == runs
    plan, genes = grid.trajectories, len(next(iter(results.cells.values())).problem.genes)
    hidden = grid.hidden or default_hidden(genes)
    flops, traffic = work_per_step(genes, hidden, FixedSteps().steps)
    epochs = int(table["last_epoch"].sum())
    # Within a batch each run's weights are its own, so traffic counts as for a single run.
    floor = epochs * plan.train * max(flops / peak["flops"], traffic / peak["bytes_per_second"])
    running = seconds - results.compile_seconds
    row = {
        "genes": genes,
        "runs": runs,
        "epochs": grid.epochs,
        "seconds": seconds,
        "compile_seconds": results.compile_seconds,
        "seconds_per_run_epoch": running / epochs,
        "runs_per_minute": 60 * runs / running,
        "roofline_share": floor / running,
        "balanced_accuracy": float(np.mean(table["balanced_accuracy"])),
        "diverged": int((table["status"] == "diverged").sum()),
    }
    print(
        f"{runs} runs × {grid.epochs} epochs at {genes} genes: {running:.1f} s "
        f"after {results.compile_seconds:.1f} s of compilation, {row['runs_per_minute']:.0f} runs per minute, "
        f"{row['roofline_share']:.2f} of the roofline, "
        f"balanced accuracy {row['balanced_accuracy']:.3f}"
    )
    print(save("gpu_sweep", [row], ceilings=peak))


if __name__ == "__main__":
    main()
