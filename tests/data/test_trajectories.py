import numpy as np
import pytest

from dashjax import InputError, make_trajectories


def test_ragged_trajectories_are_padded_and_masked():
    made = make_trajectories([[0, 1, 2], [0, 5]], [np.ones((3, 2)), 2 * np.ones((2, 2))])
    assert made.expression.shape == (2, 3, 2)
    np.testing.assert_array_equal(made.observed, [[1, 1, 1], [1, 1, 0]])
    np.testing.assert_array_equal(made.times[1], [0, 5, 5])
    np.testing.assert_array_equal(made.expression[1, 2], [2, 2])


@pytest.mark.parametrize(
    ("times", "expression", "message"),
    [
        ([[0, 0]], [np.ones((2, 3))], "time 0 appears twice"),
        ([[1, 0]], [np.ones((2, 3))], "followed by 0"),
        ([[0, 1]], [np.ones((3, 3))], "trajectory 1"),
        ([[0]], [np.ones((1, 3))], "at least two"),
        ([[0, np.nan]], [np.ones((2, 3))], "observation 2 has no finite time"),
        ([[0, 1]], [np.array([[1, 1], [1, np.inf]])], "gene 2 at time 1"),
        ([[0, 1]], [np.array([[1, np.nan], [1, np.nan]])], "gene 2 has no value at any time"),
        ([], [], "0 time grids"),
    ],
)
def test_bad_trajectories_are_refused(times, expression, message):
    with pytest.raises(InputError, match=message):
        make_trajectories(times, expression)


def test_steps_are_time_courses_of_their_own():
    observed = make_trajectories([[0.0, 1.0], [0.0, 0.5, 2.0]], [np.zeros((2, 1)), np.arange(3.0)[:, None]])
    steps = observed.in_steps()
    assert steps.times.tolist() == [[0, 1], [1, 1], [0, 0.5], [0.5, 2]]
    assert steps.expression[..., 0].tolist() == [[0, 0], [0, 0], [0, 1], [1, 2]]
    assert steps.observed.tolist() == [[True, True], [True, False], [True, True], [True, True]]
