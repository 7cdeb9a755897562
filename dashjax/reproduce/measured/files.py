"""Finding and reading the files of a study of measured expression."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import jax.numpy as jnp
import numpy as np

from dashjax.data import Prior, Split, Trajectories
from dashjax.errors import InputError
from dashjax.io import Edges, align_edges, align_network, read_expression, read_network, similarity_edges
from dashjax.jobs.network import hold_out, single_transitions, time_unit
from dashjax.jobs.priors import prior_from_edges
from dashjax.networks import edge_universe
from dashjax.reproduce.measured.studies import SOURCE, DataSet, MeasuredStudy
from dashjax.training import transitions


@dataclass(frozen=True)
class MeasuredData:
    """A data set as read, its genes in the order of their names and its times in the unit to train in.

    Attributes:
        dataset: what was read.
        genes: names.
        trajectories: to train and validate on.
        test: to test on.
        prior: prior edges, unsigned: the yeast and breast files draw signs at random, and the released code drops them.
        truth: ChIP-type edges; None where there is no such file.
        regulators: genes whose targets those edges cover.
        fingerprint: hash of the files.
        notes: what a reader should know of them, one sentence each.
    """

    dataset: DataSet
    genes: tuple[str, ...]
    trajectories: Trajectories
    test: Trajectories
    prior: Prior
    truth: np.ndarray | None
    regulators: np.ndarray
    fingerprint: str
    notes: tuple[str, ...]


def no_change(trajectories: Trajectories) -> float:
    """Return the mean squared error of saying that nothing changes from one time to the next."""
    steps = transitions(trajectories)
    change = np.asarray(steps.end - steps.start) ** 2
    return float(change[np.broadcast_to(steps.valid, change.shape)].mean())


def find_file(path: str, folder: Path) -> Path | None:
    """Return where a file REPOSITORY/FOLDER/NAME lies under a folder of clones, a clone, or a folder inside one."""
    parts = PurePosixPath(path).parts
    places = [folder.joinpath(*parts[first:]) for first in range(len(parts))]
    return next((place for place in places if place.is_file()), None)


def missing_files(dataset: DataSet, folder: Path) -> list[str]:
    """Return the files that a data set needs and a folder lacks."""
    needed = (dataset.expression, dataset.test, dataset.genes, dataset.prior)
    return [path for path in needed if find_file(path, folder) is None]


def find_datasets(study: MeasuredStudy, folder: Path) -> tuple[DataSet, ...]:
    """Return the data sets of a study whose files a folder holds; a stand-in only where it holds no other.

    Raises:
        InputError: where it holds none, naming the first file that is missing and where to get it.
    """
    if not folder.is_dir():
        raise InputError(f"--data: {folder} is not a folder")
    found = [dataset for dataset in study.datasets if not missing_files(dataset, folder)]
    chosen = [dataset for dataset in found if not dataset.instead] or found[:1]
    if not chosen:
        path = min((missing_files(dataset, folder) for dataset in study.datasets), key=len)[0]
        repository, _, within = path.partition("/")
        raise InputError(
            f"--data: {folder} lacks {PurePosixPath(path).name}; {SOURCE}{repository} holds it as {within}"
        )
    return tuple(chosen)


def read_dataset(dataset: DataSet, folder: Path) -> MeasuredData:
    """Read a data set.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    names = _place(dataset.genes, folder)
    data = read_expression(_place(dataset.expression, folder), names)
    test = read_expression(_place(dataset.test, folder), names).in_canonical_order()
    similarity, validation = find_file(dataset.similarity, folder), find_file(dataset.validation, folder)
    # Matrices go by the order of the names' file.
    prior, given = read_network(_place(dataset.prior, folder), data.genes), None
    if similarity is not None:
        given = read_network(similarity, data.genes)
    data = data.in_canonical_order()
    edges = align_edges(prior, data.genes)
    edges = edges._replace(weights=np.abs(edges.weights))
    known = None if given is None else similarity_edges(given, data.genes)
    truth, regulators = _read_validation(validation, data.genes)
    needed = [_place(path, folder) for path in (dataset.expression, dataset.test, dataset.genes, dataset.prior)]
    files = [*needed, *(path for path in (similarity, validation) if path is not None)]
    unit = time_unit(data.trajectories)
    return MeasuredData(
        dataset,
        data.genes,
        data.trajectories.in_time_unit(unit),
        test.trajectories.in_time_unit(unit),
        prior_from_edges(edges, len(data.genes), known),
        truth,
        regulators,
        _fingerprint(files),
        _notes(edges, len(data.genes), truth, regulators, known is not None),
    )


def split(study: MeasuredStudy, data: MeasuredData, seed: int) -> Split:
    """Divide a data set as the released code does: a share of single transitions, or the first trajectory held out."""
    if study.held_out is None:
        return Split(data.trajectories[1:], data.trajectories[:1], data.test)
    pieces = single_transitions(data.trajectories)
    count = max(1, int(study.held_out * pieces.n_trajectories))
    return Split(*hold_out(pieces, count / pieces.n_trajectories, seed), data.test)


def _place(path: str, folder: Path) -> Path:
    place = find_file(path, folder)
    assert place is not None, "told by find_datasets"
    return place


def _read_validation(path: Path | None, genes: Sequence[str]) -> tuple[np.ndarray | None, np.ndarray]:
    """Return ChIP-type edges between genes of the expression, and which of these the file names as regulators."""
    if path is None:
        return None, np.zeros(len(genes), bool)
    network = read_network(path)
    return align_network(network, genes, "intersect"), np.isin(genes, network.regulators)


def _fingerprint(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _notes(edges: Edges, genes: int, truth: np.ndarray | None, regulators: np.ndarray, given: bool) -> tuple[str, ...]:
    notes = [f"{genes:,} genes; {len(edges.weights):,} prior edges from {len(set(edges.regulators)):,} regulators."]
    if not given:
        notes.append("No C among the files: the number of targets that two genes share in the prior.")
    if truth is None:
        notes.append("No ChIP edges among the files, so nothing here says which network is right.")
    else:
        pairs = np.asarray(edge_universe(genes, jnp.asarray(regulators)))
        true = (truth != 0) & pairs
        known = true[edges.regulators, edges.targets].sum()
        notes.append(
            f"Scored against {int(true.sum()):,} ChIP edges, over all targets of the {int(regulators.sum()):,} "
            f"regulators that they cover, self loops left out; {int(known):,} of them are in the prior. "
            f"Ranking by chance has AUPR {true.sum() / pairs.sum():.3f}."
        )
    return tuple(notes)
