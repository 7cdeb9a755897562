"""What a user brings: a field, an objective, an evidence, a method, formats and data that the package does not know."""

from dataclasses import dataclass, replace
from functools import partial

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from dashjax import METHODS, FitConfig, infer_network, load_network, make_problem
from dashjax.dynamics import FIELDS, Perceptron
from dashjax.dynamics.field import AbstractSpec
from dashjax.evidence import AbstractEvidence, AlongPaths
from dashjax.io import EXPRESSION_FORMATS, NETWORK_FORMATS, ExpressionFormat, NetworkFormat
from dashjax.io.named import make_expression
from dashjax.io.named import make_network as make_named
from dashjax.problems import DATASETS, load_problems
from dashjax.sweep import parse_grid, run_sweep
from dashjax.training import OBJECTIVES, AbstractObjective


class Slow(Perceptron):
    """A perceptron whose genes decay at a tenth."""

    def decay(self):
        return super().decay() / 10


@dataclass(frozen=True)
class SlowSpec(AbstractSpec):
    hidden: int | None = None

    def init(self, key, genes):
        return Slow.init(key, genes, self.hidden or 2)


@dataclass(frozen=True)
class Seven(AbstractObjective):
    """Every model is as good as any other."""

    def init(self, observed):
        return jnp.zeros((observed.n_trajectories, 0))

    def error(self, field, latent, observed, method):
        return 7.0 + 0.0 * field.decay().sum()


@dataclass(frozen=True)
class Silent(AbstractEvidence):
    """The data say nothing about any edge."""

    def regress(self, field, observed, courses, prior, candidates, allowed, solve):
        found = AlongPaths().regress(field, observed, courses, prior, candidates, allowed, solve)
        return replace(found, gram=0 * found.gram, moment=0 * found.moment)


@pytest.fixture
def ours(monkeypatch):
    """The user's parts under the name that grids and the command line call them."""
    monkeypatch.setitem(FIELDS, "ours", SlowSpec)
    monkeypatch.setitem(OBJECTIVES, "ours", Seven())
    silent = replace(METHODS["posterior"], name="ours", summary="ours alone", evidence=Silent(), fallback=None)
    monkeypatch.setitem(METHODS, "ours", silent)


GRID = {
    "system": {"kind": "simulated", "genes": 8, "seed": 0},
    "trajectories": {"train": 4, "validation": 2, "test": 2, "times": [0, 1, 3]},
    "seeds": 1,
    "epochs": 3,
    "hidden": 3,
}


def test_a_field_and_an_objective_of_a_grid(ours, tmp_path):
    grid = parse_grid(GRID | {"methods": ["dash"], "field": "ours", "objective": "ours"})
    results = run_sweep(grid, tmp_path / "out")
    row = results.table.set_index("method").loc["dash"]
    assert row["status"] == "finished"
    network = results.network(row["id"])
    assert isinstance(network.field, Slow)
    assert network.spec == SlowSpec(3)
    np.testing.assert_allclose(network.curves["train_error"], 7)


def test_a_field_and_an_objective_of_a_call(frame, net):
    config = FitConfig(field=SlowSpec(3), objective=Seven())
    network = infer_network(frame, net, method="dash", config=config, epochs=3, progress=False)
    assert isinstance(network.field, Slow)
    np.testing.assert_allclose(network.curves["train_error"], 7)
    np.testing.assert_allclose(network.dynamics()[0].decay() * network.units.time, 0.1, rtol=1e-6)


def test_an_evidence_and_a_method(ours, few, frame, net, dashjax):
    network = few(frame, net, method="ours")
    assert network.how["method"] == "ours"
    # Where the data are silent, all prior edges are as likely, and no effect has a sign.
    probability = network.matrix("probability").to_numpy()
    inside = probability[network.matrix("in_prior")]
    assert np.ptp(inside) < 0.2
    assert (np.abs(network.matrix("activation").to_numpy() - 0.5) < 0.3).all()
    code, text, _ = dashjax("methods")
    assert code == 0
    assert "ours alone" in text
    # A plain method becomes an ensemble with it.
    ensemble = replace(METHODS["direct+l1"], evidence=Silent())
    assert few(frame, net, method=ensemble).posterior is not None


