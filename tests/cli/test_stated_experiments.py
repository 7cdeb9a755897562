"""Samples at rest and interventions on the command line: checked, fitted, and refused in one line."""

import numpy as np
import pandas as pd
import pytest

REST = (
    "sample,A,B,C,D,E\n"
    "wt,1.0,0.9,0.5,0.4,0.8\n"
    "A out,0.0,0.2,0.5,0.9,0.81\n"
    "B out,1.0,0.0,0.1,0.4,0.8\n"
    "C out,1.01,0.9,0.0,0.4,0.3\n"
    "D out,1.0,0.91,0.52,0.0,0.8\n"
)
DONE = "trajectory,gene,kind,value\nA out,A,KO,\nB out,B,KO,\nC out,C,KO,\nD out,D,KO,\n"


@pytest.fixture
def files(tmp_path):
    """A folder with a time course `x`, samples at rest, interventions, and cells with a column of guides."""
    anndata = pytest.importorskip("anndata")
    rows = [f"x,{t},{1 - 0.1 * t},{0.9 - 0.1 * t},{0.1 * t},0.4,{0.2 * t}" for t in range(5)]
    (tmp_path / "series.csv").write_text("trajectory,time,A,B,C,D,E\n" + "\n".join(rows) + "\n")
    (tmp_path / "rest.csv").write_text(REST)
    (tmp_path / "done.csv").write_text(DONE)
    cells = anndata.AnnData(
        np.random.default_rng(0).random((6, 2)).astype(np.float32),
        obs=pd.DataFrame({"guide": ["A", "A", "B", "B", "ctrl", "ctrl"]}, index=[f"cell {n}" for n in range(6)]),
        var=pd.DataFrame(index=["A", "B"]),
    )
    cells.write_h5ad(tmp_path / "cells.h5ad")
    return tmp_path


def test_a_network_is_fitted_to_knock_outs_alone(files, dashjax):
    code, text, err = dashjax(
        "fit", "--steady", files / "rest.csv", "--interventions", files / "done.csv", "--out", files / "out",
        "--epochs", 2, "--ensemble", 1,
    )  # fmt: skip
    assert code == 0, err
    assert "5 genes, 5 samples at rest, no prior" in text
    assert pd.read_csv(files / "out" / "edges.tsv", sep="\t")["probability"].between(0, 1).all()


def test_a_time_course_and_samples_at_rest_are_fitted_together(files, dashjax):
    code, text, err = dashjax(
        "fit", "--expression", files / "series.csv", "--steady", files / "rest.csv", "--interventions",
        files / "done.csv", "--out", files / "out", "--epochs", 2, "--method", "dash", "--hidden", 3,
    )  # fmt: skip
    assert code == 0, err
    assert "5 genes, 1 trajectory, 5 samples at rest, no prior" in text


def test_check_says_what_was_done(files, dashjax):
    code, text, err = dashjax(
        "check", files / "series.csv", "--steady", files / "rest.csv", "--interventions", files / "done.csv"
    )
    assert code == 0, err
    assert "5 genes, 1 trajectory of 5 times from 0 to 4, 1 apart, 5 samples at rest" in text
    assert "interventions in 4 experiments: 4 × knockout" in text
    (files / "prior.csv").write_text("source,target\nA,B\n")
    code, alone, err = dashjax("check", "-", files / "prior.csv", "--steady", files / "rest.csv")
    assert code == 0, err
    assert "5 genes, 5 samples at rest" in alone
    assert "prior.csv" in alone
    code, cells, err = dashjax("check", files / "cells.h5ad", "--perturbation", "guide", "--control", "ctrl")
    assert code == 0, err
    assert "interventions in 2 experiments: 2 × knockout" in cells


SERIES, STEADY = ["series.csv"], ["series.csv", "--steady", "rest.csv"]
BAD = [
    (STEADY, "A out,G9,KO,", "done.csv, row 2: the expression has no gene 'G9'"),
    (STEADY, "A owt,A,KO,", "done.csv, row 2: no trajectory or sample is named 'A owt' (did you mean 'A out'?)"),
    (SERIES, "y,A,KO,", "done.csv, row 2: no trajectory or sample is named 'y'"),
    (SERIES, "x,A,clamp,", "done.csv, row 2: the clamp of 'A' needs the level it is held at"),
    (SERIES, "x,A,knokout,", "done.csv, row 2, column kind: unknown kind 'knokout' (did you mean 'knockout'?)"),
    (["{}/cells.h5ad", "--perturbation", "guide", "--control", "ntc"], None, "no cell has the control label 'ntc'"),
    (["series.csv", "--perturbation", "guide"], None, "holds no cells, so layer, time, trajectory, bins, pert"),
    (["series.csv", "--steady", "absent.csv"], None, "absent.csv: no such file"),
    ([], None, "needs expression over time, samples at rest"),
    (["--steady", "rest.csv", "--bins", "3"], None, "--control: describe --expression, which is missing"),
]


@pytest.mark.parametrize("command", ["check", "fit"])
@pytest.mark.parametrize(("given", "done", "message"), BAD)
def test_what_cannot_be_is_one_line(files, dashjax, monkeypatch, command, given, done, message):
    monkeypatch.chdir(files)
    options = [part.format(files) for part in given]  # cells are read by another process, in its own folder
    if done is not None:
        (files / "done.csv").write_text(f"trajectory,gene,kind,value\n{done}\n")
        options += ["--interventions", "done.csv"]
    if command == "fit":
        options = ["--expression"] * (given[:1] not in ([], ["--steady"])) + options + ["--out", "out", "--epochs", 2]
    code, _, err = dashjax(command, *options)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert err.count("\n") == 1
    assert not (files / "out").exists()
