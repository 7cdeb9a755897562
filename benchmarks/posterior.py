"""Claim: the edge posterior of an ensemble finds what its prior lacks, drops what is false in it, and is calibrated.

Runs `posterior` on the published 350-gene system with priors of growing corruption, up to one of which no
edge is where it should be, and on a generated system of 500 genes that nothing was chosen on (at most three seeds for
the latter and the worst priors). Beside it the prior alone, two-layer DASH, and a prior-weighted lasso. Bins every
pair's probability against the truth.

    python benchmarks/posterior.py --out DIR [--seeds 5] [--only NAME ...] [--report]

Interrupted, the same command goes on from there; `--report` only reads what is finished.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from common import RESULTS, save
from matplotlib.figure import Figure

from dashjax.engine import Cell
from dashjax.rivals import RIVALS
from dashjax.scoring import score_network
from dashjax.sweep import PRIOR_ONLY, SCORES, Results, collect_sweep, parse_grid, run_sweep
from dashjax.training import observe

SIM = Path(os.environ.get("DASHJAX_DATA", "../shared/data")) / "sim"
PUBLISHED = {
    "kind": "equations",
    "equations": str(SIM / "ode_system_functions_350.csv"),
    "names": str(SIM / "gene_names_350.csv"),
}
GENERATED = {"kind": "simulated", "genes": 500, "seed": 7}
#: Name, system, noise, prior corruption, and whether the rivals run too.
CONDITIONS = (
    ("noise-5", PUBLISHED, 0.025, 0.05, True),
    ("noise-10", PUBLISHED, 0.05, 0.1, True),
    ("noise-10-corruption-20", PUBLISHED, 0.05, 0.2, True),
    ("noise-10-corruption-40", PUBLISHED, 0.05, 0.4, False),
    ("noise-10-random-prior", PUBLISHED, 0.05, 1.0, False),
    ("generated-500-noise-5", GENERATED, 0.025, 0.05, False),
    ("generated-500-noise-10", GENERATED, 0.05, 0.1, False),
)
ENSEMBLE = "posterior"
#: Passes over the data, in all: of a single run, or of an ensemble's three members together.
EPOCHS, MEMBER_EPOCHS = 200, 66
BINS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.01)


def main() -> None:
    """Run, print one line per method and condition, save rows and figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=[name for name, *_ in CONDITIONS])
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    bins: dict[str, list[dict[str, Any]]] = {}
    for name, system, noise, corruption, rivals in CONDITIONS:
        if options.only and name not in options.only:
            continue
        methods = [{"name": ENSEMBLE, "epochs": MEMBER_EPOCHS}, *([{"name": "dash", "epochs": EPOCHS}] * rivals)]
        seeds = options.seeds if rivals else min(options.seeds, 3)
        content = {"system": system, "noise": noise, "prior_corruption": corruption, "seeds": seeds}
        grid = parse_grid(content | {"methods": methods})
        folder = options.out / name
        results = collect_sweep(grid, folder) if options.report else run_sweep(grid, folder)
        table = results.table
        for method in dict.fromkeys(table["method"]):
            mine = table[table["method"] == method]
            rows.append({"condition": name, "method": method, "runs": len(mine), **_moments(mine, SCORES)})
            if method != PRIOR_ONLY:
                rows[-1] |= _moments(mine, ("test_mse", "seconds"))
            _show(rows[-1])
        lasso = folder / "lasso.json"
        if rivals and not options.report and not lasso.exists():
            row = _lasso(next(iter(results.cells.values())))
            lasso.write_text(json.dumps(row))
        if lasso.exists():
            rows.append({"condition": name, **json.loads(lasso.read_text())})
            _show(rows[-1])
        bins[name] = _calibration(results, table[table["method"] == ENSEMBLE])
    path = save("posterior", rows, calibration=bins)
    _draw(bins).savefig(RESULTS / "posterior_calibration.png", dpi=130)
    print(path)


def _moments(table, names) -> dict[str, float]:
    return {name: float(table[name].mean()) for name in names} | {
        f"{name}_sd": float(table[name].std()) for name in names if len(table) > 1
    }


def _lasso(cell: Cell) -> dict[str, Any]:
    """Run the lasso on the observations and the prior of one run."""
    problem = cell.problem
    assert problem.truth is not None, "the system is simulated"
    observed = observe(jax.random.key(cell.seed), problem.split(cell.seed), cell.hyper).seen()
    prior = np.asarray(problem.prior.edges)
    began = time.perf_counter()
    network = RIVALS["lasso"].infer(problem.units.given(observed), prior, cell.seed)
    seconds = time.perf_counter() - began
    scores = score_network(jnp.asarray(network), jnp.asarray(problem.truth), jnp.asarray(prior))
    return {
        "method": "lasso",
        "runs": 1,
        "seconds": seconds,
        **{name: float(getattr(scores, name)) for name in SCORES},
    }


def _calibration(results: Results, table) -> list[dict[str, Any]]:
    """Count, for pairs of like probability or frequency, how many are true."""
    truth = np.asarray(next(iter(results.cells.values())).problem.truth) != 0
    pairs = ~np.eye(len(truth), dtype=bool)
    probability, frequency, true = [], [], []
    for identity in table["id"]:
        arrays = results.store[identity]
        probability.append(arrays["posterior_probability"][pairs])
        frequency.append(arrays["frequency"][pairs])
        true.append(truth[pairs])
    rows: list[dict[str, Any]] = []
    for what, values in (("probability", probability), ("frequency", frequency)):
        if not values:
            continue
        value, hit = np.concatenate(values), np.concatenate(true)
        for low, high in zip(BINS[:-1], BINS[1:], strict=True):
            inside = (value >= low) & (value < high)
            if inside.any():
                rows.append(
                    {
                        "of": what,
                        "low": low,
                        "high": min(high, 1.0),
                        "pairs": int(inside.sum()),
                        "mean": float(value[inside].mean()),
                        "true": float(hit[inside].mean()),
                    }
                )
    return rows


def _show(row: dict[str, Any]) -> None:
    test = f", test error {row['test_mse']:.1e}" if "test_mse" in row else ""
    print(
        f"{row['condition']}, {row['method']} ({row['runs']}): AUPR {row['aupr']:.3f}, "
        f"outside {row['aupr_outside_prior']:.3f}, inside {row['aupr_inside_prior']:.3f}, "
        f"balanced accuracy {row['balanced_accuracy']:.4f} at precision "
        f"{row['precision']:.3f} ({row['n_edges']:.0f} edges){test}",
        flush=True,
    )


def _draw(bins: dict[str, list[dict[str, Any]]]) -> Figure:
    """Draw the share of true edges against their stated probability."""
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, label="as stated")
    for name, rows in bins.items():
        mine = [row for row in rows if row["of"] == "probability"]
        axes.plot([row["mean"] for row in mine], [row["true"] for row in mine], marker="o", markersize=4, label=name)
    axes.set(xlabel="stated probability of an edge", ylabel="share that is true")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return figure


if __name__ == "__main__":
    main()
