"""How much the data add to a prior: whether its own edges are found again when they are hidden.

Edges of the prior are hidden, and evidence is weighed as if nobody had stated them. If it then puts them before other
pairs better than the out-degree of their regulators does, the data add to the prior, and edges that nobody stated may
be believed as far; if not, a network is its prior in other words. This needs no truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from dashjax.data import Prior
from dashjax.scoring import average_precision

#: Standard errors, over regulators, by which hidden edges must be likelier with the data than without.
SURE = 2.0
#: Fewest hidden edges, and regulators of such, that say anything.
LEAST_HIDDEN, LEAST_ASKED = 10, 3
#: Share of a prior's edges that are hidden from a posterior.
HIDDEN_SHARE = 0.25
#: Prior edges from which on a posterior's can be hidden and asked for.
ASKABLE = round(LEAST_HIDDEN / HIDDEN_SHARE)
#: How far the log odds of one pair may reach.
MOST_ODDS = 10.0
#: Probabilities that divide edges by how sure they are.
PROBABILITY_BINS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 1.0)


#: What a store calls the numbers of each of them.
_BIN_NAMES = [
    (f"hidden_pairs_{number}", f"hidden_expected_{number}", f"hidden_found_{number}")
    for number in range(len(PROBABILITY_BINS) - 1)
]


@dataclass(frozen=True)
class FoundAgain:
    """How well hidden prior edges are found again.

    Attributes:
        edges: how many were hidden.
        chance: their share among the pairs that were asked about.
        by_degree: area under the precision–recall curve of their regulators' out-degree in the rest of the prior.
        aupr: the same of the data and out-degree together.
        gain: by how many standard errors, over regulators, the data make the hidden edges likelier than out-degree
            alone does.
        bins: for each of `PROBABILITY_BINS`, of the pairs that were asked about and have such a probability: how many
            they are, how many edges are expected among them, and how many hidden edges are.
    """

    edges: float
    chance: float
    by_degree: float
    aupr: float
    gain: float
    bins: tuple[tuple[float, float, float], ...] = ()

    @property
    def added(self) -> bool:
        """Whether the data add to the prior, as far as this can tell."""
        return self.gain >= SURE and self.aupr > self.by_degree

    @classmethod
    def of(cls, numbers: Mapping[str, Any]) -> FoundAgain | None:
        """Return it from named numbers, as `arrays` names them; None where they are not there."""
        names = [part.name for part in fields(cls) if part.name != "bins"]
        if not all(f"hidden_{name}" in numbers for name in names):
            return None
        known = [row for row in _BIN_NAMES if set(row) <= set(numbers)]
        bins = tuple((float(numbers[a]), float(numbers[b]), float(numbers[c])) for a, b, c in known)
        return cls(**{name: float(numbers[f"hidden_{name}"]) for name in names}, bins=bins)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the numbers as named arrays, for a store."""
        numbers = {f"hidden_{name}": value for name, value in asdict(self).items() if name != "bins"}
        for names, row in zip(_BIN_NAMES, self.bins, strict=False):
            numbers |= dict(zip(names, row, strict=True))
        return {name: np.asarray(value) for name, value in numbers.items()}

    def describe(self) -> str:
        """Say it in words."""
        numbers = (
            f"{self.edges:.0f} edges of the prior were hidden: the data find them again with an AUPR of "
            f"{self.aupr:.2g}, out-degree alone with {self.by_degree:.2g}, chance is {self.chance:.2g}"
        )
        if self.added:
            return f"{numbers}; so the data add to the prior"
        return f"{numbers}; so the data add nothing to the prior that can be told"


def found_again(
    evidence: Float[np.ndarray, "target regulator"],
    degree: Float[np.ndarray, "target regulator"],
    hidden: Float[np.ndarray, "target regulator"],
    asked: Bool[np.ndarray, "target regulator"],
    probability: Float[np.ndarray, "target regulator"],
) -> FoundAgain | None:
    """Compare the data's and the out-degree's word on hidden edges; None where there are too few to tell.

    Log odds of being a hidden edge are fitted, linear in both and in out-degree alone, and the difference of their
    log-likelihoods is summed over every regulator's pairs: regulators, not pairs, are independent draws.

    Args:
        evidence: what the data say of every pair, the larger the likelier.
        degree: log of one plus a regulator's prior confidence in other targets, as `odds_features`.
        hidden: prior confidence in the hidden edges, zero elsewhere.
        asked: the pairs that hidden edges are to be told from, themselves among them.
        probability: of every pair, by evidence that did not see it stated.
    """
    stated = np.where(asked, np.clip(hidden, 0.0, 1.0), 0.0)
    regulators = (stated > 0).any(axis=0)
    if (stated > 0).sum() < LEAST_HIDDEN or regulators.sum() < LEAST_ASKED:
        return None
    constant = np.ones_like(degree)
    without = np.stack([constant, degree], axis=-1)
    both = np.stack([constant, evidence, degree], axis=-1)
    odds = [pairs @ fit_logistic(pairs[asked], stated[asked])[0] for pairs in (without, both)]
    likelihoods = [np.where(asked, stated * logit - np.logaddexp(0.0, logit), 0.0).sum(axis=0) for logit in odds]
    gain = (likelihoods[1] - likelihoods[0])[regulators]
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    areas = [
        float(average_precision(jnp.asarray(logit), jnp.asarray(stated > 0), jnp.asarray(asked))) for logit in odds
    ]
    return FoundAgain(
        edges=float((stated > 0).sum()),
        chance=float((stated > 0).sum() / asked.sum()),
        by_degree=areas[0],
        aupr=areas[1],
        gain=float(gain.mean() / max(error, 1e-12)),
        bins=_by_probability(probability[asked], stated[asked] > 0),
    )


