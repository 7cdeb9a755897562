"""What is missing of a network, decided on made-up records."""

from dataclasses import replace

import numpy as np
import pytest

from dashjax.engine import Cell, RivalCell
from dashjax.engine.work import missing_items, work_left
from dashjax.evidence import AlongPaths, AlongSteps
from dashjax.methods import find_method
from dashjax.rivals import RIVALS

RUN = {"field_weight": np.zeros(1)}


@pytest.fixture(scope="module")
def judged(problem):
    return Cell(problem, find_method("posterior"), epochs=4)


def judgement(path, step):
    return {"path_error": np.asarray(path), "step_error": np.asarray(step)}


def asked(items):
    return [(item.kind, item.identity, item.member) for item in items]


def members(cell, numbers):
    return {cell.identity_of_run(number): RUN for number in numbers}


def weighed(cell, numbers):
    return {cell.identity_of_evidence(number): {} for number in numbers}


def test_a_run_is_one_item_and_a_ranking_too(problem):
    cell, rival = Cell(problem, find_method("dash")), RivalCell(problem, RIVALS["ridge"])
    assert asked(missing_items(cell, {})) == [("train", cell.identity, None)]
    assert missing_items(cell, {cell.identity: RUN}) == []
    assert asked(missing_items(rival, {})) == [("rank", rival.source, None)]
    assert missing_items(rival, {rival.source: {}}) == []


def test_an_ensemble_wants_its_members_what_each_says_and_then_all_together(ensemble):
    assert asked(missing_items(ensemble, {})) == [("train", ensemble.identity_of_run(n), n) for n in range(3)]
    first, second = missing_items(ensemble, members(ensemble, [0, 2]) | weighed(ensemble, [0]))
    assert (first.kind, first.member) == ("train", 1)
    assert (second.kind, second.member, second.needs) == ("weigh", 2, (ensemble.identity_of_run(2),))
    (item,) = missing_items(ensemble, members(ensemble, range(3)) | weighed(ensemble, range(3)))
    assert (item.kind, item.identity) == ("mix", ensemble.identity)
    assert item.needs == (ensemble.identity_of_run(0), *weighed(ensemble, range(3)))
    assert missing_items(ensemble, {ensemble.identity: RUN}) == []


def test_the_first_member_is_judged_before_anything_else(judged):
    assert asked(missing_items(judged, {})) == [("train", judged.identity_of_run(0), 0)]
    (item,) = missing_items(judged, members(judged, [0]))
    assert (item.kind, item.identity, item.needs) == ("judge", judged.judgement, (judged.identity_of_run(0),))


def test_what_is_left_is_counted_without_what_is_there(ensemble, judged, problem):
    assert work_left(RivalCell(problem, RIVALS["ridge"]), {}) == (0, 1)
    assert work_left(Cell(problem, find_method("dash"), epochs=7), {}) == (7, 0)
    each, hidden = ensemble.run_epochs, int(ensemble.hides)
    assert work_left(ensemble, {}) == (3 * each, 3 + hidden)
    assert work_left(ensemble, members(ensemble, [0]) | weighed(ensemble, [0])) == (2 * each, 2 + hidden)
    assert work_left(ensemble, {ensemble.identity: RUN}) == (0, 0)
    # The judgement is a piece, and where it goes against whole paths all members are trained again.
    assert work_left(judged, members(judged, [0])) == (2 * 4, 1 + 3 + int(judged.hides))
    lost = members(judged, [0]) | {judged.judgement: judgement(0.2, 0.1)}
    assert work_left(judged, lost) == (3 * 4, 3 + int(judged.hides))


def test_paths_that_miss_no_more_than_steps_are_stood_by(judged):
    found = members(judged, [0]) | {judged.judgement: judgement(0.1, 0.1)}
    assert [(item.kind, item.cell.method.name, item.member) for item in missing_items(judged, found)] == [
        ("weigh", "posterior", 0),
        ("train", "posterior", 1),
        ("train", "posterior", 2),
    ]
    items = missing_items(judged, found | members(judged, [1, 2]))
    assert {(item.kind, item.cell.method.evidence) for item in items} == {("weigh", AlongPaths())}
    (item,) = missing_items(judged, found | members(judged, [1, 2]) | weighed(judged, range(3)))
    assert (item.kind, item.identity, item.cell) == ("mix", judged.identity, judged)


def test_paths_that_miss_more_are_left_for_single_steps(judged):
    found = members(judged, [0, 1, 2]) | weighed(judged, [0, 1, 2]) | {judged.judgement: judgement(0.11, 0.1)}
    items = missing_items(judged, found)
    steps = judged.fallback
    assert asked(items) == [("train", steps.identity_of_run(number), number) for number in range(3)]
    assert {item.cell.method.name for item in items} == {"posterior_steps"}
    items = missing_items(judged, found | members(steps, range(3)))
    assert {(item.kind, item.cell.method.evidence) for item in items} == {("weigh", AlongSteps())}
    (item,) = missing_items(judged, found | members(steps, range(3)) | weighed(steps, range(3)))
    # What comes out is kept as the network of the cell that asked.
    assert (item.kind, item.identity, item.cell) == ("mix", judged.identity, steps)
    assert item.needs == (steps.identity_of_run(0), *weighed(steps, range(3)))


def test_a_fallback_takes_as_many_members(judged):
    two = replace(judged, method=replace(judged.method, members=2))
    found = members(two, [0]) | {two.judgement: judgement(2.0, 1.0)}
    assert [item.member for item in missing_items(two, found)] == [0, 1]


def test_the_same_runs_weighed_otherwise_are_kept_apart(ensemble):
    steps = replace(ensemble, method=replace(ensemble.method, evidence=AlongSteps()))
    assert members(steps, range(3)) == members(ensemble, range(3))
    assert not set(weighed(steps, range(3))) & set(weighed(ensemble, range(3)))
    stricter = replace(ensemble, precision=0.99)
    assert weighed(stricter, range(3)) == weighed(ensemble, range(3))
    assert stricter.identity != ensemble.identity


def test_what_cannot_share_a_program_is_of_another_group(problem, ensemble, judged):
    def group(cell, found=None):
        return missing_items(cell, found or {})[0].group

    base = Cell(problem, find_method("dash"), epochs=4)
    for same in (
        replace(base, seed=3),
        replace(base, trust=(0.5, 0.5)),
        replace(base, noise=0.1),
        replace(base, fold=1),
    ):
        assert group(same) == group(base)
    apart = [
        base,
        replace(base, epochs=5),
        Cell(problem, find_method("dst"), epochs=4),
        replace(base, problem=replace(problem, data_fingerprint="0")),
        ensemble,
        # Pruning is conditional, and conditions are shared.
        replace(base, method=replace(base.method, schedule=find_method("posterior").schedule)),
    ]
    assert len({group(cell) for cell in apart}) == len(apart)
    steps = replace(ensemble, method=replace(ensemble.method, evidence=AlongSteps()))
    found = members(ensemble, range(3))
    assert group(ensemble, found) != group(steps, found)
