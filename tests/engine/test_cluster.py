"""A sweep on a real Ray cluster of two nodes, one of which is killed while it works."""

import os
import signal
import subprocess
import sys
import threading
import time

import pandas as pd
import psutil
import pytest

from dashjax import InputError
from dashjax.engine.cluster import connect
from dashjax.sweep import parse_grid, run_sweep

RAY = [os.path.join(os.path.dirname(sys.executable), "ray")]
PORT = 26379
CONTENT = {
    "system": {"kind": "simulated", "genes": 10, "seed": 0},
    "trajectories": {"train": 4, "validation": 2, "test": 2, "times": [0, 1, 3]},
    "methods": ["dense", "dash"],
    "seeds": 6,
    "epochs": 12,
    "hidden": 3,
}


def processes(word):
    """Return running Ray node managers."""
    return [p for p in psutil.process_iter(["name"]) if p.info["name"] == word]


def start_node(*arguments):
    command = [*RAY, "start", *arguments, "--num-cpus", "1", "--object-store-memory", "80000000"]
    subprocess.run([*command, "--disable-usage-stats"], check=True, timeout=120, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def cluster():
    pytest.importorskip("ray")
    if processes("raylet"):
        pytest.skip("another Ray cluster runs on this machine")
    start_node("--head", "--port", str(PORT), "--include-dashboard", "false")
    head = {p.pid for p in processes("raylet")}
    try:
        start_node("--address", f"127.0.0.1:{PORT}")
        (second,) = [p for p in processes("raylet") if p.pid not in head]
        yield f"127.0.0.1:{PORT}", second
    finally:
        subprocess.run([*RAY, "stop", "--force"], check=False, timeout=60, stdout=subprocess.DEVNULL)


def test_no_cluster_is_one_line(monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if processes("raylet"):
        pytest.skip("a Ray cluster runs on this machine")
    with pytest.raises(InputError, match=r"executor: no Ray cluster to reach .*ray start --head"):
        connect(None)


def test_no_ray_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"executor: Ray is not installed; pip install 'dashjax\[ray\]'"):
        connect(None)


@pytest.mark.slow
def test_a_node_dies_and_nothing_is_lost(cluster, tmp_path):
    address, second = cluster
    grid = parse_grid(CONTENT)
    progress, killed = [], threading.Event()

    def kill_when_half_way(now):
        progress.append(now.finished)
        if now.finished >= 4 and not killed.is_set():
            killed.set()
            for process in [*second.children(recursive=True), second]:
                process.send_signal(signal.SIGKILL)

    results = run_sweep(grid, tmp_path / "ray", kill_when_half_way, executor="ray", ray_address=address)
    assert killed.is_set()
    assert progress[-1] == 12
    expected = run_sweep(grid, tmp_path / "local")
    drop = ["seconds", "chunk"]
    pd.testing.assert_frame_equal(results.table.drop(columns=drop), expected.table.drop(columns=drop))
    # What is finished is not sent out again.
    began = time.monotonic()
    seen = []
    run_sweep(grid, tmp_path / "ray", seen.append, executor="ray", ray_address=address)
    assert (seen[-1].runs, seen[-1].skipped) == (0, 12)
    assert time.monotonic() - began < 60
