"""The dictionary whose views can be indexed."""
from __future__ import annotations

from collections import OrderedDict

import pytest

from pycaffe_acc.name_dict import NameDict


def test_views_can_be_indexed():
    d = NameDict([("data", 1), ("conv", 2), ("prob", 3)])
    assert d.keys()[0] == "data" and d.keys()[-1] == "prob" and d.keys()[1:] == ["conv", "prob"]
    assert d.values()[1] == 2 and d.items()[-1] == ("prob", 3)
    for bad in (3, -4):
        with pytest.raises(IndexError, match="outside the 3 entries"):
            d.keys()[bad]


def test_is_an_ordered_dict():
    d = NameDict(a=1, b=2)
    assert isinstance(d, OrderedDict) and d == {"a": 1, "b": 2} and list(d) == ["a", "b"] and "a" in d.keys() and len(d.values()) == 2
    assert list(d.iteritems()) == [("a", 1), ("b", 2)] and d.has_key("a") and not d.has_key("c")
    d["c"] = 3
    d.move_to_end("a")
    assert list(d.items()) == [("b", 2), ("c", 3), ("a", 1)]
    keys = d.keys()
    del d["b"]
    assert list(keys) == ["c", "a"] and keys[0] == "c" and d.copy() == d and type(d.copy()) is NameDict
