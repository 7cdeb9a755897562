"""Doing chunks on this machine: one thread per device, or per core of a CPU."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import jax

from dashjax.engine.cell import AnyCell
from dashjax.engine.plan import check_memory, chunk_size, free_memory, largest_run
from dashjax.engine.program import Programs
from dashjax.engine.work import Arrays, Chunk


class Advanced(NamedTuple):
    """Some runs have trained on, or nothing has happened for a while.

    Attributes:
        epochs: epochs times runs since the last such event.
        seconds: they took a lane.
    """

    epochs: int
    seconds: float = 0.0


class Finished(NamedTuple):
    """A chunk is done.

    Attributes:
        chunk: its items.
        found: per item, arrays by name.
        seconds: it took.
    """

    chunk: Chunk
    found: list[Arrays]
    seconds: float


Event = Advanced | Finished
#: Seconds until it is said that nothing has happened, so that whoever waits sees the time pass.
WAIT = 1.0


@dataclass
class LocalExecutor:
    """This process's devices: one lane each, or one per core of a CPU that is one device to JAX.

    Lanes take chunks in the order they are submitted. While one works, another compiles what is known to come.

    Args:
        lanes: what each lane runs; lanes of one device share it.
        size: items per chunk.
    """

    lanes: Sequence[Programs]
    size: int
    _waiting: list[Chunk] = field(default_factory=list)
    _coming: list[Chunk] = field(default_factory=list)
    _working: int = 0
    _events: queue.SimpleQueue = field(default_factory=queue.SimpleQueue)
    _threads: list[threading.Thread] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def compilations(self) -> int:
        """Programs compiled so far."""
        return sum(programs.compilations for programs in set(self.lanes))

    @property
    def compile_seconds(self) -> float:
        """Seconds spent on that."""
        return sum(programs.compile_seconds for programs in set(self.lanes))

    @property
    def busy(self) -> bool:
        """Whether anything is being done or waits for it."""
        with self._changed:
            return bool(self._waiting or self._working)

    def submit(self, chunk: Chunk) -> None:
        """Add a chunk, and a lane where fewer run than there may be."""
        with self._changed:
            self._waiting.append(chunk)
            self._changed.notify()
        if len(self._threads) < len(self.lanes):
            lane = threading.Thread(target=self._work, args=(self.lanes[len(self._threads)],), daemon=True)
            self._threads.append(lane)
            lane.start()

    def expect(self, chunk: Chunk) -> None:
        """Say what will have to be judged or weighed later, for lanes that have nothing else to do."""
        with self._changed:
            self._coming.append(chunk)
            self._changed.notify()

    def next(self) -> Event:
        """Wait for the next thing that happens, and raise here what a lane raised."""
        try:
            event = self._events.get(timeout=WAIT)
        except queue.Empty:
            return Advanced(0)
        if isinstance(event, BaseException):
            raise event
        return event

    def close(self) -> None:
        """Stop the lanes after their current call."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self, programs: Programs) -> None:
        try:
            while (task := self._take()) is not None:
                chunk, wanted = task
                if not wanted:
                    programs.prepare(chunk)
                    continue
                began = time.monotonic()
                found = programs.run(chunk, self._teller(), self._stopped.is_set)
                with self._changed:
                    self._working -= 1
                if found is not None:
                    self._events.put(Finished(chunk, found, time.monotonic() - began))
        except BaseException as error:  # handed to the caller's thread, which raises it
            self._events.put(error)

    def _teller(self) -> Callable[[int], None]:
        """Return what tells of epochs, and how long they took."""
        last = time.monotonic()

        def tell(epochs: int) -> None:
            nonlocal last
            before, last = last, time.monotonic()
            self._events.put(Advanced(epochs, last - before))

        return tell

    def _take(self) -> tuple[Chunk, bool] | None:
        """Return the next chunk and whether to run it, or else only to compile it; None at the end."""
        with self._changed:
            while not self._stopped.is_set():
                # What is to come is compiled beside what is being done, so that nobody waits for it.
                if self._coming and (self._working or not self._waiting):
                    return self._coming.pop(0), False
                if self._waiting:
                    self._working += 1
                    return self._waiting.pop(0), True
                self._changed.wait()
        return None


def local_executor(
    cells: Sequence[AnyCell], workers: int | None = None, chunk: int | None = None, kept: bool = False
) -> LocalExecutor:
    """Return an executor on this process's devices.

    Args:
        cells: all that there is to do, finished or not.
        workers: lanes of a single device; the number of cores on a CPU, otherwise 1.
        chunk: runs per batch; 1 on a CPU, as many as memory holds on an accelerator.
        kept: whether this process keeps the programs, so that a second call of the same shapes finds them compiled.

    Raises:
        InputError: where so many runs at a time cannot fit into memory.
    """
    devices = jax.local_devices()
    on_cpu, free = devices[0].platform == "cpu", free_memory(devices[0])
    each, count = largest_run(cells), sum(cell.runs for cell in cells)
    size = chunk or (1 if on_cpu else chunk_size(each, count, len(devices), free))
    genes = max((len(cell.problem.genes) for cell in cells), default=0)
    lanes = [_programs(device, size > 1, kept, kept and count <= FEW_RUNS and genes <= FEW_GENES) for device in devices]
    if len(devices) == 1:
        # All lanes of one device share its programs.
        lanes *= workers or (usable_cores() if on_cpu else 1)
    check_memory(each, size, len(lanes) if on_cpu else 1, free, "chunk" if chunk else "memory")
    return LocalExecutor(lanes, size)


#: Runs and genes up to which programs are compiled quickly rather than well.
FEW_RUNS, FEW_GENES = 16, 30

_kept: dict[tuple, Programs] = {}


def _programs(device: jax.Device, batched: bool, kept: bool, quick: bool) -> Programs:
    if not kept:
        return Programs(device, batched)
    key = (device, batched, quick)
    if key not in _kept:
        _kept[key] = Programs(device, batched, quick)
    return _kept[key]


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
