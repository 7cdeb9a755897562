"""What users state was done to genes: told apart from what makes no sense, and compared with what was measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dashjax.data import LARGEST_EXPRESSION
from dashjax.data.interventions import KINDS, Intervention
from dashjax.errors import InputError, suggest, unknown
from dashjax.io.tables import short

#: Repeats of a sample `X` are named `X #2`, `X #3`, …
_REPEAT = re.compile(r"(.+) #\d+", re.DOTALL)


def numbered(labels: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """Return names for samples whose labels may repeat: the second `X` is `X #2`, and so on.

    Examples:
        >>> numbered(["x", "y", "x", "x #2"])
        ['x', 'y', 'x #3', 'x #2']
        >>> numbered(["x", "y"], taken=["x"])
        ['x #2', 'y']

    Args:
        labels: of the samples.
        taken: names that others have already.
    """
    used, names, kept = set(taken) | set(labels), [], set(taken)
    last: dict[str, int] = {}
    for label in labels:
        name = label
        if label in kept:
            count = last.get(label, 1) + 1
            while (name := f"{label} #{count}") in used:
                count += 1
            last[label] = count
        kept.add(name)
        used.add(name)
        names.append(name)
    return names


def applied_to_repeats(interventions: Sequence[Intervention], experiments: Sequence[str]) -> tuple[Intervention, ...]:
    """Return interventions with each one on `X` stated for its repeats `X #2`, `X #3`, … too.

    One that is stated for the same gene of a repeat itself counts instead.
    """
    there, itself = set(experiments), {(one.experiment, one.gene) for one in interventions}
    repeats: dict[str, list[str]] = {}
    for name in experiments:
        if match := _REPEAT.fullmatch(name):
            repeats.setdefault(match[1], []).append(name)
    found = []
    for one in interventions:
        others = repeats.get(one.experiment, [])
        if one.experiment in there or not others:
            found.append(one)
        found += [replace(one, experiment=name) for name in others if (name, one.gene) not in itself]
    return tuple(found)


def refuse_misstated(interventions: Sequence[Intervention], experiments: Sequence[str], genes: Sequence[str]) -> None:
    """Refuse interventions on what is not there, twice on one gene, or of a size that makes no sense.

    Args:
        interventions: to check.
        experiments: names of trajectories and samples.
        genes: names of those that were measured, without stimuli.

    Raises:
        InputError: naming where the first such intervention is stated.
    """
    there, measured = set(experiments), set(genes)
    first: dict[tuple[str, str], Intervention] = {}
    for one in interventions:
        gene, experiment = f"'{short(one.gene)}'", f"'{short(one.experiment)}'"
        if one.kind not in KINDS:
            raise InputError(f"{one.where}: {unknown('kind', short(one.kind), KINDS)}")
        if one.experiment not in there:
            hint = suggest(one.experiment, tuple(experiments))
            raise InputError(f"{one.where}: no trajectory or sample is named {experiment}{hint}")
        if one.kind == "stimulus" and one.gene in measured:
            raise InputError(f"{one.where}: the stimulus {gene} has the name of a gene; to hold a gene, state a clamp")
        if one.kind != "stimulus" and one.gene not in measured:
            raise InputError(f"{one.where}: the expression has no gene {gene}{suggest(one.gene, tuple(genes))}")
        _refuse_size(one, gene)
        before = first.setdefault((one.experiment, one.gene), one)
        if before is not one:
            also = "" if before.where == one.where else f", the first in {before.where}"
            raise InputError(f"{one.where}: two interventions on {gene} in {experiment}{also}")


def _refuse_size(one: Intervention, gene: str) -> None:
    """Refuse a value that an intervention of its kind cannot have."""
    value = one.value
    if value is None:
        if one.kind == "clamp":
            raise InputError(f"{one.where}: the clamp of {gene} needs the level it is held at")
    elif not abs(value) <= LARGEST_EXPRESSION:
        raise InputError(f"{one.where}: the {one.kind} of {gene} has the value {value:g}, expected a number")
    elif one.kind == "knockout" and value != 0:
        raise InputError(f"{one.where}: the knockout of {gene} has the value {value:g}; state a knockdown by its share")
    elif one.kind == "knockdown" and value < 0:
        raise InputError(f"{one.where}: the knockdown of {gene} leaves a share of at least 0, found {value:g}")


def knocked_out_yet_high(
    interventions: Sequence[Intervention],
    experiments: Sequence[str],
    genes: Sequence[str],
    levels: np.ndarray,
    owner: np.ndarray,
) -> list[str]:
    """Return a sentence about genes whose level where they are knocked out is above their median where they are not.

    Args:
        interventions: of which the knockouts are looked at.
        experiments: names of trajectories and samples.
        genes: names.
        levels: all observations (observation, gene), NaN where a value is missing.
        owner: the number of each observation's experiment.

    Returns:
        The sentence, which shows three of them; empty where there are none.
    """
    place = {name: number for number, name in enumerate(experiments)}
    column = {gene: number for number, gene in enumerate(genes)}
    out: dict[str, list[str]] = {}
    for one in interventions:
        if one.kind == "knockout":
            out.setdefault(one.gene, []).append(one.experiment)
    found = []
    for gene, where in out.items():
        values, there = levels[:, column[gene]], ~np.isnan(levels[:, column[gene]])
        others = values[there & ~np.isin(owner, [place[name] for name in where])]
        if not len(others):
            continue
        usual = float(np.median(others))
        for name in where:
            own = values[there & (owner == place[name])]
            if len(own) and np.median(own) > usual:
                found.append(f"'{short(gene)}' in '{short(name)}' ({np.median(own):.3g}, elsewhere {usual:.3g})")
    if not found:
        return []
    more = f"; and {len(found) - 3:,} more" if len(found) > 3 else ""
    return [f"knocked out, yet measured above the gene's median elsewhere: {'; '.join(found[:3])}{more}"]
