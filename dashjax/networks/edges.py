"""Networks as edge lists, the form users take away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dashjax.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def edge_list(network, genes: Sequence[str]) -> pd.DataFrame:
    """Return a network's non-zero edges, strongest first.

    Examples:
        >>> print(edge_list([[0, 0.5], [-2, 0]], ["GATA1", "TAL1"]).to_string(index=False))
        source target  weight
          TAL1  GATA1    -2.0
         GATA1   TAL1     0.5

    Args:
        network: signed weights, (regulator, target).
        genes: names in the array's order.

    Returns:
        A frame with columns source, target, weight; ties in gene order.

    Raises:
        InputError: where names and array disagree in length.
    """
    import pandas as pd

    network = np.asarray(network)
    if network.shape != (len(genes), len(genes)):
        raise InputError(f"edge list: {len(genes)} gene names for a network of shape {network.shape}")
    regulator, target = np.nonzero(network)
    weight = network[regulator, target]
    order = np.lexsort((target, regulator, -np.abs(weight)))
    names = np.asarray(genes, dtype=object)
    return pd.DataFrame({"source": names[regulator[order]], "target": names[target[order]], "weight": weight[order]})


def network_matrix(edges: pd.DataFrame, genes: Sequence[str]) -> np.ndarray:
    """Return an edge list as signed weights (regulator, target); genes not listed are an error.

    Raises:
        InputError: on a gene that `genes` lacks.
    """
    index = {gene: number for number, gene in enumerate(genes)}
    for column in ("source", "target"):
        unknown = [gene for gene in edges[column] if gene not in index]
        if unknown:
            raise InputError(f"edge list: column {column} names unknown gene '{unknown[0]}'")
    network = np.zeros((len(genes), len(genes)))
    rows = [index[gene] for gene in edges["source"]]
    columns = [index[gene] for gene in edges["target"]]
    network[rows, columns] = edges["weight"] if "weight" in edges else 1.0
    return network
