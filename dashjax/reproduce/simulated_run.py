"""Running a simulated study: tune, run, write one table per condition and one page for all."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from dashjax.engine import Progress
from dashjax.errors import InputError
from dashjax.io import read_system, write_atomically
from dashjax.report import write_results
from dashjax.report.figure_files import to_png
from dashjax.report.figures import added_to_prior
from dashjax.report.sweep_page import CAPTIONS
from dashjax.reproduce.agreement import agreement, ordering
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
    ("missing found", "informedness_outside_prior", "{:.3f}"),
    ("false dropped", "informedness_inside_prior", "{:.3f}"),
    ("edges", "n_edges", "{:,.0f}"),
    ("test MSE", "test_mse", "{:.1e}"),
)

_ADDED = "Added to the prior"
_ADDED_TEXT = (
    "Missing found: the share of true edges that the prior lacks which a network has, less the share of absent pairs "
    "that it claims. False dropped: the share of true prior edges that it keeps, less the share of false ones. Both "
    "are informedness, Youden's J: 0 for the prior alone and for guesses of any number, 1 for the truth."
)
_ADDED_HINT = (
    "One dot per run. Above zero a network adds to its prior; sparsity is that of the weights. A prior that is "
    "right leaves nothing to find and nothing to drop: its panels stay empty."
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
    tables: list[_Table] = []
    for condition, grid in zip(study.conditions, grids, strict=True):
        folder = out / condition.name
        choices, tuning = _tune(study, condition, grid, folder / "tuning", on_progress)
        final = grid.model_copy(update={"methods": tuple(choice.entry() for choice in choices)})
        results = run_sweep(final, folder, partial(on_progress, condition.name))
        summary = write_results(results, final, f"dashjax reproduce {study.name}: {condition.name}")
        rows = [_beside_published(row, condition, choices) for row in summary]
        tables.append(_Table(condition, rows, results.table, [results.table, *tuning]))
        # After every condition, so that an interrupted study already has its first tables.
        _write(study, tables, out, generated=equations is None)
    return [row for table in tables for row in table.rows]


@dataclass(frozen=True)
class _Table:
    """A finished condition: the summary's rows, its runs, and all runs spent on it, tuning included."""

    condition: Condition
    rows: list[dict[str, Any]]
    runs: pd.DataFrame
    spent: list[pd.DataFrame]

    @property
    def cost(self) -> tuple[int, float]:
        """How many runs it took, and how many seconds these took one by one."""
        seconds = pd.concat([table["seconds"].dropna() for table in self.spent])
        return len(seconds), float(seconds.sum())


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


def _tune(
    study: SimulatedStudy, condition: Condition, grid: Grid, folder: Path, on_progress
) -> tuple[list[Choice], list[pd.DataFrame]]:
    """Return every method's choice, and the runs that it took: no table where nothing is tuned."""
    tuning = tuning_grid(grid, study.methods, study.tries, study.folds)
    table = None
    if tuning is not None:
        table = run_sweep(tuning, folder, partial(on_progress, f"{condition.name}, tuning")).table
        table = table[table["method"] != PRIOR_ONLY]
    choices = choose(table, study.methods, study.tries)
    content = json.dumps([asdict(choice) for choice in choices], indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "choices.json", lambda path: path.write_text(content + "\n", encoding="utf-8"))
    return choices, [] if table is None else [table]


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


def _write(study: SimulatedStudy, tables: Sequence[_Table], out: Path, generated: bool) -> None:
    rows = [row for table in tables for row in table.rows]
    budget = max((row["tuning_runs"] for row in rows), default=0)
    tuned = sum(row["tuning_runs"] > 0 for row in rows) // max(1, len(tables))
    runs, seconds = (sum(part) for part in zip(*(table.cost for table in tables), strict=True))
    facts = (
        f"{study.seeds} seeds, {study.epochs} epochs. Tuning: {budget} runs for each of {tuned} methods with a number "
        f"to choose ({study.folds} folds, first seed, one-standard-error rule), none for the others. "
        f"Mean ± sd over seeds. {runs:,} runs, which took {_span(seconds)} one by one."
    )
    if any(row["published_balanced_accuracy"] is not None for row in rows):
        where = ", while these runs are of a generated one" if generated else ""
        facts += f" Published figures are of the paper's own 350-gene system{where}, at most {PUBLISHED_EPOCHS} epochs."
    sections = [_section(table, out) for table in tables]
    figure = to_png(added_to_prior({table.condition.name: table.runs for table in tables}))
    sections.append(
        Section(_ADDED, _ADDED_TEXT, (), {"Missing edges found, false ones dropped": (figure, _ADDED_HINT)})
    )
    write_pages(out, asdict(study) | {"seconds": round(seconds, 1)}, facts, "chosen", _COLUMNS, sections)


def _span(seconds: float) -> str:
    """Return a time in words."""
    return f"{seconds / 3600:.1f} hours" if seconds >= 5400 else f"{seconds / 60:.0f} minutes"


def _section(table: _Table, out: Path) -> Section:
    figures, name = {}, table.condition.name
    for figure in ("sparsity_accuracy", "effects"):
        heading, caption = CAPTIONS[figure]
        figures[heading] = ((out / name / "figures" / f"{figure}.png").read_bytes(), caption)
    text = " ".join(filter(None, (agreement(table.rows), ordering(table.runs))))
    return Section(name, text, table.rows, figures)
