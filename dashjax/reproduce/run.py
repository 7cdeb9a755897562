"""Running a published study: tune, run, write one table per condition and one page for all."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from dashjax.errors import InputError
from dashjax.io import read_system
from dashjax.report import write_results
from dashjax.report.page import render_page
from dashjax.report.tables import format_metric
from dashjax.report.write import CAPTIONS, provenance
from dashjax.reproduce.studies import PUBLISHED_EPOCHS, PUBLISHED_ORDER, Condition, StudyPlan
from dashjax.reproduce.tuning import Choice, choose, tuning_grid
from dashjax.sweep import PRIOR_ONLY, Grid, Progress, parse_grid, run_sweep
from dashjax.sweep.store import write_atomically

#: How close to a published figure counts as agreeing, in per cent points of balanced accuracy.
AGREEMENT = 3.0


def reproduce(
    plan: StudyPlan,
    out: Path,
    equations: Path | None = None,
    names: Path | None = None,
    on_progress: Callable[[str, Progress], None] = lambda stage, progress: None,
) -> list[dict[str, Any]]:
    """Run a study and write it to a folder; runs found finished there are not repeated.

    `OUT/CONDITION/` is a results folder as any sweep's, `OUT/CONDITION/tuning/` that of its cross-validation;
    `OUT/table.md`, `OUT/summary.json` and `OUT/report.html` join them.

    Args:
        plan: the study.
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
    sizes = sorted({condition.genes for condition in plan.conditions})
    if given is not None and given[0] not in sizes:
        raise InputError(f"{equations}: {given[0]} genes; {plan.name} has conditions of {', '.join(map(str, sizes))}")
    grids = [_grid(plan, condition, given) for condition in plan.conditions]
    rows: list[dict[str, Any]] = []
    for condition, grid in zip(plan.conditions, grids, strict=True):
        folder = out / condition.name
        choices = _tune(plan, condition, grid, folder / "tuning", on_progress)
        final = grid.model_copy(update={"methods": tuple(choice.entry() for choice in choices)})
        results = run_sweep(final, folder, partial(on_progress, condition.name))
        summary = write_results(results, final, f"dashjax reproduce {plan.name}: {condition.name}")
        rows += [_beside_published(row, condition, choices) for row in summary]
        # After every condition, so that an interrupted study already has its first tables.
        _write(plan, rows, out, generated=equations is None)
    return rows


def _grid(plan: StudyPlan, condition: Condition, given: tuple[int, Path, Path | None] | None) -> Grid:
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
            "methods": list(plan.methods),
            "seeds": plan.seeds,
            "epochs": plan.epochs,
            "field": condition.field,
            "objective": plan.objective,
        },
        plan.name,
    )


def _tune(plan: StudyPlan, condition: Condition, grid: Grid, folder: Path, on_progress) -> list[Choice]:
    tuning = tuning_grid(grid, plan.methods, plan.tries, plan.folds)
    table = None
    if tuning is not None:
        table = run_sweep(tuning, folder, partial(on_progress, f"{condition.name}, tuning")).table
        table = table[table["method"] != PRIOR_ONLY]
    choices = choose(table, plan.methods, plan.tries)
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


