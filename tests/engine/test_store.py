"""The results folder: whole files or none, and no litter."""

import os
import platform
import subprocess
import sys

import pytest

from dashjax.engine import Store
from dashjax.io import write_atomically


def test_temporary_files_of_killed_processes_are_removed_and_of_running_ones_kept(tmp_path):
    Store(tmp_path / "out", "f", {"grid": {}})
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    host = platform.node()
    left = tmp_path / "out" / "chunks" / f".a-1.npz.{host}.{dead.pid}"
    mine = tmp_path / "out" / "chunks" / f".b-1.npz.{host}.{os.getpid()}"
    other = tmp_path / "out" / "chunks" / f".c-1.npz.another{host}.{dead.pid}"
    for path in (left, mine, other):
        path.write_bytes(b"half")
    Store(tmp_path / "out", "f", {"grid": {}})
    assert not left.exists()
    assert mine.exists()
    assert other.exists()


def test_a_write_that_fails_leaves_nothing(tmp_path):
    def fail(path):
        path.write_text("half")
        raise RuntimeError

    (tmp_path / "file").write_text("before")
    with pytest.raises(RuntimeError):
        write_atomically(tmp_path / "file", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "before"
