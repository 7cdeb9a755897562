"""A sweep end to end on a system small enough to compile in seconds."""

import json
import os
import re
import socket
import subprocess
import sys

import jax
import numpy as np
import pandas as pd
import pytest

from dashjax import InputError, fit, generate_system, make_hyperparameters
from dashjax.engine import Store, read_manifest
from dashjax.engine.processes import join_processes
from dashjax.engine.program import Programs
from dashjax.engine.work import Chunk, missing_items
from dashjax.io import write_system
from dashjax.problems import simulate_files
from dashjax.report import write_results
from dashjax.simulate import make_system
from dashjax.sweep import PRIOR_ONLY, collect_sweep, make_cells, parse_grid, run_sweep, sweep
from dashjax.sweep.sweep import open_store
from dashjax.sweep.watch import describe_status

CONTENT = {
    "system": {"kind": "simulated", "genes": 10, "seed": 0},
    "trajectories": {"train": 4, "validation": 2, "test": 2, "times": [0, 1, 3]},
    "methods": ["dense", "dash"],
    "seeds": 2,
    "epochs": 12,
    "hidden": 3,
}
CONTRACT = (
    "method seed noise prior_corruption lambda_1 lambda_2 epochs sparsity balanced_accuracy precision aupr auroc "
    "aupr_outside_prior aupr_inside_prior test_mse validation_mse n_edges status"
).split()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep") / "out"
    seen = []
    grid = parse_grid(CONTENT)
    results = run_sweep(grid, folder, lambda p: seen.append((p.finished, p.trained)))
    rows = write_results(results, grid, "a test")
    return folder, grid, results, rows, seen


