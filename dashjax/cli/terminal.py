"""Showing things on a terminal: lines, tables, progress."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

console = Console()
#: Seconds between two lines of progress where output is not a terminal.
QUIET = 60.0
#: What this command has told its user so far, without tables and progress; a result's record keeps it.
said: list[str] = []

#: What an interrupted command says of its results folder.
AS_IT_WAS = "; finished runs are kept, and the same command goes on from there ({out})"


def print_lines(lines: Iterable[str]) -> None:
    """Print lines as they are."""
    for line in lines:
        _note(line)
        console.print(line, highlight=False, soft_wrap=True, markup=False)


def _note(line: str) -> None:
    if line:
        said.append(line)


def print_top(rows, columns: dict[str, str]) -> None:
    """Print the first ten rows of a table under other headings."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(columns.values()):
        table.add_column(heading, justify="left" if number == 0 else "right", no_wrap=number > 0)
    for row in rows.head(10).to_dict("records"):
        values = [row[name] for name in columns]
        table.add_row(*(escape(v) if isinstance(v, str) else f"{v:.3g}" for v in values))
    console.print(table)


def print_summary(rows, out: Path) -> None:
    """Print a sweep's summary and where its page is."""
    from dashjax.report import printed_rows

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    headings, cells = printed_rows(rows, compact=True)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number == 0 else "right", no_wrap=number > 0)
    for row in cells:
        table.add_row(*row, style="italic" if row[0].startswith("prior_only") else None)
    console.print(table)
    console.print("AUPR out: pairs the prior lacks. AUPR in: prior edges, true against false.")
    console.print("Edges: all non-zeros; an ensemble returns those expected to be 90 % true.")
    console.print(f"report: {out / 'report.html'}", soft_wrap=True, highlight=False)


#: What the library calls arguments that a message tells to give, with a value in quotes or in one word.
_ARGUMENT = re.compile(r"\b(match|time|trajectory|layer|bins|genes|normalise|gene_symbols)=(?:'([^']*)'|(\w+))")


def as_options(text: str) -> str:
    """Return a message with the command line's names for arguments that it tells to give.

    Examples:
        >>> as_options("raw counts? normalise=log1p; name it with time='day'")
        'raw counts? --normalise log1p; name it with --time day'
    """
    text = text.replace("transpose=True", "--transpose")
    return _ARGUMENT.sub(lambda found: f"--{found[1].replace('_', '-')} {found[2] or found[3] or ''}".rstrip(), text)


def print_finding(finding, prefix: str = "") -> None:
    """Print what was found in a file, marked by how bad it is."""
    text = prefix + as_options(finding.text)
    _note(text)
    marks = {"note": "  ", "warning": "[yellow]![/yellow] ", "error": "[red]✗[/red] "}
    console.print(marks[finding.level] + escape(text), highlight=False, soft_wrap=True)


def print_warning(finding) -> None:
    """Print what was found only where it is worth a warning; a result's record has it all."""
    if finding.level == "warning":
        print_finding(finding, f"{finding.source}: ")
    else:
        _note(f"{finding.source}: {finding.text}")


@contextmanager
def progress_bar(what: str) -> Iterator[Any]:
    """Show progress and the time left: a bar on a terminal, a plain line a minute elsewhere.

    Yields:
        `update(done, total, text, stage, left)`: how much of how much, what is being done, what it is a part of, and
        how long the rest takes in words; told from what is done of the stage if None.
    """
    from dashjax.engine.pace import time_left

    began: dict[str, tuple[float, float]] = {}

    def describe(done: float, total: float, text: str, stage: str, left: str | None) -> str:
        now = time.monotonic()
        first, when = began.setdefault(stage, (done, now))
        if left is None:
            left = time_left((now - when) / (done - first) * (total - done)) if first < done < total else ""
        return ", ".join(filter(None, [text, left]))

    if console.is_terminal:
        columns = (
            TextColumn(what),
            BarColumn(bar_width=16),
            TextColumn("{task.percentage:>3.0f} %  {task.description}", markup=False),
            TimeElapsedColumn(),
        )
        with Bar(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=None)

            def advance(done, total, text="", stage="", left=None):
                bar.update(task, completed=done, total=total, description=describe(done, total, text, stage, left))

            yield advance
    else:
        last = time.monotonic()

        def line(done, total, text="", stage="", left=None):
            nonlocal last
            told = describe(done, total, text, stage, left)
            if time.monotonic() - last >= QUIET:
                last = time.monotonic()
                share = f"{100 * done / total:.0f} %" if total else ""
                print(f"{what}: {', '.join(filter(None, [share, told]))}", flush=True)

        yield line
