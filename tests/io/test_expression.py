import gzip
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashjax import InputError
from dashjax.io import (
    CellOptions,
    read_beeline,
    read_dream4,
    read_expression,
    read_h5ad,
    read_phoenix,
    read_tidy,
    write_phoenix,
    write_tidy,
)
from dashjax.io.named import make_expression


def write(folder, text, name="file.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


PHOENIX = "2,2,\n0.1,0.2,0.3\n0.4,0.5,0.6\n0,1,2\n1,2,\n3,4,\n0,5,\n"
TIDY = "trajectory,time,A,B\nx,0,0.1,0.2\nx,1,0.3,0.4\ny,0,0.5,0.6\ny,2,0.7,0.8\n"


def test_phoenix_csv_is_read_with_its_padding(tmp_path):
    data = read_expression(write(tmp_path, PHOENIX))
    assert data.genes == ("G1", "G2")
    np.testing.assert_array_equal(data.trajectories.observed, [[1, 1, 1], [1, 1, 0]])
    np.testing.assert_allclose(data.trajectories.expression[0], [[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]])
    np.testing.assert_allclose(data.trajectories.times[1, :2], [0, 5])


def test_phoenix_csv_round_trip_is_exact(tmp_path):
    rng = np.random.default_rng(0)
    times = [np.array([0.0, 1.5, 2.25]), np.array([0.0, 1 / 3])]
    expression = [rng.normal(size=(3, 4)), rng.normal(size=(2, 4))]
    write_phoenix(tmp_path / "t.csv", times, expression)
    read = read_phoenix(tmp_path / "t.csv").unpadded()
    for ours, theirs in zip(read, (times, expression), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b.astype(np.float32))


def test_tidy_table_is_read_in_any_layout(tmp_path):
    data = read_expression(write(tmp_path, TIDY))
    assert data.genes == ("A", "B")
    np.testing.assert_allclose(data.trajectories.expression[1], [[0.5, 0.6], [0.7, 0.8]])
    bom = read_expression(write(tmp_path, "\ufeff" + TIDY.replace(",", "\t").replace("\n", "\r\n"), "t.tsv"))
    np.testing.assert_array_equal(bom.trajectories.expression, data.trajectories.expression)


def test_gene_names_come_from_a_file(tmp_path):
    path = write(tmp_path, PHOENIX)
    assert read_expression(path, write(tmp_path, '"x"\n"P_input"\n"Q"\n', "n.csv")).genes == ("P", "Q")
    with pytest.raises(InputError, match=r"n.csv: 1 gene names, but .* has 2 genes"):
        read_expression(path, write(tmp_path, "x\nP\n", "n.csv"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("hello\n", "row 1: expected a header"),
        ("2,2\n1,2\n", "need 7 rows, the file has 2"),
        ("0,1\n", "0 genes"),
        (PHOENIX.replace("0.5", "five"), "row 3, column 2: expected a number, found 'five'"),
        (PHOENIX.replace("0.5", "1_0"), "row 3, column 2: expected a number, found '1_0'"),
        (PHOENIX.replace("0.5", "٣"), "row 3, column 2: expected a number, found '٣'"),
        (PHOENIX.replace("0.5", "1e999"), "row 3, column 2: expected a number"),
        (PHOENIX.replace("0,1,2", "0,2,1"), "row 4, column 3: time 1 comes after a later time"),
        (PHOENIX.replace("0,1,2", "0,1,1"), "row 4, column 3: time 1 appears twice"),
        (PHOENIX.replace("0,5,", "0,,5"), "row 7: times must be numbers followed by padding"),
        (PHOENIX.replace("3,4,", "3,4,5"), "row 6: more values than times"),
        (TIDY.replace("0.4", "x"), "row 3, column B: expected a number, found 'x'"),
        (TIDY.replace("x,1", "x,NA"), "row 3, column time: the value is missing"),
        ("\n" + TIDY, "row 1: the line is blank"),
        (",,\n,,\n", "the file has no values"),
        (TIDY.replace("x,1", "x,0"), "row 3, column time: 0 appears twice in trajectory 'x'"),
        (TIDY.replace("y,2", "y,-2"), "row 5, column time: -2 comes after a later time in trajectory 'y'"),
        (TIDY.replace("A,B", "A,A"), "gene 'A' appears twice"),
        (TIDY.replace("0.3,0.4", "0.3"), "row 3: 3 columns, the header has 4"),
        ("trajectory,time\nx,0\n", "no gene columns"),
        ("trajectory,time,A\nx,0,1\n", "at least two observation times"),
    ],
)
def test_bad_expression_names_file_row_and_column(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        read_expression(path)
    assert "file.csv" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_missing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_expression(tmp_path / "absent.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_expression(tmp_path / "b.csv")
    with pytest.raises(InputError, match="ExpressionData.csv: no such file"):
        read_expression(tmp_path)  # a folder is BEELINE's


@pytest.mark.parametrize(
    "text",
    [
        TIDY.replace("0.3,0.4", "0.3,"),
        TIDY.replace("0.3,0.4", "0.3,NA"),
        "gene,expression,time,trajectory\nA,0.1,0,x\nB,0.2,0,x\nA,0.3,1,x\nB,0.6,2,y\nA,0.5,0,y\nB,0.6,0,y\nA,0.7,2,y\n",
        "2,2,\n0.1,0.3,\n0.2,,\n0,1,\n0.5,0.7,\n0.6,0.8,\n0,2,\n",
    ],
)
def test_missing_values_are_masked_and_filled_from_what_was_measured(tmp_path, text):
    data = read_expression(write(tmp_path, text))
    measured = np.asarray(data.trajectories.measured)
    assert not measured[0, 1, 1]
    assert measured.sum() == measured.size - 1
    assert data.trajectories.expression[0, 1, 1] == np.float32(0.2)  # the nearest in its trajectory
    assert data.notes == ("1 of 8 values are missing; they are masked and count in no error",)


def test_missing_values_between_two_measured_ones_lie_on_their_line(tmp_path):
    path = write(tmp_path, "trajectory,time,A,B\nx,0,1,1\nx,1,,1\nx,4,5,1\n")
    assert read_tidy(path).trajectories.expression[0, 1, 0] == 2.0


def test_a_gene_without_any_value_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"file.csv: gene 'B' has no value at any time"):
        read_tidy(write(tmp_path, "trajectory,time,A,B\nx,0,1,\nx,1,2,NA\n"))


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "csv.gz"])
def test_tidy_tables_round_trip_with_gaps_and_unequal_lengths(tmp_path, suffix):
    rng = np.random.default_rng(0)
    write_phoenix(tmp_path / "p.csv", [[0, 1 / 3, 2], [0, 5]], [rng.normal(size=(3, 4)), rng.normal(size=(2, 4))])
    data = read_phoenix(tmp_path / "p.csv")
    times, expression = data.unpadded()
    expression[0][1, 2] = np.nan
    write_phoenix(tmp_path / "gaps.csv", times, expression)
    data = read_phoenix(tmp_path / "gaps.csv")
    write_tidy(tmp_path / f"t.{suffix}", data)
    again = read_expression(tmp_path / f"t.{suffix}")
    assert (again.genes, again.names, again.notes) == (data.genes, data.names, data.notes)
    for ours, theirs in zip(again.trajectories.__dict__.values(), data.trajectories.__dict__.values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_gzipped_text_is_read_and_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TIDY.encode()))
    assert read_expression(tmp_path / "t.csv.gz").genes == ("A", "B")
    monkeypatch.setattr("dashjax.io.tables.LARGEST_TEXT", 10_000)
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"0," * 10_000))
    with pytest.raises(InputError, match=r"bomb.csv.gz: more than 0 MiB of text"):
        read_expression(tmp_path / "bomb.csv.gz")
    (tmp_path / "torn.csv.gz").write_bytes(gzip.compress(TIDY.encode())[:20])
    with pytest.raises(InputError, match="damaged gzip file"):
        read_expression(tmp_path / "torn.csv.gz")


