"""Figures as files."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

from dashjax.io import write_atomically


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
