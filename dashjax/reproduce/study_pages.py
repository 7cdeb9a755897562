"""What every study leaves: a table in Markdown, a summary in JSON and a page in HTML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dashjax.io import write_atomically
from dashjax.io.provenance import provenance
from dashjax.io.result_folder import how_made, published
from dashjax.report import page
from dashjax.report.network_page import made_facts
from dashjax.report.summary import format_metric

#: Heading, name in the summary, and format of a table's columns; published figures stand beside ours.
Columns = Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Section:
    """One table of a study, and what stands around it.

    Attributes:
        name: its heading.
        text: the paragraph above it.
        rows: rows of the summary; none for a section without a table.
        figures: PNG and caption by heading.
    """

    name: str
    text: str
    rows: Sequence[dict[str, Any]]
    figures: dict[str, tuple[bytes, str]]


def write_pages(
    out: Path,
    plan: dict[str, Any],
    facts: str,
    setting: str,
    columns: Columns,
    sections: Sequence[Section],
) -> None:
    """Write table.md, summary.json and report.html.

    Args:
        out: the study's folder.
        plan: all that the study ran, its name and title among it.
        facts: what holds for all tables, in a paragraph.
        setting: heading of the column that says each method's setting.
        columns: the others.
        sections: the tables.
    """
    headings = ["method", setting, *[heading for heading, *_ in columns]]
    text = [f"# {plan['title']}", "", facts, ""]
    shown: list[page.Section] = [page.Section("What was done", [page.paragraphs(facts)])]
    for section in sections:
        text += [f"## {section.name}", "", section.text, ""]
        parts = [page.paragraphs(section.text)]
        if section.rows:
            lines = [_cells(row, columns) for row in section.rows]
            text += [_markdown(headings, lines), ""]
            parts.append(page.static_table(headings, lines, texts=2))
        for heading, (png, caption) in section.figures.items():
            parts += [page.heading(heading), page.static_figure(f"{heading}, {section.name}", png, caption)]
        shown.append(page.Section(section.name, parts))
    made = provenance()
    rows = [row for section in sections for row in section.rows]
    summary = {"study": plan["name"], "plan": plan, "provenance": made, "rows": rows}
    shown.append(
        page.Section(
            "How was it made?", [page.facts(made_facts(how_made(out, "reproduce") or made))], "How it was made"
        )
    )
    subtitle = "A published study, run again beside its published figures."
    with published(out, "reproduce") as part:
        for path, body in (
            ("table.md", "\n".join(text)),
            ("summary.json", json.dumps(summary, indent=1, ensure_ascii=False) + "\n"),
            ("report.html", page.render_page(plan["title"], subtitle, shown)),
        ):
            write_atomically(part / path, partial(Path.write_text, data=body, encoding="utf-8"))


def _cells(row: dict[str, Any], columns: Columns) -> list[str]:
    """Return a row of the summary as tables show it: method, setting, and a cell per column."""
    cells = [row["method"], row["chosen"] or "–"]
    for _, metric, form in columns:
        if metric.startswith("published"):
            cells.append("" if row[metric] is None else form.format(row[metric] / 100))
        else:
            cells.append(format_metric(row[metric], form))
    return cells


def _markdown(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, its first column to the left."""
    rule = ["---"] + ["---:"] * (len(headings) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [headings, rule, *lines])
