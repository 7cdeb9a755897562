"""The one call with samples at rest and interventions, with and without time courses."""

import numpy as np
import pandas as pd
import pytest

from dashjax.simulate import simulate_rest


@pytest.fixture(scope="module")
def rest(small):
    """Samples at rest of the small system: a wild type and every gene knocked out, as a user's frames."""
    study = simulate_rest(small, seed=3, knockouts=small.genes, wildtypes=2, noise=0.02)
    levels = pd.DataFrame(study.levels, index=list(study.names), columns=list(small.genes))
    done = pd.DataFrame([(one.experiment, one.gene, one.kind) for one in study.interventions])
    return levels, done.set_axis(["trajectory", "gene", "kind"], axis=1)


@pytest.fixture(scope="module")
def at_rest(few, rest):
    levels, done = rest
    return few(steady=levels, interventions=done)


def area(probability, truth):
    """Return how often a true edge is more probable than another pair."""
    pairs = ~np.eye(len(truth), dtype=bool)
    true, false = probability[pairs & (truth != 0)], probability[pairs & (truth == 0)]
    return np.mean(true[:, None] > false) + 0.5 * np.mean(true[:, None] == false)


def test_samples_at_rest_alone_make_a_network(at_rest, small, genes):
    assert at_rest.genes == genes
    probability = np.asarray(at_rest.matrix("probability"))
    assert ((probability >= 0) & (probability <= 1)).all()
    assert area(probability, np.asarray(small.truth)) > 0.7
    assert np.isfinite(at_rest.matrix("effect")).all(axis=None)
    assert any("10 samples at rest" in finding.text for finding in at_rest.findings)
    assert any("8 × knockout" in finding.text for finding in at_rest.findings)


def test_what_was_done_matters(few, rest, at_rest):
    levels, done = rest
    without = few(steady=levels)
    assert np.abs(np.asarray(without.matrix("probability")) - np.asarray(at_rest.matrix("probability"))).max() > 0.05


def test_samples_at_rest_help_time_courses(few, frame, rest, small):
    levels, done = rest
    both = few(frame, steady=levels, interventions=done)
    alone = few(frame)
    truth = np.asarray(small.truth)
    areas = [area(np.asarray(one.matrix("probability")), truth) for one in (both, alone)]
    assert areas[0] > max(0.7, areas[1])
    assert "path_error" in both.how


def test_what_was_done_in_a_course_is_stated_like_what_was_done_at_rest(few, frame, genes):
    done = pd.DataFrame(
        {
            "trajectory": ["t00", "t01"],
            "gene": [genes[0], genes[1]],
            "kind": ["clamp", "knockout"],
            "value": [0.7, np.nan],
        }
    )
    treated = frame.copy()
    treated.loc[treated["trajectory"] == "t01", genes[1]] = 0.0
    network = few(treated, interventions=done)
    assert any("1 × knockout, 1 × clamp" in finding.text for finding in network.findings)
    assert not np.array_equal(network.scores, few(treated).scores)


def test_other_units_change_no_probability(few, rest, at_rest):
    """Factors alone, for a level of none is none in any unit."""
    levels, done = rest
    scale = 2.0 ** np.array([10, -3, 0, 5, 1, -7, 2, 12])
    network = few(steady=levels * scale, interventions=done)
    np.testing.assert_array_equal(network.matrix("probability"), at_rest.matrix("probability"))
    np.testing.assert_array_equal(network.matrix("activation"), at_rest.matrix("activation"))
    factor = scale / scale[:, None]
    np.testing.assert_allclose(network.matrix("effect"), at_rest.matrix("effect") * factor, rtol=1e-4)
    thousand = few(steady=levels * 1000, interventions=done)
    np.testing.assert_allclose(thousand.matrix("probability"), at_rest.matrix("probability"), atol=0.1)
