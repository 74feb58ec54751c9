from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.voc_map import read_detections
from pycaffe_acc.runners.batches import Batch
from pycaffe_acc.runners.detections import DetectionSink
from pycaffe_acc.runners.label_map import read_label_map

BATCH = Batch(np.zeros((3, 1, 1, 1), np.float32), ["a/dog.jpg", "b/cat.png", "null"], [-1, -1, -1], [(4, 4)] * 3)
ROWS = np.float32([[0, 1, 0.9, 0.1, 0.2, 0.3, 0.4], [0, 2, 0.5, 0, 0, 1, 1], [1, 3, 0.7, 0.25, 0.5, 0.75, 1], [2, 1, 0.9, 0, 0, 1, 1],
                   [1, 1, 0.05, 0, 0, 1, 1], [-1, -1, -1, -1, -1, -1, -1]])


def test_result_files(tmp_path):
    sink = DetectionSink({1: "dog", 2: "person"}, 0.1, tmp_path)
    sink.take(ROWS[None, None], BATCH)
    assert (tmp_path / "dog.txt").read_text() == "dog 0.9 0.1 0.2 0.3 0.4\nperson 0.5 0 0 1 1\n"
    assert [(d.label, d.score) for d in read_detections(tmp_path / "cat.txt")] == [("3", pytest.approx(0.7))]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cat.txt", "dog.txt"]
    assert (sink.hits.images, sink.detections) == (2, 3)
    sink.take(np.float32([[[[0, -1, -1, 0, 0, 0, 0]]]]), BATCH)
    assert (tmp_path / "dog.txt").read_text() == "" and sink.hits.images == 4


def test_no_files_and_wrong_results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sink = DetectionSink({}, 0.1, None)
    sink.take(ROWS[None, None], BATCH)
    assert list(tmp_path.iterdir()) == [] and sink.detections == 3
    with pytest.raises(CheckError, match="rows of 7 values"):
        sink.take(np.zeros((3, 10), np.float32), BATCH)


def test_label_maps(tmp_path):
    path = tmp_path / "map.prototxt"
    path.write_text('item { name: "none" label: 0 display_name: "background" } item { name: "n1" label: 7 display_name: "potted plant" } '
                    'item { name: "bare" label: 8 }')
    assert read_label_map(path) == {0: "background", 7: "potted_plant", 8: "bare"}
    path.write_text('item { name: "a" label: 1 } item { name: "b" label: 1 }')
    with pytest.raises(CheckError, match="the label 1 stands for 'a' and for 'b'"):
        read_label_map(path)
    path.write_text("")
    with pytest.raises(CheckError, match="no items"):
        read_label_map(path)
