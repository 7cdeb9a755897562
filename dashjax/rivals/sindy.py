"""SINDy: sparse regression of derivatives on a library of functions, here the genes themselves and a constant."""

from __future__ import annotations

import warnings

import numpy as np

from dashjax.data import Trajectories
from dashjax.errors import InputError
from dashjax.rivals.base import Rival

#: Coefficients below this, in standard deviations, are set to zero, and the ridge that steadies the rest.
THRESHOLD, RIDGE_PENALTY = 0.02, 0.05


def sindy_network(observed: Trajectories, prior: np.ndarray, seed: int) -> np.ndarray:
    """Score pairs by SINDy's coefficients (Brunton et al., PNAS 2016): thresholded in turns, on standardised genes."""
    try:
        import pysindy
    except ImportError:
        raise InputError("sindy needs pysindy: pip install 'dashjax[compare]'") from None
    seen = np.asarray(observed.observed)
    states = [np.asarray(e, float)[s] for e, s in zip(observed.expression, seen, strict=True)]
    times = [np.asarray(t, float)[s] for t, s in zip(observed.times, seen, strict=True)]
    everything = np.concatenate(states)
    deviation = everything.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    # Time in units in which a trajectory lasts about one, so that the threshold means the same everywhere.
    unit = np.median([t[-1] - t[0] for t in times])
    model = pysindy.SINDy(
        optimizer=pysindy.STLSQ(threshold=THRESHOLD, alpha=RIDGE_PENALTY),
        feature_library=pysindy.PolynomialLibrary(degree=1),
        differentiation_method=pysindy.FiniteDifference(order=1),
    )
    with warnings.catch_warnings():
        # A gene without any regulator is an answer.
        warnings.filterwarnings("ignore", message="Sparsity parameter is too big")
        model.fit([(s - everything.mean(axis=0)) / deviation for s in states], t=[t / unit for t in times])
    network = np.asarray(model.coefficients())[:, 1:].T.copy()
    np.fill_diagonal(network, 0.0)
    return network


SINDY = Rival("sindy", "sparse identification of linear dynamics (pysindy)", sindy_network)
