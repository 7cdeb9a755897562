"""Single cells of a known system: one noisy snapshot each, ordered by a blurred pseudotime."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.simulate.disturbed import langevin_step
from dashjax.simulate.system import System

#: Steps of the solver over a course.
STEPS = 160


@dataclass(frozen=True)
class Cells:
    """Cells of several lineages.

    Attributes:
        expression: (cell, gene).
        pseudotime: (cell,), from 0 to 1 over all cells.
        lineage: (cell,), numbered from 0.
    """

    expression: np.ndarray
    pseudotime: np.ndarray
    lineage: np.ndarray


def simulate_cells(
    system: System,
    seed: int,
    cells: int = 2000,
    lineages: int = 2,
    span: float = 8.0,
    fluctuation: float = 0.1,
    blur: float = 0.02,
    dropout: float = 0.0,
) -> Cells:
    """Simulate cells that differentiate, each measured once, at a time of its own.

    The lineages start from states of which about half of the genes share a level, and every cell follows the chemical
    Langevin equation by itself, as in BoolODE (Pratapa et al. 2020). Constant inputs stay where they start.

    Args:
        system: with decay rate one, as `generate_system` makes them.
        seed: of starts, fluctuations, times and dropouts.
        cells: how many; every lineage gets the same number, what is left over is dropped.
        lineages: how many.
        span: latest time at which a cell is measured.
        fluctuation: of the dynamics, see `simulate_disturbed`.
        blur: standard deviation of pseudotime around time, as a share of the span.
        dropout: share of a gene's lowest values that may vanish, and chance that such a value does.
    """
    rng = np.random.default_rng([seed, 78])
    genes, per_lineage = len(system.genes), cells // lineages
    still = np.asarray(system.is_input)

    @jax.jit
    def drift(state):
        return jnp.where(still, 0.0, jax.vmap(system.circuit)(state))

    common = rng.uniform(0, 1, genes)
    expression, times = [], []
    for _ in range(lineages):
        start = np.where(rng.random(genes) < 0.5, rng.uniform(0, 1, genes), common)
        state = np.tile(start, (per_lineage, 1))
        time = rng.uniform(0, span, per_lineage)
        seen = np.empty_like(state)
        for step in range(STEPS):
            now = np.floor(time * STEPS / span) == step
            seen[now] = state[now]
            slope = np.asarray(drift(jnp.asarray(state, jnp.float32)), float)
            state = np.where(still, state, langevin_step(rng, state, slope, span / STEPS, fluctuation))
        low = seen < np.quantile(seen, dropout, axis=0)
        expression.append(np.where(low & (rng.random(seen.shape) < dropout), 0.0, seen))
        times.append(time + rng.normal(0, blur * span, per_lineage))
    order = np.concatenate(times)
    order = (order - order.min()) / (order.max() - order.min())
    return Cells(np.concatenate(expression), order, np.repeat(np.arange(lineages), per_lineage))
