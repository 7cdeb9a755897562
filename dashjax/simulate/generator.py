"""A seeded generator of yeast-like regulatory systems of any size."""

from __future__ import annotations

import numpy as np

from dashjax.errors import refuse_outside
from dashjax.simulate.equations import INPUT_GENE
from dashjax.simulate.system import System, make_system

# Shares read off the published 350-gene yeast subnetwork: 75 inputs, 97 regulators, 176 of 550 edges
# repressing, in-degrees close to geometric with mean 2.
INPUT_SHARE = 75 / 350
REGULATOR_SHARE = 97 / 350
REPRESSING_SHARE = 0.32
MEAN_IN_DEGREE = 2.0
LARGEST_IN_DEGREE = 12
OUT_DEGREE_TAIL = 1.5
#: Genes of the largest system, which holds a number for every pair of them.
LARGEST_SYSTEM = 30_000


def generate_system(genes: int, seed: int) -> System:
    """Generate a system: scale-free out-degrees, in-degree about 2, logic over Hill responses.

    Each regulator draws an attractiveness from a Pareto law and targets choose in proportion to it, so
    out-degrees have a power-law tail (density exponent 2.5) with hubs of a few dozen targets. A target's
    regulators are combined by AND (product) and OR (a + b − ab), a repressor entering as NOT (1 − a), and
    the target decays at rate 1. The equations are written in the published systems' grammar and read
    back by the same parser.

    Examples:
        >>> system = generate_system(20, seed=0)
        >>> system.truth.shape, int((system.truth != 0).sum()), system.genes[:2]
        ((20, 20), 31, ('G1', 'G2'))

    Args:
        genes: how many, at least 5.
        seed: everything follows from it.

    Raises:
        InputError: on fewer than 5 genes, or more than `LARGEST_SYSTEM`.
    """
    refuse_outside(genes, 5, LARGEST_SYSTEM, "genes")
    rng = np.random.default_rng(seed)
    names = [f"G{number}" for number in range(1, genes + 1)]
    order = rng.permutation(genes)
    n_inputs = max(1, round(INPUT_SHARE * genes))
    n_regulators = max(n_inputs + 1, round(REGULATOR_SHARE * genes))
    inputs, regulators = order[:n_inputs], order[:n_regulators]
    targets = order[n_inputs:]

    chosen = _draw_edges(rng, regulators, targets)
    equations = [INPUT_GENE] * genes
    for target in targets:
        equations[target] = f"({_draw_logic(rng, [names[r] for r in chosen[target]])}) - {names[target]}"
    assert all(equations[gene] == INPUT_GENE for gene in inputs)
    return make_system(names, equations)


def _draw_edges(rng: np.random.Generator, regulators: np.ndarray, targets: np.ndarray) -> dict[int, list[int]]:
    """Draw each target's regulators; every regulator ends up with a target."""
    limit = min(LARGEST_IN_DEGREE, len(regulators) - 1)
    in_degree = np.minimum(rng.geometric(1 / MEAN_IN_DEGREE, len(targets)), limit)
    attractiveness = 1 + rng.pareto(OUT_DEGREE_TAIL, len(regulators))
    position = {gene: number for number, gene in enumerate(regulators)}
    # Regulators without a target yet come first, so that none is left over.
    unused = list(rng.permutation(len(regulators)))
    edges: dict[int, list[int]] = {}
    for number in rng.permutation(len(targets)):
        target, picked = targets[number], []
        own = position.get(target)
        if unused and unused[-1] != own:
            picked.append(unused.pop())
        while len(picked) < in_degree[number]:
            weight = attractiveness.copy()
            weight[[*picked, *([] if own is None else [own])]] = 0  # no repeats, no self loops
            picked.append(int(rng.choice(len(regulators), p=weight / weight.sum())))
        edges[target] = [int(regulators[p]) for p in picked]
    return edges


def _draw_logic(rng: np.random.Generator, regulators: list[str]) -> str:
    """Combine regulators' responses by a random tree of AND and OR."""
    parts = []
    for regulator in regulators:
        response = f"fAct({regulator}, {rng.uniform(0.4, 0.6):.6f}, {rng.uniform(1.39, 1.8):.6f})"
        parts.append(f"(1 - {response})" if rng.random() < REPRESSING_SHARE else response)
    while len(parts) > 1:
        left = parts.pop(rng.integers(len(parts)))
        right = parts.pop(rng.integers(len(parts)))
        # OR as 1 − (1 − a)(1 − b) equals a + b − ab and names each operand once.
        parts.append(f"{left} * {right}" if rng.random() < 0.5 else f"(1 - (1 - {left}) * (1 - {right}))")
    return parts[0]
