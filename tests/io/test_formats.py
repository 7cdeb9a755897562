"""A format from outside the package is one entry."""

import numpy as np

from dashjax.io import (
    EXPRESSION_FORMATS,
    NETWORK_FORMATS,
    ExpressionFormat,
    NetworkFormat,
    read_expression,
    read_network,
    read_prior,
)
from dashjax.io.named import make_expression, make_network


def test_a_format_of_expression_told_by_its_rows_can_be_added(tmp_path, monkeypatch):
    def read(file, genes_file, cells):
        values = np.array(file.rows[1:], dtype=float)
        return make_expression(["A", "B"], [values[:, 0]], [values[:, 1:]], file.path)

    entry = ExpressionFormat("ours", lambda file: file.rows[0] == ["ours"], read)
    monkeypatch.setitem(EXPRESSION_FORMATS, "ours", entry)
    (tmp_path / "e.csv").write_text("ours\n0,1,2\n1,3,4\n")
    data = read_expression(tmp_path / "e.csv")
    np.testing.assert_array_equal(data.trajectories.expression, [[[1, 2], [3, 4]]])


def test_a_binary_format_of_expression_told_by_its_name_can_be_added(tmp_path, monkeypatch):
    def read(file, genes_file, cells):
        values = np.load(file.path)
        return make_expression(["A"], [np.arange(len(values))], [values], file.path)

    entry = ExpressionFormat("npy", lambda file: file.path.suffix == ".npy", read, by_name=True)
    monkeypatch.setitem(EXPRESSION_FORMATS, "npy", entry)
    np.save(tmp_path / "e.npy", np.array([[1.0], [2.0]]))
    assert read_expression(tmp_path / "e.npy").trajectories.expression.shape == (1, 2, 1)


def test_a_format_of_networks_can_be_added(tmp_path, monkeypatch):
    def parse(rows, path, genes):
        pairs = [row[0].split(" -> ") for row in rows]
        return make_network([(a, b, 1.0, number) for number, (a, b) in enumerate(pairs, start=1)], path)

    entry = NetworkFormat("arrows", lambda rows, genes: " -> " in rows[0][0], parse)
    monkeypatch.setitem(NETWORK_FORMATS, "arrows", entry)
    (tmp_path / "p.txt").write_text("A -> B\nB -> A\n")
    assert read_network(tmp_path / "p.txt").targets == ("B", "A")
    np.testing.assert_array_equal(read_prior(tmp_path / "p.txt", ["A", "B"]), [[0, 1], [1, 0]])
