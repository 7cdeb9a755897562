"""Studies of measured expression: their files found and read, run in miniature, resumed, scored against ChIP edges."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest

from dashjax import InputError, generate_system, make_prior, make_problem, simulate_study
from dashjax.data import HoldOut, as_given, make_trajectories
from dashjax.engine import RivalCell, Store, score_cell
from dashjax.engine.program import Programs
from dashjax.io import write_phoenix
from dashjax.methods.method import TRUST_GRID
from dashjax.networks import make_network
from dashjax.reproduce import MEASURED_STUDIES, DataSet, find_study, reproduce_measured
from dashjax.reproduce.measured_files import find_datasets, find_file, held_out, missing_files, no_change, read_dataset
from dashjax.reproduce.measured_run import (
    cells_of,
    methods_for,
    paragraphs_of,
    prior_row,
    published_method,
    tuned_cells,
)
from dashjax.rivals import RIVALS

FOLDER = "phoenix/pramila_yeast_data/clean_data"
#: Not the order of the names: ABCA2 comes before ABCA10.
GENES = ("ABCA10", "ABCA2", *(f"X{n}" for n in range(18)))
TINY = DataSet(
    "tiny",
    expression=f"{FOLDER}/tiny_1sample.csv",
    test=f"{FOLDER}/tiny_1VALsample.csv",
    genes=f"{FOLDER}/tiny_names.csv",
    prior=f"{FOLDER}/tiny_prior.csv",
    similarity=f"{FOLDER}/tiny_PPI.csv",
    validation=f"{FOLDER}/validation_network.csv",
    published=(("dash", (92.7, 95.7)),),
)
STUDY = replace(
    MEASURED_STUDIES["yeast"],
    datasets=(TINY,),
    hidden=4,
    epochs=22,
    methods=("dense", "dash"),
    seeds=2,
    folds=2,
    title="A tiny study",
)


def write_series(path, expression):
    times = np.arange(expression.shape[1]) * 5.0
    write_phoenix(path, [times] * len(expression), list(expression))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of clones with one tiny data set, and no C."""
    clones = tmp_path_factory.mktemp("clones")
    inside = clones / FOLDER
    inside.mkdir(parents=True)
    system = generate_system(len(GENES), seed=0)
    data = simulate_study(system, 0, train=1, validation=1, test=1, times=tuple(range(12)))
    write_series(inside / "tiny_1sample.csv", np.asarray(data.train.expression))
    write_series(inside / "tiny_1VALsample.csv", np.asarray(data.test.expression))
    (inside / "tiny_names.csv").write_text('"x","name"\n' + "".join(f'"{gene}","-"\n' for gene in GENES))
    signs = np.where(np.arange(len(GENES)) % 2, 0.5, -0.5)
    np.savetxt(inside / "tiny_prior.csv", (system.truth != 0) * signs[:, None], delimiter=",", fmt="%g")
    (inside / "validation_network.csv").write_text(
        '"from","to"\n"ABCA10","ABCA2"\n"ABCA10","X3"\n"X0","X1"\n"X0","ELSEWHERE"\n"ELSEWHERE","X4"\n'
    )
    return clones, system.truth


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("measured") / "out"
    return out, reproduce_measured(STUDY, out, folder[0])


def test_matrices_follow_the_names_file_and_networks_the_order_of_names(folder):
    clones, truth = folder
    data = read_dataset(TINY, clones, STUDY)
    assert data.genes[:3] == ("ABCA2", "ABCA10", "X0")
    back = [data.genes.index(gene) for gene in GENES]
    np.testing.assert_array_equal(np.asarray(data.prior.edges)[np.ix_(back, back)], 0.5 * (truth != 0))
    assert [data.genes[n] for n in np.flatnonzero(data.covered)] == ["ABCA10", "X0"]
    edges = {(data.genes[a], data.genes[b]) for a, b in np.argwhere(data.truth != 0)}
    assert edges == {("ABCA10", "ABCA2"), ("ABCA10", "X3"), ("X0", "X1")}
    # 11 steps of 5 minutes last nine units of time.
    assert float(data.observed.times[0, -1]) == pytest.approx(9.0)
    assert float(data.test.times[0, 1]) == pytest.approx(9 / 11)
    # Levels are trained on as they are.
    assert np.asarray(data.units.scale).tolist() == [1.0] * len(GENES)
    assert float(data.given.times[0, -1]) == pytest.approx(55)