def test_results_keep_their_contract(finished):
    folder, _, _, rows, seen = finished
    table = pd.read_parquet(folder / "results.parquet")
    assert list(table.columns[: len(CONTRACT)]) == CONTRACT
    assert (table["method"] == PRIOR_ONLY).sum() == 2
    runs = table[table["method"] != PRIOR_ONLY]
    assert len(runs) == 4
    assert runs["status"].eq("finished").all()
    assert np.isfinite(runs[["sparsity", "aupr", "test_mse", "validation_mse"]]).all(axis=None)
    summary = json.loads((folder / "summary.json").read_text())
    assert [row["method"] for row in summary["rows"]] == ["dense", "dash", PRIOR_ONLY]
    dash = summary["rows"][1]
    assert dash["n_runs"] == 2
    expected = runs.loc[runs["method"] == "dash", "aupr"]
    assert dash["aupr"] == pytest.approx({"mean": expected.mean(), "sd": expected.std()})
    assert summary["rows"][2]["test_mse"] == {"mean": None, "sd": None}
    assert "jaxlib" in summary["provenance"]
    assert seen[-1] == (4, 48)
    for name in ("sparsity_accuracy", "training_curves", "effects", "precision_recall"):
        assert (folder / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    page = (folder / "report.html").read_text()
    assert page.count("data:image/png;base64") == 4
    assert "http" not in page.replace("http-equiv", "")  # self-contained
    assert rows == summary["rows"]


def test_finished_runs_are_not_repeated_and_a_larger_grid_adds_only_what_is_new(finished, tmp_path):
    folder, grid, results, _, _ = finished
    again = run_sweep(grid, folder)
    assert again.compilations == 0
    pd.testing.assert_frame_equal(again.table, results.table)
    seen = []
    more = run_sweep(parse_grid(CONTENT | {"seeds": [0, 1, 5]}), folder, seen.append)
    assert (seen[-1].skipped, seen[-1].runs) == (4, 2)
    assert len(more.table) == 6 + 3


def test_two_folders_hold_the_same_numbers(finished, tmp_path):
    _, grid, results, _, _ = finished
    other = run_sweep(grid, tmp_path / "other", workers=1)
    drop = ["seconds", "chunk"]
    pd.testing.assert_frame_equal(other.table.drop(columns=drop), results.table.drop(columns=drop))


def test_batches_agree_with_single_runs(finished, tmp_path):
    _, grid, results, _, _ = finished
    batched = run_sweep(grid, tmp_path / "batched", chunk=4)
    for column, tolerance in (("validation_mse", 1e-3), ("test_mse", 1e-3), ("sparsity", 1e-6), ("aupr", 0.02)):
        np.testing.assert_allclose(batched.table[column], results.table[column], rtol=tolerance, equal_nan=True)


def test_damaged_chunks_are_set_aside_and_repeated(finished, tmp_path, capsys):
    folder, grid, results, _, _ = finished
    victim = folder / "chunks" / f"{results.table['chunk'][0]}.npz"
    victim.write_bytes(victim.read_bytes()[:100])
    seen = []
    repaired = run_sweep(grid, folder, seen.append)
    assert seen[-1].runs == 1
    assert "damaged, or of an earlier version: set aside" in capsys.readouterr().out
    drop = ["seconds", "chunk"]
    pd.testing.assert_frame_equal(repaired.table.drop(columns=drop), results.table.drop(columns=drop))


def test_shards_cover_the_grid_once(finished, tmp_path):
    _, grid, results, _, _ = finished
    counts = []
    for index in (1, 2, 3):
        seen = []
        partial = run_sweep(grid, tmp_path / "shared", seen.append, shard=(index, 3))
        counts.append((seen[-1].runs, seen[-1].skipped))
    assert counts == [(2, 0), (1, 0), (1, 0)]
    drop = ["seconds", "chunk"]
    pd.testing.assert_frame_equal(partial.table.drop(columns=drop), results.table.drop(columns=drop))
    with pytest.raises(InputError, match="shard: 4/3 is out of range"):
        run_sweep(grid, tmp_path / "shared", shard=(4, 3))
    events = [json.loads(line) for line in (tmp_path / "shared" / "events.jsonl").read_text().splitlines()]
    assert [e["event"] for e in events].count("run") == 4
    # Half-way there, the status says so, and a report of what there is can be drawn.
    victim = next((tmp_path / "shared" / "chunks").glob("*.npz"))
    victim.unlink()
    assert describe_status(tmp_path / "shared")[2] == "all: 3/4 runs"
    rows = write_results(collect_sweep(grid, tmp_path / "shared"), grid, "partial")
    assert sum(row["n_runs"] for row in rows) == 3 + 2


def test_four_devices_agree_with_one(finished, tmp_path):
    _, grid, results, _, _ = finished
    script = (
        "from dashjax.sweep import parse_grid, run_sweep\n"
        "import jax\n"
        "assert len(jax.local_devices()) == 4\n"
        f"run_sweep(parse_grid({CONTENT!r}), {str(tmp_path / 'out')!r})\n"
    )
    flags = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=4"
    environment = os.environ | {"XLA_FLAGS": flags}
    subprocess.run([sys.executable, "-c", script], check=True, timeout=300, env=environment)
    rows = collect_sweep(grid, tmp_path / "out").table.dropna(subset=["id"]).set_index("id").sort_index()
    expected = results.table.dropna(subset=["id"]).set_index("id").sort_index()
    for column in ("validation_mse", "test_mse", "sparsity", "aupr"):
        np.testing.assert_allclose(rows[column], expected[column], rtol=1e-4)


def test_compiled_programs_need_no_communication(finished):
    _, _, results, _, _ = finished
    programs = Programs(jax.local_devices()[0], batched=True)
    cells = [cell for cell in results.cells.values() if cell.label == "dash"]
    programs.run(Chunk(tuple(item for cell in cells for item in missing_items(cell, {}))))
    assert len(programs.compiled()) == 3
    for compiled in programs.compiled():
        assert not re.search("all-reduce|all-gather|all-to-all|collective|reduce-scatter", compiled.as_text())


def test_another_study_is_refused(finished):
    folder, *_ = finished
    with pytest.raises(InputError, match="holds results of another study"):
        run_sweep(parse_grid(CONTENT | {"system": {"kind": "simulated", "genes": 11, "seed": 0}}), folder)


def test_unwritable_folders_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        Store(tmp_path / "file" / "out", "f", {})


def test_the_smallest_sweep_never_hangs(tmp_path):
    """Two workers in a fresh process: LAPACK inside jitted programs used to deadlock here."""
    script = (
        "from dashjax.sweep import parse_grid, run_sweep\n"
        f"run_sweep(parse_grid({CONTENT!r}), {str(tmp_path / 'out')!r}, workers=2)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=180)


def test_compiled_programs_call_no_lapack(split, prior, config):
    job = jax.vmap(lambda key: fit(key, split, prior, make_hyperparameters(), config))
    text = jax.jit(job).lower(jax.random.split(jax.random.key(0), 2)).as_text()
    assert "lapack" not in text


def test_a_full_disk_is_one_line_and_keeps_what_was_finished(finished, tmp_path):
    """The operating system refuses files above a size, as a full disk would."""
    folder, grid, results, _, _ = finished
    first = run_sweep(parse_grid(CONTENT | {"seeds": [0]}), tmp_path / "out", workers=1)
    script = (
        "import resource, signal\n"
        "from dashjax import InputError\n"
        "from dashjax.sweep import parse_grid, run_sweep\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "try:\n"
        f"    run_sweep(parse_grid({CONTENT!r}), {str(tmp_path / 'out')!r})\n"
        "except InputError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, timeout=180, capture_output=True, text=True)
    assert re.search("cannot be written .*what was finished is kept", done.stdout), done.stdout + done.stderr
    assert not [path for path in (tmp_path / "out" / "chunks").iterdir() if path.name.startswith(".")]
    # It was a chunk that did not fit, after training: the second sweep started, and never ended.
    events = [json.loads(line)["event"] for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    assert (events.count("start"), events.count("end")) == (2, 1)
    left = collect_sweep(grid, tmp_path / "out").table
    assert set(left["id"].dropna()) == set(first.table["id"].dropna())


def test_joined_processes_take_their_shares(finished, tmp_path):
    _, grid, results, _, _ = finished
    (tmp_path / "grid.yaml").write_text(json.dumps(CONTENT))
    command = [sys.executable, "-m", "dashjax.cli", "sweep", str(tmp_path / "grid.yaml"), "--distributed"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    shared = os.environ | {"JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": "2", "JAX_PLATFORMS": "cpu"}
    jobs = [
        subprocess.Popen([*command, "--out", str(tmp_path / "out")], env=shared | {"JAX_PROCESS_ID": str(index)})
        for index in range(2)
    ]
    assert [job.wait(timeout=300) for job in jobs] == [0, 0]
    events = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    assert sorted(e["shard"] for e in events if e["event"] == "start") == ["1/2", "2/2"]
    rows = collect_sweep(grid, tmp_path / "out").table.dropna(subset=["id"]).set_index("id").sort_index()
    expected = results.table.dropna(subset=["id"]).set_index("id").sort_index()
    pd.testing.assert_series_equal(rows["validation_mse"], expected["validation_mse"])


def test_no_job_to_join_is_one_line(monkeypatch):
    for name in ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="distributed: no job to join"):
        join_processes()


@pytest.fixture(scope="module")
def simulated_once():
    """Let grids of one system share it: simulating it takes seconds."""

    def remembered(function):
        known = {}

        def call(*arguments):
            key = tuple(map(repr, arguments))
            if key not in known:
                known[key] = function(*arguments)
            return known[key]

        return call

    with pytest.MonkeyPatch.context() as patched:
        for name in ("generate_system", "simulated_problem"):
            patched.setattr(f"dashjax.sweep.sweep.{name}", remembered(getattr(sweep, name)))
        yield


def identities(content):
    return [cell.identity for cell in make_cells(parse_grid(content))]


def test_the_order_of_genes_does_not_change_a_run(finished, tmp_path):
    system = generate_system(10, seed=0)
    order = np.random.default_rng(0).permutation(len(system.genes))
    found = []
    for name, positions in (("a", range(len(order))), ("b", order)):
        shuffled = make_system([system.genes[n] for n in positions], [system.equations[n] for n in positions])
        write_system(tmp_path / f"{name}.csv", shuffled)
        found.append(
            identities(CONTENT | {"system": {"kind": "equations", "equations": str(tmp_path / f"{name}.csv")}})
        )
    assert found[0] == found[1] == list(finished[2].cells)


def test_a_folder_takes_all_grids_of_its_data_and_configuration_and_no_others(simulated_once, tmp_path):
    prints = {}
    for name, change in {
        "first": {},
        "same": {"objective": "one_step", "noise": 0.3, "methods": ["imp"], "folds": 2, "epochs": 9, "seeds": [7]},
        "objective": {"objective": "whole_trajectory"},
        "field": {"field": "mlp"},
        "depth": {"field": "mlp", "hidden_layers": 2},
        "step": {"trajectories_per_step": 2},
        "times": {"trajectories": CONTENT["trajectories"] | {"times": [0, 1, 4]}},
    }.items():
        grid = parse_grid(CONTENT | change)
        open_store(grid, make_cells(grid), tmp_path / name)
        prints[name] = read_manifest(tmp_path / name)["fingerprint"]
    assert prints.pop("same") == prints["first"]
    assert len(set(prints.values())) == 6


def test_identity_depends_on_content_alone(simulated_once):
    first, second = (identities(CONTENT | {"methods": names}) for names in (["dense", "dash"], ["dash", "dense"]))
    assert first != second
    assert set(first) == set(second)
    assert len(set(first)) == 4
    # One λ of the two is the method's own, so that is the same run.
    listed = identities(CONTENT | {"methods": [{"name": "dash", "lambda_1": [0.05, 0.5]}]})
    assert set(listed) & set(first) == {identity for identity in listed[::2]}
    assert not set(identities(CONTENT | {"trajectories": {"train": 4, "validation": 2, "test": 1}})) & set(first)


def test_nothing_finished_can_be_reported(tmp_path):
    grid = parse_grid(CONTENT)
    rows = write_results(collect_sweep(grid, tmp_path / "empty"), grid, "nothing yet")
    assert [row["method"] for row in rows] == [PRIOR_ONLY]
    assert describe_status(tmp_path / "empty") == ["dense: 0/2 runs", "dash: 0/2 runs", "all: 0/4 runs"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two priors, one half wrong, and expression of one system as `dashjax simulate` writes them."""
    folder = tmp_path_factory.mktemp("files")
    for name, moved in (("a", 0.0), ("b", 0.5)):
        corruption = {"relocate": moved, "drop": 0.0, "add": 0.0, "flip": 0.0}
        simulate_files(folder / name, 10, 0, 6, "0,1,3", 0.01, corruption, None, None, None)
    data = {
        "expression": str(folder / "a" / "trajectories.csv"),
        "genes": str(folder / "a" / "genes.csv"),
        "truth": str(folder / "a" / "truth.tsv"),
        "prior": [str(folder / "a" / "prior.tsv"), str(folder / "b" / "prior.tsv")],
        "validation": 0.3,
    }
    return {"data": data, "methods": ["dash"], "seeds": 2, "epochs": 12, "hidden": 3}


def test_samples_at_rest_and_interventions_go_with_every_expression(files, tmp_path):
    (tmp_path / "rest.csv").write_text(f"sample,{','.join(f'G{n}' for n in range(1, 11))}\nout{',0.5' * 10}\n")
    (tmp_path / "done.csv").write_text("sample,gene,kind\nout,G2,KO\n")
    experiments = {"steady": str(tmp_path / "rest.csv"), "interventions": str(tmp_path / "done.csv")}
    cells = make_cells(parse_grid(files | {"data": files["data"] | experiments}))
    assert len(cells) == 4
    for cell in cells:
        assert cell.problem.samples == ("out",)
        assert np.argwhere(cell.problem.rest.acting.touched)[:, 1].tolist() == [cell.problem.genes.index("G2")]


def test_a_grid_of_ones_own_files_runs_resumes_and_reports(files, tmp_path):
    grid, seen = parse_grid(files), []
    results = run_sweep(grid, tmp_path / "out", seen.append)
    assert (seen[-1].runs, seen[-1].finished) == (4, 4)
    runs = results.table[results.table["method"] == "dash"]
    assert runs["data"].eq("trajectories.csv").all()
    assert runs["status"].eq("finished").all()
    # Both priors are called prior.tsv, and are not the same.
    assert runs.groupby("prior").size().to_dict() == {"a/prior.tsv": 2, "b/prior.tsv": 2}
    assert runs["id"].nunique() == 4
    assert runs["aupr"].notna().all()
    bars = results.table[results.table["method"] == PRIOR_ONLY]["aupr"]
    assert bars.max() == pytest.approx(1)
    assert bars.min() < 0.9

    again = run_sweep(grid, tmp_path / "out", seen.append)
    assert (seen[-1].runs, seen[-1].skipped) == (0, 4)
    pd.testing.assert_frame_equal(again.table, results.table)

    both = files["data"]["prior"]
    more = parse_grid(files | {"data": files["data"] | {"prior": [*both, both, None]}})
    wider = run_sweep(more, tmp_path / "out", seen.append)
    assert (seen[-1].runs, seen[-1].skipped) == (4, 4)
    rows = write_results(wider, more, "my files")
    assert {row["prior"] for row in rows} == {"a/prior.tsv", "b/prior.tsv", "a/prior.tsv + b/prior.tsv", "none"}
    assert (tmp_path / "out" / "figures" / "precision_recall.png").exists()
    assert "trajectories.csv: 10 genes, 6 trajectories" in (tmp_path / "out" / "report.html").read_text()


def test_a_grid_of_files_without_a_truth_has_no_scores_but_errors(files, tmp_path):
    data = {key: value for key, value in files["data"].items() if key != "truth"}
    grid = parse_grid(files | {"data": data, "folds": 2, "seeds": 1})
    results = run_sweep(grid, tmp_path / "out")
    assert results.table["aupr"].isna().all()
    assert results.table["validation_mse"].gt(0).all()
    assert results.table["test_mse"].isna().all()
    assert sorted(results.table["fold"]) == [1, 1, 2, 2]
    rows = write_results(results, grid, "no truth")
    assert rows[0]["aupr"] == {"mean": None, "sd": None}
    assert rows[0]["n_edges"]["mean"] > 0
    assert not (tmp_path / "out" / "figures" / "precision_recall.png").exists()


def test_folds_hold_out_different_parts_of_ones_own_data(files):
    cells = make_cells(parse_grid(files | {"folds": 3, "seeds": 1}))
    held = [cell.problem.rows(cell.seed, cell.fold)[1].tolist() for cell in cells[:3]]
    assert sorted(sum(held, [])) == list(range(6))


def test_a_prior_that_names_other_genes_is_one_line(files, tmp_path):
    (tmp_path / "other.csv").write_text("source,target\nG1,ELSEWHERE\n")
    data = files["data"] | {"prior": str(tmp_path / "other.csv")}
    with pytest.raises(InputError, match="ELSEWHERE"):
        make_cells(parse_grid(files | {"data": data}))
    (cell,) = make_cells(parse_grid(files | {"data": data | {"match": "union", "truth": None}, "seeds": 1}))
    assert "ELSEWHERE" in cell.problem.genes
