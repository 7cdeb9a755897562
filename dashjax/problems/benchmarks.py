"""Data with a known network: measured ones, DREAM4 and BEELINE files, and simulated systems."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.data import Problem, Trajectories, make_problem
from dashjax.errors import InputError, unknown
from dashjax.io import Expression, read_dream4_experiments, read_expression, read_prior
from dashjax.io.metacells import average_cells
from dashjax.problems.measured import SOUGHT, Named, measured
from dashjax.simulate import System, generate_system, simulate_cells, simulate_disturbed, simulate_study
from dashjax.training import add_observation_noise

#: Files of DREAM4 that may lie beside a time series.
AT_REST = ("wildtype", "multifactorial", "knockouts", "knockdowns")
#: Data sets whose problems have priors of their own.
OWN_PRIORS = ("measured",)


def load_problems(dataset: str, data: Path | None = None, only: str | None = None) -> list[Problem]:
    """Load the problems of a data set.

    Args:
        dataset: one of `DATASETS`.
        data: folder of the files; none for simulated systems.
        only: a part of the names of the problems wanted.

    Raises:
        InputError: on an unknown dataset, or a folder without such files.
    """
    if dataset not in DATASETS:
        raise InputError(unknown("value", dataset, list(DATASETS)), "dataset")
    if DATASETS[dataset] is not _simulated and data is None:
        raise InputError(f"the folder of the {dataset} files is missing", "data")
    # A number is wanted whole: 100 is no part of 1000.
    wanted = re.compile(rf"(?<!\d){re.escape(only)}(?!\d)" if only and only.isdigit() else re.escape(only or ""))
    problems = [load() for name, load in DATASETS[dataset](data or Path()) if wanted.search(name)]
    if not problems:
        sought = f"; looked for {', '.join(SOUGHT)}" if dataset in OWN_PRIORS else ""
        named = f" with '{only}' in its name" if only else ""
        raise InputError(f"{data or dataset}: no {dataset} problem{named}{sought}")
    return problems


def _dream4(folder: Path) -> Named:
    """`insilico_sizeN_K_timeseries.tsv` beside `DREAM4_GoldStandard_InSilico_SizeN_K.tsv`.

    Where samples at rest lie beside the series, the network comes a second time, with all experiments.
    """
    for path in sorted(folder.glob("insilico_size*_timeseries.tsv")):
        size, number = path.stem.removeprefix("insilico_size").removesuffix("_timeseries").split("_")
        gold = folder / f"DREAM4_GoldStandard_InSilico_Size{size}_{number}.tsv"
        name, group = f"DREAM4 size {size}, network {number}", f"DREAM4 size {size}"
        yield name, partial(_load, name, group, path, gold)
        if any(path.with_name(path.name.replace("timeseries", what)).is_file() for what in AT_REST):
            name, group = f"{name}, all experiments", f"{group}, all experiments"
            yield name, partial(_load, name, group, path, gold, read_dream4_experiments)


def _beeline(folder: Path) -> Named:
    """Folders with `ExpressionData.csv`, and a reference network there or above."""
    for path in sorted(folder.rglob("ExpressionData.csv")):
        places = [path.parent / "refNetwork.csv", path.parent.parent / "GroundTruthNetwork.csv"]
        reference = next((place for place in places if place.exists()), None)
        if reference is None:
            continue
        top = path.parent.relative_to(folder).parts[0] if path.parent != folder else folder.name
        name = path.parent.name if path.parent.name.startswith(top) else f"{top} {path.parent.name}"
        yield name, partial(_load, name, f"BEELINE {top}", path.parent, reference)


def _simulated(folder: Path) -> Named:
    """Generated systems that nothing was chosen on, at two levels of noise, disturbed, and as single cells."""
    for genes in (100, 350, 1000):
        for noise in (0.025, 0.05):
            name = f"simulated {genes}, noise {noise:g}"
            yield name, partial(_simulate, name, genes, noise)
    yield "simulated 100, disturbed", _disturb
    for system in range(1, 6):
        name = f"simulated 20, cells {system}"
        yield name, partial(_differentiate, name, 10 + system)


def _load(
    name: str, group: str, expression: Path, reference: Path, read: Callable[[Path], Expression] = read_expression
) -> Problem:
    data = read(expression).in_canonical_order()
    truth = read_prior(reference, data.genes)
    return make_problem(
        data.trajectories,
        data.genes,
        truth=truth,
        steady=None if data.steady is None else data.steady.levels,
        samples=() if data.steady is None else data.steady.names,
        interventions=data.interventions,
        name=name,
        trajectories=data.names,
        group=group,
        source=data.source,
    )


def _simulate(name: str, genes: int, noise: float) -> Problem:
    system = generate_system(genes, seed=11)
    data = simulate_study(system, seed=11).seen()
    noisy = add_observation_noise(jax.random.key(11), data, jnp.asarray(noise))
    return _of_system(name, name, system, noisy)


def _disturb() -> Problem:
    name, system = "simulated 100, disturbed", generate_system(100, seed=11)
    return _of_system(name, name, system, simulate_disturbed(system, seed=11))


def _differentiate(name: str, seed: int) -> Problem:
    system = generate_system(20, seed=seed)
    cells = simulate_cells(system, seed=seed)
    branches = [(str(n), np.where(cells.lineage == n, cells.pseudotime, np.nan)) for n in np.unique(cells.lineage)]
    data = average_cells([cells.expression], system.genes, branches, name)
    return _of_system(name, "simulated 20, cells", system, data.trajectories)


def _of_system(name: str, group: str, system: System, observed: Trajectories) -> Problem:
    return make_problem(observed, system.genes, truth=system.truth, name=name, group=group, source="simulated")


#: What can be compared on, and how its problems are loaded. A new one is a function and an entry.
DATASETS: dict[str, Callable[[Path], Named]] = {
    "dream4": _dream4,
    "beeline": _beeline,
    "simulated": _simulated,
    "measured": measured,
}
