"""Fitting a genome: the same command, no matrix of all pairs."""

import numpy as np
import pandas as pd
import pytest

from dashjax import InputError, edge_list, generate_system, make_prior, make_sparse_prior, simulate_study
from dashjax.data import combine_priors
from dashjax.io import load_model
from dashjax.jobs import fit_files

GENES = 30


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    made = generate_system(GENES, seed=0)
    seen = simulate_study(made, seed=0, train=10, validation=1, test=1, times=(0.0, 1.0, 3.0)).seen()
    rows = [
        [number, time, *levels]
        for number, (times, course) in enumerate(zip(seen.times, seen.expression, strict=True))
        for time, levels in zip(np.asarray(times), np.asarray(course), strict=True)
    ]
    pd.DataFrame(rows, columns=["trajectory", "time", *made.genes]).to_csv(folder / "expression.csv", index=False)
    edge_list(made.truth, made.genes).to_csv(folder / "prior.csv", index=False)
    pd.DataFrame({"source": ["G1", "G2"], "target": ["G2", "G3"], "weight": [1, 1]}).to_csv(
        folder / "ppi.csv", index=False
    )
    prior = pd.read_csv(folder / "prior.csv")
    (folder / "regulators.txt").write_text("\n".join(sorted(set(prior["source"]))) + "\n")
    return folder


def treat_as_genome(monkeypatch):
    for module in ("fit", "priors"):
        monkeypatch.setattr(f"dashjax.jobs.{module}.DENSE_GENES", 10)


def fit(files, out, **options):
    return fit_files(files / "expression.csv", [files / "prior.csv"], out, epochs=6, **options)


@pytest.mark.parametrize(("method", "regulators"), [("dash", False), ("direct+dash", True)])
def test_sparse_and_dense_fits_are_the_same(files, tmp_path, monkeypatch, method, regulators):
    chosen = {"method": method, "regulators_file": files / "regulators.txt" if regulators else None}
    chosen["ppi"] = files / "ppi.csv" if method == "dash" else None
    said = fit(files, tmp_path / "dense", **chosen)
    treat_as_genome(monkeypatch)
    again = fit(files, tmp_path / "sparse", **chosen)
    assert again[0] == said[0]
    dense, sparse = (pd.read_csv(tmp_path / name / "edges.tsv", sep="\t") for name in ("dense", "sparse"))
    merged = dense.merge(sparse, on=["source", "target"], suffixes=("", "_sparse"))
    assert len(merged) == len(dense) == len(sparse)
    np.testing.assert_allclose(merged["weight_sparse"], merged["weight"], rtol=1e-3, atol=1e-5)
    assert (merged["in_prior"] == merged["in_prior_sparse"]).all()
    field, _ = load_model(tmp_path / "sparse" / "model.npz")
    assert (field.inputs is None) == (method == "dash")


def test_what_needs_all_pairs_of_a_genome_is_refused(files, tmp_path, monkeypatch):
    treat_as_genome(monkeypatch)
    with pytest.raises(InputError, match=r"--method direct\+dash: needs --regulators for 30 genes"):
        fit(files, tmp_path / "out", method="direct+dash")
    with pytest.raises(InputError, match="holds a probability for every pair, too many for 30 genes"):
        fit(files, tmp_path / "out", method="direct+dash+ensemble")
    assert not (tmp_path / "out").exists()


def test_sparse_priors_combine_to_their_most_confident_edges():
    first, second = np.zeros((2, 4, 4))
    first[0, 1], first[2, 3] = 0.5, -0.2
    second[0, 1], second[2, 3], second[3, 0] = -0.1, 0.9, 1.0
    combined = combine_priors([make_sparse_prior(*np.nonzero(m), m[np.nonzero(m)], 4) for m in (first, second)])
    dense = combine_priors([make_prior(first), make_prior(second)])
    regulator, target, weight = combined.edges.entries()
    np.testing.assert_allclose(np.asarray(dense.edges)[regulator, target], weight)
    assert combined.n_edges == dense.n_edges == 3
    np.testing.assert_array_equal(combined.pairs(), dense.pairs())
    pairs = np.array([0, 1, 2]), np.array([1, 1, 3])
    assert combined.states(*pairs).tolist() == dense.states(*pairs).tolist() == [True, False, True]
