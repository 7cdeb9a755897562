"""A network into an AnnData: its edges, who regulates and is regulated, and each cell's regulator activities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dashjax.errors import InputError

if TYPE_CHECKING:
    import anndata
    import pandas as pd

    from dashjax.networks.network import Network

#: Targets that a regulator has at least for its activity to be told from noise, as decoupler's `min_n`.
LEAST_TARGETS = 5


def to_anndata(
    network: Network,
    adata: anndata.AnnData,
    layer: str | None = None,
    gene_symbols: str | None = None,
    least_targets: int = LEAST_TARGETS,
) -> None:
    """Write a network into the object that it was inferred from, or another with genes of the same names.

        to_anndata(network, adata)
        adata.uns["dashjax_edges"]              # the returned edges
        adata.var["dashjax_targets"]            # how many targets each gene has
        adata.obsm["dashjax_activity"]          # cell × regulator

    Args:
        network: as inferred.
        adata: is changed: `uns["dashjax_edges"]` (returned edges), `var["dashjax_targets"]` and
            `var["dashjax_regulators"]` (returned edges of each gene), `obsm["dashjax_activity"]` (a frame, cell ×
            regulator, see `activities`).
        layer: whose values activities are of, on the scale that the network was inferred from; X if None.
        gene_symbols: column of `var` with gene names; its index if None.
        least_targets: of regulators with an activity.

    Raises:
        InputError: where no gene of the network is there.
    """
    import pandas as pd

    if gene_symbols is not None and gene_symbols not in adata.var.columns:
        raise InputError(f"var has no column '{gene_symbols}'", "gene_symbols")
    if layer is not None and layer not in adata.layers:
        raise InputError(f"no layer '{layer}'; there are: {', '.join(adata.layers) or 'none'}", "layer")
    names = pd.Index((adata.var_names if gene_symbols is None else adata.var[gene_symbols]).astype(str))
    if not names.isin(network.genes).any():
        raise InputError(f"none of its genes ('{names[0]}', …) is in the network ('{network.genes[0]}', …)", "adata")
    edges = network.edges
    edges = edges[edges["returned"]].reset_index(drop=True)
    levels = adata.X if layer is None else adata.layers[layer]
    activity = activities(levels, names, edges, least_targets)
    adata.uns["dashjax_edges"] = edges
    adata.var["dashjax_targets"] = edges["source"].value_counts().reindex(names, fill_value=0).to_numpy()
    adata.var["dashjax_regulators"] = edges["target"].value_counts().reindex(names, fill_value=0).to_numpy()
    adata.obsm["dashjax_activity"] = activity.set_index(adata.obs_names)


def activities(levels, genes: pd.Index, edges: pd.DataFrame, least_targets: int = LEAST_TARGETS) -> pd.DataFrame:
    """Return each regulator's activity in each sample: how far its targets' levels follow its edges.

    A sample's levels, each gene centred and divided by its standard deviation, are regressed on a regulator's edges
    (its scores, zero for genes that it does not regulate): the activity is the t-value of the slope, as in the
    univariate linear model of decoupler (Badia-i-Mompel et al., Bioinformatics Advances 2022). The regulator's own
    level does not count.

    Args:
        levels: sample × gene, dense or sparse.
        genes: their names.
        edges: with source, target and score.
        least_targets: of a regulator, among the genes.

    Returns:
        A frame, sample × regulator; no column where no regulator has targets enough.
    """
    import pandas as pd

    values = np.asarray(levels.toarray() if hasattr(levels, "toarray") else levels, dtype=np.float64)
    deviation = values.std(axis=0)
    standard = (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    there = edges[edges["target"].isin(genes) & (edges["source"] != edges["target"])]
    counts = there["source"].value_counts()
    regulators = sorted(counts.index[counts >= least_targets])
    scores = there.pivot_table(index="target", columns="source", values="score", fill_value=0.0)
    weight = scores.reindex(index=genes, columns=regulators, fill_value=0.0).to_numpy()
    # Sums over genes, without the regulator itself, on which its own edges have no weight.
    own = (genes.to_numpy()[:, None] == np.asarray(regulators, dtype=object)).astype(float)
    count = len(genes) - own.sum(axis=0)
    total = standard.sum(axis=1, keepdims=True) - standard @ own
    square = np.square(standard).sum(axis=1, keepdims=True) - np.square(standard) @ own
    together = standard @ weight - total * weight.sum(axis=0) / count
    length = (square - total**2 / count) * (np.square(weight).sum(axis=0) - weight.sum(axis=0) ** 2 / count)
    correlation = together / np.sqrt(np.where(length > 1e-12, length, np.inf))
    correlation = np.clip(correlation, -1 + 1e-12, 1 - 1e-12)
    return pd.DataFrame(correlation * np.sqrt((count - 2) / (1 - correlation**2)), columns=regulators)
