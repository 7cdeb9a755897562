"""Choosing among settings by cross-validation: the sparsest that is not clearly worse than the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashjax.methods.method import Setting


@dataclass(frozen=True)
class ScoredSetting:
    """A setting and how its runs did.

    Attributes:
        setting: the setting.
        error: mean validation error over the folds; NaN where a run diverged.
        standard_error: of that mean; zero for a single fold.
        sparsity: mean sparsity of the selected models.
    """

    setting: Setting
    error: float
    standard_error: float
    sparsity: float


def score_setting(setting: Setting, errors: Sequence[float], sparsity: Sequence[float]) -> ScoredSetting:
    """Average a setting's validation errors and sparsities over its folds."""
    values = np.asarray(errors, dtype=float)
    spread = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return ScoredSetting(setting, float(values.mean()), float(spread), float(np.mean(sparsity)))


def sparsest_within_one_error(scored: Sequence[ScoredSetting]) -> tuple[ScoredSetting, ScoredSetting] | None:
    """Apply the one-standard-error rule (Breiman et al., "Classification and regression trees", 1984).

    Among the settings whose mean error lies within one standard error of the best one's, the sparsest wins (compared
    in whole per cents), and among equally sparse ones the most accurate.

    Returns:
        The winner and the best; None where no setting has a finite error.
    """
    finite = [candidate for candidate in scored if np.isfinite(candidate.error)]
    if not finite:
        return None
    best = min(finite, key=lambda candidate: candidate.error)
    close = [candidate for candidate in finite if candidate.error <= best.error + best.standard_error]
    return min(close, key=lambda candidate: (-round(100 * candidate.sparsity), candidate.error)), best
