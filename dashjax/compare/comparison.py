"""Every method on every problem with every prior: a list of cells for the engine, and a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from dashjax.data import Problem, make_problem
from dashjax.engine import AnyCell, Cell, OnProgress, RivalCell, Store, collect, run_cells, score_cell
from dashjax.engine.store import Row
from dashjax.errors import InputError
from dashjax.methods import DEFAULT_METHOD, METHODS, find_method
from dashjax.networks import Network, edge_list
from dashjax.problems import with_corrupted_prior
from dashjax.rivals import RIVALS
from dashjax.scoring import beeline_scores
from dashjax.training import NUMERICS_VERSION

#: What is compared if the user does not say.
METHOD_NAMES = (DEFAULT_METHOD, *(name for name, rival in RIVALS.items() if not rival.needs_package))
#: What our default method is called where it was given the trajectories alone of a problem that has samples at rest.
SERIES_ONLY = f"{DEFAULT_METHOD} (series only)"
#: Shares of the true edges that are misplaced in the prior; None is no prior at all.
CORRUPTIONS: tuple[float | None, ...] = (None, 0.0, 0.1, 0.2, 0.4)
#: Tells the draws of these priors from those of simulated studies.
STREAM = 5


def compare(
    problems: Sequence[Problem],
    out: Path,
    methods: Sequence[str] = METHOD_NAMES,
    corruptions: Sequence[float | None] = CORRUPTIONS,
    epochs: int = 60,
    seed: int = 0,
    on_progress: OnProgress = lambda progress: None,
) -> pd.DataFrame:
    """Run methods on problems; what `out` holds of them already is not run again, and what else it holds is added.

    All methods see the same trajectories and the same prior. Rivals that cannot weigh a prior rank its edges first,
    and those that need what a problem lacks are left out there. Of samples at rest, ours see all, and rivals what they
    are made for; `SERIES_ONLY` is ours without them. Scores count ordered pairs of genes without self loops; BEELINE's
    are as it defines them.

    Args:
        problems: networks to infer, with their truth.
        out: results folder.
        methods: names of rivals, prior_only among them, or of methods of ours.
        corruptions: priors, see `CORRUPTIONS`.
        epochs: of every run of ours.
        seed: of priors, methods and forests.
        on_progress: told of progress.

    Returns:
        A row per problem, prior and method: those asked for, then what `out` has from earlier calls on the same data,
        with the same seed, epochs and numerics.

    Raises:
        InputError: on an unknown method, or where no problem has what the methods need.
    """
    known = {name for method in METHODS.values() for name in (method.name, *method.aliases)}
    for name in methods:
        if name not in RIVALS and name not in known:
            raise InputError(f"unknown method '{name}'; valid: {', '.join([*RIVALS, *METHODS])}", "methods")
    cells = [cell for one in problems for share in corruptions for cell in _cells(one, share, methods, epochs, seed)]
    if not cells:
        raise InputError(
            "no problem has what these need: a prior, trajectories, samples at rest, knock-outs", "methods"
        )
    store = Store(out, "comparison", {"of": "a comparison"})
    run_cells(cells, store, on_progress=on_progress, one_by_one=True, score=_score)
    asked = collect(cells, store)
    earlier = store.rows()
    if "problem" in earlier:
        data = {problem.name: problem.data_fingerprint for problem in problems}
        same = earlier["problem"].notna() & (earlier["seed"] == seed) & (earlier["numerics"] == NUMERICS_VERSION)
        if "epochs" in earlier:  # of our methods; rivals have none
            same &= earlier["epochs"].isna() | (earlier["epochs"] == epochs)
        # Other data under the same name are not these data.
        same &= earlier["data_fingerprint"] == earlier["problem"].map(data).fillna(earlier["data_fingerprint"])
        earlier = earlier[same & ~earlier["id"].isin(asked["id"])]
        asked = pd.concat([asked, earlier], ignore_index=True) if len(earlier) else asked
    return asked


def describe_prior(corruption: float | None) -> str:
    """Say what a prior is."""
    return "no prior" if corruption is None else f"prior {corruption:.0%} misplaced"


def _cells(problem: Problem, corruption: float | None, methods: Sequence[str], epochs: int, seed: int) -> list[AnyCell]:
    """Return a cell per method that a problem with this prior suits."""
    given = with_corrupted_prior(problem, corruption, seed, STREAM)
    coordinates = {
        "problem": problem.name,
        "group": problem.group,
        "corruption": np.nan if corruption is None else corruption,
        "data_fingerprint": problem.data_fingerprint,
        "numerics": NUMERICS_VERSION,
    }
    cells: list[AnyCell] = []
    for name in methods:
        if name in RIVALS:
            cells += [RivalCell(given, RIVALS[name], seed, coordinates)] if RIVALS[name].suits(given) else []
            continue
        ours = Cell(given, find_method(name), seed, epochs=epochs, label=name, coordinates=coordinates)
        cells.append(ours)
        if name == DEFAULT_METHOD and problem.rest is not None and problem.observed.n_trajectories:
            cells.append(replace(ours, problem=_series_only(given), label=SERIES_ONLY))
    return cells


def _series_only(problem: Problem) -> Problem:
    """Return a problem without its samples at rest, and without what was done in its trajectories."""
    return make_problem(
        replace(problem.given, production=None),
        problem.genes,
        problem.prior,
        validation=problem.hold_out,
        regulators=problem.may_regulate,
        truth=problem.truth,
        covered=problem.covered,
        self_loops=problem.self_loops,
        name=problem.name,
        group=problem.group,
        source=problem.source,
    )


def _score(cell: AnyCell, network: Network) -> Row:
    """Return our scores and BEELINE's."""
    ranked, truth = edge_list(network.scores, network.genes), edge_list(cell.problem.truth, network.genes)
    beeline = {f"beeline_{name}": value for name, value in vars(beeline_scores(ranked, truth)).items()}
    return score_cell(cell, network) | beeline
