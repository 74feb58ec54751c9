"""Documents: written, read, refused, compared."""
from __future__ import annotations

import copy
import json

import pytest
from pycaffe_acc_tests.suite_tests.report_rows import paper, row

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.suite.differences import differences
from pycaffe_acc.suite.document import read_document, report_document, write_document
from pycaffe_acc.suite.plan import read_suite
from pycaffe_acc.suite.rows import judged
from pycaffe_acc.tools.main import main

SUITE = read_suite("digits")


def document(rows=None):
    """A report of rows; by default the paper's."""
    return report_document(SUITE, judged(SUITE, paper() if rows is None else rows), [], {"delta.fp16": "the weights are damaged"}, None, "then",
                           "now")


def test_round_trip(tmp_path):
    write_document(document(), tmp_path / "r.json")
    assert read_document(tmp_path / "r.json") == document()


def test_a_document_with_a_dishonest_row_is_not_written(tmp_path):
    bad = document()
    bad["rows"][0]["accuracy"] = None
    with pytest.raises(CheckError, match=r"rows\[0\]: none of its forms fits: .*a throughput without accuracy is refused"):
        write_document(bad, tmp_path / "r.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("content", "told"), [
    (b"{", "is no JSON"), (b"[]", "has the schema None"), (b'{"schema": "pycaffe-acc/report/2"}', "'pycaffe-acc/report/2', and this version reads"),
    (b'{"schema": "pycaffe-acc/report/1"}', "it lacks 'title'"), (b"[" * 100000, "is no JSON"), (b"\xff", "is no JSON")])
def test_other_files_are_refused(tmp_path, content, told):
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(CheckError) as e:
        read_document(tmp_path / "r.json")
    assert told in str(e.value)


def test_a_missing_report(tmp_path):
    with pytest.raises(MissingFileError):
        read_document(tmp_path / "r.json")


def test_the_same_is_no_difference():
    assert differences(document(), document(), 0, 0) == []


def changed(**throughput):
    """The paper's rows with the first one's throughput changed."""
    rows = paper()
    rows[0]["throughput"] |= throughput
    return document(rows)


def told(before, after, points=0.0, percent=10.0):
    """(worse, place, sentence) of each difference."""
    return [(d.worse, d.place, d.sentence) for d in differences(before, after, points, percent)]


def test_speed():
    name = paper()[0]["id"]
    assert told(document(), changed(end_to_end_fps=55)) == []
    assert told(document(), changed(end_to_end_fps=48)) == [(True, name, "end-to-end FPS 60.0 before, 48.0 now (-20.0 %)")]
    assert told(document(), changed(hardware_fps=120)) == [(False, name, "hardware FPS 90.0 before, 120.0 now (+33.3 %)")]


def test_accuracy_bounds_and_findings():
    rows = paper()
    for r in rows:
        if r["variant"] == "vendor" and r["model"] == "alpha":
            r["accuracy"] |= {"top1": 78.0}
    found = told(document([r | {"accuracy": r["accuracy"] | {"top1": 79.5}} if r["variant"] == "vendor" and r["model"] == "alpha" else r
                           for r in paper()]), document(rows))
    assert [f[0] for f in found] == [True] * 4
    assert {f[2].split(" (")[0] for f in found} == {"top-1 79.50 % before, 78.00 % now", "the accuracy constraint is broken now"}
    assert told(document(rows), document(rows), points=2) == []


def test_rows_that_went_and_came():
    fewer = copy.deepcopy(document(paper()[1:] + [row("delta", "fp32", 5, 5, 5)]))
    found = differences(document(), fewer, 0, 10)
    assert [(d.worse, d.place) for d in found if "row" in d.sentence] == [(True, paper()[0]["id"]), (False, "delta.fp32@host")]
    gone = differences(document(paper() + [row("delta", "fp16", 5, 5, 5)]), document(), 0, 10)
    assert gone[0].sentence == "the row is not there any more: the weights are damaged"


def test_other_images_cannot_be_compared():
    rows = paper()
    rows[0]["accuracy"] |= {"images": 50, "top1": 10.0}
    found = [d for d in differences(document(), document(rows), 0, 10) if d.place == rows[0]["id"]]
    assert len(found) == 1 and not found[0].worse and "cannot be compared" in found[0].sentence


def test_the_command(tmp_path, capsys):
    write_document(document(), tmp_path / "a.json")
    write_document(changed(end_to_end_fps=30), tmp_path / "b.json")
    a, b = str(tmp_path / "a.json"), str(tmp_path / "b.json")
    assert main(["report", "diff", a, a]) == 0 and main(["report", "diff", b, a]) == 0
    capsys.readouterr()
    assert main(["report", "diff", a, b, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["worse"] == 1 and found["differences"][0]["worse"]
    assert main(["report", "diff", a, b, "--percent", "60"]) == 0 and main(["report", "check", a]) == 0
    assert "26 rows, 13 of them measured and 13 simulated" not in capsys.readouterr().err
    assert main(["report", "diff", a, b, "--percent", "-1"]) == 2
    assert main(["report", "diff", a, str(tmp_path / "c.json")]) == 3
    assert main(["report", "check", str(tmp_path / "c.json")]) == 3
