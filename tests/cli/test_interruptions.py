"""Ctrl-C, SIGTERM and SIGKILL at any moment: one line, gone within seconds, and the next call ends as if undisturbed.

`DASHJAX_KILLS=25 pytest -n0 tests/cli/test_interruptions.py -s` sends so many to each command, and prints what came of
them.
"""

import collections
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

KILLS = int(os.environ.get("DASHJAX_KILLS", "2"))
#: Seconds that a process may live after a signal.
PATIENCE = 5.0
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}
LINE = re.compile(r"\Adashjax: (interrupted|terminated)(; finished runs are kept, and the same command .*)?\n\Z")
#: What differs between two calls of the same: times, and memory.
MEASURED = ["seconds", "peak_memory_mib"]


def run(command):
    return subprocess.Popen(
        [sys.executable, "-m", "dashjax", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"},
    )


def finish(command):
    began = time.monotonic()
    process = run(command)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    return time.monotonic() - began


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    finish(["simulate", "--out", folder / "s", "--genes", 8, "--trajectories", 6, "--times", "0,1,3"])
    (folder / "g.yaml").write_text(
        "system: {kind: simulated, genes: 8}\nmethods: [dash, imp]\nseeds: 2\nepochs: 200\n"
        "hidden: 3\ntrajectories: {train: 4, validation: 2, test: 2, times: [0, 1, 3]}\n"
    )
    data = ["--expression", folder / "s" / "trajectories.csv", "--genes", folder / "s" / "genes.csv"]
    finish(["fit", *data, "--out", folder / "model", "--method", "dash", "--epochs", 2, "--hidden", 3])
    return folder


def command_of(name, files):
    given = ["--expression", files / "s" / "trajectories.csv", "--genes", files / "s" / "genes.csv"]
    return {
        "fit": [
            "fit",
            *given,
            "--prior",
            files / "s" / "prior.tsv",
            "--method",
            "dash",
            "--epochs",
            100,
            "--hidden",
            3,
            "--ensemble",
            3,
        ],  # fmt: skip
        "sweep": ["sweep", files / "g.yaml"],
        "perturb": ["perturb", files / "model", "--knock-out", "G1", "--starts", 2000],
    }[name]


def result_of(folder):
    """Return all tables of a folder, without what was measured."""
    tables = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.tsv")}
    read = {name: path.read_text() for name, path in tables.items()}
    read |= {path.name: pd.read_parquet(path) for path in folder.glob("results.parquet")}
    assert read
    return {
        name: table if isinstance(table, str) else table.drop(columns=MEASURED, errors="ignore").to_json()
        for name, table in read.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fit", "sweep", "perturb"])
def test_whatever_comes_and_when_the_result_is_the_same(name, files, tmp_path):
    moments, seen, slowest = random.Random(len(name)), collections.Counter(), 0.0
    command = command_of(name, files)
    calm, out = tmp_path / "calm", tmp_path / "disturbed"
    longest = finish([*command, "--out", calm])
    while sum(seen.values()) < KILLS:
        number, began = moments.choice(list(CODES)), time.monotonic()
        process = run([*command, "--out", out])
        try:
            process.communicate(timeout=moments.uniform(1.0, longest))
            # Finished before the signal came: once more from the beginning, and no later than this.
            longest = max(1.5, time.monotonic() - began)
            shutil.rmtree(out)
            continue
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        sent = time.monotonic()
        text, err = process.communicate(timeout=60)
        slowest = max(slowest, time.monotonic() - sent)
        if process.returncode == 0:  # it was just ending
            continue
        assert process.returncode == CODES[number], text + err
        assert number == signal.SIGKILL or LINE.match(err), err
        assert "Traceback" not in text + err
        seen[number.name] += 1
    finish([*command, "--out", out])
    print(f"\n{name}: {dict(seen)}, gone after {slowest:.2f} s at most")
    assert slowest < PATIENCE
    assert result_of(out) == result_of(calm)
    assert not [path for path in out.rglob(".*") if path.is_file()]
