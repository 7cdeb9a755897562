"""Edge probabilities from regulators' activities, for measured data.

On measured data a regulator's messenger RNA says little of what it does: its protein is bound, modified or exported.
What it does shows in the genes it is known to regulate (network component analysis: Liao et al., PNAS 2003;
Arrieta-Ortiz et al., Mol. Syst. Biol. 2015). The model, with samples as rows:

1. **Activities** A solve Y ≈ A Pᵀ, Y being levels (sample × gene, standardised) and P the prior (gene × regulator), by
   ridge regression: A = Y P (PᵀP + λ)⁻¹. A target is always left out of the activities that it is tested against
   (a rank-one update), or prior edges would prove themselves. A regulator without targets keeps its level.
2. **Samples are not independent**: they share batches, growth and a common response. Their covariance is estimated from
   all genes, shrunk towards independence by α (as in Ledoit & Wolf 2004), and regressions are weighted with its inverse
   (generalised least squares: Aitken 1935).
3. Each gene is regressed on all activities by ridge regression with penalty κ.
4. **Calibration**: the log odds that a pair is an edge are linear in the size of its coefficient and in the regulator's
   out-degree in the prior. They are fitted to the prior's own edges; as their targets were left out, these are hidden
   edges to the model (logistic regression). λ, α and κ are those under which these edges are likeliest. Where
   coefficients tell them no better than out-degree alone, see `dashjax.evidence.hidden`, only out-degree counts.

Probabilities of pairs that the prior does not state are thus frequencies among the prior's own edges. How much a
stated edge is believed beyond that cannot be learnt from the prior itself; see `_believed`.

All arrays are numpy's: a few factorisations by LAPACK, outside of any compiled program.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from dashjax.evidence.edge_posterior import EdgePosterior
from dashjax.evidence.hidden import FoundAgain, fit_logistic, found_again
from dashjax.numerics.iterative import conjugate_gradients

#: What is tried: weights of the samples' covariance against independence, penalties of the regressions, and of the
#: activities. The prior's own edges decide between them; the lists were set on *B. subtilis*, half of its edges hidden.
SHRINKAGES, PENALTIES, ACTIVITY_PENALTIES = (0.5, 0.8, 0.95), (0.3, 1.0, 3.0), (1.0, 5.0)
#: Targets on which the choice is made, at most: they are drawn, so that genomes take no longer.
CHOSEN_ON = 400
#: Fewest prior edges, and regulators with two targets or more, without which activities mean nothing.
LEAST_EDGES, LEAST_REGULATORS = 100, 10
#: Targets and samples that the question who carries regulation is put to, at most.
ASKED_TARGETS, ASKED_SAMPLES = 400, 500
#: Fewest samples from which anything is asked.
LEAST_SAMPLES = 30
#: Numbers that arrays of targets that are solved at once may have.
LARGEST_BLOCK = 2**23


@dataclass(frozen=True)
class Setting:
    """Numbers of the model.

    Attributes:
        shrinkage: α, weight of the samples' covariance against independence.
        penalty: κ, of the regressions.
        activity_penalty: λ, of the activities.
    """

    shrinkage: float
    penalty: float
    activity_penalty: float


@dataclass(frozen=True)
class Calibration:
    """Log odds that a pair is an edge, before what the prior says of it.

    Attributes:
        coefficients: of the features, the constant first.
        log_likelihood: mean per pair of the prior's own edges, each target being left out of the activities.
        setting: of the model.
    """

    coefficients: Float[np.ndarray, " feature"]
    log_likelihood: float
    setting: Setting | None = None


@dataclass(frozen=True)
class _Data:
    """What regressions see.

    Attributes:
        levels: standardised.
        edges: prior confidence, unsigned.
        regulators: number of the gene of every regulator.
        own: pairs of a gene with itself.
    """

    levels: Float[np.ndarray, "sample gene"]
    edges: Float[np.ndarray, "gene regulator"]
    regulators: Int[np.ndarray, " regulator"]
    own: Bool[np.ndarray, "gene regulator"]

    @property
    def degree(self) -> Float[np.ndarray, "gene regulator"]:
        """Log of one plus a regulator's prior confidence in all other targets."""
        return np.log1p(self.edges.sum(axis=0) - self.edges)

    @cached_property
    def _samples(self) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, "sample sample"]]:
        """Eigenvalues, of mean one, and eigenvectors of the samples' covariance."""
        covariance = self.levels @ self.levels.T / self.levels.shape[1]
        return np.linalg.eigh(covariance / max(float(np.trace(covariance)) / len(covariance), 1e-12))

    def sample_weights(self, shrinkage: float) -> Float[np.ndarray, "sample sample"]:
        """Return Σ^(−½) of the covariance Σ, shrunk towards independence, with the mean over samples removed."""
        values, vectors = self._samples
        weights = (vectors / np.sqrt(np.maximum(shrinkage * values, 0.0) + 1 - shrinkage)) @ vectors.T
        return weights - weights.mean(axis=0)


