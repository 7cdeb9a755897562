"""Every program that the engine runs is lowered for GPUs and TPUs, though none of them is needed for that.

What is lowered is looked through: it may call nothing that exists on CPUs only, ask nothing of the host, compute
nothing in double precision, and wait for no other device.
"""

import re
from dataclasses import replace

import jax
import jax.numpy as jnp
import pytest

from dashjax.engine import Cell
from dashjax.engine.program import Programs
from dashjax.engine.work import Chunk, Item
from dashjax.evidence import AlongSteps
from dashjax.methods import find_method
from dashjax.training import FitConfig

PLATFORMS = ("cuda", "tpu")
#: Calls that XLA itself resolves for every device, or that JAX lowers for that device alone.
KNOWN_CALLS = {"cu_threefry2x32_ffi", "mhlo.topk", "mhlo.erf", "Sharding"}


class Lowered(Programs):
    """Programs that are lowered for accelerators instead of compiled; their results are zeros."""

    def __init__(self):
        super().__init__(jax.local_devices()[0], batched=True)
        self.texts = {}

    def _compile(self, name, function, *arguments):
        for platform in PLATFORMS:
            exported = jax.export.export(jax.jit(function), platforms=[platform])(*arguments)
            self.texts[name[-1], platform] = exported.mlir_module()
        shapes = jax.eval_shape(function, *arguments)
        return lambda *_: jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)


def lower(cell, kinds):
    """Return what every program of a cell's items is lowered to, by its name and the platform."""
    programs = Lowered()
    for kind in kinds:
        items = tuple(Item(kind, f"{kind} {n}", cell, n if cell.method.evidence else None) for n in range(2))
        if kind == "train":
            programs.run(Chunk(items))
        else:
            programs.prepare(Chunk(items))
    return programs.texts


def posterior_of(problem, **changes):
    return Cell(problem, replace(find_method("posterior"), fallback=None, **changes), epochs=4)


@pytest.mark.parametrize(
    ("make", "kinds", "names"),
    [
        (posterior_of, ("train", "judge", "weigh"), {"begin", "advance", "conclude", "judge", "weigh"}),
        (lambda problem: posterior_of(problem, evidence=AlongSteps()), ("weigh",), {"weigh"}),
        (
            lambda problem: Cell(problem, find_method("dash"), config=FitConfig(epochs=30), epochs=30),
            ("train",),
            {"begin", "advance", "conclude"},
        ),
    ],
    ids=["posterior", "steps", "dash"],
)
def test_programs_are_ready_for_accelerators(problem, make, kinds, names):
    texts = lower(make(problem), kinds)
    assert set(texts) == {(name, platform) for name in names for platform in PLATFORMS}
    for (name, platform), text in texts.items():
        told = f"{name} on {platform}"
        calls = set(re.findall(r"custom_call @([\w.]+)", text)) | set(re.findall(r'call_target_name = "([^"]+)"', text))
        assert calls <= KNOWN_CALLS, told
        assert not re.search(r"lapack|callback|infeed|outfeed|host_compute", text), told
        assert not re.search(r"xf64>|tensor<f64>", text), told
        assert not re.search(r"all_reduce|all_gather|all_to_all|collective|reduce_scatter", text), told


def test_what_is_looked_for_would_be_found():
    """Each thing that programs must not hold, in a program that holds it."""

    def text_of(function, *arguments):
        return jax.export.export(jax.jit(function), platforms=["cpu"])(*arguments).mlir_module()

    matrix = jax.ShapeDtypeStruct((3, 3), jnp.float32)
    assert re.search("custom_call @lapack", text_of(jnp.linalg.cholesky, matrix))

    def asks_the_host(x):
        return jax.pure_callback(lambda x: x, matrix, x)

    assert "callback" in jax.jit(asks_the_host).lower(matrix).as_text()
