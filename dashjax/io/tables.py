"""Reading delimited text so that every complaint can name its file, row and column."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from dashjax.errors import InputError


def read_text(path: Path | str) -> str:
    """Return a file's text (UTF-8, byte-order mark removed).

    Raises:
        InputError: where the file is missing, unreadable, empty or not text.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if not text.strip():
        raise InputError(f"{path}: the file is empty")
    if "\0" in text:
        raise InputError(f"{path}: not a text file (it contains NUL)")
    return text


def read_rows(path: Path | str) -> list[list[str]]:
    """Return a delimited file's rows of stripped cells; tabs where the first line has any, else commas.

    Blank lines at the end are dropped, so row n of the result is line n of a file without quoted
    line breaks.
    """
    text = read_text(path)
    delimiter = "\t" if "\t" in text.split("\n", 1)[0] else ","
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    except csv.Error as error:
        raise InputError(f"{path}: cannot be read as a table ({error})") from None
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def parse_number(cell: str) -> float | None:
    """Return a cell's number; NaN where it is blank or says NA; None where it is something else."""
    if cell == "" or cell.lower() in ("na", "nan"):
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        return None


def parse_numbers(cells: list[str], where: str, columns: list[str] | None = None) -> np.ndarray:
    """Parse one row of numbers; blank cells become NaN.

    Raises:
        InputError: on a cell that is no number or infinite, naming its column.
    """
    values = np.empty(len(cells))
    for number, cell in enumerate(cells):
        value = parse_number(cell)
        if value is None or np.isinf(value):
            column = columns[number] if columns else str(number + 1)
            raise InputError(f"{where}, column {column}: expected a number, found '{cell[:40]}'")
        values[number] = value
    return values


def make_folder(path: Path) -> None:
    """Make an output folder with its parents.

    Raises:
        InputError: where it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
