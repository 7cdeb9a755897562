"""Running a study of measured expression, each run kept as soon as it is there, and writing what it found."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from dashjax.dynamics import PhoenixSpec
from dashjax.evidence import edges_at_precision
from dashjax.io import make_folder
from dashjax.jobs.network import Trainer
from dashjax.networks import relative_effects, score_network
from dashjax.report.figures import sparsity_accuracy, sparsity_error, training_curves
from dashjax.report.tables import METRICS, summarise
from dashjax.report.write import CAPTIONS, write_figure
from dashjax.reproduce.agreement import agreement
from dashjax.reproduce.measured.files import MeasuredData, find_datasets, no_change, read_dataset, split
from dashjax.reproduce.measured.studies import EDGE_METHODS, LARGEST_DIRECT, SCHEDULED, MeasuredStudy
from dashjax.reproduce.pages import Section, write_pages
from dashjax.sparse import dense_rows
from dashjax.sparsity import sparsity
from dashjax.sweep import PRIOR_ONLY, SCORES
from dashjax.sweep.program import PRECISION
from dashjax.sweep.store import write_atomically
from dashjax.training import STATUSES, FitConfig, Method, find_method
from dashjax.training.fit import NUMERICS_VERSION

#: Called with runs done, runs to do, and what is next.
OnProgress = Callable[[int, int, str], None]

#: The table's, see `dashjax.reproduce.pages`.
_COLUMNS = (
    ("sparsity", "sparsity", "{:.3f}"),
    ("published", "published_sparsity", "{:.3f}"),
    ("edges", "n_edges", "{:,.0f}"),
    ("of them in the prior", "n_in_prior", "{:,.0f}"),
    ("validation MSE", "validation_mse", "{:.2e}"),
    ("test MSE", "test_mse", "{:.2e}"),
    ("balanced accuracy", "balanced_accuracy", "{:.3f}"),
    ("published", "published_balanced_accuracy", "{:.3f}"),
    ("precision", "precision", "{:.3f}"),
    ("AUPR", "aupr", "{:.3f}"),
    ("AUPR outside prior", "aupr_outside_prior", "{:.3f}"),
    ("AUPR inside prior", "aupr_inside_prior", "{:.3f}"),
)
_ERROR_CAPTION = (
    "One dot per run. Below the dashed line a model says more of the next time than the present one does; above it, "
    "its network explains nothing."
)


def reproduce_measured(
    study: MeasuredStudy, out: Path, folder: Path, on_progress: OnProgress = lambda done, total, text: None
) -> list[dict[str, Any]]:
    """Run a study on the files of a folder; runs found finished in `out` are not repeated.

    `OUT/DATASET/rows/` holds a file per run; `OUT/table.md`, `OUT/summary.json` and `OUT/report.html` join them.

    Args:
        study: what to run.
        out: results folder.
        folder: where the files are, see `dashjax.reproduce.measured.studies`.
        on_progress: told before every run.

    Returns:
        The summary's rows, with the data set and the published figures beside.

    Raises:
        InputError: on files that are missing or cannot be read, before anything is written.
    """
    datasets = [read_dataset(dataset, folder) for dataset in find_datasets(study, folder)]
    absent = [d.name for d in study.datasets if not d.instead and d not in [data.dataset for data in datasets]]
    plan = [
        (data, name, seed)
        for data in datasets
        for seed in range(study.seeds)
        for name in methods_for(study, len(data.genes))
    ]
    tables: dict[str, list[dict[str, Any]]] = {data.dataset.name: [] for data in datasets}
    # One program per data set and configuration serves all seeds, and methods that differ in numbers only.
    trainers: dict[tuple[str, FitConfig], Trainer] = {}
    for done, (data, name, seed) in enumerate(plan):
        on_progress(done, len(plan), f"{name} on {data.dataset.name}, seed {seed}")
        path = out / data.dataset.name / "rows" / f"{identify(study, data, name, seed)}.json"
        if not path.exists():
            make_folder(path.parent)
            row = {"method": name, "seed": seed, **_run(study, data, name, seed, trainers)}
            write_atomically(path, partial(Path.write_text, data=json.dumps(row), encoding="utf-8"))
        tables[data.dataset.name].append(json.loads(path.read_text(encoding="utf-8")))
    on_progress(len(plan), len(plan), "")
    return _write(study, out, datasets, tables, absent)


def methods_for(study: MeasuredStudy, genes: int) -> list[str]:
    """Return the methods that run on so many genes."""
    return [name for name in study.methods if genes <= LARGEST_DIRECT or name not in EDGE_METHODS]


def published_method(study: MeasuredStudy, name: str) -> Method:
    """Return a method with the study's schedule and learning rate; ours keep their own."""
    method = find_method(name)
    if name in EDGE_METHODS:
        return method
    method = replace(method, learning_rate=study.learning_rate)
    return replace(method, schedule=lambda epochs, strength: study.schedule()) if name in SCHEDULED else method


