"""The record of how a result was made, on the command line: shown, carried by the model, and made again."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from dashjax import infer_network, load_network
from dashjax.cli.options import without_out
from dashjax.io.provenance import read_runs
from dashjax.report import write_network


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    command = ["simulate", "--genes", "8", "--trajectories", "6", "--times", "0,1,3"]
    subprocess.run([sys.executable, "-m", "dashjax", *command, "--out", "sim"], cwd=folder, check=True, timeout=300)
    return folder


@pytest.fixture(scope="module")
def fit_options(simulated):
    sim = simulated / "sim"
    return ["--expression", sim / "trajectories.csv", "--genes", sim / "genes.csv", "--prior", sim / "prior.tsv",
            "--method", "dash", "--epochs", 4, "--hidden", 2]  # fmt: skip


def test_a_fit_records_command_settings_files_and_remarks_and_its_model_carries_it(
    simulated, fit_options, tmp_path, dashjax
):
    out = tmp_path / "fit"
    code, text, err = dashjax("fit", *fit_options, "--out", out)
    assert code == 0, err
    (run,) = read_runs(out)["fit"]
    assert run["command"] == ["fit", *map(str, fit_options)]
    assert (run["settings"]["method"], run["settings"]["seed"], run["settings"]["time"]) == ("dash", 0, None)
    files = {entry["path"] for entry in run["inputs"]}
    assert files == {str(simulated / "sim" / name) for name in ("trajectories.csv", "prior.tsv", "genes.csv")}
    said = [line for line in run["findings"] if line in " ".join(text.split("\n"))]
    assert any(line.startswith("8 genes, 6 trajectories") for line in said)
    model = load_network(out).provenance
    assert model["settings"] == run["settings"]
    assert model["inputs"] == run["inputs"]
    assert not {"started", "ended", "command", "folder"} & set(model)
    code, shown, _ = dashjax("show", out)
    assert code == 0
    assert run["inputs"][0]["sha256"] in "".join(shown.split())
    assert "method = dash" in " ".join(shown.split())
    # Twice the same is twice the same file, times or not.
    assert dashjax("fit", *fit_options, "--out", tmp_path / "again")[0] == 0
    assert (out / "model.npz").read_bytes() == (tmp_path / "again" / "model.npz").read_bytes()
    # The model alone tells it too.
    (out / "run.json").unlink()
    code, alone, _ = dashjax("show", out / "model.npz")
    assert code == 0
    assert run["inputs"][0]["sha256"] in "".join(alone.split())
    # It knows what was set, and not what was typed.
    code, _, err = dashjax("rerun", out / "model.npz")
    assert code == 2
    assert "dashjax fit is not recorded whole" in err


def test_a_command_is_made_again_and_told_equal_or_what_differs(simulated, tmp_path, dashjax, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, text, err = dashjax("rerun", simulated / "sim", "--out", "again")
    assert code == 0, err
    assert "equal to the bit: equations.csv, genes.csv, prior.tsv, trajectories.csv, truth.tsv" in text
    assert read_runs(tmp_path / "again")["simulate"][0]["folder"] == str(simulated)
    code, _, err = dashjax("rerun", simulated / "sim", "--out", "again")
    assert (code, err) == (2, "dashjax: --out: is not empty; choose a new folder\n")


def test_a_call_from_python_is_made_again_unless_it_was_given_tables(simulated, tmp_path, dashjax, monkeypatch):
    monkeypatch.chdir(simulated)
    given = {"genes": "sim/genes.csv", "method": "dash", "epochs": 2, "trust": (0.3, 0.1), "progress": False}
    network = infer_network("sim/trajectories.csv", "sim/prior.tsv", folder=tmp_path / "runs", **given)
    write_network(tmp_path / "net", network)
    network.save(tmp_path / "alone.npz")
    # Finished runs are recorded too, and the call made again does not find them.
    (run,) = read_runs(tmp_path / "runs")["runs"]
    assert run["settings"]["trust"] == [0.3, 0.1]
    for source, told in (("net", "curves.csv, edges.tsv, model.npz"), ("alone.npz", "alone.npz")):
        code, text, err = dashjax("rerun", tmp_path / source)
        assert code == 0, err
        assert f"equal to the bit: {told}" in text
    table = pd.read_csv("sim/prior.tsv", sep="\t")
    infer_network("sim/trajectories.csv", table, **given).save(tmp_path / "given.npz")
    code, _, err = dashjax("rerun", tmp_path / "given.npz")
    assert code == 2
    assert err.endswith(f"given to dashjax.infer_network in memory: prior (DataFrame {len(table)} × 3)\n")


def test_a_result_that_comes_out_otherwise_is_exit_code_1(simulated, dashjax, monkeypatch):
    monkeypatch.setattr("dashjax.io.repeated.compare_results", lambda *_: ([], ["edges.tsv: line 2 differs"]))
    monkeypatch.setattr("dashjax.cli.records._do_again", lambda *_: None)
    code, text, _ = dashjax("rerun", simulated / "sim")
    assert code == 1
    assert "differs: edges.tsv: line 2 differs" in text


def test_what_cannot_be_made_again_is_one_line(fit_options, simulated, tmp_path, dashjax):
    prior = tmp_path / "prior.tsv"
    prior.write_bytes((simulated / "sim" / "prior.tsv").read_bytes())
    options = [prior if part == simulated / "sim" / "prior.tsv" else part for part in fit_options]
    assert dashjax("fit", *options, "--out", tmp_path / "fit")[0] == 0
    prior.write_text(prior.read_text() + "\n")
    for source, told in (
        (tmp_path / "fit", "prior.tsv: changed since"),
        (tmp_path / "absent", "no record of how it was made"),
        (tmp_path, "no record of how it was made"),
    ):
        code, _, err = dashjax("rerun", source)
        assert code == 2
        assert told in err
        assert err.count("\n") == 1
    record = json.loads((tmp_path / "fit" / "run.json").read_text())
    (tmp_path / "fit" / "run.json").write_text(json.dumps(record | {"x": 1}))
    for command in ("show", "rerun"):
        code, _, err = dashjax(command, tmp_path / "fit")
        assert code == 2
        assert "run.json: damaged" in err
        assert err.count("\n") == 1


@pytest.mark.parametrize("words", [["-o", "x"], ["--out", "x"], ["--out=x"], ["-ox"], ["-o", "x", "--force"]])
def test_a_command_is_recorded_without_its_folder(words):
    assert without_out(["fit", *words, "--seed", "1"]) == ["fit", "--seed", "1"]


def test_the_version_is_told(dashjax):
    import dashjax as package

    code, text, _ = dashjax("--version")
    assert code == 0
    assert text.startswith(f"dashjax {package.__version__}")
