"""How a notebook shows a net: its layers in a table, and its drawing."""
from __future__ import annotations

from typing import Any

from pycaffe_acc.drawing_graph import net_graph
from pycaffe_acc.drawing_svg import net_svg
from pycaffe_acc.html_parts import html_block, html_folded, html_table, html_text, printable

#: layers of which a drawing is made; larger ones can be drawn into a file
_DRAWN = 200
_LISTED = 1000


class NetHtml:
    """The notebook's half of `Net`."""

    name: str

    def _repr_html_(self) -> str:
        """For Jupyter: layers, shapes, parameters, drawing. Nothing is run."""
        return net_html(self)


def net_html(net: Any) -> str:
    """A net as HTML.

    Parameters
    ----------
    net : Net
        Shapes are those that its blobs have now.
    """
    rows, counted = [], set[int]()
    for layer, (name, tops) in zip(net.layers, net.top_names.items(), strict=True):
        if layer.type == "Split":
            continue
        fresh = [b for b in layer.blobs if id(b.parameter) not in counted]
        counted.update(id(b.parameter) for b in fresh)
        rows.append((name, layer.type, ", ".join(net.bottom_names[name]), ", ".join(tops), ", ".join(_extents(net.blobs[t].shape) for t in tops),
                     ", ".join(_extents(b.shape) for b in layer.blobs) or None, sum(b.count for b in fresh) or None))
    total = sum(row[-1] or 0 for row in rows)
    ends = "; ".join(f"{what}: " + (", ".join(f"{n} {_extents(net.blobs[n].shape)}" for n in names) or "none")
                     for what, names in (("inputs", net.inputs), ("outputs", net.outputs)))
    about = f"{len(rows)} layers, {total:,} parameters, {net.source.precision}, {net.threads} threads; {ends}"
    parts = [html_text(about)]
    if net.coverage is not None:
        parts.append(html_text(f"weights: {net.coverage}"))
    head = ("layer", "type", "bottoms", "tops", "shapes", "weights", "parameters")
    cut = "" if len(rows) <= _LISTED else html_text(f"… and {len(rows) - _LISTED} more layers")
    parts.append(html_folded("layers", html_table(head, rows[:_LISTED], left=6) + cut))
    if len(rows) <= _DRAWN:
        shapes = {n: b.shape for n, b in net.blobs.items()}
        parts.append(html_folded("drawing", printable(net_svg(net_graph(net.source.message, net.source.phase, shapes)))))
    return html_block(f"Net '{net.name}'", *parts)


def _extents(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"
