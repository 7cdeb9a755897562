"""One self-contained HTML page: sections of text, tables, figures and interactive views, with their data inside.

A page asks nobody for anything: style, scripts and data stand in it, and a policy in its head forbids requests. Data
are JSON that the script only ever sets as text, so that no name, however hostile, is read as markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from dashjax.sweep import PRIOR_ONLY

#: Significant digits of numbers in a page.
DIGITS = 4
#: Characters of a text that stands in a page itself, outside the data.
LONGEST = 400


@dataclass(frozen=True)
class Part:
    """A piece of a page.

    Attributes:
        html: its markup.
        data: what its views show, by kind of view and key.
        drawing: whether it needs the library that draws networks.
    """

    html: str
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    drawing: bool = False


@dataclass(frozen=True)
class Section:
    """A section of a page.

    Attributes:
        name: its heading.
        parts: what stands in it, in order.
        short: what the page's menu calls it; its heading if empty.
    """

    name: str
    parts: Sequence[Part]
    short: str = ""


def render_page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """Render a page; sections without any part are left out.

    Args:
        title: its heading.
        subtitle: one line under it.
        sections: what it says.
    """
    sections = [section for section in sections if section.parts]
    parts = [part for section in sections for part in section.parts]
    data: dict[str, dict[str, Any]] = {}
    for part in parts:
        for kind, values in part.data.items():
            data.setdefault(kind, {}).update(values)
    scripts = ["cytoscape.min.js"] if any(part.drawing for part in parts) else []
    # A page without views needs no script.
    scripts += ["report.js"] if any("data-view" in part.html for part in parts) else []
    allowed = " ".join(f"'sha256-{_digest(name)}'" for name in scripts) or "'none'"
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )
    menu = "".join(
        f'<li><a href="#part{number}">{escape(section.short or section.name)}</a></li>'
        for number, section in enumerate(sections)
    )
    body = "".join(
        f'<section id="part{number}" aria-labelledby="name{number}"><h2 id="name{number}">{escape(section.name)}</h2>'
        + "".join(part.html for part in section.parts)
        + "</section>"
        for number, section in enumerate(sections)
    )
    inside = f'<script type="application/json" id="data">{to_json(data)}</script>' if scripts else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{text_of(title)}</title><style>{_asset('report.css')}</style></head><body>"
        '<a class="skip" href="#main">Skip to the content</a>'
        f'<header><h1>{text_of(title)}</h1><p class="subtitle">{text_of(subtitle)}</p></header>'
        f'<nav aria-label="Sections"><ol>{menu}</ol></nav><main id="main">{body}</main>'
        f"{inside}{''.join(f'<script>{_asset(name)}</script>' for name in scripts)}</body></html>\n"
    )


@cache
def _asset(name: str) -> str:
    return (files("dashjax.report") / "assets" / name).read_text(encoding="utf-8")


@cache
def _digest(name: str) -> str:
    return base64.b64encode(hashlib.sha256(_asset(name).encode()).digest()).decode()


def to_json(value: Any) -> str:
    """Return data as JSON that may stand inside a script element: no tag can begin in it."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def text_of(text: Any, longest: int = LONGEST) -> str:
    """Return text for markup: escaped, and cut where nobody would read on."""
    text = str(text)
    return escape(text if len(text) <= longest else text[: longest - 1] + "…")


def numbers(values: Any) -> list[float | int | None]:
    """Return numbers as JSON has them: rounded to `DIGITS`, whole ones whole, and null for what is not finite."""
    found: list[float | int | None] = []
    for value in np.asarray(values, float).ravel().tolist():
        if not np.isfinite(value):
            found.append(None)
        else:
            short = float(f"{value:.{DIGITS}g}")
            found.append(int(value) if value == int(value) and abs(value) < 2**53 else short)
    return found


# --- static parts --------------------------------------------------------------------------------------------


def paragraphs(*texts: str) -> Part:
    """Return paragraphs of plain text."""
    return Part("".join(f"<p>{text_of(text, 4000)}</p>" for text in texts if text))


