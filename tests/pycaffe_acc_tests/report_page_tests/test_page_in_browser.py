"""The page in headless Chromium: drawn, silent, alone, filtered, harmless; at the width of a desk and of a phone."""
from __future__ import annotations

import pytest

pytest.importorskip("jinja2", reason="jinja2 is not installed")

from pycaffe_acc_tests.report_page_tests.browser import PROGRAM, Browser
from pycaffe_acc_tests.report_page_tests.hostile import HARM, document

from pycaffe_acc.report_page.page import write_page

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on PATH (apt-get install chromium)")

MARKS = "Array.from(document.querySelectorAll('figure')).map(f => f.querySelectorAll('.mark').length)"
HIDDEN = "document.querySelectorAll('tr[data-model][hidden]').length"


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A browser with the page of a hostile report, its document and its file."""
    folder = tmp_path_factory.mktemp("browser")
    report = document()
    write_page(report, folder / "page.html")
    with Browser(folder / "profile") as browser:
        browser.open(folder / "page.html", 1280, 900)
        yield browser, report, folder / "page.html"


def set_boxes(browser, key, wanted):
    """Check exactly the boxes of a filter whose value `wanted` (a JavaScript test of `v`) holds for."""
    browser.evaluate(f"document.querySelectorAll('details[data-filter={key}] input').forEach(b => {{ const v = b.value; "
                     f"if (b.checked !== ({wanted})) b.click(); }})")


def test_it_is_drawn_without_a_word_and_without_the_network(opened):
    browser, report, path = opened
    points = [sum(len(s["points"]) for s in f["series"]) for f in report["figures"]]
    order = browser.evaluate("Array.from(document.querySelectorAll('figure')).map(f => Number(f.dataset.figure))")
    assert browser.evaluate(MARKS) == [points[i] for i in order] and min(points) > 0
    assert browser.complaints() == [] and browser.requests() == [path.resolve().as_uri()]


def test_text_of_the_document_is_inert(opened):
    browser, report, _ = opened
    assert "harmed" not in browser.evaluate("document.title") and browser.evaluate("document.querySelectorAll('img').length") == 0
    assert browser.evaluate("document.scripts.length") == 2 and HARM in browser.evaluate("document.body.textContent")
    # a tooltip's text, too
    browser.evaluate("document.querySelector('figure .mark').dispatchEvent(new PointerEvent('pointermove', {clientX: 50, clientY: 50}))")
    tip = browser.evaluate("[document.getElementById('tip').hidden, document.getElementById('tip').textContent]")
    assert tip[0] is False and len(tip[1]) > 20 and "harmed" not in browser.evaluate("document.title")


def test_filters(opened):
    browser, report, _ = opened
    rows = report["rows"]
    marks = sum(browser.evaluate(MARKS))
    assert browser.evaluate(HIDDEN) == 0
    set_boxes(browser, "device", "v === 'host'")
    assert browser.evaluate(HIDDEN) == sum(r["device"] != "host" for r in rows)
    assert browser.evaluate("document.getElementById('count').textContent") == f"{sum(r['device'] == 'host' for r in rows)} of {len(rows)} rows"
    assert browser.evaluate("document.querySelector('#fig6a-MLU100 .empty').textContent").startswith("Nothing is left")
    assert browser.evaluate("document.querySelectorAll('#fig6a-host .mark').length") > 0 and 0 < sum(browser.evaluate(MARKS)) < marks
    model = rows[0]["model"]
    set_boxes(browser, "model", "v.startsWith('alpha')")
    assert browser.evaluate(HIDDEN) == sum(r["device"] != "host" or r["model"] != model for r in rows)
    browser.evaluate("document.querySelectorAll('.filters button[data-set=none]').forEach(b => b.click())")
    assert browser.evaluate(HIDDEN) == len(rows) and sum(browser.evaluate(MARKS)) == 0
    browser.evaluate("document.querySelectorAll('.filters button[data-set=all]').forEach(b => b.click())")
    assert browser.evaluate(HIDDEN) == 0 and sum(browser.evaluate(MARKS)) == marks and browser.complaints() == []


def test_light_and_dark(opened):
    browser, _, _ = opened
    paper = "getComputedStyle(document.body).backgroundColor"
    before = browser.evaluate(paper)
    browser.evaluate("document.getElementById('theme').click()")
    assert browser.evaluate(paper) != before
    browser.evaluate("document.getElementById('theme').click()")
    assert browser.evaluate(paper) == before


def test_print_has_no_filters(opened):
    browser, _, _ = opened
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.evaluate("getComputedStyle(document.querySelector('.filters')).display") == "none"
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    browser.call("Emulation.setEmulatedMedia", media="")


@pytest.mark.parametrize("width", [360, 768])
def test_nothing_sticks_out_of_a_narrow_window(opened, width):
    browser, _, path = opened
    browser.open(path, width, 800, phone=True)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("Array.from(document.querySelectorAll('figure svg')).every(s => s.getBoundingClientRect().right <= innerWidth)")
    assert min(browser.evaluate(MARKS)) > 0 and browser.complaints() == []
