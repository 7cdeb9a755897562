"""Question: what do stated experiments add to the network, and are experiments nobody made predicted from them?

Four parts, each with its plain rivals beside it. No setting was chosen on these data; the cold shock's row with genes
held at ratio 0 was added after the others had been seen.

| part | fitted on | predicted or scored |
| --- | --- | --- |
| dream4 | DREAM4's series, knock-outs, knock-downs, wild type | noiseless levels of its double knock-outs |
| simulated | generated systems of 100 genes: series, all knock-outs | the network; 30 double knock-outs |
| irma | IRMA's series, and its over-expressions | over-expressions at rest; the network |
| coldshock | yeast in the cold, all strains but one | the course of the strain left out |

    python benchmarks/experiments.py --data FOLDER [--only dream4 simulated irma coldshock] [--seeds 1]

`--data` is a folder with `dream4/`, `irma/` and `coldshock/`; the simulated part needs none. Seeds are those of the
fits, from 0 on; errors are averaged over them, not their predictions. Errors are mean squares in the data's unit. A
gene that is knocked out is predicted without expression by every method of the parts at rest, where no method predicts
less than none. A row marked `a bound` sees what is predicted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
from common import save

from dashjax.data import Intervention, Problem, RestSamples, Trajectories, make_problem, settle
from dashjax.inference import infer
from dashjax.io import Expression, read_expression, read_prior
from dashjax.networks import Network
from dashjax.problems import load_problems
from dashjax.rivals import RIVALS
from dashjax.scoring import average_precision, edge_universe
from dashjax.simulate import generate_system, simulate_disturbed, simulate_rest

Row = dict[str, Any]
OURS = "ours"
#: Networks of DREAM4 by size.
NETWORKS = {10: (1, 2, 3, 4, 5), 100: (1, 2)}
#: Seeds of the simulated systems, their genes, and how many double knock-outs are predicted in each.
SYSTEMS, GENES, PAIRS = (31, 32, 33), 100, 30
#: Probability from which on edges are counted, beside those returned.
SURE = 0.9


def main() -> None:
    """Run the parts; after each print its tables and write its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with dream4/, irma/ and coldshock/")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    if options.data is None and set(options.only) != {"simulated"}:
        parser.error("--data is missing; only the part 'simulated' does without")
    for name in options.only:
        began = time.perf_counter()
        rows: list[Row] = []
        for row in PARTS[name](options.data, options.seeds):
            rows.append(row)
            print("; ".join(f"{key} {_cell(value)}" for key, value in row.items() if "mse_" not in key), flush=True)
        summary = summarise(rows)
        command = f"python benchmarks/experiments.py --data FOLDER --only {name} --seeds {options.seeds}"
        path = save(f"experiments_{name}", rows, command=command, summary=summary, seconds=time.perf_counter() - began)
        print(f"\n{markdown(summary)}\n\n{verdict(summary)}\n\n{path}\n", flush=True)


# --- double knock-outs ---------------------------------------------------------------------------------------


def dream4(data: Path, seeds: int) -> Iterator[Row]:
    """Predict the double knock-outs of DREAM4."""
    for size, networks in NETWORKS.items():
        for number in networks:
            (problem,) = load_problems("dream4", data / "dream4", f"size {size}, network {number}, all experiments")
            stem = data / "dream4" / f"insilico_size{size}_{number}"
            place = {gene: column for column, gene in enumerate(problem.genes)}
            named = np.loadtxt(f"{stem}_dualknockouts_indexes.tsv", skiprows=1, dtype=int)
            pairs = [(place[f"G{first}"], place[f"G{second}"]) for first, second in named]
            # Columns are in the order of the genes' numbers.
            true = np.loadtxt(f"{stem}_nonoise_dualknockouts.tsv")[:, [int(gene[1:]) - 1 for gene in problem.genes]]
            about = {"task": f"size {size}", "system": problem.name, "pairs": len(pairs)}
            for row in double_knockouts([infer(problem, seed=seed) for seed in range(seeds)], problem, pairs, true):
                yield about | row


