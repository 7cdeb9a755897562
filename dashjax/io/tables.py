"""Tables of text: read so that every complaint can name file, row and column, and written."""

from __future__ import annotations

import csv
import errno
import gzip
import io
import os
import re
import stat
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dashjax.errors import InputError
from dashjax.io.files import write_frame

if TYPE_CHECKING:
    import pandas as pd

#: Characters of text that a file may hold, compressed or not.
LARGEST_TEXT = 2**30
#: Values that a table in a binary format may hold.
LARGEST_TABLE = 2**29

#: Seconds to wait for somebody who writes to a pipe.
PATIENCE = 10.0

_NAN = float("nan")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_GZIP = b"\x1f\x8b"


def read_text(path: Path | str, largest: int | None = None) -> str:
    """Return a file's text (UTF-8, byte-order mark removed), plain or gzipped.

    Raises:
        InputError: where the file is missing, unreadable, empty, not text, or larger than so many bytes
            (`LARGEST_TEXT` if None).
    """
    path, largest = Path(path), LARGEST_TEXT if largest is None else largest
    try:
        content = _bytes(path, largest)
        if content[:2] == _GZIP:
            # One byte more than is allowed tells a larger file without unpacking it.
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(largest + 1)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: damaged gzip file ({error})") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if len(content) > largest:
        raise InputError(f"{path}: more than {largest / 2**20:,.0f} MiB of text")
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start})") from None
    if not text.strip():
        raise InputError(f"{path}: the file is empty")
    if "\0" in text:
        raise InputError(f"{path}: not a text file (it contains NUL)")
    return text


def _bytes(path: Path, largest: int) -> bytes:
    """Return a file's first bytes, of a pipe the same whenever it is asked for, for it can be read but once."""
    kind = path.stat().st_mode
    if stat.S_ISCHR(kind):
        raise OSError(errno.EINVAL, "a device, not a file")
    if stat.S_ISFIFO(kind):
        if str(path) not in _pipes:
            _pipes[str(path)] = _from_pipe(path, largest)
        return _pipes[str(path)]
    with path.open("rb") as file:
        return file.read(largest + 1)


def _from_pipe(path: Path, largest: int) -> bytes:
    """Return what comes through a pipe, which is empty as long as nobody writes to it."""
    # Opened to wait, it would wait for a writer for ever.
    place, begun = os.open(path, os.O_RDONLY | os.O_NONBLOCK), time.monotonic()
    with os.fdopen(place, "rb") as file:
        while True:
            try:
                first = os.read(place, 1)
            except BlockingIOError:  # a writer that has not written yet
                first = None
            if first != b"":
                break
            if time.monotonic() - begun > PATIENCE:
                raise InputError(f"{path}: nothing came through this pipe")
            time.sleep(0.01)
        os.set_blocking(place, True)
        return (first or b"") + file.read(largest + 1)


#: What came through pipes.
_pipes: dict[str, bytes] = {}


def read_rows(path: Path | str) -> list[list[str]]:
    """Return a delimited file's rows of stripped cells, at least one, the first not blank.

    Tabs delimit where the first line has any, else commas, else semicolons. Blank lines at the end are dropped,
    so row n of the result is line n of a file without quoted line breaks. Where commas do not delimit they may be
    decimal, see `with_decimal_points`.

    Raises:
        InputError: where `read_text` does, and on a file that is no table.
    """
    text = read_text(path)
    first = text.split("\n", 1)[0]
    delimiter = next((mark for mark in "\t,;" if mark in first), ",")
    try:
        # Strict, or a quote that is never closed would swallow all lines after it.
        found = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
        rows = [[cell.strip() for cell in row] for row in found]
    except csv.Error as error:
        raise InputError(f"{path}: cannot be read as a table ({error})") from None
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows:
        raise InputError(f"{path}: the file has no values")
    if not any(rows[0]):
        raise InputError(f"{path}, row 1: the line is blank")
    return rows if delimiter == "," else with_decimal_points(rows)


def with_decimal_points(rows: list[list[str]]) -> list[list[str]]:
    """Return rows with points for decimal commas, where they can be nothing else.

    No number of the table has a point, and at least one comma does not part thousands as in 1,234.

    Examples:
        >>> with_decimal_points([["G1", "G2"], ["0,5", "1,234"]])
        [['G1', 'G2'], ['0.5', '1.234']]
        >>> with_decimal_points([["G1", "G2"], ["2,500", "1,234"]])
        [['G1', 'G2'], ['2,500', '1,234']]
    """
    cells = {cell for row in rows for cell in row if "," in cell and _DECIMAL_COMMA.fullmatch(cell)}
    if all(_THOUSANDS.fullmatch(cell) for cell in cells):
        return rows
    if any("." in cell and parse_number(cell) is not None for row in rows for cell in row):
        return rows
    return [[cell.replace(",", ".") if cell in cells else cell for cell in row] for row in rows]