def dream4(times, series=2):
    rows = ['"Time"\t"G1"\t"G2"']
    for number in range(series):
        rows += [*(f"{t}\t{number + t}\t0.5" for t in times), ""]
    return "\n".join(rows) + "\n"


def test_dream4_series_are_cut_where_their_perturbation_is_lifted(tmp_path):
    data = read_dream4(write(tmp_path, dream4(range(0, 1001, 50)), "d.tsv"))
    assert data.trajectories.expression.shape == (4, 11, 2)
    assert data.names[:2] == ("series 1, perturbed", "series 1, released")
    np.testing.assert_array_equal(data.trajectories.times[:2], [np.arange(0, 501, 50), np.arange(500, 1001, 50)])
    np.testing.assert_array_equal(data.trajectories.expression[3, :, 0], 1 + np.arange(500, 1001, 50))
    other = read_expression(write(tmp_path, dream4([0, 1, 4]), "d.tsv"))
    assert other.names == ("series 1", "series 2")


def test_dream4_series_need_a_blank_line_between_them(tmp_path):
    text = dream4([0, 1]).replace("\n\n", "\n", 1)
    with pytest.raises(InputError, match="row 4, column Time: 0 does not come after 1; a blank line separates series"):
        read_expression(write(tmp_path, text, "d.tsv"))


