"""Fitting a genome: the same call, no matrix of all pairs."""

import sys

import numpy as np
import pandas as pd
import pytest

from dashjax import InputError, edge_list, generate_system, infer_network, load_network, simulate_study
from dashjax.numerics.sparse import SparseMatrix
from dashjax.problems import read_problem
from dashjax.report import write_network

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
    for name, module in list(sys.modules.items()):
        if name.startswith("dashjax") and hasattr(module, "DENSE_GENES"):
            monkeypatch.setattr(module, "DENSE_GENES", 10)


def fit(files, **options):
    return infer_network(files / "expression.csv", files / "prior.csv", epochs=6, progress=False, **options)


@pytest.mark.parametrize(("method", "regulators"), [("dash", False), ("direct+dash", True)])
def test_sparse_and_dense_fits_are_the_same(files, tmp_path, monkeypatch, method, regulators):
    chosen = {"method": method, "regulators": files / "regulators.txt" if regulators else None}
    chosen["similarity"] = files / "ppi.csv" if method == "dash" else None
    dense = fit(files, **chosen)
    listed = dense.edges
    treat_as_genome(monkeypatch)
    sparse = fit(files, **chosen)
    assert isinstance(sparse.prior.edges, SparseMatrix)
    assert not isinstance(dense.prior.edges, SparseMatrix)
    merged = listed.merge(sparse.edges, on=["source", "target"], suffixes=("", "_sparse"))
    assert len(merged) == len(listed) == len(sparse.edges)
    np.testing.assert_allclose(merged["score_sparse"], merged["score"], rtol=1e-3, atol=1e-5)
    assert (merged["in_prior"] == merged["in_prior_sparse"]).all()
    assert (sparse.field.inputs is None) == (method == "dash")
    # Its folder is written and read without a matrix too.
    write_network(tmp_path / "out", sparse)
    again = load_network(tmp_path / "out")
    pd.testing.assert_frame_equal(again.edges, sparse.edges)
    np.testing.assert_array_equal(again.prior.pairs(), sparse.prior.pairs())
    with pytest.raises(InputError, match="network: 30 genes are too many for a matrix of all pairs"):
        sparse.matrix("effect")


def test_what_needs_all_pairs_of_a_genome_is_refused(files, tmp_path, monkeypatch, dashjax):
    treat_as_genome(monkeypatch)
    with pytest.raises(InputError, match=r"method: direct\+dash needs regulators for 30 genes"):
        fit(files, method="direct+dash")
    with pytest.raises(InputError, match="method: posterior holds a probability for every pair, too many for 30 genes"):
        fit(files)
    with pytest.raises(InputError, match="truth: 30 genes are too many to score"):
        read_problem(files / "expression.csv", truth=files / "prior.csv")
    code, _, err = dashjax("fit", "--expression", files / "expression.csv", "--out", tmp_path / "out")
    assert (code, "--method: posterior holds a probability" in err) == (2, True)
    assert not (tmp_path / "out").exists()
