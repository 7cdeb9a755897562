import numpy as np
import pytest

from dashjax import make_trajectories
from dashjax.rivals import RIVALS, prior_first, transitions_of
from dashjax.rivals.forests import decay_rates, dyngenie3_network, genie3_network


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
    scores = infer("out_degree", chain, prior)
    # What gene 0 does to others speaks for its edges, not what it does to the target itself; diagonals never count.
    assert scores[0].tolist() == [0.0, 1.0, 0.5, 1.5, 1.5]
    assert scores[3].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert not scores[[1, 2, 4]].any()
    assert {name for name, rival in RIVALS.items() if rival.needs_prior} == {"prior_only", "out_degree"}


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
    assert RIVALS["correlation"].with_prior(scores, prior).tolist() == blended.tolist()
    assert RIVALS["lasso"].with_prior(scores, prior) is scores
    assert RIVALS["correlation"].with_prior(scores, np.zeros((3, 3))) is scores


@pytest.mark.parametrize("infer_some", FEW.values(), ids=FEW)
def test_forests_of_some_targets_are_those_of_the_whole_run(chain, infer_some):
    whole = infer_some(chain, NO_PRIOR, 0, trees=5)
    some = infer_some(chain, NO_PRIOR, 0, trees=5, targets=[1, 3])
    np.testing.assert_array_equal(some[:, [1, 3]], whole[:, [1, 3]])
    assert not some[:, [0, 2, 4]].any()
