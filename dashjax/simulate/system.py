"""A ground-truth system: genes, their equations, the network they spell out, and its trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from dashjax.errors import InputError
from dashjax.simulate.circuit import Circuit, build_circuit
from dashjax.simulate.equations import INPUT_GENE, Level, Number, Operation, parse_equation


class System(eqx.Module):
    """A regulatory system whose equations are known.

    Attributes:
        genes: names, in the order of every array.
        equations: right-hand sides of dx/dt as text, `input gene` for constant genes.
        circuit: the equations, ready to evaluate.
        truth: signed network (regulator, target) read off the equations: 1 activates, −1 represses.
    """

    genes: tuple[str, ...] = eqx.field(static=True)
    equations: tuple[str, ...] = eqx.field(static=True)
    circuit: Circuit
    truth: np.ndarray

    @property
    def is_input(self) -> np.ndarray:
        """Return which genes are constant inputs."""
        return np.array([equation == INPUT_GENE for equation in self.equations])


def make_system(genes: Sequence[str], equations: Sequence[str], where: Sequence[str] | None = None) -> System:
    """Parse equations into a system.

    Args:
        genes: names; each must be unique.
        equations: one per gene, in the same order.
        where: how error messages name each equation's place; "equation of GENE" if None.

    Raises:
        InputError: on repeated genes or an equation outside the grammar.
    """
    seen: set[str] = set()
    for gene in genes:
        if gene in seen:
            raise InputError(f"equations: gene '{gene}' appears twice")
        seen.add(gene)
    expressions = []
    for number, (gene, text) in enumerate(zip(genes, equations, strict=True)):
        place = where[number] if where is not None else f"equation of {gene}"
        expressions.append(
            Number(0.0) if text.strip() == INPUT_GENE else parse_equation(text, seen, f"{place} ({gene})")
        )
    circuit = build_circuit(expressions, genes)
    truth = _signed_network(expressions, circuit, list(genes))
    return System(tuple(genes), tuple(text.strip() for text in equations), circuit, truth)


def _signed_network(expressions, circuit: Circuit, genes: list[str]) -> np.ndarray:
    """Read the network off the equations: who stands in whose, and does it push up or down.

    A regulator's sign is that of the mean slope of the target's equation in the regulator's Hill
    terms (or in its level, where it enters linearly), over random states.
    """
    index = {gene: number for number, gene in enumerate(genes)}
    terms, count = circuit.regulator, len(genes)
    rng = np.random.default_rng(0)
    levels = rng.uniform(0.05, 0.95, (8, count))
    responses = rng.uniform(0.05, 0.95, (8, len(terms)))
    with double_precision():
        slope = jax.jacfwd(circuit.evaluate, argnums=(0, 1))
        by_level, by_term = jax.jit(lambda x, h: jax.tree.map(lambda s: s.mean(0), jax.vmap(slope)(x, h)))(
            jnp.asarray(levels), jnp.asarray(responses)
        )
    by_term, by_level = np.asarray(by_term), np.asarray(by_level)

    network = np.zeros((count, count))
    for target, expression in enumerate(expressions):
        regulators, linear = _mentions(expression)
        for term in np.flatnonzero([genes[gene] in regulators for gene in terms]) if regulators else ():
            network[terms[term], target] += by_term[target, term]
        for gene in linear - {genes[target]}:  # a gene's own level in its equation is its decay
            network[index[gene], target] += by_level[target, index[gene]]
        for gene in regulators | (linear - {genes[target]}):
            if network[index[gene], target] == 0:  # stands there, though its mean slope vanishes
                network[index[gene], target] = 1.0
    return np.sign(network)


def _mentions(expression) -> tuple[set[str], set[str]]:
    """Return the genes an expression names in Hill terms, and those it names linearly."""
    regulators: set[str] = set()
    linear: set[str] = set()
    stack, seen = [expression], set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Operation):
            stack += [node.left, node.right]
        elif isinstance(node, Level):
            linear.add(node.gene)
        elif not isinstance(node, Number):
            regulators.add(node.regulator)
    return regulators, linear


def double_precision() -> AbstractContextManager:
    """Return a context in which JAX computes in float64, in this thread and nowhere else."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64  # type: ignore[attr-defined]

    return enable_x64(True)


def simulate_expression(
    system: System,
    initial: np.ndarray,
    times: Sequence[float] | np.ndarray,
    tolerance: float = 1e-8,
    held: np.ndarray | None = None,
) -> np.ndarray:
    """Solve a system's equations in double precision.

    Args:
        system: the system.
        initial: states at the first time, (trajectory, gene).
        times: increasing times to report, the first being the start; (time,) for all trajectories, or
            (trajectory, time).
        tolerance: relative and absolute tolerance of the adaptive fifth-order solver.
        held: genes that keep their initial level, as knocked-out ones keep 0; booleans (gene,) for all trajectories, or
            (trajectory, gene); none if None.

    Returns:
        Expression, (trajectory, time, gene), in float64.

    Raises:
        InputError: where a trajectory cannot be solved, naming it.
    """
    initial = np.asarray(initial, dtype=np.float64)
    grid = np.broadcast_to(np.asarray(times, dtype=np.float64), (len(initial), np.shape(times)[-1]))
    free = np.broadcast_to(True if held is None else ~np.asarray(held, bool), initial.shape)
    with double_precision():

        @jax.jit
        def solve(state, ts, free):
            solution = diffrax.diffeqsolve(
                diffrax.ODETerm(lambda t, y, args: jnp.where(free, system.circuit(y), 0.0)),
                diffrax.Tsit5(),
                t0=ts[0],
                t1=ts[-1],
                dt0=None,
                y0=state,
                saveat=diffrax.SaveAt(ts=ts),
                stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
                max_steps=100_000,
                throw=False,
            )
            return solution.ys, solution.result == diffrax.RESULTS.successful

        expression, solved = jax.vmap(solve)(jnp.asarray(initial), jnp.asarray(grid), jnp.asarray(free))
        expression, solved = np.asarray(expression), np.asarray(solved)
    solved = solved & np.isfinite(expression).all(axis=(1, 2))
    if not solved.all():
        raise InputError(f"simulate: the system cannot be solved from initial state {np.argmin(solved) + 1}")
    return expression


def draw_initial_states(rng: np.random.Generator, system: System, trajectories: int) -> np.ndarray:
    """Draw initial states as the published studies do, (trajectory, gene).

    Input genes: per gene a mean ~ Beta(10, 10) and a standard deviation
    max(Beta(15, 15)·min(mean, 1 − mean)/3, 0.01), then one truncated normal per trajectory. Other genes:
    per gene a centre ~ Beta(2, 2), then U(−¼, ¼) around it per trajectory, clipped to [0, 1].
    """
    genes = len(system.genes)
    mean = rng.beta(10, 10, genes)
    sd = np.maximum(rng.beta(15, 15, genes) * np.minimum(mean, 1 - mean) / 3, 0.01)
    inputs = rng.normal(mean, sd, (trajectories, genes))
    while (outside := (inputs < 0) | (inputs > 1)).any():
        inputs = np.where(outside, rng.normal(mean, sd, inputs.shape), inputs)
    centre = rng.beta(2, 2, genes)
    others = np.clip(centre + rng.uniform(-0.25, 0.25, (trajectories, genes)), 0, 1)
    return np.where(system.is_input, inputs, others)
