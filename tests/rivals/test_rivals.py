import sys
from types import SimpleNamespace

import numpy as np
import pytest

from dashjax import InputError, make_problem, make_trajectories
from dashjax.data import Intervention, make_prior
from dashjax.io import no_trajectories
from dashjax.rivals import RIVALS, find_rival, prior_first, transitions_of
from dashjax.rivals.base import knocked_out
from dashjax.rivals.forests import decay_rates, dyngenie3_network, genie3_network, genie3_rest_network


@pytest.fixture(scope="module")
def chain():
    """Gene 0 activates gene 1, which represses gene 2; the other two are constant, as gene 0 is.

    x₁' = 1.5 x₀ − x₁ and x₂' = 2 − 1.2 x₁ − x₂.
    """
    rng = np.random.default_rng(0)
    times = np.arange(0, 4.1, 0.5)
    fade = np.exp(-times)
    paths = []
    for constant, first, second in zip(rng.uniform(0, 1, (40, 3)), *rng.uniform(0, 1, (2, 40)), strict=True):
        source = constant[0]
        one = 1.5 * source + (first - 1.5 * source) * fade
        rest = 2 - 1.8 * source
        two = rest + (second - rest) * fade - 1.2 * (first - 1.5 * source) * times * fade
        flat = np.ones_like(times)
        paths.append(np.stack([source * flat, one, two, constant[1] * flat, constant[2] * flat], axis=1))
    return make_trajectories([times] * 40, [path + 0.01 * rng.normal(size=path.shape) for path in paths])


TRUE = [(0, 1), (1, 2)]
NO_PRIOR = np.zeros((5, 5))
FEW = {"genie3": genie3_network, "dyngenie3": dyngenie3_network}


def infer(name, observed, prior=NO_PRIOR):
    return FEW[name](observed, prior, 0, trees=60) if name in FEW else RIVALS[name].infer(observed, prior, 0)


@pytest.mark.parametrize("name", ["dyngenie3", "lasso", "ridge", "sindy"])
def test_rivals_that_know_time_find_a_chains_edges_and_their_direction(chain, name):
    scores = np.abs(infer(name, chain))
    assert not scores.diagonal().any()
    best = np.argsort(-scores, axis=None)[:2]
    assert {tuple(map(int, np.unravel_index(place, scores.shape))) for place in best} == set(TRUE)


@pytest.mark.parametrize("name", ["genie3", "correlation"])
def test_rivals_without_time_find_the_pairs(chain, name):
    scores = np.abs(infer(name, chain))
    assert not scores.diagonal().any()
    pairs = np.triu(scores + scores.T)
    best = np.argsort(-pairs, axis=None)[:3]
    assert set(TRUE) <= {tuple(map(int, np.unravel_index(place, pairs.shape))) for place in best}


@pytest.mark.parametrize("name", ["lasso", "ridge", "sindy"])
def test_linear_rivals_know_signs(chain, name):
    scores = infer(name, chain)
    assert scores[0, 1] > 0 > scores[1, 2]


def test_decay_is_that_of_the_fastest_exponential_fall():
    times = np.linspace(0, 2, 9)
    slow, fast = 5 * np.exp(-0.3 * times), 5 * np.exp(-2.0 * times)
    # A gene at rest sets the floor far below both.
    observed = make_trajectories([times] * 2, [np.stack([a, np.full(9, -1e3)], 1) for a in (slow, fast)])
    floor = -1e3 - 1e-6
    expected = (np.log(5 - floor) - np.log(fast[-1] - floor)) / 2
    np.testing.assert_allclose(decay_rates(observed), [expected, 0.0], rtol=1e-4)


def test_forests_score_shares_or_variances(chain):
    shares = dyngenie3_network(chain, NO_PRIOR, 0, trees=5)
    np.testing.assert_allclose(shares.sum(axis=0), 1.0)
    explained = genie3_network(chain, NO_PRIOR, 0, trees=5)
    assert (explained.sum(axis=0) <= 1.2).all()  # of an output of unit variance, on bootstrap samples


def test_what_a_prior_says_by_itself(chain):
    prior = np.zeros((5, 5))
    prior[0, [1, 2]], prior[3, 4] = (0.5, -1.0), 1.0
    np.testing.assert_array_equal(infer("prior_only", chain, prior), prior)
    scores = infer("degree", chain, prior)
    # What gene 0 does to others speaks for its edges, not what it does to the target itself; diagonals never count.
    assert scores[0].tolist() == [0.0, 1.0, 0.5, 1.5, 1.5]
    assert scores[3].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert not scores[[1, 2, 4]].any()
    needed = {name for name, rival in RIVALS.items() if rival.needs_prior}
    assert needed == {"prior_only", "degree", "activity_ridge", "activity_ridge_degree"}


