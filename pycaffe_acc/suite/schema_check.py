"""Documents against a JSON schema: the part of the language that this package's schemas are written in."""
from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

from pycaffe_acc.errors import CheckError

FOLDER = Path(__file__).parent
_TYPES: dict[str, tuple[type, ...]] = {"object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,), "null": (type(None),),
                                       "integer": (int,), "number": (int, float)}
#: words that say nothing about validity
_SILENT = frozenset({"$schema", "$id", "$defs", "title", "description", "$comment", "default"})


class SchemaError(CheckError):
    """A document breaks its schema.

    Attributes
    ----------
    place : str
        Where in the document: "rows[3].accuracy".
    """

    def __init__(self, place: str, reason: str):
        self.place = place
        super().__init__(f"{place or 'the document'}: {reason}")


@cache
def schema(name: str) -> dict[str, Any]:
    """A schema of this package by the name of its file, without ".schema.json"."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    return found


def check(document: Any, rules: dict[str, Any]) -> None:
    """Refuse a document that breaks a schema.

    Understood are type, const, enum, required, properties, additionalProperties, items, minItems, minLength, minimum, exclusiveMinimum, maximum,
    anyOf, if/then/else, and $ref into $defs. A word that is none of these is an error of the schema.

    Parameters
    ----------
    document : object
        As `json.loads` gives it.
    rules : dict

    Raises
    ------
    SchemaError
        Naming the first place that breaks a rule.
    """
    _Checker(rules).check(document, rules, "")


class _Checker:
    def __init__(self, root: dict[str, Any]):
        self._definitions = root.get("$defs", {})

    def check(self, value: Any, rules: dict[str, Any], place: str) -> None:
        for word, rule in rules.items():
            if word in _SILENT or word in ("then", "else", "additionalProperties"):
                continue
            method = getattr(self, "_" + word.lstrip("$"), None)
            if method is None:
                raise ValueError(f"the schema uses '{word}', which this checker does not understand")
            method(value, rule, place, rules)

    def holds(self, value: Any, rules: dict[str, Any]) -> bool:
        try:
            self.check(value, rules, "")
        except SchemaError:
            return False
        return True

    # ---- one method a word ------------------------------------------------------------------------------------------------------------------

    def _ref(self, value: Any, rule: str, place: str, _: Any) -> None:
        self.check(value, self._definitions[rule.removeprefix("#/$defs/")], place)

    def _type(self, value: Any, rule: Any, place: str, _: Any) -> None:
        names = rule if isinstance(rule, list) else [rule]
        if isinstance(value, float) and not math.isfinite(value):
            raise SchemaError(place, f"it is {value}, which JSON has no number for")
        fits = any(isinstance(value, _TYPES[n]) and not (isinstance(value, bool) and n in ("integer", "number")) for n in names)
        if not fits:
            raise SchemaError(place, f"it is {_shown(value)}; it must be of the type {' or '.join(names)}")

    def _const(self, value: Any, rule: Any, place: str, _: Any) -> None:
        if value != rule or isinstance(value, bool) != isinstance(rule, bool):
            raise SchemaError(place, f"it is {_shown(value)}; it must be {_shown(rule)}")

    def _enum(self, value: Any, rule: list[Any], place: str, _: Any) -> None:
        if value not in rule:
            raise SchemaError(place, f"it is {_shown(value)}; it must be one of {', '.join(map(_shown, rule))}")

    def _required(self, value: Any, rule: list[str], place: str, _: Any) -> None:
        if isinstance(value, dict):
            for key in rule:
                if key not in value:
                    raise SchemaError(place, f"it lacks '{key}'")

    def _properties(self, value: Any, rule: dict[str, Any], place: str, rules: dict[str, Any]) -> None:
        if not isinstance(value, dict):
            return
        others = rules.get("additionalProperties", True)
        for key, item in value.items():
            inner = f"{place}.{key}" if place else str(key)
            if key in rule:
                self.check(item, rule[key], inner)
            elif others is False:
                raise SchemaError(place, f"it has '{key}', which is unknown here; known: {', '.join(rule)}")
            elif isinstance(others, dict):
                self.check(item, others, inner)

    def _items(self, value: Any, rule: dict[str, Any], place: str, _: Any) -> None:
        if isinstance(value, list):
            for i, item in enumerate(value):
                self.check(item, rule, f"{place}[{i}]")

    def _minItems(self, value: Any, rule: int, place: str, _: Any) -> None:
        if isinstance(value, list) and len(value) < rule:
            raise SchemaError(place, f"it has {len(value)} entries; it must have at least {rule}")

    def _minLength(self, value: Any, rule: int, place: str, _: Any) -> None:
        if isinstance(value, str) and len(value) < rule:
            raise SchemaError(place, f"it is {_shown(value)}; it must have at least {rule} characters")

    def _minimum(self, value: Any, rule: float, place: str, _: Any) -> None:
        if _number(value) and value < rule:
            raise SchemaError(place, f"it is {value}; it must be at least {rule}")

    def _exclusiveMinimum(self, value: Any, rule: float, place: str, _: Any) -> None:
        if _number(value) and value <= rule:
            raise SchemaError(place, f"it is {value}; it must be greater than {rule}")

    def _maximum(self, value: Any, rule: float, place: str, _: Any) -> None:
        if _number(value) and value > rule:
            raise SchemaError(place, f"it is {value}; it must be at most {rule}")

    def _anyOf(self, value: Any, rule: list[dict[str, Any]], place: str, rules: dict[str, Any]) -> None:
        if not any(self.holds(value, r) for r in rule):
            told = " or ".join(r["title"] for r in rule if "title" in r)
            raise SchemaError(place, f"none of its forms fits{': it must be ' + told if told else ''}")

    def _if(self, value: Any, rule: dict[str, Any], place: str, rules: dict[str, Any]) -> None:
        branch = rules.get("then" if self.holds(value, rule) else "else")
        if branch is not None:
            self.check(value, branch, place)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "…"
