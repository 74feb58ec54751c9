"""The checker of schemas: every word, and the rules of the report's schema that keep reports honest."""
from __future__ import annotations

import copy

import pytest
from pycaffe_acc_tests.suite_tests.report_rows import paper, row

from pycaffe_acc.environment import environment
from pycaffe_acc.suite.schema_check import SchemaError, check, schema

RULES = {"$defs": {"name": {"type": "string", "minLength": 2}}, "type": "object", "required": ["a"], "additionalProperties": False, "properties": {
    "a": {"$ref": "#/$defs/name"}, "n": {"type": "number", "minimum": 0, "maximum": 5}, "p": {"type": "number", "exclusiveMinimum": 0},
    "e": {"enum": ["x", 1, None]}, "c": {"const": True}, "l": {"type": "array", "minItems": 1, "items": {"type": ["integer", "null"]}},
    "u": {"anyOf": [{"title": "a word", "type": "string"}, {"title": "nothing", "type": "null"}]},
    "i": {"type": "object", "properties": {"k": {"type": "string"}}, "if": {"properties": {"k": {"const": "big"}}, "required": ["k"]},
          "then": {"required": ["size"]}, "else": {"properties": {"size": {"type": "null"}}}},
    "m": {"type": "object", "properties": {}, "additionalProperties": {"type": "integer"}}}}


@pytest.mark.parametrize("more", [{}, {"n": 5}, {"n": 0.5}, {"p": 1}, {"e": None}, {"c": True}, {"l": [1, None]}, {"u": None}, {"u": "w"},
                                  {"i": {"k": "big", "size": 1}}, {"i": {"k": "small"}}, {"i": {"size": None}}, {"m": {"x": 1}}])
def test_what_fits(more):
    check({"a": "ab"} | more, RULES)


@pytest.mark.parametrize(("document", "place", "part"), [
    ([], "", "of the type object"), ({}, "", "lacks 'a'"), ({"a": "b"}, "a", "at least 2 characters"), ({"a": 5}, "a", "of the type string"),
    ({"a": "ab", "z": 1}, "", "'z', which is unknown"), ({"a": "ab", "n": 6}, "n", "at most 5"), ({"a": "ab", "n": -1}, "n", "at least 0"),
    ({"a": "ab", "n": True}, "n", "of the type number"), ({"a": "ab", "n": float("nan")}, "n", "JSON has no number for"),
    ({"a": "ab", "p": 0}, "p", "greater than 0"), ({"a": "ab", "e": "y"}, "e", 'one of "x", 1, null'), ({"a": "ab", "c": 1}, "c", "must be true"),
    ({"a": "ab", "l": []}, "l", "at least 1"), ({"a": "ab", "l": [1, "x"]}, "l[1]", "integer or null"),
    ({"a": "ab", "u": 3}, "u", "a word or nothing"), ({"a": "ab", "i": {"k": "big"}}, "i", "lacks 'size'"),
    ({"a": "ab", "i": {"size": 4}}, "i.size", "null"), ({"a": "ab", "m": {"x": "y"}}, "m.x", "integer"),
])
def test_what_does_not(document, place, part):
    with pytest.raises(SchemaError, match="^" + (place.replace("[", r"\[").replace("]", r"\]") or "the document")) as e:
        check(document, RULES)
    assert e.value.place == place and part in str(e.value)


def test_a_word_that_is_not_understood_is_no_silent_pass():
    with pytest.raises(ValueError, match="'pattern'"):
        check("x", {"pattern": "y"})


def document():
    return {"schema": "pycaffe-acc/report/1", "title": "t", "started": "", "finished": "", "environment": environment(), "failures": [], "layers": [],
            "figures": [], "findings": [], "rows": paper() + [row("gamma", "fp16", None, 5, 4)],
            "suite": {"name": "s", "about": "", "limit": None, "seed": 0, "within": 1.0, "file_sha256": "0" * 64}}


def test_rows_with_accuracy_and_rows_that_claim_none_keep_the_schema():
    check(document(), schema("report"))


@pytest.mark.parametrize("change", [
    {"accuracy": None}, {"accuracy": None, "accuracy_reason": "seeded weights"}, {"accuracy": None, "claim": "no accuracy claim"},
    {"accuracy": None, "accuracy_reason": "seeded weights", "claim": "no accuracy claim"},  # of trained weights
    {"accuracy": None, "accuracy_reason": "no time", "claim": "no accuracy claim", "weights": "seeded"}, {"claim": "no accuracy claim"}])
def test_a_throughput_without_accuracy_is_refused(change):
    bad = document()
    bad["rows"][0] |= change
    with pytest.raises(SchemaError, match=r"^rows\[0\]"):
        check(bad, schema("report"))


def test_without_throughput_a_row_may_lack_its_accuracy():
    some = document()
    some["rows"][0] |= {"accuracy": None, "throughput": None, "accuracy_reason": "the images are damaged", "claim": "accuracy"}
    check(some, schema("report"))


@pytest.mark.parametrize(("path", "value"), [
    (("time",), "guessed"), (("throughput", "hardware_fps"), 0), (("throughput", "end_to_end_fps"), None), (("accuracy", "top1"), 101),
    (("accuracy", "preprocess"), ""), (("sparsity",), 2), (("batch",), 0)])
def test_impossible_figures_are_refused(path, value):
    bad = copy.deepcopy(document())
    place = bad["rows"][0]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(SchemaError, match=r"^rows\[0\]\." + r"\.".join(path) + "|accuracy: none of its forms|throughput: none of its forms"):
        check(bad, schema("report"))
