"""Claim: DASH's scores work at any depth. Question: does depth help to find edges?

Runs imp and DASH with λ from little to much trust on perceptron fields of one, two and three hidden layers, on a
generated system whose genes combine several regulators.

    python benchmarks/depth.py [--genes 60] [--seeds 3] [--epochs 120]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from common import save

from dashjax.sweep import PRIOR_ONLY, parse_grid, run_sweep

MEASURED = ("sparsity", "balanced_accuracy", "aupr", "aupr_outside_prior", "aupr_inside_prior", "test_mse")


def main() -> None:
    """Run, print one line per depth, method and λ, save the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--genes", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=120)
    options = parser.parse_args()
    rows = []
    for hidden_layers in (1, 2, 3):
        content = {
            "system": {"kind": "simulated", "genes": options.genes, "seed": 0},
            "methods": ["imp", {"name": "dash", "lambda_1": [0.05, 0.5, 0.95], "lambda_2": 0.5}],
            "seeds": options.seeds,
            "epochs": options.epochs,
            "field": "mlp",
            "hidden_layers": hidden_layers,
        }
        with tempfile.TemporaryDirectory() as folder:
            table = run_sweep(parse_grid(content), Path(folder) / "out").table
        table = table[table["method"] != PRIOR_ONLY]
        for (method, trust), group in table.groupby(["method", "lambda_1"], sort=False):
            row = {"hidden_layers": hidden_layers, "method": method, "lambda_1": trust, "runs": len(group)}
            row |= {name: float(group[name].mean()) for name in MEASURED}
            rows.append(row)
            print(
                f"{hidden_layers} hidden, {method} (λ₁ {trust:g}): sparsity {row['sparsity']:.3f}, balanced accuracy "
                f"{row['balanced_accuracy']:.3f}, AUPR {row['aupr']:.3f}, outside {row['aupr_outside_prior']:.3f}, "
                f"test error {row['test_mse']:.1e}",
                flush=True,
            )
    print(save("depth", rows))


if __name__ == "__main__":
    main()
