"""How far work is, and how long the rest will take by what the finished part took."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Progress:
    """How far the work is.

    Attributes:
        runs: networks to find now (finished ones of an earlier call are not counted).
        epochs: run-epochs to do now.
        skipped: networks found finished in the store.
        pieces: what is to be done beside training: members to judge and weigh, rivals to ask, edges to estimate.
        finished: of the networks, done.
        trained: of the run-epochs, done.
        weighed: of the pieces, done.
        diverged: networks of runs that ended without a finite error.
        stage: what was done last.
        started: when the work began.
    """

    runs: int
    epochs: int
    skipped: int
    pieces: int = 0
    finished: int = 0
    trained: int = 0
    weighed: int = 0
    diverged: int = 0
    stage: str = ""
    started: float = field(default_factory=lambda: time.monotonic())
    _training: float = 0.0
    _weighing: float = 0.0
    _heard: float | None = None

    @property
    def seconds(self) -> float:
        """Return the seconds since the work began."""
        return time.monotonic() - self.started

    @property
    def done(self) -> tuple[int, int]:
        """Return how much of the present stage is done, and of how much."""
        return (self.trained, self.epochs) if self.trained < self.epochs else (self.weighed, self.pieces)

    def advance(self, epochs: int, seconds: float) -> None:
        """Count epochs that took a lane so long."""
        self.trained += epochs
        self._training += seconds
        self._heard = time.monotonic()

    def weigh(self, pieces: int, seconds: float) -> None:
        """Count pieces that took a lane so long."""
        self.weighed += pieces
        self._weighing += seconds
        self._heard = time.monotonic()

    @property
    def left(self) -> str:
        """Say how long the rest will take; nothing before any of it is done.

        Lanes work side by side: as many as have done, on average, the work so far. Where nothing has been weighed yet,
        only training can be told.
        """
        if self._heard is None:
            return ""
        lanes = max(1.0, (self._training + self._weighing) / max(self._heard - self.started, 1e-9))
        since = time.monotonic() - self._heard
        training = _rest(self._training, self.trained, self.epochs)
        weighing = _rest(self._weighing, self.weighed, self.pieces)
        if training is None:
            return ""
        if weighing is None:
            return f"{time_left(training / lanes - since)} of training" if training else ""
        return time_left((training + weighing) / lanes - since) if training or weighing else ""


OnProgress = Callable[[Progress], None]


def _rest(seconds: float, done: int, total: int) -> float | None:
    """Return the lane-seconds of what is left; None where nothing is done that would tell."""
    if done >= total:
        return 0.0
    return seconds / done * (total - done) if done else None


def time_left(seconds: float) -> str:
    """Say in round words how long something will take.

    Examples:
        >>> time_left(8), time_left(100), time_left(5000), time_left(1e5)
        ('about 10 s left', 'about 2 min left', 'about 1.4 h left', 'about 28 h left')
    """
    if seconds < 90:
        return f"about {max(1, round(seconds, -1 if seconds >= 5 else 0)):.0f} s left"
    if seconds < 5400 * 0.9:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds / 3600:{'.1f' if seconds < 36000 else '.0f'}} h left"
