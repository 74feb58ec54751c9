"""gflags' syntax."""
from __future__ import annotations

import pytest

from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import parse_flags

DEFAULTS = {"model": "", "iterations": 50, "rate": 1.0, "quiet": False, "dash_name": ""}


@pytest.mark.parametrize("words", [["-model", "x"], ["--model", "x"], ["-model=x"], ["--model=x"]])
def test_four_spellings_of_a_value(words):
    flags, positional = parse_flags(["test", *words], DEFAULTS)
    assert flags["model"] == "x" and flags["iterations"] == 50 and positional == ["test"]


@pytest.mark.parametrize(("words", "value"), [
    (["-quiet"], True), (["--quiet=true"], True), (["-quiet=0"], False), (["-noquiet"], False), ([], False),
])
def test_booleans_take_no_word(words, value):
    flags, positional = parse_flags([*words, "test"], DEFAULTS)
    assert flags["quiet"] is value and positional == ["test"]


def test_types_follow_the_defaults():
    flags, _ = parse_flags(["-iterations=7", "-rate", "0.5"], DEFAULTS)
    assert flags["iterations"] == 7 and flags["rate"] == 0.5


def test_values_may_begin_with_a_dash_and_numbers_are_no_flags():
    flags, positional = parse_flags(["-model", "-1,-1", "-5", "--", "-model"], DEFAULTS)
    assert flags["model"] == "-1,-1" and positional == ["-5", "-model"]


def test_dashes_inside_a_name_are_underscores():
    assert parse_flags(["--dash-name=x"], DEFAULTS)[0]["dash_name"] == "x"


def test_the_last_of_two_wins():
    assert parse_flags(["-model", "a", "-model", "b"], DEFAULTS)[0]["model"] == "b"


@pytest.mark.parametrize(("words", "message"), [
    (["-modle", "x"], "unknown command line flag 'modle'; known flags: dash_name"),
    (["-model"], "missing its argument"),
    (["-iterations", "many"], "illegal value 'many' for the int flag"),
    (["-quiet=perhaps"], "illegal value 'perhaps' for the boolean flag"),
])
def test_mistakes(words, message):
    with pytest.raises(UsageError, match=message):
        parse_flags(words, DEFAULTS)
