"""Tables of experiments: what was done to which gene, and samples at rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from dashjax.data.interventions import KINDS, Intervention, Kind
from dashjax.errors import InputError, unknown
from dashjax.io.files import write_frame
from dashjax.io.frames import frame_names, frame_numbers, frame_texts, is_numeric, transposed_frame
from dashjax.io.metadata import is_metadata
from dashjax.io.name_hints import GENES_IN_ROWS, looks_transposed
from dashjax.io.named import NamedSamples
from dashjax.io.table_files import TableFile
from dashjax.io.tables import (
    find_column,
    named_columns,
    parse_number,
    parse_numbers,
    refuse_repeated_columns,
    refuse_repeats,
    refuse_width,
    short,
)

if TYPE_CHECKING:
    import pandas as pd

#: Header names of a table of interventions, in lower case.
EXPERIMENT_NAMES = ("trajectory", "experiment", "sample", "condition")
GENE_NAMES = ("gene", "target")
KIND_NAMES = ("kind", "type", "perturbation")
VALUE_NAMES = ("value", "level", "factor", "dose")
#: Header names of the column that names samples at rest, in lower case.
SAMPLE_NAMES = ("", "sample", "samples", "sample_id", "id", "name", "trajectory", "experiment", "condition")

#: Further spellings of kinds, letters only.
_SPELLINGS: dict[str, Kind] = {
    **{kind: kind for kind in KINDS},
    "ko": "knockout",
    "deletion": "knockout",
    "kd": "knockdown",
    "oe": "overexpression",
    "drug": "stimulus",
}


def read_interventions(value: Path | str | pd.DataFrame) -> tuple[Intervention, ...]:
    """Read what was done to genes: a row per intervention, `trajectory,gene,kind[,value]`.

    A kind is knockout, knockdown, overexpression, clamp or stimulus, or a usual spelling such as KO, knock-down or
    OE. The value is the share of production that a knock-down leaves, the level that over-expression adds or a clamp
    holds, or the dose of a stimulus; where it is blank or NA its size is unknown.

        # interventions.csv        trajectory,gene,kind,value
        #                          mouse_1,GATA1,knockout,
        #                          mouse_2,TAL1,knockdown,0.5
        #                          mouse_3,dexamethasone,stimulus,1
        data = read_expression("series.csv").with_experiments(None, read_interventions("interventions.csv"))

    Args:
        value: a CSV, TSV or Parquet file, or a DataFrame, whose index does not matter. The first column may also be
            called experiment, sample or condition.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    source, first_row, rows = _rows(value, "interventions")
    header = rows[0]
    refuse_repeated_columns(header, source)
    experiment, gene, kind = (_column(header, names, source) for names in (EXPERIMENT_NAMES, GENE_NAMES, KIND_NAMES))
    size = find_column(header, VALUE_NAMES)
    if len(rows) < 2:
        raise InputError(f"{source}: no interventions below the header")
    found = []
    for number, row in enumerate(rows[1:], start=first_row):
        where = f"{source}, row {number}"
        refuse_width(row, len(header), where)
        for column in (experiment, gene):
            if not row[column]:
                raise InputError(f"{where}, column {short(header[column])}: no name")
        what = kind_of(row[kind], f"{where}, column {short(header[kind])}")
        level = float("nan") if size is None else float(parse_numbers([row[size]], where, [header[size]])[0])
        found.append(Intervention(row[experiment], row[gene], what, None if np.isnan(level) else level, where))
    return tuple(found)


def kind_of(cell: str, where: str) -> Kind:
    """Return the kind of intervention that a cell names, in any usual spelling.

    Examples:
        >>> kind_of("Knock-out", "row 1"), kind_of("OE", "row 2")
        ('knockout', 'overexpression')

    Raises:
        InputError: on a kind there is not, with the closest that is.
    """
    kind = _SPELLINGS.get(re.sub(r"[-_ .]", "", cell.lower()))
    if kind is None:
        raise InputError(f"{where}: {unknown('kind', short(cell), get_args(Kind))}")
    return kind


def write_interventions(path: Path | str, interventions: Sequence[Intervention]) -> None:
    """Write interventions as a table `trajectory,gene,kind,value`, by the file's name as CSV, TSV or Parquet.

    What `read_interventions` reads back is the same, but for where it was stated.
    """
    import pandas as pd

    values = [np.nan if one.value is None else one.value for one in interventions]
    table = pd.DataFrame(
        {
            "trajectory": [one.experiment for one in interventions],
            "gene": [one.gene for one in interventions],
            "kind": [one.kind for one in interventions],
            "value": np.array(values, dtype=float),
        }
    )
    write_frame(path, table)


