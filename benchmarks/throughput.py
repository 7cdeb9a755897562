"""Claim: a dashjax run-epoch costs over a thousand times less than the PyTorch reference step's epoch.

Times training epochs (140 one-trajectory steps, 4 intervals each) for 1, 8, 64 and 512 runs at 350 and 690 genes
against a PyTorch + torchdiffeq port of the reference step, in one process and in turns, and against the machine's own
ceilings: the rate of a large matrix product, and main memory's. A share above one means that a run's weights stay in
a cache, so that memory does not bind; the arithmetic share then says what is left.

    python benchmarks/throughput.py [--genes 350 690] [--runs 1 8 64 512] [--torch-steps 4]
"""

from __future__ import annotations

import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np
from common import best_of, ceilings, in_threads, save

from dashjax import FitConfig, make_hyperparameters
from dashjax.data import Prior, Split, Trajectories
from dashjax.dynamics import FixedSteps, PhoenixSpec
from dashjax.dynamics.phoenix import default_hidden
from dashjax.engine import usable_cores
from dashjax.engine.program import CPU_OPTIONS
from dashjax.training.fit import start, train_epoch

STEPS, TIMES = 140, (0.0, 2.0, 3.0, 7.0, 9.0)
HIDDEN = {350: 40, 690: 50}
NO_PRIOR = Prior(jnp.zeros((1, 1)), jnp.zeros((1, 1)))  # the methods timed here do not read it while training


def work_per_step(genes: int, hidden: int, substeps: int) -> tuple[float, float]:
    """Count the least floating-point operations and memory traffic (bytes) of one training step.

    Per stage and transition four products of genes × hidden; forward once, backward twice. Weights, gradient and both
    moments are read or written at least once each per step.
    """
    stages = 2 * substeps * (len(TIMES) - 1)
    weights = 4 * genes * hidden
    return 3 * stages * 2 * weights, 4 * 7 * weights


def epoch_program(genes: int, hidden: int, runs: int, steps: int = STEPS):
    """Compile so many training steps of so many runs; return them with their arguments and compile seconds."""
    config = FitConfig(field=PhoenixSpec(hidden))
    expression = jax.random.uniform(jax.random.key(1), (steps, len(TIMES), genes))
    times = jnp.broadcast_to(jnp.array(TIMES), (steps, len(TIMES)))
    data = Trajectories(times, expression, jnp.ones(times.shape, bool))
    hyper, key = make_hyperparameters(), jax.random.key(2)

    def begin(key):
        return start(key, Split(data, data, data), hyper, config)

    def epoch(state, data):
        return train_epoch(key, state, jnp.asarray(1), data, jnp.arange(steps), NO_PRIOR, hyper, config)[0]

    if runs == 1:
        state = jax.jit(begin)(jax.random.key(0))
    else:
        state = jax.jit(jax.vmap(begin))(jax.random.split(jax.random.key(0), runs))
        epoch = jax.vmap(epoch, in_axes=(0, None))
    began = time.perf_counter()
    options = CPU_OPTIONS if jax.default_backend() == "cpu" else None
    compiled = jax.jit(epoch).lower(state, data).compile(compiler_options=options)
    return compiled, state, data, time.perf_counter() - began


def main() -> None:
    """Measure, print one line per size, save the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--genes", type=int, nargs="+", default=[350, 690])
    parser.add_argument("--runs", type=int, nargs="+", default=[1, 8, 64, 512])
    parser.add_argument("--torch-steps", type=int, default=4, help="reference steps per timing; 0 leaves it out")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    peak = ceilings()
    on_cpu = jax.default_backend() == "cpu"
    print(f"peak {peak['flops'] / 1e9:.0f} GFLOP/s, {peak['bytes_per_second'] / 1e9:.1f} GB/s")
    rows = []
    for genes in options.genes:
        reference = None
        for runs in options.runs:
            # On a CPU a sweep gives every core its own single-threaded program on single runs.
            lanes = min(usable_cores(), runs) if on_cpu else 1
            size = 1 if on_cpu else runs
            hidden = HIDDEN.get(genes, default_hidden(genes))
            compiled, state, data, compile_seconds = epoch_program(genes, hidden, size)
            jax.block_until_ready(compiled(state, data))
            rounds = -(-runs // lanes) if on_cpu else 1

            def ours(compiled=compiled, state=state, data=data, lanes=lanes, rounds=rounds):
                in_threads(lanes, lambda: [jax.block_until_ready(compiled(state, data)) for _ in range(rounds)])

            calls = [ours]
            if options.torch_steps and reference is None:
                calls.append(reference_steps(state, data, options.torch_steps, batched=size > 1))
            seconds = best_of(options.repeats if runs <= 64 else 1, *calls)
            if len(seconds) > 1:
                reference = seconds[1] / options.torch_steps * STEPS
            per_run = seconds[0] / (lanes * rounds if on_cpu else runs)
            flops, traffic = work_per_step(genes, hidden, FixedSteps().steps)
            arithmetic = STEPS * flops / peak["flops"]
            floor = max(arithmetic, STEPS * traffic / peak["bytes_per_second"])
            row = {
                "genes": genes,
                "runs": runs,
                "seconds_per_run_epoch": per_run,
                "torch_seconds_per_epoch": reference,
                "ratio": reference / per_run if reference else None,
                "roofline_share": floor / per_run,
                "arithmetic_share": arithmetic / per_run,
                "compile_seconds": compile_seconds,
            }
            rows.append(row)
            ratio = f"{row['ratio']:,.0f} × the PyTorch step" if reference else "no reference"
            print(
                f"{genes} genes, {runs} runs: {1e3 * per_run:.1f} ms per run-epoch, {ratio}, "
                f"{row['roofline_share']:.2f} of the roofline ({row['arithmetic_share']:.2f} of its arithmetic part), "
                f"compiled in {compile_seconds:.1f} s",
                flush=True,
            )
    print(save("throughput", rows, ceilings=peak))


def reference_steps(state, data: Trajectories, steps: int, batched: bool):
    """Return a call that takes so many reference steps with PyTorch on the same weights."""
    import torch
    from peers.torch_phoenix import make_step

    field = jax.tree.map(lambda leaf: np.asarray(leaf)[0] if batched else np.asarray(leaf), state.field)
    step = make_step(field)
    times = torch.tensor(np.asarray(data.times[0]))
    expression = [torch.tensor(np.asarray(e)) for e in data.expression[:steps]]
    step(times, expression[0])  # warm up
    return lambda: [step(times, e) for e in expression]


if __name__ == "__main__":
    main()
