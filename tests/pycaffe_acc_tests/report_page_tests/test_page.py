"""The page as text: whole, in one file, and with nothing of the document as markup."""
from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re

import pytest

pytest.importorskip("jinja2", reason="jinja2 is not installed")

from pycaffe_acc_tests.report_page_tests.hostile import ENDS, HARM, QUOTES, document

from pycaffe_acc.errors import MissingExtraError
from pycaffe_acc.report_page.page import embedded, page, write_page
from pycaffe_acc.suite.document import write_document
from pycaffe_acc.tools.main import main


class Tags(html.parser.HTMLParser):
    """Every element with its attributes, and all text outside of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self._inside = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside not in ("script", "style"):
            self.texts.append(data)


def test_nothing_of_the_document_becomes_markup():
    tags = Tags(page(document()))
    names = [tag for tag, _ in tags.elements]
    assert "img" not in names and names.count("script") == 2 and names.count("style") == 1
    assert not [a for _, attrs in tags.elements for a in attrs if a.startswith("on")]
    shown = "".join(tags.texts)
    assert HARM in shown and ENDS in shown and QUOTES in shown


def test_the_data_cannot_end_its_element():
    text = page(document())
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL).group(1)
    assert not set("<>&'") & set(data) and json.loads(data)["figures"] == json.loads(json.dumps(document()["figures"]))
    nasty = {"a": "</script>\u2028\u2029<!--&'\"\\"}
    assert json.loads(embedded(nasty)) == nasty and embedded(nasty).isascii() and "<" not in embedded(nasty)


def test_the_policy_names_the_one_script():
    text = page(document())
    policy = next(a["content"] for t, a in Tags(text).elements if t == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL).group(1)
    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy and "default-src 'none'" in policy


def test_the_page_asks_for_nothing():
    text = page(document())
    addresses = [v for _, attrs in Tags(text).elements for k, v in attrs.items() if k in ("src", "href", "action", "data", "poster")]
    assert all(a.startswith("#") for a in addresses)
    assert not re.search(r"(@import|url\(|fetch\(|XMLHttpRequest|innerHTML|outerHTML|document\.write|eval\()", text)


def test_measured_and_simulated_rows_are_in_tables_of_their_own():
    text = page(document())
    tables = {time: re.search(rf'<table id="rows-{time}">(.*?)</table>', text, re.DOTALL).group(1) for time in ("measured", "simulated")}
    rows = document()["rows"]
    assert {time: table.count("<tr data-model") for time, table in tables.items()} == {
        time: sum(r["time"] == time for r in rows) for time in ("measured", "simulated")}
    assert 'data-device="MLU100"' not in tables["measured"] and 'data-device="host"' not in tables["simulated"]
    assert tables["measured"].count("no accuracy claim: seeded weights") == 1


def test_every_figure_has_a_place_and_its_numbers():
    text, figures = page(document()), document()["figures"]
    assert sorted(int(n) for n in re.findall(r'<figure data-figure="(\d+)"', text)) == list(range(len(figures)))
    assert text.count("<summary>Numbers</summary>") == len(figures)


def test_render(tmp_path, capsys):
    write_document(document(), tmp_path / "r.json")
    out = tmp_path / "page.html"
    assert main(["report", "render", str(tmp_path / "r.json"), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"page": str(out), "figures": []} and out.read_text(encoding="utf-8") == page(document())


def test_a_disk_that_fills_leaves_the_page_that_was_there(tmp_path, monkeypatch):
    out = tmp_path / "page.html"
    out.write_text("before", encoding="utf-8")

    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(type(out), "write_text", full)
    with pytest.raises(OSError, match="No space"):
        write_page(document(), out)
    monkeypatch.undo()
    assert out.read_text(encoding="utf-8") == "before" and [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_without_jinja2_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"pycaffe-acc\[report\]"):
        page(document())
