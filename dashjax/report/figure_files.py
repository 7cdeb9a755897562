"""Figures as files, and the versions and device that made them."""

from __future__ import annotations

import io
import platform
from functools import partial
from importlib.metadata import version
from pathlib import Path

import jax

from dashjax.engine import usable_cores
from dashjax.io import write_atomically


def provenance() -> dict[str, str]:
    """Return versions and device, as every benchmark records them."""
    device = jax.devices()[0]
    packages = ("dashjax", "jax", "jaxlib", "equinox", "diffrax", "optax", "numpy")
    return {
        "device": f"{device.platform}: {device.device_kind}" if device.platform != "cpu" else cpu_name(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "precision": "float32",
    }


def cpu_name() -> str:
    """Return the processor's name and the cores in use."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":", 1)[1].strip() if lines else name
    return f"cpu: {name}, {usable_cores()} cores"


def to_png(figure) -> bytes:
    """Render a figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def write_figure(folder: Path, name: str, figure) -> bytes:
    """Write a figure into the `figures` of a results folder, and return its PNG."""
    png = to_png(figure)
    (folder / "figures").mkdir(exist_ok=True)
    write_atomically(folder / "figures" / f"{name}.png", partial(Path.write_bytes, data=png))
    return png
