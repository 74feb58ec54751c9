"""Results that outlive an interruption, and those that must not be used."""
from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.suite.store import Store, digest


def test_results_are_used_under_the_same_circumstances_only(tmp_path):
    Store(tmp_path, False).put("net", {"limit": 5}, {"top1": 1.5})
    again = Store(tmp_path, True)
    assert again.get("net", {"limit": 5}) == {"top1": 1.5}
    assert again.get("net", {"limit": 6}) is None and again.get("other", {"limit": 5}) is None
    assert Store(tmp_path, False).get("net", {"limit": 5}) is None


def test_what_this_run_kept_is_there_without_resume(tmp_path):
    store = Store(tmp_path, False)
    store.put("net", 1, {"a": 2})
    assert store.get("net", 1) == {"a": 2}


def test_damaged_results_count_as_none(tmp_path):
    store = Store(tmp_path, True)
    for name, content in (("half", b'{"name": "half", "circ'), ("list", b"[1]"), ("binary", b"\xff\x00"), ("empty", b"")):
        (tmp_path / f"{name}.json").write_bytes(content)
        assert store.get(name, 1) is None


def test_names_that_are_no_file_names_do_not_meet(tmp_path):
    store = Store(tmp_path, True)
    names = ["a/b", "a_b", "../a_b", "a?b", "x" * 300, "x" * 300 + "y"]
    for i, name in enumerate(names):
        store.put(name, 1, {"i": i})
    assert [store.get(n, 1) for n in names] == [{"i": i} for i in range(len(names))]
    assert len(list(tmp_path.iterdir())) == len(names) and not list(tmp_path.parent.glob("a_b*"))


def test_a_full_disk_leaves_what_was_kept(tmp_path, monkeypatch):
    store = Store(tmp_path, True)
    store.put("net", 1, {"a": 1})

    def full(self, *args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        store.put("net", 1, {"a": 2})
    monkeypatch.undo()
    assert store.get("net", 1) == {"a": 1} and [p.name for p in tmp_path.iterdir()] == ["net.json"]


def test_what_json_cannot_hold(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        Store(tmp_path, True).put("net", 1, {"a": float("nan")})
    with pytest.raises(CheckError, match="plain values"):
        digest({"a": object()})
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})
