"""A simulated study in miniature: tuned, run, resumed, and set beside published figures."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from dashjax import InputError
from dashjax.reproduce import (
    SIMULATED_STUDIES,
    Condition,
    SimulatedStudy,
    all_studies,
    choose,
    find_study,
    reproduce_all,
    reproduce_simulated,
    tuning_grid,
)
from dashjax.reproduce.agreement import _tell_apart, agreement, ordering
from dashjax.reproduce.cross_validation import settings_of
from dashjax.sweep import expand, make_cells, parse_grid

PLAN = SimulatedStudy(
    "tiny",
    "A tiny study",
    (
        Condition("first", genes=10, published=(("dash", (70.0, 90.0)),)),
        Condition("second", genes=10, noise=0.05, field="mlp"),
    ),
    methods=("dense", "dash", "l0"),
    seeds=2,
    epochs=4,
    tries=2,
    folds=2,
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("reproduce") / "out"
    return out, reproduce_simulated(PLAN, out)


@pytest.mark.slow
def test_a_study_writes_tables_with_the_published_figures_and_the_prior(finished):
    out, rows = finished
    assert [(row["condition"], row["method"]) for row in rows] == [
        (condition, method) for condition in ("first", "second") for method in ("dense", "dash", "l0", "prior_only")
    ]
    dash = rows[1]
    assert (dash["published_sparsity"], dash["published_balanced_accuracy"]) == (70.0, 90.0)
    assert dash["tuning_runs"] == rows[2]["tuning_runs"] == 4
    assert rows[0]["tuning_runs"] == 0
    table = (out / "table.md").read_text()
    assert "## first" in table
    assert "Tuning: 4 runs for each of 2 methods" in table
    assert table.count("| prior_only |") == 2
    summary = json.loads((out / "summary.json").read_text())
    assert summary["rows"] == json.loads(json.dumps(rows))
    # Two figures per condition, and what all conditions add to their priors.
    assert (out / "report.html").read_text().count("data:image/png;base64") == 5
    assert "## Added to the prior" in table
    assert "28 runs, which took" in table
    chosen = json.loads((out / "first" / "tuning" / "choices.json").read_text())
    assert [choice["method"] for choice in chosen] == ["dense", "dash", "l0"]


@pytest.mark.slow
def test_a_finished_study_is_not_repeated(finished):
    out, rows = finished
    seen = []
    again = reproduce_simulated(PLAN, out, on_progress=lambda stage, progress: seen.append((stage, progress.runs)))
    assert {runs for _, runs in seen} == {0}
    assert {stage for stage, _ in seen} == {"first", "first, tuning", "second", "second, tuning"}
    assert again == rows


def rows_of(method, settings):
    """Rows of tuning runs: per strength its fold errors and sparsity."""
    return pd.DataFrame(
        [
            {
                "method": method,
                "lambda_1": 0.0,
                "lambda_2": 0.0,
                "strength": strength,
                "validation_mse": error,
                "sparsity": sparsity,
                "status": status,
            }
            for strength, (errors, sparsity, status) in settings.items()
            for error in errors
        ]
    )


def test_the_sparsest_setting_within_one_standard_error_wins():
    weak, middle, strong = (setting.strength for setting in settings_of("l0", 3))
    table = rows_of(
        "l0",
        {
            weak: ([1.0, 1.2], 0.2, "finished"),  # best: mean 1.1, standard error 0.1
            middle: ([1.15, 1.2], 0.5, "finished"),  # within
            strong: ([1.2, 1.3], 0.9, "finished"),  # beyond
        },
    )
    (choice,) = choose(table, ["l0"], 3)
    assert choice.setting.strength == middle
    assert (choice.tried, choice.runs) == (3, 6)
    assert choice.best_error == pytest.approx(1.1)
    assert choice.standard_error == pytest.approx(0.1)
    assert choice.error == pytest.approx(1.175)


def test_equally_sparse_settings_are_told_apart_by_error_and_diverged_ones_are_out():
    weak, middle, strong = (setting.strength for setting in settings_of("l0", 3))
    table = rows_of(
        "l0",
        {
            weak: ([1.0, 1.2], 0.501, "finished"),
            middle: ([1.05, 1.2], 0.502, "finished"),
            strong: ([0.1, 0.1], 0.9, "diverged"),
        },
    )
    assert choose(table, ["l0"], 3)[0].setting.strength == weak
    nothing = rows_of("l0", {weak: ([np.nan, 1.0], 0.5, "diverged")})
    assert np.isnan(choose(nothing, ["l0"], 3)[0].error)


def test_tuning_tries_the_same_number_of_settings_for_every_tuned_method():
    grid = parse_grid({"system": {"kind": "simulated", "genes": 10}, "methods": ["dash"], "seeds": 3})
    tuning = tuning_grid(grid, ["dense", "dash", "l0", "pinn_mp"], None, 4)
    cells = expand(tuning)
    counts = pd.Series([cell.method for cell in cells]).value_counts()
    assert counts.to_dict() == {"dash": 36, "l0": 36, "pinn_mp": 36}
    assert {cell.seed for cell in cells} == {0}
    assert {cell.fold for cell in cells} == {1, 2, 3, 4}


def test_folds_hold_out_different_trajectories_of_the_whole_pool():
    content = {
        "system": {"kind": "simulated", "genes": 10},
        "trajectories": {"train": 6, "validation": 2, "test": 1, "times": [0, 1]},
        "methods": ["dense"],
        "seeds": 1,
        "folds": 4,
    }
    held = []
    for cell in make_cells(parse_grid(content)):
        train, validation = cell.problem.rows(cell.seed, cell.fold)
        assert sorted([*train, *validation]) == list(range(8))
        held += list(validation)
    assert sorted(held) == list(range(8))
    with pytest.raises(InputError, match="folds: 5 folds of 2 validation trajectories out of 8; at most 4"):
        parse_grid(content | {"folds": 5})


def test_agreement_is_said_in_words():
    def row(method, accuracy, published):
        return {
            "method": method,
            "balanced_accuracy": {"mean": accuracy},
            "aupr": {"mean": accuracy / 2},
            "published_balanced_accuracy": published,
        }

    text = agreement([row("dash", 0.89, 90.6), row("bioprune", 0.95, 87.3), row("prior_only", 0.9, None)])
    assert "within 3 points of the published: dash (89.0 against 90.6)" in text
    assert "Further away: bioprune (95.0 against 87.3)" in text
    assert "The published ordering is dash > bioprune; ours is bioprune > dash." in text
    assert "above it in balanced accuracy: bioprune; in AUPR: bioprune (0.475)" in text


def test_methods_are_ordered_and_told_apart_by_pairs_of_seeds():
    rng = np.random.default_rng(0)
    seeds = np.arange(5)
    shared = rng.normal(0, 0.1, 5)  # what a seed's draws do to all methods alike
    accuracy = {"imp": 0.7 + shared, "dash": 0.71 + shared + 0.001 * seeds, "dense": 0.5 + rng.normal(0, 0.1, 5)}
    accuracy["bioprune"] = accuracy["dash"] + np.array([0.02, -0.02, 0.01, -0.01, 0.001])
    rows = [
        {"method": method, "seed": seed, "status": "finished", "balanced_accuracy": values[seed]}
        for method, values in accuracy.items()
        for seed in seeds
    ]
    table = pd.DataFrame([*rows, {"method": "prior_only", "seed": 0, "status": "finished", "balanced_accuracy": 1.0}])
    said = ordering(table)
    assert said == (
        "By balanced accuracy, 5 seeds: bioprune = dash > imp > dense (= where a paired t-test has p ≥ 0.05)."
    )
    assert ordering(table[table["seed"] == 0]) == ""


def test_equal_seeds_are_told_apart_only_where_they_differ():
    assert [bool(_tell_apart(np.full(3, value))) for value in (0.0, 0.1)] == [False, True]


def test_shrunk_studies_keep_their_conditions_on_smaller_systems():
    small = find_study("sim690").shrunk(0.1)
    assert [c.genes for c in small.conditions] == [35, 69]
    assert all(not c.published for c in small.conditions)
    assert small.title.endswith("(here 10 % of the genes)")
    assert (small.epochs, small.tries) == (40, 2)


@pytest.mark.slow
def test_all_studies_stand_on_one_page_and_say_what_is_left_out(finished, monkeypatch, tmp_path):
    out, rows = finished
    monkeypatch.setattr(all_studies, "SIMULATED_STUDIES", {"tiny": PLAN})
    shutil.copytree(out, tmp_path / "all" / "tiny")
    told = []
    found = reproduce_all(tmp_path / "all", on_progress=lambda stage, progress: told.append((stage, progress)))
    assert found == [{"study": "tiny", **row} for row in rows]
    assert {stage for stage, _ in told} == {
        f"tiny: {name}{what}" for name in ("first", "second") for what in ("", ", tuning")
    }
    assert {progress.runs for _, progress in told} == {0}
    table = (tmp_path / "all" / "table.md").read_text()
    for heading in ("## tiny: first", "## tiny: second"):
        assert heading in table
    assert "Left out: yeast (needs --data, the folder of its files)" in table


def test_quick_studies_are_small():
    for plan in SIMULATED_STUDIES.values():
        small = plan.quick()
        assert (small.seeds, small.epochs, small.tries) == (2, 60, 3)
        assert len(small.conditions) <= 2
    assert [c.name for c in find_study("prior-noise").quick().conditions] == ["corruption-0", "corruption-5"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["sim35"],
            "unknown study 'sim35' (did you mean 'sim350'?); valid: sim350, sim690, prior-noise, mlp, edges",
        ),
        (["sim350", "--only", "noise-7"], "--only: unknown table 'noise-7'"),
        (["sim350", "--names", "names.csv"], "--names: orders the genes of --equations, which is missing"),
        (["sim350", "--equations", "absent.csv"], "absent.csv"),
        (["all", "--only", "noise-5"], "--only: one study's tables; name the study in place of all"),
    ],
)
def test_mistakes_are_one_line(arguments, message, dashjax, tmp_path):
    code, _, printed = dashjax("reproduce", *arguments, "--out", tmp_path / "out")
    assert code == 2
    assert message in printed
    assert printed.count("\n") == 1
    assert not (tmp_path / "out").exists()