def parse_number(cell: str) -> float | None:
    """Return a cell's number; NaN where it is blank or says NA; None where it is something else."""
    if cell == "" or cell.lower() in ("na", "nan"):
        return float("nan")
    # Python also reads 1_000 and the digits of other scripts; no table means them.
    if "_" in cell or not cell.isascii():
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def parse_numbers(cells: Sequence[str], where: str, columns: Sequence[str] | None = None) -> np.ndarray:
    """Parse one row of numbers; blank cells become NaN.

    Raises:
        InputError: on a cell that is no number or infinite, naming its column.
    """
    values = plain_numbers(cells)
    if values is not None:
        return values
    values = np.empty(len(cells))
    for number, cell in enumerate(cells):
        value = parse_number(cell)
        if value is None or np.isinf(value):
            column = short(columns[number]) if columns else str(number + 1)
            raise InputError(f"{where}, column {column}: expected a number, found '{short(cell)}'")
        values[number] = value
    return values


def plain_numbers(cells: Sequence[str]) -> np.ndarray | None:
    """Return one row of numbers as `parse_number` reads them, all cells at once; None where any needs a closer look."""
    text = "".join(cells)
    if not text.isascii() or "_" in text:
        return None
    try:
        values = np.array([float(cell) if cell else _NAN for cell in cells])
    except ValueError:
        return None
    return None if np.isinf(values).any() else values


def refuse_missing(values: np.ndarray, where: str, columns: Sequence[str] | None = None) -> np.ndarray:
    """Return one row of numbers, none of which may be missing.

    Raises:
        InputError: on NaN, naming its column.
    """
    if np.isnan(values).any():
        at = int(np.argmax(np.isnan(values)))
        raise InputError(f"{where}, column {short(columns[at]) if columns else at + 1}: the value is missing (NaN)")
    return values


def parse_present(cell: str, where: str, column: str) -> float:
    """Return one cell's number, which may not be missing.

    Raises:
        InputError: on a cell that is blank, no number or infinite, naming its column.
    """
    return float(refuse_missing(parse_numbers([cell], where, [column]), where, [column])[0])


def refuse_width(row: Sequence[str], width: int, where: str, against: str = "the header") -> None:
    """Refuse a row that has not as many cells as another.

    Raises:
        InputError: which says both numbers.
    """
    if len(row) != width:
        raise InputError(f"{where}: {len(row)} columns, {against} has {width}")


def refuse_no_file(path: Path | str) -> None:
    """Refuse what is absent, and what is there but no file that could be read in any order.

    Raises:
        InputError: naming it.
    """
    try:
        kind = Path(path).stat().st_mode
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise InputError(f"{path}: {'no such file' if missing else f'cannot be read ({error.strerror})'}") from None
    if not stat.S_ISREG(kind):
        raise InputError(f"{path}: not a regular file")


def refuse_repeated_columns(header: Sequence[str], path: Path | str) -> None:
    """Refuse a header in which a name, whatever its case, stands twice: which column is meant?

    Raises:
        InputError: naming the column.
    """
    refuse_repeats([name.lower() for name in header if name], f"{path}, row 1", "column")


def refuse_repeats(names: Sequence[str], path: Path | str, what: str = "gene") -> None:
    """Refuse names that are blank or stand twice.

    Raises:
        InputError: naming the first such name.
    """
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        if not name:
            raise InputError(f"{path}: {what} {number} has no name")
        if name in seen:
            raise InputError(f"{path}: {what} '{short(name)}' appears twice")
        seen.add(name)


def short(name: str) -> str:
    """Return a name as a message shows it: damaged files have names of any length."""
    return name if len(name) <= 40 else name[:37] + "…"


def named_columns(rows: list[list[str]]) -> list[str]:
    """Return the header of a table of at least two rows, without the name of the first column, which holds names.

    R writes a header one field short: it has no name for the column of names.
    """
    return rows[0] if len(rows[0]) == len(rows[1]) - 1 else rows[0][1:]


def read_levels(path: Path | str, what: str) -> tuple[list[str], list[str], np.ndarray]:
    """Return the names of columns and genes, and the levels (gene, column), of a table with a row per gene.

    Args:
        path: the file, CSV or TSV.
        what: a column is, for messages.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    rows = read_rows(path)
    if len(rows) < 2:
        raise InputError(f"{path}: no genes below the header")
    columns = named_columns(rows)
    refuse_repeats(columns, path, what)
    genes = [row[0] if row else "" for row in rows[1:]]
    refuse_repeats(genes, path)
    levels = np.empty((len(genes), len(columns)))
    for number, row in enumerate(rows[1:], start=2):
        refuse_width(row[1:], len(columns), f"{path}, row {number}")
        levels[number - 2] = parse_numbers(row[1:], f"{path}, row {number}", columns)
    return columns, genes, levels


def find_column(header: Sequence[str], names: Sequence[str]) -> int | None:
    """Return the place of the first of some names in a header, whatever its case; None where it has none of them."""
    lower = [cell.lower() for cell in header]
    return next((lower.index(name) for name in names if name in lower), None)


def write_table(path: Path | str, table: pd.DataFrame) -> None:
    """Write a frame by the file's name as TSV, CSV or Parquet.

    `read_edges` reads back the same values of an edge list.
    """
    write_frame(path, table, "," if Path(path).suffix.lower() == ".csv" else "\t")
