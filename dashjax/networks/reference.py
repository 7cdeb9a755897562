"""Scoring an edge list against a reference network, beside the prior alone."""

from __future__ import annotations

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pandas as pd

from dashjax.errors import InputError, unknown
from dashjax.io import NamedNetwork, align_network, read_edges, read_network
from dashjax.networks.edges import network_matrix
from dashjax.scoring import beeline_scores, edge_universe, score_network, score_regulators, score_signs

UNIVERSES = ("all", "no-self", "tf")


def edges_file(source: Path) -> Path:
    """Return an edge list's file, which stands in the folder that `dashjax fit` wrote."""
    return source / "edges.tsv" if source.is_dir() else source


def score_files(
    edges: Path, truth: Path, prior: Path | None = None, universe: str = "no-self"
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Score an edge list against a reference network.

    Args:
        edges: the folder that `dashjax fit` wrote, or an edge list; edges with a probability are ranked by it, and the
            predicted ones are those returned.
        truth: the reference, any format of `read_network` that names its genes.
        prior: the prior that was used, scored in a row of its own.
        universe: "all" ordered pairs of genes, "no-self" without self loops, or "tf", also without regulators that have
            no target in the reference. Genes are those that any of the files names.

    Returns:
        A row of scores per network; a row per regulator of the edge list; and lines that declare what was counted.

    Raises:
        InputError: on files that cannot be read or share no gene, or an unknown universe.
    """
    if universe not in UNIVERSES:
        raise InputError(unknown("value", universe, UNIVERSES), "universe")
    path = edges_file(edges)
    table, reference = read_edges(path), read_network(truth)
    known = None if prior is None else read_network(prior)
    named = [*reference.names, *table["source"], *table["target"], *(known.names if known else ())]
    genes = tuple(dict.fromkeys(named))
    if not set(reference.names) & {*table["source"], *table["target"]}:
        raise InputError(f"{path}: shares no gene with {truth}")
    true = align_network(reference, genes)
    regulators = (true != 0).any(axis=1) if universe == "tf" else None
    pairs = edge_universe(len(genes), regulators, self_loops=universe == "all")
    believed = np.zeros_like(true) if known is None else align_network(known, genes)
    ranked = table.assign(weight=_ranking(table))
    returned = table["returned"].to_numpy() if "returned" in table else (table["weight"] != 0).to_numpy()
    network = network_matrix(ranked, genes)
    predicted = network_matrix(ranked.assign(weight=returned.astype(float)), genes) != 0
    rows = [_row(path.name, network, predicted, true, believed, pairs, ranked, reference, universe)]
    if known is not None:
        listed = pd.DataFrame({"source": known.regulators, "target": known.targets, "weight": known.weights})
        rows.append(_row("prior only", believed, believed != 0, true, believed, pairs, listed, reference, universe))
    each = score_regulators(jnp.asarray(network), jnp.asarray(true), jnp.asarray(predicted), pairs)
    by_regulator = pd.DataFrame({"regulator": genes, **{k: np.asarray(v) for k, v in vars(each).items()}})
    by_regulator = by_regulator[(by_regulator["true_targets"] > 0) | (by_regulator["predicted_targets"] > 0)]
    words = {"all": "", "no-self": ", self loops left out", "tf": " of the reference's regulators, self loops left out"}
    lines = [
        f"universe: {int(pairs.sum()):,} pairs of {len(genes):,} genes{words[universe]}; "
        f"{int(((true != 0) & np.asarray(pairs)).sum()):,} of them are true edges of {truth.name}",
        f"BEELINE's scores count the {len(reference.names):,} genes of {truth.name} only",
    ]
    return pd.DataFrame(rows), by_regulator.sort_values("true_targets", ascending=False), lines


def _ranking(table: pd.DataFrame) -> pd.Series:
    """Return by what edges are ranked, with the sign of their effect."""
    if "probability" not in table:
        return table["weight"]
    return np.where(table["weight"] < 0, -1.0, 1.0) * table["probability"]


def _row(name, network, predicted, true, prior, pairs, edges, reference: NamedNetwork, universe: str) -> dict:
    network, true = jnp.asarray(network, jnp.float32), jnp.asarray(true)
    scores = score_network(network, true, jnp.asarray(prior), jnp.asarray(predicted), pairs)
    row: dict = {"network": name, **{key: float(value) for key, value in vars(scores).items()}}
    signed = score_signs(network, true, pairs)
    row["sign_agreement"] = float(signed.agreement)
    row |= {"aupr_activation": float(signed.aupr_activation), "aupr_repression": float(signed.aupr_repression)}
    there = reference.weights != 0
    truth = pd.DataFrame({"source": reference.regulators, "target": reference.targets, "weight": reference.weights})
    beeline = beeline_scores(edges, truth[there], regulators_only=universe == "tf")
    return row | {f"beeline_{key}": value for key, value in vars(beeline).items()}