def identify(study: MeasuredStudy, data: MeasuredData, name: str, seed: int) -> str:
    """Return a name that depends on nothing but what determines a run's numbers."""
    numbers = [study.hidden, study.trust, study.epochs, study.learning_rate, study.pieces_per_step, study.held_out]
    schedule = [float(value) for value in jax.tree.leaves(study.schedule())]
    text = json.dumps([NUMERICS_VERSION, data.fingerprint, name, seed, numbers, schedule])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _run(
    study: MeasuredStudy, data: MeasuredData, name: str, seed: int, trainers: dict[tuple[str, FitConfig], Trainer]
) -> dict[str, Any]:
    method, parts, began = published_method(study, name), split(study, data, seed), time.perf_counter()
    per_step = min(study.pieces_per_step, parts.train.n_trajectories)
    # Every member of an ensemble gets the epochs of a run.
    epochs = study.epochs * (method.members or 1)
    config = FitConfig(field=PhoenixSpec(study.hidden), epochs=epochs, trajectories_per_step=per_step)
    config = method.configure(config)
    trainer = trainers.setdefault((data.dataset.name, config), Trainer(config, np.ones(len(data.genes), bool)))
    key, hyper = jax.random.key(seed), method.hyperparameters(epochs, study.trust)
    result = trainer(key, parts, data.prior, hyper)
    if method.members is None:
        network = np.asarray(relative_effects(result.field))
        predicted = network != 0
    else:
        posterior = trainer.weigh(key, result.field, data.trajectories, data.prior, PRECISION).posterior
        result = jax.tree.map(lambda leaf: leaf[0], result)
        network = np.asarray(posterior.probability)
        predicted = np.asarray(edges_at_precision(posterior.probability, PRECISION))
    return {
        **_setting(method, study, epochs),
        "sparsity": float(sparsity(result.field.effective_layers())),
        "validation_mse": float(result.validation_error),
        "test_mse": float(result.test_error),
        **network_scores(data, network, predicted),
        "status": STATUSES[int(result.status)],
        "selected_epoch": int(result.epoch),
        "last_epoch": int(result.last_epoch),
        "seconds": time.perf_counter() - began,
        "curves": {name: curve.tolist() for name, curve in result.curves.arrays().items()},
    }


def _setting(method: Method, study: MeasuredStudy, epochs: int) -> dict[str, float | None]:
    first, second = method.trust or study.trust
    return {
        "noise": 0.0,
        "prior_corruption": None,
        "lambda_1": first,
        "lambda_2": second,
        "strength": method.strength,
        "target_sparsity": method.target_sparsity(epochs),
    }


