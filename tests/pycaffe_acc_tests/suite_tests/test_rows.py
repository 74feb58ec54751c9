"""What a suite's results are kept under."""
from __future__ import annotations

import os
from dataclasses import replace

from pycaffe_acc.suite.plan import ImageSet, read_suite
from pycaffe_acc.suite.rows import NetPlan, circumstances


def test_a_changed_file_changes_the_circumstances(tmp_path):
    suite = read_suite("digits")
    model = replace(suite.models[0], model="net.prototxt", weights="net.caffemodel", images="own", calibration="")
    suite = replace(suite, images={"own": ImageSet(list="list.txt")})
    for name in ("net.prototxt", "net.caffemodel", "list.txt"):
        (tmp_path / name).write_text("one")
    net = NetPlan(model, next(iter(suite.variants.values())))

    def around():
        return circumstances(suite, net, None, tmp_path)

    before = around()
    assert before == around() and all(len(digest) == 64 for digest in before["files"].values()) and len(before["files"]) == 3
    for name in before["files"]:
        (tmp_path / name).write_text("two")
        os.utime(tmp_path / name, ns=(1, 1))
        after = around()
        assert after != before and after["files"][name] != before["files"][name]
        before = after
    (tmp_path / "list.txt").unlink()
    assert around()["files"]["list.txt"] == ""
