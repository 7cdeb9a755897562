"""Interventions as affine changes of production: by hand, through every way data are cut, and in other units."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashjax import InputError, Split, make_prior, make_problem, make_trajectories
from dashjax.data import HoldOut, Intervention, Production, RestSamples, Units, as_given, join, single_transitions
from dashjax.data.interventions import production_of, rest_samples
from dashjax.dynamics import Direct, under

GENES = ("A", "B", "C", "D")
EXPERIMENTS = ("one", "two", "three")
LEVELS = np.array([[0.1, 0.2, 0.3, 0.4], [1.1, 1.2, 1.3, 1.4], [2.1, 2.2, 2.3, 2.4]])
LOWEST = np.array([0.0, -1.0, -2.0, -3.0])


@pytest.mark.parametrize(
    ("kind", "value", "factor", "level"),
    [
        ("knockout", None, 0.0, -2.0),  # whose lowest level stands for none
        ("knockout", 7.0, 0.0, -2.0),
        ("knockdown", 0.25, 0.25, 0.75 * -2.0),  # a quarter of what is above the lowest level is left
        ("overexpression", 0.7, 1.0, 0.7),
        ("clamp", 0.7, 0.0, 0.7),
        ("knockdown", None, 0.0, 1.3),  # held where it was measured
        ("overexpression", None, 0.0, 1.3),
        ("clamp", None, 0.0, 1.3),
    ],
)
def test_each_kind_changes_production_by_hand(kind, value, factor, level):
    made = production_of([Intervention("two", "C", kind, value)], EXPERIMENTS, GENES, LEVELS, LOWEST)
    expected = np.ones((3, 4)), np.zeros((3, 4))
    expected[0][1, 2], expected[1][1, 2] = factor, level
    np.testing.assert_allclose(made.factor, expected[0])
    np.testing.assert_allclose(made.level, expected[1])
    np.testing.assert_array_equal(made.touched, (np.arange(12) == 6).reshape(3, 4))


def test_a_stimulus_is_regulated_nowhere_and_where_it_was_measured():
    levels = LEVELS.copy()
    levels[:, 3] = 0.0, 0.5, 0.0  # as readers add a stimulus: zero where it was not given
    made = production_of([Intervention("two", "D", "stimulus", 0.5)], EXPERIMENTS, GENES, levels, LOWEST)
    np.testing.assert_array_equal(made.factor, np.tile([1, 1, 1, 0], (3, 1)))
    np.testing.assert_array_equal(made.level, np.outer([0, 0.5, 0], [0, 0, 0, 1]))


def test_no_interventions_are_none_and_unknown_names_are_refused_with_a_hint():
    assert production_of([], EXPERIMENTS, GENES, LEVELS, LOWEST) is None
    with pytest.raises(InputError, match="done.csv, row 3: there is no experiment 'thre' .*'three'"):
        production_of([Intervention("thre", "A", "clamp", 1.0, "done.csv, row 3")], EXPERIMENTS, GENES, LEVELS, LOWEST)
    with pytest.raises(InputError, match="there is no gene 'E'"):
        production_of([Intervention("one", "E", "knockout")], EXPERIMENTS, GENES, LEVELS, LOWEST)


def test_missing_levels_at_rest_are_filled_with_the_genes_median_and_not_counted():
    nan = np.nan
    rest = rest_samples(np.array([[1.0, 5.0, nan], [nan, 6.0, nan], [3.0, 7.0, nan], [8.0, nan, nan]]))
    np.testing.assert_array_equal(rest.levels[:, :2], [[1, 5], [3, 6], [3, 7], [8, 6]])
    assert np.isfinite(rest.levels).all()
    np.testing.assert_array_equal(rest.counted.sum(axis=0), [3, 3, 0])
    assert rest.n_samples == 4
    assert not rest.counted[1, 0]
    np.testing.assert_array_equal(rest[np.array([2, 0])].measured[:, 0], [True, True])
    whole = rest_samples(np.ones((2, 3)))
    assert whole.measured is None
    assert whole.counted.all()
    assert not whole.acting.touched.any()
    with pytest.raises(InputError, match="sample 2: the level of gene 3 is infinite"):
        rest_samples(np.array([[1.0, 1.0, 1.0], [1.0, 1.0, -np.inf]]))


numbers = st.floats(-4, 4, width=32)


@settings(max_examples=20, deadline=None)
@given(
    offset=st.tuples(numbers, numbers),
    scale=st.tuples(*[st.floats(0.125, 8, width=32)] * 2),
    factor=st.tuples(*[st.floats(0, 1, width=32)] * 2),
    level=st.tuples(numbers, numbers),
)
def test_what_was_done_means_the_same_in_any_unit(offset, scale, factor, level):
    units = Units(jnp.asarray(2.0), *(jnp.asarray(part, jnp.float32) for part in (offset, scale)))
    production = Production(jnp.asarray([factor]), jnp.asarray([level]))
    rest = RestSamples(jnp.asarray([[0.5, -1.0]]), None, production)
    scaled = units.scaled_rest(rest)
    # The level that a gene is driven to, told in either unit.
    regulation = jnp.asarray([[1.5, -0.5]])
    driven = production.factor * regulation + production.level
    there = scaled.production.factor * units.scaled_levels(regulation) + scaled.production.level
    np.testing.assert_allclose(units.levels(there), driven, atol=1e-4)
    np.testing.assert_allclose(units.levels(scaled.levels), rest.levels, atol=1e-4)
    course = make_trajectories([[0.0, 1.0]], [np.array([[0.5, -1.0]] * 2)])
    course = type(course)(course.times, course.expression, course.observed, None, production)
    scaled_course = units.scaled(course)
    np.testing.assert_array_equal(scaled_course.production.level, scaled.production.level)
    for back, before in ((units.given_rest(scaled), rest), (units.given(scaled_course), course)):
        for ours, theirs in zip(jax.tree.leaves(back), jax.tree.leaves(before), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_field_in_training_units_obeys_what_was_done_in_the_users():
    """Knocked out is no expression in the user's unit, which is not zero in training units."""
    units = Units(jnp.asarray(1.0), jnp.array([-2.0, 4.0]), jnp.array([2.0, 8.0]))
    bias = jnp.array([0.25, 0.5])  # 2 · 0.25 − 2 = −1.5 and 8 · 0.5 + 4 = 8 in the user's unit
    field = Direct(jnp.zeros((2, 2, 2)), jnp.zeros(2), bias, jnp.ones(2))
    production = Production(jnp.array([[0.0, 0.5]]), jnp.array([[0.0, 1.0]]))
    scaled = units.scaled_rest(RestSamples(jnp.zeros((1, 2)), None, production)).production
    driven = units.levels(under(field, scaled).regulation(jnp.zeros((1, 2))))
    np.testing.assert_allclose(driven, [[0.0, 0.5 * 8 + 1]], atol=1e-6)


