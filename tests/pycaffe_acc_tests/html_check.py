"""What HTML for notebooks may hold: known tags, no scripts, nothing from elsewhere."""
from __future__ import annotations

from html.parser import HTMLParser

TAGS = {"div", "p", "b", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "img", "pre",
        "svg", "title", "rect", "defs", "marker", "path", "text", "tspan", "g"}
VOID = {"img"}
#: names that a hostile model file might have
EVIL = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "</table></div><iframe src=//x>",
        "&lt;b&gt; &amp;", "a\x00b\x1b[31m", "]]></title><script>1</script>", "javascript:alert(1)"]


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.words = [], []

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS, f"<{tag}> does not belong here"
        for key, value in attrs:
            assert not key.startswith("on") and key not in ("href", "srcdoc", "xlink:href"), f"<{tag} {key}>"
            assert key != "src" or value.startswith("data:image/png;base64,"), f"<{tag} src={value[:60]}>"
            assert key != "style" or "url(" not in value and "expression" not in value
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data[:60]}")

    handle_decl = handle_pi = unknown_decl = handle_comment


def inert(page):
    """Check a piece of HTML; gives its text."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open, f"{reader.open} stay open"
    assert not any(ord(c) < 32 and c not in "\t\n\r" for c in page)
    return " ".join(reader.words)
