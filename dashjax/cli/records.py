"""Commands about how results were made: show the record, and make a result again."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from dashjax.cli.terminal import console, print_lines
from dashjax.errors import InputError


def show(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="Results folder, or a saved network (model.npz).")],
) -> None:
    """Show how a result was made: command, settings, files with checksums, versions, platform, times and remarks."""
    from dashjax.io.provenance import describe_run

    for kind, runs in _runs_of(source).items():
        for number, run in enumerate(runs, start=1):
            title = f"{source}: {kind}" + (f", run {number} of {len(runs)}" if len(runs) > 1 else "")
            console.print(Text(title, style="bold"), soft_wrap=True)
            table = Table.grid(padding=(0, 2))
            for name, value in describe_run(run):
                table.add_row(Text(name, style="dim"), Text(value, overflow="fold"))
            console.print(table)


def rerun(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="Results folder, or a saved network (model.npz).")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for what is made again; a temporary one by default.")
    ] = None,
) -> None:
    """Make a result again, and say whether it is equal to the bit (exit code 1 where it is not)."""
    from dashjax.io.provenance import describe_call
    from dashjax.io.repeated import compare_files, compare_results, other_circumstances, refuse_other_inputs

    kinds = _runs_of(source)
    calls: list[dict] = []
    for runs in kinds.values():
        for run in runs:
            run = {"command": [], "folder": str(Path.cwd()), **run}
            refuse_other_inputs(run, source)
            if _what(run) not in map(_what, calls):
                calls.append(run)
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError("is not empty; choose a new folder", "out")
    with tempfile.TemporaryDirectory(prefix="dashjax-") as temporary:
        place = Path(temporary) / "again" if out is None else out.absolute()
        for run in calls:
            _do_again(run, place, source)
        # What job arrays left is put together by a call of its own.
        if any("--shard" in run["command"] for run in calls):
            _dashjax(["report", str(place)], Path.cwd(), source)
        if source.is_dir():
            equal, different = compare_results(source, place, list(kinds))
        else:
            equal, different = compare_files({source.name: (source, place / "model.npz")})
        lines = [f"differs: {line}" for line in different]
        if different:
            lines += [f"not as it was: {line}" for line in other_circumstances(calls[-1], describe_call("", {}))]
        if equal:
            lines.append(f"equal to the bit: {', '.join(equal)}")
        if not equal and not different:
            raise InputError(f"{source}: holds no table or model to compare; was the command interrupted?")
        print_lines([*lines, *([] if out is None else [f"made again: {out}"])])
    if different:
        raise typer.Exit(1)


def _runs_of(source: Path) -> dict[str, list]:
    from dashjax.io.provenance import read_runs
    from dashjax.networks import load_network
    from dashjax.networks.network_file import FILE

    runs = read_runs(source) if source.is_dir() else {}
    if not runs and (source.is_file() or (source / FILE).is_file()):
        if told := dict(load_network(source).provenance):
            return {"network": [told]}
        raise InputError(f"{source}: the network was saved without a record of how it was made")
    if not runs:
        raise InputError(f"{source}: no record of how it was made (no run.json)")
    return runs


def _what(run: dict) -> tuple:
    """Return what tells two runs apart that have to be made again."""
    return run["command"], run["call"], run["settings"]


def _do_again(run: dict, place: Path, source: Path) -> None:
    """Do what a record says, in the folder where it was done, with its results in another place."""
    words = list(run["command"])
    at = words.index("--") if "--" in words else len(words)
    folder = Path(run["folder"])
    if not folder.is_dir():
        raise InputError(f"{folder}: is gone, where {source} was made")
    if words:
        _dashjax([*words[:at], "--out", str(place), *words[at:]], folder, source)
    else:
        _call_again(run, folder, place, source)


def _call_again(run: dict, folder: Path, place: Path, source: Path) -> None:
    """Make a call from Python again, and write its network.

    Raises:
        InputError: where it was another function's, or was given what no record holds.
    """
    from dashjax.inference import infer_network
    from dashjax.report import write_network

    call, settings = run["call"], dict(run["settings"])
    if call != "dashjax.infer_network":
        raise InputError(f"{source}: cannot be made again by itself ({call} is not recorded whole); its folder may be")
    if lost := run.get("in_memory", ["expression"]):
        told = ", ".join(f"{name} ({settings[name]})" for name in lost)
        raise InputError(f"{source}: cannot be made again, for these were given to {call} in memory: {told}")
    # Finished runs of then would be found again, and not made.
    settings.pop("folder", None)
    if "trust" in settings:
        settings["trust"] = tuple(settings["trust"])
    with contextlib.chdir(folder):
        network = infer_network(**settings)
    write_network(place, network)


def _dashjax(words: list[str], folder: Path, source: Path) -> None:
    """Run a command in a process of its own, with this very package.

    Raises:
        InputError: where it fails.
    """
    package = str(Path(__file__).parents[2])
    paths = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-P", "-m", "dashjax", *words]
    done = subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, errors="replace")  # fmt: skip
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1].removeprefix("dashjax: ")
        raise InputError(f"{source}: could not be made again ({reason})")