def hint(text: str) -> Part:
    """Return a line that explains what stands below it."""
    return Part(f'<p class="hint">{text_of(text, 2000)}</p>')


def heading(text: str) -> Part:
    """Return a heading inside a section."""
    return Part(f"<h3>{text_of(text)}</h3>")


def sentences(lines: Iterable[tuple[str, str]]) -> Part:
    """Return a list of sentences, warnings marked as such.

    Args:
        lines: "warning" or another level, and the sentence.
    """
    items = ""
    for level, text in lines:
        mark = " class=warning" if level in ("warning", "error") else ""
        # A file's name stays as it is.
        named = any(part in text.split(" ", 1)[0].rstrip(":.") for part in "./_")
        items += f"<li{mark}>{text_of(text if named else text[:1].upper() + text[1:], 2000)}</li>"
    return Part(f'<ul class="said">{items}</ul>' if items else "")


def tiles(values: Mapping[str, str]) -> Part:
    """Return a few large figures, each with what it counts."""
    items = "".join(f"<li><b>{text_of(value)}</b><span>{text_of(name)}</span></li>" for name, value in values.items())
    return Part(f'<ul class="tiles">{items}</ul>')


def static_table(
    headings: Sequence[str], cells: Sequence[Sequence[str]], best: Iterable[tuple[int, int]] = (), texts: int = 1
) -> Part:
    """Return a table as it is.

    Args:
        headings: of its columns.
        cells: its rows; those of the prior alone are set apart.
        best: rows and columns of the cells to mark.
        texts: how many columns, from the left, hold words.
    """
    marked = set(best)
    head = "".join(
        f'<th scope="col"{" class=text" if place < texts else ""}>{text_of(name)}</th>'
        for place, name in enumerate(headings)
    )

    def cell(text: str, at: tuple[int, int]) -> str:
        kinds = " ".join(kind for kind, yes in (("text", at[1] < texts), ("best", at in marked)) if yes)
        return f'<td class="{kinds}">{text_of(text)}</td>' if kinds else f"<td>{text_of(text)}</td>"

    body = "".join(
        f"<tr{' class=prior' if str(row[0]).startswith(PRIOR_ONLY) else ''}>"
        + "".join(cell(text, (number, place)) for place, text in enumerate(row))
        + "</tr>"
        for number, row in enumerate(cells)
    )
    return Part(
        f'<div class="scroll" tabindex="0" role="region" aria-label="table of {len(cells)} rows"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def facts(values: Mapping[str, Any]) -> Part:
    """Return names and what they are, line by line."""
    rows = "".join(f"<tr><td>{text_of(key)}</td><td>{text_of(value, 2000)}</td></tr>" for key, value in values.items())
    return Part(f'<table class="facts"><tbody>{rows}</tbody></table>')


def static_figure(name: str, png: bytes, caption: str = "") -> Part:
    """Return a picture with its caption."""
    content = base64.b64encode(png).decode()
    return Part(
        f'<figure><img loading="lazy" alt="{text_of(name)}" src="data:image/png;base64,{content}">'
        f"<figcaption>{text_of(caption, 1000)}</figcaption></figure>"
    )


# --- interactive parts ---------------------------------------------------------------------------------------


def _view(kind: str, key: str, fallback: Part | None, data: Mapping[str, Mapping[str, Any]], drawing=False) -> Part:
    """Return the place of a view; without scripts its fallback is shown instead."""
    instead = "" if fallback is None else f"<noscript>{fallback.html}</noscript>"
    return Part(f'<div class="view" data-view="{kind}" data-key="{escape(key)}"></div>{instead}', data, drawing)


def table_view(
    key: str,
    table: pd.DataFrame,
    labels: Mapping[str, str],
    label: str,
    *,
    genes: Iterable[str] = (),
    filters: Sequence[str] = (),
    sort: str | None = None,
    hints: Mapping[str, str] | None = None,
    shown_without: int = 50,
    fallback: bool = True,
) -> Part:
    """Return a table that can be sorted, searched, filtered, copied and downloaded.

    Args:
        key: what data and files call it.
        table: its rows.
        labels: heading by column, in order; columns that the table lacks are left out.
        label: what it is, for those who hear the page.
        genes: columns whose cells name genes to look at.
        filters: columns that rows can be filtered by.
        sort: column that it is sorted by at first, the largest on top; the table's own order if None.
        hints: what a column means.
        shown_without: rows that are shown where scripts do not run.
        fallback: whether any are.
    """
    chosen = [name for name in labels if name in table]
    columns = []
    for name in chosen:
        column: dict[str, Any] = {"id": name, "label": labels[name]}
        if hints and name in hints:
            column["hint"] = hints[name]
        values = table[name]
        if values.dtype == bool:
            column |= {"kind": "flag", "values": values.astype(int).tolist()}
        elif pd.api.types.is_numeric_dtype(values):
            column |= {"kind": "number", "values": numbers(values.astype(float))}
        else:
            # A missing text has a code of its own in some versions of pandas, and -1 in others.
            codes, words = pd.factorize(values.astype(object).where(values.notna(), "–").astype(str))
            column |= {"kind": "gene" if name in set(genes) else "text"}
            column |= {"words": [str(word) for word in words], "at": codes.tolist()}
        columns.append(column)
    described: dict[str, Any] = {
        "columns": columns, "label": label, "file": key, "filters": [name for name in filters if name in chosen]
    }  # fmt: skip
    if sort is not None:
        described["sort"] = {"id": sort, "down": True}
    first = table[chosen].head(shown_without)
    instead = None
    if fallback:
        cells = [[_cell(value) for value in row] for row in first.itertuples(index=False)]
        texts = next((place for place, column in enumerate(columns) if "values" in column), len(columns))
        instead = static_table([labels[name] for name in chosen], cells, texts=texts)
    return _view("table", key, instead, {"tables": {key: described}})


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return "–" if pd.isna(value) else f"{value:.4g}"


#: Name, value, ends of its interval, and number of its group.
Bar = tuple[str, float, float | None, float | None, int]


@dataclass(frozen=True)
class BarSet:
    """Bars that are shown together.

    Attributes:
        name: of the set, to choose it by.
        rows: the bars.
        words: what the set is.
    """

    name: str
    rows: Sequence[Bar]
    words: str = ""


def bar_rows(names: Iterable[Any], values: Any, low: Any = None, high: Any = None, groups: Any = None) -> list[Bar]:
    """Return bars of columns: their names, values, the ends of their intervals, and the numbers of their groups."""
    names = [str(name) for name in names]
    nothing, first = [None] * len(names), [0] * len(names)
    ends = (nothing if part is None else [float(value) for value in part] for part in (low, high))
    numbered = first if groups is None else [int(group) for group in groups]
    return list(zip(names, [float(value) for value in values], *ends, numbered, strict=True))


def bars_view(
    key: str,
    label: str,
    axis: str,
    sets: Sequence[BarSet],
    groups: Sequence[str] = (),
    choose: str = "Show",
    limits: tuple[float, float] | None = None,
    fallback: Part | None = None,
) -> Part:
    """Return horizontal bars with intervals; of several sets one is chosen.

    Args:
        key: what data call it.
        label: what it is.
        axis: of the values; the name of the set that is shown if empty.
        sets: the bars.
        groups: names of the groups, each of one colour; one colour for all if empty.
        choose: label of the choice between sets.
        limits: of the axis; as the values reach if None.
        fallback: what is shown without scripts.
    """
    described = {
        "label": label,
        "axis": axis,
        "choose": choose,
        "groups": list(groups) or None,
        "range": limits,
        "sets": [
            {"name": one.name, "words": one.words, "rows": [[n, *numbers(_given(ends)), g] for n, *ends, g in one.rows]}
            for one in sets
        ],
    }  # fmt: skip
    return _view("bars", key, fallback, {"bars": {key: described}})


def _given(values: Iterable[Any]) -> list[float]:
    return [np.nan if value is None else float(value) for value in values]


@dataclass(frozen=True)
class Measure:
    """A quantity that points can be drawn by.

    Attributes:
        name: its heading.
        values: of every point.
        lines: levels to compare with, by name.
    """

    name: str
    values: Any
    lines: Mapping[str, float] = field(default_factory=dict)


def scatter_view(
    key: str,
    x: Measure,
    measures: Mapping[str, Measure],
    names: Sequence[str],
    groups: Sequence[str] | None = None,
    fallback: Part | None = None,
) -> Part:
    """Return points with their names under the pointer, and levels to compare with as lines.

    Args:
        key: what data call it.
        x: across.
        measures: upwards, by id; one is chosen.
        names: of the points.
        groups: group of every point, which its colour and shape tell and which can be hidden; one if None.
        fallback: what is shown without scripts.
    """
    codes, kinds = pd.factorize(pd.Series(["" for _ in names] if groups is None else list(groups), dtype=object))
    described = {
        "x": {"label": x.name, "values": numbers(x.values)},
        "y": [
            {
                "id": name,
                "label": one.name,
                "lines": [
                    {"label": text, "value": value}
                    for text, value in zip(one.lines, numbers(list(one.lines.values())), strict=True)
                ],
            }
            for name, one in measures.items()
        ],
        "values": {name: numbers(one.values) for name, one in measures.items()},
        "names": list(names),
        "group": codes.tolist(),
        "groups": [str(kind) for kind in kinds],
    }  # fmt: skip
    return _view("scatter", key, fallback, {"scatter": {key: described}})


@dataclass(frozen=True)
class Layer:
    """Values over time of all genes that are shown, drawn in one way.

    Attributes:
        name: what they are.
        style: "dots", "joined" (dots with a thin line), "line" or "dashed".
        colour: name of a colour of the stylesheet.
        times: of the values.
        values: (time, gene), NaN where there is none.
        low: lower end of a band around them, or None.
        high: its upper end.
    """

    name: str
    style: str
    colour: str
    times: Any
    values: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None


def courses_view(
    key: str,
    genes: Sequence[str],
    trajectories: Mapping[str, Sequence[Layer]],
    edges: str | None = None,
    band: str = "",
    time: str = "time",
    beside: str = ", and other genes",
    fallback: Part | None = None,
) -> Part:
    """Return the courses of a gene that is searched, with those of its regulators beside it.

    Args:
        key: what data call it.
        genes: whose courses there are.
        trajectories: layers by name of the trajectory; all have the same layers.
        edges: key of the table of edges, which says who regulates whom; the first genes stand beside if None.
        band: what bands are.
        time: name of the axis.
        beside: what the others are, where no edges tell.
        fallback: what is shown without scripts.
    """

    def by_gene(values: np.ndarray | None) -> list[list[Any]] | None:
        return None if values is None else [numbers(own) for own in np.asarray(values).T]

    described = {
        "genes": list(genes),
        "edges": edges,
        "band": band,
        "time": time,
        "beside": beside,
        "trajectories": [
            {
                "name": name,
                "layers": [
                    {"label": one.name, "style": one.style, "colour": one.colour, "times": numbers(one.times)}
                    | {"values": by_gene(one.values), "low": by_gene(one.low), "high": by_gene(one.high)}
                    for one in layers
                ],
            }
            for name, layers in trajectories.items()
        ],
    }
    fallback = fallback or hint("Courses are drawn by a script, which does not run here.")
    return _view("courses", key, fallback, {"courses": {key: described}})


def network_view(strength: str, sign: str, fallback: Part | None = None) -> Part:
    """Return a drawing of the network whose edges the table `edges` of the page holds.

    Args:
        strength: column that says how likely or strong an edge is.
        sign: column whose sign is that of the edge.
        fallback: what is shown without scripts.
    """
    return _view("network", "network", fallback, {"network": {"strength": strength, "sign": sign}}, drawing=True)
