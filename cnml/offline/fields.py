"""Kinds of operator fields, and their form in a program: plain JSON that is checked in full when it is read."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from cnml.quantization import QuantParam

#: nothing in a net is larger: extents, axes, steps
LARGEST = 1 << 40
_NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


class Kind(Protocol):
    """One kind of value."""

    def encode(self, value: Any) -> Any:
        """The JSON form of a value."""

    def decode(self, value: Any) -> Any:
        """The value of a JSON form; ValueError, with a sentence, for anything else."""


@dataclass(frozen=True)
class Whole:
    """An integer between two bounds."""

    low: int = 0
    high: int = LARGEST

    def encode(self, value: Any) -> Any:
        """As it is."""
        return int(value)

    def decode(self, value: Any) -> int:
        """Checks type and bounds."""
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise ValueError(f"is {value!r}; it must be a whole number from {self.low} to {self.high}")
        return value


@dataclass(frozen=True)
class Real:
    """A float, exactly; what JSON has no number for is a text."""

    def encode(self, value: Any) -> Any:
        """A number that reads back as the same float64, or "inf", "-inf", "nan"."""
        number = float(value)
        return number if math.isfinite(number) else repr(number)

    def decode(self, value: Any) -> float:
        """Checks the type."""
        if isinstance(value, str) and value in _NOT_FINITE:
            return _NOT_FINITE[value]
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise ValueError(f"is {value!r}; it must be a number, \"inf\", \"-inf\" or \"nan\"")
        return float(value)


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def encode(self, value: Any) -> Any:
        """As it is."""
        return bool(value)

    def decode(self, value: Any) -> bool:
        """Checks the type."""
        if not isinstance(value, bool):
            raise ValueError(f"is {value!r}; it must be true or false")
        return value


@dataclass(frozen=True)
class Word:
    """One of a few texts; any text without choices."""

    choices: tuple[str, ...] = ()

    def encode(self, value: Any) -> Any:
        """As it is."""
        return str(value)

    def decode(self, value: Any) -> str:
        """Checks type and choice."""
        if not isinstance(value, str) or (self.choices and value not in self.choices):
            raise ValueError(f"is {value!r}; it must be {'one of ' + ', '.join(self.choices) if self.choices else 'a text'}")
        return value


@dataclass(frozen=True)
class Maybe:
    """A value or nothing (null)."""

    kind: Kind

    def encode(self, value: Any) -> Any:
        """Null for None."""
        return None if value is None else self.kind.encode(value)

    def decode(self, value: Any) -> Any:
        """None for null."""
        return None if value is None else self.kind.decode(value)


@dataclass(frozen=True)
class Later:
    """A value that files of earlier versions lack; they mean `before`."""

    kind: Kind
    before: Any

    def encode(self, value: Any) -> Any:
        """As its kind."""
        return self.kind.encode(value)

    def decode(self, value: Any) -> Any:
        """As its kind."""
        return self.kind.decode(value)


@dataclass(frozen=True)
class Many:
    """A tuple of one kind, with `least` to `most` entries."""

    kind: Kind
    least: int = 0
    most: int = 1 << 20

    def encode(self, value: Any) -> Any:
        """A list."""
        return [self.kind.encode(v) for v in value]

    def decode(self, value: Any) -> tuple[Any, ...]:
        """Checks the number and every entry."""
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            raise ValueError(f"must be a list of {self.least} to {self.most} entries")
        return tuple(_each(self.kind, v, f"entry {i}") for i, v in enumerate(value))


@dataclass(frozen=True)
class Record:
    """A dataclass or NamedTuple, as a table of its fields."""

    cls: type
    fields: Mapping[str, Kind]

    def encode(self, value: Any) -> Any:
        """A table with every field."""
        return {name: kind.encode(getattr(value, name)) for name, kind in self.fields.items()}

    def decode(self, value: Any) -> Any:
        """Checks that every field is there and no other."""
        return self.cls(**decode_table(self.fields, value))


@dataclass(frozen=True)
class Quantized:
    """A `cnml.quantization.QuantParam`: position and scale, each a number or a list with one for each channel."""

    def encode(self, value: QuantParam) -> Any:
        """A table."""
        position, scale = value
        return {"position": list(position) if isinstance(position, tuple) else int(position),
                "scale": list(scale) if isinstance(scale, tuple) else float(scale)}

    def decode(self, value: Any) -> QuantParam:
        """Checks types and bounds."""
        table = decode_table(_QUANTIZED, value)
        return QuantParam(table["position"], table["scale"])


@dataclass(frozen=True)
class OneOrMany:
    """A value or a tuple of values of one kind."""

    kind: Kind

    def encode(self, value: Any) -> Any:
        """A list for a tuple."""
        return [self.kind.encode(v) for v in value] if isinstance(value, tuple) else self.kind.encode(value)

    def decode(self, value: Any) -> Any:
        """Checks every entry."""
        return Many(self.kind, 1).decode(value) if isinstance(value, list) else self.kind.decode(value)


@dataclass(frozen=True)
class Positive:
    """A finite float above zero."""

    def encode(self, value: Any) -> Any:
        """As it is."""
        return float(value)

    def decode(self, value: Any) -> float:
        """Checks the bounds."""
        number = Real().decode(value)
        if not 0 < number < math.inf:
            raise ValueError(f"is {value!r}; it must be positive and finite")
        return number


_QUANTIZED: Mapping[str, Kind] = MappingProxyType({"position": OneOrMany(Whole(-32, 32)), "scale": OneOrMany(Positive())})


def decode_table(fields: Mapping[str, Kind], value: Any) -> dict[str, Any]:
    """A JSON table with exactly these fields; those of kind `Later` may be missing.

    Parameters
    ----------
    fields : mapping of str to Kind
    value : JSON value

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        With a sentence that names the field.
    """
    if not isinstance(value, dict):
        raise ValueError(f"is {value!r:.60}; it must be a table of {listed(fields)}")
    odd = [k for k in value if k not in fields]
    missing = [k for k, kind in fields.items() if k not in value and not isinstance(kind, Later)]
    if odd or missing:
        raise ValueError(f"has {'unknown fields ' + ', '.join(odd) if odd else 'no ' + ', '.join(missing)}; its fields are {listed(fields)}")
    return {name: _each(kind, value[name], f"field '{name}'") if name in value else kind.before  # type: ignore[attr-defined]
            for name, kind in fields.items()}


def listed(names: Mapping[str, Any] | Sequence[str]) -> str:
    """Names for a sentence."""
    return ", ".join(names) or "none"


def _each(kind: Kind, value: Any, what: str) -> Any:
    try:
        return kind.decode(value)
    except RecursionError:
        raise
    except ValueError as e:
        raise ValueError(f"{what} {e}" if str(e).startswith(("is ", "must ", "has ")) else f"{what}: {e}") from None