def activity_posterior(
    samples: Float[np.ndarray, "sample gene"],
    edges: Float[np.ndarray, "regulator target"],
    regulators: Bool[np.ndarray, " gene"],
    seed: int = 0,
) -> tuple[EdgePosterior, FoundAgain | None]:
    """Return the probability of every edge from regulators' activities, and what the data add to the prior.

    Effects are standard deviations of the target's level per standard deviation of the regulator's activity, the
    others' activities given.

    Args:
        samples: levels in any unit; samples of a time course count as samples like all others.
        edges: prior (gene, gene), signed or not; weights in [−1, 1] count as confidence.
        regulators: which genes may regulate.
        seed: draws the targets that the setting is chosen on.

    Returns:
        The posterior, and how well the prior's own edges were found again; None where they are too few to tell.
    """
    data = _data(samples, edges, regulators)
    chosen = choose(data, seed)
    assert chosen.setting is not None, "choose sets it"
    coefficient, spread = activity_coefficients(data, chosen.setting)
    pairs, odds = features(data, coefficient), chosen.coefficients
    asked = (data.edges > 0).any(axis=1, keepdims=True) & ~data.own
    unstated = 0.5 * (1 + np.tanh(0.5 * (pairs @ odds)))
    found = found_again(pairs[..., 1], data.degree, data.edges, asked, unstated)
    if found is not None and not found.added:
        # Coefficients that say nothing of stated edges say nothing of others.
        odds = calibrate(data, pairs * np.array([1.0, 0.0, 1.0])).coefficients
    probability = _believed(pairs, odds, data.edges)
    count = samples.shape[1]

    def everywhere(values, otherwise=0.0):
        full = np.full((count, count), otherwise, np.float32)
        full[data.regulators] = np.where(data.own, otherwise, values).T
        return full

    posterior = EdgePosterior(
        probability=everywhere(probability),  # type: ignore[arg-type]
        effect=everywhere(coefficient),  # type: ignore[arg-type]
        spread=everywhere(spread),  # type: ignore[arg-type]
        activation=everywhere(_sigmoid(1.702 * coefficient / np.maximum(spread, 1e-9)), 0.5),  # type: ignore[arg-type]
        odds=odds.astype(np.float32),  # type: ignore[arg-type]
        noise=np.ones(count, np.float32),  # type: ignore[arg-type]
    )
    return posterior, found


