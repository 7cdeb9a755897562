"""Running a simulated study: tune, run, write one table per condition and one page for all."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from dashjax.engine import Progress
from dashjax.errors import InputError
from dashjax.io import read_system, write_atomically
from dashjax.report import write_results
from dashjax.report.sweep_page import CAPTIONS
from dashjax.reproduce.agreement import agreement
from dashjax.reproduce.cross_validation import Choice, choose, tuning_grid
from dashjax.reproduce.simulated_studies import PUBLISHED_EPOCHS, Condition, SimulatedStudy
from dashjax.reproduce.study_pages import Section, write_pages
from dashjax.sweep import PRIOR_ONLY, Grid, parse_grid, run_sweep

#: The table's, see `dashjax.reproduce.study_pages`.
_COLUMNS = (
    ("sparsity", "sparsity", "{:.3f}"),
    ("published", "published_sparsity", "{:.3f}"),
    ("balanced accuracy", "balanced_accuracy", "{:.3f}"),
    ("published", "published_balanced_accuracy", "{:.3f}"),
    ("precision", "precision", "{:.3f}"),
    ("AUPR", "aupr", "{:.3f}"),
    ("AUPR outside prior", "aupr_outside_prior", "{:.3f}"),
    ("AUPR inside prior", "aupr_inside_prior", "{:.3f}"),
    ("edges", "n_edges", "{:,.0f}"),
    ("test MSE", "test_mse", "{:.1e}"),
)


def reproduce_simulated(
    study: SimulatedStudy,
    out: Path,
    equations: Path | None = None,
    names: Path | None = None,
    on_progress: Callable[[str, Progress], None] = lambda stage, progress: None,
) -> list[dict[str, Any]]:
    """Run a study and write it to a folder; runs found finished there are not repeated.

    `OUT/CONDITION/` is a results folder as any sweep's, `OUT/CONDITION/tuning/` that of its cross-validation;
    `OUT/table.md`, `OUT/summary.json` and `OUT/report.html` join them.

    Args:
        study: the study.
        out: folder to write to.
        equations: published system to use for the conditions of its size; generated ones otherwise.
        names: its gene names in order.
        on_progress: called with what is being done and how far it is.

    Returns:
        The summary's rows, with the condition, the chosen setting and the published figures beside.

    Raises:
        InputError: on files that cannot be read, or equations whose size no condition has.
    """
    given = None if equations is None else (len(read_system(equations, names).genes), equations, names)
    sizes = sorted({condition.genes for condition in study.conditions})
    if given is not None and given[0] not in sizes:
        raise InputError(f"{equations}: {given[0]} genes; {study.name} has conditions of {', '.join(map(str, sizes))}")
    grids = [_grid(study, condition, given) for condition in study.conditions]
    rows: list[dict[str, Any]] = []
    for condition, grid in zip(study.conditions, grids, strict=True):
        folder = out / condition.name
        choices = _tune(study, condition, grid, folder / "tuning", on_progress)
        final = grid.model_copy(update={"methods": tuple(choice.entry() for choice in choices)})
        results = run_sweep(final, folder, partial(on_progress, condition.name))
        summary = write_results(results, final, f"dashjax reproduce {study.name}: {condition.name}")
        rows += [_beside_published(row, condition, choices) for row in summary]
        # After every condition, so that an interrupted study already has its first tables.
        _write(study, rows, out, generated=equations is None)
    return rows


def _grid(study: SimulatedStudy, condition: Condition, given: tuple[int, Path, Path | None] | None) -> Grid:
    """Return a condition's grid, on the given system (its size, equations and names) where that has its size."""
    system: dict[str, Any] = {"kind": "simulated", "genes": condition.genes, "seed": 0}
    if given is not None and given[0] == condition.genes:
        _, equations, names = given
        system = {"kind": "equations", "equations": str(equations), "names": None if names is None else str(names)}
    return parse_grid(
        {
            "system": system,
            "noise": condition.noise,
            "prior_corruption": condition.prior_corruption,
            "methods": list(study.methods),
            "seeds": study.seeds,
            "epochs": study.epochs,
            "field": condition.field,
            "objective": study.objective,
        },
        study.name,
    )


def _tune(study: SimulatedStudy, condition: Condition, grid: Grid, folder: Path, on_progress) -> list[Choice]:
    tuning = tuning_grid(grid, study.methods, study.tries, study.folds)
    table = None
    if tuning is not None:
        table = run_sweep(tuning, folder, partial(on_progress, f"{condition.name}, tuning")).table
        table = table[table["method"] != PRIOR_ONLY]
    choices = choose(table, study.methods, study.tries)
    content = json.dumps([asdict(choice) for choice in choices], indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "choices.json", lambda path: path.write_text(content + "\n", encoding="utf-8"))
    return choices


def _beside_published(row: dict[str, Any], condition: Condition, choices: Sequence[Choice]) -> dict[str, Any]:
    sparsity, accuracy = dict(condition.published).get(row["method"], (None, None))
    choice = next((choice for choice in choices if choice.method == row["method"]), None)
    return {
        "condition": condition.name,
        **row,
        "chosen": None if choice is None else describe_choice(choice),
        "tuning_runs": 0 if choice is None else choice.runs,
        "published_sparsity": sparsity,
        "published_balanced_accuracy": accuracy,
    }


def describe_choice(choice: Choice) -> str:
    """Return a choice as a table shows it."""
    setting = choice.setting
    if setting.strength is not None:
        return f"strength {setting.strength:.3g}"
    return f"λ {setting.trust[0]:g}, {setting.trust[1]:g}" if choice.tried > 1 else "–"


def _write(study: SimulatedStudy, rows: list[dict[str, Any]], out: Path, generated: bool) -> None:
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        tables.setdefault(row["condition"], []).append(row)
    budget = max((row["tuning_runs"] for row in rows), default=0)
    tuned = sum(row["tuning_runs"] > 0 for row in rows) // max(1, len(tables))
    facts = (
        f"{study.seeds} seeds, {study.epochs} epochs. Tuning: {budget} runs for each of {tuned} methods with a number "
        f"to choose ({study.folds} folds, first seed, one-standard-error rule), none for the others. "
        "Mean ± sd over seeds."
    )
    if any(row["published_balanced_accuracy"] is not None for row in rows):
        where = ", while these runs are of a generated one" if generated else ""
        facts += f" Published figures are of the paper's own 350-gene system{where}, at most {PUBLISHED_EPOCHS} epochs."
    sections = [_section(name, mine, out) for name, mine in tables.items()]
    write_pages(out, asdict(study), facts, "chosen", _COLUMNS, sections)


def _section(condition: str, rows: list[dict[str, Any]], out: Path) -> Section:
    figures = {}
    for name in ("sparsity_accuracy", "effects"):
        heading, caption = CAPTIONS[name]
        figures[heading] = ((out / condition / "figures" / f"{name}.png").read_bytes(), caption)
    return Section(condition, agreement(rows), rows, figures)
