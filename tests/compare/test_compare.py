"""Comparisons: every method with every prior, each row kept, and never mistaken for that of other data."""

import json

import numpy as np
import pandas as pd
import pytest

from dashjax import InputError, generate_system, make_problem, make_trajectories, simulate_study
from dashjax.compare import MEASURED_METHODS, METHOD_NAMES, compare, table_of, what_data_add, write_comparison
from dashjax.compare.comparison import _cells
from dashjax.data import Intervention, make_prior
from dashjax.engine.program import Programs
from dashjax.problems import load_problems
from dashjax.rivals.base import knocked_out

RIVALS = ("ridge", "correlation", "prior_only")


@pytest.fixture(scope="module")
def problem():
    system = generate_system(12, seed=1)
    data = simulate_study(system, seed=0, train=20, validation=2, test=2, times=(0.0, 1.0, 3.0)).seen()
    return make_problem(data, system.genes, truth=np.asarray(system.truth), name="a network", group="a group")


@pytest.fixture(scope="module")
def knocked(problem):
    """The same network with three knock-outs at rest beside its trajectories."""
    levels = np.asarray(problem.given.expression)[:4, -1].copy()
    levels[[0, 1, 2], [0, 1, 2]] = 0.0
    return make_problem(
        problem.given,
        problem.genes,
        truth=problem.truth,
        steady=levels,
        samples=("a", "b", "c", "d"),
        trajectories=tuple(f"x{n}" for n in range(problem.given.n_trajectories)),
        interventions=[Intervention(name, problem.genes[n], "knockout") for n, name in enumerate("abc")],
        name="the same, all experiments",
        group="all experiments",
    )


@pytest.fixture
def ran(monkeypatch):
    """Methods that have run from now on."""
    seen, run = [], Programs.run

    def watched(self, chunk, *arguments):
        seen.extend(item.cell.row()["method"] for item in chunk.items)
        return run(self, chunk, *arguments)

    monkeypatch.setattr(Programs, "run", watched)
    return seen


def test_every_method_is_scored_with_every_prior_and_kept(problem, ran, tmp_path):
    rows = compare([problem], tmp_path, RIVALS, (None, 0.0, 0.4))
    assert len(rows) == 2 + 3 + 3  # no prior, no prior_only
    assert set(rows["problem"]) == {"a network"}
    by = rows.set_index(["method", "corruption"])["aupr"]
    assert by["prior_only", 0.0] == pytest.approx(1)
    assert by["prior_only", 0.4] < 1
    # A rival that is handed a perfect prior ranks its edges first.
    assert by["ridge", 0.0] == pytest.approx(1)
    # One that knows no prior ranks once for all, and each of its rows says what that took.
    assert ran.count("ridge") == 1
    assert rows[["seconds", "peak_memory_mib"]].gt(0).all(axis=None)
    ran.clear()
    pd.testing.assert_frame_equal(compare([problem], tmp_path, RIVALS, (None, 0.0, 0.4)), rows, check_like=True)
    assert ran == []


def test_methods_of_an_earlier_call_stay_in_the_comparison(problem, tmp_path):
    compare([problem], tmp_path, ("correlation",), (None,))
    compare([problem], tmp_path, ("correlation",), (0.4,), seed=3)
    rows = compare([problem], tmp_path, ("ridge",), (None,))
    assert list(rows["method"]) == ["ridge", "correlation"]
    assert (rows["seed"] == 0).all()


def test_other_data_under_the_same_name_are_another_problem(problem, ran, tmp_path):
    first = compare([problem], tmp_path, ("ridge", "correlation"), (None,))
    ran.clear()
    some = problem.observed[np.arange(8)]
    other = make_problem(some, problem.genes, truth=problem.truth, name=problem.name, group=problem.group)
    second = compare([other], tmp_path, ("ridge",), (None,))
    assert ran == ["ridge"]
    # Nothing of the first is among its rows.
    assert list(second["method"]) == ["ridge"]
    assert second["aupr"][0] != first.set_index("method")["aupr"]["ridge"]
    # Both are kept, each for its own data.
    ran.clear()
    again = compare([problem], tmp_path, ("ridge", "correlation"), (None,))
    assert ran == []
    pd.testing.assert_frame_equal(again, first, check_like=True)


