"""How long the rest takes: by what is done, by lanes side by side, and in plain lines where nobody watches."""

import pytest

from dashjax.cli import terminal
from dashjax.engine.pace import Progress, time_left
from dashjax.inference import progress as shown


@pytest.fixture
def clock(monkeypatch):
    """Seconds on every clock of the package's progress."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_the_rest_is_told_by_what_is_done_of_each_stage(clock):
    progress = Progress(runs=1, epochs=100, skipped=0, pieces=4)
    assert progress.left == ""
    clock[0] = 10.0
    progress.advance(20, 10.0)
    # Nothing has been weighed: only training can be told, 80 epochs of half a second.
    assert progress.left == "about 40 s left of training"
    clock[0] = 30.0
    progress.weigh(1, 20.0)
    assert progress.left == f"{time_left(40 + 60)}" == "about 2 min left"
    clock[0] = 50.0
    assert progress.left == "about 80 s left"  # twenty seconds later, without news


def test_lanes_side_by_side_halve_the_rest(clock):
    progress = Progress(runs=1, epochs=100, skipped=0)
    clock[0] = 10.0
    for _ in range(2):
        progress.advance(10, 10.0)
    assert progress.left == "about 40 s left"  # 80 epochs of a second each, by two lanes


def test_each_stage_has_its_words_and_its_share(clock):
    progress = Progress(runs=1, epochs=20, skipped=0, pieces=3)
    assert shown.progress_text(progress) == "training, 0 of 20 epochs"
    clock[0] = 2.0
    progress.advance(20, 2.0)
    assert progress.done == (0, 3)
    assert shown.progress_text(progress) == "weighing the evidence, 0 of 3 parts"
    clock[0] = 12.0
    progress.weigh(1, 10.0)
    assert shown.progress_text(progress) == "weighing the evidence, 1 of 3 parts, about 20 s left"
    progress.weigh(2, 20.0)
    assert shown.progress_text(progress) == "weighing the evidence, 3 of 3 parts"


def test_where_nobody_watches_there_is_one_plain_line_a_minute(clock, capsys):
    with terminal.progress_bar("genes") as update:
        for second in range(0, 181):
            clock[0] = float(second)
            update(second, 600)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "genes: 10 %, about 9 min left",
        "genes: 20 %, about 8 min left",
        "genes: 30 %, about 7 min left",
    ]


def test_a_notebook_or_log_is_told_once_a_minute_too(clock, capsys):
    progress = Progress(runs=1, epochs=600, skipped=0)
    with shown.show_progress("network") as update:
        for second in range(1, 121):
            clock[0] = float(second)
            progress.advance(1, 1.0)
            update(progress)
    assert capsys.readouterr().err.splitlines() == [
        "network: training, 60 of 600 epochs, about 9 min left, 60 s",
        "network: training, 120 of 600 epochs, about 8 min left, 120 s",
    ]
