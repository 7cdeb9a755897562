import numpy as np
import pandas as pd
import pytest

from dashjax import InputError
from dashjax.io import read_edges, read_network, write_decoupler, write_graphml, write_ranked_edges, write_table

EDGES = pd.DataFrame(
    {
        "source": ["A", "B", "A"],
        "target": ["B", "C", "C"],
        "weight": [0.1, -1 / 3, 2.0],
        "probability": [0.99, 0.5, 0.75],
        "returned": [True, False, True],
    }
)


@pytest.mark.parametrize("suffix", ["tsv", "csv", "parquet"])
def test_edge_lists_round_trip_exactly(tmp_path, suffix):
    write_table(tmp_path / f"e.{suffix}", EDGES)
    pd.testing.assert_frame_equal(read_edges(tmp_path / f"e.{suffix}"), EDGES)


def test_an_edge_list_of_a_lost_column_or_cell_is_refused(tmp_path):
    (tmp_path / "e.tsv").write_text("source\ttarget\nA\tB\n")
    with pytest.raises(InputError, match="e.tsv, row 1: no column weight"):
        read_edges(tmp_path / "e.tsv")
    (tmp_path / "e.tsv").write_text("source\ttarget\tweight\nA\tB\tx\n")
    with pytest.raises(InputError, match="row 2, column weight: expected a number, found 'x'"):
        read_edges(tmp_path / "e.tsv")


def test_beeline_ranks_by_probability_and_keeps_the_sign(tmp_path):
    write_ranked_edges(tmp_path / "rankedEdges.csv", EDGES)
    ranked = pd.read_csv(tmp_path / "rankedEdges.csv", sep="\t")
    assert list(ranked.columns) == ["Gene1", "Gene2", "EdgeWeight"]
    np.testing.assert_allclose(ranked["EdgeWeight"], [0.99, 0.75, -0.5])
    write_ranked_edges(tmp_path / "rankedEdges.csv", EDGES.drop(columns="probability"))
    assert pd.read_csv(tmp_path / "rankedEdges.csv", sep="\t")["EdgeWeight"].iloc[0] == 2.0


def test_a_decoupler_net_is_read_back_as_a_prior(tmp_path):
    write_decoupler(tmp_path / "net.csv", EDGES)
    network = read_network(tmp_path / "net.csv")
    assert (network.regulators, network.targets) == (("A", "B", "A"), ("B", "C", "C"))
    np.testing.assert_array_equal(network.weights, EDGES["weight"])


def test_graphml_holds_the_same_graph(tmp_path):
    nx = pytest.importorskip("networkx")
    write_graphml(tmp_path / "g.graphml", EDGES)
    graph = nx.read_graphml(tmp_path / "g.graphml")
    assert {(a, b, d["weight"], d["returned"], d["interaction"]) for a, b, d in graph.edges(data=True)} == {
        ("A", "B", 0.1, True, "activates"),
        ("B", "C", -1 / 3, False, "represses"),
        ("A", "C", 2.0, True, "activates"),
    }