def read_steady(value: Path | str | pd.DataFrame, genes: Sequence[str] = (), transpose: bool = False) -> NamedSamples:
    """Read samples at rest, which belong to no time course: a row per sample, a column per gene.

    A file names its samples in the first column, a frame in its index or its first column. Where there are only
    columns of genes, as in the knock-outs of DREAM4, samples are called 1, 2, …. Blank cells and NA are missing.

        # rest.csv                 sample,GATA1,TAL1
        #                          liver,0.31,0.72
        #                          spleen,0.35,NA
        read_steady("rest.csv").names   # ('liver', 'spleen')

    Args:
        value: a CSV, TSV or Parquet file, or a DataFrame.
        genes: the expression's genes, which tell a first column of numbers from one of names; by its header, see
            `SAMPLE_NAMES`, without them.
        transpose: whether genes stand in the rows, and samples in the columns.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    if isinstance(value, str | Path):
        file = TableFile(Path(value), transpose)
        return _steady_from_rows(file.rows, file.name, genes)
    frame = _frame(value, "steady")
    return _steady_from_frame(transposed_frame(frame) if transpose and frame.size else frame, genes)


def write_steady(path: Path | str, names: Sequence[str], genes: Sequence[str], levels: np.ndarray) -> None:
    """Write samples at rest as a table `sample,GENE,GENE,…`, by the file's name as CSV, TSV or Parquet.

    What `read_steady` reads back is the same, missing values included.
    """
    import pandas as pd

    table = pd.DataFrame(np.asarray(levels), columns=list(genes))
    table.insert(0, "sample", np.asarray(names, dtype=object), allow_duplicates=True)
    write_frame(path, table, missing="NA")


def _steady_from_rows(rows: list[list[str]], path: Path | str, genes: Sequence[str]) -> NamedSamples:
    if len(rows) < 2:
        raise InputError(f"{path}: no samples below the header")
    header, body = rows[0], rows[1:]
    nameless_header = len(header) == len(body[0]) - 1  # as R writes one
    numeric = all(row and parse_number(row[0]) is not None for row in body)
    if nameless_header or not _is_gene(header[0], numeric, genes):
        columns = named_columns(rows)
        names, cells, shift = [row[0] if row else "" for row in body], [row[1:] for row in body], 1
    else:
        columns, names = header, [str(number) for number in range(1, len(rows))]
        cells, shift = body, 0
    _refuse_none(columns, path)
    if not len(genes) and looks_transposed(rows):
        raise InputError(f"{path}: {GENES_IN_ROWS}")
    levels = np.full((len(body), len(columns)), np.nan)
    measured = [place for place, column in enumerate(columns) if not is_metadata(column)]
    for number, row in enumerate(cells, start=2):
        where = f"{path}, row {number}"
        # The whole row is counted, as whoever looks at the file counts it.
        refuse_width(body[number - 2], len(columns) + shift, where)
        cells_here = [row[place] for place in measured]
        levels[number - 2, measured] = parse_numbers(cells_here, where, [columns[place] for place in measured])
    return _named_samples(names, columns, levels, path)


def _steady_from_frame(frame: pd.DataFrame, genes: Sequence[str]) -> NamedSamples:
    import pandas as pd

    source, header = "steady", frame_names(frame.columns)
    if not frame.size:
        raise InputError(f"{source}: the frame is empty")
    if not isinstance(frame.index, pd.RangeIndex):
        names, begin = frame_names(frame.index), 0
    elif _is_gene(header[0], is_numeric(frame.dtypes.iloc[0]) or _says_numbers(frame), genes):
        names, begin = [str(number) for number in range(1, len(frame) + 1)], 0
    else:
        names, begin = frame_texts(frame.iloc[:, 0]), 1
    _refuse_none(header[begin:], source)
    levels = frame_numbers(frame, range(begin, len(header)), header, source)
    return _named_samples(names, header[begin:], levels, source)


def _is_gene(name: str, numeric: bool, genes: Sequence[str]) -> bool:
    """Say whether a table's first column, numbers or not, is a gene's, so that none names the samples."""
    return numeric and (name in set(genes) if len(genes) else name.lower() not in SAMPLE_NAMES)


def _says_numbers(frame: pd.DataFrame) -> bool:
    return all(parse_number(cell) is not None for cell in frame_texts(frame.iloc[:, 0]))


def _refuse_none(genes: Sequence[str], source: Path | str) -> None:
    if not genes:
        raise InputError(f"{source}: no gene columns beside the names of the samples")


def _named_samples(names: Sequence[str], genes: Sequence[str], levels: np.ndarray, source: Path | str) -> NamedSamples:
    refuse_repeats(names, source, "sample")
    refuse_repeats(genes, source)
    return NamedSamples(tuple(names), tuple(genes), levels, str(source))


def _column(header: Sequence[str], names: Sequence[str], source: str) -> int:
    place = find_column(header, names)
    if place is None:
        raise InputError(
            f"{source}: no column {names[0]}; interventions have trajectory,gene,kind[,value], "
            f"found {short(','.join(header))}"
        )
    return place


def _rows(value: Path | str | pd.DataFrame, argument: str) -> tuple[str, int, list[list[str]]]:
    """Return what to call a table in messages, the number of its first row there, and its header and rows as text."""
    if isinstance(value, str | Path):
        return str(value), 2, TableFile(Path(value)).rows
    frame = _frame(value, argument)
    cells = [frame_texts(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return argument, 1, [frame_names(frame.columns), *map(list, zip(*cells, strict=True))]


def _frame(value: object, argument: str) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(value, pd.DataFrame):
        raise InputError(f"expected a path or a DataFrame, got {type(value).__name__}", argument)
    return value
