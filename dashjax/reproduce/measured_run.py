"""Running a study of measured expression, each run kept as soon as it is there, and writing what it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dashjax.data import Problem
from dashjax.dynamics import PhoenixSpec
from dashjax.engine import Cell, OnProgress, Progress, RivalCell, Store, collect, run_cells, score_cell
from dashjax.engine.work import Arrays
from dashjax.errors import InputError
from dashjax.inference import folds_of, tune_setting
from dashjax.io.files import write_frame
from dashjax.io.result_folder import published
from dashjax.methods import Method, find_method
from dashjax.networks import make_network
from dashjax.numerics.sparse import dense_rows
from dashjax.report.figure_files import write_figure
from dashjax.report.figures import sparsity_accuracy, sparsity_error, training_curves
from dashjax.report.summary import METRICS, summarise
from dashjax.report.sweep_page import CAPTIONS
from dashjax.reproduce.agreement import agreement
from dashjax.reproduce.measured_files import find_datasets, no_change, read_dataset
from dashjax.reproduce.measured_studies import (
    EDGE_METHODS,
    LARGEST_DIRECT,
    LARGEST_TUNED,
    SCHEDULED,
    DataSet,
    MeasuredStudy,
)
from dashjax.reproduce.study_pages import Section, write_pages
from dashjax.rivals import DEGREE, PRIOR_ONLY, RIVALS, Rival
from dashjax.sweep import SCORES
from dashjax.training import FitConfig

#: Called with what is being done, and how far it is.
OnStage = Callable[[str, Progress], None]

#: The table's, see `dashjax.reproduce.study_pages`.
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
#: Scores that need a ranking alone, not a set of edges.
_RANKING = ("aupr", "auroc", "early_precision", "aupr_outside_prior", "aupr_inside_prior")
#: What ranks edges without a model: the prior's out-degrees, and the simplest regression.
_SIMPLEST = (DEGREE, RIVALS["ridge"])
_ERROR_CAPTION = (
    "One dot per run. Below the dashed line a model says more of the next time than the present one does; above it, "
    "its network explains nothing."
)


def reproduce_measured(
    study: MeasuredStudy, out: Path, folder: Path, on_progress: OnStage = lambda stage, progress: None
) -> list[dict[str, Any]]:
    """Run a study on the files of a folder; runs found finished in `out` are not repeated.

    `OUT/DATASET/` holds the runs of a data set; `OUT/table.md`, `OUT/summary.json` and `OUT/report.html` join them.

    Args:
        study: what to run.
        out: results folder.
        folder: where the files are, see `dashjax.reproduce.measured_studies`.
        on_progress: told which data set is run, and how far it is.

    Returns:
        The summary's rows, with the data set and the published figures beside.

    Raises:
        InputError: on files that are missing or cannot be read, before anything is written.
    """
    datasets = find_datasets(study, folder)
    problems = [read_dataset(dataset, folder, study) for dataset in datasets]
    absent = [dataset.name for dataset in study.datasets if not dataset.instead and dataset not in datasets]
    sections = []
    for dataset, problem in zip(datasets, problems, strict=True):
        store = Store(out / dataset.name, "measured study", {"of": study.name})
        cells = cells_of(study, problem)
        run_cells(cells, store, on_progress=partial(on_progress, dataset.name))
        own, how = tuned_cells(study, cells, store, partial(on_progress, f"{dataset.name}, tuning"))
        run_cells(own, store, on_progress=partial(on_progress, dataset.name))
        sections.append(_section(study, dataset, problem, [*cells, *own], store, how))
    plan = asdict(study) | {"schedule": study.schedule.__name__}
    write_pages(out, plan, _facts(study, absent), "setting", _COLUMNS, sections)
    return [row for section in sections for row in section.rows]


def cells_of(study: MeasuredStudy, problem: Problem) -> list[Cell]:
    """Return the cells of a study on one data set: every member of an ensemble gets the epochs of a run."""
    trained = problem.pieces.n_trajectories - problem.hold_out.count
    config = FitConfig(field=PhoenixSpec(study.hidden), trajectories_per_step=min(study.pieces_per_step, trained))
    return [
        Cell(problem, published_method(study, name), seed, config, study.epochs, study.trust, label=name)
        for seed in range(study.seeds)
        for name in methods_for(study, len(problem.genes))
    ]


def tuned_cells(
    study: MeasuredStudy, cells: Sequence[Cell], store: Store, on_progress: OnProgress
) -> tuple[list[Cell], str]:
    """Return the tuned method's cells with λ chosen by cross-validation, and a sentence on how; none where it is not.

    Args:
        study: what is run.
        cells: those with the published λ.
        store: keeps the runs of the choice.
        on_progress: told of progress.
    """
    published = [cell for cell in cells if cell.label == study.tuned]
    if not study.folds or not published or len(published[0].problem.genes) > LARGEST_TUNED:
        return [], ""
    folds = min(study.folds, published[0].problem.pieces.n_trajectories)
    try:
        found = tune_setting(folds_of(published[0], folds), store, on_progress)
    except InputError as error:  # too few data, or all diverged: the published runs still count
        return [], f"λ could not be chosen by cross-validation ({error.problem})."
    why = f"{study.tuned_label} has λ by cross-validation of the first seed's training data: {found.why}."
    return [replace(cell, trust=found.setting.trust, label=study.tuned_label) for cell in published], why


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


def prior_row(problem: Problem) -> dict[str, Any]:
    """Return the prior scored as if it were a fitted network."""
    known = np.asarray(dense_rows(problem.prior.edges)) != 0
    return {
        "method": PRIOR_ONLY.name,
        "sparsity": float((~known).mean()),
        **_score_ranking(problem, PRIOR_ONLY, known),
        "status": "finished",
    }


def ranking_row(problem: Problem, rival: Rival) -> dict[str, Any]:
    """Return how well a rival ranks pairs, which returns no edges."""
    known = np.asarray(dense_rows(problem.prior.edges)) != 0
    ranked = _score_ranking(problem, rival, rival.infer(problem.given, known, 0))
    return {"method": rival.name, **{name: ranked[name] for name in _RANKING if name in ranked}, "status": "finished"}


def _score_ranking(problem: Problem, rival: Rival, scores: np.ndarray) -> dict[str, Any]:
    cell = RivalCell(problem, rival)
    return score_cell(cell, make_network(problem, {"ranking": scores.astype(np.float32)}, cell.row()))


def _summary(study: MeasuredStudy, dataset: DataSet, table: pd.DataFrame) -> list[dict[str, Any]]:
    published = dict(dataset.published)
    rows = []
    for row in summarise(table, [*METRICS, "n_in_prior"]):
        known = published.get(row["method"], (None, None))
        trusts = row["method"] in (study.tuned, study.tuned_label)
        chosen = f"λ {row['lambda_1']:g}, {row['lambda_2']:g}" if trusts else None
        if row["strength"] is not None:
            chosen = f"strength {row['strength']:g}"
        figures = {"published_sparsity": known[0], "published_balanced_accuracy": known[1]}
        rows.append({"dataset": dataset.name, **row, "chosen": chosen, **figures})
    return rows


def paragraphs_of(study: MeasuredStudy, problem: Problem, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Say what a data set is, whether models predict anything, and how networks stand beside prior and paper."""
    assert problem.test is not None, "a study has one"
    held = np.mean([no_change(problem.split(seed).validation) for seed in range(study.seeds)])
    said = []
    for metric, bar in (("validation_mse", held), ("test_mse", no_change(problem.test))):
        better = [row["method"] for row in rows if (row[metric]["mean"] or np.inf) < bar]
        said.append(f"{bar:.2e} in {metric.partition('_')[0]} (lower: {', '.join(better) or 'no method'})")
    bars = f"Saying that nothing changes from one time to the next has an MSE of {' and '.join(said)}."
    lines = [*problem.notes, bars]
    left_out = [name for name in study.methods if name not in methods_for(study, len(problem.genes))]
    if left_out:
        lines.append(f"Not run with more than {LARGEST_DIRECT:,} genes: {', '.join(left_out)}.")
    if problem.truth is not None:
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