def network_scores(data: MeasuredData, network: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Score a network against the ChIP edges, over the regulators they cover; NaN where there are none.

    Args:
        data: with those edges.
        network: weights or probabilities (regulator, target).
        predicted: the edges it returns; all of them are counted as `n_edges`, and those in the prior as `n_in_prior`.
    """
    scores = dict.fromkeys(SCORES, float("nan"))
    if data.truth is not None:
        # Few regulators are covered, so the rows of the others need not be there at all.
        rows = np.flatnonzero(data.regulators)
        found = score_network(
            jnp.asarray(network[rows]),
            jnp.asarray(data.truth[rows]),
            dense_rows(data.prior.edges, jnp.asarray(rows)),
            jnp.asarray(predicted[rows]),
            jnp.asarray(rows[:, None] != np.arange(len(data.genes))),
        )
        scores = {name: float(getattr(found, name)) for name in SCORES}
    return scores | {"n_edges": float(predicted.sum()), "n_in_prior": float(predicted[data.prior.pairs()].sum())}


def _prior_row(data: MeasuredData) -> dict[str, Any]:
    """Return the prior scored as if it were a fitted network."""
    known = np.asarray(dense_rows(data.prior.edges)) != 0
    return {
        "method": PRIOR_ONLY,
        "sparsity": float((~known).mean()),
        **network_scores(data, known.astype(np.float32), known),
        "status": "finished",
    }


def _summary(study: MeasuredStudy, data: MeasuredData, table: pd.DataFrame) -> list[dict[str, Any]]:
    published = dict(data.dataset.published)
    rows = []
    for row in summarise(table, [*METRICS, "n_in_prior"]):
        known = published.get(row["method"], (None, None))
        chosen = f"λ {row['lambda_1']:g}, {row['lambda_2']:g}" if row["method"] == "dash" else None
        if row["strength"] is not None:
            chosen = f"strength {row['strength']:g}"
        figures = {"published_sparsity": known[0], "published_balanced_accuracy": known[1]}
        rows.append({"dataset": data.dataset.name, **row, "chosen": chosen, **figures})
    return rows


def paragraphs_of(study: MeasuredStudy, data: MeasuredData, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Say what a data set is, whether models predict anything, and how networks stand beside prior and paper."""
    held = np.mean([no_change(split(study, data, seed).validation) for seed in range(study.seeds)])
    said = []
    for metric, bar in (("validation_mse", held), ("test_mse", no_change(data.test))):
        better = [row["method"] for row in rows if (row[metric]["mean"] or np.inf) < bar]
        said.append(f"{bar:.2e} in {metric.partition('_')[0]} (lower: {', '.join(better) or 'no method'})")
    bars = f"Saying that nothing changes from one time to the next has an MSE of {' and '.join(said)}."
    lines = [*data.notes, bars]
    left_out = [name for name in study.methods if name not in methods_for(study, len(data.genes))]
    if left_out:
        lines.append(f"Not run with more than {LARGEST_DIRECT:,} genes: {', '.join(left_out)}.")
    if data.truth is not None:
        lines.append(agreement(rows))
    diverged = sum(row["n_diverged"] for row in rows)
    if diverged:
        lines.append(f"{diverged} runs diverged and are left out of the means.")
    return lines


def _facts(study: MeasuredStudy, absent: Sequence[str]) -> str:
    schedule = study.schedule()
    held = "the first trajectory" if study.held_out is None else f"{100 * study.held_out:g} % of the single transitions"
    text = (
        f"{study.seeds} seeds, {study.epochs} epochs, {study.hidden} hidden units, {held} held out; imp, bioprune and "
        f"dash cut {100 * float(schedule.first_fraction):.0f} % at epoch {int(schedule.first_epoch)} and "
        f"{100 * float(schedule.fraction):.0f} % every {int(schedule.every)}. Mean ± sd over seeds. {study.remark}"
    )
    return text + (f" Not run, for its files are missing: {', '.join(absent)}." if absent else "")


def _write(
    study: MeasuredStudy,
    out: Path,
    datasets: Sequence[MeasuredData],
    tables: dict[str, list[dict[str, Any]]],
    absent: Sequence[str],
) -> list[dict[str, Any]]:
    sections = [_section(study, data, tables[data.dataset.name], out / data.dataset.name) for data in datasets]
    plan = asdict(study) | {"schedule": study.schedule.__name__}
    write_pages(out, plan, _facts(study, absent), "setting", _COLUMNS, sections)
    return [row for section in sections for row in section.rows]


def _section(study: MeasuredStudy, data: MeasuredData, runs: list[dict[str, Any]], folder: Path) -> Section:
    """Write a data set's table and figures to its folder, and return what the study's pages say of it."""
    table = pd.DataFrame([*runs, _prior_row(data)])
    numbers = table.drop(columns="curves").astype({"prior_corruption": float, "strength": float})
    write_atomically(folder / "results.parquet", partial(numbers.to_parquet, index=False))
    rows = _summary(study, data, numbers)
    figures = {}
    for name, (heading, figure, caption) in _draw(data, numbers, runs, rows).items():
        figures[heading] = (write_figure(folder, name, figure), caption)
    return Section(data.dataset.name, " ".join(paragraphs_of(study, data, rows)), rows, figures)


def _draw(data: MeasuredData, table: pd.DataFrame, runs: Sequence[dict], rows: Sequence[dict]) -> dict[str, tuple]:
    """Return headings, figures and captions by file name."""
    curves: dict[str, list[dict[str, np.ndarray]]] = {}
    for run in runs:
        arrays = {name: np.asarray(values, float) for name, values in run["curves"].items()}
        curves.setdefault(run["method"], []).append(arrays)
    drawn: dict[str, tuple] = {
        "sparsity_error": ("Sparsity against error", sparsity_error(table, no_change(data.test)), _ERROR_CAPTION),
        "training_curves": (CAPTIONS["training_curves"][0], training_curves(curves), CAPTIONS["training_curves"][1]),
    }
    if data.truth is not None:
        heading, caption = CAPTIONS["sparsity_accuracy"]
        drawn["sparsity_accuracy"] = (heading, sparsity_accuracy(table, rows), caption)
    return drawn
