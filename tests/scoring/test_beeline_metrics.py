import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from dashjax.scoring import beeline_scores


def frame(edges):
    return pd.DataFrame(edges, columns=["source", "target", "weight"])


REFERENCE = frame([("A", "B", 1), ("A", "C", -1), ("B", "C", 1), ("C", "C", 1)])


def test_area_is_that_of_scikit_learns_curve_over_all_pairs_of_the_references_genes():
    rng = np.random.default_rng(0)
    genes = list("ABCDEFGH")
    pairs = [(a, b) for a in genes for b in genes if a != b]
    truth = rng.random(len(pairs)) < 0.3
    for weights in (rng.normal(size=len(pairs)), rng.integers(-2, 3, len(pairs)).astype(float)):
        edges = frame([(*pair, weight) for pair, weight in zip(pairs, weights, strict=True)])
        reference = frame([(*pair, 1.0) for pair, true in zip(pairs, truth, strict=True) if true])
        precision, recall, _ = sk.precision_recall_curve(truth, np.abs(weights))
        assert beeline_scores(edges, reference).auprc == pytest.approx(sk.auc(recall, precision), abs=1e-12)


def test_early_precision_takes_all_edges_tied_with_the_last_place():
    edges = frame([("A", "B", -5), ("B", "A", 2), ("B", "C", 2), ("C", "A", 2), ("C", "B", 1), ("C", "C", 9)])
    scores = beeline_scores(edges, REFERENCE)
    # Three true edges without the self loop; four predictions share the third place or better, two are true.
    assert scores.early_precision == pytest.approx(2 / 4)
    assert scores.early_precision_ratio == pytest.approx((2 / 4) / (3 / 6))


def test_edges_between_other_genes_compete_unless_regulators_are_declared():
    edges = frame([("X", "Y", 9), ("C", "A", 5), ("A", "B", 4), ("B", "C", 3)])
    assert beeline_scores(edges, REFERENCE).early_precision == pytest.approx(1 / 3)
    declared = beeline_scores(edges, REFERENCE, regulators_only=True)
    assert declared.early_precision == pytest.approx(2 / 2)  # A and B regulate: C and X do not count
    assert declared.early_precision_ratio == pytest.approx(1 / (3 / 4))


def test_signed_ratios_leave_out_what_has_the_other_sign():
    edges = frame([("A", "C", 9), ("A", "B", 5), ("C", "A", 4), ("B", "C", 3)])
    scores = beeline_scores(edges, REFERENCE)
    # Activation: A → C is known to repress, so the best two are A → B and C → A.
    assert scores.activation_ratio == pytest.approx((1 / 2) / (2 / 6))
    assert scores.inhibition_ratio == pytest.approx(1 / (1 / 6))


def test_nothing_to_score_is_nan_and_nothing_predicted_is_zero():
    assert np.isnan(beeline_scores(frame([("A", "B", 1)]), frame([("A", "A", 1)])).auprc)
    scores = beeline_scores(frame([]), REFERENCE)
    assert scores.early_precision == 0
    assert scores.auprc == pytest.approx((1 + 0.5) / 2)  # all pairs tied: one point, joined with (0, 1)
