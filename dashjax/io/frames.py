"""Expression and networks that are held in memory as pandas frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dashjax.errors import InputError
from dashjax.io.edge_tables import (
    SIGN_NAMES,
    SOURCE_NAMES,
    TARGET_NAMES,
    WEIGHT_NAMES,
    is_edge_table,
    parse_edge_table,
)
from dashjax.io.matrices import matrix_network
from dashjax.io.metadata import is_metadata
from dashjax.io.name_hints import GENES_IN_ROWS, looks_transposed
from dashjax.io.named import Expression, NamedNetwork
from dashjax.io.sample_names import sampled_expression, stated_times
from dashjax.io.table_files import as_text
from dashjax.io.tables import find_column, parse_numbers, plain_numbers, refuse_repeats, short
from dashjax.io.tidy import (
    GENE_NAMES,
    TIME_NAMES,
    TRAJECTORY_NAMES,
    VALUE_NAMES,
    at_rest,
    gene_columns,
    is_long,
    long_expression,
    refuse_nameless,
    wide_expression,
)

if TYPE_CHECKING:
    import pandas as pd


def expression_from_frame(
    frame: pd.DataFrame,
    source: str = "expression",
    time: str | None = None,
    trajectory: str | None = None,
    transpose: bool = False,
) -> Expression:
    """Return a frame's expression: `trajectory,time,GENE,…` or, a row per value, `trajectory,time,gene,expression`.

    The frame's content is what `read_tidy` reads from a file: rows of one trajectory stand in the order of their
    times in the first form, and in any order in the second; all rows are one trajectory where no column names it.
    Rows whose time is infinite, or the word `steady`, are samples at rest.

        frame = pd.DataFrame({"time": [0, 1, 2], "GATA1": [0.3, 0.4, 0.6], "TAL1": [0.7, 0.7, 0.5]})
        data = expression_from_frame(frame)
        data.genes, data.trajectories.expression.shape   # ('GATA1', 'TAL1'), (1, 3, 2)

    Args:
        frame: as above; its index does not matter.
        source: what to call the frame in messages.
        time: column of the times; `time` or `pseudotime` if None.
        trajectory: column of the trajectories' names; `trajectory`, `replicate`, `branch` or `series`, if any, if None.
        transpose: whether genes stand in the rows, named in the index or the first column.

    Raises:
        InputError: on anything that cannot be used, naming the row, counted from 1, and the column.
    """
    _refuse_empty(frame, source)
    if transpose:
        frame = transposed_frame(frame)
    header = frame_names(frame.columns)
    when = _place(header, time, TIME_NAMES, source)
    group = _place(header, trajectory, TRAJECTORY_NAMES, source)
    if when is None:
        return _from_named_samples(frame, header, source, transpose)
    labels = ["1"] * len(frame) if group is None else frame_texts(frame.iloc[:, group])
    times = _times(frame, when, header, source)
    if is_long(header):
        gene, value = find_column(header, GENE_NAMES), find_column(header, VALUE_NAMES)
        assert gene is not None, "told by is_long"
        assert value is not None, "told by is_long"
        numbers = np.stack([times, frame_numbers(frame, [value], header, source)[:, 0]], axis=1)
        genes = frame_texts(frame.iloc[:, gene])
        return long_expression(labels, numbers, genes, [header[n] for n in (when, gene, value)], source, first_row=1)
    columns, notes = gene_columns(header, (group, when))
    names = [header[number] for number in (when, *columns)]
    refuse_nameless(names[1:], columns, source)
    numbers = np.concatenate([times[:, None], frame_numbers(frame, columns, header, source)], axis=1)
    return wide_expression(labels, numbers, names, source, first_row=1, notes=notes)


def transposed_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame's rows as columns, called as its index or, where that only counts, its first column says."""
    import pandas as pd

    if isinstance(frame.index, pd.RangeIndex):
        frame = frame.set_index(frame.columns[0])
    # Columns of one type each, which a transposed frame of mixed types does not have.
    return frame.T.infer_objects()


def _from_named_samples(frame: pd.DataFrame, header: list[str], source: str, transpose: bool) -> Expression:
    """Return the expression of a frame whose rows are samples with names that state times, if they do."""
    first = frame_texts(frame.iloc[:, 0])
    for names, begin in ((frame_names(frame.index), 0), (first, 1)):
        if stated_times(names) is not None:
            genes = [place for place in range(begin, len(header)) if not is_metadata(header[place])]
            levels = np.full((len(frame), len(header)), np.nan)
            levels[:, genes] = frame_numbers(frame, genes, header, source) if genes else 0
            return sampled_expression(names, levels[:, begin:], header[begin:], source, first_row=1)
    rows = [["", *header], *([name] for name in frame_names(frame.index))]
    hint = f"; {GENES_IN_ROWS}"
    said = hint if not transpose and _tells_time(frame, header, first) else hint * looks_transposed(rows)
    raise InputError(f"{source}: no column time; a tidy table has trajectory,time,GENE,…{said}")


def _tells_time(frame: pd.DataFrame, header: list[str], first: list[str]) -> bool:
    """Say whether a frame's rows would tell a time if they were columns."""
    there = [*frame_names(frame.index), *first]
    sampled = [stated_times(header[begin:]) for begin in (0, 1)]
    return find_column(there, TIME_NAMES) is not None or any(one is not None for one in sampled)