def beeline(folder, cells=400, short_header=False):
    rng = np.random.default_rng(0)
    time = rng.uniform(size=cells)
    levels = np.stack([time, 1 - time, np.ones(cells)])
    names = [f"c{n}" for n in range(cells)]
    frame = pd.DataFrame(levels, index=["A", "B", "C"], columns=names)
    frame.to_csv(folder / "ExpressionData.csv")
    late = time > 0.5
    branches = pd.DataFrame({"one": np.where(late, np.nan, time), "two": np.where(late, time, np.nan)}, index=names)
    text = branches.iloc[::-1].to_csv(na_rep="NA")  # in another order than the cells
    (folder / "PseudoTime.csv").write_text(text[1:] if short_header else text)
    return time


@pytest.mark.parametrize("short_header", [False, True])
def test_beeline_branches_become_trajectories_of_metacells(tmp_path, short_header):
    time = beeline(tmp_path, short_header=short_header)
    data = read_beeline(tmp_path, CellOptions(bins=10))
    assert (data.genes, data.names) == (("A", "B", "C"), ("one", "two"))
    assert data.trajectories.expression.shape == (2, 10, 3)
    # Gene A is the pseudotime itself, so its mean in a metacell is the metacell's time.
    np.testing.assert_allclose(data.trajectories.expression[..., 0], data.trajectories.times, rtol=1e-6)
    assert f"{(time <= 0.5).sum()} cells of 'one' averaged into 10 metacells" in data.notes


def test_beeline_folders_that_disagree_are_refused(tmp_path):
    beeline(tmp_path)
    lines = (tmp_path / "PseudoTime.csv").read_text().splitlines()
    (tmp_path / "PseudoTime.csv").write_text("\n".join(lines[:-2]) + "\n")
    with pytest.raises(InputError, match=r"PseudoTime.csv: 2 of 400 cells of ExpressionData.csv have no pseudotime"):
        read_beeline(tmp_path)
    (tmp_path / "PseudoTime.csv").write_text("\n".join([*lines, lines[-1]]) + "\n")
    with pytest.raises(InputError, match=r"row 402: cell 'c0' appears twice"):
        read_beeline(tmp_path)
    with pytest.raises(InputError, match="'layer' applies to .h5ad files"):
        read_expression(tmp_path, cells=CellOptions(layer="counts"))


