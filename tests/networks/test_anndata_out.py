"""What a network writes into an AnnData, and the activities of regulators against ordinary regressions."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from dashjax import EdgePosterior, InputError, Network
from dashjax.data import as_given, no_prior
from dashjax.evidence import EnsemblePosterior
from dashjax.networks import activities

anndata = pytest.importorskip("anndata")
GENES = tuple(f"g{n}" for n in range(9))


@pytest.fixture
def network():
    """Gene 0 acts on 1 to 6, gene 7 on 1 and 8; 2 and 3 are repressed by gene 0."""
    probability = np.zeros((9, 9))
    probability[0, 1:7] = [0.99, 0.98, 0.97, 0.99, 0.96, 0.95]
    probability[7, [1, 8]] = 0.99
    effect = np.where(probability > 0, 1.0, 0.0)
    effect[0, 2:4] = -1
    mixture = EdgePosterior(probability, effect, 0 * effect, (effect >= 0) * 1.0, np.zeros(3), np.ones(9))
    return Network(
        GENES, as_given(9), no_prior(9), posterior=EnsemblePosterior(mixture, probability, probability), how={}
    )


@pytest.fixture
def levels():
    return np.random.default_rng(0).normal(size=(20, 9)).astype(np.float32)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_edges_counts_and_activities_are_written(network, levels, kind, tmp_path):
    adata = anndata.AnnData(kind(levels), var=pd.DataFrame(index=list(GENES)))
    network.to_anndata(adata)
    assert len(adata.uns["dashjax_edges"]) == 8
    assert adata.var["dashjax_targets"].tolist() == [6, 0, 0, 0, 0, 0, 0, 2, 0]
    assert adata.var["dashjax_regulators"].tolist() == [0, 2, 1, 1, 1, 1, 1, 0, 1]
    activity = adata.obsm["dashjax_activity"]
    assert list(activity.columns) == ["g0"]  # two targets are too few
    # An ordinary regression per cell, without the regulator's own level.
    standard = (levels - levels.mean(axis=0)) / levels.std(axis=0)
    weight = np.array([0.99, -0.98, -0.97, 0.99, 0.96, 0.95, 0, 0])
    for cell in (0, 7):
        fit = stats.linregress(weight, standard[cell, 1:])
        assert activity["g0"].iloc[cell] == pytest.approx(fit.slope / fit.stderr, rel=1e-4)
    # And comes back whole from a file.
    adata.write_h5ad(tmp_path / "c.h5ad")
    again = anndata.read_h5ad(tmp_path / "c.h5ad")
    assert again.uns["dashjax_edges"]["source"].tolist() == adata.uns["dashjax_edges"]["source"].tolist()
    np.testing.assert_allclose(again.obsm["dashjax_activity"], activity)


def test_genes_may_be_called_in_a_column_and_in_another_order(network, levels):
    order = np.random.default_rng(1).permutation(9)
    var = pd.DataFrame({"symbol": [GENES[n] for n in order]}, index=[f"id{n}" for n in order])
    adata = anndata.AnnData(levels[:, order], var=var, layers={"double": 2 * levels[:, order]})
    network.to_anndata(adata, gene_symbols="symbol", layer="double", least_targets=2)
    assert adata.var.set_index("symbol")["dashjax_targets"]["g0"] == 6
    expected = activities(levels, pd.Index(GENES), network.edges, 2)
    # The unit of expression and the order of genes change no activity.
    np.testing.assert_allclose(adata.obsm["dashjax_activity"], expected, rtol=1e-4, atol=1e-5)
    assert list(expected.columns) == ["g0", "g7"]


def test_objects_that_do_not_fit_are_refused(network, levels):
    adata = anndata.AnnData(levels, var=pd.DataFrame(index=[f"x{n}" for n in range(9)]))
    with pytest.raises(InputError, match=r"none of its genes \('x0', …\) is in the network"):
        network.to_anndata(adata)
    with pytest.raises(InputError, match="no layer 'x'; there are: none"):
        network.to_anndata(adata, layer="x")
    with pytest.raises(InputError, match="var has no column 'symbol'"):
        network.to_anndata(adata, gene_symbols="symbol")
    assert not adata.uns
    assert not adata.obsm
