"""Running chunks as tasks of a Ray cluster."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from dashjax.errors import InputError
from dashjax.sweep.events import Advanced, Event, Finished
from dashjax.sweep.grid import Cell
from dashjax.sweep.plan import Chunk, chunk_size, largest_run
from dashjax.sweep.program import Programs
from dashjax.sweep.study import Study

#: How often a chunk whose worker or node died is tried again.
RETRIES = 10

#: Programs of this worker process, by study and batching, so that its next task finds them compiled.
_programs: dict[Any, Programs] = {}


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
        raise InputError("--executor ray: Ray is not installed; pip install 'dashjax[ray]'") from None
    where = address or os.environ.get("RAY_ADDRESS") or "auto"
    try:
        ray.init(address=where, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True)
    except Exception as error:  # Ray raises several kinds for an address that is malformed, dead or not a cluster
        found = "" if where == "auto" else f" at {where}"
        raise InputError(
            f"--executor ray: no Ray cluster to reach{found} ({error}); "
            f"start one with `ray start --head` or name it with --ray-address"
        ) from None
    return ray


class RayExecutor:
    """A Ray cluster: every chunk is a task of one core, or of one GPU where the cluster has any.

    Args:
        study: what the runs share.
        cells: all runs of the sweep, finished or not.
        address: of the cluster; see `connect`.
        chunk: runs per batch; 1 on cores, as many as memory holds on GPUs.

    Raises:
        InputError: where no cluster answers.
    """

    #: Programs are compiled by the workers, who do not report that.
    compilations, compile_seconds = 0, 0.0

    def __init__(self, study: Study, cells: Sequence[Cell], address: str | None, chunk: int | None):
        self._ray, self._study = connect(address), study
        self._gpus = int(self._ray.cluster_resources().get("GPU", 0) >= 1)
        #: Runs per chunk.
        self.size = chunk or (chunk_size(largest_run(study, cells), len(cells), 1, None) if self._gpus else 1)

    def run(self, chunks: Sequence[Chunk]) -> Iterator[Event]:
        """Submit every chunk as a task and report them as they finish.

        One whose worker or node dies is tried again elsewhere; an exception of the task itself is raised here.
        """
        ray = self._ray
        task = ray.remote(num_cpus=1, num_gpus=self._gpus, max_retries=RETRIES)(_run_chunk)
        # As numpy arrays: a worker may have other devices than this process.
        portable = ray.put(replace(self._study, data=jax.tree.map(np.asarray, self._study.data)))
        pending = {task.remote(portable, chunk, self.size > 1): chunk for chunk in chunks}
        try:
            while pending:
                (done, *_), _ = ray.wait(list(pending), num_returns=1)
                outcome, seconds = ray.get(done)
                chunk = pending.pop(done)
                yield Advanced(len(chunk.cells) * chunk.config.epochs)
                yield Finished(chunk, outcome, seconds)
        except ray.exceptions.RayError as error:
            raise RuntimeError(f"a chunk failed on the Ray cluster: {error}") from error
        finally:
            ray.shutdown()


def _run_chunk(study: Study, chunk: Chunk, batched: bool):
    """Run a chunk in a worker process on its first device."""
    key = (study.fingerprint, batched)
    if key not in _programs:
        _programs[key] = Programs(study, jax.local_devices()[0], batched)
    began = time.monotonic()
    return _programs[key].run(chunk), time.monotonic() - began
