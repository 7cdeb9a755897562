"""Samples at rest against rest levels that are computed by hand."""

import numpy as np
import pytest
from scipy.optimize import brentq

from dashjax import InputError
from dashjax.data import Intervention
from dashjax.simulate import generate_system, make_system, simulate_disturbed, simulate_expression, simulate_rest


def response(x, e, n):
    half = e**n
    b = (half - 1) / (2 * half - 1)
    return b * x**n / (b - 1 + x**n)


@pytest.fixture(scope="module")
def chain():
    """A is an input; A activates B, which represses C."""
    return make_system(
        ["A", "B", "C"], ["input gene", "fAct(A, 0.5, 1.5) - B", "((1 - 1 * fAct(B, 0.45, 1.6)) * 1 - 1 * C) / 1"]
    )


@pytest.fixture(scope="module")
def system():
    return generate_system(12, seed=1)


def b_of(a):
    return response(a, 0.5, 1.5)


def c_of(b):
    return 1 - response(b, 0.45, 1.6)


def test_a_chain_rests_where_it_must(chain):
    study = simulate_rest(
        chain, 0, ["A", "B", "C", ("A", "C")], ["A", "B", "C", ("B", "C")], level=np.array([0.6, 9.0, 9.0])
    )
    assert study.names == (
        "wild type 1", "knock-out A", "knock-out B", "knock-out C", "knock-out A + C",
        "knock-down A", "knock-down B", "knock-down C", "knock-down B + C",
    )  # fmt: skip
    b = b_of(0.6)
    expected = [
        [0.6, b, c_of(b)],
        [0.0, 0.0, 1.0],
        [0.6, 0.0, 1.0],
        [0.6, b, 0.0],
        [0.0, 0.0, 0.0],
        [0.3, b_of(0.3), c_of(b_of(0.3))],
        [0.6, b / 2, c_of(b / 2)],
        [0.6, b, c_of(b) / 2],
        [0.6, b / 2, c_of(b / 2) / 2],
    ]
    np.testing.assert_allclose(study.clean, expected, atol=1e-8)
    np.testing.assert_array_equal(study.levels, study.clean)
    assert study.interventions == (
        Intervention("knock-out A", "A", "knockout"),
        Intervention("knock-out B", "B", "knockout"),
        Intervention("knock-out C", "C", "knockout"),
        Intervention("knock-out A + C", "A", "knockout"),
        Intervention("knock-out A + C", "C", "knockout"),
        Intervention("knock-down A", "A", "knockdown", 0.5),
        Intervention("knock-down B", "B", "knockdown", 0.5),
        Intervention("knock-down C", "C", "knockdown", 0.5),
        Intervention("knock-down B + C", "B", "knockdown", 0.5),
        Intervention("knock-down B + C", "C", "knockdown", 0.5),
    )


def test_a_loop_rests_at_its_fixed_point():
    # B represses itself, in a Hill term: production, not decay.
    loop = make_system(["A", "B"], ["input gene", "1 - fAct(B, 0.5, 1.5) - B"])
    study = simulate_rest(loop, 0, knockdowns=["B"])
    for row, left in enumerate((1.0, 0.5)):
        fixed = brentq(lambda b, left=left: left * (1 - response(b, 0.5, 1.5)) - b, 0, 1, xtol=1e-13)
        assert study.clean[row, 1] == pytest.approx(fixed, abs=1e-8)


def test_the_wild_type_stays_where_it_is_and_knock_outs_are_its_equations_held_at_zero(system):
    study = simulate_rest(system, 3, knockouts=system.genes)
    wild = study.clean[:1]
    np.testing.assert_allclose(simulate_expression(system, wild, [0.0, 50.0])[0, -1], wild[0], atol=1e-7)
    gone = np.eye(12, dtype=bool)
    start = np.where(gone, 0.0, wild)
    settled = simulate_expression(system, start, [0.0, 100.0], held=gone)[:, -1]
    np.testing.assert_allclose(study.clean[1:], settled, atol=1e-6)
    assert (study.clean[1:][gone] == 0).all()
    downstream = system.truth != 0
    assert np.abs(study.clean[1:] - wild)[downstream].max() > 0.1
    assert system.is_input.any()


