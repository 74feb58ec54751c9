"""A report whose every text would do harm in a page that does not escape it."""
from __future__ import annotations

from typing import Any

from pycaffe_acc_tests.suite_tests.report_rows import paper, row

from pycaffe_acc.suite.document import report_document
from pycaffe_acc.suite.plan import read_suite
from pycaffe_acc.suite.rows import judged

HARM = "<img src=x onerror=\"document.title='harmed'\">"
ENDS = "</script><script>document.title='harmed'</script><!--"
QUOTES = "\" onload=\"document.title='harmed'\" x='"


def document() -> dict[str, Any]:
    """The paper's rows with hostile names, a table of hostile layers, a hostile failure."""
    rows = []
    for r in [*paper(), row("gamma", "fp16", None, 50, 40)]:
        title = {"alpha": HARM, "beta": ENDS, "gamma": QUOTES}[r["model"]]
        rows.append(r | {"title": title, "model": r["model"] + title, "variant_title": r["variant"] + QUOTES})
    layers = [{"row": rows[0]["id"], "model": HARM, "variant": ENDS, "device": "host", "time": "measured", "batch": 1, "layers": [
        {"name": name, "type": name, "note": name, "ms": 1.0, "macs": 5, "gmacs_per_second": 5e-6} for name in (HARM, ENDS, QUOTES)]}]
    return report_document(read_suite("digits"), judged(read_suite("digits"), rows), layers, {HARM: ENDS}, 5, HARM, QUOTES)
