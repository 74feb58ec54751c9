"""Which instruction set is chosen."""
from __future__ import annotations

import llvmlite.binding as llvm
import pytest

from cnml import cpu
from cnml.errors import CnmlError


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    for name in ("PYCAFFE_ACC_ISA", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        monkeypatch.delenv(name, raising=False)
    cpu.isa.cache_clear()
    cpu.has.cache_clear()
    yield
    monkeypatch.undo()
    cpu.isa.cache_clear()
    cpu.has.cache_clear()


def _host(monkeypatch, *features):
    monkeypatch.setattr(llvm, "get_host_cpu_features", lambda: dict.fromkeys(features, True) | {"sse4a": False})


@pytest.mark.parametrize(("features", "name", "lanes"), [((*cpu.ISAS[0].needs, "avx2"), "avx512", 16), (("avx2", "fma", "f16c"), "avx2", 8),
                                                         (("avx2",), "generic", 4), (("avx2", "fma"), "generic", 4),
                                                         (("avx512f", "avx2", "fma", "f16c"), "avx2", 8), ((), "generic", 4)])
def test_best_of_the_host(features, name, lanes, monkeypatch):
    _host(monkeypatch, *features)
    assert (cpu.isa().name, cpu.isa().lanes) == (name, lanes)


@pytest.mark.parametrize(("name", "isa"), [("haswell", "avx2"), ("skylake-avx512", "avx512"), ("nocona", "generic")])
def test_cpu_name_counts_as_the_cpu(name, isa, monkeypatch):
    monkeypatch.setenv("NUMBA_CPU_NAME", name)
    assert cpu.isa().name == isa
    assert cpu.has("fma") == (isa != "generic")


def test_cpu_features_count(monkeypatch):
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "+avx2,+fma,+f16c,-avx512f")
    assert cpu.isa().name == "avx2"


def test_override(monkeypatch):
    _host(monkeypatch, "avx2", "fma", "f16c")
    monkeypatch.setenv("PYCAFFE_ACC_ISA", "generic")
    assert cpu.isa().name == "generic"


def test_override_that_the_cpu_lacks(monkeypatch):
    _host(monkeypatch, "avx2", "fma", "f16c")
    monkeypatch.setenv("PYCAFFE_ACC_ISA", "avx512")
    with pytest.raises(CnmlError, match="lacks avx512bw, avx512dq, avx512f, avx512vl.*avx2, generic"):
        cpu.isa()


def test_unknown_override(monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_ISA", "mmx")
    with pytest.raises(CnmlError, match="'mmx'; it must be one of avx512, avx2, generic"):
        cpu.isa()
