"""The readme of a network's folder, in the convention of Caffe's model zoo: fields between two lines of dashes, then text."""
from __future__ import annotations

from collections.abc import Iterable, Sequence

from pycaffe_acc.zoo.deploy import weight_shapes
from pycaffe_acc.zoo.entry import ZooEntry

UNKNOWN = "not published"


def readme(entry: ZooEntry) -> str:
    """The text of README.md.

    Parameters
    ----------
    entry : ZooEntry

    Returns
    -------
    str
    """
    shapes = weight_shapes(entry.name)
    values = sum(_count(s) for blobs in shapes.values() for s in blobs)
    parts = [_front_matter(entry), f"# {entry.title}", entry.paper + ".", entry.layout, *([entry.note] if entry.note else []), _facts(entry),
             _use(entry), f"## Weights\n\n{values:,} values in {len(shapes)} layers. Public weights have these layers and blob shapes:",
             _table(("layer", "blob shapes"), ((f"`{layer}`", ", ".join("x".join(map(str, s)) for s in blobs)) for layer, blobs in shapes.items()))]
    return "\n\n".join(parts) + "\n"


def _front_matter(entry: ZooEntry) -> str:
    """The fields that Caffe's download script reads; those that nobody publishes are left out."""
    fields = [("name", entry.title), ("caffemodel", entry.caffemodel), *(("caffemodel_url", url) for url in entry.urls[:1]),
              ("license", entry.license or "none stated"), *entry.checksums.items()]
    return "\n".join(["---", *(f"{key}: {value}" for key, value in fields), "---"])


def _facts(entry: ZooEntry) -> str:
    size = f"{entry.size_bytes:,} bytes" if entry.size_bytes else UNKNOWN
    digests = ", ".join(f"{k} `{v}`" for k, v in entry.checksums.items()) or UNKNOWN
    addresses = " ".join(f"<{url}>" for url in entry.urls) or "none that a program can fetch"
    return _table(("what", ""), [
        ("source", f"<{entry.page}>" if entry.page else "none known"), ("addresses", addresses), ("size", size), ("digests", digests),
        ("licence of the weights", entry.license or "none stated"), ("preprocessing", entry.preprocessing),
        ("as options of `eval`", f"`{entry.options}`"), ("published accuracy", entry.accuracy or UNKNOWN)])


def _use(entry: ZooEntry) -> str:
    name = entry.name
    first = ((f"zoo download {name}", "checked, then filed where `zoo path` says") if entry.urls else
             (f"zoo verify {name} {entry.caffemodel}", "do the blobs of your own file fit?"))
    lines = [first, (f"zoo fake {name} fake.caffemodel", "seeded weights, to measure speed"),
             (f"zoo build {name} --out .", "deploy.prototxt, as in this folder")]
    width = max(len(command) for command, _ in lines)
    return "\n".join(["```sh", *(f"pycaffe-acc {command.ljust(width)}  # {what}" for command, what in lines), "```"])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for extent in shape:
        total *= extent
    return total
