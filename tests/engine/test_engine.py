"""Cells are done once, whatever happens on the way, and an interrupted ensemble goes on with the members it had."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from dashjax.engine import Cell, MemoryStore, RivalCell, Store, collect, engine, find_network, run_cells
from dashjax.engine.program import Programs
from dashjax.engine.work import missing_items
from dashjax.evidence import AlongPaths, AlongSteps
from dashjax.inference import infer
from dashjax.methods import find_method
from dashjax.rivals import RIVALS


class Killed(BaseException):
    """As a keyboard interrupt, but nobody else's."""


def kill_before(monkeypatch, victim):
    """Let the work end when an item is to be done: its kind and member."""
    run = Programs.run

    def mortal(self, chunk, *arguments):
        if victim in [(item.kind, item.member) for item in chunk.items]:
            raise Killed
        return run(self, chunk, *arguments)

    monkeypatch.setattr(Programs, "run", mortal)


@pytest.fixture(scope="module")
def kept(ensemble):
    """The ensemble's network, with all that was kept on the way."""
    return run_cells([ensemble])


def test_an_interrupted_ensemble_goes_on_with_the_members_it_had(ensemble, kept, done, monkeypatch, tmp_path):
    arguments = {"epochs": 4, "folder": tmp_path / "kept"}
    with monkeypatch.context() as patched:
        kill_before(patched, ("train", 2))
        with pytest.raises(Killed):
            infer(ensemble.problem, ensemble.method, **arguments)
    before = set(done)
    assert before >= {("train", 0), ("train", 1)}
    done.clear()
    network = infer(ensemble.problem, ensemble.method, **arguments)
    assert ("train", 2) in done
    assert not before & set(done)
    assert done[-1] == ("mix", None)
    expected = find_network(ensemble, kept)
    assert network.members == 3
    np.testing.assert_allclose(network.matrix("probability"), expected.matrix("probability"), atol=1e-6)
    done.clear()
    infer(ensemble.problem, ensemble.method, **arguments)
    assert done == []


def test_a_judgement_outlives_its_process(problem, done, monkeypatch, tmp_path):
    judged = Cell(problem, find_method("posterior"), epochs=4)
    with monkeypatch.context() as patched:
        kill_before(patched, ("train", 1))
        with pytest.raises(Killed):
            run_cells([judged], Store(tmp_path / "kept", "f", {}))
    assert done[:2] == [("train", 0), ("judge", 0)]
    done.clear()
    store = run_cells([judged], Store(tmp_path / "kept", "f", {}))
    assert ("judge", 0) not in done
    network = find_network(judged, store)
    judgement = store[judged.judgement]
    disturbed = judgement["path_error"] > judgement["step_error"]
    assert network.how["fitted"] == ("posterior_steps" if disturbed else "posterior")
    assert done.count(("train", 0)) == int(disturbed)


def test_equal_cells_are_done_once_and_keep_their_own_labels(problem, done):
    cell = Cell(problem, find_method("dash"), epochs=4, label="first")
    twin = replace(cell, method=replace(cell.method, name="other"), label="second", coordinates={"place": 7})
    store = run_cells([cell, twin, replace(cell, seed=1)])
    assert done == [("train", None)] * 2
    table = collect([cell, twin], store)
    assert table["method"].tolist() == ["first", "second"]
    assert table["id"].nunique() == 1
    assert table["aupr"].nunique() == 1
    done.clear()
    run_cells([twin], store)
    assert done == []


def test_ensembles_share_the_members_and_the_evidence_that_they_have_in_common(ensemble, done):
    lenient = replace(ensemble, precision=0.5)
    store = run_cells([ensemble, lenient])
    assert sorted(done, key=str) == sorted(
        [*(("train", n) for n in range(3)), *(("weigh", n) for n in range(3)), ("mix", None), ("mix", None)], key=str
    )
    strict, more = collect([ensemble, lenient], store)["n_edges"]
    assert more >= strict


def test_a_rival_that_knows_no_prior_ranks_once_and_is_scored_with_each(problem, done):
    bare = problem.with_prior(replace(problem.prior, edges=np.zeros_like(problem.prior.edges)))
    cells = [RivalCell(problem, RIVALS["ridge"]), RivalCell(bare, RIVALS["ridge"])]
    store = run_cells(cells)
    assert done == [("rank", None)]
    informed, alone = collect(cells, store)["aupr"]
    assert informed > alone


def test_members_are_resampled_and_draw_for_themselves(ensemble, kept):
    fields = [kept[ensemble.identity_of_run(number)]["field_weight"] for number in range(3)]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(fields[first] - fields[second]).max() > 1e-3
    curves = [kept[ensemble.identity_of_run(number)]["validation_error"] for number in range(3)]
    assert len({curve[-1].item() for curve in curves}) == 3


@dataclass(frozen=True)
class Watched(AlongSteps):
    """Says when it is asked."""

    number: int = 0

    def regress(self, *arguments):
        ASKED.append(self)
        return super().regress(*arguments)


ASKED: list[Watched] = []


def test_evidence_is_weighed_as_the_method_says(ensemble, kept, done):
    store = MemoryStore()
    store.write({ensemble.identity_of_run(number): kept[ensemble.identity_of_run(number)] for number in range(3)}, [])
    cells = [
        replace(ensemble, method=replace(ensemble.method, evidence=evidence))
        for evidence in (Watched(1), AlongSteps(), AlongPaths())
    ]
    run_cells(cells, store)
    assert ASKED
    assert {kind for kind, _ in done} == {"weigh", "mix"}
    watched, steps, paths = (store[cell.identity]["posterior_probability"] for cell in cells)
    np.testing.assert_allclose(watched, steps, atol=1e-6)
    np.testing.assert_allclose(paths, kept[ensemble.identity]["posterior_probability"], atol=1e-6)
    assert np.abs(paths - steps).max() > 1e-3


def test_a_problem_without_test_trajectories_has_no_test_error(problem):
    cell = Cell(replace(problem, test=None, data_fingerprint="untested"), find_method("dense"), epochs=4)
    row = collect([cell], run_cells([cell])).iloc[0]
    assert np.isnan(row["test_mse"])
    assert np.isfinite(row["validation_mse"])


def test_whoever_waits_for_many_items_is_asked_once_after_each(ensemble, kept, monkeypatch):
    counted, look = [], missing_items
    whole = kept[ensemble.identity]
    monkeypatch.setattr(engine, "missing_items", lambda *arguments: counted.append(1) or look(*arguments))
    monkeypatch.setattr(
        Programs, "run", lambda self, chunk, *_: [whole if item.kind == "mix" else {} for item in chunk.items]
    )
    run_cells([replace(ensemble, method=replace(ensemble.method, members=6))])
    assert 6 < len(counted) <= 2 * 6 + 1


def test_the_store_counts_and_lists_what_it_holds(ensemble, kept):
    expected = {ensemble.identity}
    for number in range(3):
        expected |= {ensemble.identity_of_run(number), ensemble.identity_of_evidence(number)}
    assert set(kept) == expected
    assert len(kept) == 7
    rows = kept.rows()
    assert set(rows["id"]) == expected
    assert rows["method"].notna().sum() == 1
