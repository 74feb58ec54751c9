"""Suites as files: those that come along, and what is refused with a sentence."""
from __future__ import annotations

import json

import pytest

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.suite.plan import FOLDER, read_suite, suite_names
from pycaffe_acc.suite.rows import net_plans, peer_plans

SMALL = {"schema": "pycaffe-acc/suite/1", "name": "mine", "about": "", "images": {"a": {"list": "a.txt"}},
         "variants": {"fp32": {"precision": "fp32"}, "q": {"precision": "int8", "method": "mse"}}, "devices": [{"name": "host", "variants": ["fp32",
                                                                                                                                             "q"]}],
         "models": [{"name": "m", "model": "m.prototxt", "weights": "m.caffemodel", "images": "a", "calibration": "a"}]}


def written(tmp_path, **changes):
    """A suite's file."""
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(SMALL | changes), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", suite_names())
def test_suites_of_the_package_are_whole(name):
    suite = read_suite(name)
    nets = [p.name for m in suite.models for p in (*net_plans(suite, m), *peer_plans(suite, m))]
    assert suite.name == name and suite.host is not None and len(nets) == len(set(nets)) > 3


def test_pitfall_has_what_the_paper_has():
    suite = read_suite("pitfall")
    trained = {m.name for m in suite.models if m.trained}
    assert {"googlenet", "mobilenet_v1_0.75", "resnet18", "resnet50", "squeezenet_v1.0", "squeezenet_v1.1", "lstm128x2"} <= trained
    assert {m.name for m in suite.models} - trained >= {"alexnet", "inception_v3", "resnet34", "resnet101", "resnet152", "vgg16", "vgg19"}
    assert {"host", "MLU100", "MLU270", "TPUv1"} <= {d.name for d in suite.devices}
    assert any(len(m.sparsities) >= 5 for m in suite.models) and any(m.runtimes for m in suite.models)


def test_defaults(tmp_path):
    suite = read_suite(written(tmp_path))
    model = suite.models[0]
    assert (suite.seed, suite.within, suite.embedded) == (0, 1.0, False) and suite.variants["q"].title == "q" and len(suite.sha256) == 64
    assert (model.title, model.batch, model.variants, model.trained) == ("m", 8, ("fp32", "q"), True)
    assert [p.name for p in net_plans(suite, model)] == ["m.fp32", "m.q"]


def test_narrowed():
    suite = read_suite("pitfall").narrowed(["resnet18", "lenet"], ["MLU100"])
    assert [m.name for m in suite.models] == ["resnet18", "lenet"] and suite.host is None
    assert [p.variant.name for p in net_plans(suite, suite.models[0])] == ["fp16", "int8-vendor"] and not list(peer_plans(suite, suite.models[0]))
    with pytest.raises(CheckError, match="no model 'resnet19'; it has .*resnet18"):
        read_suite("pitfall").narrowed(["resnet19"], None)
    with pytest.raises(CheckError, match="no device 'MLU999'"):
        read_suite("pitfall").narrowed(None, ["MLU999"])


@pytest.mark.parametrize(("changes", "told"), [
    ({"schema": "pycaffe-acc/suite/9"}, "schema: it is \"pycaffe-acc/suite/9\"; it must be"),
    ({"colour": 1}, "'colour', which is unknown here"),
    ({"models": []}, "models: it has 0 entries"),
    ({"models": [{"name": "m", "images": "a"}]}, "'m' must have exactly one of model, zoo and builder"),
    ({"models": [{"name": "m", "model": "p", "zoo": "alexnet", "images": "a"}]}, "exactly one of"),
    ({"models": [SMALL["models"][0] | {"images": "b"}]}, "no images 'b'; it has a"),
    ({"models": [SMALL["models"][0] | {"variants": ["fp64"]}]}, "no variant 'fp64'"),
    ({"models": [SMALL["models"][0], SMALL["models"][0]]}, "two models are called 'm'"),
    ({"models": [{k: v for k, v in SMALL["models"][0].items() if k != "calibration"}]}, "'q', which is quantized on images"),
    ({"variants": {"fp32": {"precision": "fp32", "method": "mse"}, "q": {"precision": "int8", "method": "mse"}}},
     "'fp32' has the precision fp32 and the method"),
    ({"variants": {"fp32": {"precision": "fp32"}, "q": {"precision": "int8"}}}, "'q' has the precision int8 and no method"),
    ({"models": [SMALL["models"][0] | {"prunings": ["mine"]}]}, "no pruning 'mine'; it has vendor"),
    ({"prunings": {"mine": {"method": "channel"}}}, "prunings.mine.method: it is \"channel\""),
    ({"images": {"a": {"root": "x"}}}, "images.a: none of its forms fits: it must be a list or a dataset"),
    ({"devices": [{"name": "host", "variants": ["fp99"]}]}, "no variant 'fp99'"),
])
def test_refused(tmp_path, changes, told):
    with pytest.raises(CheckError, match="suite 'mine.json'") as e:
        read_suite(written(tmp_path, **changes))
    assert told in str(e.value)


def test_files_that_are_none(tmp_path):
    with pytest.raises(CheckError, match="no suite 'pitfal'; known: digits, pitfall"):
        read_suite("pitfal")
    with pytest.raises(MissingFileError):
        read_suite(str(tmp_path / "none.json"))
    (tmp_path / "half.json").write_bytes((FOLDER / "pitfall.json").read_bytes()[:500])
    with pytest.raises(CheckError, match="half.json' is no JSON"):
        read_suite(str(tmp_path / "half.json"))
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CheckError, match="is no JSON"):
        read_suite(str(tmp_path / "binary.json"))
