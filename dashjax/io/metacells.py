"""From cells to trajectories: averages of cells that are close in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from dashjax.errors import InputError
from dashjax.io.named import Expression, make_expression

#: As many different times as this or fewer are taken for sampling times, more for a pseudotime.
MOST_SAMPLING_TIMES = 50
#: Metacells along a pseudotime at most, and cells in each at least, where the user says neither.
DEFAULT_BINS, LEAST_CELLS = 40, 10


def average_cells(
    blocks: Iterable[np.ndarray],
    genes: Sequence[str],
    branches: Sequence[tuple[str, np.ndarray]],
    path: Path | str,
    bins: int | None = None,
) -> Expression:
    """Average cells that are close in time, so that each branch becomes a trajectory.

    Where a branch has few different times, they are sampling times, and the cells of each are averaged. Otherwise
    time is a pseudotime: its cells, in order, are cut into metacells of equal numbers of cells, each at the mean of
    its cells' pseudotimes. Pseudotimes in single precision that coincide are never cut apart.

    Args:
        blocks: expression (cell, gene) of all cells, some after the other, NaN where a value is missing.
        genes: their names.
        branches: name and time of every cell on each branch; NaN for cells off it.
        path: what to name in messages.
        bins: metacells per branch; `DEFAULT_BINS` or fewer for at least `LEAST_CELLS` in each if None.

    Raises:
        InputError: where a branch has fewer than two times.
    """
    if bins is not None and bins < 2:
        raise InputError(f"bins: at least 2 are needed, got {bins}")
    groups, times, notes, count = [], [], [], 0
    for name, time in branches:
        group, what = group_by_time(name, time, path, bins)
        on = group >= 0
        size = np.bincount(group[on])
        times.append(np.bincount(group[on], time[on]) / size)
        notes.append(f"{on.sum():,} cells of '{name}' averaged into {len(size)} {what}")
        groups.append(np.where(on, group + count, -1))
        count += len(size)
    means = _means(blocks, np.stack(groups), count, len(genes))
    expression = np.split(means, np.cumsum([len(t) for t in times])[:-1])
    return make_expression(genes, times, expression, path, [name for name, _ in branches], notes)


def group_by_time(name: str, time: np.ndarray, path: Path | str, bins: int | None) -> tuple[np.ndarray, str]:
    """Return the group of every cell, numbered in order of time, -1 off the branch; and what groups are."""
    cells = np.flatnonzero(~np.isnan(time))
    cells = cells[np.argsort(time[cells], kind="stable")]
    _, instant = np.unique(time[cells].astype(np.float32), return_inverse=True)
    if not len(cells) or instant[-1] == 0:
        raise InputError(f"{path}: branch '{name}' has {len(cells)} cells at fewer than two times")
    if bins is None and instant[-1] < MOST_SAMPLING_TIMES:
        found, what = instant, "sampling times"
    else:
        wanted = bins or int(np.clip(len(cells) // LEAST_CELLS, 2, DEFAULT_BINS))
        found, what = _equal_groups(instant, wanted), "metacells"
        if found[-1] == 0:
            raise InputError(f"{path}: branch '{name}' has too few different times for metacells")
    group = np.full(len(time), -1)
    group[cells] = found
    return group, what


def _equal_groups(instant: np.ndarray, bins: int) -> np.ndarray:
    """Return a group per cell, cells being in order of time; groups of equal size that cut no instant apart."""
    group = np.arange(len(instant)) * bins // len(instant)
    # All cells of an instant go where its first one does, which may leave a group empty.
    return np.unique(group[np.searchsorted(instant, instant, side="left")], return_inverse=True)[1]


def _means(blocks: Iterable[np.ndarray], groups: np.ndarray, count: int, genes: int) -> np.ndarray:
    """Average all blocks' cells (branch, cell) by group in one pass; NaN where a group has no value of a gene."""
    total, present = np.zeros((count, genes)), np.zeros((count, genes))
    begin = 0
    for block in blocks:
        there = ~np.isnan(block)
        member = np.zeros((count, len(block)))
        for group in groups[:, begin : begin + len(block)]:
            member[group[group >= 0], np.flatnonzero(group >= 0)] = 1.0
        total += member @ np.where(there, block, 0.0)
        present += member @ there if not there.all() else member.sum(axis=1, keepdims=True)
        begin += len(block)
    return np.where(present > 0, total / np.maximum(present, 1), np.nan)
