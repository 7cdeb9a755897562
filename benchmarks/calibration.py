"""Question: is the default's probability of an edge the share of such edges that is true, wherever it is asked?

Asked are systems of 40, 100, 350 and 500 generated genes (10, 3, 1 and 1 seeds), each watched in four ways, each way
with a good prior (one edge in ten misplaced), a poor one (half misplaced), and none; and *B. subtilis*, half of whose
known edges are hidden. No number of the posterior was chosen on the systems of these seeds.

| watched | what is seen |
| --- | --- |
| paths | 150 trajectories of 5 times, noise of standard deviation .05 |
| steps | 10 disturbed, fluctuating trajectories of 21 times, noise .03 (`simulate_disturbed`) |
| cells | 2,000 single cells of two lineages, averaged along pseudotime |
| interventions | as steps, and a knock-out of every gene |

    python benchmarks/calibration.py --out DIR [--genes 40 ...] [--only NAME ...] [--seeds N] [--data FOLDER] [--report]

Interrupted, the same command goes on from there; `--report` only reads what is finished. `--data` is a folder with
`bsubtilis/`; without it nothing measured is asked. The claim: of the edges returned at an expected precision of .9,
between .85 and .95 are true, and the expected calibration error (ECE) is at most .05. It is that of ten bins of
probability, over pairs said to be at least 1 % likely; over all pairs, which is given too, it is small whatever is said
of the likely ones. Seeds are pooled; intervals (95 %, Wilson's) take edges for independent, so they are the least
that is uncertain.
"""

from __future__ import annotations

import argparse
import math
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from common import RESULTS, save
from matplotlib.figure import Figure

from dashjax.data import Problem, make_problem
from dashjax.engine import Cell, MemoryStore, Store, find_network, run_cells
from dashjax.evidence import edges_at_precision
from dashjax.io.metacells import average_cells
from dashjax.methods import DEFAULT_METHOD, find_method
from dashjax.networks import Network
from dashjax.problems import read_problem, with_corrupted_prior
from dashjax.scoring import Reliability, average_precision, edge_universe, reliability
from dashjax.simulate import System, generate_system, simulate_cells, simulate_disturbed, simulate_rest, simulate_study
from dashjax.training import add_observation_noise

Row = dict[str, Any]
#: Seeds of the systems by number of genes.
SEEDS = {40: range(201, 211), 100: range(201, 204), 350: range(201, 202), 500: range(201, 202)}
WATCHED = ("paths", "steps", "cells", "interventions")
#: Share of the prior's edges that is misplaced; None for no prior.
PRIORS: dict[str, float | None] = {"good": 0.1, "poor": 0.5, "none": None}
#: Probability from which on edges are counted, beside those returned.
SURE = 0.9
#: Pairs less likely than this do not count in the calibration error.
LEAST = 0.01
#: What was asked of the returned edges and of the calibration error.
ASKED, MOST_ERROR = (0.85, 0.95), 0.05
#: Draws of the hidden half of B. subtilis, and how many targets are taken beside the regulators.
DRAWS, TARGETS = range(5), 450


def main() -> None:
    """Run what is asked; print a table and save the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--genes", type=int, nargs="+", choices=list(SEEDS), default=list(SEEDS))
    parser.add_argument("--only", nargs="+", choices=WATCHED, default=list(WATCHED))
    parser.add_argument("--seeds", type=int, default=10, help="seeds at most, of each size")
    parser.add_argument("--data", type=Path, help="folder with bsubtilis/")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    rows: list[Row] = []
    for genes in options.genes:
        for watched in options.only:
            seeds = SEEDS[genes][: options.seeds]
            rows += simulated(options.out / f"{watched}-{genes}", genes, watched, seeds, options.report)
            _show(rows, genes, watched)
    if options.data is not None:
        rows += measured(options.out / "measured", options.data / "bsubtilis", options.report)
    summary = summarise(rows)
    print(f"\n{markdown(summary)}\n\n{verdict(summary)}")
    path = save("calibration", rows, summary=summary)
    _draw(rows).savefig(RESULTS / "calibration.png", dpi=130)
    print(path)


# --- simulated systems -----------------------------------------------------------------------------------------


def simulated(folder: Path, genes: int, watched: str, seeds: Sequence[int], report: bool) -> Iterator[Row]:
    """Fit the systems of one size that are watched in one way, with each prior, and yield a row of each."""
    problems = {}
    for seed in seeds:
        problem = watch(generate_system(genes, seed=seed), seed, watched)
        for name, share in PRIORS.items():
            problems[seed, name] = with_corrupted_prior(problem, share, seed)
    about = {"genes": genes, "watched": watched}
    for (seed, prior), network, problem in fitted(folder, problems, report):
        assert problem.truth is not None, "simulated"
        row = of_network(network, problem.truth, np.asarray(edge_universe(genes)))
        yield about | {"prior": prior, "seed": seed, "fitted": network.how["fitted"]} | row


def watch(system: System, seed: int, watched: str) -> Problem:
    """Return the problem of finding a system's edges from what is seen of it."""
    genes, name = system.genes, f"{watched} of {len(system.genes)} genes, seed {seed}"
    more: dict[str, Any] = {}
    if watched == "paths":
        clean = simulate_study(system, seed=seed).seen()
        observed = add_observation_noise(jax.random.key(seed), clean, jnp.asarray(0.05))
    elif watched == "cells":
        cells = simulate_cells(system, seed=seed)
        lineages = [(str(n), np.where(cells.lineage == n, cells.pseudotime, np.nan)) for n in np.unique(cells.lineage)]
        observed = average_cells([cells.expression], genes, lineages, name).trajectories
    else:
        observed = simulate_disturbed(system, seed=seed)
    if watched == "interventions":
        study = simulate_rest(system, seed, knockouts=genes, fluctuation=0.05, noise=0.03)
        courses = tuple(f"series {number}" for number in range(1, observed.n_trajectories + 1))
        more = {"steady": study.levels, "samples": study.names, "interventions": study.interventions}
        more["trajectories"] = courses
    # Simulated again elsewhere, last digits differ; the name says it all.
    digest = f"{zlib.crc32(name.encode()):08x}-calibration"
    return make_problem(observed, genes, truth=system.truth, name=name, data_fingerprint=digest, **more)


