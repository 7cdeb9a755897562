"""Where results go and where lines go: disks that are full, outputs that take nothing, terminals of few characters."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from dashjax import InputError, Network, PhoenixSpec, load_network, make_prior
from dashjax.data import as_given
from dashjax.evidence import EdgePosterior, EnsemblePosterior
from dashjax.io import read_network, read_tidy
from dashjax.io.result_folder import read_record
from dashjax.problems import check_files, read_problem
from dashjax.problems.benchmarks import load_problems
from dashjax.sweep import load_grid, parse_grid

GRID = {"system": {"kind": "simulated", "genes": 10}, "methods": ["dash"]}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A saved network of three genes in a chain."""
    import jax

    folder = tmp_path_factory.mktemp("fit")
    fields = jax.tree.map(lambda leaf: leaf[None], PhoenixSpec(2).init(jax.random.key(0), 3))
    believed = np.eye(3, k=1)
    mixture = EdgePosterior(believed, believed, 0 * believed, believed, np.zeros(3), np.ones(3))
    posterior = EnsemblePosterior(mixture, believed, believed)
    network = Network(("A", "B", "C"), as_given(3), make_prior(np.eye(3)), None, PhoenixSpec(2), fields, posterior)
    network.save(folder / "model.npz")
    return folder


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "run.json")
    return {path.relative_to(folder): path.read_bytes() for path in files}


def test_perturbations_share_a_folder_and_none_replaces_another_unless_it_is_told_to(fitted, tmp_path, dashjax):
    command = ["perturb", fitted, "--out", tmp_path / "o"]
    assert dashjax(*command, "--knock-out", "A", "--starts", 3)[0] == 0
    first = contents(tmp_path / "o")
    assert Path("A_out/response.tsv") in first
    assert dashjax(*command, "--over-express", "B=1.5", "--knock-out", "A", "--starts", 3)[0] == 0
    both = contents(tmp_path / "o")
    assert {path.parts[0] for path in both} == {"A_out", "A_out,B_held_1.5", "contents.json"}
    assert {path: both[path] for path in first if path.name != "contents.json"} == {
        path: content for path, content in first.items() if path.name != "contents.json"
    }
    # The same perturbation from other starts is another result.
    code, _, err = dashjax(*command, "--knock-out", "A", "--starts", 4)
    assert code == 2
    assert "holds another result (dashjax perturb" in err
    assert err.count("\n") == 1
    assert contents(tmp_path / "o") == both
    assert dashjax(*command, "--knock-out", "A", "--starts", 3)[0] == 0
    assert contents(tmp_path / "o") == both
    assert dashjax(*command, "--knock-out", "A", "--starts", 4, "--force")[0] == 0
    again = contents(tmp_path / "o")
    assert again[Path("A_out/response.tsv")] != both[Path("A_out/response.tsv")]
    assert again[Path("A_out,B_held_1.5/response.tsv")] == both[Path("A_out,B_held_1.5/response.tsv")]
    assert set(read_record(tmp_path / "o")) == {"perturb A_out", "perturb A_out,B_held_1.5"}


@pytest.mark.parametrize("after", range(8))
def test_a_disk_that_fills_up_at_any_file_is_one_line_and_leaves_no_half(fitted, tmp_path, dashjax, monkeypatch, after):
    replace, left = Path.replace, [after]

    def full(self, target):
        left[0] -= 1
        if left[0] < 0 and "perturb" in str(self):
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    code, _, err = dashjax("perturb", fitted, "--knock-out", "A", "--starts", 3, "--out", tmp_path / "o")
    if code == 0:
        assert after == 7
        return
    assert code == 2
    assert "cannot be written (No space left on device)" in err
    assert err.count("\n") == 1
    monkeypatch.undo()
    if (tmp_path / "o").exists():
        assert not [path for path in (tmp_path / "o").rglob(".*") if path.is_file()]


@pytest.mark.parametrize("out", ["/proc/nothing", "/dev/null/below"])
def test_places_that_take_no_file_are_refused_before_the_work(fitted, dashjax, monkeypatch, out):
    monkeypatch.setattr("dashjax.networks.Network.respond", lambda *_, **__: pytest.fail("worked first"))
    code, _, err = dashjax("perturb", fitted, "--knock-out", "A", "--out", out)
    assert code == 2
    assert "cannot be written" in err
    assert err.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_output_that_is_full_closed_or_ascii_is_no_traceback():
    command = f"{sys.executable} -m dashjax methods"
    found = {}
    for name, shell in {
        "full": f"{command} > /dev/full",
        "closed": f"{command} >&-",
        "ascii": f"PYTHONIOENCODING=ascii {command}",
        "cp1252": f"PYTHONIOENCODING=cp1252 {command}",
    }.items():
        done = subprocess.run(shell, shell=True, capture_output=True, text=True, timeout=120, errors="replace")
        found[name] = done.returncode
        assert "Traceback" not in done.stderr, done.stderr
        assert done.stderr.count("\n") <= 1
    assert found == {"full": 2, "closed": 0, "ascii": 0, "cp1252": 0}


