"""Which layers stay in floating point."""
from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from pycaffe_acc.errors import CheckError
from pycaffe_acc.quantize.layer_ranges import WEIGHTED

_REGEX, _TYPES = "regex:", "types="
HELP = ("keep layers in floating point: NAME, first or last (layer with weights), regex:R (all of a name), types=T,…; several with commas "
        "(regex: and types= take the rest of the argument), or the option several times")


def kept_in_float(selectors: Iterable[str], layers: Sequence[Any], option: str = "--keep-float") -> set[int]:
    """The layers that selectors name.

    Parameters
    ----------
    selectors : iterable of str
        Each a layer's name, or a list of words with commas between them: a name; `first` or `last`, the outermost layer with weights; and as the last
        word `regex:R` (names that R matches as a whole) or `types=T,…`, which may have commas of their own.
    layers : sequence of LayerParameter
    option : str
        What the messages call a selector.

    Returns
    -------
    set of int
        Indices in `layers`.

    Raises
    ------
    CheckError
        For a selector that names no layer, with similar names; for a pattern that is none.
    """
    kept: set[int] = set()
    for selector in selectors:
        kept |= _named(selector, layers) or _selected(selector, layers, option)
    return kept


def _selected(selector: str, layers: Sequence[Any], option: str) -> set[int]:
    kept: set[int] = set()
    rest = selector
    while rest:
        if rest.startswith(_REGEX):
            return kept | _matching(rest.removeprefix(_REGEX), layers, option)
        if rest.startswith(_TYPES):
            return kept | _typed(rest.removeprefix(_TYPES), layers, option)
        word, _, rest = rest.partition(",")
        kept |= _word(word.strip(), layers, option)
        rest = rest.strip()
    if not kept:
        raise CheckError(f"{option} got an empty word; it must name a layer")
    return kept


def _named(name: str, layers: Sequence[Any]) -> set[int]:
    return {i for i, layer in enumerate(layers) if layer.name == name}


def _word(word: str, layers: Sequence[Any], option: str) -> set[int]:
    named = _named(word, layers)
    if named:
        return named
    if word in ("first", "last"):
        weighted = [i for i, layer in enumerate(layers) if layer.type in WEIGHTED]
        if not weighted:
            raise CheckError(f"{option} {word}: the net has no layer with weights")
        return {weighted[0 if word == "first" else -1]}
    near = difflib.get_close_matches(word, [layer.name for layer in layers], 3)
    raise CheckError(f"{option}: the net has no layer '{word}'" + (f"; did you mean {' or '.join(near)}?" if near else "; `pycaffe-acc summary` "
                                                                       "lists its layers"))


def _matching(pattern: str, layers: Sequence[Any], option: str) -> set[int]:
    try:
        compiled = re.compile(pattern)
    except re.error as e:
        raise CheckError(f"{option} regex:{pattern} is not a regular expression: {e}") from e
    found = {i for i, layer in enumerate(layers) if compiled.fullmatch(layer.name)}
    if not found:
        raise CheckError(f"{option} regex:{pattern} matches no layer's name as a whole; write .* around a part of a name")
    return found


def _typed(types: str, layers: Sequence[Any], option: str) -> set[int]:
    kept: set[int] = set()
    for kind in (t.strip() for t in types.split(",")):
        found = {i for i, layer in enumerate(layers) if layer.type == kind}
        if not found:
            raise CheckError(f"{option} types={types}: the net has no layer of the type '{kind}'; its types: "
                             f"{', '.join(sorted({layer.type for layer in layers}))}")
        kept |= found
    return kept
