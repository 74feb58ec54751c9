"""The accuracy run's answers: kept, compared, written, read."""
from __future__ import annotations

import json

import numpy as np
import pytest
from pycaffe_acc_tests.load_tests.fakes import FakeClock, FakeEngine

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.evaluation.array_images import ArrayImages
from pycaffe_acc.load.accuracy_run import accuracy_run
from pycaffe_acc.load.answers import Answers, read_answers
from pycaffe_acc.load.held_images import HeldImages

IDENTITY = {"model": "abc", "precision": "fp32"}


@pytest.fixture
def answers():
    """Images 4 and 7; the label of the second is its second best class."""
    found = Answers(IDENTITY, "fp32")
    found.add([4, 7], np.array([[0.1, 0.7, 0.2, 0, 0, 0, 0], [0.5, 0.4, 0.1, 0, 0, 0, 0]], np.float32), np.array([1, 1]))
    return found


def test_accuracy(answers):
    assert (answers.accuracy.images, answers.accuracy.hits1, answers.accuracy.hits5) == (2, 1, 2) and answers.numbers == [4, 7]


def test_the_same_answer_and_rounding_are_no_difference(answers):
    scores = np.array([0.1, 0.7, 0.2, 0, 0, 0, 0], np.float32)
    assert answers.difference(4, scores) is None and answers.difference(4, scores + np.float32(6e-5)) is None


@pytest.mark.parametrize(("scores", "words"), [
    ([0.1, 0.7, 0.201, 0, 0, 0, 0], "image 4: class 2 has the score 0.201; in the accuracy run it had 0.2 "),
    ([0.1, 0.7, 0.2, 0, 0, 0.9, 0], "image 4: the best class is 5; in the accuracy run it was 1"),
    ([np.nan, 0.7, 0.2, 0, 0, 0, 0], "class 0 has the score nan"), ([0.1, 0.7, 0.2, 0, 0, 0, np.nan], "the best class is 6"),
    ([0.7, 0.1], "2 scores"),
])
def test_differences(answers, scores, words):
    assert words in answers.difference(4, np.array(scores, np.float32))


def test_coarser_arithmetic_may_differ_more():
    wanted = np.array([[10.0, 1.0]], np.float32)
    for precision, allowed in (("fp32", False), ("fp16", True), ("int8", True), ("mlu", True)):
        found = Answers(IDENTITY, precision)
        found.add([0], wanted, np.array([0]))
        assert (found.difference(0, np.array([9.95, 1.0], np.float32)) is None) == allowed


def test_a_file_gives_the_same_answers(answers, tmp_path):
    answers.write(tmp_path / "a.json")
    again = read_answers(tmp_path / "a.json", IDENTITY)
    assert again.accuracy == answers.accuracy and again.numbers == [4, 7]
    scores = np.array([0.5, 0.4, 0.1, 0, 0, 0, 0], np.float32)
    assert again.difference(7, scores) is None and again.difference(7, scores[::-1]) == answers.difference(7, scores[::-1])
    assert json.loads((tmp_path / "a.json").read_text())["heading"] == "MLPerf-style, not MLPerf"


def test_answers_of_another_run_are_refused(answers, tmp_path):
    answers.write(tmp_path / "a.json")
    with pytest.raises(CheckError, match="made with precision 'fp32'; this run has 'int8'"):
        read_answers(tmp_path / "a.json", {**IDENTITY, "precision": "int8"})
    with pytest.raises(CheckError, match="there is no answer for image 5"):
        read_answers(tmp_path / "a.json", IDENTITY, [7, 9, 5, 4])
    with pytest.raises(MissingFileError, match="file of answers"):
        read_answers(tmp_path / "b.json", IDENTITY)


@pytest.mark.parametrize("change", [{"schema": "x"}, {"images": 3}, {"numbers": [4]}, {"classes": [[0], [-1]], "scores": [[1], [1]]}, {"hits1": 5},
                                    {"scores": [[1], [1]]}, {"precision": "fp8"}, {"identity": 3}, {"classes": [["x"], ["y"]]}, {"numbers": 7}])
def test_a_damaged_file_is_a_sentence(answers, tmp_path, change):
    answers.write(tmp_path / "a.json")
    document = json.loads((tmp_path / "a.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps({**document, **change}))
    with pytest.raises(CheckError, match="not the answers of an accuracy run"):
        read_answers(tmp_path / "a.json", IDENTITY)


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00", "[" * 100000])
def test_what_is_no_json_is_a_sentence(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(CheckError, match="not the answers of an accuracy run"):
        read_answers(tmp_path / "a.json", IDENTITY)


def test_infinite_scores_are_refused(answers):
    """Infinity less infinity is NaN, so such an answer would differ from itself; and JSON has no number for it."""
    with pytest.raises(CheckError, match="image 9 has an infinite score"):
        answers.add([8, 9], np.array([[0, 1, 0, 0, 0, 0, 0], [0, np.inf, 0, 0, 0, 0, 0]], np.float32), np.array([1, 1]))
    assert answers.numbers == [4, 7] and answers.accuracy.images == 2


def images(count):
    """Black images whose labels are their numbers modulo 10."""
    return ArrayImages(np.zeros((count, 1, 2, 2), np.uint8), np.arange(count) % 10, "black")


def test_the_accuracy_run_answers_every_image_once():
    held = HeldImages(images(23), lambda pixels: pixels.transpose(2, 0, 1).astype(np.float32), (1, 2, 2), 2)
    answers, engine, told = Answers(IDENTITY, "fp32"), FakeEngine(FakeClock()), []
    accuracy_run(answers, engine, held, 21, 4, 10, told.append)
    assert [len(b) for b in engine.batches] == [4, 4, 2, 4, 4, 2, 1] and sum(told) == 21
    assert answers.numbers == list(range(21)) and answers.accuracy.top1 == 100.0


def test_held_images(monkeypatch):
    data = ArrayImages(np.arange(5 * 4, dtype=np.uint8).reshape(5, 1, 2, 2), np.zeros(5, np.int64), "numbers")
    held = HeldImages(data, lambda pixels: pixels.transpose(2, 0, 1).astype(np.float32), (1, 2, 2), 2)
    held.hold([4, 1])
    assert held[4].tolist() == [[[16, 17], [18, 19]]] and held[1].tolist() == [[[4, 5], [6, 7]]]
    with pytest.raises(KeyError):
        held[0]
    monkeypatch.setenv("PYCAFFE_ACC_MAX_BYTES", "31")
    with pytest.raises(CheckError, match="2 prepared images of .* take 32 bytes; PYCAFFE_ACC_MAX_BYTES allows 31"):
        held.hold([0, 1])
    monkeypatch.undo()
    bad = HeldImages(data, lambda pixels: np.zeros((1, 3, 3), np.float32), (1, 2, 2), 1)
    with pytest.raises(CheckError, match="image 2 became"):
        bad.hold([2])
