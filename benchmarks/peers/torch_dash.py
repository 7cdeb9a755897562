"""The released DASH training loop in PyTorch, written anew, with what differs from ours as switches.

Written after reading QuackenbushLab/DASH (`train_DASH_simu.py`, `PHX_base_model.py`, `datahandler.py`): its groups of
learning rates, its scores and cuts, its plateau, its choice of the best model, its stop. Only
the integrator is another: Runge-Kutta of fourth order with fixed steps, differentiated directly, in place of adaptive
dopri5 at 1e-7 and its adjoint, so that 200 epochs take minutes; `Outcome.discretisation` says what that changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Protocol:
    """What is run; the defaults are what the released code does with its own configuration file.

    Attributes:
        trust: λ of the input and of the output layers.
        epochs: at most.
        first: epoch of the first cut, and the share it takes.
        later: period of the later cuts, and the share of what is alive that each takes.
        reset_groups: learning rates after a cut, as multiples of the initial one. The released code counts to the
            sixth group and takes it for the multipliers, which are the seventh: "released". "intended" gives the
            multipliers their five times back.
        patience: epochs without a better validation error before the run stops.
        steps: Runge-Kutta steps from one observation to the next.
    """

    trust: tuple[float, float] = (0.05, 0.01)
    epochs: int = 200
    first: tuple[int, float] = (3, 0.7)
    later: tuple[int, float] = (10, 0.1)
    reset_groups: str = "released"
    patience: int = 40
    steps: int = 3


@dataclass(frozen=True)
class Observed:
    """What a run sees, as float32 arrays.

    Attributes:
        train: trajectories, trajectory × time × gene, noise added.
        validation: the same of those held out.
        test: noise-free trajectories.
        times: observation times, equal for all trajectories.
        prior: signed prior edges, regulator × target.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    times: np.ndarray
    prior: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """A model that a run found.

    Attributes:
        effects: D, regulator × target, of the chosen model.
        sparsity: share of exact zeros in W_Σ, W_Π, relu(v) ⊙ U_Σ and relu(v) ⊙ U_Π.
        epoch: the epoch it was chosen after.
        last_epoch: the last one that was looked at.
        validation_error: its error one step ahead.
        test_error: its error one step ahead on test trajectories without noise.
        discretisation: root mean square of what sixteen times as many steps change in its predictions.
    """

    effects: np.ndarray
    sparsity: float
    epoch: int
    last_epoch: int
    validation_error: float
    test_error: float
    discretisation: float


#: The pruned weights, in the order in which the released code cuts them.
LAYERS = ("products", "sums", "from_products", "from_sums")
Weights = dict[str, torch.Tensor]


def initial(genes: int, hidden: int) -> Weights:
    """Draw the released base model's weights."""
    layers = {name: torch.nn.Linear(genes, hidden) for name in ("sums", "products")}
    bias = {f"{name}_bias": layer.bias for name, layer in layers.items()}
    inner = {name: torch.nn.init.sparse_(layer.weight, sparsity=0.95, std=0.05) for name, layer in layers.items()}
    outer = {f"from_{name}": torch.nn.init.orthogonal_(torch.empty(genes, hidden)) for name in layers}
    drawn = {**inner, **bias, **outer, "multipliers": torch.rand(genes)}
    return {name: weight.detach().clone().requires_grad_() for name, weight in drawn.items()}


class Field:
    """dg/dt of some weights, those that are cut set to zero."""

    def __init__(self, weights: Weights, masks: Weights):
        alive = {name: weights[name] * mask for name, mask in masks.items()}
        self.inner = torch.stack([alive["sums"], alive["products"]]).mT
        self.bias = torch.stack([weights["sums_bias"], weights["products_bias"]])[:, None]
        self.outer = torch.stack([alive["from_sums"], alive["from_products"]]).mT
        self.rate = torch.relu(weights["multipliers"])

    def __call__(self, levels: torch.Tensor) -> torch.Tensor:
        """Return dg/dt of every row."""
        shifted = levels - 0.5
        response = shifted / (1 + shifted.abs())
        sums, products = torch.baddbmm(self.bias, torch.stack([response, torch.log1p(response)]), self.inner)
        regulation = sums @ self.outer[0] + torch.exp(products) @ self.outer[1]
        return self.rate * (regulation - levels)


