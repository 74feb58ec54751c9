"""The flag syntax of Google's gflags: -name value, -name=value, --name value, --name=value, -flag, -noflag."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from pycaffe_acc.tools.exit_code import UsageError

Value = str | int | float | bool


def parse_flags(words: Sequence[str], defaults: Mapping[str, Value]) -> tuple[dict[str, Value], list[str]]:
    """Split a command line.

    Parameters
    ----------
    words : sequence of str
    defaults : mapping
        The known flags; the type of a default is the type of the flag.

    Returns
    -------
    flags : dict
        A value for each name in `defaults`.
    positional : list of str

    Raises
    ------
    UsageError
        Unknown flag, missing or malformed value.
    """
    flags = dict(defaults)
    positional: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            positional += rest
            break
        if not word.startswith("-") or word == "-" or _is_number(word):
            positional.append(word)
            continue
        name, given, text = word.lstrip("-").partition("=")
        name = name.replace("-", "_")
        if name not in defaults and name.startswith("no") and isinstance(defaults.get(name[2:]), bool):
            flags[name[2:]] = False
            continue
        if name not in defaults:
            raise UsageError(f"unknown command line flag '{name}'; known flags: {', '.join(sorted(defaults))}")
        if isinstance(defaults[name], bool):
            flags[name] = _boolean(name, text) if given else True
            continue
        if not given:
            if not rest:
                raise UsageError(f"flag '-{name}' is missing its argument")
            text = rest.pop(0)
        flags[name] = _convert(name, text, defaults[name])
    return flags, positional


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _boolean(name: str, text: str) -> bool:
    table = {"1": True, "t": True, "true": True, "y": True, "yes": True, "0": False, "f": False, "false": False, "n": False, "no": False}
    if text.lower() not in table:
        raise UsageError(f"illegal value '{text}' for the boolean flag '-{name}'; use true or false")
    return table[text.lower()]


def _convert(name: str, text: str, default: Value) -> Value:
    if isinstance(default, str):
        return text
    kind = type(default)
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"illegal value '{text}' for the {kind.__name__} flag '-{name}'") from None
