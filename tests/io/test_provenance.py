"""How a result was made: what is recorded, when it counts as the same, and what damage does."""

import hashlib
import json
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from dashjax import InputError
from dashjax.io.provenance import (
    RUN,
    begin_run,
    describe_call,
    describe_input,
    describe_run,
    end_run,
    plain,
    read_runs,
    write_runs,
)
from dashjax.io.repeated import compare_results, other_circumstances, refuse_other_inputs
from dashjax.io.result_folder import claimed, end_claim, published, read_record
from dashjax.io.sealed import write_arrays, write_json


@pytest.fixture(scope="module")
def made():
    return describe_call("dashjax fit", {"seed": 3, "method": "dash"})


def put(folder, made, fingerprint="one", force=False, **files):
    with claimed(folder, "fit", fingerprint, "edges.tsv", made=made, command=["fit"], force=force):
        with published(folder, "fit") as part:
            for name, text in files.items():
                (part / f"{name}.tsv").write_text(text)


def test_a_call_records_its_files_by_content_and_holds_no_time(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"x\n")
    first, again = (describe_call("f", {"out": tmp_path, "n": (1, 2)}, [tmp_path / "a.csv"]) for _ in range(2))
    assert first == again
    assert first["inputs"] == [
        {"path": str(tmp_path / "a.csv"), "sha256": hashlib.sha256(b"x\n").hexdigest(), "bytes": 2}
    ]
    assert first["settings"] == {"out": str(tmp_path), "n": [1, 2]}
    assert {"jax", "numpy"} <= set(first["packages"])
    json.dumps(first)


def test_of_a_fitted_folder_model_and_edges_are_inputs_and_of_others_all_files_that_are_not_hidden(tmp_path):
    for name in ("b.csv", "c/a.csv", ".git/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert [entry["path"] for entry in describe_input(tmp_path)] == [
        str(tmp_path / name) for name in ("b.csv", "c/a.csv")
    ]
    for name in ("model.npz", "edges.tsv"):
        (tmp_path / name).write_text(name)
    assert {entry["path"][-9:] for entry in describe_input(tmp_path)} == {"model.npz", "edges.tsv"}
    assert describe_input(tmp_path / "absent") == []


def test_values_that_no_json_holds_are_told_by_kind_and_shape():
    assert plain({"a": np.float32(2), "b": pd.DataFrame(np.zeros((2, 3)))}) == {"a": 2.0, "b": "DataFrame 2 × 3"}


def test_a_result_made_again_keeps_its_first_record_and_another_begins_anew(tmp_path, made):
    put(tmp_path, made, edges="1")
    put(tmp_path, made | {"commit": "later"}, edges="1")
    first, second = read_runs(tmp_path)["fit"]
    assert (first["commit"], second["commit"]) == (made["commit"], "later")
    assert first["ended"] is not None
    put(tmp_path, made, "two", force=True, edges="2")
    (only,) = read_runs(tmp_path)["fit"]
    assert only["id"] not in (first["id"], second["id"])
    # Not among the files of a result, which are told from what became of them by their bytes.
    assert set(read_record(tmp_path)["fit"]["files"]) == {"edges.tsv"}


def test_what_is_interrupted_stays_without_an_end_and_what_is_refused_without_a_record(tmp_path, made):
    work = claimed(tmp_path, "fit", "one", "edges.tsv", made=made)
    work.__enter__()
    assert read_runs(tmp_path)["fit"][0]["ended"] is None
    assert "interrupted" in dict(describe_run(read_runs(tmp_path)["fit"][0]))["ended"]
    with pytest.raises(InputError), claimed(tmp_path / "new", "fit", "one", "edges.tsv", made=made):
        raise InputError("no")
    assert not (tmp_path / "new").exists()
    end_claim(tmp_path / "new", "fit", ["nothing"])
    assert not (tmp_path / "new").exists()


def test_what_was_said_is_kept_with_the_end(tmp_path, made):
    put(tmp_path, made, edges="1")
    end_claim(tmp_path, "fit", ["12 genes"])
    (run,) = read_runs(tmp_path)["fit"]
    assert run["findings"] == ["12 genes"]
    assert datetime.fromisoformat(run["ended"]) >= datetime.fromisoformat(run["started"])