def numbered(count, times=3, first=0):
    """Return trajectories of two genes whose production tells which one it is."""
    values = np.random.default_rng(first).uniform(size=(count, times, 2))
    made = make_trajectories([np.arange(times)] * count, list(values))
    number = jnp.arange(first, first + count, dtype=jnp.float32)
    production = Production(jnp.stack([number, -number], axis=1) / 100, jnp.stack([number, 10 * number], axis=1))
    return type(made)(made.times, made.expression, made.observed, None, production)


def test_every_cut_of_the_data_keeps_what_was_done_in_its_own_row():
    courses = numbered(4)
    np.testing.assert_array_equal(courses[np.array([2, 0])].production.level[:, 0], [2, 0])
    swapped = courses.of_genes([1, 0])
    np.testing.assert_array_equal(swapped.production.level, courses.production.level[:, ::-1])
    np.testing.assert_array_equal(swapped.production.factor, courses.production.factor[:, ::-1])
    np.testing.assert_array_equal(courses.in_steps().production.level[:, 0], [0, 0, 1, 1, 2, 2, 3, 3])
    assert courses.in_steps().production.factor.shape == (8, 2)
    # The second course is shorter: one of its two steps is padding and no piece.
    ragged = courses
    ragged = type(ragged)(ragged.times, ragged.expression, ragged.observed.at[1, 2].set(False), None, ragged.production)
    np.testing.assert_array_equal(single_transitions(ragged).production.level[:, 1], [0, 0, 10, 20, 20, 30, 30])