def _by_probability(
    probability: Float[np.ndarray, " pair"], hidden: Bool[np.ndarray, " pair"]
) -> tuple[tuple[float, float, float], ...]:
    """Count pairs, expected edges and hidden edges by probability."""
    place = np.searchsorted(PROBABILITY_BINS[1:-1], probability, side="right")
    count = len(PROBABILITY_BINS) - 1
    columns = (np.bincount(place, weights, count) for weights in (None, probability, hidden.astype(float)))
    return tuple((float(pairs), float(expected), float(found)) for pairs, expected, found in zip(*columns, strict=True))


def hide(prior: Prior, seed: int) -> tuple[Prior, Bool[np.ndarray, "regulator target"]]:
    """Return a prior without a share of its edges, drawn by a seed, and which these are."""
    regulator, target = prior.pairs()
    number = round(HIDDEN_SHARE * len(regulator))
    drawn = np.random.default_rng([seed, 8]).permutation(len(regulator))[:number]
    hidden = np.zeros(prior.edges.shape, bool)
    hidden[regulator[drawn], target[drawn]] = True
    rest = jax.tree.map(lambda part: jnp.where(hidden, 0.0, part), (prior.edges, prior.sources))
    return eqx.tree_at(lambda p: (p.edges, p.sources), prior, rest, is_leaf=lambda leaf: leaf is None), hidden


def hidden_edges_found(prior: Prior, probability, allowed, seed: int) -> FoundAgain | None:
    """Return how well a posterior found the edges that `hide` left out of its prior.

    Args:
        prior: with all edges.
        probability: of every pair, by a posterior that saw the prior without them (regulator, target).
        allowed: which genes may regulate, booleans (gene,).
        seed: as for `hide`.
    """
    left, hidden = hide(prior, seed)
    confidence, kept = (np.abs(np.asarray(part, float)).T for part in (prior.edges, left.edges))
    asked = allowed[None, :] & ~np.eye(len(kept), dtype=bool) & (kept == 0)
    probability = np.clip(np.asarray(probability, float).T, 1e-12, 1 - 1e-7)
    evidence = np.clip(np.log(probability) - np.log1p(-probability), -MOST_ODDS, MOST_ODDS)
    degree = np.log1p(kept.sum(axis=0) - kept)
    return found_again(evidence, degree, np.where(hidden.T, confidence, 0.0), asked, probability)


def fit_logistic(
    inputs: Float[np.ndarray, "pair feature"], stated: Float[np.ndarray, " pair"]
) -> tuple[Float[np.ndarray, " feature"], float]:
    """Fit log odds that a pair is stated, linear in its features, of which the first is a constant (Newton's method).

    No coefficient but the constant is negative: more evidence never makes an edge less likely.

    Args:
        inputs: of every pair.
        stated: confidence in every pair, in [0, 1].

    Returns:
        Coefficients, and the mean log-likelihood per pair.
    """
    scale = np.maximum(inputs.std(axis=0), 1e-9)
    scale[0] = 1.0
    inputs = inputs / scale
    # A vague normal belief about each coefficient, per standard deviation of its feature, where nothing else decides.
    belief = np.array([0.0, *[0.1] * (inputs.shape[1] - 1)])
    share = np.clip(stated.mean(), 1e-6, 1 - 1e-6)
    value = np.array([np.log(share / (1 - share)), *[0.0] * (inputs.shape[1] - 1)])

    def likelihood_of(value):
        logit = inputs @ value
        return np.mean(stated * logit - np.logaddexp(0.0, logit))

    def objective(value):
        return likelihood_of(value) - 0.5 * np.sum(belief * value**2) / len(stated)

    reached = objective(value)
    for _ in range(50):
        expected = 0.5 * (1 + np.tanh(0.5 * (inputs @ value)))
        slope = inputs.T @ (stated - expected) - belief * value
        curvature = (inputs * (expected * (1 - expected))[:, None]).T @ inputs + np.diag(belief + 1e-9)
        # What is at its bound and would leave it stays, and the others step without it (Bertsekas 1982).
        stays = (np.arange(len(value)) > 0) & (value <= 0) & (slope < 0)
        curvature = np.where(stays[:, None] | stays, np.eye(len(value)), curvature)
        step, before = np.linalg.solve(curvature, np.where(stays, 0.0, slope)), reached
        # Edges are rare, and a whole step may go too far: it is halved until it helps.
        for halving in range(12):
            tried = value + step / 2**halving
            tried[1:] = np.maximum(tried[1:], 0.0)
            if (found := objective(tried)) > reached:
                value, reached = tried, found
                break
        if reached - before < 1e-12:
            break
    return value / scale, float(likelihood_of(value))