def fitted(folder: Path, problems: dict[Any, Problem], report: bool) -> Iterator[tuple[Any, Network, Problem]]:
    """Infer the network of each problem as `infer` does, all with the same programs; what is finished is kept."""
    cells = {key: Cell(problem, find_method(DEFAULT_METHOD)) for key, problem in problems.items()}
    store: MemoryStore = Store(folder, "calibration", {"of": folder.name})
    if not report:
        run_cells(list(cells.values()), store)
    finished = set(store.rows()["id"])
    for key, cell in cells.items():
        if cell.identity in finished:
            yield key, find_network(cell, store), problems[key]


# --- B. subtilis -----------------------------------------------------------------------------------------------


def measured(folder: Path, data: Path, report: bool) -> Iterator[Row]:
    """Hide the edges of half of the targets, and ask how many of the edges found for these are known."""
    problems, asked = {}, {}
    for draw in DRAWS:
        problems[draw], asked[draw] = hide_half(data, draw)
    about = {"genes": "*B. subtilis*", "watched": "measured", "prior": "half hidden"}
    for draw, network, problem in fitted(folder, problems, report):
        assert problem.truth is not None, "given"
        row = of_network(network, problem.truth, asked[draw])
        yield about | {"seed": draw, "fitted": network.how["fitted"]} | row


