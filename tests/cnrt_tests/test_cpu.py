from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cnrt.cpu import cgroup_quota, effective_cpus, pinned_cpus
from cnrt.errors import CnrtError


def test_affinity_and_override(monkeypatch):
    monkeypatch.delenv("PYCAFFE_ACC_CORES", raising=False)
    assert 1 <= effective_cpus() <= len(os.sched_getaffinity(0))
    monkeypatch.setenv("PYCAFFE_ACC_CORES", "7")
    assert effective_cpus() == 7
    for bad in ("0", "-1", "two", "\u00b2", "1.5"):
        monkeypatch.setenv("PYCAFFE_ACC_CORES", bad)
        with pytest.raises(CnrtError, match=f"PYCAFFE_ACC_CORES is '{bad}'; it must be a positive integer"):
            effective_cpus()


def test_a_process_on_one_processor_has_one_core():
    cpu = min(os.sched_getaffinity(0))
    program = f"import os; os.sched_setaffinity(0, {{{cpu}}}); from cnrt.cpu import effective_cpus; print(effective_cpus())"
    environment = {k: v for k, v in os.environ.items() if k != "PYCAFFE_ACC_CORES"}
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert found.stdout.strip() == "1"


@pytest.mark.parametrize(("asked", "cpus"), [("", ()), ("0", ()), ("1", (0, 2, 3, 4, 5)), ("3", (3,)), ("4,2", (4, 2)), ("2-4,0", (2, 3, 4, 0)),
                                             ("0,", (0,))])
def test_the_processors_to_stay_on(asked, cpus, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2, 3, 4, 5})
    monkeypatch.setenv("PYCAFFE_ACC_PIN", asked)
    assert pinned_cpus() == cpus


@pytest.mark.parametrize(("asked", "why"), [("yes", "must be 0, 1 or a list"), ("2-", "must be 0, 1 or a list"), ("-2", "must be 0, 1 or a list"),
                                            ("1,2", r"\(0, 2, 3\), not 1"), ("2,2", "once.*not 2"), (",", "must name"), ("3-2", "must name")])
def test_processors_that_cannot_be_had(asked, why, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2, 3})
    monkeypatch.setenv("PYCAFFE_ACC_PIN", asked)
    with pytest.raises(CnrtError, match=f"PYCAFFE_ACC_PIN is '{asked}'; it .*{why}"):
        pinned_cpus()


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


def test_version_1_where_the_controllers_are_mounted_one_by_one(tmp_path):
    """As in containers of systems that mix both versions: the group's path is the host's, the mount shows the container's own group at its top."""
    proc = tmp_path / "cgroup"
    proc.write_text("9:name=systemd:/\n2:cpuacct:/\n1:cpu:/docker/0123\n0::/\n")
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("250000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert cgroup_quota(proc, tmp_path) == 2.5
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("0\n")
    assert cgroup_quota(proc, tmp_path) is None


@pytest.mark.parametrize(("text", "quota"), [("200000 100000\n", 2.0), ("100 0\n", None), ("", None), ("max\n", None), ("-5 100\n", None)])
def test_version_2_at_the_top(text, quota, tmp_path):
    proc = tmp_path / "cgroup"
    proc.write_text("0::/../elsewhere\n")
    (tmp_path / "cpu.max").write_text(text)
    assert cgroup_quota(proc, tmp_path) == quota


def test_a_quota_is_rounded_up(monkeypatch):
    monkeypatch.delenv("PYCAFFE_ACC_CORES", raising=False)
    monkeypatch.setattr("cnrt.cpu.cgroup_quota", lambda: 1.2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert effective_cpus() == 2


def test_without_cgroups(tmp_path):
    assert cgroup_quota(tmp_path / "none", tmp_path) is None


def test_a_quota_below_one_processor_still_gives_one(monkeypatch):
    monkeypatch.delenv("PYCAFFE_ACC_CORES", raising=False)
    monkeypatch.setattr("cnrt.cpu.cgroup_quota", lambda: 0.2)
    assert effective_cpus() == 1
