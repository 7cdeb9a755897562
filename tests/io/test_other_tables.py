"""Tables that are not as they should be, yet mean something: genes in rows, times in names, spreadsheets, metadata."""

import datetime
import sys

import numpy as np
import pandas as pd
import pytest

from dashjax import InputError
from dashjax.io import expression_from_frame, read_expression, read_gene_names, read_network, read_steady, table_files
from dashjax.problems import check_files, read_problem

SAMPLES = ["T0_rep1", "T0_rep2", "T2_rep1", "T2_rep2"]
LEVELS = np.array([[0.1, 0.5], [0.2, 0.6], [0.3, 0.7], [0.4, 0.9]])
TIDY = [["trajectory", "time", "GATA1", "TAL1"], ["a", 0, 0.1, 0.5], ["a", 2, 0.3, 0.7], ["b", 0, 0.2, 0.6]]
TIDY = [*TIDY, ["b", 2, 0.4, 0.9]]


def text(rows):
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def turned(rows):
    return [list(column) for column in zip(*rows, strict=True)]


def sampled(corner="sample"):
    return [
        [corner, "GATA1", "TAL1"],
        *([name, *levels] for name, levels in zip(SAMPLES, LEVELS.tolist(), strict=True)),
    ]


def write(path, rows, sheets=1):
    if path.suffix == ".xlsx":
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        for number in range(sheets):
            sheet = book.active if number == 0 else book.create_sheet()
            for row in rows:
                sheet.append(row)
        book.save(path)
    else:
        path.write_text(text(rows))
    return path


def values(data):
    times, levels = data.unpadded()
    return {name: (t.tolist(), e.round(3).tolist()) for name, t, e in zip(data.names, times, levels, strict=True)}


EXPECTED = [([0, 2], [[0.1, 0.5], [0.3, 0.7]]), ([0, 2], [[0.2, 0.6], [0.4, 0.9]])]


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@pytest.mark.parametrize(
    ("rows", "transpose", "names"),
    [
        (TIDY, False, ["a", "b"]),
        (turned(TIDY), True, ["a", "b"]),
        (sampled(), False, ["rep1", "rep2"]),
        (sampled(""), False, ["rep1", "rep2"]),
        (turned(sampled("gene")), True, ["rep1", "rep2"]),
    ],
    ids=["tidy", "tidy, turned", "samples", "samples, no corner", "samples, turned"],
)
def test_all_ways_round_are_the_same_expression(tmp_path, ending, rows, transpose, names):
    data = read_expression(write(tmp_path / f"e{ending}", rows), transpose=transpose)
    assert data.genes == ("GATA1", "TAL1")
    assert list(values(data)) == names
    assert list(values(data).values()) == [(t, pytest.approx(np.array(e))) for t, e in EXPECTED]


@pytest.mark.parametrize("rows", [turned(TIDY), turned(sampled()), turned(sampled())[:2]])
def test_genes_in_rows_are_told_with_the_option_that_reads_them(tmp_path, dashjax, rows):
    path = write(tmp_path / "e.csv", rows)
    code, out, err = dashjax("check", path)
    assert code == 2
    assert err.count("\n") == 1
    assert err.startswith(f"dashjax: {path}, row 1: expected a header")
    assert err.endswith("; this looks like genes in rows: --transpose\n")
    code, out, err = dashjax("check", path, "--transpose")
    assert (code, err) == (0, "")
    assert f"{path}, transposed\n" in out


def test_kinds_of_names_tell_genes_in_rows_where_no_time_does(tmp_path):
    rows = [["id", "s1", "s2", "s3"], *([f"ENSG{n:011d}", 1, 2, 3] for n in range(5))]
    with pytest.raises(InputError, match="genes in rows: transpose=True, with a row 'time'"):
        read_expression(write(tmp_path / "e.csv", rows))
    with pytest.raises(InputError, match="genes in rows: transpose=True$"):
        read_steady(tmp_path / "e.csv")
    assert read_steady(tmp_path / "e.csv", transpose=True).names == ("s1", "s2", "s3")
    # Samples in rows, genes in columns: what is missing is a time.
    with pytest.raises(InputError) as caught:
        read_expression(write(tmp_path / "f.csv", turned(rows)))
    assert "transpose" not in str(caught.value)


