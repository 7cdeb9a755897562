"""All studies in one command, each in a folder of its own, and one page that joins their tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from dashjax.engine import Progress
from dashjax.errors import InputError
from dashjax.reproduce.measured_files import find_datasets
from dashjax.reproduce.measured_run import reproduce_measured
from dashjax.reproduce.measured_studies import MEASURED_STUDIES, MeasuredStudy
from dashjax.reproduce.simulated_run import reproduce_simulated
from dashjax.reproduce.simulated_studies import SIMULATED_STUDIES, SimulatedStudy
from dashjax.reproduce.study_pages import Section, write_pages

#: Share of the genes that the quick form of generated systems keeps: 100 of 350.
QUICK_SHARE = 100 / 350
#: The joined table's, see `dashjax.reproduce.study_pages`; each study's own page has more.
_COLUMNS = (
    ("sparsity", "sparsity", "{:.3f}"),
    ("balanced accuracy", "balanced_accuracy", "{:.3f}"),
    ("AUPR", "aupr", "{:.3f}"),
    ("missing found", "informedness_outside_prior", "{:.3f}"),
    ("false dropped", "informedness_inside_prior", "{:.3f}"),
    ("edges", "n_edges", "{:,.0f}"),
    ("test MSE", "test_mse", "{:.1e}"),
)


def plan_all(
    quick: bool, generated: bool, data: Path | None
) -> tuple[list[SimulatedStudy | MeasuredStudy], dict[str, str]]:
    """Return the studies that can run, simulated ones first, and why the others cannot.

    Args:
        quick: whether all are to be shortened; systems that are generated are then smaller too.
        generated: whether systems are generated, not a published one.
        data: folder of the measured studies' files, if any.
    """
    simulated: list[SimulatedStudy] = list(SIMULATED_STUDIES.values())
    measured: list[MeasuredStudy] = []
    left_out: dict[str, str] = {}
    for study in MEASURED_STUDIES.values():
        try:
            if data is None:
                raise InputError("needs --data, the folder of its files")
            find_datasets(study, data)
            measured.append(study)
        except InputError as error:
            left_out[study.name] = str(error)
    if quick:
        simulated = [study.quick().shrunk(QUICK_SHARE) if generated else study.quick() for study in simulated]
        measured = [study.quick() for study in measured]
    return [*simulated, *measured], left_out


def reproduce_all(
    out: Path,
    quick: bool = False,
    data: Path | None = None,
    equations: Path | None = None,
    names: Path | None = None,
    on_progress: Callable[[str, Progress], None] = lambda stage, progress: None,
) -> list[dict[str, Any]]:
    """Run every study and write each to `OUT/STUDY/`, and a page that joins their tables to `OUT/`.

    Runs found finished are not repeated. After every study the page is written anew.

    Args:
        out: folder to write to.
        quick: whether to shorten them all.
        data: folder of the measured studies' files; without it, or without some, those are left out and named.
        equations: published system for the conditions of its size; generated ones otherwise.
        names: its gene names in order.
        on_progress: called with what is being done and how far it is.

    Returns:
        All studies' rows, with the study beside.

    Raises:
        InputError: on files that cannot be read.
    """
    studies, left_out = plan_all(quick, equations is None, data)
    facts = "Every study's own page, with all columns and figures, is STUDY/report.html."
    if left_out:
        facts += " Left out: " + "; ".join(f"{name} ({why})" for name, why in left_out.items()) + "."
    sections: list[Section] = []
    rows: list[dict[str, Any]] = []
    for study in studies:
        told = partial(_prefixed, study.name, on_progress)
        if isinstance(study, MeasuredStudy):
            assert data is not None, "told by plan_all"
            found = reproduce_measured(study, out / study.name, data, told)
        else:
            found = reproduce_simulated(study, out / study.name, equations, names, told)
        rows += [{"study": study.name, **row} for row in found]
        sections += _sections(study, found)
        write_pages(out, {"name": "all", "title": "All studies", "quick": quick}, facts, "chosen", _COLUMNS, sections)
    return rows


def _prefixed(study: str, on_progress: Callable[[str, Progress], None], stage: str, progress: Progress) -> None:
    on_progress(f"{study}: {stage}", progress)


def _sections(study: SimulatedStudy | MeasuredStudy, rows: list[dict[str, Any]]) -> list[Section]:
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        tables.setdefault(row.get("condition") or row["dataset"], []).append(row)
    return [Section(f"{study.name}: {name}", f"{study.title}.", mine, {}) for name, mine in tables.items()]
