import io
import json
import zipfile

import jax
import numpy as np
import pytest

from dashjax import Direct, InputError, Phoenix
from dashjax.networks.network_file import load_model, save_model


def test_models_round_trip_and_damage_is_named(tmp_path):
    field = Phoenix.init(jax.random.key(0), 5, 2)
    save_model(tmp_path / "m.npz", field, ["a", "b", "c", "d", "e"])
    again, genes = load_model(tmp_path / "m.npz")
    assert genes == ("a", "b", "c", "d", "e")
    jax.tree.map(np.testing.assert_array_equal, field, again)
    whole = (tmp_path / "m.npz").read_bytes()
    (tmp_path / "m.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a dashjax model"):
        load_model(tmp_path / "m.npz")
    with pytest.raises(InputError, match="no such file"):
        load_model(tmp_path / "absent.npz")


def with_entry(path, name, content):
    """Replace one entry of a model by other bytes."""
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, old in entries.items():
            archive.writestr(entry, content if entry == name else old)


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array))
    return file.getvalue()


@pytest.mark.parametrize(
    ("entry", "content", "message"),
    [
        (
            "header.npy",
            npy(json.dumps({"format": 99, "field": "phoenix", "genes": []})),
            "format 99, this version reads 1",
        ),
        ("header.npy", npy(json.dumps({"format": 1, "field": "other", "genes": []})), "not a dashjax model"),
        ("header.npy", npy(json.dumps({"format": 1, "field": "phoenix", "genes": ["a"]})), "arrays are not those of 1"),
        ("header.npy", npy(json.dumps([1])), "not a dashjax model"),
        ("gene_multiplier.npy", npy(np.array(["x"])), "an array holds no numbers"),
        ("gene_multiplier.npy", b"not an array", "not a dashjax model"),
        (
            "gene_multiplier.npy",
            npy(np.zeros(5)).replace(b"(5,), }" + 12 * b" ", b"(9999999999999,), }"),
            "larger than any model's",
        ),
    ],
)
def test_models_of_another_kind_are_refused_before_anything_is_unpacked(tmp_path, entry, content, message):
    save_model(tmp_path / "m.npz", Phoenix.init(jax.random.key(0), 5, 2), list("abcde"))
    with_entry(tmp_path / "m.npz", entry, content)
    with pytest.raises(InputError, match=message):
        load_model(tmp_path / "m.npz")


def test_a_model_of_some_regulators_keeps_which(tmp_path):
    field = Direct.init(jax.random.key(0), 5, (1, 3))
    save_model(tmp_path / "m.npz", field, list("abcde"))
    again, _ = load_model(tmp_path / "m.npz")
    assert again.regulators == (1, 3)
    np.testing.assert_array_equal(again.weight, field.weight)
    with_entry(tmp_path / "m.npz", "regulators.npy", npy(np.array([1, 7])))
    with pytest.raises(InputError, match=r"not a dashjax model \(a regulator is none of the genes\)"):
        load_model(tmp_path / "m.npz")
    with_entry(tmp_path / "m.npz", "regulators.npy", npy(np.array([3, 1])))
    with pytest.raises(InputError, match="regulators are not increasing numbers"):
        load_model(tmp_path / "m.npz")
