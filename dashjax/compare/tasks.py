"""Data with a known network: DREAM4 and BEELINE files, and simulated systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.data import Trajectories
from dashjax.errors import InputError
from dashjax.io import read_expression, read_network, read_prior
from dashjax.io.prior import align_network
from dashjax.simulate import generate_system, simulate_study
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
    loaded = DATASETS[dataset](data or Path(), only or "")
    tasks = [task for task in loaded if (only or "") in task.name]
    if not tasks:
        raise InputError(f"{data or dataset}: no {dataset} task" + (f" with '{only}' in its name" if only else ""))
    return tasks


def _dream4(folder: Path, only: str) -> list[Task]:
    """`insilico_sizeN_K_timeseries.tsv` beside `DREAM4_GoldStandard_InSilico_SizeN_K.tsv`."""
    tasks = []
    for path in sorted(folder.glob("insilico_size*_timeseries.tsv")):
        size, number = path.stem.removeprefix("insilico_size").removesuffix("_timeseries").split("_")
        data = read_expression(path).in_canonical_order()
        truth = read_prior(folder / f"DREAM4_GoldStandard_InSilico_Size{size}_{number}.tsv", data.genes)
        group = f"DREAM4 size {size}"
        tasks.append(Task(f"{group}, network {number}", group, data.trajectories, truth, data.genes))
    return tasks


def _beeline(folder: Path, only: str) -> list[Task]:
    """Folders with `ExpressionData.csv`, and a reference network there or above."""
    tasks = []
    for path in sorted(folder.rglob("ExpressionData.csv")):
        places = [path.parent / "refNetwork.csv", path.parent.parent / "GroundTruthNetwork.csv"]
        reference = next((place for place in places if place.exists()), None)
        if reference is None:
            continue
        data = read_expression(path.parent).in_canonical_order()
        truth = align_network(read_network(reference), data.genes)
        top = path.parent.relative_to(folder).parts[0] if path.parent != folder else folder.name
        name = path.parent.name if path.parent.name.startswith(top) else f"{top} {path.parent.name}"
        tasks.append(Task(name, f"BEELINE {top}", data.trajectories, truth, data.genes))
    return tasks


def _simulated(folder: Path, only: str) -> list[Task]:
    """Generated systems that nothing was chosen on, at two levels of noise."""
    tasks = []
    for genes in (100, 350, 1000):
        for noise in (0.025, 0.05):
            name = f"simulated {genes}, noise {noise:g}"
            if only not in name:
                continue
            system = generate_system(genes, seed=11)
            data = simulate_study(system, seed=11).seen()
            noisy = add_observation_noise(jax.random.key(11), data, jnp.asarray(noise))
            tasks.append(Task(name, name, noisy, np.asarray(system.truth), tuple(system.genes)))
    return tasks


#: What can be compared on, and how its tasks are loaded.
DATASETS: dict[str, Callable[[Path, str], list[Task]]] = {
    "dream4": _dream4,
    "beeline": _beeline,
    "simulated": _simulated,
}
