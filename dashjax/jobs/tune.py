"""Choosing a method's λ or strength on a user's own data, without a truth to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from dashjax.data import Split, Trajectories
from dashjax.errors import InputError
from dashjax.sparsity import sparsity
from dashjax.training import FitResult, Method, Setting
from dashjax.training.selection import ScoredSetting, score_setting, sparsest_within_one_error


def folds_of(pieces: Trajectories, folds: int, seed: int) -> list[Split]:
    """Hold out each of so many equal parts of the data once; what does not divide is always trained on.

    Raises:
        InputError: where there are fewer pieces than folds.
    """
    held = pieces.n_trajectories // folds
    if held == 0 or folds < 2:
        raise InputError(f"--tune: {folds} folds of {pieces.n_trajectories} pieces of data; needs at least two each")
    order = np.random.default_rng([seed, 4]).permutation(pieces.n_trajectories)
    splits = []
    for start in range(0, held * folds, held):
        out = np.sort(order[start : start + held])
        kept = np.setdiff1d(order, out)
        splits.append(Split(pieces[kept], pieces[out], pieces[out]))
    return splits


def choose_setting(
    method: Method,
    splits: Sequence[Split],
    train: Callable[[Setting, Split, str], FitResult],
) -> tuple[Setting, pd.DataFrame, str]:
    """Fit every setting of a method to every fold and apply the one-standard-error rule.

    Args:
        method: whose settings to try.
        splits: the folds.
        train: fits a setting to a fold, given a few words to show meanwhile.

    Returns:
        The chosen setting, the table of all that were tried, and one line that explains the choice.

    Raises:
        InputError: where the method has nothing to choose, or every setting diverged.
    """
    if len(method.settings) == 1:
        raise InputError(f"--tune: {method.name} has nothing to choose")
    scored: list[ScoredSetting] = []
    for number, setting in enumerate(method.settings, start=1):
        results = [
            train(setting, split, f"setting {number}/{len(method.settings)}, fold {fold}/{len(splits)}")
            for fold, split in enumerate(splits, start=1)
        ]
        errors = [float(r.validation_error) if int(r.status) != 2 else float("nan") for r in results]
        scored.append(score_setting(setting, errors, [float(sparsity(r.field.effective_layers())) for r in results]))
    decision = sparsest_within_one_error(scored)
    if decision is None:
        raise InputError("--tune: every setting diverged; is the expression on a scale of about one?")
    winner, best = decision
    table = pd.DataFrame(
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
    return winner.setting, table, _explain(method, winner, best, len(scored), len(splits))


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
