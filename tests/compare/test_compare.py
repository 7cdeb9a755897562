import json

import numpy as np
import pandas as pd
import pytest

from dashjax import InputError, generate_system, simulate_study
from dashjax.compare import Task, compare, load_tasks, write_comparison

RIVALS = ("ridge", "correlation", "prior_only")


@pytest.fixture(scope="module")
def task():
    system = generate_system(12, seed=1)
    data = simulate_study(system, seed=0, train=20, validation=2, test=2, times=(0.0, 1.0, 3.0)).seen()
    return Task("a network", "a group", data, np.asarray(system.truth), tuple(system.genes))


def test_every_method_is_scored_with_every_prior_and_kept(task, tmp_path, monkeypatch):
    rows = compare([task], tmp_path, RIVALS, (None, 0.0, 0.4))
    assert len(rows) == 2 + 3 + 3  # no prior, no prior_only
    by = rows.set_index(["method", "corruption"])["aupr"]
    assert by["prior_only", 0.0] == pytest.approx(1)
    assert by["prior_only", 0.4] < 1
    # A rival that is handed a perfect prior ranks its edges first.
    assert by["ridge", 0.0] == pytest.approx(1)
    monkeypatch.setattr("dashjax.compare.run._run", lambda *_: pytest.fail("ran again"))
    pd.testing.assert_frame_equal(compare([task], tmp_path, RIVALS, (None, 0.0, 0.4)), rows)


def test_methods_of_an_earlier_call_stay_in_the_comparison(task, tmp_path):
    compare([task], tmp_path, ("correlation",), (None,))
    compare([task], tmp_path, ("correlation",), (0.4,), seed=3)
    rows = compare([task], tmp_path, ("ridge",), (None,))
    assert list(rows["method"]) == ["ridge", "correlation"]
    assert (rows["seed"] == 0).all()


def test_results_are_written_best_first_with_the_prior_beside(task, tmp_path):
    means = write_comparison(compare([task], tmp_path, RIVALS, (None, 0.4)), tmp_path, "a title")
    for _, part in means.groupby("corruption", dropna=False):
        assert (part["aupr"].diff().dropna() <= 0).all()
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert {row["method"] for row in summary["rows"]} == set(RIVALS)
    assert (tmp_path / "comparison.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "report.html").read_text()
    assert "prior 40% misplaced" in page
    assert len(pd.read_parquet(tmp_path / "results.parquet")) == 5


@pytest.mark.slow
def test_our_ensemble_is_compared_like_any_other(task, tmp_path):
    rows = compare([task], tmp_path, ("direct+dash+ensemble", "dash"), (0.0,), epochs=6)
    assert list(rows["method"]) == ["direct+dash+ensemble", "dash"]
    assert rows["aupr"].between(0, 1).all()
    assert rows["aupr"][0] > 0.8  # its prior is right


def test_what_cannot_be_compared_is_one_clear_error(task, tmp_path):
    with pytest.raises(InputError, match="--methods: unknown method 'oracle'; valid: dyngenie3, genie3"):
        compare([task], tmp_path, ("oracle",))
    with pytest.raises(InputError, match="--dataset: unknown value 'dream5'; valid: dream4, beeline, simulated"):
        load_tasks("dream5", tmp_path)
    with pytest.raises(InputError, match="no dream4 task"):
        load_tasks("dream4", tmp_path)
    with pytest.raises(InputError, match="--data: the folder of the beeline files is missing"):
        load_tasks("beeline")


@pytest.mark.data
def test_public_tasks_are_found(data_folder):
    dream4 = load_tasks("dream4", data_folder / "dream4")
    assert [task.group for task in dream4].count("DREAM4 size 10") == 5
    assert (dream4[0].truth != 0).sum() == 176
    beeline = load_tasks("beeline", data_folder / "beeline")
    assert {task.group for task in beeline} == {"BEELINE GSD_example", "BEELINE mCAD"}
    assert len(load_tasks("beeline", data_folder / "beeline", "mCAD-2000-1-50")) == 1
