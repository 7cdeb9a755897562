import os

import pandas as pd
import pytest

from dashjax import InputError
from dashjax.io import check_writable, make_folder, read_edges, write_atomically, write_table

EDGES = pd.DataFrame({"source": ["A"], "target": ["B"], "weight": [0.1]})


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path):
    def fail(path):
        path.write_text("half")
        raise RuntimeError

    (tmp_path / "file").write_text("before")
    with pytest.raises(RuntimeError):
        write_atomically(tmp_path / "file", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "before"


def test_a_table_is_whole_or_as_it_was(tmp_path, monkeypatch):
    write_table(tmp_path / "e.tsv", EDGES)

    def half(self, path, **_):
        path.write_text("source\n")
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_csv", half)
    with pytest.raises(InputError, match=r"e.tsv: cannot be written \(disk full\)"):
        write_table(tmp_path / "e.tsv", EDGES)
    pd.testing.assert_frame_equal(read_edges(tmp_path / "e.tsv"), EDGES)
    assert [path.name for path in tmp_path.iterdir()] == ["e.tsv"]


def test_a_table_is_compressed_by_its_own_name(tmp_path):
    write_table(tmp_path / "e.tsv.gz", EDGES)
    assert (tmp_path / "e.tsv.gz").read_bytes()[:2] == b"\x1f\x8b"
    pd.testing.assert_frame_equal(read_edges(tmp_path / "e.tsv.gz"), EDGES)


def test_a_folder_that_can_be_written_is_not_made_by_asking(tmp_path):
    check_writable(tmp_path)
    check_writable(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())
    make_folder(tmp_path / "a" / "b")
    check_writable(tmp_path / "a" / "b")
    assert not list((tmp_path / "a" / "b").iterdir())


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=r"cannot be written \(.*file is not a folder\)") as caught:
            check_writable(folder)
        assert str(caught.value).startswith(f"{folder}: ")
        with pytest.raises(InputError, match="cannot be written"):
            make_folder(folder)


def test_a_folder_that_takes_no_file_says_why(tmp_path, monkeypatch):
    def refuse(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("dashjax.io.files.tempfile.NamedTemporaryFile", refuse)
    with pytest.raises(InputError, match=r"out: cannot be written \(Read-only file system\)"):
        check_writable(tmp_path / "out")


def test_a_pipe_or_device_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe: cannot be written \\(not a regular file\\)"):
        write_atomically(tmp_path / "pipe", lambda part: part.write_text("x"))
    assert (tmp_path / "pipe").is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
