"""Claim: the first network of a session is there in seconds, and every further one of its size sooner.

Calls `infer_network` in a fresh process without a compilation cache, with everything at its defaults, on a generated
system of 20 genes in 8 trajectories with a prior of which 5 % is misplaced, and on a BEELINE-format folder without a
prior if there is one. `import_seconds` is `import dashjax`, `cold_seconds` the first call with all that it compiles,
`warm_seconds` the same call once more with another seed, in the same process. Medians over processes.

    python benchmarks/first_network.py [--data DIR] [--repeats 3]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

GENES, TRAJECTORIES = 20, 8
MEASURED = ("import_seconds", "cold_seconds", "warm_seconds")


def measure(data: Path | None) -> dict[str, Any]:
    """Import, infer and infer again in this process, which must be a fresh one."""
    began = time.perf_counter()
    import dashjax as dj

    imported = time.perf_counter() - began
    expression: Any = data
    prior: Any = None
    genes: Any = None
    if data is None:
        import numpy as np

        system = dj.generate_system(GENES, seed=0)
        expression = dj.simulate_study(system, seed=0, train=TRAJECTORIES - 1, validation=1, test=1).seen()
        stated = dj.relocate_edges(np.random.default_rng(0), system.truth, share=0.05)
        prior, genes = dj.edge_list(stated, system.genes), system.genes
    seconds = []
    for seed in range(2):
        began = time.perf_counter()
        network = dj.infer_network(expression, prior, genes=genes, seed=seed, progress=False)
        seconds.append(time.perf_counter() - began)
    cold, warm = seconds
    return {
        "data": "generated" if data is None else data.name,
        "genes": len(network.genes),
        "trajectories": TRAJECTORIES if data is None else None,
        "fitted": network.how["fitted"],
        **dict(zip(MEASURED, (imported, cold, warm), strict=True)),
    }


def measure_afresh(data: Path | None) -> dict[str, Any]:
    """Measure in a fresh process that finds no compiled programs."""
    command = [sys.executable, __file__, "--here", *([] if data is None else ["--data", str(data)])]
    environment = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    environment["JAX_ENABLE_COMPILATION_CACHE"] = "false"
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure, print one line per data set, save the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder with ExpressionData.csv and PseudoTime.csv")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--here", action="store_true", help="measure once in this process and print the row")
    options = parser.parse_args()
    if options.here:
        print(json.dumps(measure(options.data)))
        return
    from common import save  # not above: it imports dashjax, which a fresh process is to time

    rows = []
    for data in [None, *([options.data] if options.data else [])]:
        runs = [measure_afresh(data) for _ in range(options.repeats)]
        median = {name: statistics.median(run[name] for run in runs) for name in MEASURED}
        rows.append(runs[0] | median | {"processes": len(runs)})
        print(
            f"{rows[-1]['data']}, {rows[-1]['genes']} genes: import {median['import_seconds']:.1f} s, first network "
            f"{median['cold_seconds']:.1f} s, next {median['warm_seconds']:.1f} s",
            flush=True,
        )
    print(save("first_network", rows))


if __name__ == "__main__":
    main()
