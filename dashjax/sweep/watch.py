"""Watching a sweep from outside, by the files it writes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pandas as pd

from dashjax.engine import read_manifest
from dashjax.errors import InputError

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
    for path in (folder / "chunks").glob("*.parquet"):
        try:
            rows = pd.read_parquet(path)
            rows = rows[["id", "status"]] if "status" in rows else rows[["id"]].assign(status="")
        except Exception:  # damaged in whatever way: the next sweep repeats it
            damaged += 1
            continue
        finished |= {identity: status for identity, status in rows.itertuples(index=False) if identity in cells}
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
    path = folder / "cells.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(identity): str(method) for identity, method in found.items()}
    except FileNotFoundError:
        raise InputError(f"{folder}: not a results folder (it has no cells.json)") from None
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: damaged ({error})") from None


def _recent_runs(log: Path) -> list[float]:
    """Return when the last `RECENT` runs since the latest start finished."""
    times: list[float] = []
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines():
            try:
                event = json.loads(line)
            except ValueError:  # a line cut short by a kill
                continue
            if event.get("event") == "start":
                times = []
            elif event.get("event") == "run":
                times.append(event["time"])
    return times[-RECENT:]
