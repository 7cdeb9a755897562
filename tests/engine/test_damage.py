"""Files that are read back are changed at random: every change is found or harmless, and never a traceback.

`DASHJAX_FUZZ=10000 pytest -n0 tests/engine/test_damage.py -s` changes each kind so often and prints what became of it.
"""

import collections
import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

from dashjax import InputError, load_network, make_prior
from dashjax.data import as_given
from dashjax.engine import Store, read_manifest
from dashjax.io import read_edges, read_gene_values, write_table
from dashjax.io.result_folder import claimed, published
from dashjax.io.sealed import write_json
from dashjax.networks import Network
from dashjax.networks.reference import edges_file
from dashjax.sweep.watch import describe_status

COUNT = int(os.environ.get("DASHJAX_FUZZ", "150"))


def arrays_of(seed):
    draws = np.random.default_rng(seed).normal(size=(2, 6)).astype(np.float32)
    return {"field_weight": draws[0], "curve": draws[1]}


def row_of(seed):
    return {"id": f"item{seed}", "method": "dash", "status": "finished", "aupr": seed / 7, "n_edges": float(seed)}


def fill(folder):
    """A store of three items in two chunks, and a row alone, as a sweep's folder."""
    store = Store(folder, "study", {"grid": {"seeds": [0, 1]}})
    store.write({f"item{n}": arrays_of(n) for n in (0, 1)}, [row_of(0), row_of(1)])
    store.write({"item2": arrays_of(2)}, [row_of(2)])
    store.write({}, [row_of(3)])
    store.log("start")
    store.log("run", id="item0")
    write_json(folder / "cells.json", {"methods": {f"item{n}": "dash" for n in range(4)}})
    return store


def read(folder):
    """Everything that a store holds; items that are missing are named, and what is held must be right."""
    store = Store(folder, "study", {"grid": {"seeds": [0, 1]}})
    rows = store.rows().set_index("id")
    for seed in range(4):
        if f"item{seed}" in rows.index:
            found = {name: value for name, value in rows.loc[f"item{seed}"].items() if name != "chunk"}
            assert found == {name: value for name, value in row_of(seed).items() if name != "id"}
        if f"item{seed}" in store:
            for name, array in arrays_of(seed).items():
                np.testing.assert_array_equal(store[f"item{seed}"][name], array)
    return len(rows)


def network_folder(folder):
    edges = pd.DataFrame({"source": ["a", "b"], "target": ["b", "c"], "weight": [0.5, -0.25]})
    ranking = np.eye(3, dtype=np.float32)[::-1]
    network = Network(("a", "b", "c"), as_given(3), make_prior(np.eye(3)), ranking=ranking)
    with claimed(folder, "fit", "f", "edges.tsv"), published(folder, "fit") as part:
        write_table(part / "edges.tsv", edges)
        network.save(part / "model.npz")
    with claimed(folder, "influence", "i", "influence.tsv"), published(folder, "influence") as part:
        write_table(part / "influence.tsv", pd.DataFrame({"gene": ["a", "b"], "influence": [0.5, 0.25]}))


def read_folder(folder):
    """Everything that is read back of a network's folder."""
    edges = read_edges(edges_file(folder)).to_csv(index=False)
    return load_network(folder).scores.tolist(), edges, read_gene_values(folder / "influence.tsv", "influence")


def change(rng, content, others):
    """Flip a bit, cut, repeat or overwrite a part, or put another file in its place."""
    data, place = bytearray(content), int(rng.integers(len(content)))
    what = rng.integers(6)
    if what <= 1:
        data[place] ^= 1 << int(rng.integers(8))
    elif what == 2:
        del data[place:]
    elif what == 3:
        data[place:place] = data[place : place + 20]
    elif what == 4:
        data[place : place + 8] = rng.integers(0, 256, 8, dtype=np.uint8).tobytes()
    else:
        data = bytearray(others[rng.integers(len(others))])
    return bytes(data)


def one_line(error, folder):
    return len(str(error).splitlines()) == 1 and str(folder) in str(error)


def test_no_change_of_a_store_passes_for_a_result(tmp_path, capsys):
    whole = tmp_path / "whole"
    fill(whole)
    files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file())
    contents = [(whole / path).read_bytes() for path in files]
    assert read(whole) == 4
    rng, became = np.random.default_rng(0), collections.Counter()
    for _ in range(COUNT):
        folder = tmp_path / "changed"
        shutil.copytree(whole, folder)
        at = rng.integers(len(files))
        (folder / files[at]).write_bytes(change(rng, contents[at], contents))
        try:
            describe_status(folder)
            read_manifest(folder)
        except InputError as error:
            assert one_line(error, tmp_path)  # noqa: PT017
        capsys.readouterr()
        try:
            there = read(folder)
            told = capsys.readouterr().out
            assert told.count("\n") == ("set aside" in told)
            assert there == 4 or "set aside" in told
            became["set aside" if told else "harmless"] += 1
        except InputError as error:
            assert "holds results of another study" in str(error)  # noqa: PT017
            became["refused"] += 1
        assert read(folder) <= 4
        # What was missing is written again, and all is as before.
        fill(folder)
        assert read(folder) == 4
        shutil.rmtree(folder)
    with capsys.disabled():
        print(f"\nstore: {dict(became)}")


@pytest.mark.parametrize("name", ["model.npz", "edges.tsv", "influence.tsv", "contents.json"])
def test_no_change_of_a_networks_folder_passes_for_it(name, tmp_path, capsys):
    network_folder(tmp_path / "n")
    path = tmp_path / "n" / name
    whole, others = path.read_bytes(), [p.read_bytes() for p in path.parent.iterdir()]
    before = read_folder(path.parent)
    rng, became = np.random.default_rng(0), collections.Counter()
    for _ in range(COUNT):
        changed = change(rng, whole, others)
        path.write_bytes(changed)
        try:
            assert read_folder(path.parent) == before
            became["the same" if changed == whole else "harmless"] += 1
        except InputError as error:
            assert one_line(error, tmp_path)  # noqa: PT017
            became["refused"] += 1
        assert name == "contents.json" or not became["harmless"]
    with capsys.disabled():
        print(f"\n{name}: {dict(became)}")


def test_chunks_of_an_earlier_version_are_repeated(tmp_path, capsys):
    fill(tmp_path)
    for path in (tmp_path / "chunks").glob("*.npz"):
        np.savez_compressed(path, id=np.array(["item0"]))
    assert read(tmp_path) == 0
    told = capsys.readouterr().out
    assert "and 2 more: damaged, or of an earlier version: set aside as *.damaged, its runs will be repeated" in told
    assert len(list((tmp_path / "chunks").glob("*.damaged"))) == 3


def test_a_chunk_damaged_after_it_was_opened_is_one_line(tmp_path):
    store = fill(tmp_path)
    (tmp_path / "chunks" / "item2-1.npz").write_bytes(b"gone")
    with pytest.raises(InputError, match="item2-1.npz: damaged .*the same command repeats its runs"):
        store["item2"]


def test_an_edited_row_is_not_a_result(tmp_path, capsys):
    """JSON whose values were changed is as damaged as JSON that cannot be parsed."""
    write_json(tmp_path / "manifest.json", {"fingerprint": "f"})
    content = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(content | {"fingerprint": "g"}))
    with pytest.raises(InputError, match="damaged, or of an earlier version"):
        read_manifest(tmp_path)
