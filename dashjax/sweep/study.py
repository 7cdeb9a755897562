"""A grid made concrete: its system, its trajectories, and the prior of every run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.data import Prior, Split, canonical_order, make_prior
from dashjax.dynamics import AbstractField, AbstractSpec, DeepPerceptronSpec, PerceptronSpec, PhoenixSpec
from dashjax.io import read_system
from dashjax.networks import relative_effects
from dashjax.simulate import System, generate_system, make_system, relocate_edges, simulate_study
from dashjax.sweep.grid import Cell, Grid, SimulatedSystem
from dashjax.training import FitConfig, OneStep, WholeTrajectory, find_method
from dashjax.training.fit import NUMERICS_VERSION

_OBJECTIVES = {"one_step": OneStep(), "whole_trajectory": WholeTrajectory()}


@dataclass(frozen=True)
class Study:
    """What all runs of a grid share.

    Attributes:
        system: the ground truth.
        data: its noise-free trajectories.
        config: what shapes the compiled program.
        fingerprint: hash of all of that and of the numerics' version.
    """

    system: System
    data: Split
    config: FitConfig
    fingerprint: str

    def field_of(self, method: str, arrays: Mapping[str, np.ndarray]) -> AbstractField:
        """Return a method's field whose leaves a store's arrays hold as `field_NAME`."""
        spec = find_method(method).configure(self.config).field
        blank = jax.eval_shape(lambda key: spec.init(key, len(self.system.genes)), jax.random.key(0))
        parts = [name for name, part in vars(blank).items() if isinstance(part, jax.ShapeDtypeStruct)]
        return replace(blank, **{name: jnp.asarray(arrays[f"field_{name}"]) for name in parts})

    def network_of(self, method: str, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the network that a run is scored by, signed, (regulator, target).

        Relative effects, or for an ensemble the probability of each edge with the sign that is more probable.
        """
        if "posterior_probability" in arrays:
            return arrays["posterior_probability"] * np.where(arrays["posterior_activation"] < 0.5, -1.0, 1.0)
        return np.asarray(relative_effects(self.field_of(method, arrays)))

    def prior(self, prior_corruption: float, seed: int) -> Prior:
        """Return the truth with a share of its edges relocated, as seeded by a run."""
        rng = np.random.default_rng([seed, 2])
        return make_prior(relocate_edges(rng, self.system.truth, prior_corruption))

    def config_of(self, cell: Cell) -> FitConfig:
        """Return what shapes a run's program: the study's configuration with its method's parts."""
        return find_method(cell.method).configure(self.config)

    def rows_of(self, cell: Cell) -> tuple[np.ndarray, np.ndarray]:
        """Return which of the training and validation trajectories, counted through, a run trains and validates on.

        A fold has the size of the validation set, so that every run of a study has the same shapes: fold f
        validates on the f-th such piece of a permutation that depends on the study alone.
        """
        trained, held = self.data.train.n_trajectories, self.data.validation.n_trajectories
        order = np.arange(trained + held)
        if cell.fold == 0:
            return order[:trained], order[trained:]
        order = np.random.default_rng(int(self.fingerprint, 16)).permutation(order)
        start = (cell.fold - 1) * held
        return np.delete(order, np.s_[start : start + held]), order[start : start + held]

    def prior_of(self, cell: Cell) -> Prior:
        """Return a run's prior: the same for all methods of one seed."""
        return self.prior(cell.prior_corruption, cell.seed)


def make_study(grid: Grid) -> Study:
    """Build the system and simulate the trajectories of a grid."""
    if isinstance(grid.system, SimulatedSystem):
        system = generate_system(grid.system.genes, grid.system.seed)
    else:
        system = read_system(grid.system.equations, grid.system.names)
    order = canonical_order(system.genes)
    if (order != np.arange(len(order))).any():
        system = make_system([system.genes[n] for n in order], [system.equations[n] for n in order])
    plan = grid.trajectories
    data = simulate_study(system, grid.system.seed, plan.train, plan.validation, plan.test, plan.times)
    config = FitConfig(
        field=_field(grid),
        objective=_OBJECTIVES[grid.objective],
        epochs=grid.epochs,
        trajectories_per_step=grid.trajectories_per_step,
    )
    parts = [NUMERICS_VERSION, config.field, config.solve, config.trajectories_per_step]
    if config.objective != OneStep():
        # An option that came later counts only away from its default, so that finished runs stay finished.
        parts.append(config.objective)
    digest = hashlib.sha256(" ".join(map(str, parts)).encode())
    digest.update("\n".join([*system.genes, *system.equations]).encode())
    for leaf in jax.tree.leaves(data):
        # Rounded, so that another machine's last digits do not make it another study.
        digest.update(np.round(np.asarray(leaf, np.float64), 4).astype(np.float32).tobytes())
    return Study(system, data, config, digest.hexdigest()[:16])


def _field(grid: Grid) -> AbstractSpec:
    if grid.field == "phoenix":
        return PhoenixSpec(grid.hidden)
    if grid.hidden_layers == 1:
        return PerceptronSpec(grid.hidden)
    return DeepPerceptronSpec(grid.hidden, grid.hidden_layers)


def stack(trees):
    """Stack equal trees of arrays along a new leading run axis."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)
