"""Plots draw what they say, on the axes given, without global state, and with names as they are."""

import subprocess
import sys

import jax
import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import dashjax as dj
from dashjax import DirectSpec, InputError, Network, make_prior, make_trajectories
from dashjax.data import as_given
from dashjax.evidence import EdgePosterior, EnsemblePosterior
from dashjax.plot.drawing import arrange
from dashjax.plot.style import COLOURS, plain

GENES = ("A$x$", "B_1", "C<b>", "D" * 40)
#: A → B is stated and sure, B ⊣ C new, C → D weak; D regulates nothing.
PROBABILITY = np.array([[0, 0.99, 0, 0], [0, 0, 0.95, 0], [0, 0, 0, 0.2], [0, 0, 0, 0.0]])
ACTIVATION = np.array([[1, 1, 1, 1], [1, 1, 0.1, 1], [1, 1, 1, 1], [1, 1, 1, 1.0]])


@pytest.fixture(scope="module")
def network():
    fields = [DirectSpec().init(jax.random.key(seed), 4) for seed in range(2)]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *fields)
    effect = PROBABILITY * np.where(ACTIVATION < 0.5, -2.0, 2.0)
    mixture = EdgePosterior(PROBABILITY, effect, 0.1 * PROBABILITY, ACTIVATION, np.zeros(4), np.ones(4))
    known = make_prior(np.eye(4, k=1) * [0, 1, 0, 0])
    return Network(GENES, as_given(4), known, None, DirectSpec(), stacked,
                   EnsemblePosterior(mixture, PROBABILITY, PROBABILITY), how={"method": "posterior"})  # fmt: skip


def texts(axes):
    """Return what is shown, as it is drawn: `$` once more the sign it is."""
    axes.figure.draw_without_rendering()
    labels = [*axes.texts, *axes.get_yticklabels(), *axes.get_xticklabels(), axes.title]
    return [label.get_text().replace(r"\$", "$") for label in labels]


def answers(network):
    influence = pd.DataFrame({"gene": GENES, "influence": [3.0, 2, 1, 0], "standard_error": [0.1, 0.1, np.nan, 0]})
    response = pd.DataFrame(
        {"gene": GENES, "relation": ["perturbed", "direct", "downstream", "unconnected"], "unperturbed": 1.0,
         "response": [-1, -0.5, 0.2, 1e-9], "spread": 0.01}
    )  # fmt: skip
    sets = pd.DataFrame({"pathway": ["ONE_$SET$", "TWO", "LEFT"], "genes": [5, 6, 2], "tested": [True, True, False],
                         "z": [3.0, -1, np.nan], "benjamini_hochberg": [0.01, 0.6, np.nan]})  # fmt: skip
    return influence, response, sets


def drawn(network):
    """Return every plot by its name."""
    influence, response, sets = answers(network)
    observed = make_trajectories([[0.0, 1.0, 2.0]] * 2, [np.full((3, 4), 0.5), np.full((3, 4), 0.25)])
    runs = pd.DataFrame({"method": ["dash", "imp", "prior_only"], "sparsity": [0.9, 0.8, 0.5], "aupr": [0.7, 0.3, 0.6]})
    return {
        "network": lambda ax=None: dj.plot.network(network, ax=ax),
        "edges": lambda ax=None: dj.plot.edges(network, ax),
        "effects": lambda ax=None: dj.plot.effects(network, ax),
        "course": lambda ax=None: dj.plot.course(network, "B_1", observed, ax),
        "response": lambda ax=None: dj.plot.response(response, ax, title="A$x$ knocked out"),
        "influence": lambda ax=None: dj.plot.influence(influence, ax),
        "pathways": lambda ax=None: dj.plot.pathways(sets, ax),
        "calibration": lambda ax=None: dj.plot.calibration(network, PROBABILITY > 0.5, ax),
        "pareto": lambda ax=None: dj.plot.pareto(runs, ax),
    }


@pytest.mark.parametrize("name", dj.plot.__all__)
def test_every_plot_draws_on_the_axes_given_or_on_its_own_and_returns_them(network, name):
    draw = drawn(network)[name]
    given = Figure().subplots()
    assert draw(ax=given) is given
    assert given.has_data() or given.texts
    own = draw()
    assert own.figure is not given.figure
    # Nothing of pyplot, whose figures live until they are closed.
    assert "matplotlib.pyplot" not in sys.modules or not matplotlib.pyplot.get_fignums()


@pytest.mark.parametrize("name", ["network", "edges", "effects", "response", "influence"])
def test_names_are_shown_as_they_are(network, name):
    shown = texts(drawn(network)[name]())
    assert any("B_1" in text for text in shown)
    assert any("C<b>" in text for text in shown)
    assert name == "response" or any("A$x$" in text for text in shown)
    assert not any("D" * 40 in text for text in shown)


def test_a_name_is_cut_and_never_read_as_mathematics():
    assert plain("$a$") == r"\$a\$"
    assert plain("x" * 100) == "x" * 27 + "…"
    assert plain("a\tb") == "a�b"


def test_edges_are_drawn_by_effect_interval_and_probability_the_likeliest_on_top(network):
    axes = dj.plot.edges(network, most=2)
    shown = texts(axes)
    assert "B_1 ⊣ C<b>" in shown
    assert "A$x$ → B_1" in shown
    assert {"0.99", "0.95"} <= set(shown)
    places = axes.collections[-1].get_offsets()
    np.testing.assert_allclose(places[:, 0], [-2 * 0.95, 2 * 0.99], rtol=1e-5)
    colours = axes.collections[-1].get_facecolors()
    assert (colours[0] != colours[1]).any()  # the first is new, the second stated


