import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashjax import InputError
from dashjax.simulate import make_system
from dashjax.simulate.circuit import build_circuit, hill_response
from dashjax.simulate.equations import Hill, Level, Number, Operation, parse_equation

GENES = ("A", "B", "C")


def plain(expression, levels):
    """Evaluate an expression tree the obvious way."""
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Level):
        return levels[expression.gene]
    if isinstance(expression, Hill):
        return float(hill_response(np.float64(levels[expression.regulator]), expression.ec50, expression.exponent))
    a, b = plain(expression.left, levels), plain(expression.right, levels)
    return {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else float("nan")}[expression.symbol]


def texts():
    leaf = st.one_of(
        st.sampled_from(["0.5", "2", "1", "A", "B"]),
        st.builds(lambda g, e: f"fAct({g}, {e:.3f}, 1.5)", st.sampled_from(GENES), st.floats(0.41, 0.59)),
    )
    return st.recursive(
        leaf, lambda part: st.builds("({} {} {})".format, part, st.sampled_from("+-*"), part), max_leaves=12
    )


@settings(deadline=None, max_examples=80)
@given(st.lists(texts(), min_size=3, max_size=3))
def test_circuits_evaluate_what_the_text_says(equations):
    expressions = [parse_equation(text, GENES) for text in equations]
    levels = dict(zip(GENES, (0.2, 0.7, 0.9), strict=True))
    values = build_circuit(expressions, GENES)(np.array(list(levels.values()), np.float32))
    # Python itself is the oracle for the arithmetic.
    scope = levels | {"fAct": lambda x, e, n: float(hill_response(np.float64(x), e, n))}
    for text, expression, value in zip(equations, expressions, values, strict=True):
        expected = eval(text, {"__builtins__": {}}, scope)
        assert plain(expression, levels) == pytest.approx(expected, rel=1e-6, abs=1e-9)
        assert float(value) == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_published_form_folds_to_its_logic():
    parsed = parse_equation("(((1 - 1 * fAct(B, 0.5, 1.5))) * 1 - 1 * A) / 1", GENES)
    hill = Hill("B", 0.5, 1.5)
    assert parsed == Operation("-", Operation("-", Number(1.0), hill), Level("A"))


def test_normalised_hill_response():
    for ec50, exponent in ((0.4, 1.39), (0.6, 1.8)):
        values = hill_response(np.array([-0.1, 0.0, ec50, 1.0]), ec50, exponent)
        np.testing.assert_allclose(values, [0, 0, 0.5, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os').system('true')", "unknown function"),
        ("fAct(A, 0.5)", "fAct takes a gene, an EC50 and an exponent"),
        ("fAct(A, B, 1.5)", "finite number, found 'B'"),
        ("fAct(A, 1.5, 1.5)", "0 < EC50 < 1"),
        ("fAct(A, 0.5, 1)", "no normalised form"),
        ("fAct(a, 0.5, 1.5)", r"unknown gene 'a' \(did you mean 'A'\?\)"),
        ("A ** 2", "not allowed"),
        ("[A]", "not allowed"),
        ("'A'", "finite number"),
        ("True", "finite number"),
        ("1e999", "finite number"),
        ("A / (1 - 1)", "division by zero"),
        ("1e300 * 1e300", "overflows"),
        ("A +", "cannot read the equation"),
        ("", "cannot read the equation"),
        ("A if A else B", "not allowed"),
        ("lambda: A", "not allowed"),
        ("(" * 5000 + "A" + ")" * 5000, "cannot read|too deeply"),
        ("-" * 50_000 + "A", "cannot read|too deeply"),
        ("A" * 300_000, "at most"),
        ("A\0", "cannot read"),
    ],
)
def test_anything_else_is_refused_with_its_place(text, message):
    with pytest.raises(InputError, match=message) as caught:
        parse_equation(text, GENES, "systems.csv, row 4")
    assert str(caught.value).startswith("systems.csv, row 4")
    assert len(str(caught.value).splitlines()) == 1


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="AB fct(),.+-*/015e'\"[]{}:=\n\\", max_size=60))
def test_random_text_is_parsed_or_refused(text):
    try:
        parse_equation(text, GENES)
    except InputError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017


def test_network_is_read_off_the_equations():
    system = make_system(
        ["A", "B", "C", "D"],
        [
            "input gene",
            "fAct(A, 0.5, 1.5) * (1 - fAct(C, 0.45, 1.6)) - B",
            "(1 - fAct(B, 0.5, 1.5)) * (1 - fAct(C, 0.5, 1.4)) + 0.1 * A - C",
            "(1 - (1 - fAct(A, 0.5, 1.5)) * (1 - fAct(B, 0.5, 1.5))) - D",
        ],
    )
    expected = np.zeros((4, 4))
    expected[0, 1], expected[2, 1] = 1, -1
    expected[1, 2], expected[2, 2], expected[0, 2] = -1, -1, 1  # C represses itself; A enters linearly
    expected[0, 3], expected[1, 3] = 1, 1
    np.testing.assert_array_equal(system.truth, expected)
    np.testing.assert_array_equal(system.is_input, [True, False, False, False])
