"""Claim: cost per run-epoch grows in proportion to genes × hidden units, and memory no faster.

Times training steps (one trajectory, 4 intervals each) over genes, hidden units and runs per batch, and records what
the compiler says of memory. One size varies at a time.

    python benchmarks/scaling.py [--genes 100 350 1000 3551 11165]
"""

from __future__ import annotations

import argparse
from typing import Any

import jax
from common import best_of, ceilings, save
from throughput import STEPS, epoch_program, work_per_step

from dashjax.dynamics import FixedSteps
from dashjax.dynamics.phoenix import default_hidden
from dashjax.engine import usable_cores

#: Hidden units of the published studies at their sizes.
PUBLISHED_HIDDEN = {350: 40, 690: 50, 3551: 120, 11165: 300}


def measure(genes: int, hidden: int, runs: int, peak: dict[str, float]) -> dict[str, Any]:
    """Time a few training steps on one core (or accelerator) and return a row."""
    # About the same work for every size, at least two steps.
    steps = max(2, min(STEPS, int(2e6 / (genes * hidden * runs) * STEPS)))
    compiled, state, data, compile_seconds = epoch_program(genes, hidden, runs, steps)
    (best,) = best_of(3, lambda: compiled(state, data))
    flops, traffic = work_per_step(genes, hidden, FixedSteps().steps)
    # The ceilings are the whole machine's; a lane of a CPU has one core.
    cores = usable_cores() if jax.default_backend() == "cpu" else 1
    floor = steps * max(flops / peak["flops"], traffic / peak["bytes_per_second"]) * cores
    memory: Any = compiled.memory_analysis()
    total = memory.temp_size_in_bytes + memory.argument_size_in_bytes + memory.output_size_in_bytes
    return {
        "genes": genes,
        "hidden": hidden,
        "runs": runs,
        "seconds_per_run_epoch": best / runs / steps * STEPS,
        "roofline_share": floor / (best / runs),
        "mib_per_run": total / runs / 2**20,
        "compile_seconds": compile_seconds,
    }


def main() -> None:
    """Measure, print one line per size, save the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--genes", type=int, nargs="+", default=[100, 350, 1000, 3551, 11165])
    parser.add_argument("--hidden", type=int, nargs="+", default=[10, 20, 40, 80, 160, 320])
    parser.add_argument("--runs", type=int, nargs="+", default=[1, 2, 8, 32])
    options = parser.parse_args()
    peak = ceilings()
    sizes = [(genes, PUBLISHED_HIDDEN.get(genes, default_hidden(genes)), 1) for genes in options.genes]
    sizes += [(350, hidden, 1) for hidden in options.hidden]
    sizes += [(350, 40, runs) for runs in options.runs]
    rows = []
    for genes, hidden, runs in dict.fromkeys(sizes):
        row = measure(genes, hidden, runs, peak)
        rows.append(row)
        print(
            f"{genes} genes, {hidden} hidden, {runs} runs: {1e3 * row['seconds_per_run_epoch']:.1f} ms per run-epoch, "
            f"{1e9 * row['seconds_per_run_epoch'] / genes / hidden:.0f} ns per gene × hidden unit, "
            f"{row['mib_per_run']:.1f} MiB per run, {row['roofline_share']:.2f} of one core's roofline",
            flush=True,
        )
    print(save("scaling", rows, ceilings=peak))


if __name__ == "__main__":
    main()
