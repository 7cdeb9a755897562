"""One self-contained HTML page of a results folder."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

_STYLE = """
body{font:16px/1.55 system-ui,sans-serif;color:#222;max-width:72rem;margin:2rem auto;padding:0 1.2rem}
h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin-top:2.2rem}
p.sub{color:#666;margin-top:0}table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%;
font-size:.88rem}th,td{white-space:nowrap;padding:.35rem .6rem;text-align:right;border-bottom:1px solid #ddd}
th:first-child,td:first-child{text-align:left}
thead th{white-space:normal;border-bottom:2px solid #444;vertical-align:bottom}
tr.prior td{border-top:2px solid #444;font-style:italic}img{max-width:100%;height:auto}
figure{margin:1rem 0}figcaption{color:#555;font-size:.9rem}.scroll{overflow-x:auto}
code{background:#f3f3f3;padding:.1em .3em;border-radius:3px}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}img{background:#fff;border-radius:4px}
th,td{border-color:#444}figcaption,p.sub{color:#aaa}code{background:#333}}
"""


def render_page(
    title: str,
    subtitle: str,
    paragraphs: Sequence[str],
    headings: Sequence[str],
    cells: Sequence[Sequence[str]],
    figures: Mapping[str, tuple[bytes, str]],
    facts: Mapping[str, str],
) -> str:
    """Render a page.

    Args:
        title: heading.
        subtitle: one line under it.
        paragraphs: plain text above the table.
        headings: the table's column headings.
        cells: its rows; rows of the prior alone are set apart.
        figures: by title, a PNG and its caption.
        facts: versions and settings for the foot.

    Returns:
        HTML with styles and pictures inside.
    """
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(
        f"<tr{' class=prior' if row[0].startswith('prior_only') else ''}>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in cells
    )
    pictures = "".join(
        f'<h2>{escape(name)}</h2><figure><img alt="{escape(name)}" '
        f'src="data:image/png;base64,{base64.b64encode(png).decode()}"><figcaption>{escape(caption)}</figcaption></figure>'
        for name, (png, caption) in figures.items()
    )
    foot = "".join(f"<tr><td>{escape(key)}</td><td>{escape(value)}</td></tr>" for key, value in facts.items())
    text = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f'<h1>{escape(title)}</h1><p class="sub">{escape(subtitle)}</p>{text}'
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        f"{pictures}<h2>How this was made</h2><table><tbody>{foot}</tbody></table></body></html>\n"
    )
