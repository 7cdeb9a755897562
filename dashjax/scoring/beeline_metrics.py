"""BEELINE's scores of ranked edges, number for number, so that networks can be set beside published ones.

BEELINE (Pratapa et al., Nature Methods 2020) declares its universe from the reference network: ordered pairs of the
genes that it names, without self loops. Edges are ranked by magnitude; pairs that are not listed come last, at zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class BeelineScores:
    """Scores as BEELINE defines them; NaN where there is nothing to score.

    Attributes:
        auprc: area under the precision-recall curve, its points joined by straight lines (not average precision).
        early_precision: share of true edges among the k strongest, k being the number of true edges; edges tied with
            the k-th are all taken, edges of weight zero only where there are no others.
        early_precision_ratio: that, over the share of true edges among all pairs.
        activation_ratio: the same of activating edges, where edges that truly repress are left out of the ranking.
        inhibition_ratio: the same of repressing edges.
    """

    auprc: float
    early_precision: float
    early_precision_ratio: float
    activation_ratio: float
    inhibition_ratio: float


def beeline_scores(edges: pd.DataFrame, reference: pd.DataFrame, regulators_only: bool = False) -> BeelineScores:
    """Score ranked edges against a reference network as BEELINE does.

    Args:
        edges: columns source, target, weight; of repeated edges the strongest counts.
        reference: true edges, columns source, target, weight; a negative weight is repression. Of repeated edges the
            last counts.
        regulators_only: BEELINE's `tf_edges`: only pairs whose regulator has a target in the reference enter the
            early precision (never the area, nor the signed ratios).
    """
    genes = sorted(set(reference["source"]) | set(reference["target"]))
    place = {gene: number for number, gene in enumerate(genes)}
    size = len(genes)
    truth = np.zeros((size, size))
    for source, target, weight in reference[["source", "target", "weight"]].itertuples(index=False):
        truth[place[source], place[target]] = weight
    loops = np.eye(size, dtype=bool)
    score = np.full((size, size), -1.0)  # below any listed edge, though it may be listed at zero
    outside: dict[tuple[str, str], float] = {}
    for source, target, weight in edges[["source", "target", "weight"]].itertuples(index=False):
        if source == target:
            continue
        if source in place and target in place:
            at = place[source], place[target]
            score[at] = max(score[at], abs(weight))
        else:
            outside[source, target] = max(outside.get((source, target), 0.0), abs(weight))
    pairs = ~loops
    true = (truth != 0) & pairs
    # Edges to genes that the reference lacks compete for places all the same, unless regulators are declared.
    foreign = np.array(list(outside.values()))
    eligible, others = pairs, foreign
    if regulators_only:
        eligible, others = pairs & true.any(axis=1)[:, None], foreign[:0]
    early = _early_precision(score[eligible], true[eligible], others, int(true.sum()))
    share = true.sum() / max(eligible.sum(), 1)
    signed = {}
    for sign in (1, -1):
        mine, opposite = true & (truth * sign > 0), true & (truth * sign < 0)
        kept = pairs & ~opposite
        found = _early_precision(score[kept], mine[kept], foreign, int(mine.sum()), empty=float("nan"))
        signed[sign] = float(found * pairs.sum() / mine.sum()) if mine.any() else float("nan")
    return BeelineScores(
        auprc=_area(np.maximum(score[pairs], 0.0), true[pairs]),
        early_precision=early,
        early_precision_ratio=float(early / share) if share else float("nan"),
        activation_ratio=signed[1],
        inhibition_ratio=signed[-1],
    )


def _area(score: np.ndarray, true: np.ndarray) -> float:
    """Return the area under precision over recall, from (0, 1) on, by the trapezoidal rule."""
    if not true.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)
    hits = np.cumsum(true[order])[last]
    precision = np.append(1.0, hits / (np.flatnonzero(last) + 1))
    recall = np.append(0.0, hits / hits[-1])
    return float(np.sum(np.diff(recall) * (precision[1:] + precision[:-1]) / 2))


def _early_precision(score: np.ndarray, true: np.ndarray, others: np.ndarray, wanted: int, empty: float = 0.0) -> float:
    """Return the precision of the strongest edges, `others` being edges that cannot be true; `empty` if none is."""
    if not wanted:
        return float("nan")
    listed = np.sort(np.append(score[score >= 0], others))[::-1]
    if not len(listed):
        return empty
    # Edges of weight zero are no predictions, unless there are no others.
    least = max(listed[min(wanted, len(listed)) - 1], min(listed[listed > 0], default=0.0))
    return float(true[score >= least].sum() / (listed >= least).sum())
