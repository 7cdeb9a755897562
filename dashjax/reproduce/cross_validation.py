"""Choosing every method's λ or strength by cross-validation, with the same budget for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashjax.methods import Setting, find_method, score_setting, sparsest_within_one_error
from dashjax.sweep import Grid
from dashjax.sweep.grid import MethodEntry


@dataclass(frozen=True)
class Choice:
    """A method's setting and how it was found.

    Attributes:
        method: name.
        setting: the chosen λ and strength.
        tried: settings compared; 1 for a method with nothing to tune.
        runs: runs spent on that.
        error: cross-validated error of the choice; NaN where nothing was compared.
        best_error: of the best setting.
        standard_error: of the best setting's mean over folds.
    """

    method: str
    setting: Setting
    tried: int = 1
    runs: int = 0
    error: float = float("nan")
    best_error: float = float("nan")
    standard_error: float = float("nan")

    def entry(self) -> MethodEntry:
        """Return the choice as a grid's method."""
        return entry(self.method, self.setting)


def entry(method: str, setting: Setting) -> MethodEntry:
    """Return one setting of a method as a grid's method."""
    strength = () if setting.strength is None else (setting.strength,)
    return MethodEntry(name=method, lambda_1=(setting.trust[0],), lambda_2=(setting.trust[1],), strength=strength)


def settings_of(method: str, tries: int | None) -> list[Setting]:
    """Return a method's settings, thinned evenly to so many."""
    settings = list(find_method(method).settings)
    if tries is None or len(settings) <= tries:
        return settings
    return [settings[round(at)] for at in np.linspace(0, len(settings) - 1, tries + 2)[1:-1]]


def tuning_grid(grid: Grid, methods: Sequence[str], tries: int | None, folds: int) -> Grid | None:
    """Return the grid of every tuned method's settings × folds on the first seed; None where nothing is tuned."""
    entries = [
        entry(method, setting)
        for method in methods
        if len(find_method(method).settings) > 1
        for setting in settings_of(method, tries)
    ]
    if not entries:
        return None
    return grid.model_copy(update={"methods": tuple(entries), "seeds": grid.seeds[:1], "folds": folds})


def choose(table: pd.DataFrame | None, methods: Sequence[str], tries: int | None) -> list[Choice]:
    """Apply the one-standard-error rule to every method.

    See `sparsest_within_one_error`. A setting of which any fold diverged is out.

    Args:
        table: rows of the tuning runs; None where nothing was tuned.
        methods: the methods, in order.
        tries: as given to `tuning_grid`.
    """
    choices = []
    for method in methods:
        settings = settings_of(method, tries)
        if len(settings) == 1 or table is None:
            choices.append(Choice(method, settings[0]))
            continue
        mine = table[table["method"] == method]
        candidates = []
        for setting in settings:
            rows = mine[(mine["lambda_1"] == setting.trust[0]) & (mine["lambda_2"] == setting.trust[1])]
            if setting.strength is not None:
                rows = rows[rows["strength"] == setting.strength]
            healthy = len(rows) and (rows["status"] != "diverged").all()
            errors = rows["validation_mse"].to_list() if healthy else [np.nan]
            candidates.append(score_setting(setting, errors, rows["sparsity"].to_list() if healthy else [np.nan]))
        decision = sparsest_within_one_error(candidates)
        if decision is None:  # every setting diverged somewhere: say so by the missing errors
            choices.append(Choice(method, Setting(settings[0].trust, find_method(method).strength), len(settings)))
            continue
        winner, best = decision
        choices.append(
            Choice(method, winner.setting, len(settings), len(mine), winner.error, best.error, best.standard_error)
        )
    return choices
