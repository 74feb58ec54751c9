"""Ini files as Boost reads them."""
from __future__ import annotations

import pytest

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.quantize.ini_file import read_ini


def written(tmp_path, text):
    """An ini file with that text."""
    path = tmp_path / "x.ini"
    path.write_text(text, encoding="utf-8")
    return path


def test_sections_keys_and_comments(tmp_path):
    """Both sides are trimmed, a value may hold `=` and `;`, comments start a line."""
    ini = read_ini(written(tmp_path, "top = 1\n; note\n# note\n [a] behind\n k = x = y ; z \nempty =\n\n[b]\nk=2\n"))
    assert ini.values == {"top": "1", "a.k": "x = y ; z", "a.empty": "", "b.k": "2"}


def test_a_byte_order_mark_and_windows_lines(tmp_path):
    """Editors write them."""
    path = tmp_path / "x.ini"
    path.write_bytes(b"\xef\xbb\xbf[a]\r\nk = v\r\n")
    assert read_ini(path).values == {"a.k": "v"}


@pytest.mark.parametrize(("text", "rule"), [("[a]\nk\n", "2: .* neither"), ("[a]\n= v\n", "2: .* neither"), ("[a\nk=v\n", "1: .* lacks the '\\]'"),
                                            ("[a]\nk=1\nk=2\n", "3: the key 'a.k' is there twice"), ("[a]\n[b]\n[a]\n", "3: the section .a. is")])
def test_what_is_no_ini_file(tmp_path, text, rule):
    """With the line."""
    with pytest.raises(CheckError, match=rule):
        read_ini(written(tmp_path, text))


def test_a_missing_file(tmp_path):
    """By name."""
    with pytest.raises(MissingFileError, match="ini file"):
        read_ini(tmp_path / "no.ini")


def test_values(tmp_path):
    """Numbers, lists, defaults, and keys that must be there."""
    ini = read_ini(written(tmp_path, "[a]\nn = 12\nl = 1, 2.5,3\nbad = 1,x\nminus = -1\nempty =\n"))
    assert ini.whole_number("a.n", 3) == 12 and ini.whole_number("a.none", 3) == 3
    assert ini.numbers("a.l", ()) == (1.0, 2.5, 3.0) and ini.numbers("a.none", (7.0,)) == (7.0,)
    with pytest.raises(CheckError, match="a.bad is '1,x'; it must be numbers"):
        ini.numbers("a.bad", ())
    with pytest.raises(CheckError, match="a.minus is '-1'; it must be a whole number"):
        ini.whole_number("a.minus", 1)
    with pytest.raises(CheckError, match=r"\[a\] empty is missing; it must be a file"):
        ini.required("a.empty", "a file")
    assert ini.unknown(["a.n", "a.l", "a.bad", "a.minus"]) == ["a.empty"]
