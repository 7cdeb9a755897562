"""Samples at rest of a known system: its wild type, knock-outs and knock-downs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.data import Intervention
from dashjax.errors import InputError, suggest
from dashjax.simulate.disturbed import langevin_step, start_culture
from dashjax.simulate.system import System, double_precision

#: Share of a gene's production that a knock-down leaves.
KNOCKDOWN = 0.5
#: Step of the solver, that of `simulate_disturbed` while it settles.
STEP = 0.05
#: A state rests when no gene changes faster, in expression per time.
RESTING = 1e-9
#: Time after which a state that still moves is said not to settle.
LONGEST = 500.0
#: Time for which settled states fluctuate before they are measured, that for which `simulate_disturbed` settles.
FLUCTUATING = 10.0


@dataclass(frozen=True)
class RestStudy:
    """Samples at rest, and what was done in each.

    Attributes:
        names: of the samples, each once.
        levels: as measured (sample, gene), in the order of the system's genes.
        clean: the same without the noise of the measurement.
        interventions: one per knocked-out or knocked-down gene of each sample; a wild type has none.
    """

    names: tuple[str, ...]
    levels: np.ndarray
    clean: np.ndarray
    interventions: tuple[Intervention, ...]


def simulate_rest(
    system: System,
    seed: int,
    knockouts: Sequence[str | tuple[str, ...]] = (),
    knockdowns: Sequence[str | tuple[str, ...]] = (),
    wildtypes: int = 1,
    replicates: int = 1,
    fluctuation: float = 0.0,
    noise: float = 0.0,
    level: np.ndarray | None = None,
) -> RestStudy:
    """Simulate what a culture settles at: as it is, and with genes knocked out or down, one sample each.

    The production of a gene is multiplied by 0 in its knock-out and by ½ in its knock-down: dx = (p f(x) − x) dt. The
    wild type settles first, from ½ everywhere, and every other sample from there. Then all fluctuate as in
    `simulate_disturbed`, whose culture of the same seed this is: its constant inputs hold the same levels. An input's
    level is its production, so that a knocked-out input is at 0.

        study = simulate_rest(system, seed=0, knockouts=["G1", ("G1", "G2")], knockdowns=["G7"])
        study.names   # ('wild type 1', 'knock-out G1', 'knock-out G1 + G2', 'knock-down G7')

    Args:
        system: with decay rate one, as generated and published ones are.
        seed: of the inputs' levels, fluctuations and noise.
        knockouts: genes to knock out, one after the other; a tuple of genes, all at once.
        knockdowns: genes to knock down, likewise.
        wildtypes: how many samples of the wild type.
        replicates: how many of every knock-out and knock-down; where more than one, names end in `replicate 1`, ….
        fluctuation: of the dynamics, see `simulate_disturbed`; without, samples of one kind differ by noise only.
        noise: standard deviation of the measurements, also that of a knocked-out gene.
        level: what constant inputs hold (gene,), other genes' entries counting nothing; drawn if None.

    Raises:
        InputError: on an unknown gene or one that is named twice, no sample at all, a decay rate other than one, or a
            system that never rests.
    """
    if min(wildtypes, replicates - 1) < 0 or not (wildtypes or len(knockouts) or len(knockdowns)):
        raise InputError("simulate: there is no sample at rest to simulate")
    _refuse_other_decay(system)
    outs, downs = _groups(system, knockouts, "knockouts"), _groups(system, knockdowns, "knockdowns")
    if level is None:
        _, level = start_culture(seed, len(system.genes))
    level = np.broadcast_to(np.asarray(level, float), len(system.genes))

    # Every kind of sample settles once; the first is the wild type.
    left = np.ones((1 + len(outs) + len(downs), len(system.genes)))
    for row, group in enumerate((*outs, *downs), start=1):
        left[row, [system.genes.index(gene) for gene in group]] = 0.0 if row <= len(outs) else KNOCKDOWN
    names, stated, kind = _samples(outs, downs, wildtypes, replicates)
    resting = _settle(system, left, level)[kind]

    # A stream of its own: the pushes of `simulate_disturbed` are drawn from the one that drew the levels.
    rng = np.random.default_rng([seed, 79])
    clean = _fluctuate(rng, system, resting, left[kind], level, fluctuation) if fluctuation else resting
    return RestStudy(names, clean + noise * rng.normal(size=clean.shape), clean, stated)


def _samples(
    outs: list[tuple[str, ...]], downs: list[tuple[str, ...]], wildtypes: int, replicates: int
) -> tuple[tuple[str, ...], tuple[Intervention, ...], list[int]]:
    """Return every sample's name, what was done in them, and each one's kind: 0 for wild type, then as given."""
    names, stated = [f"wild type {number}" for number in range(1, wildtypes + 1)], []
    kind = [0] * wildtypes
    for number, group in enumerate((*outs, *downs), start=1):
        out = number <= len(outs)
        title = f"{'knock-out' if out else 'knock-down'} {' + '.join(group)}"
        for replicate in range(1, replicates + 1):
            name = title if replicates == 1 else f"{title} replicate {replicate}"
            names.append(name)
            kind.append(number)
            for gene in group:
                one = Intervention(name, gene, "knockout") if out else Intervention(name, gene, "knockdown", KNOCKDOWN)
                stated.append(one)
    return tuple(names), tuple(stated), kind


def _groups(system: System, items: Sequence[str | tuple[str, ...]], argument: str) -> list[tuple[str, ...]]:
    """Return the genes of every sample, checked."""
    groups = [(item,) if isinstance(item, str) else tuple(item) for item in items]
    seen: set[frozenset[str]] = set()
    for group in groups:
        for gene in group:
            if gene not in system.genes:
                raise InputError(f"the system has no gene '{gene}'{suggest(gene, system.genes)}", argument)
        if not group:
            raise InputError("names no gene in one of its samples", argument)
        if len(set(group)) < len(group) or frozenset(group) in seen:
            raise InputError(f"'{' + '.join(group)}' names a gene or a sample twice", argument)
        seen.add(frozenset(group))
    return groups


def _refuse_other_decay(system: System) -> None:
    """Refuse a system whose equations are not production less the gene's own level."""
    with double_precision():
        levels = jnp.full(len(system.genes), 0.5)
        # A response to the gene itself is production, so that Hill terms stay as they are.
        slope = jax.jit(jax.jacfwd(system.circuit.evaluate))(levels, system.circuit.hill(levels))
        rate = -np.diagonal(np.asarray(slope))
    other = ~system.is_input & ~np.isclose(rate, 1.0)
    if other.any():
        gene = int(np.argmax(other))
        raise InputError(
            f"simulate: gene '{system.genes[gene]}' decays at rate {rate[gene]:g}; samples at rest need rate one"
        )


