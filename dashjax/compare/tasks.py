"""Data with a known network: DREAM4 and BEELINE files, and simulated systems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.data import Trajectories
from dashjax.errors import InputError
from dashjax.io import read_expression, read_prior
from dashjax.io.cells import average_cells
from dashjax.simulate import generate_system, simulate_cells, simulate_disturbed, simulate_study
from dashjax.training import add_observation_noise


@dataclass(frozen=True)
class Task:
    """One network to infer.

    Attributes:
        name: as in tables; tasks of one group are averaged.
        group: name of the group.
        trajectories: what a method sees.
        truth: true edges (regulator, target), signed where the source knows signs.
        genes: names in the arrays' order.
    """

    name: str
    group: str
    trajectories: Trajectories
    truth: np.ndarray
    genes: tuple[str, ...]


#: Tasks by name, each loaded when it is called for.
Named = Iterator[tuple[str, Callable[[], Task]]]


def load_tasks(dataset: str, data: Path | None = None, only: str | None = None) -> list[Task]:
    """Load the tasks of a dataset.

    Args:
        dataset: one of `DATASETS`.
        data: folder of the files; none for simulated systems.
        only: a part of the names of the tasks wanted.

    Raises:
        InputError: on an unknown dataset, or a folder without such files.
    """
    if dataset not in DATASETS:
        raise InputError(f"--dataset: unknown value '{dataset}'; valid: {', '.join(DATASETS)}")
    if dataset != "simulated" and data is None:
        raise InputError(f"--data: the folder of the {dataset} files is missing")
    wanted = only or ""
    tasks = [load() for name, load in DATASETS[dataset](data or Path()) if wanted in name]
    if not tasks:
        raise InputError(f"{data or dataset}: no {dataset} task" + (f" with '{only}' in its name" if only else ""))
    return tasks


def _dream4(folder: Path) -> Named:
    """`insilico_sizeN_K_timeseries.tsv` beside `DREAM4_GoldStandard_InSilico_SizeN_K.tsv`."""
    for path in sorted(folder.glob("insilico_size*_timeseries.tsv")):
        size, number = path.stem.removeprefix("insilico_size").removesuffix("_timeseries").split("_")
        gold = folder / f"DREAM4_GoldStandard_InSilico_Size{size}_{number}.tsv"
        name, group = f"DREAM4 size {size}, network {number}", f"DREAM4 size {size}"
        yield name, partial(_load, name, group, path, gold)


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


def _load(name: str, group: str, expression: Path, reference: Path) -> Task:
    data = read_expression(expression).in_canonical_order()
    return Task(name, group, data.trajectories, read_prior(reference, data.genes), data.genes)


def _simulate(name: str, genes: int, noise: float) -> Task:
    system = generate_system(genes, seed=11)
    data = simulate_study(system, seed=11).seen()
    noisy = add_observation_noise(jax.random.key(11), data, jnp.asarray(noise))
    return Task(name, name, noisy, np.asarray(system.truth), tuple(system.genes))


def _disturb() -> Task:
    name, system = "simulated 100, disturbed", generate_system(100, seed=11)
    return Task(name, name, simulate_disturbed(system, seed=11), np.asarray(system.truth), tuple(system.genes))


def _differentiate(name: str, seed: int) -> Task:
    system = generate_system(20, seed=seed)
    cells = simulate_cells(system, seed=seed)
    branches = [(str(n), np.where(cells.lineage == n, cells.pseudotime, np.nan)) for n in np.unique(cells.lineage)]
    data = average_cells([cells.expression], system.genes, branches, name)
    return Task(name, "simulated 20, cells", data.trajectories, np.asarray(system.truth), tuple(system.genes))


#: What can be compared on, and how its tasks are loaded.
DATASETS: dict[str, Callable[[Path], Named]] = {
    "dream4": _dream4,
    "beeline": _beeline,
    "simulated": _simulated,
}