def double_knockouts(
    networks: Sequence[Network], problem: Problem, pairs: Sequence[tuple[int, int]], true: np.ndarray
) -> Iterator[Row]:
    """Compare predictions of double knock-outs with their true levels."""
    rest = problem.given_rest
    assert rest is not None, "fitted on knock-outs"
    levels = np.asarray(rest.levels, float)
    settled = settle(rest)
    wild_type = levels[[name.startswith("wild type") for name in problem.samples]].mean(axis=0)
    usual, quiet = np.asarray(settled.usual, float), np.asarray(settled.levels, float)
    single = knockout_rows(rest)
    added = [levels[single[a]] + levels[single[b]] - wild_type for a, b in pairs]
    denoised = [quiet[single[a]] + quiet[single[b]] - usual for a, b in pairs]
    plain = {
        "wild type as measured": [wild_type] * len(pairs),
        "sum of measured effects": added,
        "sum of denoised effects": denoised,
    }
    out = np.zeros(true.shape, bool)
    for row, pair in enumerate(pairs):
        out[row, list(pair)] = True
    for seed, network in enumerate(networks):
        told = [network.at_rest(knock_out=[problem.genes[gene] for gene in pair]) for pair in pairs]
        level, low, high = (np.stack([table[name].to_numpy() for table in told]) for name in ("level", "low", "high"))
        inside = (low <= true) & (true <= high)
        error = float(((np.where(out, 0.0, level) - true) ** 2).mean())
        wide = float((high - low)[~out].mean())
        yield {"method": OURS, "seed": seed, "mse": error, "inside": float(inside[~out].mean()), "width": wide}
    for name, found in plain.items():
        predicted = np.where(out, 0.0, np.maximum(np.stack(found), 0.0))
        yield {"method": name, "mse": float(((predicted - true) ** 2).mean())}


def knockout_rows(rest: RestSamples) -> dict[int, int]:
    """Return the sample in which each gene was knocked out alone."""
    factor = np.asarray(rest.acting.factor)
    return {
        int(np.argmin(row)): number for number, row in enumerate(factor) if (row != 1).sum() == 1 and (row == 0).any()
    }


# --- simulated systems ---------------------------------------------------------------------------------------


def simulated(data: Path | None, seeds: int) -> Iterator[Row]:
    """Find the networks of generated systems with and without their knock-outs, and predict double knock-outs."""
    for number in SYSTEMS:
        system = generate_system(GENES, seed=number)
        courses = simulate_disturbed(system, seed=number, trajectories=10)
        study = simulate_rest(system, number, knockouts=system.genes, fluctuation=0.05, noise=0.03)
        names = tuple(f"series {count}" for count in range(1, courses.n_trajectories + 1))
        series = make_problem(courses, system.genes, truth=system.truth, trajectories=names, name="series only")
        problem = make_problem(
            courses,
            system.genes,
            truth=system.truth,
            trajectories=names,
            steady=study.levels,
            samples=study.names,
            interventions=study.interventions,
            name="series and knock-outs",
        )
        about = {"task": "network", "system": f"system {number}"}
        fitted = [infer(problem, seed=seed) for seed in range(seeds)]
        found = {"series and knock-outs": fitted, "series only": [infer(series, seed=seed) for seed in range(seeds)]}
        for name, networks in found.items():
            for seed, network in enumerate(networks):
                yield about | {"method": f"{OURS}, {name}", "seed": seed} | of_network(network, system.truth)
        for name in ("knockout_effect", "knockout_zscore", "ridge"):
            scores = RIVALS[name].rank(problem, 0)
            yield about | {"method": name, "aupr": aupr(scores, system.truth)}
        regulators = np.flatnonzero((system.truth != 0).any(axis=1))
        pairs = draw_pairs(np.random.default_rng([number, 7]), regulators)
        both = [(system.genes[a], system.genes[b]) for a, b in pairs]
        true = simulate_rest(system, number, knockouts=both, wildtypes=0).clean
        for row in double_knockouts(fitted, problem, pairs, true):
            yield {"task": "double knock-outs", "system": f"system {number}", "pairs": len(pairs)} | row


def of_network(network: Network, truth: np.ndarray) -> Row:
    """Return how well a network ranks edges, and how many of those it is sure of are true."""
    sure, true = np.abs(network.scores) > SURE, truth != 0
    row: Row = {"aupr": aupr(network.scores, truth)}
    for name, edges in (("sure", sure), ("returned", network.returned)):
        row |= {name: int(edges.sum()), f"{name}_true": float(true[edges].mean()) if edges.any() else float("nan")}
    return row


