"""Folders of a fitted network and of what was asked of it: tables, the network's file, figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from dashjax.data import DENSE_GENES
from dashjax.io import make_folder, write_atomically, write_table
from dashjax.io.result_folder import published
from dashjax.io.sealed import checksum
from dashjax.networks import Network
from dashjax.networks.network_file import FILE
from dashjax.questions import Response
from dashjax.report.biology import (
    at_rest_figure,
    influence_figure,
    pathways_figure,
    response_figure,
    trajectories_figure,
)
from dashjax.report.figure_files import write_figure
from dashjax.report.figures import effect_map, training_curves, tuning_curve


def write_network(out: Path, network: Network, tried: pd.DataFrame | None = None) -> None:
    """Write edges.tsv, model.npz, curves.csv and figures of a network, and choice.csv of what was tried for it."""
    with published(out, "fit") as part:
        write_table(part / "edges.tsv", edges_table(network))
        network.save(part / FILE)
        if network.curves:
            epochs = {"epoch": np.arange(1, len(network.curves["pruned"]) + 1)}
            curves = pd.DataFrame({**epochs, **network.curves})
            write_atomically(part / "curves.csv", lambda path: curves.to_csv(path, index=False))
            write_figure(part, "training_curves", training_curves({"this run": [network.curves]}))
        if len(network.genes) <= DENSE_GENES:
            write_figure(part, "effects", effect_map(network.scores, network.genes))
        if tried is not None:
            write_atomically(part / "choice.csv", lambda path: tried.to_csv(path, index=False))
            write_figure(part, "choice", tuning_curve(tried))


def edges_table(network: Network) -> pd.DataFrame:
    """Return a network's edges as edges.tsv has them.

    The effect is called weight there, as edge lists of other programs call it; without a posterior, weight is what
    edges are ranked by, and columns that say nothing are left out.
    """
    edges = network.edges
    if network.posterior is None:
        return edges.rename(columns={"score": "weight"})[["source", "target", "weight", "effect", "in_prior"]]
    names = {"effect": "weight", "effect_low": "weight_low", "effect_high": "weight_high"}
    columns = ["source", "target", *names.values(), "probability", "returned", "frequency", "activation"]
    return edges.rename(columns=names)[[*columns, "sign_agreement", "in_prior"]]


def write_influence(out: Path, table: pd.DataFrame, of: str = "influence") -> None:
    """Write influence.tsv and its figure, as a part of what they are of."""
    with published(out, of) as part:
        write_table(part / "influence.tsv", table)
        write_figure(part, "influence", influence_figure(table))


def write_pathways(out: Path, table: pd.DataFrame) -> None:
    """Write pathways.tsv and its figure."""
    with published(out, "pathways") as part:
        write_table(part / "pathways.tsv", table)
        write_figure(part, "pathways", pathways_figure(table))


def perturbation_name(knock_out: Sequence[str], knock_down: Mapping[str, float], held: Mapping[str, float]) -> str:
    """Return the name of the folder that a perturbation's files go to, whatever characters its genes' names have.

    Examples:
        >>> perturbation_name(["GATA1"], {"TAL1": 0.5}, {})
        'GATA1_out,TAL1_down_0.5'
        >>> perturbation_name(["../x"], {}, {})
        '.._x_out-583c6d41'
    """
    parts = [f"{gene}_out" for gene in knock_out]
    parts += [f"{gene}_down_{share:.12g}" for gene, share in knock_down.items()]
    parts += [f"{gene}_held_{level:.12g}" for gene, level in held.items()]
    # In any order it is the same perturbation.
    name = ",".join(sorted(parts))
    plain = re.sub(r"[^0-9A-Za-z,._+-]", "_", name)[:80]
    return plain if plain == name and not name.startswith(".") else f"{plain}-{checksum(name.encode())[:8]}"


def write_response(out: Path, part: str, table: pd.DataFrame, response: Response, genes, words: str) -> None:
    """Write response.tsv, trajectories.tsv and figures of a perturbation to a folder of its own in the results'.

    Args:
        out: the results folder.
        part: of `perturbation_name`.
        table: of `response_table`.
        response: that the table is of.
        genes: names.
        words: what was done.
    """
    paths = {name: np.asarray(getattr(response, name)).mean(axis=0) for name in ("unperturbed", "perturbed")}
    times = np.asarray(response.times)
    trajectories = pd.DataFrame(
        {
            "gene": np.repeat(np.asarray(genes, dtype=object), len(times)),
            "time": np.tile(times, len(genes)),
            **{name: path.T.ravel() for name, path in paths.items()},
        }
    )
    with _published_part(out, part) as folder:
        write_table(folder / "response.tsv", table)
        write_table(folder / "trajectories.tsv", trajectories)
        write_figure(folder, "response", response_figure(table, words))
        write_figure(folder, "trajectories", trajectories_figure(table, trajectories))


def write_at_rest(out: Path, part: str, table: pd.DataFrame, words: str) -> None:
    """Write at_rest.tsv of levels at rest under a perturbation, and its figure; see `write_response`."""
    with _published_part(out, part) as folder:
        write_table(folder / "at_rest.tsv", table)
        write_figure(folder, "at_rest", at_rest_figure(table, words))


@contextmanager
def _published_part(out: Path, part: str) -> Iterator[Path]:
    with published(out, f"perturb {part}") as everything:
        make_folder(everything / part)
        yield everything / part