def test_steps_leave_out_padding():
    observed = make_trajectories([[0.0, 1.0], [0.0, 0.5, 2.0]], [np.zeros((2, 1)), np.arange(3.0)[:, None]])
    steps = transitions_of(observed)
    assert steps.duration.tolist() == [1.0, 0.5, 1.5]
    assert steps.end[:, 0].tolist() == [0.0, 1.0, 2.0]


def test_a_prior_goes_first_and_order_stays():
    scores = np.array([[0.0, 0.2, -0.9], [0.5, 0.0, 0.1], [0.3, 0.0, 0.0]])
    prior = np.zeros((3, 3))
    prior[0, 1] = prior[2, 0] = 1
    blended = prior_first(scores, prior)
    order = np.argsort(-np.abs(blended), axis=None)[:6]
    assert [tuple(map(int, np.unravel_index(place, (3, 3)))) for place in order] == [
        (2, 0), (0, 1), (0, 2), (1, 0), (1, 2), (0, 0),
    ]  # fmt: skip
    assert blended[0, 2] < 0
    scores[0, 1] = 0.0
    assert prior_first(scores, prior)[0, 1] > np.abs(prior_first(scores, prior)[0, 2])
    scores[0, 1] = 0.2
    assert RIVALS["correlation"].with_prior(scores, prior).tolist() == blended.tolist()
    assert RIVALS["lasso"].with_prior(scores, prior) is scores
    assert RIVALS["correlation"].with_prior(scores, np.zeros((3, 3))) is scores


@pytest.mark.parametrize("infer_some", FEW.values(), ids=FEW)
def test_forests_of_some_targets_are_those_of_the_whole_run(chain, infer_some):
    whole = infer_some(chain, NO_PRIOR, 0, trees=5)
    some = infer_some(chain, NO_PRIOR, 0, trees=5, targets=[1, 3])
    np.testing.assert_array_equal(some[:, [1, 3]], whole[:, [1, 3]])
    assert not some[:, [0, 2, 4]].any()


LEVELS = np.array(
    [
        [4.0, 2.0, 1.0],  # nothing was done
        [0.0, 1.0, 1.5],  # gene 0 is out
        [0.0, 0.0, 3.0],  # and once more
        [4.0, 0.0, 1.0],  # gene 1 is out
        [5.0, 2.0, 2.0],  # gene 2 is held high
        [0.0, 0.0, 9.0],  # genes 0 and 1 are out
        [2.0, 3.0, 0.0],  # gene 0 is knocked down
    ]
)
DONE = (
    *(("b", 0, "knockout", None), ("c", 0, "knockout", None), ("d", 1, "knockout", None), ("e", 2, "clamp", 2.0)),
    *(("f", 0, "knockout", None), ("f", 1, "knockout", None), ("g", 0, "knockdown", 0.5)),
)


def at_rest(levels=LEVELS, done=DONE, courses=None, **named):
    """Return a problem with samples at rest called a, b, c, ..."""
    genes = [f"G{n}" for n in range(np.shape(levels)[1])]
    return make_problem(
        no_trajectories(len(genes)) if courses is None else courses,
        genes,
        steady=levels,
        samples=tuple("abcdefghij"[: len(levels)]),
        trajectories=() if courses is None else ("x",) * courses.n_trajectories,
        interventions=[Intervention(name, f"G{gene}", kind, value) for name, gene, kind, value in done],
        **named,
    )


@pytest.mark.parametrize("offset", [0.0, -4.0])
def test_single_knock_outs_are_told_from_all_else(offset):
    # With levels below zero, as of logarithms, a knock-out holds the gene at the lowest one.
    rest = at_rest(LEVELS + offset).given_rest
    found = np.argwhere(knocked_out(rest)).tolist()
    assert found == [[1, 0], [2, 0], [3, 1]]


def test_noise_below_zero_hides_no_knock_out():
    noisy = LEVELS.copy()
    noisy[1, 0] = -0.1
    assert np.argwhere(knocked_out(at_rest(noisy).given_rest)).tolist() == [[1, 0], [2, 0], [3, 1]]


def test_a_stimulus_is_no_knock_out_where_it_was_not_given():
    levels = np.column_stack([LEVELS[:4], [0.0, 1.0, 0.0, 0.0]])
    done = [*DONE[:3], ("b", 3, "stimulus", 1.0)]
    assert np.argwhere(knocked_out(at_rest(levels, done).given_rest)).tolist() == [[2, 0], [3, 1]]


