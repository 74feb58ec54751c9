from __future__ import annotations

import pytest

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.runners.figures import deal, read_figures


def test_lines(tmp_path, monkeypatch):
    (tmp_path / "here.png").write_bytes(b"")
    listed = tmp_path / "lists" / "val.txt"
    listed.parent.mkdir()
    listed.write_text("here.png 3\n\nsub/other.png 12 and more\n/abs/x.jpg 0\n")
    monkeypatch.chdir(tmp_path)
    found = read_figures(listed, labelled=True)
    assert [(f.path, f.label) for f in found] == [("here.png", 3), ("sub/other.png", 12), ("/abs/x.jpg", 0)]
    assert [str(f.file) for f in found] == ["here.png", str(listed.parent / "sub/other.png"), "/abs/x.jpg"]


def test_labels_are_needed_only_where_asked(tmp_path):
    listed = tmp_path / "val.txt"
    listed.write_text("a.png 1\nb.png\n")
    assert [f.label for f in read_figures(listed, labelled=False)] == [1, -1]
    with pytest.raises(CheckError, match=r"val.txt:2: the line 'b.png' is not 'path label'"):
        read_figures(listed, labelled=True)


@pytest.mark.parametrize(("content", "message"), [(b"", "names no images"), (b"\xff\xfe", "not UTF-8")])
def test_lists_that_are_none(tmp_path, content, message):
    (tmp_path / "val.txt").write_bytes(content)
    with pytest.raises(CheckError, match=message):
        read_figures(tmp_path / "val.txt", labelled=True)
    with pytest.raises(MissingFileError, match="list of images"):
        read_figures(tmp_path / "none.txt", labelled=True)


def test_dealing():
    assert deal("abcdefg", 3) == [["a", "d", "g"], ["b", "e"], ["c", "f"]]
    assert deal("a", 2) == [["a"], []]