def test_samples_at_rest_may_be_the_other_way_round(tmp_path):
    series = write(tmp_path / "e.csv", TIDY)
    rest = write(tmp_path / "r.csv", [["gene", "liver", "lung"], ["GATA1", 0.1, 0.2], ["TAL1", 0.5, 0.6]])
    with pytest.raises(InputError, match="2 of 2 genes of the expression are not .*; this looks like genes in rows"):
        read_problem(series, steady=rest)
    problem = read_problem(write(tmp_path / "t.csv", turned(TIDY)), steady=rest, transpose=True)
    assert problem.samples == ("liver", "lung")


def test_frames_may_be_the_other_way_round_too():
    frame = pd.DataFrame(LEVELS, index=SAMPLES, columns=["GATA1", "TAL1"])
    for given, transpose in (
        (frame, False),
        (frame.reset_index(), False),
        (frame.T, True),
        (frame.T.rename_axis("gene").reset_index(), True),
        (pd.DataFrame(TIDY[1:], columns=TIDY[0]).T.reset_index(), True),
    ):
        data = expression_from_frame(given, transpose=transpose)
        assert list(values(data).values()) == [(t, pytest.approx(np.array(e))) for t, e in EXPECTED]
    for given in (frame.T, frame.T.reset_index(), pd.DataFrame(TIDY[1:], columns=TIDY[0]).T):
        with pytest.raises(InputError, match="no column time; .*; this looks like genes in rows: transpose=True"):
            expression_from_frame(given)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["T0_rep1", "T2_rep1", "T2_rep1"], "row 4: sample 'T2_rep1' has the time and the replicate of row 3"),
        (["T0_rep1", "T2_rep1", "T2.0_rep1"], "row 4: sample 'T2.0_rep1' has the time and the replicate of row 3"),
        (["T0_rep1", "T2_rep1", "control"], "row 1: expected a header"),
        (["0h_rep1", "2h_rep1", "1d_rep1"], "row 1: expected a header"),
        (["T0_rep1", "T2_rep1", "T0_rep2"], "trajectory 'rep2': needs at least two observation times, has 1"),
    ],
)
def test_names_that_state_no_course_are_refused(tmp_path, names, message):
    rows = [["", "A", "B"], *([name, n, 1] for n, name in enumerate(names))]
    with pytest.raises(InputError) as caught:
        read_expression(write(tmp_path / "e.csv", rows))
    assert message in str(caught.value)


@pytest.mark.parametrize("form", ["t{t}.r{r}", "{t}h_rep{r}", "day{t}-replicate_{r}", "D{t} rep{r}", "time_{t}_rep{r}"])
def test_forms_of_names(tmp_path, form):
    rows = [["", "A"], *([form.format(t=t, r=r), t + r] for t in (0, 2.5) for r in (1, 2))]
    data = read_expression(write(tmp_path / "e.csv", rows))
    assert [t for t, _ in values(data).values()] == [[0, 2.5]] * 2
    assert [np.ravel(e).tolist() for _, e in values(data).values()] == [[1, 3.5], [2, 4.5]]
    assert "times and replicates are those of the samples' names" in data.notes[0]


METADATA = ["n_cells", "pct_mito", "Total_counts", "batch", "nCount_RNA", "S.Score", "seurat_clusters", "leiden"]


