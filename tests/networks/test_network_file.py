"""Networks come back from their files as they were, and damaged files are named."""

import io
import json
import zipfile
from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from dashjax import (
    DirectSpec,
    EdgePosterior,
    FitConfig,
    InputError,
    Network,
    PhoenixSpec,
    combine_priors,
    load_network,
    make_prior,
    make_problem,
    make_trajectories,
)
from dashjax.data import Finding, Production, Units
from dashjax.dynamics import PerceptronSpec
from dashjax.dynamics.field import AbstractField, AbstractSpec
from dashjax.evidence import EnsemblePosterior
from dashjax.inference import infer
from dashjax.io.sealed import seal
from dashjax.questions import Measured

GENES = ("a", "b", "c", "d", "e")
UNITS = Units(jnp.asarray(2.0), jnp.arange(5.0), 1 + jnp.arange(5.0))


def fields_of(spec, members=2):
    return jax.vmap(lambda key: spec.init(key, 5))(jax.random.split(jax.random.key(0), members))


def posterior(seed=0):
    draws = np.random.default_rng(seed).uniform(size=(6, 5, 5)).astype(np.float32)
    return EnsemblePosterior(EdgePosterior(*draws[:4], np.arange(3.0), np.arange(5.0)), draws[4], draws[5])


def measured(seed=0):
    """What two interventions did."""
    draws = jnp.asarray(np.random.default_rng(seed).normal(size=(10, 5)), jnp.float32)
    return Measured(draws[0], draws[1], draws[2:4], draws[4:6], Production(draws[6:8], draws[8:]))


def network(**parts):
    """A network with something of everything."""
    first, second = np.zeros((2, 5, 5))
    first[1, 0], second[3, 2], second[1, 0] = 0.5, -1.0, 0.25
    whole = {
        "prior": combine_priors([make_prior(first), make_prior(second)]),
        "regulators": (1, 3),
        "spec": DirectSpec((1, 3)),
        "fields": fields_of(DirectSpec((1, 3))),
        "posterior": posterior(),
        "precision": 0.8,
        "curves": {"train_error": np.array([1.0, 0.5, np.nan]), "pruned": np.zeros(3)},
        "how": {"method": "ours", "seed": 3, "strength": None, "trust": [0.1, 0.2]},
        "findings": (Finding("warning", "here", "something"),),
        "measured": measured(),
        "floor": np.random.default_rng(1).normal(size=5).astype(np.float32),
    }
    return Network(GENES, UNITS, **(whole | parts))


def assert_same(ours, theirs):
    for name in ("genes", "regulators", "spec", "precision", "how", "findings"):
        np.testing.assert_equal(getattr(ours, name), getattr(theirs, name))  # NaN is NaN
    assert list(ours.curves) == list(theirs.curves)
    for name in ("units", "prior", "fields", "posterior", "ranking", "curves", "measured", "floor"):
        parts = jax.tree.leaves_with_path(getattr(ours, name)), jax.tree.leaves_with_path(getattr(theirs, name))
        assert [path for path, _ in parts[0]] == [path for path, _ in parts[1]]
        for (_, a), (_, b) in zip(*parts, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"regulators": None, "spec": PhoenixSpec(2), "fields": fields_of(PhoenixSpec(2), 1), "posterior": None},
        {"regulators": None, "spec": PerceptronSpec(3), "fields": fields_of(PerceptronSpec(3), 1), "posterior": None},
        # As a rival leaves it.
        {
            "spec": None,
            "fields": None,
            "posterior": None,
            "ranking": np.eye(5, dtype=np.float32)[::-1],
            "curves": {},
            "measured": None,
            "floor": None,
        },  # fmt: skip
    ],
)
def test_a_network_comes_back_as_it_was(tmp_path, parts):
    saved = network(**parts)
    saved.save(tmp_path / "n.npz")
    again = load_network(tmp_path / "n.npz")
    assert_same(again, saved)
    pd.testing.assert_frame_equal(again.edges, saved.edges)
    assert [path.name for path in tmp_path.iterdir()] == ["n.npz"]
    (tmp_path / "n.npz").rename(tmp_path / "model.npz")
    assert load_network(str(tmp_path)).genes == GENES  # by its folder, too


class Gain(eqx.Module):
    """A module inside a field."""

    factor: jax.Array


class Scaled(AbstractField):
    """dg/dt = scale ⊙ W g − rate ⊙ g; a user's own field, part of it in a module of its own."""

    weight: jax.Array
    gain: Gain
    rates: dict

    def regulation(self, expression):
        return self.gain.factor * (expression @ self.weight[0].T)

    def decay(self):
        return jax.nn.relu(self.rates["decay"])

    def layers(self):
        return (self.weight,)

    def with_layers(self, layers):
        return eqx.tree_at(lambda f: f.weight, self, layers[0])

    def effective_layers(self):
        return ((self.decay() * self.gain.factor)[:, None] * self.weight,)

    def magnitudes(self):
        return (jnp.abs(self.weight) / jnp.abs(self.weight).sum(),)


@dataclass(frozen=True)
class ScaledSpec(AbstractSpec):
    """How to build it."""

    size: float = 0.1

    def init(self, key, genes):
        weight = self.size * jax.random.normal(key, (1, genes, genes))
        return Scaled(weight, Gain(jnp.ones(genes)), {"decay": jnp.full(genes, 0.5)})


