"""Making a prior wrong on purpose: relocate, drop, add or flip a share of its edges."""

from __future__ import annotations

import numpy as np

from dashjax.errors import InputError


def _edges(network: np.ndarray, share: float, name: str) -> tuple[np.ndarray, int]:
    if not 0 <= share <= 1:
        raise InputError(f"{name}: must be between 0 and 1, got {share:g}")
    edges = np.argwhere(network != 0)
    return edges, round(share * len(edges))


def relocate_edges(rng: np.random.Generator, network: np.ndarray, share: float) -> np.ndarray:
    """Move a share of the edges to random pairs that held none: the published prior corruption.

    A moved edge keeps its weight. Pairs of a gene with itself are left out, as in the truth.

    Examples:
        >>> truth = np.eye(10, k=1)
        >>> moved = relocate_edges(np.random.default_rng(0), truth, share=1 / 3)
        >>> int((moved != 0).sum()), int(((moved != 0) & (truth != 0)).sum())
        (9, 6)

    Args:
        rng: source of the choice.
        network: signed weights (regulator, target).
        share: fraction of the edges to move, in [0, 1].
    """
    return _add(rng, *_drop(rng, network, share, "relocate"))


def drop_edges(rng: np.random.Generator, network: np.ndarray, share: float) -> np.ndarray:
    """Remove a share of the edges."""
    return _drop(rng, network, share, "drop")[0]


def add_edges(rng: np.random.Generator, network: np.ndarray, share: float) -> np.ndarray:
    """Add false edges, as many as the given share of the existing ones, with weights drawn from those."""
    edges, count = _edges(network, share, "add")
    weights = network[tuple(edges.T)]
    return _add(rng, network.copy(), rng.choice(weights, count) if count else np.zeros(0), network != 0)


def flip_signs(rng: np.random.Generator, network: np.ndarray, share: float) -> np.ndarray:
    """Turn a share of the activations into repressions and the other way round."""
    edges, count = _edges(network, share, "flip")
    flipped = network.copy()
    chosen = edges[rng.permutation(len(edges))[:count]]
    flipped[tuple(chosen.T)] *= -1
    return flipped


def _drop(rng, network, share, name):
    edges, count = _edges(network, share, name)
    chosen = edges[rng.permutation(len(edges))[:count]]
    remaining = network.copy()
    weights = network[tuple(chosen.T)]
    remaining[tuple(chosen.T)] = 0
    return remaining, weights, network != 0


def _add(rng, network, weights, occupied):
    free = ~occupied
    np.fill_diagonal(free, False)
    places = np.flatnonzero(free)
    if len(places) < len(weights):
        raise InputError(f"prior corruption: {len(weights)} false edges asked for, {len(places)} pairs are free")
    network = network.copy()
    network.ravel()[rng.choice(places, len(weights), replace=False)] = weights
    return network
