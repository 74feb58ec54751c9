"""Downloads over a local server: whole and right, or not there."""
from __future__ import annotations

import hashlib
import socket
import threading
from pathlib import Path

import pytest
from pycaffe_acc_tests.zoo_tests.file_server import serving

from pycaffe_acc.zoo.checksum import check_digests
from pycaffe_acc.zoo.download import download
from pycaffe_acc.zoo.errors import DownloadError
from pycaffe_acc.zoo.partial_file import PartialFile

CONTENT = bytes(range(256)) * 4000
DIGESTS = {"sha1": hashlib.sha1(CONTENT).hexdigest(), "sha256": hashlib.sha256(CONTENT).hexdigest()}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server():
    """A server with `CONTENT`."""
    with serving(CONTENT) as running:
        yield running


@pytest.fixture
def target(tmp_path) -> Path:
    """A final name in a folder that does not exist yet."""
    return tmp_path / "zoo" / "net.caffemodel"


def get(urls, target, **options):
    """`download` with the digests of `CONTENT`."""
    return download(urls, target, lambda path: check_digests(path, DIGESTS), timeout=5, **options)


def only(target: Path) -> bool:
    """Whether the whole file, and nothing else, lies in its folder."""
    return [p.name for p in target.parent.iterdir()] == [target.name] and target.read_bytes() == CONTENT


def test_a_whole_file(server, target):
    seen = []
    assert get([server.url], target, size_bytes=len(CONTENT), progress=lambda done, total: seen.append((done, total))) == target
    assert only(target) and server.asked == [None]
    assert seen[0] == (0, len(CONTENT)) and seen[-1] == (len(CONTENT), len(CONTENT)) and seen == sorted(seen)


def test_a_local_file_is_an_address(target, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    get([source.as_uri()], target)
    assert only(target)


@pytest.mark.parametrize("length", [True, False])
def test_a_cut_connection_goes_on_where_it_ended(server, target, length):
    server.cuts = [100_000, 200_000]
    server.length = length
    get([server.url], target, size_bytes=len(CONTENT))
    assert only(target) and server.asked == [None, "bytes=100000-", "bytes=300000-"]


def test_a_cut_connection_starts_again_where_ranges_are_not_understood(server, target):
    server.ranges, server.cuts = False, [50_000] * 9
    with pytest.raises(DownloadError, match=r"ended after 50000 of 1024000 bytes.*There is no file .*50000 bytes are kept"):
        get([server.url], target)
    assert not target.exists()
    server.cuts = []
    get([server.url], target)
    assert only(target) and server.asked[-1] == "bytes=50000-"


def test_a_later_call_goes_on(server, target):
    server.cuts = [100_000, 0]
    with pytest.raises(DownloadError, match="ended after 100000 of 1024000 bytes"):
        get([server.url], target)
    assert [p.name for p in target.parent.iterdir()] == ["net.caffemodel.part"]
    get([server.url], target)
    assert only(target) and server.asked[-1] == "bytes=100000-"


def test_a_mirror_goes_on_with_the_bytes_of_the_first(server, target):
    with serving(CONTENT) as mirror:
        server.cuts = [100_000, 0]
        get([server.url, mirror.url], target)
        assert only(target) and mirror.asked == ["bytes=100000-"]


@pytest.mark.parametrize("fault", ["missing", "web page", "other file", "other size", "too long", "unreachable", "scheme"])
def test_the_next_address_helps(server, target, fault):
    with serving(b"x" * len(CONTENT)) as first:
        url = first.url
        if fault == "missing":
            first.status = 404
        elif fault == "web page":
            first.content_type = "text/html; charset=utf-8"
        elif fault == "other size":
            first.content = b"x" * 10
        elif fault == "too long":
            first.length, first.content = False, b"x" * (len(CONTENT) + 1)
        elif fault == "unreachable":
            url = "http://127.0.0.1:9/net.caffemodel"
        elif fault == "scheme":
            url = "gopher://127.0.0.1/net.caffemodel"
        get([url, server.url], target, size_bytes=len(CONTENT))
        assert only(target)


def test_another_file_leaves_nothing(target):
    other = CONTENT[:-1] + b"!"
    with serving(other) as server, pytest.raises(DownloadError) as caught:
        get([server.url], target)
    found = hashlib.sha1(other).hexdigest()
    assert f"its sha1 is {found} (1024000 bytes), the published file's is {DIGESTS['sha1']}" in str(caught.value)
    assert server.url in str(caught.value) and list(target.parent.iterdir()) == []


def test_bytes_of_another_file_are_thrown_away(server, target):
    target.parent.mkdir()
    Path(f"{target}.part").write_bytes(b"?" * 5000)
    get([server.url], target)
    assert only(target) and server.asked == ["bytes=5000-", None]


@pytest.mark.parametrize("known", [True, False])
def test_a_whole_part_is_only_checked(server, target, known):
    """A process that was killed between the last byte and the rename."""
    target.parent.mkdir()
    Path(f"{target}.part").write_bytes(CONTENT)
    get([server.url], target, size_bytes=len(CONTENT) if known else None)
    assert only(target) and server.asked == ([] if known else [f"bytes={len(CONTENT)}-", None])


def test_without_a_digest_nothing_is_continued(server, target):
    server.cuts = [100_000]
    download([server.url], target, lambda path: None, resume=False, timeout=5)
    assert only(target) and server.asked == [None, None]


def test_every_address_is_named_with_its_reason(server, target):
    server.status = 503
    with pytest.raises(DownloadError) as caught:
        get([server.url, "http://127.0.0.1:9/x"], target)
    text = str(caught.value)
    assert f"{server.url}: the server answers 503" in text and "http://127.0.0.1:9/x: cannot be reached" in text and str(target) in text
    assert not target.exists()
    with pytest.raises(DownloadError, match="no address is known"):
        get([], target)


def test_a_silent_server_is_given_up(target):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(DownloadError, match="cannot be reached: timed out"):
            download([f"http://127.0.0.1:{silent.getsockname()[1]}/x"], target, lambda path: None, timeout=0.2)


def test_one_process_at_a_time(server, target):
    target.parent.mkdir()
    with PartialFile(target) as other:
        other.append(b"half")
        with pytest.raises(DownloadError, match="another process is downloading"):
            get([server.url], target)
    assert Path(f"{target}.part").read_bytes() == b"half"


def test_a_rename_between_opening_and_locking_is_seen(target):
    """Eight threads that finish one after another never write into a finished file."""
    target.parent.mkdir()
    errors = []

    def once() -> None:
        try:
            with PartialFile(target) as part:
                part.clear()
                part.append(CONTENT)
                part.finish()
        except DownloadError:
            pass
        except OSError as e:
            errors.append(e)

    threads = [threading.Thread(target=once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and only(target)
