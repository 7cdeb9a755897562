"""Running chunks on this machine: one thread per device, or per core of a CPU."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator, Sequence

import jax

from dashjax.sweep.events import Advanced, Event, Finished
from dashjax.sweep.grid import Cell
from dashjax.sweep.plan import Chunk, check_memory, chunk_size, free_memory, largest_run
from dashjax.sweep.program import Programs
from dashjax.sweep.study import Study


class LocalExecutor:
    """This process's devices: one lane each, or one per core of a CPU that is one device to JAX.

    Args:
        study: what the runs share.
        cells: all runs of the sweep, finished or not.
        workers: lanes of a single device; the number of cores on a CPU, otherwise 1.
        chunk: runs per batch; 1 on a CPU, as many as memory holds on an accelerator.

    Raises:
        InputError: where so many runs at a time cannot fit into memory.
    """

    def __init__(self, study: Study, cells: Sequence[Cell], workers: int | None, chunk: int | None):
        devices = jax.local_devices()
        on_cpu, free = devices[0].platform == "cpu", free_memory(devices[0])
        each = largest_run(study, cells)
        #: Runs per chunk.
        self.size = chunk or (1 if on_cpu else chunk_size(each, len(cells), len(devices), free))
        programs = [Programs(study, device, batched=self.size > 1) for device in devices]
        if len(devices) == 1:
            # All lanes of one device share its programs.
            programs *= workers or (usable_cores() if on_cpu else 1)
        self._lanes = programs
        check_memory(each, self.size, len(programs) if on_cpu else 1, free, "--chunk" if chunk else "memory")

    def run(self, chunks: Sequence[Chunk]) -> Iterator[Event]:
        """Run chunks and report; see `run_in_threads`."""
        return run_in_threads(chunks, self._lanes)

    @property
    def compilations(self) -> int:
        """Programs compiled so far."""
        return sum(programs.compilations for programs in set(self._lanes))

    @property
    def compile_seconds(self) -> float:
        """Seconds spent on that."""
        return sum(programs.compile_seconds for programs in set(self._lanes))


def run_in_threads(chunks: Sequence[Chunk], lanes: Sequence[Programs]) -> Iterator[Event]:
    """Let every lane take the next chunk until none is left.

    Closing the iterator stops the lanes after their current call.
    """
    waiting: queue.SimpleQueue = queue.SimpleQueue()
    for chunk in chunks:
        waiting.put(chunk)
    events: queue.SimpleQueue = queue.SimpleQueue()
    stop = threading.Event()

    def work(programs: Programs) -> None:
        try:
            while not stop.is_set():
                try:
                    chunk = waiting.get_nowait()
                except queue.Empty:
                    break
                began = time.monotonic()
                outcome = programs.run(
                    chunk, lambda epochs, c=chunk: events.put(Advanced(epochs * len(c.cells))), stop.is_set
                )
                if outcome is not None:
                    events.put(Finished(chunk, outcome, time.monotonic() - began))
        except BaseException as error:  # handed to the caller's thread, which raises it
            events.put(error)
        finally:
            events.put(None)

    threads = [threading.Thread(target=work, args=(lane,), daemon=True) for lane in lanes[: len(chunks)]]
    for thread in threads:
        thread.start()
    running = len(threads)
    try:
        while running:
            event = events.get()
            if isinstance(event, BaseException):
                raise event
            if event is None:
                running -= 1
            else:
                yield event
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
