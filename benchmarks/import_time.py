"""Claim: `import dashjax` takes at most half as long again as `import diffrax`, which it needs in any case.

Starts fresh interpreters in turns, so that both see the same machine, and compares the medians of what the import
itself takes; the interpreter's own start is left out.

    python benchmarks/import_time.py [--repeats 15]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

from common import save

PACKAGES = ("diffrax", "dashjax")
LIMIT = 1.5


def import_seconds(package: str) -> float:
    """Import a package in a fresh interpreter and return how long that took."""
    code = f"import time; began = time.perf_counter(); import {package}; print(time.perf_counter() - began)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure, print one line, save the row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    for package in PACKAGES:  # byte code and the disk's cache are there from the second import on
        import_seconds(package)
    seconds: dict[str, list[float]] = {package: [] for package in PACKAGES}
    for _ in range(options.repeats):
        for package in PACKAGES:
            seconds[package].append(import_seconds(package))
    median = {package: statistics.median(measured) for package, measured in seconds.items()}
    ratio = median["dashjax"] / median["diffrax"]
    print(f"dashjax {median['dashjax']:.2f} s, diffrax {median['diffrax']:.2f} s: {ratio:.2f} × (limit {LIMIT})")
    rows = [
        {"package": package, "median_seconds": median[package], "fastest_seconds": min(seconds[package])}
        for package in PACKAGES
    ]
    print(save("import_time", rows, ratio=ratio, repeats=options.repeats))
    sys.exit(0 if ratio <= LIMIT else 1)


if __name__ == "__main__":
    main()