def agreement(rows: Sequence[dict[str, Any]]) -> str:
    """Say in one paragraph where a condition agrees with the published figures and where not."""
    known = [
        (row["method"], 100 * row["balanced_accuracy"]["mean"], row["published_balanced_accuracy"])
        for row in rows
        if row["published_balanced_accuracy"] is not None and row["balanced_accuracy"]["mean"] is not None
    ]
    prior = next((row for row in rows if row["method"] == PRIOR_ONLY), None)
    parts = []
    if known:
        close = [f"{m} ({ours:.1f} against {theirs:g})" for m, ours, theirs in known if abs(ours - theirs) <= AGREEMENT]
        far = [f"{m} ({ours:.1f} against {theirs:g})" for m, ours, theirs in known if abs(ours - theirs) > AGREEMENT]
        parts.append(f"Balanced accuracy within {AGREEMENT:g} points of the published: {', '.join(close) or 'none'}.")
        parts.append(f"Further away: {', '.join(far) or 'none'}.")
        ours_by_method = {m: ours for m, ours, _ in known}
        present = [m for m in PUBLISHED_ORDER if m in ours_by_method]
        ranked = sorted(present, key=lambda m: -ours_by_method[m])
        parts.append(
            f"The published ordering {' > '.join(present)} holds."
            if ranked == present
            else f"The published ordering is {' > '.join(present)}; ours is {' > '.join(ranked)}."
        )
    else:
        parts.append("No published figures are known for this table.")
    if prior is not None and prior["balanced_accuracy"]["mean"] is not None:
        bar, bar_rank = prior["balanced_accuracy"]["mean"], prior["aupr"]["mean"]
        fitted = [row for row in rows if row["method"] != PRIOR_ONLY and row["aupr"]["mean"] is not None]
        above = [row["method"] for row in fitted if row["balanced_accuracy"]["mean"] > bar]
        ranks = [f"{row['method']} ({row['aupr']['mean']:.3f})" for row in fitted if row["aupr"]["mean"] > bar_rank]
        parts.append(
            f"The prior alone has balanced accuracy {100 * bar:.1f} and AUPR {bar_rank:.3f}; above it in balanced "
            f"accuracy: {', '.join(above) or 'no method'}; in AUPR: {', '.join(ranks) or 'no method'}."
        )
    return " ".join(parts)


def _write(plan: StudyPlan, rows: list[dict[str, Any]], out: Path, generated: bool) -> None:
    headings = ["method", "chosen", *[heading for heading, *_ in _COLUMNS]]
    conditions = list(dict.fromkeys(row["condition"] for row in rows))
    budget = max((row["tuning_runs"] for row in rows), default=0)
    tuned = sum(row["tuning_runs"] > 0 for row in rows) // max(1, len(conditions))
    facts = (
        f"{plan.seeds} seeds, {plan.epochs} epochs. Tuning: {budget} runs for each of {tuned} methods with a number to "
        f"choose ({plan.folds} folds, first seed, one-standard-error rule), none for the others. Mean ± sd over seeds."
    )
    if any(row["published_balanced_accuracy"] is not None for row in rows):
        where = ", while these runs are of a generated one" if generated else ""
        facts += f" Published figures are of the paper's own 350-gene system{where}, at most {PUBLISHED_EPOCHS} epochs."
    text = [f"# {plan.title}", "", facts, ""]
    cells: list[list[str]] = []
    paragraphs = []
    figures: dict[str, tuple[bytes, str]] = {}
    for name in conditions:
        mine = [row for row in rows if row["condition"] == name]
        lines = [table_line(row, _COLUMNS) for row in mine]
        said = agreement(mine)
        text += [f"## {name}", "", said, "", markdown(headings, lines), ""]
        paragraphs.append(f"{name}: {said}")
        cells += [[f"{line[0]} · {name}" if len(conditions) > 1 else line[0], *line[1:]] for line in lines]
        for figure in ("sparsity_accuracy", "effects"):
            heading, caption = CAPTIONS[figure]
            png = (out / name / "figures" / f"{figure}.png").read_bytes()
            figures[f"{heading}, {name}"] = (png, caption)
    content = {"study": plan.name, "plan": asdict(plan), "provenance": provenance(), "rows": rows}
    page = render_page(plan.title, facts, paragraphs, headings, cells, figures, provenance())
    write_pages(out, text, content, page)


def write_pages(out: Path, text: Sequence[str], content: dict[str, Any], page: str) -> None:
    """Write what every study leaves: table.md, summary.json and report.html."""
    for path, body in (
        ("table.md", "\n".join(text)),
        ("summary.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n"),
        ("report.html", page),
    ):
        write_atomically(out / path, partial(Path.write_text, data=body, encoding="utf-8"))


#: Heading, name in the summary, and format of the table's columns; published figures stand beside ours.
_COLUMNS: tuple[tuple[str, str, str], ...] = (
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


def table_line(row: dict[str, Any], columns: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return a row of the summary as tables show it: method, choice, and a cell per column."""
    cells = [row["method"], row["chosen"] or "–"]
    for _, metric, form in columns:
        if metric.startswith("published"):
            cells.append("" if row[metric] is None else form.format(row[metric] / 100))
        else:
            cells.append(format_metric(row[metric], form))
    return cells


def markdown(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, its first column to the left."""
    rule = ["---"] + ["---:"] * (len(headings) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [headings, rule, *lines])
