"""The scripts of examples/vendor_workflow from start to end, on SqueezeNet v1.1 and real images."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "examples" / "vendor_workflow"
IMAGES = 8


@pytest.fixture(scope="module")
def given(data_dir, tmp_path_factory):
    """Net, weights, list and labels."""
    folder, images = data_dir / "models" / "squeezenet_v1.1", data_dir / "imagenet1000"
    listed = tmp_path_factory.mktemp("workflow") / "list.txt"
    listed.write_text("".join(f"{images / 'img' / line}\n" for line in (images / "val.txt").read_text().splitlines()[:IMAGES]))
    return [str(folder / "deploy.prototxt"), str(folder / "squeezenet_v1.1.caffemodel"), str(listed), str(images / "synset_words.txt")]


def run(words, cwd):
    """What a program wrote on both streams."""
    result = subprocess.run(words, capture_output=True, text=True, timeout=900, check=False, cwd=cwd,
                            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable})
    text = result.stdout + result.stderr
    assert result.returncode == 0, text
    return text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sh") is None, reason="the workflow is a script for sh")
def test_the_older_generation(given, tmp_path):
    text = run(["sh", str(WORKFLOW / "mlu100.sh"), *given, str(tmp_path / "out")], tmp_path)
    assert text.count("Offline model is generated!") == 2 and "Output file is" in text
    found = re.findall(r"^Global accuracy : \naccuracy1: \S+ \((\d)/8\)\naccuracy5: \S+ \((\d)/8\)\nHardware fps: \S+\n"
                       r"End2end throughput fps: \S+$", text, re.MULTILINE)
    assert len(found) == 3 and all(int(top1) >= 4 and int(top5) >= 6 for top1, top5 in found), found  # FP16, INT8, online
    assert found[0] == found[2]
    assert len(re.findall(r"^layer \S+ hardware time: \S+ us$", text, re.MULTILINE)) == 66
    assert "DT_INT8" in (tmp_path / "out" / "net_int8.prototxt").read_text()
    text = run([sys.executable, "-m", "pycaffe_acc", str(WORKFLOW / "online.py"), str(tmp_path / "out" / "net_8batch.prototxt"), given[1], given[3],
                *(line.split()[0] for line in Path(given[2]).read_text().splitlines()[:3])], tmp_path)
    assert len(re.findall(r"^\S+: 0\.\d{4} - n\d{8} ", text, re.MULTILINE)) == 3 and "n01440764 tench" in text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sh") is None, reason="the workflow is a script for sh")
def test_the_newer_generation(given, tmp_path):
    text = run(["sh", str(WORKFLOW / "mlu270.sh"), *given, str(tmp_path / "out")], tmp_path)
    found = re.search(r"^Global accuracy : \ntop1: \S+ \((\d)/8\)\ntop5: \S+ \((\d)/8\)\nthroughput: \S+\nLatency: \d+\.\d\d$", text, re.MULTILINE)
    assert found and int(found[1]) >= 4 and int(found[2]) >= 6
