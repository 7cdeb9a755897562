"""Whether probabilities are frequencies: of the edges said to be 70 % likely, are 70 % true?"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from dashjax.scoring.metrics import Adjacency, Pairs


class Reliability(eqx.Module):
    """Pairs of genes by the probability stated of them; sums, so that those of several networks add up.

    Attributes:
        pairs: how many have a probability in each bin; bins are equally wide, from 0 to 1.
        expected: how many of them should be true, the sum of their probabilities.
        true: how many are.
    """

    pairs: Float[Array, " bin"]
    expected: Float[Array, " bin"]
    true: Float[Array, " bin"]

    @property
    def stated(self) -> Float[Array, " bin"]:
        """Mean probability in each bin; NaN where it is empty."""
        return self.expected / self.pairs

    @property
    def share(self) -> Float[Array, " bin"]:
        """Share that is true in each bin; NaN where it is empty."""
        return self.true / self.pairs

    @property
    def error(self) -> Float[Array, ""]:
        """Expected calibration error: |stated − share|, averaged over pairs; NaN without any."""
        return jnp.abs(self.expected - self.true).sum() / self.pairs.sum()


def reliability(
    probability: Adjacency, truth: Adjacency, pairs: Pairs | None = None, bins: int = 10, least: float = 0.0
) -> Reliability:
    """Compare stated probabilities with the share that is true, bin by bin.

    Examples:
        >>> probability = jnp.array([[0.0, 0.9, 0.25], [0.05, 0.0, 0.95], [0.35, 0.25, 0.0]])
        >>> truth = jnp.array([[0, 1, 0], [0, 0, 1], [1, 1, 0]])
        >>> found = reliability(probability, truth, ~jnp.eye(3, dtype=bool), bins=5)
        >>> found.pairs.tolist(), found.true.tolist()
        ([1.0, 3.0, 0.0, 0.0, 2.0], [0.0, 2.0, 0.0, 0.0, 2.0])

    Args:
        probability: of every edge, in [0, 1].
        truth: true edges, non-zero.
        pairs: which pairs count; all if None.
        bins: how many.
        least: pairs that are less likely than this do not count. Of all pairs nearly all are no edges and said not to
            be, so that over all of them the error is small whatever is said of the others.
    """
    probability = jnp.asarray(probability)
    counts = probability >= least
    counts = (counts if pairs is None else counts & pairs).astype(jnp.float32)
    place = jnp.clip(jnp.floor(probability * bins).astype(int), 0, bins - 1)

    def per_bin(values):
        return jnp.zeros(bins).at[place.ravel()].add((values * counts).ravel())

    edge = (jnp.asarray(truth) != 0).astype(jnp.float32)
    return Reliability(per_bin(jnp.ones_like(counts)), per_bin(probability), per_bin(edge))


def expected_calibration_error(
    probability: Adjacency, truth: Adjacency, pairs: Pairs | None = None, bins: int = 10, least: float = 0.0
) -> Float[Array, ""]:
    """Return by how much stated probabilities miss the share that is true, averaged over pairs (Naeini 2015).

    Arguments as `reliability`. NaN where no pair counts.
    """
    return reliability(probability, truth, pairs, bins, least).error