def carried_by_activity(
    samples: Float[np.ndarray, "sample gene"],
    steps: tuple[Float[np.ndarray, "step gene"], Float[np.ndarray, "step gene"]] | None,
    edges: Float[np.ndarray, "regulator target"],
    regulators: Bool[np.ndarray, " gene"],
    seed: int = 0,
) -> bool:
    """Say whether the prior's own edges show in regulators' activities rather than in their levels.

    Both are asked how likely the prior's edges are, given the size of a ridge coefficient and the out-degree: that of
    activities in all samples, and that of levels, in all samples or from one observation to the next. Few edges, or few
    regulators with several targets, say nothing, and levels are taken.

    Args:
        samples: as `activity_posterior`.
        steps: the level each gene is heading for in every step, and all levels at its start; None without time courses.
        edges: as `activity_posterior`.
        regulators: as `activity_posterior`.
        seed: as `activity_posterior`.
    """
    known = edges[regulators] != 0
    if known.sum() < LEAST_EDGES or (known.sum(axis=1) > 1).sum() < LEAST_REGULATORS or len(samples) < LEAST_SAMPLES:
        return False
    rng = np.random.default_rng([seed, 7])
    rows = np.sort(rng.permutation(len(samples))[:ASKED_SAMPLES])
    data = _data(np.asarray(samples)[rows], edges, regulators)
    asked = np.sort(rng.permutation(np.flatnonzero(data.edges.any(axis=1)))[:ASKED_TARGETS])
    middle = Setting(SHRINKAGES[1], PENALTIES[1], ACTIVITY_PENALTIES[-1])
    by_level = [level_coefficients(data, middle.shrinkage, middle.penalty, asked)[0]]
    if steps is not None:
        towards, start = (_standard(part) for part in steps)
        by_level.append(_ridge(start[:, data.regulators], towards, middle.penalty))
    levels = max(calibrate(data, features(data, one), asked).log_likelihood for one in by_level)
    activities = features(data, activity_coefficients(data, middle, asked)[0])
    return calibrate(data, activities, asked).log_likelihood > levels


def choose(data: _Data, seed: int) -> Calibration:
    """Return the setting under which the prior's own edges are likeliest, and its calibration on all of them."""
    covered = np.flatnonzero(data.edges.any(axis=1))
    drawn = covered
    if len(covered) > CHOSEN_ON:
        drawn = np.sort(np.random.default_rng([seed, 6]).permutation(covered)[:CHOSEN_ON])
    best: Calibration | None = None
    for setting in itertools.starmap(Setting, itertools.product(SHRINKAGES, PENALTIES, ACTIVITY_PENALTIES)):
        coefficient, _ = activity_coefficients(data, setting, drawn)
        found = calibrate(data, features(data, coefficient), drawn)
        if best is None or found.log_likelihood > best.log_likelihood:
            best = Calibration(found.coefficients, found.log_likelihood, setting)
    assert best is not None, "there are settings"
    if len(drawn) == len(covered):
        return best
    assert best.setting is not None, "set above"
    coefficient, _ = activity_coefficients(data, best.setting, covered)
    found = calibrate(data, features(data, coefficient), covered)
    return Calibration(found.coefficients, found.log_likelihood, best.setting)


def activity_coefficients(
    data: _Data, setting: Setting, targets: Int[np.ndarray, " target"] | None = None
) -> tuple[Float[np.ndarray, "gene regulator"], Float[np.ndarray, "gene regulator"]]:
    """Regress genes on all regulators' activities, each gene left out of the activities that it is tested against.

    Leaving gene i out changes the activities by an outer product: with H = (PᵀP + λ)⁻¹, A₋ᵢ = A + (A pᵢ − yᵢ) (H pᵢ)ᵀ /
    (1 − pᵢᵀ H pᵢ), as leave-one-out residuals do (Sherman & Morrison 1950).

    Args:
        data: what is regressed.
        setting: of the model.
        targets: genes that are wanted; the others' rows are zero. All if None.

    Returns:
        Coefficients, and their standard deviations.
    """
    levels, edges = data.levels, data.edges
    genes, regulators = edges.shape
    weights = data.sample_weights(setting.shrinkage)
    inverse = np.linalg.inv(edges.T @ edges + setting.activity_penalty * np.eye(regulators))
    activity = levels @ edges @ inverse
    # Who has no target keeps its level.
    silent = ~edges.any(axis=0)
    activity[:, silent] = levels[:, data.regulators[silent]]
    weighted, outcome = weights @ activity, weights @ levels
    size = np.sqrt(np.mean(outcome**2, axis=0)) + 1e-12
    solve = _solver(weighted, setting.penalty)
    coefficient, spread = np.zeros(edges.shape), np.zeros(edges.shape)
    for mine in _blocks(np.arange(genes) if targets is None else targets, *weighted.shape):
        own = edges[mine]
        direction = own @ inverse
        direction = direction / (1 - np.sum(own * direction, axis=1, keepdims=True))
        left = (weighted @ own.T - outcome[:, mine]).T
        response = (outcome[:, mine] / size[mine]).T
        coefficient[mine], spread[mine] = solve(response, data.own[mine], left, direction)
    return coefficient, spread


