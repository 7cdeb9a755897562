"""Finding and reading the files of a study of measured expression."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import jax.numpy as jnp
import numpy as np

from dashjax.data import (
    HoldOut,
    Problem,
    Trajectories,
    make_problem,
    prior_from_edges,
    single_transitions,
    time_only,
)
from dashjax.errors import InputError
from dashjax.io import Edges, Match, align_edges, align_network, read_expression, read_network, similarity_edges
from dashjax.reproduce.measured_studies import SOURCE, DataSet, MeasuredStudy
from dashjax.scoring import edge_universe
from dashjax.training import transitions


def no_change(trajectories: Trajectories) -> float:
    """Return the mean squared error of saying that nothing changes from one time to the next."""
    steps = transitions(trajectories)
    change = np.asarray(steps.end - steps.start) ** 2
    return float(change[np.broadcast_to(steps.valid, change.shape)].mean())


def find_file(path: str, folder: Path) -> Path | None:
    """Return where a file REPOSITORY/FOLDER/NAME lies under a folder of clones, a clone, or a folder inside one.

    It may be gzipped, as NAME.gz.
    """
    parts = PurePosixPath(path).parts
    places = [folder.joinpath(*parts[first:]) for first in range(len(parts))]
    either = [one for place in places for one in (place, place.with_name(f"{place.name}.gz"))]
    return next((place for place in either if place.is_file()), None)


def find_prior(dataset: DataSet, folder: Path) -> tuple[Path | None, Match]:
    """Return a data set's prior, and how it goes with the expression's genes.

    A matrix has exactly these genes; in its place may stand a table of edges, which may name others.
    """
    matrix = find_file(dataset.prior, folder)
    if matrix is not None or not dataset.edges:
        return matrix, "exact"
    return find_file(dataset.edges, folder), "intersect"


def missing_files(dataset: DataSet, folder: Path) -> list[str]:
    """Return the files that a data set needs and a folder lacks."""
    needed = (dataset.expression, dataset.test, dataset.genes)
    missing = [path for path in needed if find_file(path, folder) is None]
    return missing if find_prior(dataset, folder)[0] is not None else [*missing, dataset.prior]


def find_datasets(study: MeasuredStudy, folder: Path) -> tuple[DataSet, ...]:
    """Return the data sets of a study whose files a folder holds; a stand-in only where it holds no other.

    Raises:
        InputError: where it holds none, naming the first file that is missing and where to get it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder", "data")
    found = [dataset for dataset in study.datasets if not missing_files(dataset, folder)]
    chosen = [dataset for dataset in found if not dataset.instead] or found[:1]
    if not chosen:
        path = min((missing_files(dataset, folder) for dataset in study.datasets), key=len)[0]
        repository, _, within = path.partition("/")
        raise InputError(
            f"{folder} lacks {PurePosixPath(path).name}; {SOURCE}{repository} holds it as {within}", "data"
        )
    return tuple(chosen)


def read_dataset(dataset: DataSet, folder: Path, study: MeasuredStudy) -> Problem:
    """Read a data set of a study into a problem.

    Levels are trained on as they are and times in a unit that suits, as the released code does. Prior edges are
    unsigned: the yeast and breast files draw signs at random, and the released code drops them.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    names = _place(dataset.genes, folder)
    data = read_expression(_place(dataset.expression, folder), names)
    test = read_expression(_place(dataset.test, folder), names).in_canonical_order()
    similarity, validation = find_file(dataset.similarity, folder), find_file(dataset.validation, folder)
    place, match = find_prior(dataset, folder)
    assert place is not None, "told by find_datasets"
    # Matrices go by the order of the names' file.
    prior, given = read_network(place, data.genes), None
    if similarity is not None:
        given = read_network(similarity, data.genes)
    data = data.in_canonical_order()
    edges = align_edges(prior, data.genes, match)
    edges = edges._replace(weights=np.abs(edges.weights))
    known = None if given is None else similarity_edges(given, data.genes)
    truth, covered = _read_validation(validation, data.genes)
    observed, hold_out = held_out(data.trajectories, study)
    return make_problem(
        observed,
        data.genes,
        prior_from_edges(edges, len(data.genes), known),
        units=time_only(observed),
        validation=hold_out,
        truth=truth,
        test=test.trajectories,
        covered=covered if truth is not None else None,
        name=dataset.name,
        source=str(folder),
        notes=_notes(edges, len(data.genes), truth, covered, known is not None),
    )


def held_out(observed: Trajectories, study: MeasuredStudy) -> tuple[Trajectories, HoldOut]:
    """Return what is held out as the released code does: a share of single transitions, or the first trajectory."""
    if study.held_out is None:
        order = [*range(1, observed.n_trajectories), 0]
        return observed[np.array(order)], HoldOut(1, drawn=False, whole=True)
    count = max(1, int(study.held_out * single_transitions(observed).n_trajectories))
    return observed, HoldOut(count, whole=False)


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
