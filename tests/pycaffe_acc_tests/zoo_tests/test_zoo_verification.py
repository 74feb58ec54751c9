"""Weight files against their networks: digests, names, shapes, values."""
from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
from pycaffe_acc_tests.zoo_tests.file_server import serving

from pycaffe_acc import zoo
from pycaffe_acc.errors import MissingFileError, WeightsError
from pycaffe_acc.fake_caffemodel import create_fake_caffemodel, fill_fake
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.zoo.acquire import acquire

NAME = "cifar_resnet20"


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """Seeded weights of the smallest network."""
    return create_fake_caffemodel(zoo.build(NAME), tmp_path_factory.mktemp("zoo") / "ResNet_20.caffemodel")


@pytest.fixture
def entry(weights):
    """Its entry, as if these weights were the published ones."""
    data = weights.read_bytes()
    return dataclasses.replace(zoo.entry(NAME), checksums={"sha256": hashlib.sha256(data).hexdigest()}, size_bytes=len(data), urls=())


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_ZOO", str(tmp_path / "zoo"))
    monkeypatch.setenv("no_proxy", "*")


def test_the_published_file(entry, weights):
    found = zoo.verify(entry, weights)
    assert found.ok and found.checksums == {"sha256": "same"} and found.layers == len(zoo.weight_shapes(NAME)) and found.unused == []


def test_another_file_that_fits(weights):
    found = zoo.verify(zoo.entry(NAME), weights)
    assert not found.ok and found.checksums == {"sha256": "differs"} and len(found.problems) == 1
    assert "damaged or another file" in found.problems[0] and zoo.entry(NAME).checksums["sha256"] in found.problems[0]
    assert zoo.verify(zoo.entry(NAME), weights, checksum=False).ok


def test_a_file_of_another_network(weights):
    found = zoo.verify(zoo.entry("cifar_resnet56"), weights, checksum=False)
    assert not found.ok and found.unused == []
    assert any(p.startswith("cannot copy blob 0 of layer 'Convolution8' (Convolution)") and "(32, 16, 1, 1)" in p and "(16, 16, 3, 3)" in p
               for p in found.problems)
    assert "layer 'Convolution22' is not in the file; the net wants its blobs 32x32x3x3, 32." in found.problems
    assert sum("'Convolution8'" in p for p in found.problems) == 1, "one sentence a layer"


def test_values_that_are_no_numbers(entry, tmp_path):
    net = Net(zoo.build(NAME), TEST)
    fill_fake(net)
    net.params["InnerProduct1"][1].data[3:5] = np.nan, np.inf
    net.save(tmp_path / "bad.caffemodel")
    found = zoo.verify(entry, tmp_path / "bad.caffemodel", checksum=False)
    assert found.problems == ["blob 1 of layer 'InnerProduct1' holds 2 values that are infinite or not a number."]


def test_no_file_and_no_weight_file(entry, tmp_path):
    with pytest.raises(MissingFileError, match="could not open weight file"):
        zoo.verify(entry, tmp_path / "nothing")
    (tmp_path / "page").write_text("<html>")
    with pytest.raises(WeightsError, match="looks like a web page"):
        zoo.verify(entry, tmp_path / "page")


def test_acquire_files_the_weights_and_the_net(entry, weights):
    with serving(weights.read_bytes()) as server:
        path = acquire(entry, [server.url])
        assert path == zoo.weights_path(entry) and acquire(entry, [server.url]) == path and len(server.asked) == 1
    assert sorted(p.name for p in path.parent.iterdir()) == ["ResNet_20.caffemodel", "deploy.prototxt"]
    assert Net(str(path.parent / "deploy.prototxt"), str(path), TEST).coverage.complete


def test_acquire_without_a_digest_checks_the_shapes(entry, weights):
    free = dataclasses.replace(entry, checksums={}, size_bytes=None)
    with serving(create_fake_caffemodel(zoo.build("cifar_resnet50"), zoo.zoo_folder().parent / "50").read_bytes()) as wrong:
        with pytest.raises(zoo.DownloadError, match="it does not fit the net: cannot copy blob 0 of layer 'Convolution8'"):
            acquire(free, [wrong.url])
        assert list(zoo.weights_path(free).parent.iterdir()) == []
        with serving(weights.read_bytes()) as right:
            assert acquire(free, [wrong.url, right.url]).read_bytes() == weights.read_bytes()


def test_a_damaged_file_in_the_folder_is_named_and_kept(entry):
    path = zoo.weights_path(entry)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    with pytest.raises(zoo.DownloadError, match="is there, but its sha256 is .* remove it to download it again"):
        acquire(entry)
    assert path.read_bytes() == b"damaged"


def test_weights_without_an_address():
    with pytest.raises(zoo.NoAddressError, match="no public address that a program can fetch; get them from https://github.com/HolmesShuan"):
        acquire(zoo.entry("resnet18"))
    with pytest.raises(zoo.NoAddressError, match="if you have some, check them with `pycaffe-acc zoo verify resnet34 FILE`"):
        acquire(zoo.entry("resnet34"))
    assert not zoo.zoo_folder().exists()


@pytest.mark.parametrize(("variables", "folder"), [
    ({"PYCAFFE_ACC_ZOO": "/a/zoo"}, "/a/zoo"),
    ({"XDG_CACHE_HOME": "/x"}, "/x/pycaffe-acc/zoo"),
    ({"HOME": "/h"}, "/h/.cache/pycaffe-acc/zoo"),
])
def test_the_folder(monkeypatch, variables, folder):
    for name in ("PYCAFFE_ACC_ZOO", "XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert zoo.zoo_folder() == Path(folder)


def test_the_kernel_cache_beside_it_stays_private(entry, weights, tmp_path, monkeypatch):
    """Compiled kernels share the parent folder, which others must not be able to write to."""
    monkeypatch.delenv("PYCAFFE_ACC_ZOO")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    acquire(entry, [weights.as_uri()])
    assert (tmp_path / "cache/pycaffe-acc").stat().st_mode & 0o077 == 0
