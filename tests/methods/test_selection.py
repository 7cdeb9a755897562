"""The one-standard-error rule, by hand."""

import numpy as np
import pytest

from dashjax.methods import Setting, score_setting, sparsest_within_one_error


def scored(trust, errors, sparsity):
    return score_setting(Setting((trust, trust)), errors, [sparsity] * len(errors))


def test_the_sparsest_close_to_the_best_wins():
    best = scored(0.1, [1.0, 1.2, 1.4], 0.5)
    assert best.error == pytest.approx(1.2)
    assert best.standard_error == pytest.approx(0.2 / np.sqrt(3))
    close, sparser = scored(0.2, [1.3] * 3, 0.8), scored(0.3, [1.31] * 3, 0.801)
    too_far = scored(0.4, [1.35] * 3, 0.99)
    # .8 and .801 are the same whole per cent, so the more accurate of the two wins.
    assert sparsest_within_one_error([best, close, sparser, too_far]) == (close, best)


def test_a_setting_that_diverged_is_out():
    healthy = scored(0.1, [2.0, 2.0], 0.1)
    assert sparsest_within_one_error([scored(0.2, [np.nan, 1.0], 0.9), healthy]) == (healthy, healthy)
    assert sparsest_within_one_error([scored(0.2, [np.nan], 0.9)]) is None
