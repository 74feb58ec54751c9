"""What the zoo knows of a network and of its public weights."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class ZooEntry:
    """One network.

    Only what its publishers, or several independent users of the same file, say stands here; what nobody says is left empty.

    Attributes
    ----------
    name : str
        Of the folder below `models/` and on the command line.
    title : str
    build : callable
        batch, and by name whatever `variants` lists → NetParameter.
    paper : str
    layout : str
        Whose layer names the net has: a sentence.
    page : str
        Where a person finds the weights, or the prototxt that publishes the layer names; empty when nobody publishes weights.
    license : str
        Of the weights, as their publisher states it; empty when nothing is stated.
    preprocessing : str
        In words.
    options : str
        The same as options of `pycaffe-acc eval`.
    accuracy : str
        As published, with where and how it was measured; empty when unknown.
    caffemodel : str
        File name of the weights.
    urls : tuple of str
        Addresses that a program can fetch, best first; all give the same bytes.
    checksums : mapping of str to str
        hashlib's name of the algorithm → hexadecimal digest of the weights.
    size_bytes : int or None
    note : str
        Anything else one must know before using the weights.
    variants : tuple of str
        Switches of `build`.
    """

    name: str
    title: str
    build: Callable[..., Any]
    paper: str
    layout: str
    preprocessing: str
    options: str
    page: str = ""
    license: str = ""
    accuracy: str = ""
    caffemodel: str = ""
    urls: tuple[str, ...] = ()
    checksums: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    size_bytes: int | None = None
    note: str = ""
    variants: tuple[str, ...] = ()
