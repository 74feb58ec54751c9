"""A net's drawing in the DOT language, for people who have Graphviz."""
from __future__ import annotations

from pycaffe_acc.drawing_colour import layer_colours
from pycaffe_acc.drawing_graph import NetGraph


def quoted(text: str) -> str:
    """A DOT string: whatever the name holds, it stays one."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "\\n")
    return f'"{escaped}"'


def net_dot(graph: NetGraph, rankdir: str = "TB", label_edges: bool = True) -> str:
    """Write.

    Parameters
    ----------
    graph : NetGraph
    rankdir : {"TB", "BT", "LR", "RL"}
    label_edges : bool
        Write shapes beside the links.

    Returns
    -------
    str
        A digraph.
    """
    name = graph.name or "unnamed net"
    out = [
        f"digraph {quoted(name)} {{",
        f"  rankdir={rankdir};",
        f"  label={quoted(name)}; labelloc=t;",
        '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11];',
        '  edge [color="#8797a5", fontname="Helvetica", fontsize=9];',
    ]
    for i, box in enumerate(graph.boxes):
        fill, line = layer_colours(box.type)
        text = "\n".join([box.title, *box.lines, *(f"{kind} {inner}" for kind, inner in box.inside)])
        out.append(f'  n{i} [label={quoted(text)}, fillcolor="{fill}", color="{line}"];')
    for link in graph.links:
        label = f"label={quoted(link.label)}, " if label_edges and link.label else ""
        out.append(f"  n{link.source} -> n{link.target} [{label}tooltip={quoted(link.blob)}];")
    return "\n".join([*out, "}"]) + "\n"
