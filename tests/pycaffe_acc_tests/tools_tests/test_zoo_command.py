"""`pycaffe-acc zoo`: statuses, one JSON document, sentences."""
from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from pycaffe_acc_tests.zoo_tests.file_server import serving

from pycaffe_acc import zoo
from pycaffe_acc.fake_caffemodel import create_fake_caffemodel
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.tools.main import main
from pycaffe_acc.zoo.catalogue import CATALOGUE

NAME = "cifar_resnet20"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_ZOO", str(tmp_path / "zoo"))
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A server with the weights of the smallest network, which the catalogue then names as their only address."""
    data = create_fake_caffemodel(zoo.build(NAME), tmp_path / "published").read_bytes()
    with serving(data) as server:
        entry = dataclasses.replace(CATALOGUE[NAME], urls=(server.url,), size_bytes=len(data), checksums={"sha256": hashlib.sha256(data).hexdigest()})
        monkeypatch.setitem(CATALOGUE, NAME, entry)
        yield server


def run(capsys, *words):
    """Status, parsed stdout, stderr."""
    status = main(["zoo", *words, "--json"])
    captured = capsys.readouterr()
    return status, json.loads(captured.out) if captured.out else None, captured.err


def refused(capsys, *words):
    """Status and the one line on stderr."""
    status = main(["zoo", *words])
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("pycaffe-acc: ") and captured.err.count("\n") == 1
    return status, captured.err


def test_list(capsys):
    status, document, err = run(capsys, "list")
    assert status == 0 and err == "" and [d["name"] for d in document["networks"]] == zoo.names()
    assert main(["zoo", "list"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n{name} " in text for name in zoo.names()) and str(zoo.zoo_folder()) in text


def test_json_may_stand_on_either_side(capsys):
    assert main(["zoo", "--json", "path", NAME]) == 0
    assert json.loads(capsys.readouterr().out) == run(capsys, "path", NAME)[1]


def test_download_then_use(capsys, published):
    status, document, err = run(capsys, "download", NAME)
    assert status == 0 and err == "", "no progress bar where there is no terminal"
    assert document["checked"] == ["sha256"] and document["was_there"] is False
    status, paths, _ = run(capsys, "path", NAME)
    assert paths["weights"] == document["path"] and paths["downloaded"] is True
    assert Net(paths["deploy"], paths["weights"], TEST).coverage.complete
    assert run(capsys, "download", NAME)[1]["was_there"] is True and len(published.asked) == 1
    status, document, _ = run(capsys, "verify", NAME)
    assert status == 0 and document["ok"] and document["checksums"] == {"sha256": "same"}


def test_a_progress_bar_on_a_terminal(capsys, published, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert main(["zoo", "download", NAME]) == 0
    assert "ResNet_20.caffemodel: 100%" in terminal.getvalue() and "ResNet_20" not in capsys.readouterr().err


def test_a_cut_download_is_status_3_and_leaves_no_file(capsys, published):
    published.cuts = [100_000, 0]
    status, err = refused(capsys, "download", NAME)
    assert status == 3 and "the connection ended after 100000 of" in err and "100000 bytes are kept for the next attempt" in err
    assert not zoo.weights_path(CATALOGUE[NAME]).exists()
    assert main(["zoo", "download", NAME]) == 0
    assert published.asked[-1] == "bytes=100000-" and "downloaded, the published file (sha256)" in capsys.readouterr().out


def test_a_wrong_file_is_status_3_and_leaves_nothing(capsys, published):
    published.content = published.content[:-1] + b"?"
    status, err = refused(capsys, "download", NAME)
    assert status == 3 and "its sha256 is" in err and list(zoo.weights_path(CATALOGUE[NAME]).parent.iterdir()) == []


def test_an_address_of_ones_own(capsys, published, tmp_path):
    assert run(capsys, "download", NAME, "--url", (tmp_path / "published").as_uri())[0] == 0
    assert published.asked == []


def test_what_cannot_be_downloaded(capsys, published):
    status, err = refused(capsys, "download", "resnet-34")
    assert status == 2 and "no network 'resnet-34' (closest: 'resnet34')" in err
    status, err = refused(capsys, "download", "resnet34")
    assert status == 4 and "zoo fake resnet34 FILE" in err
    published.server_close()
    status, err = refused(capsys, "download", NAME, "--timeout", "1")
    assert status == 3 and "cannot be reached" in err and not zoo.weights_path(CATALOGUE[NAME]).exists()


def test_verify(capsys, published, tmp_path):
    status, err = refused(capsys, "verify", NAME)
    assert status == 3 and f"zoo download {NAME}" in err
    assert run(capsys, "verify", NAME, str(tmp_path / "published"))[0] == 0
    own = create_fake_caffemodel(zoo.build(NAME), tmp_path / "own", seed=3)
    status, document, _ = run(capsys, "verify", NAME, str(own))
    assert status == 3 and not document["ok"] and "damaged or another file" in document["problems"][0]
    assert run(capsys, "verify", NAME, str(own), "--no-checksum")[0] == 0
    assert main(["zoo", "verify", "cifar_resnet56", str(own), "--no-checksum"]) == 3
    text = capsys.readouterr().out
    assert "  cannot copy blob 0 of layer 'Convolution8'" in text and text.endswith("not everything is in order\n")
    own.write_bytes(own.read_bytes()[:5000])
    status, err = refused(capsys, "verify", NAME, str(own), "--no-checksum")
    assert status == 3 and str(own) in err


def test_build(capsys, tmp_path):
    status, document, _ = run(capsys, "build", "resnet50", "--batch", "4", "--stride-in-3x3", "--out", str(tmp_path / "new"))
    assert status == 0 and document["stride_in_3x3"] is True
    assert Path(document["path"]).read_text() == zoo.deploy_prototxt("resnet50", 4, stride_in_3x3=True)
    status, err = refused(capsys, "build", "vgg16", "--stride-in-3x3", "--out", str(tmp_path / "other"))
    assert status == 2 and "no variant 'stride_in_3x3'" in err and not (tmp_path / "other").exists()


def test_fake(capsys, tmp_path):
    out = tmp_path / "fake.caffemodel"
    status, document, _ = run(capsys, "fake", NAME, str(out), "--seed", "5")
    assert status == 0 and document["size_bytes"] == out.stat().st_size
    assert out.read_bytes() == create_fake_caffemodel(zoo.build(NAME), tmp_path / "again", seed=5).read_bytes()
    status, err = refused(capsys, "fake", NAME, str(tmp_path / "no" / "folder"))
    assert status == 3 and not (tmp_path / "no").exists()


def test_the_package_alone_is_enough(tmp_path):
    """An installed wheel has no models folder: nothing of the zoo may need it, nor the checkout as the current folder."""
    root = Path(__file__).resolve().parents[3]
    program = (f"import sys; sys.path.insert(0, {str(root)!r}); from pycaffe_acc import zoo; "
               "print(len(zoo.deploy_prototxt('alexnet')), 'models' in ' '.join(m.__file__ or '' for m in list(sys.modules.values()) "
               "if 'zoo' in m.__name__), [m for m in ('numba', 'tqdm') if m in sys.modules])")
    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0 and result.stdout.split(maxsplit=1)[1].strip() == "False []", result.stdout + result.stderr
    assert int(result.stdout.split()[0]) == len(zoo.deploy_prototxt("alexnet"))