@pytest.mark.parametrize("spec", [ScaledSpec(0.2), PerceptronSpec(4)])
def test_fields_of_any_kind_are_fitted_saved_and_loaded(tmp_path, spec):
    courses = np.random.default_rng(0).uniform(size=(6, 3, 5))
    problem = make_problem(make_trajectories([[0.0, 1.0, 2.0]] * 6, list(courses)), GENES)
    fitted = infer(problem, "dash", epochs=2, config=FitConfig(field=spec))
    fitted.save(tmp_path / "n.npz")
    again = load_network(tmp_path / "n.npz")
    assert_same(again, fitted)
    assert type(again.field) is type(fitted.field)
    assert again.how["status"] == "finished"
    pd.testing.assert_frame_equal(again.predict([0, 1, 2], courses[0, :1]), fitted.predict([0, 1, 2], courses[0, :1]))


def with_entry(path, name, content):
    """Replace one entry of a file by other bytes, or leave it out."""
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    assert name in entries
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, old in entries.items():
            if entry != name or content is not None:
                archive.writestr(entry, content if entry == name else old)
    path.write_bytes(seal(changed.getvalue()))


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array))
    return file.getvalue()


def header_of(path):
    with np.load(path) as archive:
        return json.loads(str(archive["header"]))


DIRECT = "dashjax.dynamics.direct.DirectSpec"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "n.npz: format 99 of a network, this version reads 2"),
        (
            {"spec": {"kind": "theirs.Spec"}},
            "of a kind, theirs.Spec, that is not defined here; import its module first",
        ),
        ({"spec": {"kind": DIRECT, "regulators": [1, 3], "run": "os"}}, "not a dashjax network"),
        ({"spec": {"kind": DIRECT, "regulators": [0, 1, 3]}}, r"weight has shape \(2, 2, 5, 2\), expected \(2, 5, 3\)"),
        ({"genes": ["a"], "regulators": None}, "units are not those of 1 genes"),
        ({"genes": 7}, "not a dashjax network"),
        ({"regulators": [1, 7]}, "regulators are not increasing numbers"),
        ({"regulators": [3, 1]}, "regulators are not increasing numbers"),
        ({"curves": ["absent"]}, "not a dashjax network"),
        ({"findings": [{"level": "note"}]}, "not a dashjax network"),
    ],
)
def test_a_header_that_does_not_fit_is_one_line(tmp_path, change, message):
    path = tmp_path / "n.npz"
    network().save(path)
    with_entry(path, "header.npy", npy(json.dumps(header_of(path) | change)))
    with pytest.raises(InputError, match=message) as caught:
        load_network(path)
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("entry", "content", "message"),
    [
        ("header", npy(json.dumps([1])), "not a dashjax network"),
        ("header", npy("{"), "not a dashjax network"),
        ("header", None, "not a dashjax network"),
        ("field_weight", None, "not a dashjax network"),
        ("field_gene_multiplier", npy(np.array(["x"])), "an array holds no numbers"),
        ("field_gene_multiplier", b"not an array", "not a dashjax network"),
        (
            "field_gene_multiplier",
            npy(np.zeros(5)).replace(b"(5,), }" + 12 * b" ", b"(9999999999999,), }"),
            "its arrays are larger than they can be",
        ),
        ("field_gene_multiplier", npy(np.zeros((2, 4))), "has shape"),
        ("field_gene_multiplier", npy(np.zeros((3, 5))), "different numbers of members"),
        ("posterior_probability", npy(np.zeros((4, 4))), "is not that of 5 genes"),
        ("posterior_spread", npy(np.zeros((4, 4))), "is not that of 5 genes"),
        ("frequency", npy(np.zeros(5)), "is not that of 5 genes"),
        ("posterior_effect", None, "not a dashjax network"),
        ("prior0_targets", npy(np.array([9])), "not a dashjax network"),
        ("units_scale", npy(np.ones(4)), "units are not those of 5 genes"),
        ("floor", npy(np.ones(4)), "floor is not that of 5 genes"),
        ("measured_usual", npy(np.ones((2, 5))), "what was measured at rest is not that of 5 genes"),
        ("measured_levels", npy(np.ones((3, 5))), "what was measured at rest is not that of 5 genes"),
        ("measured_factor", npy(np.ones((2, 4))), "what was measured at rest is not that of 5 genes"),
        ("measured_error", None, "not a dashjax network"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, entry, content, message):
    network().save(tmp_path / "n.npz")
    with_entry(tmp_path / "n.npz", f"{entry}.npy", content)
    with pytest.raises(InputError, match=message) as caught:
        load_network(tmp_path / "n.npz")
    assert len(str(caught.value).splitlines()) == 1


def test_files_that_are_cut_absent_or_cannot_be_written_are_named(tmp_path):
    path = tmp_path / "n.npz"
    network().save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="not a dashjax network"):
        load_network(path)
    with pytest.raises(InputError, match="absent.npz: no such file"):
        load_network(tmp_path / "absent.npz")
    with pytest.raises(InputError, match="cannot be written"):
        network().save(tmp_path / "absent" / "n.npz")


def test_a_pickle_is_never_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("a pickle was run",)

    network().save(tmp_path / "n.npz")
    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([Bomb()], dtype=object), allow_pickle=True)
    with_entry(tmp_path / "n.npz", "frequency.npy", file.getvalue())
    with pytest.raises(InputError, match="not a dashjax network"):
        load_network(tmp_path / "n.npz")


def test_chosen_edges_say_what_acts():
    chosen = np.zeros((5, 5))
    chosen[1, 2] = -1
    assert (replace(network(), chosen=chosen).acting == chosen).all()
