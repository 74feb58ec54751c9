"""The document of a report: put together, written, read, each time against its schema."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cnrt.whole_file import whole_file
from pycaffe_acc.environment import environment
from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.suite.figures import figures
from pycaffe_acc.suite.findings import findings
from pycaffe_acc.suite.plan import Suite
from pycaffe_acc.suite.schema_check import SchemaError, check, schema

SCHEMA = "pycaffe-acc/report/1"
#: above this no report is read
_MOST_BYTES = 256 << 20


def report_document(suite: Suite, rows: list[dict[str, Any]], layers: list[dict[str, Any]], failures: dict[str, str], limit: int | None, started: str,
                    finished: str) -> dict[str, Any]:
    """A report of rows.

    Parameters
    ----------
    suite : Suite
    rows, layers : list of dict
        As the schema has them.
    failures : dict of str to str
        Rows that there are not, and why.
    limit : int or None
    started, finished : str
        Date and time.

    Raises
    ------
    SchemaError
        When the result breaks the schema: a throughput without an accuracy, for one.
    """
    document = {"schema": SCHEMA, "title": f"Suite {suite.name}", "started": started, "finished": finished, "environment": environment(),
                "suite": {"name": suite.name, "about": suite.about, "limit": limit, "seed": suite.seed, "within": suite.within,
                          "file_sha256": suite.sha256},
                "rows": rows, "failures": [{"id": k, "sentence": v} for k, v in failures.items()], "layers": layers, "figures": figures(rows),
                "findings": findings(rows)}
    check(document, schema("report"))
    return document


def write_document(document: dict[str, Any], path: Path) -> None:
    """Write a report, whole or not at all.

    Raises
    ------
    SchemaError
        For one that breaks the schema: nothing is written.
    OSError
    """
    check(document, schema("report"))
    text = json.dumps(document, indent=1, allow_nan=False)
    with whole_file(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def read_document(path: Path) -> dict[str, Any]:
    """A report from its file.

    Raises
    ------
    MissingFileError, CheckError
        For a file that is no JSON, of another schema or version of it, or that breaks the schema, naming the place.
    """
    if not path.is_file():
        raise MissingFileError(path, "report")
    if path.stat().st_size > _MOST_BYTES:
        raise CheckError(f"report '{path}' has {path.stat().st_size} bytes; one of more than {_MOST_BYTES} is not read")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as e:
        raise CheckError(f"report '{path}' is no JSON: {e}") from e
    told = document.get("schema") if isinstance(document, dict) else None
    if told != SCHEMA:
        raise CheckError(f"report '{path}' has the schema {told!r}, and this version reads '{SCHEMA}'; make the report again with "
                         "this version, or render it with the one that made it")
    try:
        check(document, schema("report"))
    except SchemaError as e:
        raise CheckError(f"report '{path}' breaks its schema at {e}") from e
    return dict(document)