def test_it_is_the_culture_that_is_disturbed(system):
    rest = simulate_rest(system, 5)
    calm = simulate_disturbed(system, 5, trajectories=1, fluctuation=0.0, push=0.0, noise=0.0)
    np.testing.assert_allclose(rest.clean[0], np.asarray(calm.expression)[0, -1], atol=1e-5)
    other = simulate_rest(system, 6)
    assert (other.clean != rest.clean)[:, system.is_input].all()


def test_the_disturbed_culture_is_the_one_of_before(system):
    # Made by the version whose levels were drawn in `simulate_disturbed` itself.
    values = np.asarray(simulate_disturbed(system, seed=3).expression)
    np.testing.assert_allclose(values[0, 0, :4], [0.735004, 0.282445, 0.300320, 0.391496], rtol=1e-4)


def test_fluctuation_noise_and_seed(system):
    settings = {"knockouts": ["G2"], "wildtypes": 200, "replicates": 200, "fluctuation": 0.05, "noise": 0.02}
    study = simulate_rest(system, 0, **settings)
    calm = simulate_rest(system, 0, knockouts=["G2"]).clean
    wild, out = study.clean[:200], study.clean[200:]
    assert study.names[199:202] == ("wild type 200", "knock-out G2 replicate 1", "knock-out G2 replicate 2")
    assert study.interventions[1] == Intervention("knock-out G2 replicate 2", "G2", "knockout")
    np.testing.assert_allclose(wild.mean(0), calm[0], atol=0.03)
    # An input x held at L: dx = (L − x) dt + s √(L + x) dW has variance s² L.
    held = system.is_input
    np.testing.assert_allclose(wild.std(0)[held], 0.05 * np.sqrt(calm[0, held]), rtol=0.2)
    assert (out[:, 1] == 0).all()
    off = study.levels - study.clean
    assert off.std() == pytest.approx(0.02, rel=0.05)
    assert off[200:, 1].std() == pytest.approx(0.02, rel=0.2)  # of the knocked-out gene too

    again = simulate_rest(system, 0, **settings)
    np.testing.assert_array_equal(again.levels, study.levels)
    other = simulate_rest(system, 1, **settings)
    assert (other.levels != study.levels).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"knockouts": ["g2"]}, r"knockouts: the system has no gene 'g2' \(did you mean 'G2'\?\)"),
        ({"knockdowns": [("G1", "x")]}, "knockdowns: the system has no gene 'x'"),
        ({"knockouts": ["G1", "G1"]}, "'G1' names a gene or a sample twice"),
        ({"knockouts": [("G1", "G2"), ("G2", "G1")]}, r"'G2 \+ G1' names"),
        ({"knockouts": [("G1", "G1")]}, r"'G1 \+ G1' names"),
        ({"knockouts": [()]}, "names no gene"),
        ({"wildtypes": 0}, "no sample at rest"),
        ({"replicates": 0}, "no sample at rest"),
    ],
)
def test_what_makes_no_sense_is_refused(system, settings, message):
    with pytest.raises(InputError, match=message):
        simulate_rest(system, 0, **settings)


def test_systems_without_rest_or_with_another_decay_are_refused():
    with pytest.raises(InputError, match="gene 'B' decays at rate 2; samples at rest need rate one"):
        simulate_rest(make_system(["A", "B"], ["input gene", "fAct(A, 0.5, 1.5) - 2 * B"]), 0)
    # A ring of three repressors, steep enough to oscillate.
    ring = [f"1 - fAct({by}, 0.3, 12) - {gene}" for gene, by in ("AC", "BA", "CB")]
    uneven = [ring[0].replace("0.3", "0.35"), *ring[1:]]
    with pytest.raises(InputError, match=r"never rests; gene '[ABC]' still moves"):
        simulate_rest(make_system(["A", "B", "C"], uneven), 0)
    with pytest.raises(InputError, match="never rests; gene 'A' still moves"):
        simulate_rest(make_system(["A", "B"], ["9 * B - A", "9 * A - B"]), 0)  # grows beyond any number