def aupr(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the average precision over pairs of two genes."""
    pairs = edge_universe(len(truth))
    return float(average_precision(jnp.abs(jnp.asarray(scores)), jnp.asarray(truth != 0), pairs))


def draw_pairs(rng: np.random.Generator, genes: np.ndarray) -> list[tuple[int, int]]:
    """Return distinct pairs of distinct genes."""
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < PAIRS:
        first, second = sorted(int(gene) for gene in rng.choice(genes, 2, replace=False))
        pairs.add((first, second))
    return sorted(pairs)


# --- IRMA ----------------------------------------------------------------------------------------------------


def irma(data: Path, seeds: int) -> Iterator[Row]:
    """Predict IRMA's over-expressions, and find its network with and without them."""
    folder = data / "irma"
    courses = read_expression(folder / "irma_timeseries_mean.csv").in_canonical_order()
    genes, table = courses.genes, pd.read_csv(folder / "irma_overexpression_steady_state.csv")
    truth = np.asarray(read_prior(folder / "truth.csv", genes))
    series = _irma_problem(courses)
    fitted = [infer(series, seed=seed) for seed in range(seeds)]
    raised = {str(medium): overexpressed(part, genes) for medium, part in table.groupby("medium", sort=False)}
    for medium, (levels, which) in raised.items():
        wild_type, made = levels[which < 0].mean(axis=0), np.flatnonzero(which >= 0)
        for gene in np.unique(which[made]):
            mine, others = made[which[made] == gene], made[which[made] != gene]
            free = np.arange(len(genes)) != gene
            about = {"task": "over-expression", "system": medium, "gene": genes[gene], "samples": len(mine)}

            def row(method: str, predicted: np.ndarray, **more: Any) -> Row:
                square = np.where(free, (predicted - levels[mine]) ** 2, np.nan).mean(axis=0)  # noqa: B023
                by_gene = {f"mse_{name}": float(part) for name, part in zip(genes, square, strict=True)}
                return about | {"method": method, "mse": float(np.nanmean(square))} | more | by_gene  # noqa: B023

            for seed, network in enumerate(fitted):
                told = [_raise(network, gene, levels[sample, gene], wild_type) for sample in mine]
                yield row(f"{OURS}, series only", np.stack([level for level, _ in told]), seed=seed)
                changed = np.stack([np.maximum(wild_type + change, 0.0) for _, change in told])
                yield row(f"{OURS}, series only, change added to wild type", changed, seed=seed)
            # What the mean of the others sees: this medium's wild type and its other over-expressions.
            seen = np.sort(np.concatenate([np.flatnonzero(which < 0), others]))
            problem = _irma_problem(courses, levels[seen], which[seen])
            for seed in range(seeds):
                network = infer(problem, seed=seed)
                told = [_raise(network, gene, levels[sample, gene], wild_type) for sample in mine]
                yield row(
                    f"{OURS}, series and other over-expressions", np.stack([level for level, _ in told]), seed=seed
                )
            yield row("wild type", np.broadcast_to(wild_type, (len(mine), len(genes))))
            yield row("mean of the other over-expressions", _mean_without_own(levels[others], which[others], wild_type))
            yield row("mean of its own replicates (a bound)", levels[mine].mean(axis=0))
    everything = [np.concatenate(parts) for parts in zip(*raised.values(), strict=True)]
    whole = _irma_problem(courses, everything[0], everything[1])
    about = {"task": "network", "system": "IRMA"}
    found = {"series only": fitted, "series and over-expressions": [infer(whole, seed=seed) for seed in range(seeds)]}
    for name, networks in found.items():
        for seed, network in enumerate(networks):
            yield about | {"method": f"{OURS}, {name}", "seed": seed} | of_network(network, truth)
    for name in ("ridge", "correlation", "dyngenie3"):
        yield about | {"method": f"{name}, series only", "aupr": aupr(RIVALS[name].rank(whole, 0), truth)}
    pairs = len(genes) * (len(genes) - 1)
    yield about | {"method": "chance", "aupr": float((truth != 0).sum() / pairs)}


def overexpressed(table: pd.DataFrame, genes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return a medium's levels (sample, gene), and the gene that is over-expressed in each; −1 for the wild type.

    It is the gene furthest above the wild type, in ratios. Replicates of a gene follow each other, in the order of the
    columns, so that a gene before the one of the sample before is what that one activates.
    """
    columns = list(table.columns.drop("medium"))
    levels = table[columns].to_numpy(float)
    furthest = np.argmax(levels[3:] / levels[:3].mean(axis=0), axis=1)
    names = [columns[column] for column in np.maximum.accumulate(furthest)]
    which = np.array([-1] * 3 + [list(genes).index(name) for name in names])
    return table[list(genes)].to_numpy(float), which


def _irma_problem(courses: Expression, levels: np.ndarray | None = None, which: np.ndarray | None = None) -> Problem:
    """Return the problem of IRMA's series, with samples at rest and what is over-expressed in them, if given."""
    names: tuple[str, ...] = ()
    done: list[Intervention] = []
    if levels is not None and which is not None:
        names = tuple(f"sample {number}" for number in range(1, len(levels) + 1))
        # Held at the level that was measured.
        done = [
            Intervention(name, courses.genes[gene], "overexpression")
            for name, gene in zip(names, which, strict=True)
            if gene >= 0
        ]
    return make_problem(
        courses.trajectories,
        courses.genes,
        trajectories=courses.names,
        steady=levels,
        samples=names,
        interventions=done,
        name="IRMA",
    )


def _raise(network: Network, gene: int, level: float, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the levels at rest of all genes where one is held, and their change."""
    told = network.at_rest(over_express={network.genes[gene]: level}, starts=start[None])
    return told["level"].to_numpy(), told["change"].to_numpy()


def _mean_without_own(levels: np.ndarray, which: np.ndarray, wild_type: np.ndarray) -> np.ndarray:
    """Return every gene's mean over samples in which another was over-expressed; the wild type where there is none."""
    free = which[:, None] != np.arange(levels.shape[1])
    total = np.where(free, levels, 0.0).sum(axis=0)
    return np.where(free.any(axis=0), total / np.maximum(free.sum(axis=0), 1), wild_type)


# --- cold shock ----------------------------------------------------------------------------------------------


def coldshock(data: Path, seeds: int) -> Iterator[Row]:
    """Predict the course of every deletion strain from all other strains."""
    for path in sorted((data / "coldshock").glob("*_tidy.csv")):
        courses = read_expression(path).in_canonical_order()
        strain = np.array([name.split("_rep")[0] for name in courses.names])
        for left in sorted(set(strain) - {"wt"}):
            gene = courses.genes.index(left[1:].upper())
            rest, mine = np.flatnonzero(strain != left), np.flatnonzero(strain == left)
            # Ratios to a strain's own start are what a deletion leaves as they are: zero, and not the lowest ever seen.
            problem, at_zero = (_cold_problem(courses, rest, strain, held) for held in (None, 0.0))
            about = {
                "task": path.name.removeprefix("dahlquist_").removesuffix("_tidy.csv").replace("_", " "),
                "system": left,
                "replicates": len(mine),
            }
            own, state, counted = _courses(courses.trajectories, mine)
            counted[..., gene] = False
            times = np.asarray(courses.trajectories.times[mine[0]], float)
            others = np.array([name for name in dict.fromkeys(strain) if name not in ("wt", left)])
            plain = {
                "no change": np.broadcast_to(own[:, :1], own.shape),
                "mean course of the wild type": _mean_course(
                    courses.trajectories, np.flatnonzero(strain == "wt"), state
                ),
                "mean of its own replicates (a bound)": _mean_course(courses.trajectories, mine, state),
            }
            if len(others):
                rows = np.flatnonzero(np.isin(strain, others))
                plain["mean course of the other deletions"] = _mean_course(courses.trajectories, rows, state)
                plain["mean course of all other strains"] = _mean_course(courses.trajectories, rest, state)

            def row(method: str, predicted: np.ndarray, **more: Any) -> Row:
                # The first state is given.
                square = np.where(counted, (predicted - own) ** 2, np.nan)[:, 1:]  # noqa: B023
                by_time = {
                    f"mse_{when:g}": float(np.nanmean(square[:, step]))
                    for step, when in enumerate(times[1:])  # noqa: B023
                }
                return about | {"method": method, "mse": float(np.nanmean(square))} | more | by_time  # noqa: B023

            for seed in range(seeds):
                network = infer(problem, seed=seed)
                response, _ = network.respond([courses.genes[gene]], {}, own[:, 0], list(times))
                # One start after the other for every member.
                shape = (-1, *own.shape)
                yield row(OURS, np.asarray(response.perturbed).reshape(shape).mean(axis=0), seed=seed)
                free = np.asarray(response.unperturbed).reshape(shape).mean(axis=0)
                yield row(f"{OURS}, nothing knocked out", free, seed=seed)
                response, _ = infer(at_zero, seed=seed).respond([], {courses.genes[gene]: 0.0}, own[:, 0], list(times))
                held = np.asarray(response.perturbed).reshape(shape).mean(axis=0)
                yield row(f"{OURS}, deleted genes held at ratio 0", held, seed=seed)
            for name, predicted in plain.items():
                yield row(name, predicted)


def _cold_problem(courses: Expression, rows: np.ndarray, strain: np.ndarray, held: float | None) -> Problem:
    """Return the problem of some strains, their deletions stated as knock-outs, or held at a level if one is given."""
    done = [
        Intervention(courses.names[row], str(strain[row])[1:].upper(), "knockout" if held is None else "clamp", held)
        for row in rows
        if strain[row] != "wt"
    ]
    return make_problem(
        courses.trajectories[rows],
        courses.genes,
        trajectories=tuple(courses.names[row] for row in rows),
        interventions=done,
        name="cold shock",
    )


def _courses(given: Trajectories, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return courses, their times, and which values count."""
    expression = np.asarray(given.expression[rows], float)
    counted = np.broadcast_to(np.asarray(given.counted[rows]), expression.shape).copy()
    return expression, np.asarray(given.times[rows], float), counted


def _mean_course(given: Trajectories, rows: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the mean over some courses of every gene at every one of some times."""
    expression, there, counted = _courses(given, rows)
    at = [counted & (np.abs(there - when) < 1e-3)[..., None] for when in times[0]]
    return np.stack([expression.mean(axis=(0, 1), where=mine) for mine in at])


# --- tables --------------------------------------------------------------------------------------------------


PARTS: dict[str, Callable[[Any, int], Iterator[Row]]] = {
    "dream4": dream4,
    "simulated": simulated,
    "irma": irma,
    "coldshock": coldshock,
}


def summarise(rows: Sequence[Row]) -> list[Row]:
    """Return the mean of every number by task and method, every system counting the same."""
    table = pd.DataFrame(rows)
    numbers = [name for name in table.select_dtypes("number").columns if name not in ("seed", "pairs", "samples")]
    by_system = table.groupby(["task", "method", "system"], sort=False)[numbers].mean()
    means = by_system.groupby(["task", "method"], sort=False).mean().reset_index()
    return [{str(key): value for key, value in row.items() if value == value} for row in means.to_dict("records")]


def markdown(rows: Sequence[Row]) -> str:
    """Return a table per task in Markdown."""
    tables = []
    for task in dict.fromkeys(row["task"] for row in rows):
        mine = [{key: value for key, value in row.items() if key != "task"} for row in rows if row["task"] == task]
        columns = list(dict.fromkeys(key for row in mine for key in row))
        lines = [f"{task}:\n", "| " + " | ".join(columns) + " |", "| " + " | ".join(["---"] * len(columns)) + " |"]
        for row in mine:
            cells = [_cell(row.get(column, "")) for column in columns]
            lines.append("| " + " | ".join(cells) + " |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def _cell(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def verdict(rows: Sequence[Row]) -> str:
    """Say of every task whether each of ours is better than the best of the others."""
    lines = []
    for task in dict.fromkeys(row["task"] for row in rows):
        mine = [row for row in rows if row["task"] == task and "a bound" not in row["method"]]
        measure, sign = ("aupr", 1) if "aupr" in mine[0] else ("mse", -1)
        rivals = [row for row in mine if not row["method"].startswith(OURS)]
        best = max(rivals, key=lambda row: sign * row[measure])  # noqa: B023
        for row in mine:
            if row["method"].startswith(OURS):
                wins = sign * row[measure] > sign * best[measure]
                lines.append(
                    f"{task}: {row['method']} {'is best' if wins else 'LOSES'}, {measure} {row[measure]:.3g} against "
                    f"{best[measure]:.3g} of {best['method']}"
                )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
