"""Simulating a study to files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dashjax.data import LARGEST_EXPRESSION
from dashjax.errors import InputError, refuse_outside
from dashjax.io import (
    read_phoenix,
    read_system,
    write_atomically,
    write_interventions,
    write_phoenix,
    write_steady,
    write_system,
    write_table,
)
from dashjax.io.result_folder import published
from dashjax.io.tables import LARGEST_TABLE
from dashjax.networks import edge_list
from dashjax.simulate import (
    RestStudy,
    System,
    add_edges,
    draw_initial_states,
    drop_edges,
    flip_signs,
    generate_system,
    relocate_edges,
    simulate_expression,
    simulate_rest,
)
from dashjax.simulate.generator import LARGEST_SYSTEM


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
    knockouts: int = 0,
    knockdowns: int = 0,
    steady: bool = False,
) -> list[str]:
    """Simulate a system and write trajectories.csv, truth.tsv, prior.tsv, equations.csv and genes.csv.

    Where samples at rest are asked for, write them to steady.csv, and what was done in them to interventions.csv. They
    are of the same system, but trajectories start from states of their own, inputs included, while all samples at rest
    belong to one culture whose inputs hold fixed levels, see `simulate_rest`. The other files do not depend on them.

    Args:
        out: folder to write.
        genes: of a generated system.
        seed: of system, initial states, noise, corruption and samples at rest.
        trajectories: how many.
        times: to observe at, separated by commas.
        noise: standard deviation of all measurements.
        corruption: shares of the prior to `relocate`, `drop`, `add` and `flip`.
        equations: a published system instead of a generated one.
        names: orders its genes.
        initial: trajectories whose first observations to start from and whose times to report at.
        knockouts: how many genes to knock out, one in each of so many samples at rest; drawn unless all are.
        knockdowns: how many to knock down by half, likewise.
        steady: whether to add a sample of the wild type at rest.

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
    if len(grid) < 2 or not np.isfinite(grid).all() or (np.diff(grid) <= 0).any():
        raise InputError(f"needs at least two times, each later than the one before, got '{times}'", "times")

    refuse_outside(genes, 5, LARGEST_SYSTEM, "genes")
    for share, value in corruption.items():
        refuse_outside(value, 0, 1, "corruption" if share == "relocate" else share)
    refuse_outside(noise, 0, LARGEST_EXPRESSION, "noise")
    refuse_outside(trajectories, 1, LARGEST_TABLE // (genes * len(grid)) + 1, "trajectories")
    system = generate_system(genes, seed) if equations is None else read_system(equations, names)
    rest = _simulate_rest(system, seed, knockouts, knockdowns, steady, noise)
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
            raise InputError(
                f"{initial}: trajectory {trajectory + 1}, gene '{system.genes[gene]}': the first value is missing"
            )
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

    with published(out, "simulate") as part:
        write_phoenix(part / "trajectories.csv", grids, noisy)
        write_table(part / "truth.tsv", edge_list(system.truth, system.genes))
        write_table(part / "prior.tsv", edge_list(prior, system.genes))
        write_system(part / "equations.csv", system)
        names_of = "".join(f"{name}\n" for name in ("gene", *system.genes))
        write_atomically(part / "genes.csv", lambda path: path.write_text(names_of, encoding="utf-8"))
        if rest is not None:
            write_steady(part / "steady.csv", rest.names, system.genes, rest.levels)
            if rest.interventions:
                write_interventions(part / "interventions.csv", rest.interventions)
    lines = [
        f"{len(system.genes)} genes ({int(system.is_input.sum())} inputs), {int((system.truth != 0).sum())} true edges "
        f"({int((system.truth < 0).sum())} repressing), {int((prior != 0).sum())} prior edges, "
        f"{len(grids)} trajectories: {out}"
    ]
    if rest is not None:
        lines.append(_design(knockouts, knockdowns, steady))
    if initial is not None:
        worst = max(np.nanmax(np.abs(ours - theirs)) for ours, theirs in zip(expression, observed, strict=True))
        lines.append(f"largest difference to {initial}: {worst:.2e}")
    return lines


def _simulate_rest(
    system: System, seed: int, knockouts: int, knockdowns: int, steady: bool, noise: float
) -> RestStudy | None:
    """Simulate the samples at rest that are asked for, if any."""
    # Drawn in any case, so that the genes to knock down do not depend on how many are knocked out.
    rng = np.random.default_rng([seed, 4])
    outs = _draw_genes(rng, system.genes, knockouts, "knockouts")
    downs = _draw_genes(rng, system.genes, knockdowns, "knockdowns")
    if not (outs or downs or steady):
        return None
    return simulate_rest(system, seed, outs, downs, wildtypes=int(steady), noise=noise)


def _draw_genes(rng: np.random.Generator, genes: tuple[str, ...], count: int, argument: str) -> list[str]:
    """Draw genes, each at most once, and return them in the system's order; a larger draw contains a smaller one."""
    if not 0 <= count <= len(genes):
        raise InputError(f"the system has {len(genes)} genes, got {count}", argument)
    return [genes[number] for number in sorted(rng.permutation(len(genes))[:count])]


def _design(knockouts: int, knockdowns: int, steady: bool) -> str:
    """Say which samples at rest there are, and in which files."""
    parts = ["1 wild type"] if steady else []
    for count, what in ((knockouts, "knock-out"), (knockdowns, "knock-down")):
        if count:
            parts.append(f"{count} {what}{'s' if count > 1 else ''}{' by half' if what == 'knock-down' else ''}")
    files = "steady.csv, interventions.csv" if knockouts or knockdowns else "steady.csv"
    return f"at rest: {', '.join(parts)}, in one culture with inputs at fixed levels: {files}"


def _simulate_grids(system, states: np.ndarray, grids: list[np.ndarray]) -> list[np.ndarray]:
    """Simulate trajectories whose observation times may differ, all times in one solve per length."""
    expression: list[np.ndarray] = [np.empty(0)] * len(grids)
    for length in {len(grid) for grid in grids}:
        rows = [number for number, grid in enumerate(grids) if len(grid) == length]
        solved = simulate_expression(system, states[rows], np.stack([grids[row] for row in rows]))
        for row, values in zip(rows, solved, strict=True):
            expression[row] = values
    return expression