def _slope(system: System, state, left, level):
    """Return dx/dt (sample, gene): of production, which of an input is its level, a share is left."""
    production = jnp.where(system.is_input, level, jax.vmap(system.circuit)(state) + state)
    return left * production - state


def _settle(system: System, left: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return the state that the system settles at for every row of shares (kind, gene), the first the wild type's."""
    with double_precision():

        @jax.jit
        def settle(start, left):
            def moves(carry):
                step, _, slope = carry
                return (jnp.abs(slope).max() > RESTING) & (step < round(LONGEST / STEP))

            def advance(carry):
                step, state, slope = carry
                state = jnp.maximum(state + STEP * slope, 0.0)
                return step + 1, state, _slope(system, state, left, level)

            return jax.lax.while_loop(moves, advance, (0, start, _slope(system, start, left, level)))[1:]

        wild, slope = settle(jnp.full((1, len(system.genes)), 0.5), jnp.asarray(left[:1]))
        _refuse_restless(system, slope)
        # Knocked-out genes start where they end: they would approach zero and never be there.
        states, slope = settle(jnp.where(left == 0, 0.0, wild), jnp.asarray(left))
        _refuse_restless(system, slope)
        return np.asarray(states)


def _refuse_restless(system: System, slope) -> None:
    speed = np.abs(np.asarray(slope)).max(axis=0)
    if not (speed <= RESTING).all():  # NaN is no rest
        gene = system.genes[int(np.argmax(~(speed <= RESTING)))]
        raise InputError(f"simulate: the system never rests; gene '{gene}' still moves at time {LONGEST:g}")


def _fluctuate(
    rng: np.random.Generator, system: System, state: np.ndarray, left: np.ndarray, level: np.ndarray, fluctuation: float
) -> np.ndarray:
    """Return states (sample, gene) after fluctuating for a while."""
    with double_precision():
        slope = jax.jit(lambda state: _slope(system, state, left, level))
        for _ in range(round(FLUCTUATING / STEP)):
            state = langevin_step(rng, state, np.asarray(slope(jnp.asarray(state))), STEP, fluctuation)
    return state
