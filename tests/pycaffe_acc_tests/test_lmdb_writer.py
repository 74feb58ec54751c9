"""New LMDBs: all records or no database."""
from __future__ import annotations

import os

import pytest

from pycaffe_acc import lmdb_writer
from pycaffe_acc.errors import CheckError, MissingExtraError
from pycaffe_acc.lmdb_cursor import open_lmdb
from pycaffe_acc.lmdb_writer import new_lmdb


def records(path):
    """Keys and values of a database."""
    with open_lmdb(str(path)).environment.begin() as transaction:
        return [(bytes(key), bytes(value)) for key, value in transaction.cursor()]


def test_records_are_read_in_order_of_their_keys(tmp_path):
    with new_lmdb(tmp_path / "db") as database:
        for key, value in (("b", b"2"), ("ä", b"3"), ("a", b"0"), ("a", b"1")):
            database.put(key, value)
        assert not (tmp_path / "db").exists()
    assert records(tmp_path / "db") == [(b"a", b"1"), (b"b", b"2"), ("ä".encode(), b"3")]
    assert [p.name for p in tmp_path.iterdir()] == ["db"]


def test_the_map_grows_and_batches_follow_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(lmdb_writer, "_FIRST_MAP_BYTES", 1 << 16)
    monkeypatch.setattr(lmdb_writer, "_BATCH", 7)
    values = [(f"{i:04d}", bytes([i % 256]) * (1000 + 37 * i)) for i in range(200)]
    with new_lmdb(tmp_path / "db") as database:
        for key, value in values:
            database.put(key, value)
    assert records(tmp_path / "db") == [(k.encode(), v) for k, v in values]


def test_large_records_are_not_kept_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lmdb_writer, "_BATCH_BYTES", 1000)
    with new_lmdb(tmp_path / "db") as database:
        database.put("a", b"x" * 999)
        assert database._waiting
        database.put("b", b"x")
        assert not database._waiting


def test_nothing_stays_of_a_database_that_is_not_whole(tmp_path):
    with pytest.raises(RuntimeError, match="interrupted"), new_lmdb(tmp_path / "db") as database:
        database.put("a", b"1")
        raise RuntimeError("interrupted")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["", "k" * 512])
def test_a_key_that_lmdb_does_not_take(tmp_path, key):
    with pytest.raises(CheckError, match="LMDB takes 1 to 511"), new_lmdb(tmp_path / "db") as database:
        database.put(key, b"")
    assert not list(tmp_path.iterdir())


def test_an_existing_path_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in (".", "file", "link"):
        with pytest.raises(CheckError, match="exists already"), new_lmdb(tmp_path / name):
            raise AssertionError("must not come here")
    assert (tmp_path / "file").read_text() == "mine"
    with pytest.raises(CheckError, match="does not exist"), new_lmdb(tmp_path / "a" / "b"):
        raise AssertionError("must not come here")


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with new_lmdb(tmp_path / "db") as database:
            database.put("a", b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "db").stat().st_mode & 0o777 == 0o750


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(lmdb_writer, "lmdb", None)
    with pytest.raises(MissingExtraError, match=r"pycaffe-acc\[data\]"), new_lmdb(tmp_path / "db"):
        raise AssertionError("must not come here")
