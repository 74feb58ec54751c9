"""A net's drawing as SVG: self-contained, no scripts, all text escaped."""
from __future__ import annotations

from xml.sax.saxutils import escape

from pycaffe_acc.drawing_colour import layer_colours
from pycaffe_acc.drawing_graph import Box, NetGraph
from pycaffe_acc.drawing_layout import layered_layout
from pycaffe_acc.html_parts import printable

_TITLE, _TEXT, _ROW, _PAD = 13.0, 11.0, 16.0, 10.0
_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[]/ "), frozenset("mwMW@×—")
_FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"


def net_svg(graph: NetGraph, rankdir: str = "TB") -> str:
    """Draw.

    Parameters
    ----------
    graph : NetGraph
    rankdir : {"TB", "BT", "LR", "RL"}
        Where the net runs.

    Returns
    -------
    str
        An SVG document.
    """
    sideways, reverse = rankdir in ("LR", "RL"), rankdir in ("BT", "RL")
    sizes = [_size(box) for box in graph.boxes]
    edges = [(link.source, link.target) for link in graph.links]
    labelled = any(link.label for link in graph.links)
    across_along = [(h, w) for w, h in sizes] if sideways else sizes
    gap = (18.0, 90.0 if labelled else 44.0) if sideways else (26.0, 46.0 if labelled else 34.0)
    layout = layered_layout(across_along, edges, gap, margin=24.0)
    total = layout.extent[1]

    def place(point: tuple[float, float]) -> tuple[float, float]:
        along = total - point[1] if reverse else point[1]
        return (along, point[0]) if sideways else (point[0], along)

    title_height = 30.0
    width, height = (total, layout.extent[0]) if sideways else (layout.extent[0], total)
    name = graph.name or "unnamed net"
    width = max(width, _text_width(name, 16.0, bold=True) + 48.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height + title_height:.0f}" '
        f'viewBox="0 {-title_height:.0f} {width:.0f} {height + title_height:.0f}" font-family="{_FONT}">',
        f"<title>{escape(name)}</title>",
        f'<rect x="0" y="{-title_height:.0f}" width="100%" height="100%" fill="#ffffff"/>',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.4" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0.6 L8,4 L0,7.4 L1.6,4 z" fill="#607080"/></marker></defs>',
        f'<text x="24" y="{-8:.0f}" font-size="16" font-weight="bold" fill="#263238">{escape(name)}</text>',
        '<g fill="none" stroke="#8797a5" stroke-width="1.4">',
    ]
    for link, path in zip(graph.links, layout.paths, strict=True):
        curve = _curve([place(p) for p in path], sideways)
        tip = f"{link.blob} {link.label}".rstrip()
        parts.append(f'<path d="{curve}" marker-end="url(#arrow)"><title>{escape(tip)}</title></path>')
    parts.append("</g>")
    parts += _labels(graph, [[place(p) for p in path] for path in layout.paths])
    for box, size, centre in zip(graph.boxes, sizes, layout.centres, strict=True):
        parts.append(_box(box, size, place(centre)))
    parts.append("</svg>")
    return printable("\n".join(parts) + "\n")


def _text_width(text: str, size: float, bold: bool = False) -> float:
    units = sum(0.3 if c in _NARROW else 0.85 if c in _WIDE else 0.68 if c.isupper() else 0.56 for c in text)
    return units * size * (1.2 if bold else 1.0)


def _rows(box: Box) -> list[str]:
    return box.lines + [f"{kind}  {name}" for kind, name in box.inside]


def _size(box: Box) -> tuple[float, float]:
    widths = [_text_width(box.title, _TITLE, bold=True), *(_text_width(t, _TEXT) + 4 for t in _rows(box)), 60.0]
    return max(widths) + 2 * _PAD, _ROW * (1 + len(box.lines)) + (_ROW + 2) * len(box.inside) + _PAD


def _curve(points: list[tuple[float, float]], sideways: bool) -> str:
    """A path whose pieces leave and arrive along the ranks."""
    d = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        if abs(x0 - x1) < 0.5 or abs(y0 - y1) < 0.5:
            d.append(f"L{x1:.1f},{y1:.1f}")
        elif sideways:
            middle = (x0 + x1) / 2
            d.append(f"C{middle:.1f},{y0:.1f} {middle:.1f},{y1:.1f} {x1:.1f},{y1:.1f}")
        else:
            middle = (y0 + y1) / 2
            d.append(f"C{x0:.1f},{middle:.1f} {x1:.1f},{middle:.1f} {x1:.1f},{y1:.1f}")
    return " ".join(d)


def _labels(graph: NetGraph, paths: list[list[tuple[float, float]]]) -> list[str]:
    """The shapes, beside the beginning of each link; once for each source and blob."""
    out, done = [], set()
    for link, path in zip(graph.links, paths, strict=True):
        if not link.label or (link.source, link.blob) in done:
            continue
        done.add((link.source, link.blob))
        (x0, y0), (x1, y1) = path[0], path[1]
        x, y = x0 + (x1 - x0) * 0.25, y0 + (y1 - y0) * 0.25
        half = _text_width(link.label, 10.0) / 2 + 3
        out.append(f'<rect x="{x - half:.1f}" y="{y - 7:.1f}" width="{2 * half:.1f}" height="14" rx="3" fill="#ffffff" fill-opacity="0.88"/>'
                   f'<text x="{x:.1f}" y="{y + 3.5:.1f}" font-size="10" text-anchor="middle" fill="#546e7a">{escape(link.label)}</text>')
    return out


def _box(box: Box, size: tuple[float, float], centre: tuple[float, float]) -> str:
    width, height = size
    x, y = centre[0] - width / 2, centre[1] - height / 2
    fill, line = layer_colours(box.type)
    out = [
        f'<g><rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6" fill="{fill}" stroke="{line}" stroke-width="1.3"/>',
        f'<text x="{centre[0]:.1f}" y="{y + _ROW:.1f}" font-size="{_TITLE:g}" font-weight="bold" text-anchor="middle" fill="#263238">'
        f"{escape(box.title)}</text>",
    ]
    at = y + _ROW
    for text in box.lines:
        at += _ROW
        out.append(f'<text x="{centre[0]:.1f}" y="{at:.1f}" font-size="{_TEXT:g}" text-anchor="middle" fill="#455a64">{escape(text)}</text>')
    for kind, name in box.inside:
        inner, stroke = layer_colours(kind)
        out.append(f'<rect x="{x + 5:.1f}" y="{at + 5:.1f}" width="{width - 10:.1f}" height="{_ROW:.1f}" rx="4" fill="{inner}" stroke="{stroke}" '
                   'stroke-width="0.8"/>'
                   f'<text x="{centre[0]:.1f}" y="{at + 16.5:.1f}" font-size="{_TEXT - 0.5:g}" text-anchor="middle" fill="#37474f">'
                   f'<tspan font-weight="bold">{escape(kind)}</tspan> {escape(name)}</text>')
        at += _ROW + 2
    return "".join(out) + "</g>"
