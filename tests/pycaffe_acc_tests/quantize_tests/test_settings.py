"""Ini files and flags of the vendor's quantization tools."""
from __future__ import annotations

import logging

import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.quantize.settings import Calibration, read_settings

NO_FLAGS = {"model": "", "weights": "", "outputmodel": ""}
BASE = {"model": {"original_models_path": "n.prototxt", "save_model_path": "o.prototxt"}, "data": {"images_list_path": "list"},
        "weights": {"original_weights_path": "n.caffemodel"}, "preprocess": {"scale": "20, 24"}, "config": {"use_firstconv": "0"}}


def settings(tmp_path, flags=None, database_first=False, iterations=1, **changes):
    """Settings from BASE with keys changed ("section__key"); None takes a key out."""
    sections = {name: dict(keys) for name, keys in BASE.items()}
    for key, value in changes.items():
        section, _, name = key.partition("__")
        sections.setdefault(section, {})[name] = value
    path = tmp_path / "c.ini"
    path.write_text("".join(f"[{s}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items() if v is not None) for s, keys in sections.items()))
    return read_settings(str(path), {**NO_FLAGS, **(flags or {})}, iterations, database_first)


def test_defaults(tmp_path):
    """What an ini file need not say."""
    s = settings(tmp_path, iterations=5)
    assert (s.model, s.weights, s.output, s.iterations) == ("n.prototxt", "n.caffemodel", "o.prototxt", 5)
    assert s.calibration == Calibration("list", "", (0.0, 0.0, 0.0), 1.0, (20, 24), 0, False)


def test_all_keys(tmp_path):
    """The MLU100 spelling of the list, a crop with a database."""
    s = settings(tmp_path, data__images_list_path=None, data__images_folder_path="folder", data__used_images_num="7", preprocess__mean="1,2,3",
                 preprocess__std="0.017", config__use_firstconv="1", config__int8_op_list="Conv, FC")
    assert s.iterations == 7
    assert s.calibration == Calibration("folder", "", (1.0, 2.0, 3.0), 0.017, (20, 24), 0, True)
    s = settings(tmp_path, data__images_list_path=None, data__images_db_path="db", preprocess__crop="16, 16", preprocess__scale=None)
    assert s.calibration == Calibration("", "db", crop=16)
    assert settings(tmp_path, preprocess__crop="16, 12").calibration.crop == 0


@pytest.mark.parametrize("database_first", [False, True])
def test_a_list_and_a_database(tmp_path, database_first):
    """The tools of the two generations differ."""
    c = settings(tmp_path, database_first=database_first, data__images_db_path="db").calibration
    assert (c.images, c.database) == (("", "db") if database_first else ("list", ""))


def test_flags_win(tmp_path):
    """Over the ini file's names."""
    s = settings(tmp_path, {"model": "m", "weights": "w", "outputmodel": "o"})
    assert (s.model, s.weights, s.output) == ("m", "w", "o")


def test_flags_alone():
    """Without an ini file all three names are needed."""
    s = read_settings("", {"model": "m", "weights": "w", "outputmodel": "o"}, 3, False)
    assert (s.model, s.iterations, s.calibration) == ("m", 3, None)
    with pytest.raises(CheckError, match="missing: -weights, -outputmodel"):
        read_settings("", {"model": "m", "weights": "", "outputmodel": ""}, 3, False)


def test_unknown_keys_are_reported(tmp_path, caplog):
    """And change nothing."""
    with caplog.at_level(logging.WARNING, "caffe"):
        assert settings(tmp_path, preprocess__colour="BGR", extra__x="1") == settings(tmp_path)
    assert "unknown keys are ignored: preprocess.colour, extra.x" in caplog.text


@pytest.mark.parametrize(("text", "meaning", "warned"), [("0", False, False), ("1", True, False), ("2", True, False), ("true", False, True)])
def test_first_convolution(tmp_path, caplog, text, meaning, warned):
    """A word counts as 0, which the vendor's tools do not say."""
    assert settings(tmp_path, config__use_firstconv=text).calibration.first_convolution is meaning
    assert ("counts as 0" in caplog.text) is warned


@pytest.mark.parametrize(("changes", "rule"), [
    ({"config__use_firstconv": None}, "use_firstconv is missing; it must be 0, or 1"),
    ({"model__save_model_path": None}, r"\[model\] save_model_path is missing"),
    ({"data__images_list_path": None}, "names no calibration images"),
    ({"preprocess__scale": None}, "preprocess.scale is missing"),
    ({"preprocess__scale": "-1, 20"}, "preprocess.scale is '-1, 20'; it must be two numbers"),
    ({"preprocess__std": "1,2"}, "preprocess.std is '1,2'; it must be one number"),
    ({"preprocess__mean": "a"}, "preprocess.mean is 'a'; it must be numbers"),
    ({"data__used_images_num": "x"}, "used_images_num is 'x'"),
])
def test_bad_values(tmp_path, changes, rule):
    """Each names file, key, value and rule."""
    with pytest.raises(CheckError, match=rule):
        settings(tmp_path, **changes)
