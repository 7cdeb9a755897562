"""Whether a result made again is the same to the bit: what its record asks for, and what its files hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dashjax.errors import InputError
from dashjax.io.provenance import describe_input
from dashjax.io.result_folder import read_record, refuse_changed
from dashjax.io.sealed import Damaged, read_arrays, read_sealed

#: Columns and keys that a run's time, memory or machine writes, and no result.
_NO_RESULT = ("seconds", "peak_memory_mib", "provenance", "versions", "chunk")


def refuse_other_inputs(run: Mapping[str, Any], source: Path) -> None:
    """Refuse to repeat a run whose files are not what they were.

    Args:
        run: its record.
        source: the folder that it stands in, for messages.

    Raises:
        InputError: naming the first file that is gone, has changed, or was none.
    """
    for entry in run["inputs"]:
        path = Path(run["folder"]) / entry["path"]
        if entry["sha256"] is None:
            raise InputError(f"{source}: cannot be made again, for {entry['path']} was no file and was read once")
        if not path.is_file():
            raise InputError(f"{path}: is gone, so {source} cannot be made again")
        (now,) = describe_input(path)
        if now["sha256"] != entry["sha256"]:
            raise InputError(
                f"{path}: changed since {source} was made from it (SHA-256 {entry['sha256'][:12]}… then, "
                f"{now['sha256'][:12]}… now)"
            )


def other_circumstances(run: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what is not as it was when a run was made: versions, platform, commit, variables.

    Args:
        run: its record.
        now: of `describe_call`.
    """
    lines = []
    for name in ("packages", "platform", "environment"):
        then, today = run.get(name, {}), now[name]
        for part in dict.fromkeys([*then, *today]):
            if then.get(part) != today.get(part):
                lines.append(f"{part}: {then.get(part, 'none')} then, {today.get(part, 'none')} now")
    if run.get("commit") != now["commit"]:
        lines.append(f"commit: {run.get('commit') or 'unknown'} then, {now['commit'] or 'unknown'} now")
    return lines


def compare_results(before: Path, after: Path, kinds: Sequence[str]) -> tuple[list[str], list[str]]:
    """Compare the tables and models of two folders, bit by bit; pictures, pages and texts are made of these.

    Args:
        before: a results folder.
        after: the one made again.
        kinds: results to compare.

    Returns:
        Names of the files that are equal, and a line for each that is not.

    Raises:
        InputError: where a file of the first has changed since it was written.
    """
    records = [read_record(folder) for folder in (before, after)]
    names = [{name for kind in kinds for name in record.get(kind, {}).get("files", {})} for record in records]
    return compare_files({name: (before / name, after / name) for name in sorted(set.union(*names))})


def compare_files(pairs: Mapping[str, tuple[Path, Path]]) -> tuple[list[str], list[str]]:
    """Compare tables and models by name, the one that was there and the one made again; see `compare_results`."""
    equal: list[str] = []
    different: list[str] = []
    for name, (before, after) in pairs.items():
        if Path(name).suffix not in _READERS:
            continue
        absent = [path for path in (before, after) if not path.is_file()]
        if absent:
            different.append(f"{name}: absent in {absent[0].parent}")
            continue
        refuse_changed(before)
        found = _difference(before, after)
        equal, different = (equal, [*different, f"{name}: {found}"]) if found else ([*equal, name], different)
    return equal, different


def _difference(one: Path, other: Path) -> str:
    """Say where two files differ; nothing where they do not."""
    if one.read_bytes() == other.read_bytes():
        return ""
    first, second = (_READERS[one.suffix](path) for path in (one, other))
    for name in dict.fromkeys([*first, *second]):
        if name not in first or name not in second:
            return f"{name} is in one of them alone"
        if first[name] != second[name]:
            return f"{name} differs"
    return ""


def _lines(path: Path) -> dict[str, Any]:
    return {f"line {number}": line for number, line in enumerate(path.read_bytes().splitlines(), start=1)}


def _arrays(path: Path) -> dict[str, Any]:
    """Return arrays as bytes; of a network's header all but how it was made, which names files as they were typed."""
    try:
        arrays = read_arrays(read_sealed(path))
    except (Damaged, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be compared ({error})") from None
    found: dict[str, Any] = {}
    if "header" in arrays:
        header = json.loads(str(arrays.pop("header")))
        found |= {name: part for name, part in header.items() if name != "provenance"}
    return found | {f"array {name}": _bits(array) for name, array in arrays.items()}


def _bits(array: np.ndarray) -> tuple:
    return array.shape, array.dtype.str, array.tobytes()


def _columns(path: Path) -> dict[str, Any]:
    import pandas as pd

    table = pd.read_parquet(path)
    return {f"column {name}": _column(table[name]) for name in table.columns if name not in _NO_RESULT}


def _column(column) -> Any:
    values = column.to_numpy()
    return _bits(values) if values.dtype.kind in "fbiu" else column.astype(str).tolist()


def _keys(path: Path) -> dict[str, Any]:
    return {name: json.dumps(_results(part)) for name, part in json.loads(path.read_text(encoding="utf-8")).items()
            if name not in _NO_RESULT}  # fmt: skip


def _results(value: Any) -> Any:
    """Return a value of JSON without what is no result."""
    if isinstance(value, Mapping):
        return {name: _results(part) for name, part in value.items() if name not in _NO_RESULT}
    return [_results(part) for part in value] if isinstance(value, list) else value


_READERS = {".tsv": _lines, ".csv": _lines, ".npz": _arrays, ".parquet": _columns, ".json": _keys}