def ahead(model: Field, start: torch.Tensor, duration: torch.Tensor, steps: int) -> torch.Tensor:
    """Integrate every row from its start over its duration: `steps` equal Runge-Kutta steps of fourth order."""
    step = (duration / steps)[:, None]
    state = start
    for _ in range(steps):
        first = model(state)
        second = model(state + step / 2 * first)
        third = model(state + step / 2 * second)
        fourth = model(state + step * third)
        state = state + step / 6 * (first + 2 * second + 2 * third + fourth)
    return state


class Chooser:
    """Keeps the model of least validation error among the epochs from one on, until none improves for too long."""

    def __init__(self, begin: int, patience: int):
        self.begin, self.patience = begin, patience
        self.best, self.since, self.last = np.inf, 0, 0
        self.model: tuple[int, Weights, Weights] | None = None

    @property
    def exhausted(self) -> bool:
        """Whether nothing has improved for as many epochs as patience allows."""
        return self.since >= self.patience

    def see(self, epoch: int, error: float, weights: Weights, masks: Weights) -> None:
        """Look at the model of an epoch."""
        if epoch < self.begin or self.exhausted:
            return
        self.last, self.since = epoch, self.since + 1
        if error < self.best:
            self.best, self.since = error, 0
            self.model = epoch, {name: weight.detach().clone() for name, weight in weights.items()}, masks


def train(seed: int, observed: Observed, protocol: Protocol, hidden: int = 40) -> tuple[Outcome, Outcome]:
    """Train and prune; choose a model among all epochs, as the released code does, and one among those after the cuts.

    Args:
        seed: of the initial weights and scores and of the order of trajectories; noise is in `observed`.
        observed: what the run sees.
        protocol: what is run.
        hidden: hidden units per branch.
    """
    torch.manual_seed(seed)
    order = np.random.default_rng(seed)
    weights = initial(observed.prior.shape[0], hidden)
    scores = {name: torch.rand(weights[name].shape) for name in LAYERS}
    masks = {name: torch.ones(weights[name].shape) for name in LAYERS}
    prior = torch.tensor(np.abs(observed.prior))
    similarity = prior @ prior.T
    similarity = similarity / similarity.sum()
    rate = 1e-3
    grouped = ("sums", "sums_bias", "products", "products_bias", "from_sums", "from_products", "multipliers")
    groups: list[dict[str, Any]] = [{"params": [weights[name]]} for name in grouped]
    groups[-1]["lr"] = 5 * rate
    optimiser = torch.optim.Adam(groups, lr=rate, foreach=True)
    plateau = _plateau(optimiser)
    # The multipliers are the seventh group; the released code counts to the sixth.
    faster = {"released": 5, "intended": 6}[protocol.reset_groups]

    durations = torch.tensor(np.diff(observed.times), dtype=torch.float32)
    trajectories, held_out, test = map(torch.tensor, (observed.train, observed.validation, observed.test))
    cuts = {epoch: share for epoch in range(1, protocol.epochs) if (share := _due(epoch, protocol))}
    choosers = Chooser(1, protocol.patience), Chooser(max(cuts), protocol.patience)
    for epoch in range(1, protocol.epochs + 1):
        if epoch in cuts:
            scores = _score(weights, masks, scores, prior, similarity, protocol.trust)
            masks = {name: _cut(mask, scores[name], cuts[epoch]) for name, mask in masks.items()}
            for number, group in enumerate(optimiser.param_groups):
                group["lr"] = 5 * rate if number == faster else rate
            plateau = _plateau(optimiser)
        for row in order.permutation(len(trajectories)):
            optimiser.zero_grad()
            predicted = ahead(Field(weights, masks), trajectories[row, :-1], durations, protocol.steps)
            torch.mean((predicted - trajectories[row, 1:]) ** 2).backward()
            optimiser.step()
        error = _error(weights, masks, held_out, durations, protocol.steps)
        plateau.step(error)
        for chooser in choosers:
            chooser.see(epoch, error, weights, masks)
        if all(chooser.exhausted for chooser in choosers):
            break
    among_all, after_cuts = (_outcome(chooser, test, durations, protocol.steps) for chooser in choosers)
    return among_all, after_cuts


