"""Values of prototxt fields: number, boolean, enum, string."""
from __future__ import annotations

import difflib
from typing import Any

from google.protobuf.descriptor import FieldDescriptor as F

from pycaffe_acc.text_tokens import END, Tokens, string_bytes

_BITS = {F.TYPE_INT32: (-(2**31), 2**31 - 1), F.TYPE_UINT32: (0, 2**32 - 1), F.TYPE_INT64: (-(2**63), 2**63 - 1), F.TYPE_UINT64: (0, 2**64 - 1)}
_TRUE, _FALSE = ("true", "True", "t"), ("false", "False", "f")
#: unsigned fields that some fork has as a boolean: (message, field)
_ALSO_BOOLEAN = {("UpsampleParameter", "pad_out_h"), ("UpsampleParameter", "pad_out_w")}
_INFINITE = ("inf", "infinity", "nan")

_repeats: dict[Any, bool] = {}


def repeats(descriptor: Any) -> bool:
    """Whether a field is repeated (the name of the property changed between protobuf versions)."""
    known = _repeats.get(descriptor)
    if known is None:
        modern = getattr(descriptor, "is_repeated", None)
        known = _repeats[descriptor] = bool(modern) if modern is not None else descriptor.label == F.LABEL_REPEATED
    return known


def scalar(tokens: Tokens, descriptor: Any) -> Any:
    """Read one value of a field that is no message.

    Parameters
    ----------
    tokens : Tokens
        At the value; left behind it.
    descriptor : FieldDescriptor

    Returns
    -------
    int, float, bool, str or bytes

    Raises
    ------
    PrototxtError
        Naming field, value and what the field takes.
    """
    kind = descriptor.type
    if kind in (F.TYPE_STRING, F.TYPE_BYTES):
        return _string(tokens, descriptor)
    negative = tokens.take("-")
    if kind in (F.TYPE_FLOAT, F.TYPE_DOUBLE):
        value = _real(tokens, descriptor)
        return -value if negative else value
    if kind == F.TYPE_BOOL and not negative:
        return _boolean(tokens, descriptor)
    if kind == F.TYPE_ENUM:
        return _enum(tokens, descriptor, negative)
    return _integer(tokens, descriptor, negative)


def _place(descriptor: Any) -> str:
    return f"the field '{descriptor.name}' of {descriptor.containing_type.name}"


def _string(tokens: Tokens, descriptor: Any) -> str | bytes:
    if tokens.kind != "string":
        raise tokens.error(f"{_place(descriptor)} takes a string in quotes, met {tokens.met()}")
    parts = []
    while tokens.kind == "string":  # neighbours are one string
        try:
            parts.append(string_bytes(tokens.value))
        except ValueError as e:
            raise tokens.error(f"{_place(descriptor)}: {e}") from e
        tokens.advance()
    value = b"".join(parts)
    if descriptor.type == F.TYPE_BYTES:
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise tokens.error(f"{_place(descriptor)} holds bytes that are not UTF-8; save the file as UTF-8", tokens.previous_end) from None


def _real(tokens: Tokens, descriptor: Any) -> float:
    text = tokens.value
    if tokens.kind == "number":
        tokens.advance()
        if text[:2] in ("0x", "0X"):
            return float(int(text, 16))
        return float(text.rstrip("fF"))
    if tokens.kind == "name" and text.lower() in _INFINITE:
        tokens.advance()
        return float(text)
    raise tokens.error(f"{_place(descriptor)} takes a number, met {tokens.met()}")


def _boolean(tokens: Tokens, descriptor: Any) -> bool:
    text = tokens.value
    if text in _TRUE or text in _FALSE:
        tokens.advance()
        return text in _TRUE
    number = _whole(tokens)
    if number in (0, 1):
        tokens.advance()
        return number == 1
    raise tokens.error(f"{_place(descriptor)} takes true or false, met {tokens.met()}")


def _whole(tokens: Tokens) -> int | None:
    """The current token as an integer: decimal, 0x hexadecimal, 0 octal; None if it is none."""
    text = tokens.value
    if tokens.kind != "number" or len(text) > 40:
        return None
    try:
        if text[:2] in ("0x", "0X"):
            return int(text, 16)
        return int(text, 8) if len(text) > 1 and text[0] == "0" else int(text)
    except ValueError:
        return None


def _integer(tokens: Tokens, descriptor: Any, negative: bool) -> int:
    if not negative and tokens.kind == "name" and (descriptor.containing_type.name, descriptor.name) in _ALSO_BOOLEAN:
        return int(_boolean(tokens, descriptor))
    value = _whole(tokens)
    if value is None:
        raise tokens.error(f"{_place(descriptor)} takes a whole number, met {'-' if negative else ''}{tokens.value[:40] or END}")
    if negative:
        value = -value
    low, high = _BITS.get(descriptor.type, (0, 1))
    if not low <= value <= high:
        raise tokens.error(f"{_place(descriptor)} takes whole numbers from {low} to {high}, met {value}")
    tokens.advance()
    return value


def _enum(tokens: Tokens, descriptor: Any, negative: bool) -> int:
    kind = descriptor.enum_type
    if tokens.kind == "name" and not negative:
        value = kind.values_by_name.get(tokens.value)
    else:
        number = _whole(tokens)
        value = None if number is None else kind.values_by_number.get(-number if negative else number)
    if value is None:
        names = list(kind.values_by_name)
        found = difflib.get_close_matches(tokens.value, names, n=1, cutoff=0.5)
        hint = f" (closest known: {found[0]})" if found and len(names) > 4 else ""
        raise tokens.error(f"{_place(descriptor)} has no value {tokens.met()}{hint}; it takes {', '.join(names[:60])}")
    tokens.advance()
    return value.number