def _blocks(targets: Int[np.ndarray, " target"], count: int, regulators: int) -> Iterator[Int[np.ndarray, " some"]]:
    """Yield targets, as many at a time as fit into `LARGEST_BLOCK`."""
    each = regulators * count if regulators > count else 8 * regulators
    size = max(1, LARGEST_BLOCK // each)
    for at in range(0, len(targets), size):
        yield targets[at : at + size]


def level_coefficients(
    data: _Data, shrinkage: float, penalty: float, targets: Int[np.ndarray, " target"]
) -> tuple[Float[np.ndarray, "gene regulator"], Float[np.ndarray, "gene regulator"]]:
    """Regress some genes on all regulators' levels, their own left out; the others' rows are zero."""
    weighted = data.sample_weights(shrinkage) @ data.levels
    weighted = weighted / (np.sqrt(np.mean(weighted**2, axis=0)) + 1e-12)
    inputs = weighted[:, data.regulators]
    solve = _solver(inputs, penalty)
    coefficient, spread = np.zeros_like(data.edges), np.zeros_like(data.edges)
    for mine in _blocks(targets, *inputs.shape):
        response, own = weighted.T[mine], data.own[mine]
        # Nothing is left out of levels.
        coefficient[mine], spread[mine] = solve(response, own, np.zeros_like(response), np.zeros(own.shape))
    return coefficient, spread


def features(
    data: _Data, coefficient: Float[np.ndarray, "gene regulator"]
) -> Float[np.ndarray, "gene regulator feature"]:
    """Return what an edge's log odds are linear in: a constant, the coefficient's size, and the out-degree."""
    return np.stack([np.ones_like(coefficient), np.abs(coefficient), data.degree], axis=-1)


def calibrate(
    data: _Data, pairs: Float[np.ndarray, "gene regulator feature"], targets: Int[np.ndarray, " target"] | None = None
) -> Calibration:
    """Fit log odds to the prior's own edges, over all regulators of the genes that it covers, see `fit_logistic`."""
    covered = np.flatnonzero(data.edges.any(axis=1)) if targets is None else targets
    counts = ~data.own[covered]
    return Calibration(*fit_logistic(pairs[covered][counts], np.clip(data.edges[covered][counts], 0.0, 1.0)))


def _believed(
    pairs: Float[np.ndarray, "gene regulator feature"],
    coefficients: Float[np.ndarray, " feature"],
    edges: Float[np.ndarray, "gene regulator"],
) -> Float[np.ndarray, "gene regulator"]:
    """Return probabilities: of pairs that are not stated as calibrated, of stated ones less a false discovery rate.

    A false prior edge looks like any other pair of its regulator (Efron 2001). By the calibration, stated edges whose
    coefficient has size s are exp(β s) / E exp(β s) times as common as such pairs are, so at most exp(−β s) of them are
    false. True edges on which the data are silent look the same as false ones, and nothing in the data tells the two
    apart; so half of that is taken, and no stated edge is put below one half. A stated edge that is false may still be
    an edge like any other pair.

    Args:
        pairs: from `features`.
        coefficients: of the calibration.
        edges: confidence of the prior, between that of a pair that is not stated and a stated one's.
    """
    false = 0.5 * np.exp(-coefficients[1] * pairs[..., 1])
    # Who looks like a stated edge is an edge as often as stated ones are.
    probability = (1 - false) * _sigmoid(pairs @ coefficients)
    confidence = np.minimum(edges, 1.0)
    return 1 - (1 - confidence * (1 - false)) * (1 - probability)


def _data(samples, edges, regulators) -> _Data:
    numbers = np.flatnonzero(regulators)
    known = np.abs(np.asarray(edges, float)[numbers]).T
    own = np.arange(samples.shape[1])[:, None] == numbers
    return _Data(_standard(np.asarray(samples, float)), np.where(own, 0.0, known), numbers, own)


def _standard(values: Float[np.ndarray, "sample gene"]) -> Float[np.ndarray, "sample gene"]:
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)


def _ridge(inputs, outputs, penalty: float) -> Float[np.ndarray, "gene regulator"]:
    gram = inputs.T @ inputs / len(inputs) + penalty * np.eye(inputs.shape[1])
    return np.linalg.solve(gram, inputs.T @ outputs / len(inputs)).T


