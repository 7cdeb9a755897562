"""Claim: a genome of 11,165 genes is trained, pruned and read on a laptop: epoch and cut ≤ 10 s, peak memory ≤ 4 GiB.

A two-layer PHOENIX field (300 hidden units at 11,165 genes) on one time course of 178 intervals, a sparse prior of 50
edges per regulator, one in twelve genes a regulator. Each part of a run by itself: an epoch (one gradient step on all
intervals, as the released code takes it), a DASH cut, and the 100,000 strongest edges. `direct` is the edge-resolved
field restricted to the prior's regulators. Peaks of memory are the process's whole resident memory, the model and
Adam's moments included; every size runs in a process of its own.

    python benchmarks/genome_scale.py [--genes 1000 3551 11165 20000]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from common import save

from dashjax import FitConfig, Split, make_sparse_prior, make_trajectories, strongest_edges
from dashjax.dynamics import AbstractSpec, DirectSpec, PhoenixSpec
from dashjax.dynamics.phoenix import default_hidden
from dashjax.engine import forget_peak, peak_mebibytes
from dashjax.questions import gene_influence, has_influence, random_starts, response_times
from dashjax.sparsity import genome_schedule
from dashjax.training import advance, make_hyperparameters, start

#: Hidden units of the published studies at their sizes.
HIDDEN = {529: 50, 3551: 120, 11165: 300}
INTERVALS, EDGES_PER_REGULATOR, TOP = 178, 50, 100_000
#: Genes whose influence is timed (ten from 2,000 genes on); where more have any, the time of all is in proportion.
INFLUENCE_GENES, STARTS = 500, 200


def measure(genes: int, kind: str) -> list[dict[str, Any]]:
    """Time every part of a run of one size, each after a first call that compiles."""
    rng = np.random.default_rng(0)
    regulators = np.sort(rng.choice(genes, max(2, genes // 12), replace=False))
    regulator = np.repeat(regulators, EDGES_PER_REGULATOR)
    target = rng.integers(0, genes, len(regulator))
    prior = make_sparse_prior(regulator, target, np.ones(len(regulator)), genes)
    times = np.linspace(0, 1, INTERVALS + 1)
    walk = np.clip(0.5 + 0.02 * rng.normal(size=(INTERVALS + 1, genes)).cumsum(axis=0), 0.01, 0.99)
    course = make_trajectories([times], [walk])
    data = Split(course, course, course)
    spec: AbstractSpec = PhoenixSpec(HIDDEN.get(genes, default_hidden(genes)))
    if kind == "direct":
        spec = DirectSpec(tuple(int(number) for number in regulators))
    config, hyper = FitConfig(field=spec, epochs=100), make_hyperparameters(genome_schedule(), trust=(0.995, 0.95))
    key = jax.random.key(0)
    state = jax.jit(lambda: start(key, data, hyper, config))()

    def train(state, numbers):
        return advance(key, data, prior, hyper, config, state, numbers)

    def prune(pruner, field):
        return config.rule.prune(pruner, field, prior, hyper.trust, jnp.asarray(0.9))

    proceed, cut = jax.jit(train, donate_argnums=0), jax.jit(prune)
    rows = []

    def row(part: str, seconds: float, peak: float, **extra) -> None:
        rows.append({"genes": genes, "field": kind, "part": part, "seconds": seconds, "peak_memory_gib": peak, **extra})

    state, _ = proceed(state, jnp.array([1]))
    (state, _), seconds, peak = _measured(lambda: proceed(state, jnp.array([2])))
    row("epoch", seconds, peak)
    _measured(lambda: cut(state.pruner, state.field))
    pruner, seconds, peak = _measured(lambda: cut(state.pruner, state.field))
    row("prune", seconds, peak, alive=int(sum(mask.sum() for mask in pruner.masks)))
    field = state.field.with_layers(
        tuple(jnp.where(mask, layer, 0) for mask, layer in zip(pruner.masks, state.field.layers(), strict=True))
    )
    _measured(lambda: strongest_edges(field, 10))
    edges, seconds, peak = _measured(lambda: strongest_edges(field, TOP))
    row("readout", seconds, peak, edges=len(edges[0]))
    small = field.compact()
    acting = np.flatnonzero(has_influence(small))
    some = acting[:INFLUENCE_GENES] if genes < 2000 else acting[:10]
    starts, grid = random_starts(key, STARTS, genes), response_times(small)
    influence = jax.jit(lambda field, genes: gene_influence(field, starts, grid, jnp.asarray(genes)))
    jax.block_until_ready(influence(small, some))
    _, seconds, peak = _measured(lambda: influence(small, some))
    row("influence", seconds * len(acting) / len(some), peak, measured_genes=len(some), acting_genes=len(acting))
    return rows


def _measured(call: Callable[[], Any]) -> tuple[Any, float, float]:
    forget_peak()
    began = time.perf_counter()
    found = jax.block_until_ready(call())
    return found, time.perf_counter() - began, peak_mebibytes() / 1024


def main() -> None:
    """Measure every size in a process of its own, print a line per part, save the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--genes", type=int, nargs="+", default=[500, 1000, 3551, 11165, 20000])
    parser.add_argument("--one", nargs=2, metavar=("GENES", "FIELD"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(int(options.one[0]), options.one[1])))
        return
    rows: list[dict[str, Any]] = []
    for genes in options.genes:
        for kind in ("phoenix", "direct"):
            command = [sys.executable, __file__, "--one", str(genes), kind]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout.splitlines()[-1])
            for part in found:
                print(
                    f"{genes} genes, {kind}, {part['part']}: {part['seconds']:.2f} s, "
                    f"peak {part['peak_memory_gib']:.2f} GiB",
                    flush=True,
                )
            rows += found
    print(save("genome_scale", rows))


if __name__ == "__main__":
    main()
