"""Choosing a method's λ or strength on a user's own data, without a truth to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dashjax.engine import Cell, MemoryStore, OnProgress, collect, run_cells
from dashjax.errors import InputError
from dashjax.methods import Method, ScoredSetting, Setting, score_setting, sparsest_within_one_error

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tuned:
    """What was chosen, and how.

    Attributes:
        setting: the choice.
        tried: all that were tried: columns lambda_1, lambda_2, strength, validation_mse, standard_error, sparsity,
            within_one_error and chosen.
        why: one line.
    """

    setting: Setting
    tried: pd.DataFrame
    why: str


def folds_of(cell: Cell, folds: int) -> dict[Setting, list[Cell]]:
    """Return what tuning fits: every setting of a cell's method, on all folds.

    Args:
        cell: what is to be tuned; its method's runs are compared by their validation errors.
        folds: how many equal parts of the data are held out, one after the other.

    Raises:
        InputError: where there are too few data, or nothing to choose.
    """
    if len(cell.method.settings) == 1:
        raise InputError(f"{cell.method.name} has nothing to choose", "tune")
    problem = cell.problem.with_folds(folds)
    return {
        setting: [
            replace(cell, problem=problem, trust=setting.trust, strength=setting.strength, fold=fold)
            for fold in range(1, folds + 1)
        ]
        for setting in cell.method.settings
    }


def tune_setting(tries: Mapping[Setting, Sequence[Cell]], store: MemoryStore, on_progress: OnProgress) -> Tuned:
    """Fit every setting to every fold and apply the one-standard-error rule.

    Args:
        tries: from `folds_of`.
        store: where runs are kept.
        on_progress: told of progress.

    Raises:
        InputError: where every setting diverged.
    """
    run_cells([cell for cells in tries.values() for cell in cells], store, on_progress=on_progress)
    scored = []
    for setting, cells in tries.items():
        rows = collect(cells, store)
        errors = np.where(rows["status"] != "diverged", rows["validation_mse"], np.nan)
        scored.append(score_setting(setting, list(errors), list(rows["sparsity"])))
    decision = sparsest_within_one_error(scored)
    if decision is None:
        raise InputError("every setting diverged; is there a value far from all others?", "tune")
    winner, best = decision
    why = _explain(cells[0].method, winner, best, len(scored), len(cells))
    return Tuned(winner.setting, _table(scored, winner, best), why)


def _table(scored: Sequence[ScoredSetting], winner: ScoredSetting, best: ScoredSetting) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "lambda_1": [candidate.setting.trust[0] for candidate in scored],
            "lambda_2": [candidate.setting.trust[1] for candidate in scored],
            "strength": np.array([candidate.setting.strength for candidate in scored], dtype=float),
            "validation_mse": [candidate.error for candidate in scored],
            "standard_error": [candidate.standard_error for candidate in scored],
            "sparsity": [candidate.sparsity for candidate in scored],
            "within_one_error": [candidate.error <= best.error + best.standard_error for candidate in scored],
            "chosen": [candidate is winner for candidate in scored],
        }
    )


def _explain(method: Method, winner: ScoredSetting, best: ScoredSetting, settings: int, folds: int) -> str:
    def name(setting: Setting) -> str:
        if method.strengths:
            return f"strength {setting.strength:g}"
        return f"λ {setting.trust[0]:g}, {setting.trust[1]:g}"

    text = f"chosen among {settings} settings by {folds} folds: {name(winner.setting)} ({winner.sparsity:.1%} sparse"
    if winner is best:
        return f"{text}), the one of lowest validation error, {best.error:.3g} ± {best.standard_error:.2g}"
    return (
        f"{text}, error {winner.error:.3g}), the sparsest within one standard error of the best, {name(best.setting)} "
        f"({best.sparsity:.1%} sparse, {best.error:.3g} ± {best.standard_error:.2g})"
    )
