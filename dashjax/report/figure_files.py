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
    _write_literally(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def _write_literally(figure) -> None:
    """Show texts as they are: a dollar in a gene's name begins no formula, as it does in the powers of a log axis."""
    from matplotlib.text import Text
    from matplotlib.ticker import LogFormatterMathtext

    for text in figure.findobj(Text):
        text.set_parse_math(False)
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        if isinstance(axis.get_major_formatter(), LogFormatterMathtext):
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                tick.label1.set_parse_math(True)


def write_figure(folder: Path, name: str, figure) -> bytes:
    """Write a figure into the `figures` of a results folder, and return its PNG."""
    png = to_png(figure)
    (folder / "figures").mkdir(exist_ok=True)
    write_atomically(folder / "figures" / f"{name}.png", partial(Path.write_bytes, data=png))
    return png
