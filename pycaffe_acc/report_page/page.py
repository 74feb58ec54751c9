"""The page of a report: one file with its style, its script and its data, which asks nothing of any network."""
from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import MissingExtraError

FOLDER = Path(__file__).parent
#: sections of the page: title, what it shows, and how the names of its figures begin
_SECTIONS = (
    ("Accuracy", "What the precisions cost, over the same images of each network.", ("table2", "fig5")),
    ("Throughput", "FP16 against INT8: what the device gains, and what is left of it from the first file to the last answer.", ("fig6",)),
    ("Sparsity", "Pruned without training: what it costs, and what it gains.", ("fig7",)),
    ("Accuracy and throughput together", "A net above and to the right of another is better. Crosses break the accuracy constraint.", ("front",)),
    ("Where the time goes", "Reading and preparing pictures beside computing.", ("split",)),
    ("Other cards and other runtimes", "The same nets elsewhere.", ("cards", "runtimes")),
)


def page(document: dict[str, Any]) -> str:
    """A report as HTML.

    Everything that comes from the document is escaped: as text and attributes by the template, as data by the encoding; the script puts it into text
    nodes only; and the page's policy runs no script but its own.

    Parameters
    ----------
    document : dict
        That keeps the schema, see `pycaffe_acc.suite.document`.

    Raises
    ------
    MissingExtraError
        Without jinja2.
    """
    try:
        import jinja2
        from markupsafe import Markup
    except ImportError as e:
        raise MissingExtraError("the page of a report needs jinja2: pip install 'pycaffe-acc[report]'; the JSON document has "
                                "everything that is in it") from e
    script = (FOLDER / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, undefined=jinja2.ChainableUndefined)
    text: str = environment.get_template("page.html.j2").render(
        report=document, style=Markup((FOLDER / "page.css").read_text(encoding="utf-8")), script=Markup(script), script_hash=f"sha256-{digest}",
        data=Markup(embedded({"figures": document["figures"]})), filters=_filters(document["rows"]), sections=_sections(document["figures"]),
        tables=_tables(document["rows"]), environment=_facts(document["environment"]))
    return text


def write_page(document: dict[str, Any], path: Path) -> None:
    """Write the page, whole or not at all.

    Raises
    ------
    MissingExtraError, OSError
    """
    text = page(document)
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def embedded(value: Any) -> str:
    """JSON that may stand in a script element: nothing in it can end the element, begin a comment, or be markup."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))  # ASCII, so that no line separators are left
    for sign in "<>&'":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _filters(rows: list[dict[str, Any]]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    def values(key: str, text: str) -> list[tuple[str, str]]:
        return list({r[key]: r.get(text) or r[key] for r in rows}.items())
    return [("model", "Models", values("model", "title")), ("variant", "Precisions", values("variant", "variant_title")),
            ("device", "Devices", values("device", "device"))]


def _sections(figures: list[dict[str, Any]]) -> list[tuple[str, str, list[tuple[int, dict[str, Any]]]]]:
    numbered = list(enumerate(figures))
    found = [(title, about, [(i, f) for i, f in numbered if f["id"].startswith(begins)]) for title, about, begins in _SECTIONS]
    known = {i for _, _, chosen in found for i, _ in chosen}
    found.append(("More", "", [(i, f) for i, f in numbered if i not in known]))
    return [section for section in found if section[2]]


def _tables(rows: list[dict[str, Any]]) -> list[tuple[str, str, list[dict[str, Any]]]]:
    return [(time, title, [r for r in rows if r["time"] == time])
            for time, title in (("measured", "All rows, measured"), ("simulated", "All rows, simulated"))]


def _facts(environment: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for key, value in environment.items():
        if isinstance(value, dict):
            value = ", ".join(f"{k} {v}" for k, v in value.items() if v is not None) or "none"
        yield key.replace("_", " "), str(value)
