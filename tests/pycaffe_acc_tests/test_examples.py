"""The examples run and print what they promise."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = {
    "classify.py": "-> ",
    "net_spec.py": "prob     (2, 10)",
    "net_surgery.py": "scores for every position: (4, 5, 5)",
    "queues_and_notifiers.py": "every row sums to 1: True",
}


def test_every_example_is_run_and_short():
    names = {p.name for p in (ROOT / "examples").glob("*.py")}
    assert names >= set(EXPECTED)
    for path in (ROOT / "examples").glob("*.py"):
        assert path.read_text().count("\n") <= 80, f"{path.name} has more than 80 lines"


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_example(name, tmp_path):
    result = subprocess.run([sys.executable, str(ROOT / "examples" / name)], capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path,
                            env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert result.returncode == 0, result.stderr
    assert EXPECTED[name] in result.stdout
    assert result.stderr == ""