def h5ad(path, sparse=False, cells=300):
    anndata = pytest.importorskip("anndata")
    scipy = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(1)
    day = rng.integers(0, 4, cells)
    levels = (day[:, None] + np.arange(3)).astype(np.float32)
    obs = pd.DataFrame(
        {"day": day, "pseudotime": day + rng.uniform(size=cells), "donor": ["ann", "bob"] * (cells // 2)}
    )
    obs.index = [f"c{n}" for n in range(cells)]
    obs.loc["c0", "pseudotime"] = np.inf  # not reached
    matrix = scipy.csr_matrix(levels) if sparse else levels
    adata = anndata.AnnData(matrix, obs, pd.DataFrame(index=["A", "B", "C"]), layers={"raw": 10 * matrix})
    adata.write_h5ad(path)
    return obs


@pytest.mark.parametrize("sparse", [False, True])
def test_h5ad_cells_are_averaged_by_sampling_time_and_trajectory(tmp_path, sparse, monkeypatch):
    monkeypatch.setattr("dashjax.io.h5ad.BLOCK", 100)  # so that there are many
    h5ad(tmp_path / "c.h5ad", sparse)
    data = read_h5ad(tmp_path / "c.h5ad", CellOptions(layer="raw", time="day", trajectory="donor"))
    assert (data.genes, data.names) == (("A", "B", "C"), ("ann", "bob"))
    expected = 10 * (np.arange(4)[:, None] + np.arange(3))
    np.testing.assert_allclose(data.trajectories.expression, [expected, expected])
    assert data.notes[0] == "time is 'day' of obs"
    assert data.notes[-1].endswith("sampling times")


def test_h5ad_cells_are_cut_into_metacells_along_a_pseudotime(tmp_path):
    obs = h5ad(tmp_path / "c.h5ad")
    data = read_expression(tmp_path / "c.h5ad", cells=CellOptions(time="pseudotime", bins=20))
    assert data.trajectories.expression.shape == (1, 20, 3)
    assert data.notes[:2] == ("time is 'pseudotime' of obs", "1 of 300 cells have no time and are left out")
    assert data.notes[-1] == "299 cells of 'all cells' averaged into 20 metacells"
    finite = np.sort(obs["pseudotime"][np.isfinite(obs["pseudotime"])])
    assert data.trajectories.times[0, 0] == pytest.approx(finite[:15].mean(), rel=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads its memory from /proc")
def test_an_atlas_is_read_in_little_memory(tmp_path):
    anndata = pytest.importorskip("anndata")
    scipy = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(0)
    matrix = scipy.random(20_000, 3_000, 0.1, format="csr", dtype=np.float32, random_state=rng)
    obs = pd.DataFrame({"pseudotime": rng.uniform(size=20_000)}, index=[f"c{n}" for n in range(20_000)])
    anndata.AnnData(matrix, obs, pd.DataFrame(index=[f"G{n}" for n in range(3_000)])).write_h5ad(tmp_path / "a.h5ad")
    script = (
        "import sys, time\n"
        "import anndata, dashjax.io as io\n"
        "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 1024\n"
        "before = peak()\n"
        "began = time.perf_counter()\n"
        "data = io.read_h5ad(sys.argv[1])\n"
        "print(*data.trajectories.expression.shape, time.perf_counter() - began, peak() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "a.h5ad"], capture_output=True, check=True, timeout=300
    )
    *shape, seconds, grown = map(float, done.stdout.split())
    print(f"\n20,000 cells × 3,000 genes: {seconds:.1f} s, {grown:.0f} MiB")
    assert shape == [1, 40, 3000]
    assert grown < 800  # all values at once would be 480 MB in double precision, and as much again to average


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (CellOptions(layer="x"), "no layer 'x'; there are: raw"),
        (CellOptions(time="hour"), "obs has no column 'hour'; there are: day, pseudotime, donor"),
        (CellOptions(time="donor"), "column 'donor' of obs holds no numbers"),
        (CellOptions(time="day", bins=1), "at least 2 are needed, got 1"),
    ],
)
def test_h5ad_options_that_do_not_fit_say_what_would(tmp_path, options, message):
    h5ad(tmp_path / "c.h5ad")
    with pytest.raises(InputError, match=message):
        read_h5ad(tmp_path / "c.h5ad", options)


def test_cell_options_are_refused_where_there_are_no_cells(tmp_path):
    with pytest.raises(InputError, match="holds no cells"):
        read_expression(write(tmp_path, TIDY), cells=CellOptions(bins=3))


def test_genes_without_expression_can_join_unmeasured(tmp_path):
    data = read_tidy(write(tmp_path, TIDY)).with_unmeasured(["B", "Z", "Z"])
    assert data.genes == ("A", "B", "Z")
    assert not np.asarray(data.trajectories.measured)[..., 2].any()
    assert np.asarray(data.trajectories.measured)[..., :2].all()
    assert data.with_unmeasured(["A"]) is data


@pytest.mark.data
def test_published_expression_is_read(data_folder):
    names = data_folder / "sim/gene_names_350.csv"
    data = read_expression(data_folder / "sim/simu_350genes_10samples_for_testing.csv", names)
    assert data.trajectories.expression.shape == (10, 5, 350)
    yeast = read_expression(data_folder / "yeast/pramila_500genes_1sample_24T.csv")
    assert yeast.trajectories.expression.shape == (1, 24, 500)
    series = read_expression(data_folder / "dream4/insilico_size10_1_timeseries.tsv")
    assert series.trajectories.expression.shape == (10, 11, 10)
    for folder, genes in (("mCAD/mCAD-2000-1-70", 5), ("GSD_example/ex1", 19)):
        assert read_expression(data_folder / "beeline" / folder).trajectories.expression.shape == (2, 40, genes)


NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8), unique=True
)


@settings(deadline=None, max_examples=60)
@given(NAMES.filter(len), st.data())
def test_any_names_and_numbers_survive_a_tidy_table(tmp_path_factory, names, data):
    names = [name for name in names if name.lower() not in ("time", "trajectory", "gene", "expression", "value")] or [
        "A"
    ]
    value = st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6, width=32))
    rows = data.draw(st.lists(st.lists(value, min_size=len(names), max_size=len(names)), min_size=2, max_size=4))
    levels = np.array(rows, np.float32)
    levels[0] = np.nan_to_num(levels[0])  # each gene has a value
    suffix = data.draw(st.sampled_from(["csv", "tsv", "parquet"]))
    before = make_expression(names, [np.arange(len(levels))], [levels], "here", ["x"])
    path = tmp_path_factory.mktemp("h") / f"t.{suffix}"
    write_tidy(path, before)
    after = read_tidy(path)
    assert after.genes == before.genes
    np.testing.assert_array_equal(after.unpadded()[1][0], levels)