def read_ours(file, genes_file, cells):
    _, *rows = file.rows
    values = np.array(rows, dtype=float).reshape(-1, 3, len(rows[0]))
    names = [f"G{n}" for n in range(1, 9)]
    return make_expression(names, [course[:, 0] for course in values], [c[:, 1:] for c in values], file.path)


def parse_arrows(rows, path, genes):
    pairs = [row[0].split(" -> ") for row in rows]
    return make_named([(a, b, 1.0, number) for number, (a, b) in enumerate(pairs, start=1)], path)


@pytest.fixture
def formats(monkeypatch, tmp_path, frame, net, genes):
    """Expression and prior in formats of the user's own."""
    entry = ExpressionFormat("ours", lambda file: file.rows[0] == ["ours"], read_ours)
    monkeypatch.setitem(EXPRESSION_FORMATS, "ours", entry)
    arrows = NetworkFormat("arrows", lambda rows, genes: " -> " in rows[0][0], parse_arrows)
    monkeypatch.setitem(NETWORK_FORMATS, "arrows", arrows)
    named = frame[["time", *(f"G{n}" for n in range(1, 9))]]
    (tmp_path / "e.csv").write_text("ours\n" + named.to_csv(index=False, header=False))
    (tmp_path / "p.txt").write_text("".join(f"{a} -> {b}\n" for a, b in zip(net["source"], net["target"], strict=True)))
    return tmp_path / "e.csv", tmp_path / "p.txt"


def test_formats_of_expression_and_prior(few, formats, frame, net):
    network, known = few(*formats), few(frame, net.assign(weight=1.0))
    np.testing.assert_array_equal(network.scores, known.scores)


def test_the_command_line_takes_all_of_them(ours, formats, tmp_path, dashjax):
    expression, prior = formats
    arguments = ["--expression", expression, "--prior", prior, "--epochs", 2]
    code, _, err = dashjax(
        "fit", *arguments, "--method", "dash", "--field", "ours", "--hidden", 3, "--out", tmp_path / "a"
    )
    assert code == 0, err
    assert isinstance(load_network(tmp_path / "a").field, Slow)
    code, text, err = dashjax("fit", *arguments, "--method", "ours", "--out", tmp_path / "b")
    assert code == 0, err
    assert "probability" in pd.read_csv(tmp_path / "b" / "edges.tsv", sep="\t")
    assert "12 trajectories, 7 prior edges" in text
    code, _, err = dashjax("fit", *arguments, "--field", "theirs", "--out", tmp_path / "c")
    assert (code, "direct, ours" in err) == (2, True)


def test_a_data_set(monkeypatch, trajectories, small, genes, tmp_path, dashjax):
    def problems(folder):
        truth = np.asarray(small.truth)
        for name in ("ours 1", "ours 2"):
            yield name, partial(make_problem, trajectories, genes, truth=truth, name=name, group="ours")

    monkeypatch.setitem(DATASETS, "ours", problems)
    assert [problem.name for problem in load_problems("ours", tmp_path)] == ["ours 1", "ours 2"]
    arguments = ["--data", tmp_path, "--only", "2", "--methods", "ridge,correlation", "--priors", "none"]
    code, text, err = dashjax("compare", "--dataset", "ours", *arguments, "--out", tmp_path / "out")
    assert code == 0, err
    assert "ridge" in text
    assert "correlation" in text
    code, _, err = dashjax("compare", "--dataset", "theirs", *arguments, "--out", tmp_path / "none")
    assert (code, "valid: dream4, beeline, simulated, measured, ours" in err) == (2, True)
