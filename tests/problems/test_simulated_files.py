"""Samples at rest on disk: what is read back is what was simulated, and nothing else changes."""

import numpy as np
import pytest

from dashjax.errors import InputError
from dashjax.io import read_expression, read_interventions, read_steady, read_system
from dashjax.problems import simulate_files
from dashjax.simulate import generate_system, simulate_rest

FILES = ("equations.csv", "genes.csv", "prior.tsv", "trajectories.csv", "truth.tsv")


def simulate(out, seed=0, equations=None, **rest):
    corruption = {"relocate": 0.1, "drop": 0.0, "add": 0.0, "flip": 0.0}
    return simulate_files(out, 10, seed, 2, "0,1,3", 0.02, corruption, equations, None, None, **rest)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    out = tmp_path_factory.mktemp("plain") / "s"
    assert len(simulate(out)) == 1
    return out


def test_what_is_read_back_is_what_was_simulated(plain, tmp_path):
    lines = simulate(tmp_path, knockouts=10, knockdowns=3, steady=True)
    assert lines[1] == (
        "at rest: 1 wild type, 10 knock-outs, 3 knock-downs by half, in one culture with inputs at fixed levels: "
        "steady.csv, interventions.csv"
    )
    samples, stated = read_steady(tmp_path / "steady.csv"), read_interventions(tmp_path / "interventions.csv")
    genes = [f"G{number}" for number in range(1, 11)]
    downs = [one.gene for one in stated if one.kind == "knockdown"]
    assert [one.gene for one in stated if one.kind == "knockout"] == genes
    assert len(set(downs)) == 3
    assert downs == sorted(downs, key=genes.index)
    study = simulate_rest(generate_system(10, 0), 0, genes, downs, noise=0.02)
    assert samples.names == study.names
    assert samples.genes == tuple(genes)
    np.testing.assert_allclose(samples.levels, study.levels, rtol=1e-12)
    assert [(o.experiment, o.gene, o.kind, o.value) for o in stated] == [
        (o.experiment, o.gene, o.kind, o.value) for o in study.interventions
    ]
    data = read_expression(tmp_path / "trajectories.csv", tmp_path / "genes.csv").with_experiments(samples, stated)
    assert len(data.experiments) == 2 + 14
    assert data.notes == ()
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (plain / name).read_bytes()
    assert sorted(path.name for path in plain.iterdir()) == sorted([*FILES, "contents.json", "run.json"])


def test_the_genes_are_drawn_by_seed(tmp_path):
    def knocked(name, seed=0, **rest):
        simulate(tmp_path / name, seed, **rest)
        stated = read_interventions(tmp_path / name / "interventions.csv")
        return [one.gene for one in stated if one.kind == "knockout"], [
            one.gene for one in stated if one.kind == "knockdown"
        ]

    outs, downs = knocked("a", knockouts=4, knockdowns=4)
    assert len(outs) == len(downs) == 4
    assert outs != downs
    more, same = knocked("b", knockouts=6, knockdowns=4)
    assert set(outs) < set(more)
    assert same == downs
    assert knocked("c", seed=1, knockdowns=4) not in (([], downs), ([], outs))
    assert not any(name.startswith("wild") for name in read_steady(tmp_path / "c" / "steady.csv").names)


def test_the_wild_type_alone_has_no_interventions(plain, tmp_path):
    lines = simulate(tmp_path / "s", equations=plain / "equations.csv", steady=True)
    assert lines[1].startswith("at rest: 1 wild type, in one culture")
    assert lines[1].endswith(": steady.csv")
    assert read_steady(tmp_path / "s" / "steady.csv").names == ("wild type 1",)
    assert not (tmp_path / "s" / "interventions.csv").exists()
    assert read_system(tmp_path / "s" / "equations.csv").genes == generate_system(10, 0).genes


@pytest.mark.parametrize("argument", ["knockouts", "knockdowns"])
@pytest.mark.parametrize("count", [11, -1])
def test_more_genes_than_there_are_are_refused_before_anything_is_written(tmp_path, argument, count):
    with pytest.raises(InputError, match=f"{argument}: the system has 10 genes, got {count}"):
        simulate(tmp_path / "s", **{argument: count})
    assert not (tmp_path / "s").exists()
