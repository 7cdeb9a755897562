"""Trajectories whose dynamics are noisy and disturbed themselves, not only observed with noise."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.data import Trajectories, make_trajectories
from dashjax.simulate.system import System

#: Steps between two times of the default grid.
STEPS = 10


def simulate_disturbed(
    system: System,
    seed: int,
    trajectories: int = 10,
    times: np.ndarray | None = None,
    fluctuation: float = 0.05,
    push: float = 0.5,
    noise: float = 0.03,
) -> Trajectories:
    """Simulate a system as a perturbation experiment on living cells sees it.

    Each trajectory starts at its steady state. Until half of its time a third of the genes is pushed, up or down, and
    then released, as in DREAM4's time series (Schaffter et al. 2011). Production and decay fluctuate: dx = (f(x) +
    push − x) dt + s √(f(x) + x) dW, the chemical Langevin equation, stepped by Euler–Maruyama. Constant inputs hold
    levels of their own, and are pushed and fluctuate too.

    Args:
        system: with decay rate one, as `generate_system` makes them.
        seed: of levels, pushes, fluctuations and noise.
        trajectories: how many.
        times: to observe at, starting at zero; 21 from 0 to 10 if None.
        fluctuation: s.
        push: largest push, in expression per time.
        noise: standard deviation of the observations.
    """
    genes = len(system.genes)
    rng, level = start_culture(seed, genes)
    times = np.linspace(0.0, 10.0, 21) if times is None else np.asarray(times, float)
    pushed = (rng.random((trajectories, genes)) < 1 / 3) * rng.uniform(-push, push, (trajectories, genes))

    @jax.jit
    def drift(state):
        return jnp.where(system.is_input, level - state, jax.vmap(system.circuit)(state))

    def advance(state, push, step):
        slope = np.asarray(drift(jnp.asarray(state, jnp.float32)), float)
        return langevin_step(rng, state, slope, step, fluctuation, push)

    state = np.full((trajectories, genes), 0.5)
    for _ in range(20 * STEPS):
        state = advance(state, 0.0, 0.5 / STEPS)
    observed = [state]
    for begin, end in zip(times[:-1], times[1:], strict=True):
        for _ in range(STEPS):
            state = advance(state, pushed if begin < times[-1] / 2 else 0.0, (end - begin) / STEPS)
        observed.append(state)
    expression = np.stack(observed, axis=1)
    seen = expression + noise * rng.normal(size=expression.shape)
    return make_trajectories([times] * trajectories, list(seen))


def start_culture(seed: int, genes: int) -> tuple[np.random.Generator, np.ndarray]:
    """Return a culture's stream of random numbers, and the levels (gene,) that its constant inputs hold.

    They are drawn first, so that all cultures of one seed have the same. Other genes' entries count nothing.
    """
    rng = np.random.default_rng([seed, 77])
    return rng, rng.uniform(0.3, 0.7, genes)


def langevin_step(rng: np.random.Generator, state, slope, step: float, fluctuation: float, push=0.0) -> np.ndarray:
    """Return states one Euler–Maruyama step later: dx = (f(x) + push − x) dt + s √(f(x) + x) dW, and not below zero.

    Args:
        rng: for dW.
        state: x (trajectory, gene).
        slope: f(x) − x.
        step: dt.
        fluctuation: s.
        push: in expression per time.
    """
    both = np.maximum(slope + 2 * state, 0.0)  # production f(x) and decay x
    state = state + step * (slope + push) + fluctuation * np.sqrt(both * step) * rng.normal(size=state.shape)
    return np.maximum(state, 0.0)
