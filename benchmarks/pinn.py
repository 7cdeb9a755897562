"""Question: PINN ranks edges far better than dash and returns nearly all pairs. What should a user do with it?

A system of 350 genes, noise sd .025, with 5 and 20 % of the prior misplaced: the prior's share of the loss, the draws
of the prior's term per step, and two ways to read edges out: all non-zeros, as the paper does, and the strongest of
the read-out D̃, as many as the prior has. The latter needs no truth. dense and dash beside it.

    python benchmarks/pinn.py STORE [--equations ode_system_functions_350.csv --names gene_names_350.csv]

Finished runs are kept in the folder STORE, and not repeated.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
from common import save

from dashjax.engine import Cell, Store, network_of, run_cells
from dashjax.methods import DEFAULT_TRUST, Method, find_method
from dashjax.scoring import score_network
from dashjax.sparsity import PriorLoss
from dashjax.sweep import parse_grid
from dashjax.sweep.sweep import make_cells

NOISE, CORRUPTIONS, SEEDS, EPOCHS = 0.025, (0.05, 0.2), 3, 200
SHARES = (0.001, 0.01, 0.05, 0.2, 0.5)
DRAWS = (16, 512)
KEPT = ("balanced_accuracy", "precision", "aupr", "aupr_outside_prior", "aupr_inside_prior")
ADDED = ("informedness_outside_prior", "informedness_inside_prior")


def variants() -> Iterator[tuple[str, Method, float | None]]:
    """Yield names, methods and strengths."""
    pinn = find_method("pinn")
    for share in SHARES:
        yield f"pinn, prior's share {share:g}", pinn, share
    for draws in DRAWS:
        yield f"pinn, prior's share 0.01, {draws} draws", replace(pinn, penalty=PriorLoss(draws)), 0.01
    for name in ("dense", "dash"):
        yield name, find_method(name), None


def make_all(equations: Path | None, names: Path | None) -> list[Cell]:
    """Return a cell per variant, corruption and seed."""
    system: dict[str, Any] = {"kind": "simulated", "genes": 350, "seed": 0}
    if equations is not None:
        system = {"kind": "equations", "equations": str(equations), "names": str(names) if names else None}
    asked = {"noise": NOISE, "prior_corruption": list(CORRUPTIONS), "methods": ["dense"], "seeds": SEEDS}
    like = make_cells(parse_grid({"system": system, **asked}, "pinn"))
    return [
        replace(
            cell,
            method=method,
            trust=DEFAULT_TRUST,
            strength=strength,
            epochs=EPOCHS,
            label=label,
        )
        for label, method, strength in variants()
        for cell in like
    ]


def read_out(cell: Cell, store: Store) -> dict[str, Any]:
    """Score a network as its method returns it, and the strongest edges of its ranking, as many as the prior has."""
    problem = cell.problem
    network = network_of(cell, store[cell.identity])
    assert problem.truth is not None, "the system is known"
    truth, prior = jnp.asarray(problem.truth), jnp.asarray(problem.prior.edges)
    scores = np.abs(network.scores).astype(np.float32)
    least = np.sort(scores.ravel())[-problem.prior.n_edges]
    row: dict[str, Any] = {"method": cell.label, "seed": cell.seed, **cell.coordinates}
    for name, edges in (("returned", network.returned), ("strongest", scores >= least)):
        found = score_network(jnp.asarray(scores), truth, prior, predicted=jnp.asarray(edges))
        row |= {f"{name} {metric}": float(getattr(found, metric)) for metric in ("n_edges", *KEPT, *ADDED)}
    return row


def main() -> None:
    """Run what is missing, and write and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("--equations", type=Path)
    parser.add_argument("--names", type=Path)
    options = parser.parse_args()
    cells = make_all(options.equations, options.names)
    store = Store(options.store, "benchmark", {"of": "pinn"})
    run_cells(cells, store, on_progress=lambda progress: print(f"{progress.finished}/{progress.runs}", flush=True))
    rows = [read_out(cell, store) for cell in cells]
    save("pinn", rows, noise=NOISE, epochs=EPOCHS)
    table = pd.DataFrame(rows).drop(columns=["seed", "data", "prior"])
    means = table.groupby(["prior_corruption", "method"], sort=False).mean().round(3)
    print(means.T.to_string())


if __name__ == "__main__":
    main()
