"""Claim: a sweep killed at any moment loses nothing that had finished and repeats nothing that had.

Runs a small sweep undisturbed, then the same sweep while `kill -9` hits it at random moments, resumes until it is done,
and compares the two tables.

    python benchmarks/kill_resume.py [--kills 50]
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from common import save

GRID = """
system: {kind: simulated, genes: 20, seed: 0}
trajectories: {train: 20, validation: 4, test: 4, times: [0, 1, 3]}
methods: [dense, imp, bioprune, dash]
seeds: SEEDS
epochs: 60
hidden: 5
"""


def main() -> None:
    """Run both sweeps, print the claim's evidence, save it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=25)
    parser.add_argument("--longest", type=float, default=16, help="seconds after which a kill comes at the latest")
    parser.add_argument("--seed", type=int, default=0, help="seeds the moments of the kills")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="dashjax-kill-"))
    grid = folder / "grid.yaml"
    grid.write_text(GRID.replace("SEEDS", str(options.seeds)))

    def sweep(out: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "dashjax.cli", "sweep", str(grid), "--out", str(folder / out)]
        # JAX's own compilation cache shortens the start, so that most kills hit training and writing.
        cache = {"JAX_COMPILATION_CACHE_DIR": str(folder / "cache"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
        environment = os.environ | cache
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)

    began = time.monotonic()
    assert sweep("calm").wait() == 0
    calm_seconds = time.monotonic() - began
    moments = random.Random(options.seed)
    kills = resumed = 0
    while kills < options.kills:
        process = sweep("killed")
        # Kills land during start-up, compilation, training and writing alike.
        try:
            process.wait(timeout=moments.uniform(2, options.longest))
            # Finished before the kill came: forget a third of the runs, so that there is work to interrupt.
            chunks = sorted((folder / "killed" / "chunks").glob("*.npz"))
            for path in chunks[::3]:
                path.unlink()
            (folder / "killed" / "events.jsonl").unlink()
            resumed += 1
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            done = len(list((folder / "killed" / "chunks").glob("*.npz")))
            print(f"kill {kills}: {done} runs finished so far", flush=True)
    assert sweep("killed").wait() == 0

    drop = ["seconds"]
    calm, killed = (
        pd.read_parquet(folder / name / "results.parquet").drop(columns=drop) for name in ("calm", "killed")
    )
    events = [json.loads(line) for line in (folder / "killed" / "events.jsonl").read_text().splitlines()]
    counts = collections.Counter(event["id"] for event in events if event["event"] == "run")
    repeated = [identity for identity, count in counts.items() if count > 1]
    equal = calm.equals(killed)
    temporary = [path.name for path in (folder / "killed").rglob(".*")]
    row = {
        "kills": kills,
        "runs": int((calm["method"] != "prior_only").sum()),
        "tables_equal": bool(equal),
        "runs_repeated_after_finishing": len(repeated),
        "times_refilled": resumed,
        "seconds_undisturbed": calm_seconds,
        "temporary_files_left": len(temporary),
    }
    print(row)
    print(save("kill_resume", [row]))
    shutil.rmtree(folder)
    sys.exit(0 if equal and not repeated else 1)


if __name__ == "__main__":
    main()
