"""Planning a sweep: cells that share a compiled shape become chunks that fit into memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import jax

from dashjax.errors import InputError
from dashjax.evidence import PosteriorConfig
from dashjax.evidence.paths import STEPS
from dashjax.sweep.grid import Cell
from dashjax.sweep.study import Study
from dashjax.training import FitConfig, make_hyperparameters, start

#: Share of a device's free memory that a chunk may be planned for; the rest is the compiler's slack.
MEMORY_SHARE = 0.7
#: More runs per batch than this gain nothing, and a kill would lose more work.
LARGEST_CHUNK = 1024


@dataclass(frozen=True)
class Chunk:
    """Runs that one call of a compiled program takes to their end.

    Attributes:
        config: what shapes the program.
        cells: the runs.
    """

    config: FitConfig
    cells: tuple[Cell, ...]


def plan_chunks(cells: Sequence[Cell], study: Study, size: int) -> list[Chunk]:
    """Group cells by compiled shape and by when they prune, in their order, into chunks of at most `size`."""
    groups: dict[tuple[FitConfig, int, int], list[Cell]] = {}
    for cell in cells:
        schedule = cell.hyperparameters().schedule
        groups.setdefault((study.config_of(cell), int(schedule.first_epoch), int(schedule.every)), []).append(cell)
    return [
        Chunk(config, tuple(group[at : at + size]))
        for (config, _, _), group in groups.items()
        for at in range(0, len(group), size)
    ]


def chunk_size(each: int, runs: int, devices: int, free: int | None) -> int:
    """Return how many runs an accelerator takes at once: all of its share, as far as memory goes.

    Args:
        each: bytes of one run.
        runs: runs to do.
        devices: devices to share them.
        free: bytes free on a device; None where the device does not say, which is taken as 8 GiB.
    """
    fit = int(MEMORY_SHARE * (8 * 2**30 if free is None else free) / each)
    return max(1, min(fit, LARGEST_CHUNK, -(-runs // devices)))


def check_memory(each: int, size: int, lanes: int, free: int | None, option: str = "--chunk") -> None:
    """Refuse chunks that cannot fit.

    Args:
        each: bytes of one run.
        size: runs per chunk.
        lanes: chunks at a time on the same memory.
        free: bytes free there; None where unknown, which refuses nothing.
        option: what the message names.

    Raises:
        InputError: naming what is needed, what is free, and how many runs would fit.
    """
    if free is not None and size * lanes * each > free:
        gib = 2**30
        most = int(free / each / lanes)
        mend = f"at most {most} fit" if most else "a smaller system or fewer --workers may fit"
        raise InputError(
            f"{option}: {size * lanes} runs at a time need about {size * lanes * each / gib:.1f} GiB, "
            f"{free / gib:.1f} GiB are free; {mend}"
        )


def largest_run(study: Study, cells: Sequence[Cell]) -> int:
    """Estimate the device memory of the hungriest of some runs, in bytes; 1 where there is none."""
    return max((run_bytes(study, config) for config in {study.config_of(cell) for cell in cells}), default=1)


def run_bytes(study: Study, config: FitConfig) -> int:
    """Estimate the device memory of one run among many, in bytes.

    Weights, moments, masks, scores and the selected model live three times (before, after and during an
    update); the gradient tape holds every stage of a step; reading the network out sorts all gene pairs.
    """
    data = study.data
    state = jax.eval_shape(lambda key: start(key, data, make_hyperparameters(), config), jax.random.key(0))
    weights = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    genes = data.train.n_genes
    transitions = data.train.times.shape[1] - 1
    stages = 2 * getattr(config.solve, "steps", 16)
    tape = 8 * config.trajectories_per_step * transitions * stages * genes
    noisy = 2 * (data.train.expression.size + data.validation.expression.size)
    pairs = 16 * genes**2
    if config.members is not None:
        # All members' states, the paths of one with their filtered copies, and every target's regression.
        seen = data.train.times.size + data.validation.times.size
        weights *= config.members
        pairs += 4 * (STEPS + 1) * seen * genes + 4 * genes * PosteriorConfig().candidates ** 2
    return 3 * weights + 4 * (tape + noisy + pairs)


def free_memory(device: jax.Device) -> int | None:
    """Return the bytes free on a device, or None where it does not say."""
    if device.platform == "cpu":
        try:
            return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (ValueError, OSError, AttributeError):
            return None
    stats = device.memory_stats() or {}
    limit = stats.get("bytes_limit")
    return None if limit is None else int(limit - stats.get("bytes_in_use", 0))