def test_another_truth_is_scored_anew(problem, tmp_path):
    truth = np.asarray(problem.truth)
    compare([problem], tmp_path, ("prior_only",), (0.0,))
    other = make_problem(problem.given, problem.genes, truth=truth.T, name=problem.name, group=problem.group)
    (row,) = compare([other], tmp_path, ("correlation",), (None,)).query("method == 'correlation'").itertuples()
    (first,) = compare([problem], tmp_path, ("correlation",), (None,)).query("method == 'correlation'").itertuples()
    assert row.aupr == pytest.approx(first.aupr)  # it knows no direction
    ridge = [compare([one], tmp_path, ("ridge",), (None,)).iloc[0]["aupr"] for one in (problem, other)]
    assert ridge[0] != ridge[1]


def test_results_are_written_best_first_with_the_prior_beside(problem, tmp_path):
    means = write_comparison(compare([problem], tmp_path, RIVALS, (None, 0.4)), tmp_path, "a title")
    for _, part in means.groupby("corruption", dropna=False):
        assert (part["aupr"].diff().dropna() <= 0).all()
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert {row["method"] for row in summary["rows"]} == set(RIVALS)
    assert (tmp_path / "comparison.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "report.html").read_text()
    assert "prior 40% misplaced" in page
    assert len(pd.read_parquet(tmp_path / "results.parquet")) == 5


def test_rivals_of_knock_outs_are_compared_where_there_are_any(problem, knocked, tmp_path):
    names = ("ridge", "knockout_effect", "knockout_zscore")
    rows = compare([problem, knocked], tmp_path, names, (None, 0.0))
    methods = rows.groupby("problem")["method"].agg(set)
    assert methods["a network"] == {"ridge"}
    assert methods["the same, all experiments"] == set(names)
    # A rival that is handed a perfect prior ranks its edges first.
    assert rows.query("method == 'knockout_effect' and corruption == 0")["aupr"].item() == pytest.approx(1)
    with pytest.raises(InputError, match="methods: no problem has what these need"):
        compare([problem], tmp_path, ("knockout_effect", "prior_only"), (None,))
    assert "portia" not in METHOD_NAMES
    assert "knockout_effect" in METHOD_NAMES


def test_our_posterior_is_also_fitted_to_the_series_only(problem, knocked):
    cells = _cells(knocked, 0.0, ("posterior", "ridge"), 6, 0)
    assert [cell.row()["method"] for cell in cells] == ["posterior", "posterior (series only)", "ridge"]
    both, series, _ = cells
    assert {cell.row()["group"] for cell in cells} == {"all experiments"}
    assert {cell.row()["data_fingerprint"] for cell in cells} == {knocked.data_fingerprint}
    assert both.problem.rest is not None
    assert series.problem.rest is None
    assert series.problem.observed.production is None
    assert series.identity != both.identity
    np.testing.assert_array_equal(series.problem.truth, knocked.truth)
    np.testing.assert_array_equal(series.problem.prior.edges, both.problem.prior.edges)
    # Its units are those of the series, and nothing of the samples is left in them.
    np.testing.assert_allclose(series.problem.observed.expression, problem.observed.expression, atol=1e-5)
    assert [cell.row()["method"] for cell in _cells(problem, None, ("posterior",), 6, 0)] == ["posterior"]


@pytest.fixture(scope="module")
def hidden():
    """Forty genes with a prior of their own; the edges of the last ten are hidden, and three genes may regulate.

    Gene r regulates every third gene, which follow its activity, and not its level.
    """
    rng = np.random.default_rng(0)
    activity, levels = rng.normal(size=(60, 3)), rng.normal(size=(60, 40))
    truth = np.zeros((40, 40))
    for target in range(3, 40):
        truth[target % 3, target] = 1
        levels[:, target] = 2 * activity[:, target % 3] + 0.5 * rng.normal(size=60)
    last = np.arange(40) >= 30
    return make_problem(
        make_trajectories([np.arange(3.0)], [levels[:3]]),
        prior=make_prior(np.where(last, 0, truth)),
        regulators=np.arange(40) < 3,
        truth=truth,
        covered=np.arange(40) < 3,
        covered_targets=last,
        steady=levels[3:],
        name="a draw",
        group="hidden targets",
    )


def test_measured_problems_are_compared_with_their_own_prior_on_what_was_hidden(hidden, tmp_path):
    rows = compare([hidden], tmp_path, MEASURED_METHODS[1:], None).set_index("method")
    assert list(rows.index) == list(MEASURED_METHODS[1:])
    assert rows["own_prior"].all()
    assert (rows["corruption"] == 0).all()
    # Ten hidden edges among three regulators and ten targets.
    np.testing.assert_allclose(rows["chance"], 1 / 3)
    assert rows["aupr"]["prior_only"] == pytest.approx(1 / 3)
    assert rows["aupr"]["activity_ridge"] == pytest.approx(1)
    assert rows["aupr"]["mrna_ridge"] < 0.7
    # Of methods with probabilities alone it is said how many pairs are sure, and how many of them are true.
    assert rows["sure"].isna().tolist() == [False, *[True] * 5]
    assert (rows["sure"]["activity"], rows["sure_true"]["activity"]) == (10, 1)
    assert "beeline_auprc" not in rows or rows["beeline_auprc"].isna().all()
    means = write_comparison(rows.reset_index(), tmp_path, "a title")
    headings, cells = table_of(means, compact=True)
    assert headings == ["method", "data", "prior", "AUPR", "chance", "p > .9", "true", "seconds"]
    assert cells[0][:7] == ["activity", "hidden targets", "own", "1.000", "0.333", "10", "1.00"]
    page = (tmp_path / "report.html").read_text()
    assert "hidden targets: activity 1.000 against .333 for chance: the data add much." in page
    assert "its own prior" in page


def test_another_prior_under_the_same_name_is_another_measured_problem(hidden, tmp_path):
    compare([hidden], tmp_path, ("degree", "mrna_ridge"), None)
    assert len(compare([hidden], tmp_path, ("degree",), None)) == 2
    other = hidden.with_prior(make_prior(np.asarray(hidden.prior.edges) * (np.arange(40) < 20)))
    assert list(compare([other], tmp_path, ("degree",), None)["method"]) == ["degree"]


def test_methods_that_need_a_prior_are_left_out_without_one(problem, hidden):
    names = [
        cell.row()["method"] for cell in _cells(problem, None, ("posterior", "activity", "out_degree"), 6, 0, True)
    ]
    assert names == ["posterior"]
    # By its old name a rival is the same; ours is not run once more without its samples at rest.
    names = [cell.row()["method"] for cell in _cells(hidden, 0.0, ("posterior", "activity", "out_degree"), 6, 0, True)]
    assert names == ["posterior", "activity", "out_degree"]


def means_of(aupr, outside=None, group="a group", chance=0.1, own=True):
    rows = {"method": list(aupr), "aupr": list(aupr.values()), "group": group, "chance": chance, "own_prior": own}
    return pd.DataFrame({**rows, "aupr_outside_prior": list((outside or aupr).values())})


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        (0.63, "much."),
        (0.401, "much."),
        (0.399, "a little."),
        (0.221, "a little."),
        (0.219, "nothing that out-degree does not say."),
    ],
)
def test_what_data_add_is_said_in_words(ours, said):
    means = means_of({"ridge": 0.3, "activity": ours, "posterior": 0.1, "degree": 0.2, "prior_only": 0.1})
    (text,) = what_data_add(means)
    expected = f"a group: activity {ours:.3f} against .200 for out-degree alone (chance .100): the data add {said}"
    assert text == expected.replace("0.", ".") + " Of the others that see the data, ridge has most: .300."


