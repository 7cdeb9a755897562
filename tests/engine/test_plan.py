"""Chunks: grouped by compiled shape, sized by memory, refused where they cannot fit."""

import jax
import pytest

from dashjax import InputError
from dashjax.engine.plan import check_memory, chunk_size, free_memory, largest_run, plan_chunks, run_bytes
from dashjax.engine.program import Programs
from dashjax.engine.work import Chunk, missing_items
from dashjax.sweep import make_cells, parse_grid

CONTENT = {
    "system": {"kind": "simulated", "genes": 40, "seed": 0},
    "trajectories": {"train": 4, "validation": 2, "test": 2, "times": [0, 1, 3]},
    "methods": ["dense", "dash"],
    "seeds": 5,
    "epochs": 12,
    "hidden": 6,
}


@pytest.fixture(scope="module")
def cells():
    return make_cells(parse_grid(CONTENT))


@pytest.fixture(scope="module")
def items(cells):
    return [item for cell in cells for item in missing_items(cell, {})]


def test_every_item_is_in_one_chunk(items):
    chunks = plan_chunks(items, 4)
    assert [len(chunk.items) for chunk in chunks] == [4, 4, 2]
    assert [item for chunk in chunks for item in chunk.items] == items


def test_the_estimate_covers_what_the_compiler_says_and_not_much_more(cells, items):
    programs = Programs(jax.local_devices()[0], batched=True)
    programs.run(Chunk(tuple(items[:8])))
    used = []
    for compiled in programs.compiled():
        memory = compiled.memory_analysis()
        used.append(memory.temp_size_in_bytes + memory.argument_size_in_bytes + memory.output_size_in_bytes)
    per_run = max(used) / 8
    assert per_run <= run_bytes(cells[0]) <= 6 * per_run


def test_accelerators_take_their_share_as_far_as_memory_goes(cells):
    each = run_bytes(cells[0])
    assert chunk_size(each, runs=100, devices=4, free=1000 * each) == 25
    assert chunk_size(each, runs=100, devices=1, free=20 * each) == 14
    assert chunk_size(each, runs=10**6, devices=1, free=10**9 * each) == 1024
    assert chunk_size(each, runs=100, devices=1, free=each) == 1


def test_more_memory_than_there_is_is_refused(cells):
    each = run_bytes(cells[0])
    check_memory(each, size=10, lanes=1, free=10 * each)
    with pytest.raises(InputError, match=r"chunk: 11 runs at a time need about .* GiB .*; at most 10 fit"):
        check_memory(each, size=11, lanes=1, free=10 * each)
    with pytest.raises(InputError, match="memory: .* a smaller system or fewer workers may fit"):
        check_memory(each, size=1, lanes=2, free=each, argument="memory")
    assert free_memory(jax.local_devices()[0]) > 2**20


def test_the_hungriest_method_decides():
    cells = make_cells(parse_grid(CONTENT | {"methods": ["dense", "direct+dash"]}))
    small, large = (largest_run([cell for cell in cells if cell.label == name]) for name in ("dense", "direct+dash"))
    assert large > small == run_bytes(cells[0])
    assert largest_run(cells) == large
