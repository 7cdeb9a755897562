"""From perturbed cells to experiments: averages of the cells in which the same genes were knocked out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from dashjax.data.interventions import Intervention
from dashjax.errors import InputError, suggest
from dashjax.io.metacells import LEAST_CELLS, group_by_time
from dashjax.io.named import CellOptions, Expression, make_expression, make_samples
from dashjax.io.stated import numbered
from dashjax.io.tables import short

#: Labels of cells to which nothing was done, in lower case, tried in this order.
CONTROL_LABELS = ("control", "ctrl", "non-targeting", "nt", "unperturbed", "wt")
#: Samples that the cells of one label make at most, where no column says which are replicates.
MOST_REPLICATES = 3


def average_populations(
    blocks: Iterable[np.ndarray],
    genes: Sequence[str],
    perturbed: Sequence[str | None],
    replicates: Sequence[str] | None,
    time: np.ndarray,
    path: Path | str,
    options: CellOptions,
) -> Expression:
    """Average the cells of each label, and state that the genes it names were knocked out in them.

    A label is a gene, several as `A+B`, or that of control cells. Where cells have no time, each label's become samples
    at rest: one per replicate or, where no column says which are, up to three that take turns in taking cells and have
    at least ten each. Where they have one, each label and replicate is a trajectory, its cells averaged as by
    `average_cells`.

    Args:
        blocks: expression (cell, gene) of all cells, some after the other, NaN where a value is missing.
        genes: their names.
        perturbed: every cell's label; None for cells that are left out.
        replicates: every cell's replicate, if known.
        time: every cell's time, all NaN for cells at rest.
        path: what to name in messages.
        options: of these the column and control label, for messages, and the bins.

    Raises:
        InputError: where no cell is a control, or a label names no gene.
    """
    labels = sorted({label for label in perturbed if label is not None})
    if not labels:
        raise InputError(f"{path}: column '{options.perturbation}' of obs names no perturbation")
    control = _control(labels, path, options)
    targets = _targets(labels, control, genes, path, options)
    cells_of: dict[tuple[str, str], list[int]] = {}
    for cell, label in enumerate(perturbed):
        if label is not None:
            cells_of.setdefault((label, "" if replicates is None else replicates[cell]), []).append(cell)
    populations = [(label, replicate, np.array(cells_of[label, replicate])) for label, replicate in sorted(cells_of)]
    left_out = sum(label is None for label in perturbed)
    notes = [f"{left_out:,} cells without a perturbation or control label are left out"] if left_out else []
    if control is None:
        notes.append(f"no label of '{options.perturbation}' is a usual one of control cells; control says which is")
    average = _at_rest if np.isnan(time).all() else _over_time
    data, label_of = average(blocks, genes, populations, time, path, options, notes)
    done = [
        Intervention(name, gene, "knockout", None, f"{path}, {options.perturbation} '{short(label)}'")
        for name, label in zip(data.experiments, label_of, strict=True)
        for gene in targets[label]
    ]
    return data.with_experiments(None, done)


def _control(labels: Sequence[str], path: Path | str, options: CellOptions) -> str | None:
    """Return the label of control cells, None where none is named and none has a usual name."""
    if options.control is None:
        lower = {label.lower(): label for label in reversed(labels)}
        return next((lower[name] for name in CONTROL_LABELS if name in lower), None)
    if options.control not in labels:
        some = ", ".join(map(short, labels[:10])) + ("…" if len(labels) > 10 else "")
        raise InputError(
            f"{path}: no cell has the control label '{short(options.control)}' in column '{options.perturbation}' of "
            f"obs{suggest(options.control, tuple(labels))}; there are: {some}"
        )
    return options.control


def _targets(
    labels: Sequence[str], control: str | None, genes: Sequence[str], path: Path | str, options: CellOptions
) -> dict[str, tuple[str, ...]]:
    """Return the genes that every label names.

    Raises:
        InputError: on labels of genes that there are not.
    """
    there, targets, strange = set(genes), {}, []
    for label in labels:
        parts = [label] if label in there or label == control else [part.strip() for part in label.split("+")]
        # Guides are often paired with one that targets nothing: KLF1+ctrl.
        targets[label] = tuple(dict.fromkeys(part for part in parts if part != control))
        strange += [part for part in targets[label] if part not in there]
    if strange:
        first, count = strange[0], len(set(strange))
        more = f", nor are {count - 1:,} others" if count > 1 else ""
        raise InputError(
            f"{path}: column '{options.perturbation}' of obs names '{short(first)}', which is no gene there"
            f"{suggest(first, tuple(genes))}{more}; control says which label is that of unperturbed cells"
        )
    return targets


def _at_rest(blocks, genes, populations, time, path, options, notes) -> tuple[Expression, list[str]]:
    """Return populations as samples at rest, and each one's label."""
    group = np.full(len(time), -1)
    names: list[str] = []
    label_of: list[str] = []
    for label, replicate, cells in populations:
        parts = 1 if replicate else int(np.clip(len(cells) // LEAST_CELLS, 1, MOST_REPLICATES))
        group[cells] = len(names) + np.arange(len(cells)) % parts
        names += [f"{label}, {replicate}" if replicate else label] * parts
        label_of += [label] * parts
    levels = _group_means(blocks, group, len(names), len(genes))
    count, labels = int((group >= 0).sum()), len(set(label_of))
    notes = [f"{count:,} cells of {labels:,} labels averaged into {len(names):,} samples at rest", *notes]
    steady = make_samples(numbered(names), levels, genes, path)
    return make_expression(genes, [], [], path, [], notes, steady), label_of


def _over_time(blocks, genes, populations, time, path, options, notes) -> tuple[Expression, list[str]]:
    """Return populations as trajectories, and each one's label."""
    if options.bins is not None and options.bins < 2:
        raise InputError(f"bins: at least 2 are needed, got {options.bins}")
    group, count = np.full(len(time), -1), 0
    names: list[str] = []
    label_of: list[str] = []
    times: list[np.ndarray] = []
    short_ones = []
    for label, replicate, cells in populations:
        name, cells = f"{label}, {replicate}" if replicate else label, cells[~np.isnan(time[cells])]
        if len(np.unique(time[cells].astype(np.float32))) < 2:
            short_ones.append(name)
            continue
        own, _ = group_by_time(name, time[cells], path, options.bins)
        times.append(np.bincount(own, time[cells]) / np.bincount(own))
        group[cells] = count + own
        count += len(times[-1])
        names.append(name)
        label_of.append(label)
    if not names:
        raise InputError(f"{path}: no label of column '{options.perturbation}' has cells at two times")
    levels = np.split(_group_means(blocks, group, count, len(genes)), np.cumsum([len(t) for t in times])[:-1])
    cells = int((group >= 0).sum())
    notes = [f"{cells:,} cells averaged into {count:,} times of {len(names):,} trajectories", *notes]
    if short_ones:
        shown = ", ".join(f"'{short(name)}'" for name in short_ones[:3]) + ("…" if len(short_ones) > 3 else "")
        notes.append(f"{len(short_ones):,} populations of cells at fewer than two times are left out ({shown})")
    return make_expression(genes, times, levels, path, names, notes), label_of


def _group_means(blocks: Iterable[np.ndarray], group: np.ndarray, count: int, genes: int) -> np.ndarray:
    """Average all blocks' cells by group, -1 for none, in one pass; NaN where a group has no value of a gene."""
    total, present = np.zeros((count, genes)), np.zeros((count, genes))
    begin = 0
    for block in blocks:
        own = group[begin : begin + len(block)]
        begin += len(block)
        order = np.argsort(own, kind="stable")
        order = order[own[order] >= 0]
        if not len(order):
            continue
        found, starts = np.unique(own[order], return_index=True)
        values = block[order]
        there = ~np.isnan(values)
        total[found] += np.add.reduceat(np.where(there, values, 0.0), starts, axis=0, dtype=float)
        present[found] += np.add.reduceat(there, starts, axis=0, dtype=float)
    return np.where(present > 0, total / np.maximum(present, 1), np.nan)
