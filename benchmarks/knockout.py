"""Claim: knock-outs in a fitted model rank the genes that respond as knock-outs in the true system do.

Fits methods on a generated system of 100 genes (noise sd .025, 5 % of the prior misplaced), knocks out every gene with
at least three true targets, in the model and in the true equations, from the same unseen starts, and compares the
responses (mean Δ over times after the start). Beside the models the prior alone: minus its edges, as if a knock-out
lowered what the gene activates and reached nothing else; only its ranks mean anything. Also times the influence of all
genes of a 500-gene model in which no weight is zero.

    python benchmarks/knockout.py [--seeds 3] [--epochs 120] [--genes 100]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from common import save

from dashjax.dynamics import AbstractField, Direct, Phoenix
from dashjax.methods import find_method
from dashjax.networks import along_edges
from dashjax.questions import measure_influence, perturb, random_starts, response_times
from dashjax.simulate import generate_system, simulate_expression
from dashjax.sweep import PRIOR_ONLY, parse_grid, run_sweep

#: The ensemble shares the epochs of the others among its members.
ENSEMBLE = find_method("posterior")
METHODS = ("direct+dash", ENSEMBLE.name, "dash", "imp", "dense")
TIMES = np.arange(10.0)
#: Starts and push of the timed influence.
STARTS, PUSH = 200, 0.1
#: Fewest true targets of a gene that is knocked out, and least |Δ| of a gene that responds.
TARGETS, RESPONDS = 3, 1e-3
#: Below this a response is the solver's rounding, in the model and in the true system: no response at all.
ROUNDING = 1e-6


def main() -> None:
    """Run, print one line per method, save the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--genes", type=int, default=100)
    options = parser.parse_args()
    influence = [_time_influence(name, field) for name, field in _dense_models(500)]
    system = {"kind": "simulated", "genes": options.genes, "seed": 0}
    content = {"system": system, "noise": 0.025, "prior_corruption": 0.05, "seeds": options.seeds}
    shared = max(1, options.epochs // ENSEMBLE.members)
    methods = [{"name": name, "epochs": shared if name == ENSEMBLE.name else options.epochs} for name in METHODS]
    grid = parse_grid(content | {"methods": methods})
    with tempfile.TemporaryDirectory() as folder:
        results = run_sweep(grid, folder)
        runs = _score_runs(results, generate_system(options.genes, seed=0))
    table = pd.DataFrame(runs)
    rows = []
    for method, group in table.groupby("method", sort=False):
        row: dict[str, Any] = {"method": method, "runs": len(group)}
        for name in group.columns.drop(["method", "seed"]):
            row |= {name: float(group[name].mean()), f"{name}_sd": float(group[name].std())}
        rows.append(row)
        print(
            f"{method}: rank correlation {row['all']:.3f} ± {row['all_sd']:.3f} over all genes (at most "
            f"{row['ceiling']:.3f} for a ranking without ties), {row['responding']:.3f} ± {row['responding_sd']:.3f} "
            f"over those that respond, sign right for {row['sign']:.3f}, relative error {row['relative_error']:.3f}",
            flush=True,
        )
    print(save("knockout", rows, runs=runs, influence=influence, **vars(options)))


def _score_runs(results, system) -> list[dict[str, Any]]:
    """Compare every run's predicted responses with the true ones."""
    problems = {cell.seed: cell.problem for cell in results.cells.values()}
    problem = problems[0]
    assert problem.genes == system.genes, "the generator names genes in their canonical order"
    starts = np.asarray(problem.test.expression[:, 0], np.float64)
    states, times = jnp.asarray(starts, jnp.float32), jnp.asarray(TIMES, jnp.float32)
    knocked_out = np.flatnonzero((system.truth != 0).sum(axis=1) >= TARGETS)
    true = _true_responses(system, starts, knocked_out)
    count = len(system.genes)
    levels = jnp.where(jnp.arange(count) == knocked_out[:, None], 0.0, jnp.nan)
    respond: Callable = jax.jit(lambda field: jax.vmap(lambda level: perturb(field, states, times, level).mean)(levels))
    print(f"{len(knocked_out)} knock-outs, {(np.abs(true) > RESPONDS).sum() / len(true) - 1:.1f} genes respond to each")
    rows = []
    table = results.table
    for run in table[table["method"] != PRIOR_ONLY].to_dict("records"):
        network = results.network(run["id"])
        field = network.field
        row = {"method": run["method"], "seed": run["seed"]}
        rows.append(row | _compare(np.asarray(respond(field)), true, knocked_out))
        if network.posterior is not None:
            kept = along_edges(field, jnp.asarray(network.returned))
            row["method"] += ", returned edges only"
            rows.append(row | _compare(np.asarray(respond(kept)), true, knocked_out))
    for seed, mine in problems.items():
        prior = np.asarray(mine.prior.edges)
        rows.append({"method": "prior only", "seed": seed} | _compare(-prior[knocked_out], true, knocked_out))
    return rows


def _true_responses(system, starts: np.ndarray, knocked_out: np.ndarray) -> np.ndarray:
    """Return the true mean Δ of every gene to every knock-out."""
    held = np.repeat(np.eye(len(system.genes), dtype=bool)[knocked_out], len(starts), axis=0)
    many = np.where(held, 0.0, np.tile(starts, (len(knocked_out), 1)))
    without = simulate_expression(system, starts, TIMES)
    followed = simulate_expression(system, many, TIMES, held=held)
    change = followed.reshape(len(knocked_out), *without.shape) - without
    return change[:, :, 1:].mean(axis=(1, 2))


def _compare(predicted: np.ndarray, true: np.ndarray, knocked_out: np.ndarray) -> dict[str, float]:
    """Average the agreement of responses over knock-outs; the knocked-out gene itself does not count."""
    scores = []
    for mine, theirs, gene in zip(predicted, true, knocked_out, strict=True):
        mine, theirs = (np.where(np.abs(r) < ROUNDING, 0.0, r) for r in (mine, theirs))
        mine, theirs = np.delete(mine, gene), np.delete(theirs, gene)
        responds = np.abs(theirs) > RESPONDS
        # A ranking without ties can follow one with ties only so far.
        untied = np.argsort(np.argsort(theirs, kind="stable"), kind="stable")
        scores.append(
            {
                "all": _rank_correlation(mine, theirs),
                "ceiling": _rank_correlation(untied, theirs),
                "responding": _rank_correlation(mine[responds], theirs[responds]),
                "sign": float((np.sign(mine) == np.sign(theirs))[responds].mean()),
                "relative_error": float(np.linalg.norm(mine - theirs) / np.linalg.norm(theirs)),
            }
        )
    return {name: float(np.nanmean([score[name] for score in scores])) for name in scores[0]}


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's correlation, ties sharing their mean rank; NaN where one of the two is constant."""
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(pd.Series(first).rank(), pd.Series(second).rank())[0, 1])


def _dense_models(genes: int) -> list[tuple[str, AbstractField]]:
    key = jax.random.key(0)
    phoenix = Phoenix.init(key, genes, 48)
    return [
        ("direct", Direct.init(key, genes)),
        ("phoenix", phoenix.with_layers((phoenix.input_weight + 1e-3, phoenix.output_weight))),
    ]


def _time_influence(name: str, field: AbstractField) -> dict[str, Any]:
    """Time the influence of all genes, compilation included."""
    genes = field.decay().shape[0]
    starts = random_starts(jax.random.key(1), STARTS, genes)
    began = time.perf_counter()
    measure_influence(field, starts, response_times(field), PUSH, tuple(map(str, range(genes))))
    row = {"field": name, "genes": genes, "starts": STARTS, "seconds": time.perf_counter() - began}
    print(f"influence of {genes} genes from {STARTS} starts, {name}: {row['seconds']:.1f} s", flush=True)
    return row


if __name__ == "__main__":
    main()
