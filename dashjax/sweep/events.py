"""What an executor reports while it works; the sweep only listens."""

from __future__ import annotations

from typing import NamedTuple

from dashjax.sweep.plan import Chunk
from dashjax.sweep.program import Outcome


class Advanced(NamedTuple):
    """Some runs have trained on.

    Attributes:
        run_epochs: epochs times runs since the last such event.
    """

    run_epochs: int


class Finished(NamedTuple):
    """A chunk is done.

    Attributes:
        chunk: its runs.
        outcome: numpy arrays with a leading run axis.
        seconds: it took.
    """

    chunk: Chunk
    outcome: Outcome
    seconds: float


Event = Advanced | Finished