def test_a_good_prior_leaves_less_to_add():
    def said(ours):
        return what_data_add(means_of({"posterior": ours, "prior_only": 0.8}))[0].split("the data add ")[1]

    assert [said(ours) for ours in (0.819, 0.821, 0.899, 0.901)] == [
        *("nothing that the prior does not say.", "a little.", "a little.", "much.")
    ]
    assert what_data_add(means_of({"posterior": 0.105})) == [
        "a group: posterior .105 against .100 for chance: the data add nothing."
    ]


def test_where_pairs_of_the_prior_are_scored_the_others_are_told_apart():
    aupr = {"posterior": 0.9, "activity": 0.8, "degree": 0.2, "prior_only": 0.4}
    outside = {"posterior": 0.1, "activity": 0.2, "degree": 0.19, "prior_only": 0.05}
    (text,) = what_data_add(means_of(aupr, outside))
    assert text.startswith("a group: posterior .900 against .400 for the prior alone (chance .100): the data add much.")
    assert text.endswith(
        " Outside the prior: activity .200 against .190 for out-degree alone (chance .050): the data add nothing that "
        "out-degree does not say."
    )


def test_words_are_said_of_measured_groups_that_ours_was_run_on():
    theirs, drawn = means_of({"ridge": 0.3}, group="b"), means_of({"posterior": 0.3}, group="c", own=False)
    assert what_data_add(pd.concat([theirs, drawn])) == []


