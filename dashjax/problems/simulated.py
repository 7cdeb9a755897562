"""Simulated systems as problems: their trajectories, and the truth corrupted into a prior."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import jax
import numpy as np

from dashjax.data import HoldOut, Problem, as_given, canonical_order, make_prior, make_problem
from dashjax.simulate import System, make_system, relocate_edges, simulate_study


def simulated_problem(
    system: System, seed: int, train: int, validation: int, test: int, times: Sequence[float], name: str = "simulated"
) -> Problem:
    """Simulate noise-free trajectories of a system; they are trained on as they are, for levels lie in [0, 1].

    Args:
        system: the ground truth.
        seed: of the initial states.
        train: trajectories to train on.
        validation: trajectories to validate on.
        test: trajectories to test on.
        times: observation times of all of them.
        name: of the problem.
    """
    order = canonical_order(system.genes)
    if (order != np.arange(len(order))).any():
        system = make_system([system.genes[n] for n in order], [system.equations[n] for n in order])
    data = simulate_study(system, seed, train, validation, test, times)
    digest = hashlib.sha256("\n".join([*system.genes, *system.equations, str(validation)]).encode())
    for leaf in jax.tree.leaves(data):
        # Rounded, so that another machine's last digits do not make it another problem.
        digest.update(np.round(np.asarray(leaf, np.float64), 4).astype(np.float32).tobytes())
    return make_problem(
        data.seen(),
        system.genes,
        units=as_given(len(system.genes)),
        validation=HoldOut(validation, drawn=False),
        truth=system.truth,
        # The paper counts all ordered pairs.
        self_loops=True,
        test=data.test,
        data_fingerprint=digest.hexdigest()[:16],
        name=name,
        source="simulated",
    )


def with_corrupted_prior(problem: Problem, share: float | None, seed: int, stream: int = 2) -> Problem:
    """Return a problem whose prior is its truth with a share of the edges relocated; no prior if None.

    Args:
        problem: with a truth.
        share: of the true edges that are moved to false places.
        seed: the same for all methods that are compared.
        stream: tells draws for different purposes apart.
    """
    assert problem.truth is not None, "only a known truth can be corrupted"
    if share is None:
        return problem
    moved = relocate_edges(np.random.default_rng([seed, stream]), problem.truth, share)
    return problem.with_prior(make_prior(moved))