def network_from_frame(frame: pd.DataFrame, source: str = "prior") -> NamedNetwork:
    """Return a frame's network: edges `source,target[,weight][,sign]`, or a matrix with names in index and columns.

    The columns of edges have the names that `read_network` knows, so nets of decoupler, CollecTRI and GRNBoost go in as
    they are. A matrix has regulators in its rows.

        network_from_frame(pd.DataFrame({"source": ["GATA1"], "target": ["TAL1"], "weight": [0.9]}))
        network_from_frame(pd.DataFrame([[0.0, 0.9]], index=["GATA1"], columns=["TAL1", "KLF1"]))

    Args:
        frame: as above.
        source: what to call the frame in messages.

    Raises:
        InputError: on anything that cannot be used, naming the row, counted from 1, and the column.
    """
    import pandas as pd

    header = frame_names(frame.columns)
    _refuse_empty(frame, source)
    if is_edge_table([header]):
        found = [find_column(header, names) for names in (SOURCE_NAMES, TARGET_NAMES, WEIGHT_NAMES, SIGN_NAMES)]
        places = [place for place in found if place is not None]
        cells = zip(*(frame_texts(frame.iloc[:, place]) for place in places), strict=True)
        rows = [[header[place] for place in places], *map(list, cells)]
        return parse_edge_table(rows, source, first_row=1)
    if isinstance(frame.index, pd.RangeIndex):
        raise InputError(
            f"{source}: expected columns source,target[,weight], or a matrix with the regulators' names as its index, "
            f"found columns {short(','.join(header))}"
        )
    regulators = frame_names(frame.index)
    refuse_repeats(header, source, "target")
    refuse_repeats(regulators, source, "regulator")
    weights = frame_numbers(frame, range(len(header)), header, source)
    _refuse_missing(weights, header, source)
    return matrix_network(weights, regulators, header, source, first_row=1)


def _refuse_empty(frame: pd.DataFrame, source: str) -> None:
    if not frame.size:
        raise InputError(f"{source}: the frame is empty")


def frame_names(index: pd.Index) -> list[str]:
    """Return an index as the cells of a file."""
    return [as_text(name) for name in index]


def _place(header: Sequence[str], name: str | None, usual: Sequence[str], source: str) -> int | None:
    """Return the place of a column that is named, or has a usual name."""
    if name is None:
        return find_column(header, usual)
    if name not in header:
        raise InputError(f"{source}: no column '{short(name)}'; there are: {', '.join(map(short, header[:20]))}")
    return header.index(name)


def frame_texts(column: pd.Series) -> list[str]:
    """Return a column as the cells of a file; missing values are blank."""
    missing = column.isna().to_numpy()
    return ["" if gone else as_text(value) for value, gone in zip(column.tolist(), missing, strict=True)]


def frame_numbers(frame: pd.DataFrame, places: Sequence[int], header: Sequence[str], source: str) -> np.ndarray:
    """Return columns as numbers (row, column), NaN where one is missing; text is read as in a file.

    Raises:
        InputError: on what is no number or infinite, naming its row and column.
    """
    chosen = frame.iloc[:, list(places)]
    names = [header[place] for place in places]
    if all(is_numeric(dtype) for dtype in chosen.dtypes):
        numbers = chosen.to_numpy(dtype=float, na_value=np.nan)
    else:
        columns = [_column(chosen.iloc[:, n], name, source) for n, name in enumerate(names)]
        numbers = np.stack(columns, axis=1)
    if np.isinf(numbers).any():
        row, column = np.argwhere(np.isinf(numbers))[0]
        found = "-inf" if numbers[row, column] < 0 else "inf"
        raise InputError(f"{source}, row {row + 1}, column {short(names[column])}: expected a number, found '{found}'")
    return numbers


def _times(frame: pd.DataFrame, place: int, header: Sequence[str], source: str) -> np.ndarray:
    """Return the column of times, infinite where its row is at rest."""
    column = frame.iloc[:, place]
    rest = at_rest(frame_texts(column)) if not is_numeric(column.dtype) else np.isposinf(_column(column, "", source))
    finite = column.astype(object).mask(rest, 0).to_frame() if rest.any() else column.to_frame()
    return np.where(rest, np.inf, frame_numbers(finite, [0], [header[place]], source)[:, 0])


def is_numeric(dtype: Any) -> bool:
    """Say whether a column of a type holds real numbers."""
    from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

    return is_numeric_dtype(dtype) and not is_bool_dtype(dtype) and not is_complex_dtype(dtype)


def _column(column: pd.Series, name: str, source: str) -> np.ndarray:
    if is_numeric(column.dtype):
        return column.to_numpy(dtype=float, na_value=np.nan)
    texts = frame_texts(column)
    numbers = plain_numbers(texts)
    if numbers is not None:
        return numbers
    return np.array([parse_numbers([text], f"{source}, row {n}", [name])[0] for n, text in enumerate(texts, start=1)])


def _refuse_missing(numbers: np.ndarray, names: Sequence[str], source: str) -> None:
    if np.isnan(numbers).any():
        row, column = np.argwhere(np.isnan(numbers))[0]
        raise InputError(f"{source}, row {row + 1}, column {short(names[column])}: the value is missing (NaN)")
