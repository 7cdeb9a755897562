"""The one call: whatever form the data have, the network is the same, and it answers for itself."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

from dashjax import InputError, PhoenixSpec, infer_network, load_network, make_trajectories
from dashjax.data import Finding


def same(ours, theirs):
    pd.testing.assert_frame_equal(ours.edges, theirs.edges)
    for a, b in zip(jax.tree.leaves(ours.fields), jax.tree.leaves(theirs.fields), strict=True):
        np.testing.assert_array_equal(a, b)


def test_files_frames_cells_and_trajectories_give_the_same_network(
    few, fitted, frame, adata, trajectories, genes, net, tmp_path
):
    frame.to_csv(tmp_path / "e.csv", index=False)
    net.to_csv(tmp_path / "p.tsv", sep="\t", index=False)
    # Genes in another order are the same data.
    shuffled = frame[["trajectory", "time", *genes[::-1]]]
    for expression, prior, options in (
        (tmp_path / "e.csv", str(tmp_path / "p.tsv"), {}),
        (shuffled, net.iloc[::-1], {}),
        (adata, net, {"time": "time", "trajectory": "trajectory"}),
        (trajectories, net, {"genes": list(genes)}),
    ):
        same(few(expression, prior, **options), fitted)
    assert fitted.members == 2
    assert fitted.posterior is not None


def test_a_name_that_is_no_argument_is_told_the_nearest():
    with pytest.raises(InputError, match=r"unknown argument 'normalize' \(did you mean 'normalise'\?\)"):
        infer_network(None, normalize="log1p")


def test_edges_say_what_the_matrices_say(fitted, net):
    edges = fitted.edges
    assert {*zip(net["source"], net["target"], strict=True)} <= {*zip(edges["source"], edges["target"], strict=True)}
    assert edges["in_prior"].sum() == len(net)
    assert (edges["probability"].diff().dropna() <= 0).all()
    for column in edges.columns.drop(["source", "target"]):
        matrix = fitted.matrix(column)
        assert list(matrix.index) == list(matrix.columns) == list(fitted.genes)
        listed = [matrix.loc[source, target] for source, target in zip(edges["source"], edges["target"], strict=True)]
        np.testing.assert_array_equal(edges[column].to_numpy(), np.array(listed))
    with pytest.raises(InputError, match="column: unknown value 'weight'; valid: score, probability"):
        fitted.matrix("weight")


def test_findings_are_those_of_the_checks(fitted):
    assert all(isinstance(finding, Finding) for finding in fitted.findings)
    assert "8 genes, 12 trajectories of 3 times from 0 to 3" in fitted.findings[0].text
    assert any(finding.source == "prior" for finding in fitted.findings)


def test_without_any_prior_nothing_is_in_it(few, frame, fitted):
    network = few(frame)
    assert network.prior.n_edges == 0
    assert not network.edges["in_prior"].any()
    assert not np.array_equal(network.matrix("probability"), fitted.matrix("probability"))
    assert network.posterior.posterior.odds.shape == (3,)  # a constant, one source that says nothing, out-degree


def test_every_prior_of_several_is_a_source(few, frame, net, tmp_path):
    backwards = net.rename(columns={"source": "target", "target": "source"})
    net.to_csv(tmp_path / "p.csv", index=False)
    network = few(frame, [tmp_path / "p.csv", backwards])
    assert network.prior.sources.shape == (2, 8, 8)
    np.testing.assert_array_equal(network.prior.sources[0], network.prior.sources[1].T)
    assert network.posterior.posterior.odds.shape == (4,)
    assert [finding.source for finding in network.findings][-1] in ("prior 2", str(tmp_path / "p.csv"))


def test_only_regulators_regulate(few, frame, net, genes, tmp_path):
    allowed = sorted(set(net["source"]))[:2]
    (tmp_path / "tf.txt").write_text("\n".join(allowed) + "\n")
    as_list, as_path = (few(frame, net, regulators=r) for r in (allowed, tmp_path / "tf.txt"))
    same(as_list, as_path)
    assert list(as_list.matrix().index) == [gene for gene in as_list.genes if gene in allowed]
    assert set(as_list.edges["source"]) <= set(allowed)
    assert as_list.edges["in_prior"].sum() == net["source"].isin(allowed).sum()
    assert any("left out because their source may not regulate" in finding.text for finding in as_list.findings)


def test_predictions_begin_at_their_starts_whatever_these_are(fitted, frame, adata, courses, genes, trajectories):
    order = [genes.index(gene) for gene in fitted.genes]
    first = frame[frame["time"] == 0].set_index("trajectory")[list(genes)]
    from_frame = fitted.predict([0, 1, 5], first)
    assert list(from_frame.columns) == ["trajectory", "time", *fitted.genes]
    assert list(from_frame["trajectory"].unique()) == list(first.index)
    assert list(from_frame["time"][:3]) == [0, 1, 5]
    begun = from_frame[from_frame["time"] == 0][list(fitted.genes)].to_numpy()
    np.testing.assert_allclose(begun, courses[:, 0][:, order], atol=1e-5)
    assert np.abs(from_frame[list(fitted.genes)].to_numpy()[2::3] - begun).max() > 1e-3
    values = from_frame[list(fitted.genes)]
    states = np.ascontiguousarray(courses[:, 0][:, order])
    for starts in (states, adata[adata.obs["time"] == 0], frame):
        other = fitted.predict([0, 1, 5], starts)
        np.testing.assert_allclose(other[list(fitted.genes)], values, rtol=1e-5, atol=1e-6)
    # The mean of its members' paths.
    alone = [replace(fitted, fields=jax.tree.map(lambda leaf, n=n: leaf[n : n + 1], fitted.fields)) for n in range(2)]
    each = [one.predict([0, 1, 5], states)[list(fitted.genes)].to_numpy() for one in alone]
    assert np.abs(each[0] - each[1]).max() > 1e-4
    np.testing.assert_allclose(values, np.mean(each, axis=0), rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match="times: needs at least two times"):
        fitted.predict([1], states)
    with pytest.raises(InputError, match="starts: 7 genes, the network has 8"):
        fitted.predict([0, 1], states[:, :7])
    with pytest.raises(InputError, match="lacks 1 of the network's 8 genes"):
        fitted.predict([0, 1], first.drop(columns=genes[0]))


def test_a_perturbation_holds_its_gene_and_reaches_others(fitted, frame):
    starts = frame[frame["time"] == 0].set_index("trajectory").drop(columns="time")
    gene = fitted.edges["source"].iloc[0]
    table = fitted.perturb(knock_out=[gene], starts=starts, times=[0, 1, 3])
    assert table["gene"][0] == gene
    assert table["relation"][0] == "perturbed"
    assert table["perturbed"][0] == pytest.approx(0, abs=1e-6)
    assert (table["response"].abs()[1:] > 0).any()
    pd.testing.assert_frame_equal(fitted.perturb(knock_out=gene, starts=starts, times=[0, 1, 3]), table)
    held = fitted.perturb(over_express={gene: 2.5}, starts=starts, times=[0, 1, 3])
    assert held["perturbed"][0] == pytest.approx(2.5, rel=1e-5)
    with pytest.raises(InputError, match="knock_out: the network has no gene 'nobody'"):
        fitted.perturb(knock_out=["nobody"], starts=starts)


def test_a_network_is_saved_whole(fitted, tmp_path):
    fitted.save(tmp_path / "n.npz")
    again = load_network(tmp_path / "n.npz")
    same(again, fitted)
    for name in ("fields", "posterior", "prior", "units"):
        for a, b in zip(jax.tree.leaves(getattr(again, name)), jax.tree.leaves(getattr(fitted, name)), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
    assert again.curves.keys() == fitted.curves.keys() != set()
    for name, curve in fitted.curves.items():
        np.testing.assert_array_equal(again.curves[name], curve)
    np.testing.assert_equal(dict(again.how), dict(fitted.how))
    assert fitted.how["method"] == "posterior"
    assert fitted.how["seed"] == 0
    assert again.findings == fitted.findings
    assert again.precision == fitted.precision == 0.9


def test_a_folder_keeps_finished_runs(few, frame, net, fitted, tmp_path, monkeypatch):
    first = few(frame, net, folder=tmp_path / "runs")
    same(first, fitted)

    def refuse(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr("dashjax.engine.program.Programs.run", refuse)
    same(few(frame, net, folder=tmp_path / "runs"), fitted)


def test_the_seed_decides(few, frame, net, fitted):
    other = few(frame, net, seed=1)
    assert not np.array_equal(other.matrix("probability"), fitted.matrix("probability"))


def test_any_method_may_be_asked(frame, net):
    network = infer_network(frame, net, method="dash", epochs=4, progress=False)
    assert network.posterior is None
    assert isinstance(network.spec, PhoenixSpec)
    assert network.edges["probability"].isna().all()
    assert network.edges["returned"].all()
    relative = network.matrix("score").abs().sum(axis=0)
    np.testing.assert_allclose(relative[relative > 0], 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"precision": 1.5}, "precision: must be between 0 and 1, got 1.5"),
        ({"trust": (2, 0)}, "lambda_1: must be between 0 and 1, got 2"),
        ({"members": 0}, "members: must be at least 1, got 0"),
        ({"method": "dahs"}, "unknown method 'dahs' (did you mean 'dash'?)"),
        ({"validation": 1.0}, "validation: must be between 0 and 1, got 1"),
        ({"match": "some"}, "match: unknown value 'some'; valid: exact, intersect, union"),
        ({"tune": 40, "method": "dash"}, "tune: 40 folds of 12 pieces of data"),
        ({"tune": 2, "method": "dense"}, "tune: dense has nothing to choose"),
        ({"epochs": 0}, "epochs: must be at least 1, got 0"),
        ({"regulators": ["nobody"]}, "regulators: "),
        ({"genes": ["A"]}, "genes: gene names were given, but the DataFrame names its own"),
        ({"bins": 3}, "bins: does not apply to a DataFrame"),
        ({"time": "hour"}, "expression: no column 'hour'"),
        ({"strength": 1, "method": "dash"}, "dash has no strength"),
    ],
)
def test_a_mistake_names_the_argument_and_no_option(frame, net, tmp_path, settings, message):
    with pytest.raises(InputError) as caught:
        infer_network(frame, net, folder=tmp_path / "runs", progress=False, **settings)
    text = str(caught.value)
    assert message in text
    assert "--" not in text
    assert len(text.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_too_few_data_are_refused(few, genes):
    single = make_trajectories([[0.0, 1.0]], [np.arange(16.0).reshape(2, 8)])
    with pytest.raises(InputError, match="validation: 0.1 of 1 pieces of data leaves nothing to train on"):
        few(single)
