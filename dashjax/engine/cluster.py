"""Doing chunks as tasks of a Ray cluster."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from dashjax.data import Problem
from dashjax.engine.cell import AnyCell
from dashjax.engine.local import Event, Finished
from dashjax.engine.plan import chunk_size, largest_run
from dashjax.engine.program import Programs
from dashjax.engine.work import Arrays, Chunk
from dashjax.errors import InputError

#: How often a chunk whose worker or node died is tried again.
RETRIES = 10

#: Programs of this worker process, by batching, so that its next task finds them compiled.
_worker_programs: dict[bool, Programs] = {}


def connect(address: str | None) -> Any:
    """Join a running Ray cluster and return the `ray` module.

    Args:
        address: host:port of the head, or ray://…; None for $RAY_ADDRESS or the cluster on this machine.

    Raises:
        InputError: where Ray is not installed or no cluster answers.
    """
    try:
        import ray
    except ImportError:
        raise InputError("Ray is not installed; pip install 'dashjax[ray]'", "executor") from None
    where = address or os.environ.get("RAY_ADDRESS") or "auto"
    try:
        ray.init(address=where, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True)
    except Exception as error:  # Ray raises several kinds for an address that is malformed, dead or not a cluster
        found = "" if where == "auto" else f" at {where}"
        raise InputError(
            f"no Ray cluster to reach{found} ({error}); start one with `ray start --head` or name its address",
            "executor",
        ) from None
    return ray


class RayExecutor:
    """A Ray cluster: every chunk is a task of one core, or of one GPU where the cluster has any.

    Args:
        cells: all that there is to do, finished or not.
        address: of the cluster; see `connect`.
        chunk: runs per batch; 1 on cores, as many as memory holds on GPUs.

    Raises:
        InputError: where no cluster answers.
    """

    #: Programs are compiled by the workers, who do not report that.
    compilations, compile_seconds = 0, 0.0

    def __init__(self, cells: Sequence[AnyCell], address: str | None, chunk: int | None):
        self._ray = connect(address)
        self._gpus = int(self._ray.cluster_resources().get("GPU", 0) >= 1)
        count = sum(cell.runs for cell in cells)
        #: Items per chunk.
        self.size = chunk or (chunk_size(largest_run(cells), count, 1, None) if self._gpus else 1)
        task = self._ray.remote(num_cpus=1, num_gpus=self._gpus, max_retries=RETRIES)
        self._task = task(_run_chunk)
        self._problems: dict[str, Any] = {}
        self._pending: dict[Any, Chunk] = {}

    @property
    def busy(self) -> bool:
        """Whether anything is being done or waits for it."""
        return bool(self._pending)

    def submit(self, chunk: Chunk) -> None:
        """Submit a chunk as a task; each problem is sent once."""
        sent = [self._send(item.cell.problem) for item in chunk.items]
        bare = Chunk(tuple(replace(item, cell=_without_problem(item.cell)) for item in chunk.items))
        self._pending[self._task.remote(bare, self.size > 1, *sent)] = chunk

    def expect(self, chunk: Chunk) -> None:
        """Do nothing: which worker will do what is not known."""

    def next(self) -> Event:
        """Wait for the next chunk; one whose worker or node dies is tried again elsewhere."""
        ray = self._ray
        try:
            (done, *_), _ = ray.wait(list(self._pending), num_returns=1)
            found, seconds = ray.get(done)
        except ray.exceptions.RayError as error:
            raise RuntimeError(f"a chunk failed on the Ray cluster: {error}") from error
        return Finished(self._pending.pop(done), found, seconds)

    def close(self) -> None:
        """Leave the cluster."""
        self._ray.shutdown()

    def _send(self, problem: Problem):
        if problem.fingerprint not in self._problems:
            # As numpy arrays: a worker may have other devices than this process.
            plain = {
                name: jax.tree.map(np.asarray, getattr(problem, name))
                for name in ("observed", "units", "prior", "test", "rest")
            }
            self._problems[problem.fingerprint] = self._ray.put(replace(problem, **plain))
        return self._problems[problem.fingerprint]


def _without_problem(cell: AnyCell) -> AnyCell:
    return replace(cell, problem=None)  # type: ignore[arg-type]


def _run_chunk(chunk: Chunk, batched: bool, *problems: Problem) -> tuple[list[Arrays] | None, float]:
    """Run a chunk in a worker process on its first device."""
    if batched not in _worker_programs:
        _worker_programs[batched] = Programs(jax.local_devices()[0], batched)
    began = time.monotonic()
    items = zip(chunk.items, problems, strict=True)
    whole = Chunk(tuple(replace(item, cell=replace(item.cell, problem=problem)) for item, problem in items))
    return _worker_programs[batched].run(whole), time.monotonic() - began