def test_a_network_shows_returned_edges_and_the_neighbours_that_are_asked_for(network):
    shown = set(texts(dj.plot.network(network)))
    assert {"A$x$", "B_1", "C<b>"} <= shown
    assert not any(text.startswith("DDD") for text in shown)  # its edge is not returned
    assert "C<b>" not in texts(dj.plot.network(network, ["A$x$"]))
    frame = pd.DataFrame({"source": ["P"], "target": ["Q"]})
    assert {"P", "Q"} <= set(texts(dj.plot.network(frame)))
    with pytest.raises(InputError, match="genes: gene 'B_2' has no edge .did you mean 'B_1'"):
        dj.plot.network(network, ["B_2"])
    assert "no edge is returned" in texts(dj.plot.network(frame.head(0)))


def test_genes_joined_by_an_edge_stand_closer_than_others():
    source, target = np.array([0, 0, 3, 3]), np.array([1, 2, 4, 5])
    at = arrange(source, target, 6)
    np.testing.assert_array_equal(at, arrange(source, target, 6))
    distance = np.linalg.norm(at[:, None] - at[None], axis=-1)
    assert distance[source, target].max() < distance[:3, 3:].mean()
    assert distance[~np.eye(6, dtype=bool)].min() > 0.2


def test_a_map_has_a_scale_and_names_of_regulators_and_targets(network):
    axes = dj.plot.effects(network)
    assert {"A$x$", "B_1"} <= {text for text in texts(axes)}
    image = axes.images[0].get_array()
    assert float(image.max()) == pytest.approx(0.99)
    assert float(image.min()) == pytest.approx(-0.95)
    assert axes.images[0].colorbar.ax.get_ylabel().startswith("probability")


def test_a_course_holds_observations_of_the_trajectory_asked_for_and_a_band_of_the_members(network):
    times = [[0.0, 1.0, 2.0]] * 2
    levels = np.random.default_rng(0).uniform(0.2, 0.8, (2, 3, 4))
    axes = dj.plot.course(network, "B_1", make_trajectories(times, list(levels)), trajectory=1)
    by_label = {line.get_label(): line.get_data() for line in axes.lines}
    np.testing.assert_allclose(by_label["observed"][1], levels[1, :, 1], rtol=1e-6)
    path = network.predict(np.linspace(0, 2, 100), levels[1, :1])["B_1"]
    np.testing.assert_allclose(by_label["fitted"][1], path, rtol=1e-3)
    assert axes.collections[0].get_label() == "lowest to highest of 2 members"
    for argument, told in ((dict(gene="Z"), "the network has no gene 'Z'"), (dict(trajectory=7), "no trajectory '7'")):
        with pytest.raises(InputError, match=told):
            dj.plot.course(network, **{"gene": "B_1", "observed": make_trajectories(times, list(levels)), **argument})
    with pytest.raises(InputError, match="observed: lacks gene"):
        dj.plot.course(network, "B_1", pd.DataFrame({"trajectory": "a", "time": [0, 1], "B_1": 0.5, "Q": [0.1, 0.2]}))


def test_responses_that_are_rounding_are_no_bars(network):
    axes = drawn(network)["response"]()
    assert [patch.get_width() for patch in axes.patches] == [0.2, -0.5]
    assert axes.get_title() == r"A\$x\$ knocked out"
    nothing = answers(network)[1].assign(response=0.0)
    assert "no other gene responds" in texts(dj.plot.response(nothing))


def test_pathways_that_were_not_tested_are_left_out_and_found_ones_stand_out(network):
    axes = drawn(network)["pathways"]()
    assert [text for text in texts(axes) if "(" in text][:2] == ["TWO (6)", "ONE $SET$ (5)"]
    assert axes.patches[0].get_facecolor() != axes.patches[1].get_facecolor()


def test_calibration_counts_pairs_once_and_refuses_what_has_no_probabilities(network):
    axes = dj.plot.calibration(network, pd.DataFrame({"source": ["B_1"], "target": ["C<b>"]}))
    stated, share = axes.lines[1].get_data()
    np.testing.assert_allclose(stated, [0.2, 0.97], rtol=1e-5)
    np.testing.assert_allclose(share, [0.0, 0.5])
    assert {"1", "2"} <= set(texts(axes))
    ranked = Network(GENES, as_given(4), make_prior(np.eye(4)), ranking=PROBABILITY, how={"method": "ridge"})
    with pytest.raises(InputError, match="gives no probabilities"):
        dj.plot.calibration(ranked, PROBABILITY)
    with pytest.raises(InputError, match="truth: .* for a network of 4 genes"):
        dj.plot.calibration(network, np.eye(3))
    assert dj.plot.edges(ranked).get_xlabel() == "relative effect"


def test_a_pareto_has_the_prior_alone_and_the_runs_that_no_other_beats(network):
    axes = drawn(network)["pareto"]()
    lines = {line.get_label(): line for line in axes.lines}
    assert set(lines) == {"dash", "imp", "prior only", "no run beats it"}
    assert set(lines["prior only"].get_ydata()) == {0.6}
    np.testing.assert_allclose(lines["no run beats it"].get_ydata(), [0.7])
    with pytest.raises(InputError, match=r"score: unknown value 'auroc' .*valid: aupr"):
        dj.plot.pareto(pd.DataFrame({"method": ["dash"], "sparsity": [0.5], "aupr": [1.0]}), score="auroc")


def test_common_methods_are_told_apart():
    shown = ["dense", "imp", "bioprune", "dash", "posterior", "prior_only"]
    assert len({COLOURS[name] for name in shown}) == len(shown)


def test_the_library_is_imported_without_matplotlib():
    script = "import sys, dashjax; dashjax.plot.edges; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
