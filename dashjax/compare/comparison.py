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
from dashjax.rivals import RIVALS, find_rival
from dashjax.scoring import beeline_scores
from dashjax.training import NUMERICS_VERSION

#: What is compared if the user does not say.
METHOD_NAMES = (DEFAULT_METHOD, *(name for name, rival in RIVALS.items() if not rival.needs_package))
#: What is compared on measured data if the user does not say: forests would take hours.
MEASURED_METHODS = (
    *(DEFAULT_METHOD, "activity"),
    *("activity_ridge_degree", "activity_ridge", "mrna_ridge", "degree", "prior_only"),
)
#: Every name of a rival.
RIVAL_NAMES = {name for rival in RIVALS.values() for name in (rival.name, *rival.aliases)}
#: Probability from which on pairs are counted as found.
SURE = 0.9
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
    corruptions: Sequence[float | None] | None = CORRUPTIONS,
    epochs: int = 60,
    seed: int = 0,
    on_progress: OnProgress = lambda progress: None,
) -> pd.DataFrame:
    """Run methods on problems; what `out` holds of them already is not run again, and what else it holds is added.

    All methods see the same trajectories and the same prior. Rivals that cannot weigh a prior rank its edges first,
    and those that need what a problem lacks are left out there. Of samples at rest, ours see all, and rivals what they
    are made for; where priors are drawn from the truth, `SERIES_ONLY` is ours without them. Scores count the pairs of
    `Problem.scored`; BEELINE's are as it defines them, where all pairs are scored.

    Args:
        problems: networks to infer, with their truth.
        out: results folder.
        methods: names of rivals, prior_only among them, or of methods of ours.
        corruptions: priors, see `CORRUPTIONS`; None for the prior that each problem brings.
        epochs: of every run of ours.
        seed: of priors, methods and forests.
        on_progress: told of progress.

    Returns:
        A row per problem, prior and method: those asked for, then what `out` has from earlier calls on the same data,
        with the same seed, epochs and numerics.

    Raises:
        InputError: on an unknown method, or where no problem has what the methods need.
    """
    known = RIVAL_NAMES | {name for method in METHODS.values() for name in (method.name, *method.aliases)}
    for name in methods:
        if name not in known:
            raise InputError(f"unknown method '{name}'; valid: {', '.join([*RIVALS, *METHODS])}", "methods")
    if corruptions is None:
        shares = [(one, 0.0 if one.prior.n_edges else None) for one in problems]
    else:
        shares = [(one, share) for one in problems for share in corruptions]
    own = corruptions is None
    cells = [cell for one, share in shares for cell in _cells(one, share, methods, epochs, seed, own)]
    if not cells:
        raise InputError(
            "no problem has what these need: a prior, trajectories, samples at rest, knock-outs", "methods"
        )
    store = Store(out, "comparison", {"of": "a comparison"})
    run_cells(cells, store, on_progress=on_progress, one_by_one=True, score=_score)
    asked = collect(cells, store)
    earlier = store.rows()
    if "problem" in earlier:
        data = {problem.name: _data_of(problem, own) for problem in problems}
        same = earlier["problem"].notna() & (earlier["seed"] == seed) & (earlier["numerics"] == NUMERICS_VERSION)
        if "epochs" in earlier:  # of our methods; rivals have none
            same &= earlier["epochs"].isna() | (earlier["epochs"] == epochs)
        # Other data under the same name are not these data.
        same &= earlier["data_fingerprint"] == earlier["problem"].map(data).fillna(earlier["data_fingerprint"])
        earlier = earlier[same & ~earlier["id"].isin(asked["id"])]
        asked = pd.concat([asked, earlier], ignore_index=True) if len(earlier) else asked
    return asked


def describe_prior(corruption: float | None, own: bool = False) -> str:
    """Say what a prior is."""
    if own and corruption is not None:
        return "its own prior"
    return "no prior" if corruption is None else f"prior {corruption:.0%} misplaced"


def _cells(
    problem: Problem, corruption: float | None, methods: Sequence[str], epochs: int, seed: int, own: bool = False
) -> list[AnyCell]:
    """Return a cell per method that a problem suits with this prior, or with its own."""
    given = problem if own else with_corrupted_prior(problem, corruption, seed, STREAM)
    coordinates = {
        "problem": problem.name,
        "group": problem.group,
        "corruption": np.nan if corruption is None else corruption,
        "own_prior": own,
        "data_fingerprint": _data_of(problem, own),
        "numerics": NUMERICS_VERSION,
    }
    cells: list[AnyCell] = []
    for name in methods:
        if name in RIVAL_NAMES:
            rival = find_rival(name)
            if rival.suits(given):
                cells.append(RivalCell(given, rival, seed, label=name, coordinates=coordinates))
            continue
        method = find_method(name)
        if method.estimator is not None and not given.prior.n_edges:
            # Activities are nothing without known targets.
            continue
        ours = Cell(given, method, seed, epochs=epochs, label=name, coordinates=coordinates)
        cells.append(ours)
        if name == DEFAULT_METHOD and not own and problem.rest is not None and problem.observed.n_trajectories:
            cells.append(replace(ours, problem=_series_only(given), label=SERIES_ONLY))
    return cells


def _data_of(problem: Problem, own: bool) -> str:
    """Return the identity of what rows of one name must share: the data, and a prior that they bring."""
    return problem.fingerprint if own else problem.data_fingerprint


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
        covered_targets=problem.covered_targets,
        self_loops=problem.self_loops,
        name=problem.name,
        group=problem.group,
        source=problem.source,
    )


def _score(cell: AnyCell, network: Network) -> Row:
    """Return our scores, what chance would give, how many pairs are sure and true, and BEELINE's scores."""
    problem, pairs = cell.problem, cell.problem.scored
    true = np.asarray(problem.truth)[pairs] != 0
    row = score_cell(cell, network) | {"chance": float(true.mean())}
    if network.posterior is not None:
        sure = np.abs(network.scores[pairs]) > SURE
        row |= {"sure": float(sure.sum()), "sure_true": float(true[sure].mean()) if sure.any() else np.nan}
    if problem.covered is not None or problem.covered_targets is not None:
        # BEELINE scores all pairs of genes with an edge.
        return row
    ranked, truth = edge_list(network.scores, network.genes), edge_list(problem.truth, network.genes)
    return row | {f"beeline_{name}": value for name, value in vars(beeline_scores(ranked, truth)).items()}
