"""What is asked to be done to genes of a network, and what follows from it at rest, in the user's units."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Direct, DirectSpec, InputError, Network, make_problem, make_trajectories
from dashjax.data import Production, Units, no_prior
from dashjax.networks.starts import asked_change
from dashjax.questions import Measured

GENES = ("A", "B", "C")
#: A's level 10 is ½ in training units, one of which are 20 of the user's.
UNITS = Units(jnp.asarray(2.0), jnp.array([0.0, 0.0, -1.0]), jnp.array([20.0, 2.0, 4.0]))
FLOOR = np.array([-3.0, -2.0, -1.0])


def network(**parts):
    """A → B beside C, all resting at ½ in training units but for B."""
    half = jnp.full(3, 0.5)
    field = Direct(jnp.zeros((2, 3, 3)).at[0, 1, 0].set(0.6), jnp.zeros(3), half, jnp.ones(3))
    fields = jax.tree.map(lambda leaf: leaf[None], field)
    return Network(GENES, UNITS, no_prior(3), spec=DirectSpec(), fields=fields, **parts)


def test_a_change_holds_levels_and_leaves_shares():
    change = asked_change(GENES, ["A"], {"B": 0.5}, {"C": 2.0})
    np.testing.assert_array_equal(change.levels, [0, np.nan, 2])
    np.testing.assert_array_equal(change.factor, [1, 0.5, 1])
    np.testing.assert_array_equal(change.named, True)
    assert asked_change(GENES, "A", {}, {}, FLOOR).levels[0] == -3
    np.testing.assert_array_equal(asked_change(GENES, (), {"B": 1.0}, {}).named, [False, True, False])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (((), {}, {}), "knock_out: name at least one gene to perturb"),
        ((["a"], {}, {}), "knock_out: the network has no gene 'a'"),
        (((), {"Q": 0.5}, {}), "knock_down: the network has no gene 'Q'"),
        ((["A"], {"A": 0.5}, {}), "knock_down: gene 'A' is perturbed twice"),
        ((["A", "A"], {}, {}), "knock_out: gene 'A' is perturbed twice"),
        (((), {"A": -0.5}, {}), "knock_down: 'A' is left a share of -0.5, expected at least 0"),
        (((), {"A": np.nan}, {}), "knock_down: 'A' is left a share of nan"),
        (((), {"A": np.inf}, {}), "knock_down: 'A' is left a share of inf"),
        (((), {}, {"A": np.nan}), "over_express: level of 'A' is nan"),
    ],
)
def test_what_cannot_be_done_is_one_line(change, message):
    with pytest.raises(InputError, match=f"^{message}") as caught:
        asked_change(GENES, *change)
    assert len(str(caught.value).splitlines()) == 1


def test_levels_at_rest_are_in_the_users_units():
    told = network().at_rest(knock_out=["A"])
    assert list(told) == ["gene", "usual", "level", "low", "high", "change"]
    np.testing.assert_allclose(told["usual"], [10, 1, 1], rtol=1e-4)
    np.testing.assert_allclose(told["level"], [0, 2 * (0.5 - 0.6 / 3), 1], rtol=1e-4)  # φ(0) = −⅓
    np.testing.assert_array_equal(told.loc[0, ["level", "low", "high"]].to_numpy(float), 0)
    np.testing.assert_allclose(told["change"], told["level"] - told["usual"])


def test_an_over_expressed_gene_is_at_its_level_and_a_knocked_down_one_at_its_share():
    told = network().at_rest((), {"A": 25.0}, {"C": 0.5}).set_index("gene")["level"]
    assert told["A"] == 25
    assert told["C"] == pytest.approx(0.5)
    # Where zero means average, what is left is a share of the way up from the lowest level.
    told = network(floor=FLOOR).at_rest(knock_down={"C": 0.5}).set_index("gene")["level"]
    assert told["C"] == pytest.approx(-1 + 0.5 * (1 - -1), abs=1e-5)


def test_nothing_is_below_no_expression_where_zero_means_that():
    done = Production(jnp.array([[0.0, 1.0, 1.0]]), jnp.zeros((1, 3)))
    levels = jnp.array([[0.0, -0.1, 0.5]])
    measured = Measured(jnp.full(3, 0.5), jnp.zeros(3), levels, jnp.full((1, 3), 0.05), done)
    told = network(measured=measured, floor=np.zeros(3)).at_rest(["A"]).set_index("gene")
    assert told.loc["B", "level"] == told.loc["B", "low"] == 0
    # Where it means average, the lowest seen is no bound.
    measured = Measured(measured.usual, measured.uncertainty, levels, measured.error, Production(
        done.factor, jnp.array([[-3 / 20, 0, 0]])
    ))  # fmt: skip
    told = network(measured=measured, floor=FLOOR).at_rest(["A"]).set_index("gene")
    assert told.loc["A", "level"] == -3
    assert told.loc["B", "level"] == pytest.approx(-0.2)
    assert told.loc["B", "low"] < -0.2 < told.loc["B", "high"]


def test_starts_are_settled_from():
    """A gene that never decays stays where it starts, and its target follows."""
    half = jnp.full(3, 0.5)
    field = Direct(jnp.zeros((2, 3, 3)).at[0, 1, 0].set(0.6), jnp.zeros(3), half, jnp.array([0.0, 1.0, 1.0]))
    still = Network(GENES, UNITS, no_prior(3), spec=DirectSpec(), fields=jax.tree.map(lambda leaf: leaf[None], field))
    told = still.at_rest(knock_out=["C"], starts=np.array([[20.0, 1.0, 1.0]])).set_index("gene")["level"]
    assert told["A"] == pytest.approx(20)
    assert told["B"] == pytest.approx(2 * (0.5 + 0.6 / 3), rel=1e-3)  # φ(1) = ⅓


def test_a_share_of_all_changes_nothing_and_of_none_is_a_knock_out():
    starts = np.array([[10.0, 1.4, 1.0]])
    same = network().perturb(knock_down={"A": 1.0}, starts=starts).set_index("gene")
    np.testing.assert_allclose(same["response"], 0, atol=1e-5)
    assert same.loc["A", "relation"] == "perturbed"
    ask = {"starts": starts, "times": [0.0, 20.0, 60.0]}
    down, out = (
        network().perturb(**done, **ask).set_index("gene")
        for done in ({"knock_down": {"A": 0.0}}, {"knock_out": ["A"]})
    )
    np.testing.assert_allclose(down["perturbed"][list(GENES)], out["perturbed"][list(GENES)], atol=1e-3)
    alike = network().at_rest(knock_down={"A": 0.0})["level"]
    np.testing.assert_allclose(alike, network().at_rest(["A"])["level"], atol=1e-6)


def test_what_fits_no_dynamics_predicts_no_rest():
    ranked = Network(GENES, UNITS, no_prior(3), ranking=np.eye(3), how={"method": "genie3"})
    with pytest.raises(InputError, match="network: genie3 fits no dynamics"):
        ranked.at_rest(knock_out=["A"])


def test_zeros_of_counts_stay_zeros_on_their_way_through_training_units():
    """Else rounding makes them negative, and the lowest level of a gene that is never absent stands for none."""
    counts = np.random.default_rng(3).poisson(0.3, (8, 6, 30)) * np.linspace(0.5, 2, 30)
    counts[..., 0] += 3
    problem = make_problem(make_trajectories([np.arange(6.0)] * 8, list(counts)), [f"g{n}" for n in range(30)])
    np.testing.assert_array_equal(problem.floor, 0)
    assert (make_problem(make_trajectories([np.arange(6.0)] * 8, list(counts - 2)), problem.genes).floor < 0).any()
