"""Scripts as pycaffe's users write them, each run unchanged by `python -m pycaffe_acc script.py`."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).with_name("scripts")
ROOT = FOLDER.parents[2]
SCRIPTS = sorted(p.stem for p in FOLDER.glob("*.py"))
#: run on real models; their argument is the folder of external data
ON_DATA = ("classification", "mtcnn", "ssd_detect")
#: what some scripts import besides this package
NEEDS = {"ssd_detect": ("cv2",), "with_opencv": ("cv2",), "extract_features": ("lmdb",),
         "logistic_regression": ("h5py",), "share_and_save": ("h5py",)}


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m pycaffe_acc …` in `folder`."""
    return subprocess.run([sys.executable, "-m", "pycaffe_acc", *arguments], cwd=folder, capture_output=True, text=True, timeout=300,
                          env={**os.environ, "PYTHONPATH": str(ROOT), **environment})


def arguments(script: str, request: pytest.FixtureRequest) -> list[str]:
    """The script's file and arguments; skips when it needs what is not here."""
    for module in NEEDS.get(script, ()):
        pytest.importorskip(module)
    if script == "processes" and sys.platform != "linux":
        pytest.skip("forks")
    return [str(FOLDER / f"{script}.py")] + ([str(request.getfixturevalue("data_dir"))] if script in ON_DATA else [])


def test_scripts_were_found():
    assert len(SCRIPTS) > 20 and set(ON_DATA) | set(NEEDS) <= set(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS)
def test_script(script, tmp_path, request):
    result = run(tmp_path, *arguments(script, request))
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == "", "a script that works writes nothing to stderr"


def test_foreign_messages_may_come_after(tmp_path, request):
    result = run(tmp_path, *arguments("with_opencv", request), "after")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("environment", [{"PYCAFFE_ACC_KERNELS": "numpy"}, {"NUMBA_DISABLE_JIT": "1"}], ids=["numpy", "no jit"])
@pytest.mark.parametrize("script", ["kept_arrays", "merge_bn", "rcnn_test_loop", "lstm_captions"])
def test_without_kernels(script, environment, tmp_path):
    result = run(tmp_path, str(FOLDER / f"{script}.py"), **environment)
    assert result.returncode == 0, result.stderr
