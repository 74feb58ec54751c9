"""The first start and the long run: what is imported, who compiles, and whether memory stays flat."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pycaffe_acc as caffe

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
DEMO = Path(caffe.__file__).parent / "demo_data" / "deploy.prototxt"


def run(program: str, **environment: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, **environment}, timeout=500)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_net_imports_only_its_own_layer_types_and_no_compiler():
    program = (f"import sys, json, pycaffe_acc; pycaffe_acc.Net({str(DEMO)!r}, pycaffe_acc.TEST); "
               "print(json.dumps([m for m in sys.modules if m.startswith('pycaffe_acc.layer_types.') or m == 'numba']))")
    found = json.loads(run(program))
    assert "pycaffe_acc.layer_types.convolution" in found and "pycaffe_acc.layer_types.lstm" not in found and "numba" not in found


@pytest.mark.slow
def test_the_first_net_is_compiled_by_several_processes(tmp_path):
    program = (f"import pycaffe_acc; from cnml import compile_cache; n = pycaffe_acc.Net({str(DEMO)!r}, pycaffe_acc.TEST); "
               "print(compile_cache.warm_mark().exists(), len(n.kernel_names())); n.forward(); print(compile_cache.warm_mark().exists())")
    alone = run(program, PYCAFFE_ACC_CACHE=str(tmp_path / "alone"), PYCAFFE_ACC_COMPILERS="1").split()
    both = run(program, PYCAFFE_ACC_CACHE=str(tmp_path / "both"), PYCAFFE_ACC_COMPILERS="2").split()
    assert alone[0] == both[0] == "False" and int(both[1]) >= 4
    assert (alone[2], both[2]) == ("False", "True")
    names = [{p.name.partition(".py")[0] for p in (tmp_path / k).rglob("*.nbc")} for k in ("alone", "both")]  # behind it: a count of the writers
    assert names[0] <= names[1]  # the processes also compile the executor for one core
    assert run(program, PYCAFFE_ACC_CACHE=str(tmp_path / "both")).split()[0] == "True"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell a process's resident memory")
def test_memory_stays_flat():
    done = subprocess.run([sys.executable, str(BENCHMARKS / "endurance.py"), str(DEMO), "--forwards", "2000"], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(BENCHMARKS.parent)}, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2000 forwards" in done.stdout
