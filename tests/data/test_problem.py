"""Problems: sizes agree or are refused, and what is held out follows from data and seed alone."""

import jax
import numpy as np
import pytest

from dashjax import InputError, Split, make_prior, make_problem, make_trajectories
from dashjax.data import HoldOut, as_given


def courses(count, times=4, genes=3, seed=0):
    values = np.random.default_rng(seed).uniform(size=(count, times, genes))
    return make_trajectories([np.arange(times)] * count, list(values))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prior": make_prior(np.eye(4))}, r"prior: a network of shape \(4, 4\) for 3 genes"),
        ({"genes": ["A", "B"]}, "genes: 2 names for 3 genes"),
        ({"truth": np.eye(2)}, r"truth: a network of shape \(2, 2\) for 3 genes"),
        ({"validation": 1.0}, "validation: must be between 0 and 1, got 1"),
        ({"validation": 0.95}, "validation: 0.95 of 6 pieces of data leaves nothing to train on"),
        ({"regulators": np.zeros(3, bool)}, "regulators: no gene may regulate"),
    ],
)
def test_what_makes_no_problem_is_refused_with_its_name(change, message):
    with pytest.raises(InputError, match=message):
        make_problem(courses(6), **change)


def test_unequal_trajectories_are_seen_together():
    long, short = courses(3, times=5), courses(2, times=3, seed=1)
    seen = Split(long, short).seen()
    assert seen.times.shape == (5, 5)
    np.testing.assert_array_equal(seen.expression[3:, :3], short.expression)
    np.testing.assert_array_equal(seen.observed[3:], [[True, True, True, False, False]] * 2)
    # Padding repeats the last time and state, so that steps past the end have no length.
    np.testing.assert_array_equal(seen.times[3, 3:], [2.0, 2.0])
    np.testing.assert_array_equal(seen.expression[3, 4], short.expression[0, -1])


def test_values_missing_in_one_part_only_do_not_count():
    gaps = np.random.default_rng(2).uniform(size=(3, 3))
    gaps[1, 2] = np.nan
    seen = Split(courses(1, times=3), make_trajectories([[0, 1, 2]], [gaps])).seen()
    assert np.asarray(seen.counted).sum() == 2 * 9 - 1
    assert not seen.counted[1, 1, 2]


def test_trajectories_of_other_genes_cannot_be_joined():
    with pytest.raises(InputError, match="3 and 2 genes cannot be joined"):
        Split(courses(1), courses(1, genes=2)).seen()


def test_fingerprints_are_of_content_alone():
    problem = make_problem(courses(6), ["A", "B", "C"], make_prior(np.eye(3)), truth=np.eye(3))
    same = make_problem(courses(6), ["A", "B", "C"], make_prior(np.eye(3)), truth=np.eye(3), name="b", group="c")
    assert (same.fingerprint, same.data_fingerprint) == (problem.fingerprint, problem.data_fingerprint)
    believed = problem.with_prior(make_prior(np.ones((3, 3))))
    assert believed.data_fingerprint == problem.data_fingerprint
    others = {
        "prior": believed,
        "signs": problem.with_prior(make_prior(-np.eye(3))),
        "truth": make_problem(courses(6), ["A", "B", "C"], make_prior(np.eye(3))),
        "hold out": make_problem(courses(6), ["A", "B", "C"], make_prior(np.eye(3)), truth=np.eye(3), validation=0.4),
        "names": make_problem(courses(6), ["A", "B", "D"], make_prior(np.eye(3)), truth=np.eye(3)),
        "data": make_problem(courses(6, seed=1), ["A", "B", "C"], make_prior(np.eye(3)), truth=np.eye(3)),
        "regulators": make_problem(
            courses(6), ["A", "B", "C"], make_prior(np.eye(3)), truth=np.eye(3), regulators=np.array([1, 1, 0], bool)
        ),
        "units": make_problem(courses(6), ["A", "B", "C"], make_prior(np.eye(3)), truth=np.eye(3), units=as_given(3)),
    }
    assert len({problem.fingerprint, *(other.fingerprint for other in others.values())}) == 1 + len(others)
    assert {name for name, other in others.items() if other.data_fingerprint != problem.data_fingerprint} == {
        "names",
        "data",
        "units",
    }


def test_a_seed_draws_what_is_held_out_and_folds_cover_everything_once():
    problem = make_problem(courses(10), validation=0.3)
    draws = [problem.rows(seed) for seed in range(5)]
    for train, held in draws:
        assert sorted([*train, *held]) == list(range(10))
        assert len(held) == 3
    assert len({tuple(held) for _, held in draws}) > 1
    last = make_problem(courses(10), validation=HoldOut(2, drawn=False))
    assert last.rows(0)[1].tolist() == last.rows(1)[1].tolist() == [8, 9]
    folded = problem.with_folds(3)
    parts = [folded.rows(seed=0, fold=fold)[1].tolist() for fold in (1, 2, 3)]
    assert [len(part) for part in parts] == [3, 3, 3]
    assert len(set(sum(parts, []))) == 9
    assert folded.rows(seed=4, fold=2)[1].tolist() == parts[1]
    with pytest.raises(InputError, match="tune: 11 folds of 10 pieces of data"):
        problem.with_folds(11)


def test_a_long_course_is_held_out_step_by_step():
    one = make_problem(courses(1, times=9), validation=0.25)
    assert not one.whole
    assert one.pieces.times.shape == (8, 2)
    split = one.split(seed=0)
    assert (split.train.n_trajectories, split.validation.n_trajectories) == (6, 2)
    many = make_problem(courses(6), validation=0.25)
    assert many.whole
    # In the user's units nothing has changed.
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), many.given, courses(6))
