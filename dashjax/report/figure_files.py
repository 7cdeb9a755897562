"""Figures as files."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

from dashjax.io import write_atomically


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
