"""Sharing a sweep between the processes of one `jax.distributed` job."""

from __future__ import annotations

import os

import jax

from dashjax.errors import InputError


def join_processes() -> tuple[int, int]:
    """Join the other processes of this job and return this one's share of a sweep.

    The job is found as `jax.distributed.initialize` finds it (Slurm, MPI, Kubernetes, TPU pods), or from
    `JAX_COORDINATOR_ADDRESS` (host:port), `JAX_NUM_PROCESSES` and `JAX_PROCESS_ID` (from 0).

    Returns:
        (i, n): this is the i-th of n processes, counted from 1.

    Raises:
        InputError: where there is no such job or its coordinator does not answer.
    """
    try:
        count, index = (os.environ.get(name) for name in ("JAX_NUM_PROCESSES", "JAX_PROCESS_ID"))
        jax.distributed.initialize(
            num_processes=None if count is None else int(count), process_id=None if index is None else int(index)
        )
    except (ValueError, RuntimeError) as error:
        raise InputError(
            f"--distributed: no job to join ({error}); set JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and "
            f"JAX_PROCESS_ID, or start under Slurm or MPI"
        ) from None
    return jax.process_index() + 1, jax.process_count()
