"""How close a network is to the truth, and what it adds to the prior it was given.

Every function takes one network as (regulator, target) arrays, works under jit and vmap, and counts
all ordered pairs of genes unless `pairs` says which ones count, see `edge_universe`.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

Adjacency = Float[Array, "regulator target"]
Pairs = Bool[Array, "regulator target"]


class NetworkScores(eqx.Module):
    """Scores of one network against the truth.

    Attributes:
        balanced_accuracy: (true-positive rate + true-negative rate)/2, an edge being a non-zero.
        precision: share of predicted edges that are true.
        recall: share of true edges that are predicted.
        aupr: area under precision–recall of the ranking by magnitude (average precision).
        auroc: area under the receiver operating characteristic of the same ranking.
        early_precision: share of true edges among the top as many pairs as there are true edges.
        aupr_outside_prior: average precision over pairs that are not prior edges: missing edges found.
        aupr_inside_prior: average precision over prior edges: true ones ranked above false ones.
        informedness_outside_prior: share of the missing edges that are predicted, less that of the absent pairs.
        informedness_inside_prior: share of the true prior edges that are predicted, less that of the false ones.
        n_edges: predicted edges.
    """

    balanced_accuracy: Float[Array, ""]
    precision: Float[Array, ""]
    recall: Float[Array, ""]
    aupr: Float[Array, ""]
    auroc: Float[Array, ""]
    early_precision: Float[Array, ""]
    aupr_outside_prior: Float[Array, ""]
    aupr_inside_prior: Float[Array, ""]
    informedness_outside_prior: Float[Array, ""]
    informedness_inside_prior: Float[Array, ""]
    n_edges: Float[Array, ""]


class RegulatorScores(eqx.Module):
    """Scores of each regulator's targets against the true ones; NaN where it has none.

    Attributes:
        true_targets: how many it has.
        predicted_targets: how many it is said to have.
        precision: share of predicted targets that are true.
        recall: share of true targets that are predicted.
        aupr: average precision of its targets' ranking.
    """

    true_targets: Float[Array, " regulator"]
    predicted_targets: Float[Array, " regulator"]
    precision: Float[Array, " regulator"]
    recall: Float[Array, " regulator"]
    aupr: Float[Array, " regulator"]


class SignScores(eqx.Module):
    """Scores that tell activation from repression.

    Attributes:
        agreement: share of the true edges that are predicted, whose sign is right.
        aupr_activation: average precision of ranking pairs by how strongly they activate, against the activating edges.
        aupr_repression: the same of repression.
    """

    agreement: Float[Array, ""]
    aupr_activation: Float[Array, ""]
    aupr_repression: Float[Array, ""]


def edge_universe(
    genes: int, regulators: Bool[Array, " gene"] | None = None, self_loops: bool = False
) -> Bool[Array, "regulator target"]:
    """Return which pairs of genes count in scores.

    Args:
        genes: number of genes.
        regulators: which of them may regulate, as transcription factors do; all if None.
        self_loops: whether a gene may regulate itself.
    """
    may = jnp.ones(genes, bool) if regulators is None else jnp.asarray(regulators, bool)
    pairs = jnp.broadcast_to(may[:, None], (genes, genes))
    return pairs if self_loops else pairs & ~jnp.eye(genes, dtype=bool)


def score_network(
    network: Adjacency,
    truth: Adjacency,
    prior: Adjacency,
    predicted: Pairs | None = None,
    pairs: Pairs | None = None,
) -> NetworkScores:
    """Score a network's edges (non-zeros) and its ranking (magnitudes) against the true edges.

    Examples:
        Of three edges two are true, one of them beyond the prior:

        >>> truth = jnp.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]])
        >>> prior = jnp.array([[0, 1, 0], [0, 0, 0], [1, 0, 0]])
        >>> network = jnp.array([[0, 0.9, 0.2], [0, 0, 0], [0.3, 0, 0]])
        >>> scores = score_network(network, truth, prior, pairs=edge_universe(3))
        >>> [round(float(score), 2) for score in (scores.precision, scores.recall, scores.aupr)]
        [0.67, 0.67, 0.72]

    Args:
        network: weights of the network to score.
        truth: true edges, non-zero.
        prior: the prior edges the method was given, non-zero.
        predicted: the edges it returns; the network's non-zeros if None.
        pairs: which pairs count; all if None.

    Returns:
        The scores, none of which has a unit; NaN where there is nothing to divide by.
    """
    score, edge, known = jnp.abs(network), jnp.asarray(truth) != 0, jnp.asarray(prior) != 0
    predicted = network != 0 if predicted is None else predicted
    counts = jnp.ones_like(edge) if pairs is None else pairs
    predicted, edge = predicted & counts, edge & counts
    return NetworkScores(
        balanced_accuracy=balanced_accuracy(predicted, edge, pairs),
        precision=_ratio((predicted & edge).sum(), predicted.sum()),
        recall=_ratio((predicted & edge).sum(), edge.sum()),
        aupr=average_precision(score, edge, pairs),
        auroc=auroc(score, edge, pairs),
        early_precision=early_precision(jnp.where(counts, score, 0.0), edge),
        aupr_outside_prior=average_precision(score, edge, counts & ~known),
        aupr_inside_prior=average_precision(score, edge, counts & known),
        informedness_outside_prior=informedness(predicted, edge, counts & ~known),
        informedness_inside_prior=informedness(predicted, edge, counts & known),
        n_edges=predicted.sum().astype(jnp.float32),
    )


def score_regulators(
    network: Adjacency, truth: Adjacency, predicted: Pairs | None = None, pairs: Pairs | None = None
) -> RegulatorScores:
    """Score each regulator's row of a network by itself; arguments as `score_network`."""
    score, edge = jnp.abs(network), jnp.asarray(truth) != 0
    counts = jnp.ones_like(edge) if pairs is None else pairs
    predicted = (network != 0 if predicted is None else predicted) & counts
    edge = edge & counts
    hits, found, there = (part.sum(axis=1) for part in (predicted & edge, predicted, edge))
    return RegulatorScores(
        true_targets=there.astype(jnp.float32),
        predicted_targets=found.astype(jnp.float32),
        precision=_ratio(hits, found),
        recall=_ratio(hits, there),
        aupr=jax.vmap(average_precision)(score, edge, counts),
    )