def test_joined_trajectories_keep_what_was_done_and_others_stay_undisturbed():
    treated, plain = numbered(2, first=5), make_trajectories([[0, 1]] * 3, list(np.zeros((3, 2, 2))))
    for both, rows in ((join(treated, plain), slice(0, 2)), (join(plain, treated), slice(3, 5))):
        np.testing.assert_array_equal(both.production.level[rows], treated.production.level)
        np.testing.assert_array_equal(both.production.factor[rows], treated.production.factor)
        assert int(both.production.touched.sum()) == 4
    assert join(plain, plain).production is None
    seen = Split(treated, numbered(2, first=7)).seen()
    np.testing.assert_array_equal(seen.production.level[:, 0], [5, 6, 7, 8])


NAMES = {"trajectories": tuple(f"t{n}" for n in range(6)), "samples": ("wild", "out", "down")}
DONE = (Intervention("t4", "B", "knockout"), Intervention("down", "A", "knockdown", 0.5))


def problem_of(interventions=DONE, seed=0, shift=0.0, **options):
    rng = np.random.default_rng(seed)
    courses = make_trajectories([[0, 1, 2]] * 6, list(rng.uniform(size=(6, 3, 3)) + shift))
    rest = rng.uniform(size=(3, 3)) + shift
    return make_problem(
        courses, ["A", "B", "C"], steady=rest, interventions=interventions, **NAMES, **{"validation": 0.34, **options}
    )


def test_a_problem_splits_what_was_done_into_courses_and_samples():
    problem = problem_of()
    courses, rest = problem.given.production, problem.given_rest.production
    np.testing.assert_array_equal(np.argwhere(courses.touched), [[4, 1]])
    np.testing.assert_array_equal(np.argwhere(rest.touched), [[2, 0]])
    assert float(courses.factor[4, 1]) == 0
    assert float(courses.level[4, 1]) == pytest.approx(0, abs=1e-6)  # none is none in the user's unit
    assert float(problem.observed.production.level[4, 1]) == pytest.approx(
        float(-problem.units.offset[1] / problem.units.scale[1]), rel=1e-5
    )
    assert float(rest.factor[2, 0]) == 0.5
    # Only where something was done is there anything to keep.
    assert problem_of(DONE[:1]).rest.production is None
    assert problem_of(DONE[1:]).observed.production is None
    assert problem_of(()).observed.production is None


def test_where_levels_are_negative_the_lowest_stands_for_none():
    problem = problem_of((Intervention("t4", "B", "knockout"), Intervention("wild", "C", "knockout")), shift=-0.5)
    everything = np.concatenate([np.asarray(problem.given.expression).reshape(-1, 3), problem.given_rest.levels])
    np.testing.assert_allclose(problem.given.production.level[4, 1], everything[:, 1].min(), atol=1e-5)
    np.testing.assert_allclose(problem.given_rest.production.level[0, 2], everything[:, 2].min(), atol=1e-5)


def test_an_unknown_size_is_the_mean_of_the_course_without_its_padding():
    rng = np.random.default_rng(0)
    times, levels = [np.arange(n) for n in (3, 2, 3, 3, 3)], [rng.uniform(size=(n, 2)) for n in (3, 2, 3, 3, 3)]
    done = [Intervention("t1", "G2", "clamp"), Intervention("s", "G1", "knockdown")]
    problem = make_problem(
        make_trajectories(times, levels), steady=np.array([[0.3, 0.4]]), interventions=done, validation=0.2,
        trajectories=tuple(f"t{n}" for n in range(5)), samples=("s",), units=as_given(2),
    )  # fmt: skip
    np.testing.assert_allclose(problem.observed.production.level[1, 1], levels[1][:, 1].mean(), rtol=1e-6)
    np.testing.assert_allclose(problem.rest.production.level[0, 0], 0.3, rtol=1e-6)