def test_files_are_found_in_clones_in_one_clone_in_a_folder_of_it_and_alone(tmp_path):
    path = "phoenix/breast/clean_data/x.csv"
    for place in ("phoenix/breast/clean_data", "breast/clean_data", "clean_data", "."):
        root = tmp_path / f"for {place}".replace("/", "-")
        (root / place).mkdir(parents=True)
        (root / place / "x.csv").write_text("")
        assert find_file(path, root) == root / place / "x.csv"
    (tmp_path / "y").mkdir()
    assert find_file(path, tmp_path / "y") is None


def test_files_may_be_gzipped_and_a_prior_a_table_of_edges_that_names_other_genes(folder, tmp_path):
    clones, truth = folder
    for path in (clones / FOLDER).iterdir():
        (tmp_path / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    dataset = replace(TINY, edges=f"{FOLDER}/motifs.csv")
    assert missing_files(replace(dataset, prior="absent.csv"), tmp_path) == ["absent.csv"]
    whole = read_dataset(dataset, tmp_path, STUDY)
    (tmp_path / "tiny_prior.csv.gz").unlink()
    regulators, targets = np.nonzero(truth)
    rows = [f"{GENES[r]},{GENES[t]},1" for r, t in zip(regulators, targets, strict=True)]
    (tmp_path / "motifs.csv").write_text("\n".join(["reg, aff,prior_weight", *rows, "ABCA2,ELSEWHERE,1"]) + "\n")
    table = read_dataset(dataset, tmp_path, STUDY)
    assert table.prior.n_edges == whole.prior.n_edges == len(rows)
    np.testing.assert_array_equal(np.asarray(table.prior.edges) != 0, np.asarray(whole.prior.edges) != 0)


def test_a_stand_in_runs_only_where_the_published_size_is_missing(tmp_path):
    study = MEASURED_STUDIES["yeast"]
    full, small = study.datasets
    for path in (small.expression, small.test, small.genes, small.prior):
        (tmp_path / path.rpartition("/")[2]).write_text("")
    assert find_datasets(study, tmp_path) == (small,)
    with pytest.raises(InputError, match=r"lacks pramila_3551genes_1sample_24T.csv; git clone .*/phoenix holds it as"):
        find_datasets(study.only("genes-3551"), tmp_path)
    for path in (full.expression, full.test, full.genes, full.prior):
        (tmp_path / path.rpartition("/")[2]).write_text("")
    assert find_datasets(study, tmp_path) == (full,)
    assert [d.name for d in find_datasets(study.only("genes-500"), tmp_path)] == ["genes-500"]


def test_a_study_writes_a_table_with_the_published_figures_and_the_prior(finished):
    out, rows = finished
    assert [row["method"] for row in rows] == ["dense", "dash", "dash_tuned", "degree", "ridge", "prior_only"]
    dense, dash, tuned, degree, ridge, prior = rows
    for ranked in (degree, ridge):
        assert ranked["aupr"]["mean"] > 0
        assert ranked["balanced_accuracy"]["mean"] is ranked["n_edges"]["mean"] is None
    assert (dash["published_sparsity"], dash["published_balanced_accuracy"]) == (92.7, 95.7)
    assert dense["published_sparsity"] is None
    assert (dash["lambda_1"], dash["lambda_2"], dash["n_runs"]) == (0.75, 0.75, 2)
    # λ of the lowest error over the folds, or the sparsest within one standard error of it, for the same seeds.
    assert tuned["n_runs"] == 2
    assert (tuned["lambda_1"], tuned["lambda_2"]) in TRUST_GRID
    assert tuned["chosen"] == f"λ {tuned['lambda_1']:g}, {tuned['lambda_2']:g}"
    # 90 % of each layer at epoch 10, then 10 % of the rest at epoch 20.
    assert dash["sparsity"]["mean"] == pytest.approx(0.91, abs=0.02)
    assert dense["sparsity"]["mean"] < 0.5
    assert prior["test_mse"]["mean"] is None
    assert all(row[name]["mean"] > 0 for row in (dense, dash) for name in ("test_mse", "validation_mse"))
    text = (out / "table.md").read_text()
    assert "90 % at epoch 10 and 10 % every 20" in text
    assert "Scored against 3 ChIP edges, over all targets of the 2 regulators" in text
    assert f"Ranking by chance has AUPR {3 / 38:.3f}." in text
    assert "| dash | λ 0.75, 0.75 | 0.9" in text
    assert f"training data: chosen among 9 settings by 2 folds: {tuned['chosen']}" in text
    summary = json.loads((out / "summary.json").read_text())
    assert summary["rows"] == json.loads(json.dumps(rows))
    assert summary["plan"]["schedule"] == "genome_schedule"
    assert (out / "report.html").read_text().count("data:image/png;base64") == 3


def test_the_prior_is_scored_over_the_covered_regulators_only(folder, finished):
    data, prior = read_dataset(TINY, folder[0], STUDY), finished[1][-1]
    known = np.asarray(data.prior.edges) != 0
    hits = misses = false = right = 0
    for regulator in ("ABCA10", "X0"):
        for target in set(GENES) - {regulator}:
            at = data.genes.index(regulator), data.genes.index(target)
            true = (regulator, target) in {("ABCA10", "ABCA2"), ("ABCA10", "X3"), ("X0", "X1")}
            hits += known[at] and true
            misses += true and not known[at]
            false += known[at] and not true
            right += not known[at] and not true
    assert hits + misses + false + right == 2 * 19
    expected = (hits / (hits + misses) + right / (right + false)) / 2
    assert prior["balanced_accuracy"]["mean"] == pytest.approx(expected)
    assert prior["n_edges"]["mean"] == prior["n_in_prior"]["mean"] == known.sum()


def test_where_lambda_cannot_be_chosen_the_published_runs_still_count(folder, finished):
    cells = cells_of(STUDY, read_dataset(TINY, folder[0], STUDY))
    store = Store(finished[0] / "tiny", "measured study", {"of": STUDY.name})
    assert tuned_cells(replace(STUDY, folds=0), cells, store, lambda progress: None) == ([], "")
    own, how = tuned_cells(replace(STUDY, folds=1), cells, store, lambda progress: None)
    assert own == []
    assert how.startswith("λ could not be chosen by cross-validation (1 folds of 11 pieces")


def test_a_finished_study_is_not_repeated(folder, finished, monkeypatch):
    out, rows = finished
    monkeypatch.setattr(Programs, "run", lambda *_: pytest.fail("a finished run was repeated"))
    assert reproduce_measured(STUDY, out, folder[0]) == rows
    next((out / "tiny" / "chunks").glob("*.npz")).unlink()
    with pytest.raises(pytest.fail.Exception, match="repeated"):
        reproduce_measured(STUDY, out, folder[0])


def random_series(trajectories, times):
    values = np.random.default_rng(0).uniform(size=(trajectories, times, 4))
    return make_trajectories([np.arange(times)] * trajectories, list(values))


def measured(truth=None, covered=None, prior=None):
    edges = np.zeros((4, 4)) if prior is None else prior
    series = random_series(1, 3)
    return make_problem(
        series, tuple("ABCD"), make_prior(edges), units=as_given(4), validation=HoldOut(1), truth=truth, test=series,
        covered=covered, notes=("A note.",),
    )  # fmt: skip


def network_scores(problem, network):
    cell = RivalCell(problem, RIVALS["ridge"])
    return score_cell(cell, make_network(problem, {"ranking": network}, cell.row()))


def test_networks_are_scored_against_chip_edges_by_hand():
    truth = np.zeros((4, 4))
    truth[0, [1, 2]] = 1  # A → B, A → C; what C and D regulate is not known
    prior = np.zeros((4, 4))
    prior[0, [1, 3]] = 0.5  # of the three pairs from A: one right, one wrong, one missing
    network = np.zeros((4, 4), np.float32)
    network[0] = [9.0, 0.2, 0.1, 0.3]  # a self loop that does not count; D first, then B, then C
    network[2] = 5.0  # not covered
    network[1, 3] = 0.4  # B is covered, without true targets
    data = measured(truth, np.array([True, True, False, False]), prior)
    scores = network_scores(data, network)
    assert scores["n_edges"] == 9
    # Predicted among the six pairs from A and B: A→B, A→C (both true), A→D, B→D (both false); B→A, B→C are not.
    assert scores["balanced_accuracy"] == pytest.approx((2 / 2 + 2 / 4) / 2)
    assert scores["precision"] == pytest.approx(2 / 4)
    # Ranking: B→D .4 ✗, A→D .3 ✗, A→B .2 ✓ (1/3), A→C .1 ✓ (2/4).
    assert scores["aupr"] == pytest.approx((1 / 3 + 2 / 4) / 2)
    # Without the prior's pairs A→B and A→D: B→D ✗, A→C ✓.
    assert scores["aupr_outside_prior"] == pytest.approx(1 / 2)
    assert scores["aupr_inside_prior"] == pytest.approx(1 / 2)


def test_without_chip_edges_scores_stay_empty_and_the_text_says_what_models_predict():
    data = measured()
    assert network_scores(data, np.eye(4)) == {"n_edges": 4, "n_in_prior": 0}
    assert set(prior_row(data)) == {"method", "sparsity", "n_edges", "n_in_prior", "status"}
    change = np.diff(np.asarray(data.test.expression)[0], axis=0) ** 2
    bar = no_change(data.test)
    assert bar == pytest.approx(change.mean(), rel=1e-5)
    rows = [
        {"method": "good", "validation_mse": {"mean": 9.0}, "test_mse": {"mean": bar / 2}, "n_diverged": 1},
        {"method": "poor", "validation_mse": {"mean": 9.0}, "test_mse": {"mean": bar * 2}, "n_diverged": 0},
        {"method": "prior_only", "validation_mse": {"mean": None}, "test_mse": {"mean": None}, "n_diverged": 0},
    ]
    note, errors, lost = paragraphs_of(STUDY, data, rows)
    assert note == "A note."
    assert errors.endswith(f"in validation (lower: no method) and {bar:.2e} in test (lower: good).")
    assert lost.startswith("1 runs diverged")


@pytest.mark.parametrize(
    ("study", "first", "every", "rate"), [("yeast", 10, 20, 5e-4), ("breast", 10, 20, 1e-4), ("hema", 3, 10, 1e-2)]
)
def test_cuts_follow_the_studys_published_schedule(study, first, every, rate):
    plan = MEASURED_STUDIES[study]
    for name in ("imp", "bioprune", "dash"):
        hyper = published_method(plan, name).hyperparameters(plan.epochs, plan.trust)
        assert (int(hyper.schedule.first_epoch), int(hyper.schedule.every)) == (first, every)
        assert float(hyper.learning_rate) == pytest.approx(rate)
    np.testing.assert_allclose(hyper.trust, plan.trust)
    assert float(published_method(plan, "dense").hyperparameters(9).schedule.first_fraction) == 0
    assert float(published_method(plan, "posterior").hyperparameters(9).learning_rate) == np.float32(2e-3)
    assert "posterior" in methods_for(plan, 529)
    assert "posterior" not in methods_for(plan, 3551)


def test_validation_is_a_share_of_the_transitions_or_the_first_trajectory():
    two = random_series(2, 25)

    def problem(study, series):
        observed, hold_out = held_out(series, MEASURED_STUDIES[study])
        return make_problem(observed, units=as_given(4), validation=hold_out, test=two)

    yeast = problem("yeast", two[:1])
    parts = yeast.split(seed=0)
    assert (parts.train.n_trajectories, parts.validation.n_trajectories) == (21, 3)  # of 24: int(3.12)
    starts = np.concatenate([parts.train.times[:, 0], parts.validation.times[:, 0]])
    np.testing.assert_array_equal(np.sort(starts), np.arange(24))
    assert (yeast.split(seed=1).validation.times != parts.validation.times).any()
    for seed in (0, 1):
        parts = problem("hema", two).split(seed)
        np.testing.assert_array_equal(parts.validation.expression, two.expression[:1])
        np.testing.assert_array_equal(parts.train.expression, two.expression[1:])
        np.testing.assert_array_equal(parts.test.expression, two.expression)
    # Folds are of the same pieces: both trajectories in turn.
    folds = problem("hema", two).with_folds(2)
    held = [folds.split(0, fold).validation.expression for fold in (1, 2)]
    np.testing.assert_array_equal(np.sort(np.concatenate(held), axis=0), np.sort(two.expression, axis=0))


def test_a_step_takes_no_more_pieces_than_there_are():
    study = replace(MEASURED_STUDIES["yeast"], methods=("dash",), seeds=2)
    cells = cells_of(study, measured())
    assert [cell.seed for cell in cells] == [0, 1]
    assert {cell.run_config.trajectories_per_step for cell in cells} == {1}  # of two transitions one is held out


def test_quick_and_only_shorten_a_study():
    study = find_study("hema")
    assert (study.quick().seeds, study.quick().epochs, study.quick().folds) == (2, 60, 0)
    assert [d.name for d in study.only("b-cell").datasets] == ["b-cell"]
    with pytest.raises(InputError, match="unknown table 'bcell' .*; valid: erythroid, monocyte, b-cell"):
        study.only("bcell")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["yeast"],
            "--data: the folder of the yeast files is missing; git clone https://github.com/QuackenbushLab/phoenix",
        ),
        (
            ["hema", "--data", "."],
            "lacks hema_eryth_529genes_2samples.csv; git clone https://github.com/QuackenbushLab/DASH",
        ),
        (["yeast", "--data", "absent"], "--data: absent is not a folder"),
        (["sim350", "--data", "."], "--data: sim350 is simulated; only yeast, breast and hema read files"),
        (["breast", "--data", ".", "--equations", "e.csv"], "--equations: breast is measured"),
        (["breast", "--data", ".", "--only", "genes-5"], "--only: unknown table 'genes-5'"),
    ],
)
def test_wrong_folders_are_one_line(arguments, message, dashjax, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, _, printed = dashjax("reproduce", *arguments, "--out", "out")
    assert code == 2
    assert message in printed
    assert printed.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.data
def test_the_public_yeast_subset_is_read(data_folder):
    (dataset,) = find_datasets(MEASURED_STUDIES["yeast"], data_folder / "yeast")
    data = read_dataset(dataset, data_folder / "yeast", MEASURED_STUDIES["yeast"])
    assert dataset.name == "genes-500"
    assert data.observed.expression.shape == data.test.expression.shape == (1, 24, 500)
    assert data.truth is None
    assert (np.asarray(data.prior.edges) == 0.5).sum() == 1146
    assert data.split(0).validation.n_trajectories == 2
