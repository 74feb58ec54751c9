"""`check` on public prototxts of every age and fork."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from pycaffe_acc.tools.main import main


def test_nine_of_ten_public_prototxts_pass(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted((data_dir / "prototxt").rglob("*.prototxt"))
    passed = 0
    for path in files:
        code = main(["check", str(path), "--json"])
        report = json.loads(capsys.readouterr().out)
        passed += code == 0
        if code:
            assert report["unknown_layers"] or report["unknown_fields"] or report["error"], path
    assert len(files) > 90 and passed >= 0.9 * len(files)