def test_a_pipe_is_read_once_and_whole(tmp_path):
    edges = "source\ttarget\tweight\n" + "".join(f"T{n}\tG{n}\t0.5\n" for n in range(20_000))
    os.mkfifo(tmp_path / "p")
    writer = threading.Thread(target=(tmp_path / "p").write_text, args=(edges,), daemon=True)
    writer.start()
    assert len(read_network(tmp_path / "p").weights) == 20_000
    assert len(read_network(tmp_path / "p").weights) == 20_000


@pytest.mark.parametrize("read", [load_grid, read_network, load_network, read_tidy])
def test_a_device_without_end_is_refused_at_once(read):
    with pytest.raises(InputError, match="/dev/zero: "):
        read("/dev/zero")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": 200_000_000}, "200,000,000 seeds, more than 1,000,000"),
        ({"seeds": 100_000, "noise": [n / 1000 for n in range(1, 100)]}, "9,900,000 runs, more than 1,000,000"),
        ({"seeds": [0, 1, 0]}, "seed 0 appears twice"),
    ],
)
def test_grids_that_cannot_be_meant_are_refused_before_they_are_expanded(change, message):
    with pytest.raises(InputError, match=message):
        parse_grid(GRID | change)


def test_deep_nesting_is_no_recursion(tmp_path):
    (tmp_path / "g.yaml").write_text("[" * 5000)
    with pytest.raises(InputError, match="not valid YAML"):
        load_grid(tmp_path / "g.yaml")


def frame(rows):
    return "trajectory,time,GATA1,TAL1\n" + "".join(f"{row}\n" for row in rows)


def test_data_that_say_nothing_are_refused_and_odd_ones_doubted(tmp_path):
    path, prior = tmp_path / "e.csv", tmp_path / "p.csv"
    path.write_text(frame(["a,0,1,2", "a,1,1,2", "b,0,1,2", "b,1,1,2"]))
    with pytest.raises(InputError, match="e.csv: no gene ever changes"):
        read_problem(path)
    assert [f.text for f in check_files(path) if f.level == "error"] == [
        "no gene ever changes, so nothing can be learnt from it"
    ]
    path.write_text(frame(["a,0,1,2", "a,1,2,3", "b,0,1,2", "b,1000000,3,1"]))
    assert any("are all their times in one unit?" in f.text for f in check_files(path) if f.level == "warning")
    prior.write_text("source,target\ngata1,tal1\n")
    warnings = [f.text for f in check_files(path, prior, match="union") if f.level == "warning"]
    assert any("2 differ only in case ('gata1' is 'GATA1' there)" in text for text in warnings)


def test_a_number_in_a_name_is_wanted_whole(monkeypatch):
    names = ["simulated 100, noise 0.025", "simulated 1000, noise 0.025", "simulated 100, disturbed"]
    monkeypatch.setitem(
        load_problems.__globals__["DATASETS"], "ours", lambda folder: [(name, lambda n=name: n) for name in names]
    )
    assert load_problems("ours", Path(), only="100") == [names[0], names[2]]
    assert load_problems("ours", Path(), only="simulated 1") == names


@pytest.mark.parametrize("to", ["tsv", "csv", "beeline", "decoupler", "parquet", "graphml"])
def test_export_writes_over_a_file_only_when_told_to(to, tmp_path, dashjax):
    (tmp_path / "e.tsv").write_text("source\ttarget\tweight\nA\tB\t0.5\n")
    (tmp_path / "mine").write_text("mine")
    command = ["export", tmp_path / "e.tsv", "--to", to, "--out"]
    code, _, err = dashjax(*command, tmp_path / "mine")
    assert (code, err) == (
        2,
        f"dashjax: {tmp_path / 'mine'}: exists; choose another name, or --force to write over it\n",
    )
    assert (tmp_path / "mine").read_text() == "mine"
    assert dashjax(*command, tmp_path / "mine", "--force")[0] == 0
    assert (tmp_path / "mine").read_bytes() not in (b"", b"mine")
    code, _, err = dashjax(*command, tmp_path, "--force")
    assert (code, err) == (2, f"dashjax: {tmp_path}: exists; choose another name\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.tsv", "mine"]
