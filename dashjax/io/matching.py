"""Networks and lists of names matched with an expression's genes: what is a prior, C or a regulator there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from dashjax.errors import InputError
from dashjax.io.genes import read_gene_names
from dashjax.io.name_hints import name_hints
from dashjax.io.named import NamedNetwork
from dashjax.io.network_formats import read_network
from dashjax.io.tables import short

#: Beyond this a weight's square overflows single precision.
LARGEST_WEIGHT = 1e15
#: What becomes of names that the expression lacks: an error, or left out.
Match = Literal["exact", "intersect"]


class Edges(NamedTuple):
    """Edges between genes by number.

    Attributes:
        regulators: one per edge.
        targets: one per edge.
        weights: signed, none zero, one per edge.
    """

    regulators: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


def align_edges(network: NamedNetwork, genes: Sequence[str], match: Match = "exact") -> Edges:
    """Return a network's edges between the genes of an expression, by number.

    Args:
        network: as read.
        genes: the expression's genes.
        match: "exact" refuses names that the expression lacks, "intersect" leaves them out.

    Raises:
        InputError: on edges that are repeated with another weight, weights beyond any sense, names that do not
            match, or no edge left.
    """
    index = match_names(network.names, genes, network.source, match)
    seen: dict[tuple[str, str], float] = {}
    for regulator, target, weight, row in zip(
        network.regulators, network.targets, network.weights, network.rows, strict=True
    ):
        where, edge = f"{network.source}, row {row}", f"{short(regulator)} → {short(target)}"
        if seen.setdefault((regulator, target), weight) != weight:
            raise InputError(
                f"{where}: the edge {edge} appears twice, with weights {seen[regulator, target]:g} and {weight:g}"
            )
        if abs(weight) > LARGEST_WEIGHT:
            raise InputError(f"{where}: the weight of {edge} is {weight:g}")
    kept = [
        (index[regulator], index[target], weight)
        for (regulator, target), weight in seen.items()
        if weight != 0 and regulator in index and target in index
    ]
    if not kept:
        raise InputError(f"{network.source}: no edge with a weight other than zero among the expression's genes")
    regulators, targets, weights = zip(*kept, strict=True)
    return Edges(np.array(regulators), np.array(targets), np.array(weights, np.float32))


def align_network(network: NamedNetwork, genes: Sequence[str], match: Match = "exact") -> np.ndarray:
    """Return a network's signed weights (regulator, target) between the genes of an expression: see `align_edges`."""
    edges = align_edges(network, genes, match)
    weights = np.zeros((len(genes), len(genes)), dtype=np.float32)
    weights[edges.regulators, edges.targets] = edges.weights
    return weights


def read_prior(path: Path | str, genes: Sequence[str], match: Match = "exact") -> np.ndarray:
    """Read a prior network of any format into the order of `genes`: `read_network`, then `align_network`."""
    return align_network(read_network(path, genes), genes, match)


def read_similarity(path: Path | str, genes: Sequence[str], match: Match = "exact") -> np.ndarray:
    """Read which genes act together, a protein–protein interaction file, as the input–input knowledge C of DASH.

    Any format of `read_network`; edges have no direction, and every gene goes with itself at weight 1 (netZoo's
    convention).

        C = read_similarity("ToyPPIData.txt", genes, match="intersect")
        prior = make_prior(read_prior("ToyMotifData.txt", genes, match="intersect"), C)

    Args:
        path: the file.
        genes: in the order of the rows and columns wanted.
        match: as in `align_network`.

    Raises:
        InputError: as `align_edges`, and on negative weights or a pair with two weights.
    """
    similarity = np.zeros((len(genes), len(genes)), np.float32)
    edges = similarity_edges(read_network(path, genes), genes, match)
    similarity[edges.regulators, edges.targets] = edges.weights
    return similarity


def similarity_edges(network: NamedNetwork, genes: Sequence[str], match: Match = "exact") -> Edges:
    """Return what `read_similarity` holds as edges: each pair both ways, and every gene with itself."""
    edges = align_edges(network, genes, match)
    apart = edges.regulators != edges.targets
    first, second, weights = (part[apart] for part in edges)
    if (weights < 0).any():
        at = int(np.argmax(weights < 0))
        raise InputError(f"{network.source}: {genes[first[at]]} – {genes[second[at]]} has a negative weight")
    pairs = np.minimum(first, second) * len(genes) + np.maximum(first, second)
    unique, place, inverse = np.unique(pairs, return_index=True, return_inverse=True)
    clash = weights != weights[place][inverse]
    if clash.any():
        at = int(np.argmax(clash))
        raise InputError(
            f"{network.source}: {genes[first[at]]} – {genes[second[at]]} has another weight than the other way round"
        )
    low, high, itself = unique // len(genes), unique % len(genes), np.arange(len(genes))
    return Edges(
        np.concatenate([low, high, itself]),
        np.concatenate([high, low, itself]),
        np.concatenate([weights[place], weights[place], np.ones(len(genes), np.float32)]),
    )


def read_regulators(path: Path | str, genes: Sequence[str], match: Match = "exact") -> np.ndarray:
    """Read which genes may regulate: their names, one per line, with or without a header as in `read_gene_names`.

    Args:
        path: the file.
        genes: names of the expression's genes.
        match: "exact" refuses names that are not among them, "intersect" leaves those out.

    Returns:
        An array (gene,), True for genes that are named.

    Raises:
        InputError: on unknown or repeated names; the message names the file and the row or the names.
    """
    names, _ = read_gene_names(path)
    match_names(names, genes, path, match)
    return np.isin(genes, names)


def match_names(names: Sequence[str], genes: Sequence[str], path: Path | str, match: Match) -> dict[str, int]:
    """Return the place of each of the expression's genes, having checked that the given names are among them.

    Raises:
        InputError: on names that are not, unless they may be left out and some remain.
    """
    index = {gene: number for number, gene in enumerate(genes)}
    named = list(dict.fromkeys(names))
    unknown = [name for name in named if name not in index]
    if unknown and (match == "exact" or len(unknown) == len(named)):
        shown = ", ".join(map(short, unknown[:5])) + ("…" if len(unknown) > 5 else "")
        mend = "" if len(unknown) == len(named) else "; match='intersect' leaves them out"
        hint = "".join(f"; {text}" for text in name_hints(unknown, genes))
        raise InputError(
            f"{path}: {len(unknown)} of its {len(named)} genes are not in the expression ({shown}){hint}{mend}"
        )
    return index