def test_a_result_that_python_publishes_is_recorded_too(tmp_path, made):
    for _ in range(2):
        with published(tmp_path, "perturb", made) as part:
            (part / "response.tsv").write_text("1")
    (run,) = read_runs(tmp_path)["perturb"]
    assert (run["call"], run["command"]) == ("dashjax fit", [])


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"dash", b"bash")),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: write_json(path, {"fit": [{"id": "1"}]}),
        lambda path: write_json(path, {"fit": 5}),
    ],
)
def test_a_damaged_record_is_one_line(tmp_path, made, damage):
    write_runs(tmp_path, {"fit": [end_run(begin_run(made))]})
    damage(tmp_path / RUN)
    with pytest.raises(InputError, match=r"run\.json: damaged, or of an earlier version") as caught:
        read_runs(tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="--force to begin anew"):
        put(tmp_path, made, edges="1")
    put(tmp_path, made, force=True, edges="1")
    assert read_runs(tmp_path)["fit"][0]["ended"]


def test_inputs_that_changed_or_are_gone_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("1")
    run = begin_run(describe_call("f", {}, ["a.csv"]))
    monkeypatch.chdir("/")
    refuse_other_inputs(run, tmp_path)
    (tmp_path / "a.csv").write_text("2")
    with pytest.raises(InputError, match=r"a\.csv: changed since .* was made from it \(SHA-256 6b86b273ff34…"):
        refuse_other_inputs(run, tmp_path)
    (tmp_path / "a.csv").unlink()
    with pytest.raises(InputError, match=r"a\.csv: is gone"):
        refuse_other_inputs(run, tmp_path)


def results(folder, rows="A\tB\t1\n", seconds=1.0, aupr=0.5, weights=(1.0, 2.0), typed="fit"):
    """Publish one file of every kind."""
    with published(folder, "fit") as part:
        (part / "edges.tsv").write_text(f"source\ttarget\tweight\n{rows}")
        header = np.array(json.dumps({"genes": ["A"], "provenance": {"call": typed}}))
        write_arrays(part / "model.npz", {"header": header, "weights": np.asarray(weights)})
        pd.DataFrame({"aupr": [aupr], "seconds": [seconds]}).to_parquet(part / "results.parquet")
        text = {"versions": typed, "rows": [{"aupr": aupr, "seconds": seconds}]}
        (part / "summary.json").write_text(json.dumps(text))
        (part / "page.html").write_text(typed)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seconds": 2.0, "typed": "another"}, []),
        ({"rows": "A\tB\t1.0000001\n"}, ["edges.tsv: line 2 differs"]),
        ({"rows": ""}, ["edges.tsv: line 2 is in one of them alone"]),
        ({"weights": (1.0, np.nextafter(2.0, 3))}, ["model.npz: array weights differs"]),
        ({"weights": np.float32((1, 2))}, ["model.npz: array weights differs"]),
        ({"aupr": 0.25}, ["results.parquet: column aupr differs", "summary.json: rows differs"]),
    ],
)
def test_results_are_compared_to_the_bit_and_times_are_no_result(tmp_path, change, told):
    results(tmp_path / "a")
    results(tmp_path / "b", **change)
    equal, different = compare_results(tmp_path / "a", tmp_path / "b", ["fit"])
    assert different == told
    assert len(equal) == 4 - len(told)


def test_a_file_that_is_not_made_again_or_was_edited_since_is_no_equal_result(tmp_path):
    for name in ("a", "b"):
        results(tmp_path / name)
    (tmp_path / "b" / "edges.tsv").unlink()
    assert compare_results(tmp_path / "a", tmp_path / "b", ["fit"])[1] == [f"edges.tsv: absent in {tmp_path / 'b'}"]
    (tmp_path / "a" / "model.npz").write_bytes(b"")
    with pytest.raises(InputError, match=r"model\.npz: changed since dashjax fit wrote it"):
        compare_results(tmp_path / "a", tmp_path / "b", ["fit"])


def test_circumstances_that_differ_are_named(made):
    then = {**made, "packages": {**made["packages"], "jax": "0.1"}, "environment": {"XLA_FLAGS": "x"}}
    lines = other_circumstances(then, made | {"environment": {}})
    assert lines == [f"jax: 0.1 then, {made['packages']['jax']} now", "XLA_FLAGS: x then, none now"]
