"""Regulators' activities: targets left out as by brute force, calibration at its optimum, hidden activities found."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

import dashjax as dj
from dashjax import InputError
from dashjax.evidence import activity as module
from dashjax.evidence.activity import Setting, activity_coefficients, activity_posterior, calibrate, carried_by_activity

REGULATORS, TARGETS, SAMPLES = 12, 168, 120


@pytest.fixture(scope="module")
def measured():
    """Return samples whose regulators act by what their messenger RNA does not show, the truth and a half of it."""
    rng = np.random.default_rng(0)
    genes = REGULATORS + TARGETS
    truth = np.zeros((genes, genes))
    for target in range(REGULATORS, genes):
        chosen = rng.choice(REGULATORS, rng.integers(1, 3), replace=False)
        truth[chosen, target] = rng.choice([-1.0, 1.0, 1.0, 1.0, 1.0], len(chosen))
    hidden = np.sort(rng.permutation(np.arange(REGULATORS, genes))[: TARGETS // 2])
    prior = np.abs(truth)
    prior[:, hidden] = 0.0
    activity = rng.normal(size=(SAMPLES, REGULATORS))
    batch = rng.normal(size=(SAMPLES, 1)) @ rng.normal(size=(1, genes))
    samples = 9 + 0.7 * batch + 0.6 * rng.normal(size=(SAMPLES, genes))
    samples[:, REGULATORS:] += activity @ truth[:REGULATORS, REGULATORS:]
    return samples, truth, prior, hidden


@pytest.fixture(scope="module")
def may_regulate():
    return np.arange(REGULATORS + TARGETS) < REGULATORS


def test_a_target_is_left_out_of_the_activities_that_it_is_tested_against(measured, may_regulate):
    samples, _, prior, hidden = measured
    setting = Setting(0.8, 1.0, 5.0)
    data = module._data(samples, prior, may_regulate)
    fast, _ = activity_coefficients(data, setting)
    weights = data.sample_weights(setting.shrinkage)
    for target in (*np.flatnonzero(prior.any(axis=0))[:3], hidden[0]):
        edges = data.edges.copy()
        edges[target] = 0.0
        inverse = np.linalg.inv(edges.T @ edges + 5.0 * np.eye(REGULATORS))
        inputs = weights @ (data.levels @ edges @ inverse)
        inputs = inputs / np.sqrt(np.mean(inputs**2, axis=0))
        response = weights @ data.levels[:, target]
        response = response / np.sqrt(np.mean(response**2))
        gram = inputs.T @ inputs / SAMPLES + np.eye(REGULATORS)
        np.testing.assert_allclose(fast[target], np.linalg.solve(gram, inputs.T @ response / SAMPLES), atol=1e-8)


@pytest.mark.parametrize("count", [30, SAMPLES], ids=["few samples", "many samples"])
def test_left_out_regressions_are_those_solved_one_by_one(measured, count):
    """Few samples for regulators, or many: both ways are the ridge regression on the activities without the target."""
    samples, _, prior, hidden = measured
    may = np.arange(len(prior)) % 3 > 0 if count > 30 else np.ones(len(prior), bool)
    data = module._data(samples[:count], prior, may)
    assert (len(data.regulators) > count) == (count == 30)
    setting = Setting(0.8, 1.0, 5.0)
    # A regulator, which is no regulator of its own, a target with prior edges, and one with none.
    targets = np.array([1, 2, int(np.flatnonzero(prior.any(axis=0))[0]), hidden[0]])
    weights = data.sample_weights(setting.shrinkage)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LARGEST_BLOCK", 2 * len(prior) * count)  # several blocks
        coefficient, spread = activity_coefficients(data, setting, targets)
        by_level, _ = module.level_coefficients(data, setting.shrinkage, setting.penalty, targets)
    for target in targets:
        edges = data.edges.copy()
        edges[target] = 0.0
        activity = data.levels @ edges @ np.linalg.inv(edges.T @ edges + 5.0 * np.eye(len(data.regulators)))
        silent = ~data.edges.any(axis=0)
        activity[:, silent] = data.levels[:, data.regulators[silent]]
        others = data.regulators != target
        for inputs, found in ((activity, coefficient), (data.levels[:, data.regulators], by_level)):
            inputs = (weights @ inputs)[:, others]
            inputs = inputs / np.sqrt(np.mean(inputs**2, axis=0))
            response = weights @ data.levels[:, target]
            response = response / np.sqrt(np.mean(response**2))
            gram, moment = inputs.T @ inputs / count, inputs.T @ response / count
            expected = np.linalg.solve(gram + np.eye(len(gram)), moment)
            np.testing.assert_allclose(found[target][others], expected, atol=1e-8)
            assert not found[target][~others].any()
    assert not coefficient[np.setdiff1d(np.arange(len(prior)), targets)].any()
    assert (spread[targets] >= 0).all()


def test_the_calibration_is_where_its_penalised_likelihood_is_flat(measured, may_regulate):
    samples, _, prior, _ = measured
    data = module._data(samples, prior, may_regulate)
    coefficient, _ = activity_coefficients(data, Setting(0.8, 1.0, 5.0))
    pairs = module.features(data, coefficient)
    found = calibrate(data, pairs)
    covered = np.flatnonzero(data.edges.any(axis=1))
    inputs, stated = pairs[covered].reshape(-1, 3), data.edges[covered].ravel()
    kept = ~data.own[covered].ravel()
    inputs, stated = inputs[kept], stated[kept]
    expected = 1 / (1 + np.exp(-inputs @ found.coefficients))
    scale = np.array([1.0, *inputs.std(axis=0)[1:]])
    slope = inputs.T @ (stated - expected) / scale - np.array([0, 0.1, 0.1]) * found.coefficients * scale
    free = found.coefficients > 0
    free[0] = True
    np.testing.assert_allclose(slope[free], 0.0, atol=1e-3)
    assert expected.mean() == pytest.approx(stated.mean(), rel=1e-4)  # as many edges as there are
    assert (found.coefficients[1:] >= 0).all()


def test_hidden_edges_show_in_activities_where_levels_say_nothing(measured, may_regulate):
    samples, truth, prior, hidden = measured
    posterior, found = activity_posterior(samples, prior, may_regulate)
    wanted = (truth != 0)[:REGULATORS][:, hidden].ravel()
    ours = average_precision_score(wanted, posterior.probability[:REGULATORS][:, hidden].ravel())
    levels = np.abs(np.corrcoef(samples.T))[:REGULATORS][:, hidden]
    assert ours > 0.7
    assert ours > average_precision_score(wanted, levels.ravel()) + 0.3
    # What is said of the prior's own edges, without the truth, holds for the others.
    assert found.added
    assert found.aupr == pytest.approx(ours, abs=0.15)
    assert found.edges == (prior != 0).sum()
    probability = posterior.probability[:REGULATORS][:, hidden]
    # As many edges are expected as there are, and sure ones are mostly true.
    assert probability.sum() == pytest.approx(wanted.sum(), rel=0.35)
    sure = probability > 0.9
    assert wanted.reshape(sure.shape)[sure].mean() > 0.85
    assert not posterior.probability[REGULATORS:].any()
    assert not np.diag(posterior.probability).any()
    # False prior edges are believed less than true ones.
    wrong = prior.copy()
    absent = np.argwhere((truth[:REGULATORS] == 0) & prior.any(axis=0))
    absent = absent[np.random.default_rng(2).permutation(len(absent))[:10]]
    wrong[absent[:, 0], absent[:, 1]] = 1.0
    again = activity_posterior(samples, wrong, may_regulate)[0].probability
    false, true = again[absent[:, 0], absent[:, 1]], again[prior != 0]
    assert np.mean(false[:, None] < true) > 0.7


def test_where_the_data_say_nothing_the_prior_and_out_degree_are_left(measured, may_regulate):
    samples, _, prior, _ = measured
    silent = np.random.default_rng(3).normal(size=samples.shape)
    posterior, found = activity_posterior(silent, prior, may_regulate)
    assert not found.added
    assert "add nothing" in found.describe()
    probability = posterior.probability[:REGULATORS]
    stated = (prior != 0)[:REGULATORS]
    # Stated edges come first, none of them is sure, and within a regulator's pairs nothing else counts.
    assert 0.5 <= probability[stated].min() > probability[~stated].max()
    assert probability.max() < 0.9
    degree = prior[:REGULATORS].sum(axis=1)
    outside = probability[:, ~prior.any(axis=0)].max(axis=1)
    assert (np.diff(outside[np.argsort(degree)]) >= -1e-6).all()


def test_the_data_say_whether_levels_or_activities_carry_regulation(measured, may_regulate):
    samples, truth, prior, _ = measured
    assert carried_by_activity(samples, None, prior, may_regulate)
    rng = np.random.default_rng(1)
    by_level = rng.normal(size=(SAMPLES, REGULATORS + TARGETS))
    by_level[:, REGULATORS:] += 2 * by_level[:, :REGULATORS] @ truth[:REGULATORS, REGULATORS:]
    assert not carried_by_activity(by_level, None, prior, may_regulate)
    few = np.where(np.cumsum(prior.ravel()).reshape(prior.shape) <= 10, prior, 0.0)
    assert not carried_by_activity(samples, None, few, may_regulate)


@pytest.fixture(scope="module")
def frames(measured):
    samples, _, prior, _ = measured
    genes = [f"G{n:03d}" for n in range(REGULATORS + TARGETS)]
    table = pd.DataFrame(samples, columns=genes)
    series = table.iloc[:20].assign(trajectory=np.repeat([f"s{n}" for n in range(5)], 4), time=list(range(4)) * 5)
    rest = table.iloc[20:].set_index(pd.Index([f"sample {n}" for n in range(20, SAMPLES)]))
    sources, targets = np.nonzero(prior)
    net = pd.DataFrame({"source": np.array(genes)[sources], "target": np.array(genes)[targets], "weight": 1.0})
    return series, rest, net, genes[:REGULATORS]


def test_the_one_call_turns_to_activities_by_itself_and_says_so(frames, tmp_path):
    series, rest, net, regulators = frames
    network = dj.infer_network(series, net, steady=rest, regulators=regulators, progress=False)
    assert network.how["fitted"] == "activity"
    assert any("activities" in finding.text for finding in network.findings)
    assert any("so the data add to the prior" in finding.text for finding in network.findings)
    assert network.how["hidden_edges"] == len(net)
    assert any(finding.text.endswith(", 100 samples at rest") for finding in network.findings)
    assert list(network.matrix("probability").index) == regulators
    edges = network.edges
    assert edges["returned"].any()
    assert (edges["effect_low"] <= edges["effect_high"]).all()
    network.save(tmp_path / "n.npz")
    pd.testing.assert_frame_equal(dj.load_network(tmp_path / "n.npz").edges, edges)
    with pytest.raises(InputError, match="fits no dynamics"):
        network.predict([0, 1], rest)
    # Asked for by name it is the same; in other units nothing changes but the effects' unit.
    named = dj.infer_network(series, net, steady=rest, regulators=regulators, method="activity", progress=False)
    np.testing.assert_array_equal(named.matrix("probability"), network.matrix("probability"))
    genes = list(rest.columns)
    scaled = dj.infer_network(
        series.assign(**{gene: 8 * series[gene] + 5 for gene in genes}), net, steady=8 * rest + 5,
        regulators=regulators, progress=False,
    )  # fmt: skip
    np.testing.assert_allclose(scaled.matrix("probability"), network.matrix("probability"), atol=1e-3)
    np.testing.assert_allclose(scaled.matrix("effect"), 8 * network.matrix("effect"), atol=0.02)


def test_samples_at_rest_are_read_from_files_and_bad_ones_refused(frames, tmp_path, dashjax):
    series, rest, net, regulators = frames
    series.to_csv(tmp_path / "series.csv", index=False)
    rest.to_csv(tmp_path / "rest.csv")
    net.to_csv(tmp_path / "net.csv", index=False)
    (tmp_path / "tfs.txt").write_text("\n".join(regulators))
    files = [
        "--expression",
        tmp_path / "series.csv",
        "--prior",
        tmp_path / "net.csv",
        "--regulators",
        tmp_path / "tfs.txt",
    ]
    code, text, err = dashjax("fit", *files, "--steady", tmp_path / "rest.csv", "--out", tmp_path / "out")
    assert code == 0, err
    assert "activities" in text
    assert pd.read_csv(tmp_path / "out" / "edges.tsv", sep="\t")["probability"].between(0, 1).all()
    with pytest.raises(InputError, match=r"steady: 1 of 180 genes of the expression .* \(G003\)"):
        dj.infer_network(series, net, steady=rest.drop(columns="G003"), progress=False)
    (tmp_path / "bad.csv").write_text(rest.to_csv().replace(rest.to_csv().split("\n")[2].split(",")[1], "high"))
    code, _, err = dashjax("fit", *files, "--steady", tmp_path / "bad.csv", "--out", tmp_path / "none")
    assert code == 2
    assert "bad.csv, row 3, column G000: expected a number, found 'high'" in err
    assert not (tmp_path / "none").exists()
