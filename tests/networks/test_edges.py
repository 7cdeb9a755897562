import numpy as np
import pandas as pd
import pytest

from dashjax import InputError, edge_list
from dashjax.networks import network_matrix


def test_edge_list_round_trip_strongest_first():
    network = np.array([[0, 0.5, 0], [0, 0, -2.0], [0.5, 0, 0]])
    edges = edge_list(network, ["a", "b", "c"])
    assert edges.to_dict("records") == [
        {"source": "b", "target": "c", "weight": -2.0},
        {"source": "a", "target": "b", "weight": 0.5},
        {"source": "c", "target": "a", "weight": 0.5},
    ]
    np.testing.assert_array_equal(network_matrix(edges, ["a", "b", "c"]), network)
    with pytest.raises(InputError, match="2 gene names"):
        edge_list(network, ["a", "b"])
    with pytest.raises(InputError, match="target names unknown gene 'z'"):
        network_matrix(pd.DataFrame({"source": ["a"], "target": ["z"]}), ["a"])