def _section(
    study: MeasuredStudy, dataset: DataSet, problem: Problem, cells: Sequence[Cell], store: Store, how: str
) -> Section:
    """Write a data set's table and figures to its folder, and return what the study's pages say of it."""
    runs = collect(cells, store)
    bars = [ranking_row(problem, rival) for rival in _SIMPLEST] if problem.truth is not None else []
    bars.append(prior_row(problem))
    table = pd.concat([runs, pd.DataFrame(bars)], ignore_index=True)
    table = table.assign(prior_corruption=np.nan, **{name: np.nan for name in SCORES if name not in table})
    numbers = table.drop(columns=["id", "chunk"])
    rows = _summary(study, dataset, numbers)
    curves: dict[str, list[Arrays]] = {}
    for cell in cells:
        curves.setdefault(cell.label, []).append(store[cell.source])
    figures = {}
    with published(store.folder, "reproduce") as part:
        write_frame(part / "results.parquet", numbers)
        for name, (heading, figure, caption) in _draw(problem, numbers, curves, rows).items():
            figures[heading] = (write_figure(part, name, figure), caption)
    lines = [*paragraphs_of(study, problem, rows), how]
    return Section(dataset.name, " ".join(filter(None, lines)), rows, figures)


def _draw(problem: Problem, table: pd.DataFrame, curves, rows: Sequence[dict[str, Any]]) -> dict[str, tuple]:
    """Return headings, figures and captions by file name."""
    assert problem.test is not None, "a study has one"
    drawn: dict[str, tuple] = {
        "sparsity_error": ("Sparsity against error", sparsity_error(table, no_change(problem.test)), _ERROR_CAPTION),
        "training_curves": (CAPTIONS["training_curves"][0], training_curves(curves), CAPTIONS["training_curves"][1]),
    }
    if problem.truth is not None:
        heading, caption = CAPTIONS["sparsity_accuracy"]
        drawn["sparsity_accuracy"] = (heading, sparsity_accuracy(table, rows), caption)
    return drawn
