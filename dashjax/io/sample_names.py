"""Tables whose rows are samples with names that state time and replicate, as `T0_rep1` does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dashjax.errors import InputError
from dashjax.io.metadata import is_metadata, left_out
from dashjax.io.named import Expression
from dashjax.io.tables import named_columns, parse_numbers, refuse_width, short
from dashjax.io.tidy import refuse_nameless, wide_expression

_FORM = re.compile(
    r"(?P<before>t|time|d|day|h|hour|hr|min|w|week)?[_.]?(?P<time>\d+(?:\.\d+)?)"
    r"(?P<after>h|hrs?|hours?|m|mins?|d|days?|w|weeks?|s)?[_. -](?P<replicate>(?:rep|replicate|r)[_. -]?\w+)",
    re.IGNORECASE,
)


class StatedTimes(NamedTuple):
    """What names of samples state.

    Attributes:
        times: one per sample.
        replicates: names, one per sample.
    """

    times: np.ndarray
    replicates: list[str]


def stated_times(names: Sequence[str]) -> StatedTimes | None:
    """Return the times and replicates that names state; None unless all do so, in one form.

    Examples:
        >>> stated_times(["T0_rep1", "T2.5_rep1"])
        StatedTimes(times=array([0. , 2.5]), replicates=['rep1', 'rep1'])
        >>> stated_times(["T0_rep1", "control"]), stated_times(["0h_rep1", "2d_rep1"])
        (None, None)
    """
    found = [_FORM.fullmatch(name) for name in names]
    matches = [match for match in found if match is not None]
    if not names or len(matches) < len(names):
        return None
    # Days and hours beside each other would be times in two units.
    if len({((match["before"] or "").lower(), (match["after"] or "").lower()) for match in matches}) > 1:
        return None
    return StatedTimes(np.array([float(match["time"]) for match in matches]), [match["replicate"] for match in matches])


def is_sampled(rows: list[list[str]]) -> bool:
    """Say whether all of a table's rows below its header begin with a name that states time and replicate."""
    return len(rows) > 1 and stated_times([row[0] if row else "" for row in rows[1:]]) is not None


def parse_sampled(rows: list[list[str]], path: Path | str) -> Expression:
    """Read a table with a row per sample and a column per gene, each replicate a trajectory.

        # levels.csv               ,GATA1,TAL1
        #                          T0_rep1,0.31,0.72
        #                          T2_rep1,0.35,0.70
        data = read_expression("levels.csv")
        data.names   # ('rep1',)

    Args:
        rows: the header, then a sample each, in any order.
        path: what to name in messages.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    columns = named_columns(rows)
    levels = np.full((len(rows) - 1, len(columns)), np.nan)
    places = [place for place, name in enumerate(columns) if not is_metadata(name)]
    refuse_nameless([columns[place] for place in places], [place + 1 for place in places], f"{path}, row 1")
    for number, row in enumerate(rows[1:], start=2):
        refuse_width(row[1:], len(columns), f"{path}, row {number}")
        cells = [row[1:][place] for place in places]
        levels[number - 2, places] = parse_numbers(cells, f"{path}, row {number}", [columns[p] for p in places])
    return sampled_expression([row[0] for row in rows[1:]], levels, columns, path, first_row=2)


def sampled_expression(
    names: Sequence[str], levels: np.ndarray, genes: Sequence[str], path: Path | str, first_row: int
) -> Expression:
    """Put samples whose names state times and replicates together; see `parse_sampled`.

    Args:
        names: of the samples, all of which `stated_times` reads.
        levels: (sample, gene).
        genes: names; those that are called as metadata are left out.
        path: what to name in messages.
        first_row: the number of the first sample's row there.

    Raises:
        InputError: on a time that a replicate has twice, naming the row.
    """
    stated = stated_times(names)
    assert stated is not None, "told by is_sampled"
    seen: dict[tuple[str, float], int] = {}
    for place, name in enumerate(names):
        before = seen.setdefault((stated.replicates[place], float(stated.times[place])), place)
        if before != place:
            raise InputError(
                f"{path}, row {place + first_row}: sample '{short(name)}' has the time and the replicate of row "
                f"{before + first_row}"
            )
    kept = [place for place, name in enumerate(genes) if not is_metadata(name)]
    notes = [
        f"times and replicates are those of the samples' names ('{short(names[0])}' is time {stated.times[0]:g} of "
        f"{stated.replicates[0]})"
    ]
    if len(kept) < len(genes):
        notes.append(left_out([name for name in genes if is_metadata(name)]))
    order = np.argsort(stated.times, kind="stable")
    numbers = np.concatenate([stated.times[:, None], levels[:, kept]], axis=1)[order]
    labels = [stated.replicates[place] for place in order.tolist()]
    return wide_expression(labels, numbers, ["time", *(genes[place] for place in kept)], path, first_row, notes)
