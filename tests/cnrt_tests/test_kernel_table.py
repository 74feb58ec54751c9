from __future__ import annotations

import threading
from importlib import metadata

import pytest

from cnrt import kernel_table
from cnrt.errors import CnrtError, RetCode


@pytest.fixture
def name():
    yield "table_test_kernel"
    if kernel_table.registered("table_test_kernel") is not None:
        kernel_table.unregister("table_test_kernel")


def test_a_provider_is_asked_once_even_by_many_threads(name):
    asked = []
    kernel_table.register(name, lambda: asked.append(1) or 4096)
    threads = [threading.Thread(target=kernel_table.address, args=(name,)) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert kernel_table.address(name) == 4096
    assert len(asked) == 1


def test_a_name_is_given_once(name):
    kernel_table.register(name, lambda: 1)
    with pytest.raises(CnrtError, match=name) as e:
        kernel_table.register(name, lambda: 2)
    assert e.value.code == RetCode.ERR_EXIST


def test_an_unknown_name_lists_the_known_ones(name):
    kernel_table.register(name, lambda: 1)
    with pytest.raises(CnrtError, match=f"'no_such_kernel'.*{name}") as e:
        kernel_table.address("no_such_kernel")
    assert e.value.code == RetCode.ERR_NO_EXIST


def test_no_address_is_an_error(name):
    kernel_table.register(name, lambda: 0)
    with pytest.raises(CnrtError) as e:
        kernel_table.address(name)
    assert e.value.code == RetCode.ERR_INVALID_POINTER


def test_unregister_needs_a_known_name():
    with pytest.raises(CnrtError) as e:
        kernel_table.unregister("no_such_kernel")
    assert e.value.code == RetCode.ERR_NO_EXIST


def test_sources_are_asked_for_unregistered_names(name, monkeypatch):
    monkeypatch.setattr(kernel_table, "_sources", dict(kernel_table._sources))
    kernel_table.add_source("test", lambda n: (lambda: 8192) if n == name else None)
    assert kernel_table.address(name) == 8192


@pytest.mark.parametrize("as_module", [True, False])
def test_entry_points_are_sources(name, monkeypatch, as_module):
    def find(n):
        return (lambda: 12288) if n == name else None

    class Offer:
        name = "offered"

        def load(self):
            return type("module", (), {"find": staticmethod(find)}) if as_module else find

    monkeypatch.setattr(kernel_table, "_sources", {})
    monkeypatch.setattr(kernel_table, "_entry_points_read", False)
    monkeypatch.setattr(metadata, "entry_points", lambda group: [Offer()] if group == "cnrt.kernels" else [])
    assert kernel_table.address(name) == 12288
