"""The log: silent unless asked, and glog's switches."""
from __future__ import annotations

import logging
import os
import re
import subprocess
import sys

import pytest

from pycaffe_acc import logs
from pycaffe_acc.errors import CheckError


@pytest.fixture(autouse=True)
def _restore(monkeypatch):
    for name in ("GLOG_minloglevel", "GLOG_logtostderr", "GLOG_log_dir", "GLOG_v"):
        monkeypatch.delenv(name, raising=False)
    levels = {n: logging.getLogger(n).level for n in logs.LOGGERS}
    yield
    monkeypatch.undo()
    logs._configure(None, to_stderr=False)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_format(capsys):
    logs.init_log()
    logs.log("a message with 100 %")
    line = capsys.readouterr().err
    assert re.fullmatch(r"I\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ test_logs\.py:\d+\] a message with 100 %\n", line)


def test_levels(capsys):
    logs.init_log(2)
    for name in logs.LOGGERS:
        logging.getLogger(name).warning("hidden")
        logging.getLogger(name).error("seen in %s", name)
    err = capsys.readouterr().err
    assert "hidden" not in err and [line[0] for line in err.splitlines()] == ["E"] * 3
    logs.init_log(0)
    logs.log("once")
    assert capsys.readouterr().err.count("once") == 1


def test_environment_raises_the_level_at_init_log(capsys, monkeypatch):
    monkeypatch.setenv("GLOG_minloglevel", "1")
    logs.init_log()
    logs.log("hidden")
    logging.getLogger("caffe").warning("seen")
    err = capsys.readouterr().err
    assert "hidden" not in err and "seen" in err


def test_verbose(capsys, monkeypatch):
    logs.init_log()
    logging.getLogger("caffe").debug("detail one")
    monkeypatch.setenv("GLOG_v", "2")
    logs.init_log()
    logging.getLogger("caffe").debug("detail two")
    err = capsys.readouterr().err
    assert "detail one" not in err and "detail two" in err


def test_traceback_and_fatal(capsys):
    logs.init_log()
    try:
        raise KeyError("x")
    except KeyError:
        logging.getLogger("caffe").critical("broken", exc_info=True)
    err = capsys.readouterr().err
    assert err.startswith("F") and "KeyError" in err


def test_log_dir(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GLOG_log_dir", str(tmp_path))
    logs.configure_from_environment()
    logging.getLogger("caffe").warning("into the file")
    files = list(tmp_path.iterdir())
    assert len(files) == 1 and ".log.INFO." in files[0].name and files[0].name.endswith(str(os.getpid()))
    assert "into the file" in files[0].read_text()
    assert capsys.readouterr().err == ""


def test_bad_values_are_reported_and_do_not_stop(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GLOG_minloglevel", "loud")
    monkeypatch.setenv("GLOG_logtostderr", "1")
    logs.configure_from_environment()
    assert "GLOG_minloglevel is 'loud'" in capsys.readouterr().err
    monkeypatch.delenv("GLOG_minloglevel")
    monkeypatch.delenv("GLOG_logtostderr")
    monkeypatch.setenv("GLOG_log_dir", str(tmp_path / "nowhere"))
    logs.configure_from_environment()
    with pytest.raises(CheckError, match="level is '7'"):
        logs.init_log(7)


@pytest.mark.parametrize(("variables", "expected"), [
    ({}, b""),
    ({"GLOG_minloglevel": "0"}, b""),
    ({"GLOG_logtostderr": "1"}, b"seen"),
    ({"GLOG_logtostderr": "1", "GLOG_minloglevel": "2"}, b""),
])
def test_at_import(variables, expected):
    code = "import logging; import pycaffe_acc as caffe; logging.getLogger('caffe').warning('seen'); caffe.log('also')"
    env = {k: v for k, v in os.environ.items() if not k.startswith("GLOG_")}
    env |= {**variables, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, timeout=120, check=True)
    assert done.stdout == b""
    assert expected in done.stderr if expected else done.stderr == b""