def score_signs(network: Adjacency, truth: Adjacency, pairs: Pairs | None = None) -> SignScores:
    """Score the signs of a network against those of the true edges; arguments as `score_network`."""
    truth = jnp.asarray(truth)
    counts = jnp.ones(truth.shape, bool) if pairs is None else pairs
    both = (network != 0) & (truth != 0) & counts
    return SignScores(
        agreement=_ratio((both & (jnp.sign(network) == jnp.sign(truth))).sum(), both.sum()),
        aupr_activation=average_precision(jnp.maximum(network, 0.0), truth > 0, pairs),
        aupr_repression=average_precision(jnp.maximum(-network, 0.0), truth < 0, pairs),
    )


def informedness(predicted: Pairs, truth: Pairs, pairs: Pairs | None = None) -> Float[Array, ""]:
    """Return the true-positive less the false-positive rate (Youden's J): 0 for guesses of any number, 1 at best.

    Outside a prior it is 0 for the prior alone, which claims nothing there, and inside too, for it claims everything
    there: what is above is what a network adds.
    """
    return 2 * balanced_accuracy(predicted, truth, pairs) - 1


def balanced_accuracy(predicted: Pairs, truth: Pairs, pairs: Pairs | None = None) -> Float[Array, ""]:
    """Return the mean of the true-positive and the true-negative rate."""
    counts = jnp.ones_like(truth) if pairs is None else pairs
    positive = _ratio((predicted & truth & counts).sum(), (truth & counts).sum())
    negative = _ratio((~predicted & ~truth & counts).sum(), (~truth & counts).sum())
    return (positive + negative) / 2


def average_precision(score: Adjacency, truth: Pairs, pairs: Pairs | None = None) -> Float[Array, ""]:
    """Return Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct score thresholds; NaN where no pair is true.

    Tied pairs enter together, as in scikit-learn, so the order of genes does not matter.
    """
    true, false, last = _counts_by_threshold(score, truth, pairs)
    previous = _shift(_last_before(true, last))
    gain = jnp.where(last, true - previous, 0.0)
    return _ratio(jnp.sum(gain * true / jnp.maximum(true + false, 1.0)), true[-1])


def auroc(score: Adjacency, truth: Pairs, pairs: Pairs | None = None) -> Float[Array, ""]:
    """Return the area under the receiver operating characteristic, ties counting half."""
    true, false, last = _counts_by_threshold(score, truth, pairs)
    true_before, false_before = _shift(_last_before(true, last)), _shift(_last_before(false, last))
    area = jnp.where(last, (false - false_before) * (true + true_before) / 2, 0.0)
    # Divided before summing: the product of the totals overflows float32's exact integers.
    return _ratio(jnp.sum(_ratio(area, false[-1])), true[-1])


def early_precision(score: Adjacency, truth: Pairs) -> Float[Array, ""]:
    """Return the precision among the top T pairs, T being the number of true edges.

    Pairs tied at the threshold share the places that are left, so the value is the expected one.
    Pairs of score zero are not predicted and never fill a place.
    """
    score, truth = score.ravel(), truth.ravel()
    wanted = truth.sum()
    threshold = jnp.sort(score)[::-1][jnp.clip(wanted - 1, 0, score.size - 1)]
    above, at = score > threshold, (score == threshold) & (score > 0)
    places = (wanted - above.sum()) * _ratio((at & truth).sum(), at.sum(), empty=0.0)
    return _ratio((above & truth).sum() + places, wanted)


def _counts_by_threshold(score, truth, pairs):
    """Sort by falling score; return cumulative true and false counts, and each tie's last place."""
    score, truth = score.ravel(), truth.ravel()
    counts = jnp.ones_like(truth) if pairs is None else pairs.ravel()
    order = jnp.argsort(-score)
    score, truth, counts = score[order], truth[order], counts[order]
    true = jnp.cumsum((truth & counts).astype(jnp.float32))
    false = jnp.cumsum((~truth & counts).astype(jnp.float32))
    last = jnp.concatenate([score[1:] != score[:-1], jnp.ones(1, bool)])
    return true, false, last


def _last_before(count, last):
    """Carry each threshold's count forward to the places after it."""
    return jnp.maximum.accumulate(jnp.where(last, count, 0.0))


def _shift(values):
    return jnp.concatenate([jnp.zeros(1, values.dtype), values[:-1]])


def _ratio(numerator, denominator, empty=jnp.nan):
    """Divide, with `empty` where there is nothing to divide by."""
    safe = jnp.where(denominator == 0, 1, denominator)
    return jnp.where(denominator == 0, empty, numerator / safe)