def hide_half(folder: Path, draw: int) -> tuple[Problem, np.ndarray]:
    """Return B. subtilis with the edges of half of the targets hidden, and the pairs that this concerns.

    All regulators and 450 of their other targets are taken; the edges of half of these are hidden.
    """
    series, gold = pd.read_csv(folder / "timeseries_tidy.csv.gz"), pd.read_csv(folder / "gold_edges.csv")
    about = pd.read_csv(folder / "meta_data.tsv", sep="\t")
    rest = pd.read_csv(folder / "expression.tsv.gz", sep="\t", index_col=0)[about.loc[~about["isTs"], "condName"]].T
    rng = np.random.default_rng([draw, 20])
    here = set(series.columns)
    gold = gold[gold["source"].isin(here) & gold["target"].isin(here) & (gold["source"] != gold["target"])]
    regulators = sorted(set(gold["source"]))
    others = rng.choice(sorted(set(gold["target"]) - set(regulators)), TARGETS, replace=False)
    genes = [*regulators, *sorted(others)]
    gold = gold[gold["target"].isin(genes)]
    hidden = set(rng.permutation(others)[: TARGETS // 2])
    problem = read_problem(
        series[["trajectory", "time", *genes]],
        gold[~gold["target"].isin(hidden)],
        regulators=regulators,
        steady=rest[genes],
        truth=gold,
    )
    pairs = edge_universe(len(problem.genes), jnp.asarray(problem.may_regulate))
    return problem, np.asarray(pairs) & np.isin(problem.genes, list(hidden))


# --- figures ---------------------------------------------------------------------------------------------------


def of_network(network: Network, truth: np.ndarray, pairs: np.ndarray) -> Row:
    """Return how many of the edges that a network is sure of are true, and its reliability."""
    probability, true = np.abs(network.scores), truth != 0
    row: Row = {"aupr": float(average_precision(jnp.asarray(probability), jnp.asarray(true), jnp.asarray(pairs)))}
    # Of the pairs that are asked: elsewhere are prior edges, which are likelier and would let unlikely ones in.
    returned = np.asarray(edges_at_precision(jnp.asarray(probability * pairs), network.precision))
    for name, edges in (("returned", returned), ("sure", (probability > SURE) & pairs)):
        row |= {name: int(edges.sum()), f"{name}_true": int(true[edges].sum())}
    for name, least in (("likely", LEAST), ("all", 0.0)):
        found = reliability(jnp.asarray(probability), jnp.asarray(truth), jnp.asarray(pairs), least=least)
        row[name] = {part: np.asarray(getattr(found, part), float).round(3).tolist() for part in vars(found)}
        row[f"ece_{name}"] = float(found.error)
    return row


def summarise(rows: Sequence[Row]) -> list[Row]:
    """Pool the seeds of each condition."""
    keys = ("genes", "watched", "prior")
    summary = []
    for condition in dict.fromkeys(tuple(row[key] for key in keys) for row in rows):
        mine = [row for row in rows if tuple(row[key] for key in keys) == condition]
        pooled: Row = dict(zip(keys, condition, strict=True)) | {"seeds": len(mine)}
        pooled["aupr"] = float(np.mean([row["aupr"] for row in mine]))
        for name in ("returned", "sure"):
            count, true = (sum(row[part] for row in mine) for part in (name, f"{name}_true"))
            low, high = wilson(true, count)
            share = true / count if count else math.nan
            pooled |= {name: count, f"{name}_share": share, f"{name}_low": low, f"{name}_high": high}
        for name in ("likely", "all"):
            pooled[f"ece_{name}"] = float(pool([row[name] for row in mine]).error)
        summary.append(pooled)
    return summary


def pool(parts: Sequence[dict[str, list[float]]]) -> Reliability:
    """Add up several networks' bins."""
    names = ("pairs", "expected", "true")
    return Reliability(*(jnp.asarray(np.sum([part[name] for part in parts], axis=0)) for name in names))


def wilson(true: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Return the interval of a binomial share (Wilson 1927)."""
    if not count:
        return math.nan, math.nan
    share, weight = true / count, z**2 / count
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / count + weight / (4 * count)) / (1 + weight)
    return middle - half, middle + half


def markdown(summary: Sequence[Row]) -> str:
    """Return the table of the documentation."""
    lines = [
        "| genes | watched | prior | seeds | AUPR | returned | true | p > .9 | true | ECE, p ≥ .01 | ECE, all |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in summary:
        shares = [
            f"{_short(row[f'{name}_share'])} ({_short(row[f'{name}_low'])} to {_short(row[f'{name}_high'])})"
            if row[name]
            else "–"
            for name in ("returned", "sure")
        ]
        lines.append(
            f"| {row['genes']} | {row['watched']} | {row['prior']} | {row['seeds']} | {_short(row['aupr'], 3)} "
            f"| {row['returned']} | {shares[0]} | {row['sure']} | {shares[1]} "
            f"| {_short(row['ece_likely'], 3)} | {_short(row['ece_all'], 4)} |"
        )
    return "\n".join(lines)


def _short(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".removeprefix("0") if value < 1 else f"{value:.{digits}f}"


def verdict(summary: Sequence[Row]) -> str:
    """Say where the claim fails: surely, where the interval excludes what was asked; perhaps, where the share does."""
    low, high = ASKED
    lines = []
    for row in summary:
        where = f"{row['genes']}, {row['watched']}, prior {row['prior']}"
        if row["returned"] and not low <= row["returned_share"] <= high:
            surely = row["returned_high"] < low or row["returned_low"] > high
            lines.append(
                f"{where}: {_short(row['returned_share'])} of {row['returned']} returned are true, "
                f"{'OUTSIDE' if surely else 'outside, within its error'}"
            )
        if row["ece_likely"] > MOST_ERROR:
            lines.append(f"{where}: ECE {_short(row['ece_likely'], 3)}")
    met = len(summary) - len({line.split(":")[0] for line in lines})
    return "\n".join([*lines, f"{met} of {len(summary)} conditions are as asked in both"])


def _show(rows: Sequence[Row], genes: int, watched: str) -> None:
    mine = [row for row in summarise(rows) if (row["genes"], row["watched"]) == (genes, watched)]
    print("\n".join(markdown(mine).splitlines()[2:]), flush=True)


def _draw(rows: Sequence[Row]) -> Figure:
    """Draw the share of true edges against their stated probability, pooled by what is seen and by prior."""
    names = [name for name in (*WATCHED, "measured") if any(row["watched"] == name for row in rows)]
    figure = Figure(figsize=(2.6 * len(names), 3.0), layout="constrained")
    panels = figure.subplots(1, len(names), sharex=True, sharey=True, squeeze=False)[0]
    colours = {"good": "#0072B2", "poor": "#E69F00", "none": "#D55E00", "half hidden": "#555555"}
    for axes, name in zip(panels, names, strict=True):
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=1)
        for prior, colour in colours.items():
            mine = [row["likely"] for row in rows if (row["watched"], row["prior"]) == (name, prior)]
            if mine:
                pooled = pool(mine)
                # Fewer edges say nothing.
                enough = np.asarray(pooled.pairs) >= 20
                stated, share = np.asarray(pooled.stated)[enough], np.asarray(pooled.share)[enough]
                axes.plot(stated, share, color=colour, marker="o", markersize=4, label=f"prior: {prior}")
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("stated probability")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=7)
    panels[0].set_ylabel("share that is true")
    return figure


if __name__ == "__main__":
    main()