@dataclass(frozen=True)
class _Regressions:
    """Standardised ridge regressions of some targets on inputs to which an outer product u dᵀ of each is added.

    Attributes:
        response: what each target's regression explains.
        left: u.
        direction: d.
        cross: mean of input × u.
        square: mean of u².
        moment: mean of input × response, u dᵀ included.
        scale: one over the inputs' sizes, u dᵀ included; zero for a gene's own column, whose level is the response.
    """

    response: Float[np.ndarray, "target sample"]
    left: Float[np.ndarray, "target sample"]
    direction: Float[np.ndarray, "target regulator"]
    cross: Float[np.ndarray, "target regulator"]
    square: Float[np.ndarray, "target 1"]
    moment: Float[np.ndarray, "target regulator"]
    scale: Float[np.ndarray, "target regulator"]


def _solver(inputs: Float[np.ndarray, "sample regulator"], penalty: float) -> Callable[..., tuple]:
    """Return what solves regressions on the same inputs but for an outer product u dᵀ, see `_Regressions`.

    It takes responses, marks of each target's own column (target, regulator), u and d, and returns coefficients and
    their standard deviations (target, regulator).
    """
    count, regulators = inputs.shape
    coefficients = _by_samples(inputs, penalty) if regulators > count else _by_regulators(inputs, penalty)
    diagonal = np.mean(inputs**2, axis=0)

    def solve(response, own, left, direction):
        cross, square = left @ inputs / count, np.mean(left**2, axis=1, keepdims=True)
        moment = response @ inputs / count + np.mean(response * left, axis=1, keepdims=True) * direction
        size = np.sqrt(np.maximum(diagonal + 2 * cross * direction + square * direction**2, 1e-12))
        kept = (~own).astype(float)
        asked = _Regressions(response, left, direction, cross, square, moment, kept / size)
        found = coefficients(asked)
        unexplained = np.maximum(1 - np.sum(found * moment * asked.scale, axis=1, keepdims=True), 0.05)
        # Of the diagonal of the inverse, a regulator's own share of its variance is close enough, and costs nothing.
        return found, np.sqrt(unexplained / (count * (kept + penalty))) * kept

    return solve


def _by_regulators(
    inputs: Float[np.ndarray, "sample regulator"], penalty: float
) -> Callable[[_Regressions], Float[np.ndarray, "target regulator"]]:
    """Return what solves by systems of regulators, where these are no more than the samples.

    Second moments are G + c dᵀ + d cᵀ + q d dᵀ, scaled. They are near those of all inputs, G, whose inverse is formed
    once: conjugate gradients that start from it need few products, and all targets take them together.
    """
    gram = inputs.T @ inputs / len(inputs)
    each = 1 / np.sqrt(np.maximum(np.einsum("rr->r", gram), 1e-12))
    near = np.linalg.inv(each[:, None] * gram * each + penalty * np.eye(len(gram)))

    def coefficients(asked: _Regressions):
        def times(vectors):
            into = vectors * asked.scale
            along = np.sum(into * asked.direction, axis=1, keepdims=True)
            across = np.sum(into * asked.cross, axis=1, keepdims=True)
            out = into @ gram + asked.cross * along + asked.direction * (across + asked.square * along)
            return out * asked.scale + penalty * vectors

        return conjugate_gradients(
            times, lambda vectors: vectors @ near * (asked.scale > 0), asked.moment * asked.scale
        )

    return coefficients


def _by_samples(
    inputs: Float[np.ndarray, "sample regulator"], penalty: float
) -> Callable[[_Regressions], Float[np.ndarray, "target regulator"]]:
    """Return what solves by systems of samples, where these are fewer than the regulators."""
    count = len(inputs)

    def coefficients(asked: _Regressions):
        scaled = (inputs + asked.left[:, :, None] * asked.direction[:, None, :]) * asked.scale[:, None, :]
        system = scaled @ scaled.mT + count * penalty * np.eye(count)
        return (scaled.mT @ np.linalg.solve(system, asked.response[..., None]))[..., 0]

    return coefficients


def _sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))
