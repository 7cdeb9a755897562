"""Claim: more trajectories per gradient step buy speed for accuracy, and how much of each.

The paper takes one trajectory per step. Runs DASH on the published 350-gene system with 1, 2, 5 and 10, epochs
equal, and shows what becomes of accuracy and time; the initial learning rate stays the paper's.

    python benchmarks/batch_size.py [--sizes 1 2 5 10] [--seeds 3]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from common import save

from dashjax.sweep import PRIOR_ONLY, load_grid, run_sweep
from dashjax.sweep.grid import parse_grid


def main() -> None:
    """Run, print one line per size, save the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", type=Path, default=Path(__file__).parent / "grids" / "sim350_core.yaml")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 2, 5, 10])
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    content = load_grid(options.grid).model_dump(mode="json") | {"methods": ["dash"], "seeds": options.seeds}
    rows = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            results = run_sweep(parse_grid(content | {"trajectories_per_step": size}), Path(folder) / "out")
            seconds = time.perf_counter() - began - results.compile_seconds
        table = results.table[results.table["method"] != PRIOR_ONLY]
        measured = ("balanced_accuracy", "aupr", "aupr_outside_prior", "test_mse", "sparsity")
        row = {"trajectories_per_step": size, "runs": len(table), "seconds_per_run": seconds / len(table)}
        row |= {name: float(table[name].mean()) for name in measured}
        rows.append(row)
        print(
            f"{size} per step: {row['seconds_per_run']:.1f} s per run, "
            f"balanced accuracy {row['balanced_accuracy']:.3f}, AUPR {row['aupr']:.3f}, "
            f"test error {row['test_mse']:.2e}",
            flush=True,
        )
    print(save("batch_size", rows))


if __name__ == "__main__":
    main()
