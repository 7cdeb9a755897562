"""Planning: how many items a device takes at once, and whether they fit into memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import jax

from dashjax.engine.cell import AnyCell, Cell
from dashjax.engine.work import Chunk, Item
from dashjax.errors import InputError
from dashjax.evidence import PosteriorConfig
from dashjax.evidence.paths import STEPS
from dashjax.training import make_hyperparameters, start

#: Share of a device's free memory that a chunk may be planned for; the rest is the compiler's slack.
MEMORY_SHARE = 0.7
#: More runs per batch than this gain nothing, and a kill would lose more work.
LARGEST_CHUNK = 1024


def plan_chunks(items: Iterable[Item], size: int) -> list[Chunk]:
    """Group items by what they must share, in their order, into chunks of at most `size`."""
    groups: dict[tuple, list[Item]] = {}
    for item in items:
        groups.setdefault(item.group, []).append(item)
    return [Chunk(tuple(group[at : at + size])) for group in groups.values() for at in range(0, len(group), size)]


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


def check_memory(each: int, size: int, lanes: int, free: int | None, argument: str = "chunk") -> None:
    """Refuse chunks that cannot fit.

    Args:
        each: bytes of one run.
        size: runs per chunk.
        lanes: chunks at a time on the same memory.
        free: bytes free there; None where unknown, which refuses nothing.
        argument: what the message names.

    Raises:
        InputError: naming what is needed, what is free, and how many runs would fit.
    """
    if free is not None and size * lanes * each > free:
        gib = 2**30
        most = int(free / each / lanes)
        fix = f"at most {most} fit" if most else "a smaller system or fewer workers may fit"
        raise InputError(
            f"{size * lanes} runs at a time need about {size * lanes * each / gib:.1f} GiB, "
            f"{free / gib:.1f} GiB are free; {fix}",
            argument,
        )


def largest_run(cells: Sequence[AnyCell]) -> int:
    """Estimate the device memory of the hungriest of some cells' runs, in bytes; 1 where there is none."""
    kinds = {
        (cell.run_config, cell.method.evidence, cell.problem.data_fingerprint): cell
        for cell in cells
        if isinstance(cell, Cell) and cell.runs
    }
    return max(map(run_bytes, kinds.values()), default=1)


def run_bytes(cell: Cell) -> int:
    """Estimate the device memory of one run of a cell among many, in bytes.

    Weights, moments, masks, scores and the selected model live three times (before, after and during an
    update); the gradient tape holds every stage of a step; reading the network out sorts all gene pairs.
    """
    config, problem = cell.run_config, cell.problem
    data = problem.split(0)
    state = jax.eval_shape(lambda key: start(key, data, make_hyperparameters(), config), jax.random.key(0))
    weights = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    genes = problem.observed.n_genes
    transitions = problem.pieces.times.shape[1] - 1
    stages = 2 * getattr(config.solve, "steps", 16)
    tape = 8 * config.trajectories_per_step * transitions * stages * genes
    noisy = 2 * problem.pieces.expression.size
    pairs = 16 * genes**2
    if cell.method.evidence is not None:
        # The members' fields, the paths of one with their filtered copies, and every target's regression.
        pairs += 4 * (STEPS + 1) * problem.observed.times.size * genes + 4 * genes * PosteriorConfig().candidates ** 2
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
