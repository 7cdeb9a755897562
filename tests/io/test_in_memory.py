"""Objects in memory are read as files of the same content are."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from dashjax import InputError
from dashjax.data import make_trajectories
from dashjax.io import (
    CellOptions,
    expression_from_anndata,
    expression_from_frame,
    load_expression,
    load_prior_network,
    network_from_frame,
    read_h5ad,
    read_network,
    read_tidy,
)

TIDY = pd.DataFrame(
    {"trajectory": ["x", "y", "x", "y"], "time": [0, 0, 1, 2.5], "A": [0.1, 0.5, np.nan, 0.7], "B": [1, 2, 3, 4]}
)
LONG = TIDY.melt(["trajectory", "time"], var_name="gene", value_name="expression").dropna()


def assert_same_expression(ours, theirs):
    assert (ours.genes, ours.names, ours.notes) == (theirs.genes, theirs.names, theirs.notes)
    for a, b in zip(vars(ours.trajectories).values(), vars(theirs.trajectories).values(), strict=True):
        np.testing.assert_array_equal(a, b)


def assert_same_network(ours, theirs):
    for name in ("regulators", "targets", "names"):
        assert getattr(ours, name) == getattr(theirs, name)
    np.testing.assert_array_equal(ours.weights, theirs.weights)
    np.testing.assert_array_equal(ours.rows, theirs.rows - 1)  # a file's header is its first row


@pytest.mark.parametrize(
    "frame",
    [
        TIDY,
        LONG,
        TIDY.drop(columns="trajectory").iloc[::2].fillna(0.2),
        TIDY.rename(columns={"trajectory": "Replicate", "time": "Pseudotime"}),
        TIDY.astype(object),
        TIDY.astype(str).replace("nan", "NA"),
        TIDY.convert_dtypes(),
        TIDY.astype({"trajectory": "category"}),
    ],
)
def test_a_frame_is_read_as_its_file_is(tmp_path, frame):
    frame.rename(columns=str).to_csv(tmp_path / "t.csv", index=False)
    if "trajectory" in frame or "Replicate" in frame:
        assert_same_expression(expression_from_frame(frame), read_tidy(tmp_path / "t.csv"))
    else:
        assert expression_from_frame(frame).names == ("1",)


def test_columns_of_other_names_are_given():
    frame = TIDY.rename(columns={"trajectory": "donor", "time": "hours"})
    data = expression_from_frame(frame, time="hours", trajectory="donor")
    assert_same_expression(data, expression_from_frame(TIDY))
    assert_same_expression(load_expression(frame, cells=CellOptions(time="hours", trajectory="donor")), data)
    with pytest.raises(InputError, match="expression: no column 'hour'; there are: donor, hours, A, B"):
        expression_from_frame(frame, time="hour")


def changed(row, column, value):
    frame = TIDY.astype(object)
    frame.iloc[row, frame.columns.get_loc(column)] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (changed(1, "A", "five"), "counts, row 2, column A: expected a number, found 'five'"),
        (changed(1, "A", True), "counts, row 2, column A: expected a number, found 'True'"),
        (TIDY.replace(0.5, np.inf), "counts, row 2, column A: expected a number, found 'inf'"),
        (changed(2, "time", None), "counts, row 3, column time: the value is missing"),
        (changed(2, "time", 0), "counts, row 3, column time: 0 appears twice in trajectory 'x'"),
        (changed(3, "time", -1), "counts, row 4, column time: -1 comes after a later time in trajectory 'y'"),
        (TIDY.rename(columns={"B": "A"}), "counts: gene 'A' appears twice"),
        (TIDY.rename(columns={"B": ""}), "counts, column 4: no gene name"),
        (TIDY[["trajectory", "time"]], "counts: no gene columns"),
        (TIDY.drop(columns="time"), "counts: no column time; a tidy table has"),
        (TIDY.assign(A=np.nan), "counts: gene 'A' has no value at any time"),
        (TIDY.iloc[:0], "counts: the frame is empty"),
        (pd.concat([LONG, LONG.iloc[:1]]), "counts, row 8: gene 'A' appears twice at time 0"),
    ],
)
def test_a_bad_frame_names_row_and_column(frame, message):
    with pytest.raises(InputError, match=message):
        expression_from_frame(frame, "counts")


def cells(kind="dense", genes=("A", "B", "C")):
    anndata = pytest.importorskip("anndata")
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(1)
    day = rng.integers(0, 4, 60)
    levels = rng.poisson(1.0, (60, 3)).astype(np.float32)
    matrix = {"dense": np.asarray, "csr": sparse.csr_matrix, "csc": sparse.csc_array}[kind](levels)
    obs = pd.DataFrame({"day": day, "donor": pd.Categorical(["ann", "bob"] * 30)}, index=[f"c{n}" for n in range(60)])
    return anndata.AnnData(matrix, obs, pd.DataFrame(index=list(genes)), layers={"raw": 10 * matrix})


@pytest.mark.parametrize("kind", ["dense", "csr", "csc"])
def test_anndata_in_memory_is_read_as_its_file_is(tmp_path, kind, monkeypatch):
    monkeypatch.setattr("dashjax.io.h5ad.BLOCK", 50)  # so that there are many
    adata = cells(kind)
    adata.write_h5ad(tmp_path / "c.h5ad")
    for options in (CellOptions(), CellOptions(layer="raw", time="day", trajectory="donor")):
        assert_same_expression(expression_from_anndata(adata, options), read_h5ad(tmp_path / "c.h5ad", options))
    view = adata[adata.obs["donor"] == "ann", ["C", "A"]]
    data = load_expression(view, cells=CellOptions(time="day"))
    assert data.genes == ("C", "A")
    expected = expression_from_anndata(view.copy(), CellOptions(time="day"))
    assert_same_expression(data, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (CellOptions(layer="x"), "cells: no layer 'x'; there are: raw"),
        (CellOptions(time="hour"), "cells: obs has no column 'hour'; there are: day, donor"),
        (CellOptions(time="donor"), "cells: column 'donor' of obs holds no numbers"),
        (CellOptions(trajectory="x"), "cells: obs has no column 'x'"),
    ],
)
def test_options_that_do_not_fit_an_object_say_what_would(options, message):
    with pytest.raises(InputError, match=message):
        expression_from_anndata(cells(), options, "cells")


@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_repeated_genes_of_anndata_are_named(tmp_path):
    adata = cells(genes=("A", "B", "B"))
    adata.write_h5ad(tmp_path / "c.h5ad")
    with pytest.raises(InputError, match="^cells: gene 'B' appears twice"):
        expression_from_anndata(adata, CellOptions(), "cells")
    with pytest.raises(InputError, match="c.h5ad: gene 'B' appears twice"):
        read_h5ad(tmp_path / "c.h5ad")


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"source": ["A", "B"], "target": ["B", "C"], "weight": [1.0, -0.5]}),
        pd.DataFrame({"TF": ["A", "B"], "target": ["B", "C"], "importance": [2, 0.1], "other": [None, 3]}),
        pd.DataFrame({"source": ["A", "B"], "target": ["B", "C"], "weight": [1, 0.5], "sign": [1.0, -1.0]}),
        pd.DataFrame({"target": [5, 7], "source": [7, 9]}),
        pd.DataFrame([[0, 1.0], [-0.5, 0]], index=["A", "B"], columns=["C", "B"]),
        pd.DataFrame([[0, 1], [1, 0]], index=pd.Index([7157, 2]), columns=[7157, 2]),
    ],
)
def test_a_network_in_a_frame_is_read_as_its_file_is(tmp_path, frame):
    frame.to_csv(tmp_path / "p.csv")  # with its index, so the first column has no name
    network = network_from_frame(frame)
    assert_same_network(network, read_network(tmp_path / "p.csv"))
    assert load_prior_network(network) is network
    assert load_prior_network(frame, source="net").source == "net"


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"source": ["A", None], "target": ["B", "C"]}), "prior, row 2, column source: no gene name"),
        (
            pd.DataFrame({"source": ["A"], "target": ["B"], "weight": [np.nan]}),
            "prior, row 1, column weight: the value is missing",
        ),
        (pd.DataFrame([[0, np.nan]], index=["A"], columns=["B", "C"]), "prior, row 1, column C: the value is missing"),
        (pd.DataFrame([["x"]], index=["A"], columns=["B"]), "prior, row 1, column B: expected a number, found 'x'"),
        (pd.DataFrame([[0]], index=["A"], columns=["B"]), "prior: no edge with a weight other than zero"),
        (pd.DataFrame([[0, 1]], index=["A"], columns=["B", "B"]), "prior: target 'B' appears twice"),
        (pd.DataFrame([[0, 1]]), "prior: expected columns source,target.* or a matrix with the regulators' names"),
        (pd.DataFrame(), "prior: the frame is empty"),
    ],
)
def test_a_bad_network_in_a_frame_names_the_place(frame, message):
    with pytest.raises(InputError, match=message):
        network_from_frame(frame)


def test_trajectories_are_named_by_a_sequence_or_numbered(tmp_path):
    values = make_trajectories([[0, 1]], [[[1, 2], [3, 4]]])
    assert load_expression(values).genes == ("G1", "G2")
    data = load_expression(values, ["A", "B"])
    assert (data.genes, data.names, data.trajectories) == (("A", "B"), ("1",), values)
    (tmp_path / "n.csv").write_text("A\nB\n")
    assert load_expression(values, tmp_path / "n.csv").genes == ("A", "B")
    assert load_expression(data) is data


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3,), "expression: expected a path, DataFrame, AnnData or Trajectories, got int"),
        ((np.ones((2, 2)),), "expression: expected a path, DataFrame, AnnData or Trajectories, got ndarray"),
        ((make_trajectories([[0, 1]], [[[1, 2], [3, 4]]]), ["A"]), "genes: 1 gene names for the 2 genes"),
        ((make_trajectories([[0, 1]], [[[1, 2], [3, 4]]]), ["A", "A"]), "genes: gene 'A' appears twice"),
        ((TIDY, ["A", "B"]), "genes: gene names were given, but the DataFrame names its own"),
        ((TIDY, None, CellOptions(bins=3)), "bins: does not apply to a DataFrame"),
        (("file.csv", ["A", "B"]), "genes: expected a file of gene names for file.csv, got list"),
    ],
)
def test_what_cannot_be_expression_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        load_expression(*arguments)


def test_what_cannot_be_a_network_is_refused():
    with pytest.raises(InputError, match="C: expected a path, DataFrame or NamedNetwork, got list"):
        load_prior_network([1], source="C")


def test_neither_pandas_nor_anndata_is_imported_before_it_is_needed():
    script = "import sys, dashjax.io; sys.exit(' '.join({'pandas', 'anndata'} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
