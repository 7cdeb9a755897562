"""How a result was made: the record that stands beside every result, and that a saved network carries.

What lasts of it (the call, its settings and files, versions and platform) holds no time, so that a network made twice
is twice the same file. Times, folder and remarks stand in `run.json` alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import subprocess
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

from dashjax.errors import InputError
from dashjax.io.sealed import read_json, write_json

#: The record of a folder: by kind of result, the runs that made it, the first first.
RUN = "run.json"
#: Packages whose versions can change numbers or files, and those that are recorded where they are installed.
PACKAGES = ("dashjax", "jax", "jaxlib", "equinox", "diffrax", "optax", "numpy")
_FURTHER = ("pandas", "pyarrow", "matplotlib", "anndata", "scikit-learn", "pysindy", "portia-grn", "ray")
#: Environment variables that can change numbers.
_VARIABLES = ("XLA_FLAGS", "JAX_PLATFORMS", "JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION")
#: What a run in `run.json` must have.
_PARTS = {"id": str, "call": str, "settings": dict, "inputs": list, "started": str, "command": list, "folder": str,
          "packages": dict, "platform": dict, "findings": list}  # fmt: skip
_BLOCK = 2**20


def describe_call(call: str, settings: Mapping[str, Any], paths: Iterable[Path | str] = ()) -> dict[str, Any]:
    """Return what lasts of a record: nothing of it changes from one run of a call to the next on one machine.

    Args:
        call: the command, or the function's full name.
        settings: its options or arguments by name, defaults included.
        paths: files and folders that it reads.

    Returns:
        Plain values: call, settings, names of those that were given in memory and are described at most, inputs (path,
        sha256, bytes), commit, packages, platform and environment.
    """
    return {
        "call": call,
        "settings": {name: plain(value) for name, value in settings.items()},
        "in_memory": [name for name, value in settings.items() if not _is_plain(value)],
        "inputs": [entry for path in paths for entry in describe_input(Path(path))],
        "commit": commit(),
        "packages": {name: installed(name) for name in PACKAGES} | {n: v for n in _FURTHER if (v := installed(n))},
        "platform": describe_platform(),
        "environment": {name: os.environ[name] for name in _VARIABLES if os.environ.get(name)},
    }


def provenance() -> dict[str, str]:
    """Return versions and device, as every page and benchmark records them."""
    told = describe_platform()
    return {
        "device": told["device"],
        "python": told["python"],
        **{name: installed(name) or "unknown" for name in PACKAGES},
        "precision": told["precision"],
    }


def describe_platform() -> dict[str, str]:
    """Return system, processor or accelerator, Python and precision."""
    import jax

    device = jax.devices()[0]
    return {
        "system": platform.platform(),
        "device": f"{device.platform}: {device.device_kind}" if device.platform != "cpu" else cpu_name(),
        "python": platform.python_version(),
        "precision": "float32",
    }


def cpu_name() -> str:
    """Return the processor's name and the cores in use."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":", 1)[1].strip() if lines else name
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"cpu: {name}, {cores} cores"


