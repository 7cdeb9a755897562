"""Every method on every problem with every prior: a list of cells for the engine, and a table."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dashjax.data import Problem
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
METHOD_NAMES = (DEFAULT_METHOD, *RIVALS)
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

    All methods see the same trajectories and the same prior. Rivals that cannot weigh a prior rank its edges first.
    Scores count ordered pairs of genes without self loops; BEELINE's are as it defines them.

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
        InputError: on an unknown method.
    """
    known = {name for method in METHODS.values() for name in (method.name, *method.aliases)}
    for name in methods:
        if name not in RIVALS and name not in known:
            raise InputError(f"unknown method '{name}'; valid: {', '.join([*RIVALS, *METHODS])}", "methods")
    cells = [
        _cell(problem, corruption, name, epochs, seed)
        for problem, corruption, name in itertools.product(problems, corruptions, methods)
        if not (corruption is None and name in RIVALS and RIVALS[name].needs_prior)
    ]
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


def _cell(problem: Problem, corruption: float | None, name: str, epochs: int, seed: int) -> AnyCell:
    given = with_corrupted_prior(problem, corruption, seed, STREAM)
    coordinates = {
        "problem": problem.name,
        "group": problem.group,
        "corruption": np.nan if corruption is None else corruption,
        "data_fingerprint": problem.data_fingerprint,
        "numerics": NUMERICS_VERSION,
    }
    if name in RIVALS:
        return RivalCell(given, RIVALS[name], seed, coordinates)
    return Cell(given, find_method(name), seed, epochs=epochs, label=name, coordinates=coordinates)


def _score(cell: AnyCell, network: Network) -> Row:
    """Return our scores and BEELINE's."""
    ranked, truth = edge_list(network.scores, network.genes), edge_list(cell.problem.truth, network.genes)
    beeline = {f"beeline_{name}": value for name, value in vars(beeline_scores(ranked, truth)).items()}
    return score_cell(cell, network) | beeline
