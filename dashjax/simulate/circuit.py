"""Evaluating many equations at once: an arithmetic circuit in levels.

All equations of a system share one buffer of values. Equal sub-expressions are stored once, and
operations are grouped by depth and kind, so a system of thousands of terms compiles to a few dozen
gathers instead of thousands of scalar operations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dashjax.simulate.equations import Expression, Hill, Level, Number, Operation

_FUNCTIONS: dict[str, Callable] = {"+": jnp.add, "-": jnp.subtract, "*": jnp.multiply, "/": jnp.divide}


class Circuit(eqx.Module):
    """Equations of all genes over shared terms.

    Attributes:
        constants: values of the numbers.
        regulator: gene index of each Hill term.
        ec50: each Hill term's half-response expression.
        exponent: each Hill term's exponent.
        levels: per level, (symbol, indices of left operands, of right operands) for each kind.
        outputs: where in the buffer each equation's value stands.
    """

    constants: np.ndarray
    regulator: np.ndarray
    ec50: np.ndarray
    exponent: np.ndarray
    levels: tuple[tuple[tuple[str, np.ndarray, np.ndarray], ...], ...]
    outputs: np.ndarray

    def hill(self, expression: Float[Array, " gene"]) -> Float[Array, " term"]:
        """Return every Hill term's response to the expression of its regulator."""
        return hill_response(expression[self.regulator], self.ec50, self.exponent)

    def evaluate(self, expression: Float[Array, " gene"], hill: Float[Array, " term"]) -> Float[Array, " gene"]:
        """Return the value of every equation, given the expression and the Hill terms' values."""
        values = jnp.concatenate([jnp.asarray(self.constants, expression.dtype), expression, hill])
        for level in self.levels:
            new = [_FUNCTIONS[symbol](values[left], values[right]) for symbol, left, right in level]
            values = jnp.concatenate([values, *new])
        return values[self.outputs]

    def __call__(self, expression: Float[Array, " gene"]) -> Float[Array, " gene"]:
        """Return the value of every equation."""
        return self.evaluate(expression, self.hill(expression))


def hill_response(expression, ec50, exponent):
    """Return fAct(x, E, n) = B·xⁿ/(B − 1 + xⁿ) with B = (Eⁿ − 1)/(2Eⁿ − 1): fAct(E) = ½, fAct(1) = 1.

    Negative expression, which noise can produce, gives no response.
    """
    at_half = ec50**exponent
    # Converted here: JAX would remember constants of one precision where a system is simulated in two.
    precision = jnp.result_type(expression)
    b = jnp.asarray((at_half - 1) / (2 * at_half - 1), precision)
    exponent = jnp.asarray(exponent, precision)
    power = jnp.where(expression > 0, jnp.where(expression > 0, expression, 1.0) ** exponent, 0.0)
    return b * power / (b - 1 + power)


def build_circuit(equations: Sequence[Expression], genes: Sequence[str]) -> Circuit:
    """Compile one equation per gene into a circuit."""
    index = {gene: number for number, gene in enumerate(genes)}
    numbers: dict[Number, int] = {}
    hills: dict[Hill, int] = {}
    depth: dict[Expression, int] = {}
    by_level: Mapping[int, dict[str, list[Operation]]] = defaultdict(lambda: defaultdict(list))

    # Depth first, without recursion, each distinct sub-expression once.
    for equation in equations:
        stack = [equation]
        while stack:
            node = stack[-1]
            if node in depth:
                stack.pop()
            elif isinstance(node, Operation):
                waiting = [child for child in (node.left, node.right) if child not in depth]
                if waiting:
                    stack.extend(waiting)
                    continue
                depth[node] = 1 + max(depth[node.left], depth[node.right])
                by_level[depth[node]][node.symbol].append(node)
            else:
                depth[node] = 0
                if isinstance(node, Number):
                    numbers[node] = len(numbers)
                elif isinstance(node, Hill):
                    hills[node] = len(hills)

    place: dict[Any, int] = {}
    place.update(numbers)
    place |= {Level(gene): len(numbers) + index[gene] for gene in genes}
    place |= {hill: len(numbers) + len(genes) + number for hill, number in hills.items()}
    levels = []
    for level in sorted(by_level):
        kinds = []
        for symbol, operations in by_level[level].items():
            left = np.array([place[op.left] for op in operations], dtype=np.int32)
            right = np.array([place[op.right] for op in operations], dtype=np.int32)
            kinds.append((symbol, left, right))
            place |= {op: len(place) + number for number, op in enumerate(operations)}
        levels.append(tuple(kinds))
    return Circuit(
        constants=np.array([number.value for number in numbers]),
        regulator=np.array([index[hill.regulator] for hill in hills], dtype=np.int32),
        ec50=np.array([hill.ec50 for hill in hills]),
        exponent=np.array([hill.exponent for hill in hills]),
        levels=tuple(levels),
        outputs=np.array([place[equation] for equation in equations], dtype=np.int32),
    )
