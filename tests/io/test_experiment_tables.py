"""Samples at rest and interventions: files, frames, cells, and how they join an expression."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashjax import InputError
from dashjax.data import make_trajectories
from dashjax.data.interventions import KINDS, Intervention
from dashjax.io import (
    CellOptions,
    NamedSamples,
    expression_at_rest,
    expression_from_anndata,
    expression_from_frame,
    load_expression,
    no_trajectories,
    read_beeline,
    read_dream4_experiments,
    read_expression,
    read_h5ad,
    read_inferelator,
    read_interventions,
    read_steady,
    read_tidy,
    write_interventions,
    write_steady,
    write_tidy,
)
from dashjax.io.h5ad import DOUBT
from dashjax.io.stated import numbered

SERIES = "trajectory,time,A,B\nx,0,0.1,0.2\nx,1,0.3,0.4\ny,0,0.5,0.6\ny,2,0.7,0.8\n"
REST = "sample,A,B\nliver,0.25,0.5\nspleen,0.125,NA\n"
NAN = float("nan")


def write(folder, text, name="file.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def series(folder, text=SERIES):
    return read_tidy(write(folder, text, "series.csv"))


def samples(names=("liver", "spleen"), genes=("A", "B"), levels=((0.25, 0.5), (0.125, NAN))):
    return NamedSamples(tuple(names), tuple(genes), np.array(levels), "rest.csv")


def done(experiment, gene, kind="knockout", value=None, where="i.csv, row 2"):
    return Intervention(experiment, gene, kind, value, where)


def stated(interventions):
    return [(one.experiment, one.gene, one.kind, one.value) for one in interventions]


def refused(message, call, *arguments):
    """Check that a call is refused by exactly this one line, but for the folder of files."""
    with pytest.raises(InputError) as caught:
        call(*arguments)
    assert re.sub(r"/\S*/", "", str(caught.value)) == message


# Tables of interventions


def test_interventions_are_read_from_any_table(tmp_path):
    text = "trajectory,gene,kind,value\nx,A,knockout,\ny,B,knockdown,0.5\n"
    first, second = read_interventions(write(tmp_path, text, "i.csv"))
    assert stated([first, second]) == [("x", "A", "knockout", None), ("y", "B", "knockdown", 0.5)]
    assert first.where == f"{tmp_path / 'i.csv'}, row 2"
    other = "Target\tDose\tSAMPLE\tPerturbation\nA\tNA\tx\tKO\nB\t0.5\ty\tKnock-Down\n"
    assert stated(read_interventions(write(tmp_path, other, "i.tsv"))) == stated([first, second])
    frame = pd.DataFrame({"condition": ["x", "y"], "gene": ["A", "B"], "type": ["KO", "kd"], "factor": [None, 0.5]})
    found = read_interventions(frame)
    assert stated(found) == stated([first, second])
    assert found[1].where == "interventions, row 2"
    assert stated(read_interventions(frame.drop(columns="factor").iloc[:1])) == stated([first])


@pytest.mark.parametrize(
    ("spelling", "kind"),
    [
        *((kind, kind) for kind in KINDS),
        *((text, "knockout") for text in ("KO", "knock-out", "knock_out", "Knock Out", "deletion")),
        *((text, "knockdown") for text in ("KD", "knock-down")),
        *((text, "overexpression") for text in ("OE", "over-expression")),
        ("drug", "stimulus"),
    ],
)
def test_kinds_have_usual_spellings(spelling, kind):
    frame = pd.DataFrame({"trajectory": ["x"], "gene": ["A"], "kind": [spelling]})
    assert read_interventions(frame)[0].kind == kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trajectory,gene\nx,A\n", "i.csv: no column kind; interventions have trajectory,gene,kind[,value], found …"),
        ("trajectory,gene,kind\n", "i.csv: no interventions below the header"),
        ("trajectory,gene,kind\nx,A\n", "i.csv, row 2: 2 columns, the header has 3"),
        ("trajectory,gene,kind\n,A,KO\n", "i.csv, row 2, column trajectory: no name"),
        ("trajectory,gene,kind\nx,,KO\n", "i.csv, row 2, column gene: no name"),
        (
            "trajectory,gene,kind\nx,A,KO\nx,B,knokdown\n",
            "i.csv, row 3, column kind: unknown kind 'knokdown' (did you mean 'knockdown'?); valid: "
            + ", ".join(KINDS),
        ),
        ("gene,sample,kind,dose\nA,x,KD,half\n", "i.csv, row 2, column dose: expected a number, found 'half'"),
        ("gene,sample,kind,dose\nA,x,KD,inf\n", "i.csv, row 2, column dose: expected a number, found 'inf'"),
    ],
)
def test_bad_tables_of_interventions_name_row_and_column(tmp_path, text, message):
    message = message.replace("found …", f"found {text.splitlines()[0]}")
    refused(message, read_interventions, write(tmp_path, text, "i.csv"))


def test_what_is_no_table_is_refused():
    refused("interventions: expected a path or a DataFrame, got list", read_interventions, [1])
    refused("steady: expected a path or a DataFrame, got list", read_steady, [1])


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
SIZES = st.none() | st.floats(-1e300, 1e300)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(NAMES, NAMES, st.sampled_from(KINDS), SIZES), min_size=1, max_size=5),
    st.sampled_from(["csv", "tsv", "parquet", "tsv.gz"]),
)
def test_interventions_survive_a_table(tmp_path_factory, rows, suffix):
    path = tmp_path_factory.mktemp("h") / f"i.{suffix}"
    write_interventions(path, [Intervention(*row) for row in rows])
    assert stated(read_interventions(path)) == rows


@settings(deadline=None, max_examples=30)
@given(st.lists(NAMES, min_size=1, max_size=4, unique=True), st.data())
def test_samples_at_rest_survive_a_table(tmp_path_factory, genes, data):
    value = st.just(NAN) | st.floats(-1e300, 1e300)
    names = data.draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    levels = np.array(data.draw(st.lists(st.lists(value, min_size=len(genes), max_size=len(genes)),
                                         min_size=len(names), max_size=len(names))))  # fmt: skip
    path = tmp_path_factory.mktemp("h") / f"s.{data.draw(st.sampled_from(['csv', 'tsv', 'parquet', 'csv.gz']))}"
    write_steady(path, names, genes, levels)
    read = read_steady(path)
    assert (read.names, read.genes, read.source) == (tuple(names), tuple(genes), str(path))
    np.testing.assert_array_equal(read.levels, levels)


# Tables of samples at rest


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (REST, ("liver", "spleen")),
        (REST.replace("sample", "tissue").replace(",", "\t"), ("liver", "spleen")),
        (REST.replace("sample,", ""), ("liver", "spleen")),  # as R writes a header
        (REST.replace("sample", "").replace("liver", "1").replace("spleen", "2"), ("1", "2")),
        (REST.replace("liver", "7").replace("spleen", "8"), ("7", "8")),
        ("A,B\n0.25,0.5\n0.125,\n", ("1", "2")),
        ('"A"\t"B"\n0.25\t0.5\n0.125\tnan\n', ("1", "2")),
    ],
)
def test_samples_are_named_by_the_first_column_unless_it_is_a_genes(tmp_path, text, names):
    read = read_steady(write(tmp_path, text))
    assert (read.names, read.genes) == (names, ("A", "B"))
    np.testing.assert_array_equal(read.levels, samples().levels)


def test_genes_tell_whether_a_first_column_of_numbers_is_one(tmp_path):
    path = write(tmp_path, "array,B\n7,0.5\n8,0.25\n")
    assert (read_steady(path).names, read_steady(path).genes) == (("1", "2"), ("array", "B"))
    assert (read_steady(path, ["B"]).names, read_steady(path, ["B"]).genes) == (("7", "8"), ("B",))
    assert read_steady(write(tmp_path, "id,B\n7,0.5\n"), ["B", "id"]).genes == ("id", "B")


def test_frames_of_samples_are_named_by_index_or_first_column():
    frame = pd.DataFrame({"A": [0.25, 0.125], "B": [0.5, None]}, index=["liver", "spleen"])
    for given_frame, names in (
        (frame, ("liver", "spleen")),
        (frame.reset_index(), ("liver", "spleen")),
        (frame.reset_index(drop=True), ("1", "2")),
        (frame.set_axis([7, 9]), ("7", "9")),
    ):
        read = read_steady(given_frame)
        assert (read.names, read.genes, read.source) == (names, ("A", "B"), "steady")
        np.testing.assert_array_equal(read.levels, samples().levels)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample,A\n", "r.csv: no samples below the header"),
        ("sample\nliver\n", "r.csv: no gene columns beside the names of the samples"),
        (REST.replace("spleen", "liver"), "r.csv: sample 'liver' appears twice"),
        (REST.replace("spleen", ""), "r.csv: sample 2 has no name"),
        (REST.replace("A,B", "A,A"), "r.csv: gene 'A' appears twice"),
        (REST.replace("0.125", "low"), "r.csv, row 3, column A: expected a number, found 'low'"),
        (REST.replace("0.125,", ""), "r.csv, row 3: 2 columns, the header has 3"),
    ],
)
def test_bad_tables_of_samples_name_row_and_column(tmp_path, text, message):
    refused(message, read_steady, write(tmp_path, text, "r.csv"))


def test_bad_frames_of_samples_name_row_and_column():
    frame = pd.DataFrame({"A": [1, "x"], "B": [2, 3]}, index=["s", "t"])
    refused("steady, row 2, column A: expected a number, found 'x'", read_steady, frame)
    refused("steady: sample 's' appears twice", read_steady, frame.assign(A=1).set_axis(["s", "s"]))
    refused("steady: the frame is empty", read_steady, frame.iloc[:0])


# How they join an expression


def test_samples_and_interventions_join_an_expression(tmp_path):
    rest = samples(genes=("B", "further", "A"), levels=[[0.5, 9, 0.25], [NAN, 9, 0.125]])
    data = series(tmp_path).with_experiments(rest, [done("x", "A"), done("liver", "B", "overexpression", 2.0)])
    assert data.steady.names == ("liver", "spleen")
    assert data.experiments == ("x", "y", "liver", "spleen")
    assert data.steady.levels.dtype == np.float32
    np.testing.assert_array_equal(data.steady.levels, samples().levels)
    assert stated(data.interventions) == [("x", "A", "knockout", None), ("liver", "B", "overexpression", 2.0)]
    assert data.notes[:2] == (
        "rest.csv: 1 genes that the expression lacks are left out",
        "rest.csv: 1 of 4 values are missing",
    )
    more = data.with_experiments(samples(("gut",), levels=[[1.0, 2.0]]), [done("gut", "A")])
    assert more.steady.names == ("liver", "spleen", "gut")
    assert len(more.interventions) == 3
    assert data.with_experiments().steady.names == data.steady.names


def test_samples_follow_their_genes(tmp_path):
    data = series(tmp_path, SERIES.replace("A,B", "G10,G2"))
    data = data.with_experiments(samples(genes=("G10", "G2")), [done("x", "G2")])
    ordered = data.with_unmeasured(["G1"]).in_canonical_order()
    assert (ordered.genes, ordered.file_order) == (("G1", "G2", "G10"), ("G10", "G2", "G1"))
    np.testing.assert_array_equal(ordered.steady.levels, [[NAN, 0.5, 0.25], [NAN, NAN, 0.125]])
    assert ordered.interventions == data.interventions


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (samples(("liver", "x")), "rest.csv: sample 'x' has the name of a trajectory"),
        (samples(("liver", "liver")), "rest.csv: sample 'liver' appears twice"),
        (samples(("liver", "old")), "rest.csv: sample 'old' appears twice"),
        (
            samples(genes=("a", "B")),
            "rest.csv: 1 of 2 genes of the expression are not among those of the samples at rest (A); "
            "1 differ only in case ('A' is 'a' there)",
        ),
        (
            samples(levels=[[1e16, 1], [1, 1]]),
            "rest.csv: expression of gene 'A' in sample 'liver' is 1e+16",
        ),
    ],
)
def test_samples_that_do_not_fit_are_refused(tmp_path, rest, message):
    data = series(tmp_path).with_experiments(samples(("old",), levels=[[1, 2]]))
    refused(message, data.with_experiments, rest)


@pytest.mark.parametrize(
    ("interventions", "message"),
    [
        ([done("livre", "A")], "i.csv, row 2: no trajectory or sample is named 'livre' (did you mean 'liver'?)"),
        ([done("x", "AX")], "i.csv, row 2: the expression has no gene 'AX' (did you mean 'A'?)"),
        ([done("x", "A", "KO")], "i.csv, row 2: unknown kind 'KO'; valid: " + ", ".join(KINDS)),
        ([done("x", "A", value=0.5)], "the knockout of 'A' has the value 0.5; state a knockdown by its share"),
        ([done("x", "A", "knockdown", -0.5)], "the knockdown of 'A' leaves a share of at least 0, found -0.5"),
        ([done("x", "A", "knockdown", np.inf)], "the knockdown of 'A' has the value inf, expected a number"),
        ([done("x", "A", "overexpression", NAN)], "the overexpression of 'A' has the value nan, expected a number"),
        ([done("x", "A", "clamp")], "i.csv, row 2: the clamp of 'A' needs the level it is held at"),
        (
            [done("x", "A"), done("x", "A", "knockdown", 0.5, "i.csv, row 9")],
            "i.csv, row 9: two interventions on 'A' in 'x', the first in i.csv, row 2",
        ),
        (
            [done("x", "A", "stimulus", 1.0)],
            "i.csv, row 2: the stimulus 'A' has the name of a gene; to hold a gene, state a clamp",
        ),
        ([done("x", "drug", "stimulus"), done("x", "drug", "stimulus")], "two interventions on 'drug' in 'x'"),
    ],
)
def test_interventions_that_make_no_sense_are_refused(tmp_path, interventions, message):
    data = series(tmp_path).with_experiments(samples())
    message = message if message.startswith("i.csv") else f"i.csv, row 2: {message}"
    refused(message, data.with_experiments, None, interventions)


def test_interventions_of_two_calls_are_compared(tmp_path):
    data = series(tmp_path).with_experiments(None, [done("x", "A", value=0.0)])
    refused(
        "more.csv, row 4: two interventions on 'A' in 'x', the first in i.csv, row 2",
        data.with_experiments,
        None,
        [done("x", "A", "clamp", 2.0, "more.csv, row 4")],
    )


def test_a_stimulus_joins_as_a_gene_at_its_dose(tmp_path):
    gaps = SERIES.replace("0.3", "NA")
    data = series(tmp_path, gaps).in_canonical_order()
    drug = [done("y", "drug", "stimulus", 3.0), done("liver", "drug", "stimulus"), done("x", "heat", "stimulus")]
    data = data.with_experiments(samples(), drug)
    assert (data.genes, data.file_order) == (("A", "B", "drug", "heat"), ("A", "B", "drug", "heat"))
    np.testing.assert_array_equal(data.trajectories.expression[:, :, 2], [[0, 0], [3, 3]])
    np.testing.assert_array_equal(data.trajectories.expression[:, :, 3], [[1, 1], [0, 0]])
    assert np.asarray(data.trajectories.measured)[..., 2:].all()
    np.testing.assert_array_equal(data.steady.levels[:, 2:], [[1, 0], [0, 0]])
    assert stated(data.interventions) == stated(drug)
    more = data.with_experiments(samples(("gut",), levels=[[1, 2]]), [done("gut", "drug", "stimulus", 2.0)])
    assert more.genes == data.genes
    np.testing.assert_array_equal(more.steady.levels[:, 2], [1, 0, 2])
    np.testing.assert_array_equal(more.trajectories.expression, data.trajectories.expression)
    assert more.in_canonical_order().with_experiments().genes == data.genes


def test_a_gene_that_is_knocked_out_and_measured_high_is_noted(tmp_path):
    levels = [[9, 1], [0, 1], [8, 1], [7, 1], [6, 1]]
    rest = samples(("a", "b", "c", "d", "e"), levels=levels)
    data = series(tmp_path).with_experiments(rest, [done("b", "A"), done("a", "A"), done("a", "B", "knockdown", 0.5)])
    assert data.notes == ("knocked out, yet measured above the gene's median elsewhere: 'A' in 'a' (9, elsewhere 0.7)",)
    assert data.with_experiments().notes == data.notes
    four = series(tmp_path).with_experiments(rest, [done(name, "A") for name in "abcde"])
    assert four.notes[0].endswith("'A' in 'a' (9, elsewhere 0.4); 'A' in 'c' (8, elsewhere 0.4); "
                                  "'A' in 'd' (7, elsewhere 0.4); and 1 more")  # fmt: skip
    in_series = series(tmp_path).with_experiments(None, [done("y", "B")])
    assert in_series.notes[0].endswith("'B' in 'y' (0.7, elsewhere 0.3)")


def test_an_expression_may_hold_samples_alone():
    data = expression_at_rest(samples())
    assert (data.names, data.experiments) == ((), ("liver", "spleen"))
    assert data.trajectories.times.shape == data.trajectories.observed.shape == (0, 2)
    assert data.trajectories.expression.shape == (0, 2, 2)
    assert no_trajectories(5).n_genes == 5
    assert data.unpadded() == ([], [])
    data = data.with_unmeasured(["C"]).with_experiments(None, [done("liver", "drug", "stimulus")])
    assert data.trajectories.expression.shape == (0, 2, 4)
    np.testing.assert_array_equal(data.in_canonical_order().steady.levels[0], [0.25, 0.5, NAN, 1])
    refused("rest.csv: gene 'A' has no value at any time", expression_at_rest, samples(levels=[[NAN, 1], [NAN, 2]]))


# Tidy tables

WITH_REST = SERIES + "x,steady,1,2\nw,Rest,3,NA\nw,inf,5,6\n"


def test_rows_at_rest_of_a_tidy_table_are_samples(tmp_path):
    data = read_expression(write(tmp_path, WITH_REST))
    assert (data.names, data.steady.names) == (("x", "y"), ("x #2", "w", "w #2"))
    np.testing.assert_array_equal(data.steady.levels, [[1, 2], [3, NAN], [5, 6]])
    np.testing.assert_array_equal(data.trajectories.expression, series(tmp_path).trajectories.expression)
    assert data.notes == ("1 of 14 values are missing; they are masked and count in no error",)
    both = data.with_experiments(None, [done("x", "A"), done("w", "B"), done("w #2", "A")])
    assert [(name, gene) for name, gene, *_ in stated(both.interventions)] == [
        ("x", "A"), ("x #2", "A"), ("w", "B"), ("w #2", "B"), ("w #2", "A")
    ]  # fmt: skip
    own = data.with_experiments(None, [done("w", "B"), done("w #2", "B", "knockdown")])
    assert stated(own.interventions) == [("w", "B", "knockout", None), ("w #2", "B", "knockdown", None)]


def test_a_table_may_hold_rows_at_rest_alone(tmp_path):
    data = read_expression(write(tmp_path, "trajectory,time,A,B\nw,steady,1,2\nv,steady,3,4\n"))
    assert (data.names, data.steady.names, data.trajectories.n_trajectories) == ((), ("w", "v"), 0)
    alone = read_tidy(write(tmp_path, "time,A\nsteady,1\nsteady,3\n"))
    assert alone.steady.names == ("1", "1 #2")


def test_a_gene_that_only_samples_at_rest_have_counts_in_no_error(tmp_path):
    data = read_tidy(write(tmp_path, "trajectory,time,A,B\nx,0,1,\nx,1,2,\nw,steady,3,4\nw,steady,3,5\n"))
    np.testing.assert_array_equal(data.trajectories.counted[0], [[True, False], [True, False]])
    np.testing.assert_array_equal(data.trajectories.expression[0, :, 1], [4.5, 4.5])


@pytest.mark.parametrize("change", [lambda f: f, lambda f: f.astype({"time": "category"}), lambda f: f.astype(object)])
@pytest.mark.parametrize("long", [False, True])
def test_frames_have_rows_at_rest_as_files_do(tmp_path, change, long):
    path = write(tmp_path, WITH_REST)
    frame, expected = pd.read_csv(path), read_tidy(path)
    infinite = frame.assign(time=[0, 1, 0, 2, np.inf, np.inf, np.inf])
    for table in (frame, infinite):
        if long:
            table = table.melt(["trajectory", "time"], var_name="gene", value_name="expression")
            table.to_csv(path, index=False)
            np.testing.assert_array_equal(read_tidy(path).steady.levels, expected.steady.levels)
        data = expression_from_frame(change(table))
        assert (data.names, data.steady.names, data.notes) == (expected.names, expected.steady.names, expected.notes)
        np.testing.assert_array_equal(data.steady.levels, expected.steady.levels)
        np.testing.assert_array_equal(data.trajectories.expression, expected.trajectories.expression)
    with pytest.raises(InputError, match="row 5, column time: expected a number, found '-inf'"):
        expression_from_frame(infinite.replace(np.inf, -np.inf))


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "csv.gz"])
@pytest.mark.parametrize("text", [WITH_REST, "trajectory,time,A\nw,steady,1\nw,steady,2\n"])
def test_rows_at_rest_survive_a_tidy_table(tmp_path, suffix, text):
    data = read_tidy(write(tmp_path, text))
    write_tidy(tmp_path / f"t.{suffix}", data)
    again = read_tidy(tmp_path / f"t.{suffix}")
    assert (again.names, again.notes, again.steady.names) == (data.names, data.notes, data.steady.names)
    np.testing.assert_array_equal(again.steady.levels, data.steady.levels)
    for ours, theirs in zip(vars(again.trajectories).values(), vars(data.trajectories).values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SERIES + "w,stedy,1,2\n", "t.csv, row 6, column time: expected a number, found 'stedy'"),
        (SERIES + "w,-inf,1,2\n", "t.csv, row 6, column time: expected a number, found '-inf'"),
        (SERIES + "w,steady,1,low\n", "t.csv, row 6, column B: expected a number, found 'low'"),
        (SERIES + ",steady,1,2\n", "t.csv: sample 1 has no name"),
        (
            "trajectory,time,gene,value\nw,steady,A,1\nw,steady,B,1\nw,steady,A,2\n",
            "t.csv: 'w' has 2 values at rest of one gene and 1 of 'B'; name each sample",
        ),
    ],
)
def test_bad_rows_at_rest_are_named(tmp_path, text, message):
    refused(message, read_tidy, write(tmp_path, text, "t.csv"))


def test_repeated_labels_are_numbered_past_names_that_are_taken():
    assert numbered(["x", "x", "x #2", "x"]) == ["x", "x #3", "x #2", "x #4"]
    assert numbered(["x", "x"], ["x", "x #2"]) == ["x #3", "x #4"]


# DREAM4


def dream4(folder, **files):
    header = '"Time"\t"G1"\t"G2"\n'
    path = write(folder, header + "0\t1\t0.5\n1\t2\t0.5\n\n0\t1\t0.4\n1\t2\t0.3\n", "net_timeseries.tsv")
    for name, text in files.items():
        write(folder, text, f"net_{name}.tsv")
    return path


def test_dream4_experiments_lie_beside_the_series(tmp_path):
    path = dream4(
        tmp_path,
        knockouts='"G2"\t"G1"\n0\t1.5\n0.5\t0\n',
        knockdowns='"G1"\t"G2"\n0.5\t0.4\n1\t0.2\n',
        multifactorial='"G1"\t"G2"\n1\t2\n3\t4\n5\t6\n',
        wildtype='"G1"\t"G2"\n1.25\t0.5\n',
    )
    data = read_dream4_experiments(path)
    assert data.names == ("series 1", "series 2")
    assert data.steady.names == (
        "wild type", "multifactorial 1", "multifactorial 2", "multifactorial 3",
        "knock-out G2", "knock-out G1", "knock-down G1", "knock-down G2",
    )  # fmt: skip
    np.testing.assert_array_equal(data.steady.levels[[0, 4, 5]], np.float32([[1.25, 0.5], [1.5, 0], [0, 0.5]]))
    assert stated(data.interventions) == [
        ("knock-out G2", "G2", "knockout", None),
        ("knock-out G1", "G1", "knockout", None),
        ("knock-down G1", "G1", "knockdown", 0.5),
        ("knock-down G2", "G2", "knockdown", 0.5),
    ]
    assert data.interventions[0].where == f"{tmp_path / 'net_knockouts.tsv'}, row 2"
    assert read_expression(path).steady is None


def test_dream4_experiments_that_are_absent_or_bad_are_refused(tmp_path):
    path = dream4(tmp_path)
    refused("net_timeseries.tsv: nothing at rest beside it, such as net_knockouts.tsv", read_dream4_experiments, path)
    write(tmp_path, "G1\tG2\n0\t1\n", "net_knockouts.tsv")
    refused("net_knockouts.tsv: 1 rows, expected one per gene, which are 2", read_dream4_experiments, path)
    write(tmp_path, "G1\tG3\n0\t1\n1\t0\n", "net_knockouts.tsv")
    refused(
        "net_knockouts.tsv: 1 of 2 genes of the expression are not among those of the samples at rest (G2)",
        read_dream4_experiments,
        path,
    )
    renamed = path.rename(tmp_path / "net.tsv")
    refused(
        "net.tsv: expected a file called …_timeseries.tsv, beside which others may lie",
        read_dream4_experiments,
        renamed,
    )


@pytest.mark.data
def test_published_dream4_experiments_are_read(data_folder):
    data = read_dream4_experiments(data_folder / "dream4/insilico_size10_1_timeseries.tsv")
    assert data.trajectories.expression.shape == (10, 11, 10)
    assert data.steady.levels.shape == (31, 10)
    place = data.steady.names.index("knock-out G1")
    assert data.steady.levels[place, data.genes.index("G1")] == 0


# Cells


def screen(labels, genes=("A", "B", "C"), **obs):
    anndata = pytest.importorskip("anndata")
    levels = np.arange(len(labels) * len(genes), dtype=np.float32).reshape(len(labels), len(genes))
    columns = {name: pd.Series(values).to_numpy() for name, values in {"guide": labels, **obs}.items()}
    frame = pd.DataFrame(columns, index=[f"c{n}" for n in range(len(labels))])
    return anndata.AnnData(levels, frame, pd.DataFrame(index=list(genes)))


def read_both(folder, adata, options):
    """Read cells from memory and from a file, and check that they say the same."""
    adata.write_h5ad(folder / "c.h5ad")
    data, filed = expression_from_anndata(adata, options), read_h5ad(folder / "c.h5ad", options)
    assert (data.genes, data.names, data.notes) == (filed.genes, filed.names, filed.notes)
    assert stated(data.interventions) == stated(filed.interventions)
    for ours, theirs in zip(vars(data.trajectories).values(), vars(filed.trajectories).values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    if data.steady is not None:
        assert data.steady.names == filed.steady.names
        np.testing.assert_array_equal(data.steady.levels, filed.steady.levels)
    return data


def without_questions(data):
    return tuple(note for note in data.notes if not note.startswith(DOUBT))


def test_perturbed_cells_without_a_time_become_samples_at_rest(tmp_path, monkeypatch):
    monkeypatch.setattr("dashjax.io.h5ad.BLOCK", 20)  # so that there are many
    labels = (["A"] * 5 + ["ctrl"] * 20 + ["A+B", "B+ctrl"] + ["C"] * 40) + [None]
    adata = screen(labels, time=1.0)  # a single time is none
    data = read_both(tmp_path, adata, CellOptions(perturbation="guide"))
    assert data.names == ()
    assert data.steady.names == ("A", "A+B", "B+ctrl", "C", "C #2", "C #3", "ctrl", "ctrl #2")
    assert [(name, gene) for name, gene, *_ in stated(data.interventions)] == [
        ("A", "A"), ("A+B", "A"), ("A+B", "B"), ("B+ctrl", "B"), ("C", "C"), ("C #2", "C"), ("C #3", "C")
    ]  # fmt: skip
    assert {(kind, value) for _, _, kind, value in stated(data.interventions)} == {("knockout", None)}
    assert data.interventions[0].where == "expression, guide 'A'"
    np.testing.assert_allclose(data.steady.levels[0], adata.X[:5].mean(axis=0))
    np.testing.assert_allclose(data.steady.levels[5], adata.X[27:67][2::3].mean(axis=0))
    assert without_questions(data)[:2] == (
        "67 cells of 5 labels averaged into 8 samples at rest",
        "1 cells without a perturbation or control label are left out",
    )
    assert load_expression(adata, cells=CellOptions(perturbation="guide")).steady.names == data.steady.names


def test_perturbed_cells_of_replicates_are_samples_of_their_own(tmp_path):
    adata = screen(["A", "A", "A", "safe", "safe"], donor=["ann", "bob", "ann", "ann", "bob"])
    data = read_both(tmp_path, adata, CellOptions(perturbation="guide", trajectory="donor", control="safe"))
    assert data.steady.names == ("A, ann", "A, bob", "safe, ann", "safe, bob")
    np.testing.assert_array_equal(data.steady.levels[0], adata.X[[0, 2]].mean(axis=0))
    assert stated(data.interventions) == [("A, ann", "A", "knockout", None), ("A, bob", "A", "knockout", None)]


def test_perturbed_cells_with_a_time_become_trajectories(tmp_path):
    adata = screen(["A", "A", "A", "NT", "NT", "B"], day=[0, 2, 2, 0, 1, 0])
    data = read_both(tmp_path, adata, CellOptions(perturbation="guide"))
    assert (data.names, data.steady) == (("A", "NT"), None)
    assert stated(data.interventions) == [("A", "A", "knockout", None)]
    np.testing.assert_array_equal(data.trajectories.times, [[0, 2], [0, 1]])
    np.testing.assert_array_equal(data.trajectories.expression[0], [adata.X[0], adata.X[1:3].mean(axis=0)])
    assert without_questions(data)[:2] == (
        "5 cells averaged into 4 times of 2 trajectories",
        "1 populations of cells at fewer than two times are left out ('B')",
    )
    donors = screen(["A", "A", "NT", "NT"], day=[0, 2, 0, 1], donor=["d"] * 4)
    options = CellOptions(perturbation="guide", time="day", trajectory="donor")
    assert read_both(tmp_path, donors, options).names == ("A, d", "NT, d")


def test_without_a_usual_control_label_all_cells_are_perturbed():
    data = expression_from_anndata(screen(["A", "B"]), CellOptions(perturbation="guide"))
    assert len(data.interventions) == 2
    assert "no label of 'guide' is a usual one of control cells; control says which is" in data.notes


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (
            ["A", "safe"],
            CellOptions(perturbation="guide", control="save"),
            "no cell has the control label 'save' in column 'guide' of obs (did you mean 'safe'?); there are: A, safe",
        ),
        (
            ["A", "GATA", "ctrl", "X", "Y+A"],
            CellOptions(perturbation="guide"),
            "column 'guide' of obs names 'GATA', which is no gene there (did you mean 'GATA1'?), nor are 2 others; "
            "control says which label is that of unperturbed cells",
        ),
        ([None, None], CellOptions(perturbation="guide"), "column 'guide' of obs names no perturbation"),
        (["A", "ctrl"], CellOptions(perturbation="gide"), "obs has no column 'gide'; there are: guide, day"),
        (
            ["A", "ctrl"],
            CellOptions(perturbation="guide", time="day"),
            "no label of column 'guide' has cells at two times",
        ),
        (
            ["A", "ctrl"],
            CellOptions(time="day", control="ctrl"),
            "control: cells: a label of control cells needs the column of perturbations it is in",
        ),
    ],
)
def test_bad_perturbations_of_cells_are_named(labels, options, message):
    adata = screen(labels, genes=("A", "B", "GATA1"), day=np.arange(len(labels)))
    message = message if message.startswith("control: ") else f"cells: {message}"
    refused(message, expression_from_anndata, adata, options, "cells")


def test_perturbations_are_refused_where_there_are_no_cells(tmp_path):
    options = CellOptions(perturbation="guide")
    frame = pd.DataFrame({"time": [0, 1], "A": [1, 2]})
    values = make_trajectories([[0, 1]], [[[1, 2], [3, 4]]])
    message = "perturbation: does not apply to {}, which holds no cells"
    with pytest.raises(InputError, match=message.format("a DataFrame")):
        load_expression(frame, cells=options)
    with pytest.raises(InputError, match=message.format("Trajectories")):
        load_expression(values, cells=options)
    with pytest.raises(InputError, match="holds no cells, so layer, time, trajectory, bins, perturbation and control"):
        read_expression(write(tmp_path, SERIES), cells=options)
    with pytest.raises(InputError, match="'perturbation' applies to .h5ad files"):
        read_beeline(tmp_path, options)


# The Inferelator's meta data

EXPRESSION = "\ts0\ts1\ts2\ts3\tr1\tr2\tleft\nA\t1\t2\t3\t4\t5\t6\t0\nB\t0.1\t0.2\t0.3\t0.4\t0.5\t0.6\t0\n"
META = (
    '"isTs"\t"is1stLast"\t"prevCol"\t"del.t"\t"condName"\n'
    'FALSE\t"e"\tNA\tNA\t"r1"\n'
    'TRUE\t"f"\tNA\tNA\t"s0"\n'
    'TRUE\t"l"\t"s1"\t30\t"s2"\n'
    'TRUE\t"m"\t"s0"\t60\t"s1"\n'
    'TRUE\t"f"\tNA\tNA\t"s0"\n'
    'TRUE\t"l"\t"s0"\t5\t"s3"\n'
    'FALSE\t"e"\tNA\tNA\t"r2"\n'
)


def inferelator(folder, meta=META, expression=EXPRESSION):
    return read_inferelator(write(folder, expression, "e.tsv"), write(folder, meta, "m.tsv"))


def test_inferelator_samples_follow_one_another_or_are_at_rest(tmp_path):
    data = inferelator(tmp_path)
    assert (data.genes, data.names, data.steady.names) == (("A", "B"), ("s0 to s2", "s0 to s3"), ("r1", "r2"))
    times, expression = data.unpadded()
    np.testing.assert_array_equal(times[0], [0, 60, 90])
    np.testing.assert_array_equal(times[1], [0, 5])
    np.testing.assert_array_equal(expression[0][:, 0], [1, 2, 3])
    np.testing.assert_array_equal(expression[1][:, 0], [1, 4])
    np.testing.assert_array_equal(data.steady.levels, np.float32([[5, 0.5], [6, 0.6]]))
    assert data.notes == ("1 samples without meta data are left out",)
    rest = inferelator(tmp_path, "\n".join(line for line in META.splitlines() if "TRUE" not in line))
    assert (rest.names, rest.steady.names) == ((), ("r1", "r2"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"del.t"', '"dt"', "m.tsv, row 1: no column del.t; needed are condname, ists, is1stlast, prevcol, del.t"),
        ('"r2"', '"r3"', "m.tsv, row 8: sample 'r3' is not in e.tsv"),
        ('\t"r2"', "", "m.tsv, row 8: 4 columns, the header has 5"),
        (
            'FALSE\t"e"\tNA\tNA\t"r2"',
            "maybe\te\tNA\tNA\tr2",
            "m.tsv, row 8, column isTs: expected TRUE or FALSE, found 'maybe'",
        ),
        ('TRUE\t"m"', 'TRUE\t"x"', "m.tsv, row 5, column is1stLast: expected f, m, l or e, found 'x'"),
        ("60", "-60", "m.tsv, row 5, column del.t: -60 is no time that passes"),
        ("60", "NA", "m.tsv, row 5, column del.t: the value is missing (NaN)"),
        ('"l"\t"s1"', '"l"\t"s7"', "m.tsv, row 4: the sample before, 's7', is in no time series"),
        ('"l"\t"s0"', '"f"\tNA', "m.tsv, row 7: no sample follows 's3', a series has at least two"),
        ('"m"\t"s0"', '"m"\t"s2"', "m.tsv, row 4: the samples before this one lead back to it"),
        ('"r2"', '"s1"', "m.tsv, row 8: sample 's1' appears twice, with another content"),
    ],
)
def test_bad_meta_data_name_row_and_column(tmp_path, old, new, message):
    refused(message, inferelator, tmp_path, META.replace(old, new))


@pytest.mark.data
def test_published_meta_data_are_read(data_folder):
    folder = data_folder / "bsubtilis"
    data = read_inferelator(folder / "expression.tsv.gz", folder / "meta_data.tsv")
    assert (len(data.names), len(data.steady.names)) == (33, 106)
    tidy = read_expression(folder / "timeseries_tidy.csv.gz")
    np.testing.assert_array_equal(data.trajectories.times, tidy.trajectories.times)
    place = [data.genes.index(gene) for gene in tidy.genes]
    np.testing.assert_allclose(data.trajectories.expression[..., place], tidy.trajectories.expression, atol=1e-3)
