"""Running chunks on this machine: one thread per device, or per core of a CPU."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator, Sequence

import jax

from dashjax.sweep.events import Advanced, Event, Finished
from dashjax.sweep.plan import Chunk
from dashjax.sweep.program import Programs
from dashjax.sweep.study import Study


def make_lanes(study: Study, devices: Sequence[jax.Device], workers: int | None, batched: bool) -> list[Programs]:
    """Return what works at the same time: one set of programs per device.

    A CPU that is one device to JAX still has cores: each gets a lane, all sharing one set of programs.
    """
    programs = [Programs(study, device, batched) for device in devices]
    if len(devices) > 1:
        return programs
    share = usable_cores() if devices[0].platform == "cpu" else 1
    return programs * (workers or share)


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
