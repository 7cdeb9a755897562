"""What benchmarks share: device and versions, measured ceilings, and result files."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from dashjax.io.provenance import provenance

RESULTS = Path(__file__).parent / "results"


def save(name: str, rows: Sequence[dict[str, Any]], **extra: Any) -> Path:
    """Write `results/NAME-DEVICE.json` with device, versions and raw rows."""
    facts = provenance()
    device = facts.pop("device")
    slug = re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")
    path = RESULTS / f"{name}-{slug}.json"
    content = {"device": device, "versions": facts, **extra, "rows": list(rows)}
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def best_of(repeats: int, *calls: Callable[[], Any]) -> list[float]:
    """Time calls in turn, so that all see the same machine, and return each one's fastest seconds."""
    fastest = [float("inf")] * len(calls)
    for _ in range(repeats):
        for number, call in enumerate(calls):
            began = time.perf_counter()
            jax.block_until_ready(call())
            fastest[number] = min(fastest[number], time.perf_counter() - began)
    return fastest


def in_threads(count: int, call: Callable[[], Any]) -> None:
    """Make the same call in several threads at once and wait for all."""
    threads = [threading.Thread(target=lambda: jax.block_until_ready(call())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ceilings() -> dict[str, float]:
    """Measure this machine's peak float32 matrix rate (FLOP/s) and memory bandwidth (byte/s)."""
    size = 2048 if jax.default_backend() == "cpu" else 8192
    a = jax.random.normal(jax.random.key(0), (size, size))
    product = jax.jit(lambda a: jnp.matmul(a, a, precision="highest"))
    words = 2**26 if jax.default_backend() == "cpu" else 2**30
    b = jnp.arange(words, dtype=jnp.float32)
    copy = jax.jit(lambda b: b + 1)
    jax.block_until_ready((product(a), copy(b)))
    seconds = best_of(5, lambda: product(a), lambda: copy(b))
    return {"flops": 2 * size**3 / seconds[0], "bytes_per_second": 8 * words / seconds[1]}
