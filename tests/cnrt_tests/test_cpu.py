from __future__ import annotations

import os

import pytest

from cnrt.cpu import cgroup_quota, effective_cpus


def test_affinity_and_override(monkeypatch):
    monkeypatch.delenv("PYCAFFE_ACC_CORES", raising=False)
    assert 1 <= effective_cpus() <= len(os.sched_getaffinity(0))
    monkeypatch.setenv("PYCAFFE_ACC_CORES", "7")
    assert effective_cpus() == 7
    monkeypatch.setenv("PYCAFFE_ACC_CORES", "0")
    with pytest.raises(ValueError, match="PYCAFFE_ACC_CORES"):
        effective_cpus()


def test_version_2_takes_the_tightest_ancestor(tmp_path):
    proc = tmp_path / "cgroup"
    proc.write_text("0::/a/b\n")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "cpu.max").write_text("max 100000\n")
    assert cgroup_quota(proc, tmp_path) is None
    (tmp_path / "a" / "cpu.max").write_text("150000 100000\n")
    assert cgroup_quota(proc, tmp_path) == 1.5
    (tmp_path / "a" / "b" / "cpu.max").write_text("50000 100000\n")
    assert cgroup_quota(proc, tmp_path) == 0.5


def test_version_1(tmp_path):
    proc = tmp_path / "cgroup"
    proc.write_text("5:cpu,cpuacct:/job\n4:memory:/job\nbroken line\n")
    job = tmp_path / "cpu,cpuacct" / "job"
    job.mkdir(parents=True)
    (job / "cpu.cfs_quota_us").write_text("-1\n")
    (job / "cpu.cfs_period_us").write_text("100000\n")
    assert cgroup_quota(proc, tmp_path) is None
    (job / "cpu.cfs_quota_us").write_text("300000\n")
    assert cgroup_quota(proc, tmp_path) == 3.0
    (job / "cpu.cfs_quota_us").write_text("nonsense\n")
    assert cgroup_quota(proc, tmp_path) is None


def test_without_cgroups(tmp_path):
    assert cgroup_quota(tmp_path / "none", tmp_path) is None


def test_a_quota_below_one_processor_still_gives_one(monkeypatch):
    monkeypatch.delenv("PYCAFFE_ACC_CORES", raising=False)
    monkeypatch.setattr("cnrt.cpu.cgroup_quota", lambda: 0.2)
    assert effective_cpus() == 1