def _outcome(chooser: Chooser, test: torch.Tensor, durations: torch.Tensor, steps: int) -> Outcome:
    if chooser.model is None:
        raise RuntimeError("no epoch had a finite validation error")
    epoch, weights, masks = chooser.model
    effects, sparsity = _network(weights, masks)
    coarse, fine = (_one_step(weights, masks, test, durations, count) for count in (steps, 64))
    return Outcome(
        effects,
        sparsity,
        epoch,
        chooser.last,
        chooser.best,
        _error(weights, masks, test, durations, steps),
        float(torch.mean((coarse - fine) ** 2) ** 0.5),
    )


def _one_step(weights: Weights, masks: Weights, trajectories, durations, steps: int) -> torch.Tensor:
    start = trajectories[:, :-1].reshape(-1, trajectories.shape[-1])
    with torch.no_grad():
        return ahead(Field(weights, masks), start, durations.repeat(len(trajectories)), steps)


def _error(weights: Weights, masks: Weights, trajectories, durations, steps: int) -> float:
    predicted = _one_step(weights, masks, trajectories, durations, steps)
    return float(torch.mean((predicted - trajectories[:, 1:].reshape(predicted.shape)) ** 2))


def _plateau(optimiser: torch.optim.Optimizer) -> torch.optim.lr_scheduler.ReduceLROnPlateau:
    return torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=0.9, patience=3, threshold=1e-6, threshold_mode="abs", min_lr=4e-5, eps=1e-9
    )


def _due(epoch: int, protocol: Protocol) -> float:
    """Return the share of the living weights that is cut before an epoch."""
    first, share = protocol.first
    if epoch == first:
        return share
    period, later = protocol.later
    return later if first < epoch and epoch % period == 0 else 0.0


def _score(weights: Weights, masks: Weights, before: Weights, prior, similarity, trust: tuple[float, float]) -> Weights:
    """Score every weight as DASH does, from the last scores."""
    alive = {name: (weights[name] * mask).detach() for name, mask in masks.items()}
    multipliers = torch.relu(weights["multipliers"].detach())[:, None]
    scores = {}
    for name in ("products", "sums"):
        size = alive[name].exp() if name == "products" else alive[name].abs()
        scores[name] = _blend(trust[0], size, before[name], before[name] @ similarity)
    for name in ("products", "sums"):
        size = alive[f"from_{name}"].abs() * multipliers
        scores[f"from_{name}"] = _blend(trust[1], size.T, scores[name], scores[name] @ prior).T
    return scores


def _blend(trust: float, size: torch.Tensor, score: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    share = (1 - trust) * size / size.sum()
    # Without trust nothing is solved for: what magnitudes alone leave alive may have no inverse.
    return share + trust * (torch.inverse(score @ score.T) @ right).abs() if trust else share


def _cut(mask: torch.Tensor, score: torch.Tensor, share: float) -> torch.Tensor:
    """Return a mask without the lowest share of the living weights."""
    living = mask.ravel().nonzero()[:, 0]
    lowest = score.ravel()[living].topk(round(share * len(living)), largest=False).indices
    cut = mask.clone().ravel()
    cut[living[lowest]] = 0
    return cut.reshape(mask.shape)


def _network(weights: Weights, masks: Weights) -> tuple[np.ndarray, float]:
    """Return D, regulator × target, and the share of exact zeros in what is pruned."""
    multipliers = torch.relu(weights["multipliers"])[:, None]
    inner = {name: weights[name] * masks[name] for name in ("sums", "products")}
    outer = {name: weights[f"from_{name}"] * masks[f"from_{name}"] * multipliers for name in inner}
    zeros = [float((part == 0).float().mean()) for part in (*inner.values(), *outer.values())]
    effects = outer["sums"] @ inner["sums"] + outer["products"] @ inner["products"]
    return effects.numpy().T, float(np.mean(zeros))