def installed(name: str) -> str | None:
    """Return a package's version; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@cache
def commit() -> str | None:
    """Return the commit that this package is of, marked where files differ from it; None where nobody knows."""
    package = Path(__file__).parents[1]
    try:
        told = json.loads(distribution("dashjax").read_text("direct_url.json") or "{}")
        if found := told.get("vcs_info", {}).get("commit_id"):
            return str(found)
    except (PackageNotFoundError, ValueError, AttributeError):
        pass
    if not (package.parent / ".git").exists():
        return None
    git = ["git", "-C", str(package.parent), "describe", "--always", "--dirty=, with changes", "--abbrev=40",
           "--exclude=*"]  # fmt: skip
    try:
        return subprocess.run(git, capture_output=True, text=True, timeout=10, check=True).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None


def _is_plain(value: Any) -> bool:
    """Say whether JSON holds a value whole, so that a call can be made again with it."""
    if isinstance(value, Mapping | list | tuple | set):
        return all(map(_is_plain, value.values() if isinstance(value, Mapping) else value))
    scalar = hasattr(value, "item") and getattr(value, "shape", None) == ()
    return value is None or scalar or isinstance(value, bool | int | float | str | os.PathLike)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it; of what it cannot hold, what it is."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(part) for part in value]
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()
    shape = f" {' × '.join(map(str, value.shape))}" if hasattr(value, "shape") else ""
    return f"{type(value).__name__}{shape}"


def describe_input(path: Path) -> list[dict[str, Any]]:
    """Return path, SHA-256 and bytes of a file, of model and edges of a fitted network, or of all files of a folder.

    What is no regular file can be read but once: it has neither checksum nor size. What is absent has no entry.
    """
    if path.is_dir():
        fitted = [path / name for name in ("model.npz", "edges.tsv")]
        below = (part for part in path.rglob("*") if part.is_file())
        files = sorted(part for part in below if not any(p.startswith(".") for p in part.relative_to(path).parts))
        return [entry for part in (fitted if fitted[0].is_file() else files) for entry in describe_input(part)]
    if not path.exists():
        return []
    if not path.is_file():
        return [{"path": str(path), "sha256": None, "bytes": None}]
    found, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
                size += len(block)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    return [{"path": str(path), "sha256": found.hexdigest(), "bytes": size}]


def begin_run(made: Mapping[str, Any], command: Sequence[str] = ()) -> dict[str, Any]:
    """Return the record of a run that begins now.

    Args:
        made: of `describe_call`.
        command: what was typed, after the program's name, without the results folder; nothing of a call from Python.
    """
    return {
        "id": uuid.uuid4().hex,
        "command": list(command),
        "folder": str(Path.cwd()),
        "started": _now(),
        "ended": None,
        "findings": [],
        **made,
    }


def end_run(run: Mapping[str, Any], findings: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the record of a run that has ended now, with what was said of it."""
    return {**run, "ended": _now(), "findings": list(run["findings"] if findings is None else findings)}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_runs(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the runs that a folder's results were made by, by kind, the first first; nothing without a record.

    Raises:
        InputError: where the record is damaged.
    """
    path = folder / RUN
    try:
        found = read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    runs = [run for kind in found.values() for run in (kind if isinstance(kind, list) else [None])]
    if not all(isinstance(run, dict) and all(isinstance(run.get(n), t) for n, t in _PARTS.items()) for run in runs):
        raise InputError(f"{path}: damaged, or of an earlier version (a run lacks a part)")
    return found


def write_runs(folder: Path, runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write a folder's record, or remove it where nothing is left to record."""
    if runs:
        write_json(folder / RUN, runs)
    else:
        (folder / RUN).unlink(missing_ok=True)


def describe_run(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the lines of a record as people read it: what is said, and of what. A saved network's has no times."""
    packages = dict(run["packages"])
    version_, commit_ = packages.pop("dashjax", None), run.get("commit")
    chosen = {name: value for name, value in run["settings"].items() if value not in (None, [], False)}
    lines = [("call", run["call"])]
    if run.get("command"):
        lines += [("command", shlex.join(["dashjax", *run["command"]])), ("in", run["folder"])]
    if "started" in run:
        lines += [("started", run["started"]), ("ended", run["ended"] or "not yet, or it was interrupted")]
    lines += [("dashjax", f"{version_ or 'unknown'}{f', commit {commit_}' if commit_ else ''}")]
    lines += [("settings", ", ".join(f"{name} = {_shown(value)}" for name, value in chosen.items()) or "none")]
    for entry in run["inputs"]:
        size = f"{entry['bytes']:,} bytes, SHA-256 {entry['sha256']}" if entry["sha256"] else "read once, no file"
        lines.append(("input", f"{entry['path']}: {size}"))
    lines += [("platform", ", ".join(run["platform"].values()))]
    if run.get("environment"):
        lines.append(("environment", ", ".join(f"{name}={value}" for name, value in run["environment"].items())))
    lines += [("packages", ", ".join(f"{name} {number}" for name, number in packages.items()))]
    return lines + [("said", line) for line in run.get("findings", ())]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
