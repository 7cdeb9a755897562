"""Regulatory equations: a small arithmetic grammar, parsed into trees and never evaluated as code.

The grammar is that of the published simulated systems: numbers, gene names, `+ - * /`, parentheses,
and `fAct(REGULATOR, EC50, n)`, the normalised Hill response of a regulator.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection
from dataclasses import dataclass

from dashjax.errors import InputError, suggest

#: An equation longer than this is refused: the largest published one has 1,300 characters.
LONGEST_EQUATION = 200_000
#: What the published files write for a gene that keeps its initial level.
INPUT_GENE = "input gene"


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Level:
    """The expression of a gene, entering linearly."""

    gene: str


@dataclass(frozen=True)
class Hill:
    """fAct(regulator, EC50, n)."""

    regulator: str
    ec50: float
    exponent: float


@dataclass(frozen=True)
class Operation:
    """left (symbol) right, with symbol one of + - * /."""

    symbol: str
    left: Expression
    right: Expression


Expression = Number | Level | Hill | Operation

_SYMBOLS: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


def parse_equation(text: str, genes: Collection[str], where: str = "equation") -> Expression:
    """Parse the right-hand side of dx/dt.

    Products with 1, divisions by 1 and operations on numbers are folded away.

    Args:
        text: the equation.
        genes: names that may appear in it.
        where: how an error message names the place, for example "systems.csv, row 3".

    Raises:
        InputError: on anything outside the grammar, naming it.
    """
    if len(text) > LONGEST_EQUATION:
        raise InputError(f"{where}: the equation has {len(text)} characters, at most {LONGEST_EQUATION} allowed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's remarks on syntax that the grammar refuses anyway
            tree = ast.parse(text.strip(), mode="eval").body
        return _convert(tree, genes, where)
    except SyntaxError as error:
        raise InputError(f"{where}: cannot read the equation at character {error.offset}: {error.msg}") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}: cannot read the equation: {error}") from None
    except (RecursionError, MemoryError):
        raise InputError(f"{where}: the equation is nested too deeply") from None


def _convert(node: ast.AST, genes: Collection[str], where: str) -> Expression:
    if isinstance(node, ast.Constant):
        return Number(_number(node, where))
    if isinstance(node, ast.Name):
        return Level(_gene(node.id, genes, where))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd):
        return _convert(node.operand, genes, where)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _fold("-", Number(0.0), _convert(node.operand, genes, where), where)
    if isinstance(node, ast.BinOp) and type(node.op) in _SYMBOLS:
        left, right = _convert(node.left, genes, where), _convert(node.right, genes, where)
        return _fold(_SYMBOLS[type(node.op)], left, right, where)
    if isinstance(node, ast.Call):
        return _hill(node, genes, where)
    raise InputError(f"{where}: {_describe(node)} is not allowed; use numbers, genes, + - * / and fAct(gene, EC50, n)")


def _hill(node: ast.Call, genes: Collection[str], where: str) -> Hill:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if name != "fAct":
        raise InputError(f"{where}: unknown function '{name}'; only fAct(gene, EC50, n) is allowed")
    if len(node.args) != 3 or node.keywords or not isinstance(node.args[0], ast.Name):
        raise InputError(f"{where}: fAct takes a gene, an EC50 and an exponent, got '{ast.unparse(node)[:60]}'")
    ec50, exponent = _number(node.args[1], where), _number(node.args[2], where)
    if not 0 < ec50 < 1 or not 0 < exponent <= 100:
        raise InputError(f"{where}: fAct needs 0 < EC50 < 1 and 0 < n <= 100, got {ec50:g} and {exponent:g}")
    if abs(2 * ec50**exponent - 1) < 1e-6:
        raise InputError(f"{where}: fAct({ec50:g}, {exponent:g}) has no normalised form, since EC50^n = 1/2")
    return Hill(_gene(node.args[0].id, genes, where), ec50, exponent)


def _number(node: ast.AST, where: str) -> float:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        try:
            value = float(node.value)  # type: ignore[arg-type]
        except OverflowError:
            value = float("inf")
        if value - value == 0:
            return value
    raise InputError(f"{where}: expected a finite number, found {_describe(node)}")


def _gene(name: str, genes: Collection[str], where: str) -> str:
    if name not in genes:
        raise InputError(f"{where}: unknown gene '{name}'{suggest(name, list(genes))}")
    return name


def _fold(symbol: str, left: Expression, right: Expression, where: str) -> Expression:
    if symbol == "/" and isinstance(right, Number) and right.value == 0:
        raise InputError(f"{where}: division by zero")
    if isinstance(left, Number) and isinstance(right, Number):
        a, b = left.value, right.value
        value = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else 0.0}[symbol]
        if value - value != 0:
            raise InputError(f"{where}: a constant overflows")
        return Number(value)
    if symbol in "*/" and right == Number(1.0):
        return left
    if symbol == "*" and left == Number(1.0):
        return right
    return Operation(symbol, left, right)


def _describe(node: ast.AST) -> str:
    return f"'{ast.unparse(node)[:40]}'"
