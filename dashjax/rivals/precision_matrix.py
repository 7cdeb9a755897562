"""PORTIA: a precision matrix of power-transformed levels, weighted by what knock-outs do."""

from __future__ import annotations

import warnings

import numpy as np

from dashjax.data import RestSamples
from dashjax.errors import InputError
from dashjax.rivals.base import Rival, knocked_out


def portia_network(rest: RestSamples, prior: np.ndarray, seed: int) -> np.ndarray:
    """Score pairs as PORTIA (Passemiers et al., Bioinformatics 2022), which is told the single knock-outs.

    Its settings are its defaults. Genes that were held but not knocked out count as measured.
    """
    try:
        import portia
    except ImportError:
        raise InputError("portia needs portia-grn: pip install portia-grn") from None
    levels = np.asarray(rest.levels, float)
    if len(levels) < 2:
        raise InputError("portia needs at least two samples at rest")
    dataset = portia.GeneExpressionDataset()
    for number, (row, out) in enumerate(zip(levels, knocked_out(rest), strict=True)):
        dataset.add(portia.Experiment(number, row, knockout=[int(gene) for gene in np.flatnonzero(out)]))
    with warnings.catch_warnings():
        # It shifts negative levels itself.
        warnings.filterwarnings("ignore", message="Expression data contain negative values")
        scores = np.array(portia.run(dataset, method="fast", verbose=False))
    np.fill_diagonal(scores, 0.0)
    return scores


PORTIA = Rival(
    "portia",
    "precision matrix and knock-outs (portia-grn)",
    portia_network,
    needs_rest=True,
    needs_package="portia-grn",
)