def test_columns_that_describe_cells_are_left_out_and_named(tmp_path, dashjax):
    rows = [[*row, *(METADATA if number == 0 else range(8))] for number, row in enumerate(TIDY)]
    path = write(tmp_path / "e.csv", rows)
    code, out, err = dashjax("check", path)
    assert (code, err) == (0, "")
    assert (
        "! columns are left out, for they are called as what describes cells, not as genes: "
        f"{', '.join(METADATA)}; rename one that is a gene" in out
    )
    assert "2 genes" in out
    # Also where they are no numbers, in frames, among samples, and in tables of a row per value.
    rows = [[*row, "batch" if number == 0 else f"b{number}"] for number, row in enumerate(TIDY)]
    sample = [[*row, "phase" if number == 0 else "G1"] for number, row in enumerate(sampled())]
    frame = pd.DataFrame(rows[1:], columns=rows[0])
    long = pd.DataFrame(TIDY[1:], columns=TIDY[0]).assign(n_cells=3.0).melt(["trajectory", "time"], var_name="gene")
    for given in (write(tmp_path / "t.csv", rows), write(tmp_path / "s.csv", sample), frame, long):
        findings = check_files(given)
        said = [f.text.split(": ")[1].split(";")[0] for f in findings if "left out" in f.text and f.level == "warning"]
        assert said in (["batch"], ["phase"], ["n_cells"])
        assert read_problem(given).genes == ("GATA1", "TAL1")
    rest = [["sample", "GATA1", "n_cells"], ["x", 0.1, 3], ["y", 0.4, 4]]
    assert read_problem(None, steady=write(tmp_path / "r.csv", rest)).genes == ("GATA1",)
    with pytest.raises(InputError, match="no gene columns beside trajectory and time"):
        read_problem(write(tmp_path / "n.csv", [["trajectory", "time", "n_cells"], ["a", 0, 1], ["a", 1, 2]]))


def test_spreadsheets_of_priors_and_names_are_read(tmp_path):
    network = read_network(write(tmp_path / "p.xlsx", [["source", "target", "weight"], ["A", "B", 0.5]]))
    assert (network.regulators, network.targets, network.weights.tolist()) == (("A",), ("B",), [0.5])
    assert read_gene_names(write(tmp_path / "g.xlsx", [["gene"], ["A"], ["B"]]))[0] == ["A", "B"]


def test_spreadsheets_that_cannot_be_meant_are_refused(tmp_path, monkeypatch):
    path = write(tmp_path / "e.xlsx", TIDY, sheets=2)
    with pytest.raises(InputError, match="2 sheets have values .*; save the one that is meant by itself"):
        read_expression(path)
    write(path, [["trajectory", "time", datetime.date(2024, 3, 1)], *(row[:3] for row in TIDY[1:])])
    with pytest.raises(InputError, match=r"e.xlsx, row 1, column 3: a date \(2024-03-01.*MARCH1"):
        read_expression(path)
    write(path, TIDY)
    with monkeypatch.context() as patched:
        patched.setattr(table_files, "LARGEST_SHEET", 8)
        with pytest.raises(InputError, match="sheet 'Sheet' has more than 8 cells"):
            read_expression(path)
        patched.setattr(table_files, "LARGEST_TEXT", 1000)
        with pytest.raises(InputError, match="more than 0 MiB when unpacked"):
            read_expression(path)
    write(path, [[]])
    with pytest.raises(InputError, match="the file has no values"):
        read_expression(path)
    path.write_text("trajectory,time,A\n")
    with pytest.raises(InputError, match="cannot be read as .xlsx"):
        read_expression(path)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match=r"needs openpyxl: pip install 'dashjax\[xlsx\]'"):
        read_expression(path)


@pytest.mark.parametrize(
    "rows",
    [
        [["GATA1", "TAL1"], ["TAL1", "GATA1"]],
        [["a", "b", "c"], ["GATA1", "TAL1", 0.5]],
        [["", "", "weight"], ["GATA1", "TAL1", 0.5]],
    ],
)
def test_edges_whose_columns_have_other_names_are_told_how_to_call_them(tmp_path, rows):
    with pytest.raises(InputError, match="row 1: no column is called source or target.*call the columns source,target"):
        read_network(write(tmp_path / "p.csv", rows))
