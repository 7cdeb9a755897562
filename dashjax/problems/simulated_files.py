"""Simulating a study to files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dashjax.errors import InputError
from dashjax.io import make_folder, read_phoenix, read_system, write_phoenix, write_system, write_table
from dashjax.networks import edge_list
from dashjax.simulate import (
    add_edges,
    draw_initial_states,
    drop_edges,
    flip_signs,
    generate_system,
    relocate_edges,
    simulate_expression,
)


def simulate_files(
    out: Path,
    genes: int,
    seed: int,
    trajectories: int,
    times: str,
    noise: float,
    corruption: dict[str, float],
    equations: Path | None,
    names: Path | None,
    initial: Path | None,
) -> list[str]:
    """Simulate a system and write trajectories.csv, truth.tsv, prior.tsv, equations.csv and genes.csv.

    Returns:
        Lines that say what was simulated.

    Raises:
        InputError: on anything wrong with the arguments, before anything is written.
    """
    if names is not None and equations is None:
        raise InputError("orders the genes of the equations, which are missing", "names")
    try:
        grid = np.array([float(time) for time in times.split(",")])
    except ValueError:
        raise InputError(f"expected numbers separated by commas, got '{times}'", "times") from None
    if len(grid) < 2 or (np.diff(grid) <= 0).any() or not np.isfinite(grid).all():
        raise InputError(f"needs at least two times, each later than the one before, got '{times}'", "times")

    system = generate_system(genes, seed) if equations is None else read_system(equations, names)
    rng = np.random.default_rng([seed, 1])
    if initial is None:
        states = draw_initial_states(rng, system, trajectories)
        grids = [grid] * trajectories
    else:
        grids, observed = read_phoenix(initial).unpadded()
        if observed[0].shape[1] != len(system.genes):
            raise InputError(f"{initial}: {observed[0].shape[1]} genes, the system has {len(system.genes)}")
        states = np.stack([expression[0] for expression in observed])
        if np.isnan(states).any():
            trajectory, gene = np.argwhere(np.isnan(states))[0]
            raise InputError(f"{initial}: trajectory {trajectory + 1}, gene {gene + 1}: the first value is missing")
    expression = _simulate_grids(system, states, grids)
    noisy = [e + noise * rng.normal(size=e.shape) for e in expression]

    prior_rng = np.random.default_rng([seed, 2])
    prior = system.truth
    for name, change in (
        ("relocate", relocate_edges),
        ("drop", drop_edges),
        ("add", add_edges),
        ("flip", flip_signs),
    ):
        prior = change(prior_rng, prior, corruption[name])

    make_folder(out)
    write_phoenix(out / "trajectories.csv", grids, noisy)
    write_table(out / "truth.tsv", edge_list(system.truth, system.genes))
    write_table(out / "prior.tsv", edge_list(prior, system.genes))
    write_system(out / "equations.csv", system)
    (out / "genes.csv").write_text("gene\n" + "\n".join(system.genes) + "\n", encoding="utf-8")
    lines = [
        f"{len(system.genes)} genes ({int(system.is_input.sum())} inputs), {int((system.truth != 0).sum())} true edges "
        f"({int((system.truth < 0).sum())} repressing), {int((prior != 0).sum())} prior edges, "
        f"{len(grids)} trajectories: {out}"
    ]
    if initial is not None:
        worst = max(np.nanmax(np.abs(ours - theirs)) for ours, theirs in zip(expression, observed, strict=True))
        lines.append(f"largest difference to {initial}: {worst:.2e}")
    return lines


def _simulate_grids(system, states: np.ndarray, grids: list[np.ndarray]) -> list[np.ndarray]:
    """Simulate trajectories whose observation times may differ, all times in one solve per length."""
    expression: list[np.ndarray] = [np.empty(0)] * len(grids)
    for length in {len(grid) for grid in grids}:
        rows = [number for number, grid in enumerate(grids) if len(grid) == length]
        solved = simulate_expression(system, states[rows], np.stack([grids[row] for row in rows]))
        for row, values in zip(rows, solved, strict=True):
            expression[row] = values
    return expression