@pytest.mark.slow
def test_our_ensemble_is_compared_like_any_other(problem, tmp_path):
    rows = compare([problem], tmp_path, ("posterior", "dash"), (0.0,), epochs=6)
    assert list(rows["method"]) == ["posterior", "dash"]
    assert rows["aupr"].between(0, 1).all()
    assert rows["aupr"][0] > 0.8  # its prior is right
    assert rows[["seconds", "peak_memory_mib"]].gt(0).all(axis=None)
    # By its old name it is the same network, and rows carry the name that was asked for.
    renamed = compare([problem], tmp_path, ("direct+dash+ensemble",), (0.0,), epochs=6)
    assert renamed["method"][0] == "direct+dash+ensemble"
    assert renamed["id"][0] == rows["id"][0]


def test_what_cannot_be_compared_is_one_clear_error(problem, tmp_path):
    with pytest.raises(InputError, match="methods: unknown method 'oracle'; valid: dyngenie3, genie3"):
        compare([problem], tmp_path, ("oracle",))
    with pytest.raises(InputError, match=r"dataset: unknown value 'dream5' .*; valid: dream4, beeline, simulated"):
        load_problems("dream5", tmp_path)
    with pytest.raises(InputError, match="no dream4 problem"):
        load_problems("dream4", tmp_path)
    with pytest.raises(InputError, match="data: the folder of the beeline files is missing"):
        load_problems("beeline")


@pytest.mark.data
def test_public_problems_are_found(data_folder):
    dream4 = load_problems("dream4", data_folder / "dream4")
    assert [problem.group for problem in dream4].count("DREAM4 size 10") == 5
    assert [problem.group for problem in dream4].count("DREAM4 size 10, all experiments") == 5
    assert (dream4[0].truth != 0).sum() == 176
    plain, full = load_problems("dream4", data_folder / "dream4", "size 100, network 1")
    assert (plain.name, plain.rest) == ("DREAM4 size 100, network 1", None)
    assert full.name == "DREAM4 size 100, network 1, all experiments"
    assert full.rest.n_samples == 201
    assert knocked_out(full.given_rest).sum() == 100
    np.testing.assert_array_equal(full.truth, plain.truth)
    beeline = load_problems("beeline", data_folder / "beeline")
    assert {problem.group for problem in beeline} >= {"BEELINE GSD_example", "BEELINE mCAD"}
    assert len(load_problems("beeline", data_folder / "beeline", "mCAD-2000-1-50")) == 1
