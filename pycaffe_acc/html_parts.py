"""Pieces of HTML for notebooks: self-contained, no scripts, every text escaped."""
from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Sequence

import numpy as np
from PIL import Image

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_CELL = "padding:2px 8px;border-bottom:1px solid #d0d7de"


def escaped(value: object) -> str:
    """A value as text that means nothing in HTML, neither between tags nor in a quoted attribute. Names come from model files of strangers."""
    return html.escape(printable("-" if value is None else str(value)), quote=True)


def printable(text: str) -> str:
    """Text without control characters and lone surrogates, which HTML and SVG do not have; U+FFFD stands in their place."""
    return _CONTROL.sub("\ufffd", text)


def html_table(head: Sequence[object], rows: Sequence[Sequence[object]], left: int = 1) -> str:
    """A table.

    Parameters
    ----------
    head : sequence
    rows : sequence of sequence
        Values; they are escaped.
    left : int
        So many columns from the left are aligned left, the others right.
    """
    def line(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f'<{tag} style="{_CELL};text-align:{"left" if i < left else "right"}">{escaped(c)}</{tag}>'
                                for i, c in enumerate(cells)) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f'<table style="border-collapse:collapse;font-size:90%"><thead>{line(head, "th")}</thead><tbody>{body}</tbody></table>'


def html_block(title: str, *parts: str) -> str:
    """A heading and what is below it.

    Parameters
    ----------
    title : str
        Text; it is escaped.
    *parts : str
        HTML; empty ones are left out.
    """
    return f'<div><p style="margin:2px 0"><b>{escaped(title)}</b></p>' + "".join(p for p in parts if p) + "</div>"


def html_text(text: object) -> str:
    """A paragraph of text."""
    return f'<p style="margin:2px 0">{escaped(text)}</p>'


def html_folded(title: str, inside: str) -> str:
    """HTML that is shown when somebody opens it."""
    return f'<details><summary>{escaped(title)}</summary><div style="overflow:auto;max-height:600px">{inside}</div></details>'


def html_picture(pixels: np.ndarray, about: str, least_width: int = 256) -> str:
    """A picture that lies in the page itself.

    Parameters
    ----------
    pixels : (H, W) or (H, W, 3) uint8
    about : str
        Shown in its place where pictures are not.
    least_width : int
        Smaller ones are shown with larger pixels.
    """
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="PNG")
    width = max(1, round(least_width / pixels.shape[1])) * pixels.shape[1]
    return (f'<img alt="{escaped(about)}" style="image-rendering:pixelated;width:{width}px;border:1px solid #d0d7de" '
            f'src="data:image/png;base64,{base64.b64encode(out.getvalue()).decode("ascii")}"/>')
