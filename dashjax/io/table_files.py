"""Files that hold a table, whatever their format: text, Parquet, spreadsheets; as they are, or transposed."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dashjax.errors import InputError
from dashjax.io.tables import LARGEST_TABLE, LARGEST_TEXT, read_rows, refuse_no_file, short

#: Cells, blank ones included, that a sheet of a spreadsheet may have.
LARGEST_SHEET = 2**25


@dataclass(frozen=True)
class TableFile:
    """A file whose format is to be told; its rows are read when they are first asked for.

    Attributes:
        path: the file or folder.
        transpose: whether its rows are to be read as columns.
    """

    path: Path
    transpose: bool = False

    @cached_property
    def rows(self) -> list[list[str]]:
        """Rows of text, of binary formats too; see `read_rows`."""
        rows = _READERS.get(self.path.suffix.lower(), read_rows)(self.path)
        return transposed(rows, self.path) if self.transpose else rows

    @property
    def name(self) -> str:
        """What messages call the table: its rows are counted as they are read."""
        return f"{self.path}, transposed" if self.transpose else str(self.path)


def transposed(rows: list[list[str]], path: Path | str) -> list[list[str]]:
    """Return rows as columns; blank lines are left out, and R's header of one field less gets its blank one.

    Raises:
        InputError: where rows differ in length.
    """
    filled = [(number, row) for number, row in enumerate(rows, start=1) if any(row)]
    width = len(filled[-1][1])
    if len(filled) > 1 and len(filled[0][1]) == width - 1:
        filled[0] = (filled[0][0], ["", *filled[0][1]])
    for number, row in filled:
        if len(row) != width:
            raise InputError(f"{path}, row {number}: {len(row)} columns, the last row has {width}")
    return [list(column) for column in zip(*(row for _, row in filled), strict=True)]


def parquet_rows(path: Path | str) -> list[list[str]]:
    """Return a Parquet table as a delimited file of the same content would be read: rows of text, a header first.

    Raises:
        InputError: where the file is missing, damaged or holds more than `LARGEST_TABLE` values.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    refuse_no_file(path)
    try:
        with pq.ParquetFile(path) as file:
            size = file.metadata.num_rows * file.metadata.num_columns
            if size > LARGEST_TABLE:
                raise InputError(f"{path}: {size:,} values, more than {LARGEST_TABLE:,}")
            table = file.read()
        columns = [column.to_pylist() for column in table.columns]
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError, OverflowError) as error:
        raise InputError(f"{path}: cannot be read as Parquet ({_first_line(error)})") from None
    if not table.num_rows or not table.num_columns:
        raise InputError(f"{path}: the table is empty")
    texts = [["" if value is None else as_text(value) for value in column] for column in columns]
    return [[str(name).strip() for name in table.column_names], *(list(row) for row in zip(*texts, strict=True))]


def spreadsheet_rows(path: Path | str) -> list[list[str]]:
    """Return the rows of a spreadsheet's only sheet with values, as text; needs the extra `xlsx`.

    Raises:
        InputError: where the file is missing, damaged or too large, has values on several sheets or a date among them,
            or openpyxl is not installed.
    """
    try:
        import openpyxl
    except ImportError:
        raise InputError(f"{path}: reading .xlsx needs openpyxl: pip install 'dashjax[xlsx]'") from None
    refuse_no_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > LARGEST_TEXT:
            raise InputError(f"{path}: more than {LARGEST_TEXT / 2**20:,.0f} MiB when unpacked")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = {sheet.title: _sheet_rows(sheet, path) for sheet in book.worksheets}
    except InputError:
        raise
    except Exception as error:
        # openpyxl raises almost any exception on a damaged file.
        raise InputError(f"{path}: cannot be read as .xlsx ({_first_line(error)})") from None
    filled = [name for name, rows in sheets.items() if rows]
    if not filled:
        raise InputError(f"{path}: the file has no values")
    if len(filled) > 1:
        shown = ", ".join(f"'{short(name)}'" for name in filled[:5]) + ("…" if len(filled) > 5 else "")
        raise InputError(f"{path}: {len(filled)} sheets have values ({shown}); save the one that is meant by itself")
    return sheets[filled[0]]


def _sheet_rows(sheet: Any, path: Path | str) -> list[list[str]]:
    """Return a sheet's rows of the same length, without blank rows and columns at their ends."""
    rows: list[list[str]] = []
    cells = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells += len(row)
        if cells > LARGEST_SHEET:
            raise InputError(f"{path}: sheet '{short(sheet.title)}' has more than {LARGEST_SHEET:,} cells")
        for column, value in enumerate(row, start=1):
            if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
                raise InputError(
                    f"{path}, row {number}, column {column}: a date ({value}); spreadsheets take symbols such as "
                    "MARCH1 for dates, so write it as text"
                )
        rows.append(["" if value is None else as_text(value) for value in row])
    while rows and not any(rows[-1]):
        rows.pop()
    width = max((place for row in rows for place, cell in enumerate(row, start=1) if cell), default=0)
    return [row[:width] + [""] * (width - len(row)) for row in rows]


_READERS: dict[str, Callable[[Path | str], list[list[str]]]] = {".parquet": parquet_rows, ".xlsx": spreadsheet_rows}


def as_text(value) -> str:
    """Return a value as a cell of a delimited file of the same content has it."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    return str(value).strip() if not isinstance(value, float) else repr(value)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