def test_knock_outs_score_what_moves():
    problem = at_rest()
    # Medians 2, 1 and 1.5; gene 1 moves by 0 and 1 without gene 0, gene 2 by 0 and 1.5.
    expected = [[0.0, 0.5, -0.75], [2.0 * -1, 0.0, 0.5], [0.0, 0.0, 0.0]]
    np.testing.assert_allclose(RIVALS["knockout_effect"].rank(problem, 0), expected, atol=1e-5)
    # Median absolute deviations 2, 1 and 0.5.
    scaled = np.array(expected) / (1.4826 * np.array([2.0, 1.0, 0.5]))
    np.testing.assert_allclose(RIVALS["knockout_zscore"].rank(problem, 0), scaled, atol=1e-5)


def test_what_was_not_measured_counts_in_no_average():
    levels = LEVELS.copy()
    levels[2, 1] = np.nan
    scores = RIVALS["knockout_effect"].rank(at_rest(levels), 0)
    # The median of gene 1 is 1.5 now, and one sample says what gene 0 does to it.
    assert scores[0, 1] == pytest.approx(0.5, abs=1e-5)


def test_where_most_samples_agree_scores_are_in_plain_standard_deviations():
    levels = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 2.0]])
    scores = RIVALS["knockout_zscore"].rank(at_rest(levels, [("d", 0, "knockout", None)]), 0)
    assert scores[0, 1] == pytest.approx(-1 / np.sqrt(3 / 16), rel=1e-5)


def test_forests_on_samples_at_rest_find_who_goes_with_whom():
    rng = np.random.default_rng(0)
    levels = rng.random((40, 3))
    levels[:, 1] = levels[:, 0] + 0.01 * rng.random(40)
    problem = at_rest(levels[:10], ())
    scores = genie3_rest_network(problem.given_rest, np.zeros((3, 3)), 0, trees=30)
    assert not scores.diagonal().any()
    assert scores[0, 1] > scores[2, 1]
    assert scores[1, 0] > scores[2, 0]


def test_rivals_say_what_they_need(chain):
    knocked, plain = at_rest(), at_rest(done=())
    courses = make_problem(chain)
    suited = {
        name: [name for name, rival in RIVALS.items() if rival.suits(problem)]
        for name, problem in (("knocked", knocked), ("plain", plain), ("courses", courses))
    }
    assert suited["knocked"] == ["knockout_effect", "knockout_zscore", "portia", "genie3_rest", "mrna_ridge"]
    assert suited["plain"] == ["portia", "genie3_rest", "mrna_ridge"]
    assert suited["courses"] == ["dyngenie3", "genie3", "lasso", "ridge", "sindy", "correlation", "mrna_ridge"]
    known = knocked.with_prior(make_prior(np.eye(3)[[1, 2, 0]]))
    assert [name for name in RIVALS if RIVALS[name].suits(known) and name not in suited["knocked"]] == [
        *("activity_ridge", "activity_ridge_degree", "degree", "prior_only")
    ]
    np.testing.assert_array_equal(RIVALS["prior_only"].rank(known, 0), known.prior.edges)


#: Standardised levels: four genes at right angles, and two that go with sums of them.
A, B, C = np.array([1.0, 1, -1, -1]), np.array([1.0, -1, 1, -1]), np.array([1.0, -1, -1, 1])
#: What a ridge coefficient is of a correlation of one.
FULL = 1 / 1.3


def samples_of(*columns, regulators, prior=(), courses=0):
    """Return a problem with these levels, the first of them in a time course, and edges (regulator, target, weight)."""
    levels = 5 + np.stack(columns, axis=1)
    edges = np.zeros((levels.shape[1],) * 2)
    for regulator, target, weight in prior:
        edges[regulator, target] = weight
    may = np.isin(np.arange(len(edges)), regulators)
    series = make_trajectories([np.arange(courses)], [levels[:courses]]) if courses else None
    return at_rest(levels[courses:], (), series, prior=make_prior(edges), regulators=may)


@pytest.mark.parametrize("courses", [0, 3])
def test_mrna_ridge_regresses_on_regulators_alone_in_all_samples(courses):
    # Genes 0 and 1 regulate, 2 goes against 0, 3 with both and 4 with gene 2, which may not regulate.
    problem = samples_of(A, B, -3 * A, A + B, -A, regulators=[0, 1], courses=courses)
    expected = np.zeros((5, 5))
    expected[0, 2:], expected[1, 3] = (-FULL, FULL / np.sqrt(2), -FULL), FULL / np.sqrt(2)
    np.testing.assert_allclose(RIVALS["mrna_ridge"].rank(problem, 0), expected, atol=1e-5)