def test_names_must_cover_all_experiments():
    rng = np.random.default_rng(0)
    courses = make_trajectories([[0, 1]] * 6, list(rng.uniform(size=(6, 2, 3))))
    with pytest.raises(InputError, match="interventions: 6 names for 9 trajectories and samples"):
        make_problem(courses, list("ABC"), steady=rng.uniform(size=(3, 3)), interventions=DONE[:1],
                     trajectories=NAMES["trajectories"])  # fmt: skip
    with pytest.raises(InputError, match="steady: expected levels .* of 3 genes"):
        make_problem(courses, steady=np.ones((3, 2)))


def test_every_way_of_a_run_keeps_rest_and_interventions():
    problem = problem_of()
    others = (
        problem,
        problem.with_prior(make_prior(np.eye(3))),
        problem.with_folds(3),
        problem_of(validation=HoldOut(2, False)),
    )
    for one in others:
        for seed, fold in ((0, 0), (1, 0), (0, 2)):
            train, held = one.rows(seed, fold)
            split = one.split(seed, fold)
            for part, rows in ((split.train, train), (split.validation, held)):
                np.testing.assert_array_equal(part.production.factor[:, 1] == 0, np.asarray(rows) == 4)
            jax.tree.map(np.testing.assert_array_equal, split.rest, problem.rest)
    few = make_problem(
        make_trajectories([[0, 1, 2]] * 2, list(np.random.default_rng(1).uniform(size=(2, 3, 3)))), list("ABC"),
        interventions=[Intervention("b", "A", "clamp", 0.7)], trajectories=("a", "b"), validation=0.25,
    )  # fmt: skip
    # Cut into steps, two of which belong to the second course.
    np.testing.assert_array_equal(few.pieces.production.factor[:, 0], [1, 1, 0, 0])


def test_what_was_done_is_part_of_a_problems_identity():
    problems = [
        problem_of(),
        problem_of(()),
        problem_of(DONE[:1]),
        problem_of((DONE[0], Intervention("down", "A", "knockdown", 0.25))),
        problem_of((DONE[0], Intervention("down", "B", "knockdown", 0.5))),
        problem_of((DONE[0], Intervention("out", "A", "knockdown", 0.5))),
        problem_of((Intervention("t4", "C", "knockout"), DONE[1])),
    ]
    assert len({problem.data_fingerprint for problem in problems}) == len(problems)
    assert len({problem.fingerprint for problem in problems}) == len(problems)
    assert problem_of().data_fingerprint == problems[0].data_fingerprint
    assert problem_of().with_prior(make_prior(np.eye(3))).data_fingerprint == problems[0].data_fingerprint


def test_a_problem_may_be_all_at_rest():
    nothing = make_trajectories([[0, 1]], [np.ones((2, 3))])[:0]
    problem = make_problem(nothing, steady=np.random.default_rng(0).uniform(size=(4, 3)), samples=tuple("abcd"),
                           interventions=[Intervention("b", "G2", "knockout")])  # fmt: skip
    assert [len(rows) for rows in problem.rows(0)] == [0, 0]
    split = problem.split(0)
    assert split.train.n_trajectories == split.validation.n_trajectories == 0
    assert split.rest.n_samples == 4
    assert problem.states.shape == (4, 3)
    np.testing.assert_array_equal(np.argwhere(problem.rest.acting.touched), [[1, 1]])
    np.testing.assert_allclose(problem.states.mean(axis=0), 0.5, atol=1e-5)  # samples count for units
    with pytest.raises(InputError, match="neither trajectories nor samples at rest"):
        make_problem(nothing)
