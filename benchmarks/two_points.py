"""Question: why has dash two points less balanced accuracy here than in the paper?

Runs the released training loop in PyTorch (`peers/torch_dash.py`) and dashjax on the same trajectories, noise draws and
priors, 350 genes, 5 % noise, five seeds, and changes one thing at a time. Needs `pip install torch`.

    python benchmarks/two_points.py --equations ode_system_functions_350.csv --names gene_names_350.csv [--only NAME]

Every finished run is kept in `results/`, and not repeated.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from common import RESULTS, save

from dashjax.engine.cell import Cell
from dashjax.methods import find_method
from dashjax.networks.readout import effects
from dashjax.scoring import balanced_accuracy
from dashjax.sweep import parse_grid
from dashjax.sweep.sweep import make_cells
from dashjax.training import fit, observe

NOISE, CORRUPTION, SEEDS = 0.025, 0.05, 5
TRUST = {"dash": (0.05, 0.01), "imp": (0.0, 0.0), "bioprune": (1.0, 1.0)}
#: Published sparsity and balanced accuracy, read off the plot (± .005).
PUBLISHED = {"dash": (0.946, 0.906), "imp": (0.959, 0.708), "bioprune": (0.836, 0.873)}


def problems(equations: Path, names: Path) -> list[Cell]:
    """Return a cell per seed: the same system and trajectories, noise and prior of its own."""
    grid = {
        "system": {"kind": "equations", "equations": str(equations), "names": str(names)},
        "noise": NOISE,
        "prior_corruption": CORRUPTION,
        "methods": ["dash"],
        "seeds": SEEDS,
    }
    return make_cells(parse_grid(grid, "two points"))


_fit = jax.jit(fit, static_argnames="config")


def ours(cell: Cell, method: str, epochs: int, after_last_cut: bool) -> list[dict[str, Any]]:
    """Run dashjax; the arguments are the method, the longest training and which epochs' models may be chosen."""
    chosen = replace(find_method(method), complete=after_last_cut)
    config = chosen.configure(replace(cell.config, epochs=epochs))
    hyper = chosen.hyperparameters(epochs, TRUST[method], noise=NOISE)
    found = _fit(jax.random.key(cell.seed), cell.problem.split(cell.seed), cell.problem.prior, hyper, config)
    inner, outer = found.field.effective_layers()
    zeros = np.mean([np.mean(np.asarray(part) == 0) for part in (*inner, *outer)])
    return [
        {
            **_scores(cell, np.asarray(effects(found.field))),
            "sparsity": float(zeros),
            "epoch": int(found.epoch),
            "last_epoch": int(found.last_epoch),
            "validation_mse": float(found.validation_error),
            "test_mse": float(found.test_error),
        }
    ]


def released(cell: Cell, method: str, **protocol: Any) -> list[dict[str, Any]]:
    """Run the released loop on what dashjax's run of the same seed sees; its choice among all epochs comes first."""
    import torch
    from peers.torch_dash import Observed, Protocol, train

    torch.set_num_threads(1)
    split = cell.problem.split(cell.seed)
    hyper = find_method(method).hyperparameters(200, TRUST[method], noise=NOISE)
    seen = observe(jax.random.key(cell.seed), split, hyper)
    assert split.test is not None, "simulated problems have test trajectories"
    observed = Observed(
        np.asarray(seen.train.expression),
        np.asarray(seen.validation.expression),
        np.asarray(split.test.expression),
        np.asarray(split.train.times[0]),
        np.asarray(cell.problem.prior.edges),
    )
    return [
        {
            **_scores(cell, found.effects),
            "sparsity": found.sparsity,
            "epoch": found.epoch,
            "last_epoch": found.last_epoch,
            "validation_mse": found.validation_error,
            "test_mse": found.test_error,
            "discretisation": found.discretisation,
        }
        for found in train(cell.seed, observed, Protocol(trust=TRUST[method], **protocol))
    ]


def _scores(cell: Cell, found: np.ndarray) -> dict[str, Any]:
    truth, edges = np.asarray(cell.problem.truth) != 0, found != 0
    return {
        "balanced_accuracy": float(balanced_accuracy(edges, truth)),
        "true_positive_rate": float(edges[truth].mean()),
        "true_negative_rate": float((~edges[~truth]).mean()),
        "edges": int(edges.sum()),
    }


Run = Callable[[Cell, str], list[dict[str, Any]]]
#: What is run, and the names of the rows that it gives. The released code with its own configuration comes first, ours
#: last; every row between differs from its neighbours in one thing.
RUNS: dict[tuple[str, ...], Run] = {
    ("released loop", "released loop, after the last cut"): released,
    ("multipliers' rate fixed", "multipliers' rate fixed, after the last cut"): partial(
        released, reset_groups="intended"
    ),
    ("dashjax, any epoch, at most 500",): partial(ours, epochs=500, after_last_cut=False),
    ("dashjax, any epoch",): partial(ours, epochs=200, after_last_cut=False),
    ("dashjax",): partial(ours, epochs=200, after_last_cut=True),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--equations", type=Path, required=True)
    parser.add_argument("--names", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", default=list(TRUST))
    parser.add_argument("--only", default="", help="a part of the names of the rows wanted")
    options = parser.parse_args()
    rows = _found()
    done = {(row["step"], row["method"], row["seed"]) for row in rows}
    for method in options.methods:
        for cell in problems(options.equations, options.names):
            for steps, run in RUNS.items():
                if options.only not in " ".join(steps) or (steps[0], method, cell.seed) in done:
                    continue
                began = time.perf_counter()
                found = run(cell, method)
                seconds = round(time.perf_counter() - began, 1)
                for step, row in zip(steps, found, strict=True):
                    rows.append({"step": step, "method": method, "seed": cell.seed, **row, "seconds": seconds})
                save("two_points", rows, published=PUBLISHED)
    print(table(rows))


def _found() -> list[dict[str, Any]]:
    files = sorted(RESULTS.glob("two_points-*.json"))
    return [row for file in files for row in json.loads(file.read_text())["rows"]]


def table(rows: list[dict[str, Any]]) -> str:
    """Return mean ± standard error over seeds, in Markdown."""
    lines = [
        "| method | step | seeds | sparsity | balanced accuracy | edges | chosen at epoch | test MSE |",
        "|---" * 8 + "|",
    ]
    for method in TRUST:
        for step in (step for steps in RUNS for step in steps):
            mine = [row for row in rows if (row["step"], row["method"]) == (step, method)]
            if not mine:
                continue

            def mean(name: str, form: str, mine=mine) -> str:
                values = [row[name] for row in mine]
                error = np.std(values, ddof=1) / len(values) ** 0.5 if len(values) > 1 else np.nan
                return f"{np.mean(values):{form}} ± {error:{form}}"

            cells = [mean(*column) for column in (("sparsity", ".3f"), ("balanced_accuracy", ".3f"), ("edges", ",.0f"))]
            more = [mean("epoch", ".0f"), mean("test_mse", ".1e")]
            lines.append(f"| {method} | {step} | {len(mine)} | {' | '.join([*cells, *more])} |")
        sparsity, accuracy = PUBLISHED[method]
        lines.append(f"| {method} | *published* | – | {sparsity} | {accuracy} | | | |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