def test_a_regulators_own_level_is_not_what_it_is_regressed_on():
    steep = np.array([3.0, 1, -1, -3])
    problem = samples_of(A, steep, B, regulators=[0, 1])
    correlation = 2 / np.sqrt(5)
    scores = RIVALS["mrna_ridge"].rank(problem, 0)
    np.testing.assert_allclose(scores[[0, 1], [1, 0]], correlation * FULL, atol=1e-5)
    assert not scores.diagonal().any()
    # Of a gene that is no regulator both are inputs: those of gene 2 solve 1.3 x + c y = 0, c x + 1.3 y = b.
    b = 1 / np.sqrt(5)
    solved = np.linalg.solve([[1.3, correlation], [correlation, 1.3]], [0, b])
    np.testing.assert_allclose(scores[:2, 2], solved, atol=1e-5)


def activities(name):
    # Gene 0 regulates 2 and 3, whose mean gene 4 follows; gene 1 has no target, and gene 5 follows its level.
    edges = [(0, 2, 1.0), (0, 3, -1.0)]
    problem = samples_of(C, 2 * C, A, B, -(A + B), -C, regulators=[0, 1], prior=edges)
    return RIVALS[name].rank(problem, 0)


def test_activity_ridge_knows_a_regulator_by_its_targets():
    expected = np.zeros((6, 6))
    # Its level says nothing: gene 5 has it, and so has gene 1. Weights count as confidence, scores as magnitudes.
    expected[0, [2, 3, 4]], expected[1, [0, 5]] = (FULL / np.sqrt(2), FULL / np.sqrt(2), FULL), FULL
    np.testing.assert_allclose(activities("activity_ridge"), expected, atol=1e-5)


def test_out_degrees_multiply_an_activity_without_the_edge_itself():
    expected = activities("activity_ridge")
    expected[0, [2, 3, 4]] *= 0.3 + np.log([2.0, 2.0, 3.0])
    expected[1] *= 0.3
    np.testing.assert_allclose(activities("activity_ridge_degree"), expected, atol=1e-6)


def test_targets_that_hardly_tell_two_regulators_apart_do_not():
    # Prior confidence differs by 1 %: with all singular values, noise of that difference would be blown up.
    edges = [(0, 2, 1.0), (0, 3, 1.0), (1, 2, 1.0), (1, 3, 0.99)]
    scores = RIVALS["activity_ridge"].rank(samples_of(C, C, A, B, A + B, regulators=[0, 1], prior=edges), 0)
    assert scores[0, 4] == pytest.approx(scores[1, 4], rel=0.02)
    assert scores[0, 4] == pytest.approx(1 / 2.3, rel=0.02)


def test_rivals_keep_their_earlier_names():
    assert find_rival("out_degree") is find_rival("degree") is RIVALS["degree"]
    with pytest.raises(InputError, match="unknown method 'degrees'.*degree"):
        find_rival("degrees")


def test_portia_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "portia", None)
    with pytest.raises(InputError, match="portia needs portia-grn: pip install portia-grn"):
        RIVALS["portia"].rank(at_rest(), 0)


def test_portia_is_told_the_knock_outs(monkeypatch):
    told = []
    fake = SimpleNamespace(
        GeneExpressionDataset=lambda: SimpleNamespace(add=told.append),
        Experiment=lambda number, levels, knockout: (number, levels.tolist(), knockout),
        run=lambda dataset, method, verbose: np.ones((3, 3)),
    )
    monkeypatch.setitem(sys.modules, "portia", fake)
    np.testing.assert_array_equal(RIVALS["portia"].rank(at_rest(), 0), 1 - np.eye(3))
    assert [number for number, *_ in told] == list(range(7))
    np.testing.assert_allclose([levels for _, levels, _ in told], LEVELS, atol=1e-5)
    assert [out for *_, out in told] == [[], [0], [0], [1], [], [], []]


def test_portia_runs_where_it_is_installed():
    pytest.importorskip("portia")
    scores = RIVALS["portia"].rank(at_rest(1 + np.random.default_rng(0).random((9, 4)), ()), 0)
    assert scores.shape == (4, 4)
    assert not scores.diagonal().any()
    assert (scores >= 0).all()
    assert scores.max() > 0
