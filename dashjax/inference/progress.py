"""Showing how far a call is, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dashjax.engine import OnProgress, Progress

#: Seconds between two lines where output is not a terminal.
QUIET = 60.0


@contextmanager
def show_progress(what: str) -> Iterator[OnProgress]:
    """Show progress: one line that is written over on a terminal or in a notebook, a line a minute elsewhere."""
    live = sys.stderr.isatty() or "ipykernel" in sys.modules
    last, began, width = [time.monotonic()], time.monotonic(), [0]

    def show(progress: Progress) -> None:
        now = time.monotonic()
        if not live and now - last[0] < QUIET:
            return
        last[0] = now
        text = f"{what}: {progress_text(progress)}, {now - began:.0f} s"
        if live:
            print("\r" + text.ljust(width[0]), end="", file=sys.stderr, flush=True)
            width[0] = len(text)
        else:
            print(text, file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        if live and width[0]:
            print("\r" + " " * width[0] + "\r", end="", file=sys.stderr, flush=True)


def progress_text(progress: Progress) -> str:
    """Return what is being done, how far it is and how long the rest will take, in a few words."""
    if progress.trained < progress.epochs:
        stage = f" ({progress.stage})" if progress.stage else ""
        text = f"training, {progress.trained:,} of {progress.epochs:,} epochs{stage}"
    else:
        text = f"weighing the evidence, {progress.weighed:,} of {progress.pieces:,} parts"
    return ", ".join(filter(None, [text, progress.left]))
