"""Watching a sweep from outside, by the files it writes."""

from __future__ import annotations

import json
import time
from pathlib import Path

from dashjax.engine import read_manifest
from dashjax.engine.store import read_chunk
from dashjax.errors import InputError
from dashjax.io.sealed import read_json

#: Runs that the rate is taken from.
RECENT = 50


def describe_status(folder: Path | str) -> list[str]:
    """Return lines that say how far a sweep is, without touching its files.

    Raises:
        InputError: where the folder is no results folder.
    """
    folder = Path(folder)
    read_manifest(folder)
    cells = _planned(folder)
    finished: dict[str, str] = {}
    damaged = 0
    for path in (folder / "chunks").glob("*.npz"):
        try:
            rows = read_chunk(path)[1]
        except Exception:  # damaged in whatever way: the next sweep repeats it
            damaged += 1
            continue
        finished |= {row["id"]: row.get("status", "") for row in rows if row["id"] in cells}
    lines = []
    for method in dict.fromkeys(cells.values()):
        mine = [identity for identity, name in cells.items() if name == method]
        done = [finished[identity] for identity in mine if identity in finished]
        lost = f", {done.count('diverged')} diverged" if "diverged" in done else ""
        lines.append(f"{method}: {len(done)}/{len(mine)} runs{lost}")
    lines.append(f"all: {len(finished)}/{len(cells)} runs" + (f", {damaged} damaged chunks" if damaged else ""))
    times = _recent_runs(folder / "events.jsonl")
    if len(times) > 1 and len(finished) < len(cells):
        rate = (len(times) - 1) / max(times[-1] - times[0], 1e-9) * 60
        left = (len(cells) - len(finished)) / rate
        age = time.time() - times[-1]
        lines.append(f"{rate:.1f} runs/min lately, about {left:.0f} min left; last run finished {age:.0f} s ago")
    return lines


def _planned(folder: Path) -> dict[str, str]:
    """Return the method of every cell of the latest grid, by identity."""
    try:
        return read_json(folder / "cells.json")["methods"]
    except FileNotFoundError:
        raise InputError(f"{folder}: not a results folder (it has no cells.json)") from None


def _recent_runs(log: Path) -> list[float]:
    """Return when the last `RECENT` runs since the latest start finished."""
    times: list[float] = []
    if log.exists():
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                event = json.loads(line)
                kind, when = event["event"], float(event["time"])
            except (ValueError, KeyError, TypeError, RecursionError):  # a line cut short by a kill
                continue
            times = [] if kind == "start" else [*times[1 - RECENT :], when] if kind == "run" else times
    return times
