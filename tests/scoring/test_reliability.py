"""Reliability and calibration error by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from dashjax.scoring import edge_universe, expected_calibration_error, reliability

PROBABILITY = jnp.array([[0.9, 0.31, 0.0], [0.35, 0.9, 0.95], [0.39, 1.0, 0.9]])
TRUTH = jnp.array([[0, 1, 0], [0, 0, -2], [0, 1, 0]])
PAIRS = edge_universe(3)


def test_bins_are_counted_by_hand():
    found = reliability(PROBABILITY, TRUTH, PAIRS, bins=5)
    # 0.0 is in the first bin, 0.31, 0.35 and 0.39 are in the second, 0.95 and 1.0 in the last; signs do not matter.
    np.testing.assert_allclose(found.pairs, [1, 3, 0, 0, 2])
    np.testing.assert_allclose(found.expected, [0.0, 1.05, 0, 0, 1.95], rtol=1e-6)
    np.testing.assert_allclose(found.true, [0, 1, 0, 0, 2])
    np.testing.assert_allclose(found.stated, [0, 0.35, np.nan, np.nan, 0.975], rtol=1e-6)
    np.testing.assert_allclose(found.share, [0, 1 / 3, np.nan, np.nan, 1.0], rtol=1e-6)


def test_the_error_is_the_mean_distance_over_pairs():
    # (0 + |1.05 − 1| + |1.95 − 2|) / 6; without the pair that is surely none, over five.
    assert float(expected_calibration_error(PROBABILITY, TRUTH, PAIRS, bins=5)) == pytest.approx(0.1 / 6)
    assert float(expected_calibration_error(PROBABILITY, TRUTH, PAIRS, bins=5, least=0.01)) == pytest.approx(0.1 / 5)
    # In one bin too much here makes up for too little there.
    assert float(expected_calibration_error(PROBABILITY, TRUTH, PAIRS, bins=1)) == pytest.approx(0.0, abs=1e-6)


def test_a_sure_and_wrong_network_has_error_one_and_nothing_asked_none():
    assert float(expected_calibration_error(1.0 - (TRUTH != 0), TRUTH)) == 1.0
    assert np.isnan(expected_calibration_error(PROBABILITY, TRUTH, jnp.zeros((3, 3), bool)))


def test_drawn_truths_are_calibrated():
    rng = np.random.default_rng(0)
    probability = rng.uniform(size=(300, 300))
    truth = rng.random((300, 300)) < probability
    assert float(expected_calibration_error(jnp.asarray(probability), jnp.asarray(truth))) < 0.01
    # Odds that are doubled in the logarithm are too sure.
    sharp = probability**2 / (probability**2 + (1 - probability) ** 2)
    found = reliability(jnp.asarray(sharp), jnp.asarray(truth))
    assert 0.09 < float(found.error) < 0.12
    assert (found.share[:5] > found.stated[:5]).all()
    assert (found.share[5:] < found.stated[5:]).all()
