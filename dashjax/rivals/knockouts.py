"""What knock-outs say by themselves: how far each gene's moves every other gene."""

from __future__ import annotations

import numpy as np

from dashjax.data import RestSamples
from dashjax.data.settled import MEDIAN_DEVIATION
from dashjax.rivals.base import Rival, knocked_out, measured_levels


def knockout_effect_network(rest: RestSamples, prior: np.ndarray, seed: int) -> np.ndarray:
    """Score pairs by how far the target is from its usual level where the regulator alone is knocked out.

    That is |level − median|, averaged over the samples of that knock-out; the median is over all samples. An activator
    is one without which the target is low. Regulators that were never knocked out score zero.
    """
    levels, out = measured_levels(rest), knocked_out(rest).astype(float)
    shift = levels - _medians(levels)
    # What was not measured counts in no average.
    count = np.maximum(out.T @ ~np.isnan(shift), 1)
    shift = np.nan_to_num(shift)
    scores = np.where(out.T @ shift > 0, -1.0, 1.0) * (out.T @ np.abs(shift)) / count
    np.fill_diagonal(scores, 0.0)
    return scores


def knockout_zscore_network(rest: RestSamples, prior: np.ndarray, seed: int) -> np.ndarray:
    """Score pairs as `knockout_effect_network`, in robust standard deviations of the target over all samples.

    Where more than half of the samples agree, so that the median absolute deviation is zero, it is the plain one.
    """
    levels = measured_levels(rest)
    deviation = MEDIAN_DEVIATION * _medians(np.abs(levels - _medians(levels)))
    filled = np.where(np.isnan(levels), _medians(levels), levels)
    deviation = np.where(deviation > 0, deviation, filled.std(axis=0))
    return knockout_effect_network(rest, prior, seed) / np.where(deviation > 0, deviation, 1.0)


def _medians(levels: np.ndarray) -> np.ndarray:
    """Return every gene's median over the samples that measured it; 0 where none did."""
    measured = ~np.isnan(levels).all(axis=0)
    return np.array([np.nanmedian(column) if there else 0.0 for column, there in zip(levels.T, measured, strict=True)])


KNOCKOUT_EFFECT = Rival(
    "knockout_effect",
    "how far each knock-out moves the target",
    knockout_effect_network,
    needs_rest=True,
    needs_knockouts=True,
)
KNOCKOUT_ZSCORE = Rival(
    "knockout_zscore",
    "how far each knock-out moves the target, in its robust standard deviations",
    knockout_zscore_network,
    needs_rest=True,
    needs_knockouts=True,
)
