"""Tokens of protobuf's text format, one at a time (a weight file written as text can be hundreds of megabytes)."""
from __future__ import annotations

import re

from pycaffe_acc.errors import PrototxtError

_PATTERN = re.compile(
    r"""
    (?P<skip>[ \t\r\n\f\v]+|\#[^\n]*)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[fF]?(?![A-Za-z0-9_]))
    |(?P<string>"[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')
    |(?P<mark>[-{}<>:\[\],;/.])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\(?:([abfnrtv\\'\"?])|([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.)|$)", re.DOTALL)
_SIMPLE = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
           b"\\": b"\\", b"'": b"'", b'"': b'"', b"?": b"?"}
END = "end of file"


class Tokens:
    """The current token of a text, and how to get to the next one.

    Parameters
    ----------
    text : str
    file : str
        Name of the source, for errors.

    Attributes
    ----------
    kind : str
        "name", "number", "string", "mark" or `END`.
    value : str
        The token's characters ("" at the end).
    start : int
        Its place in the text.
    previous_end : int
        Where the token before it ended.
    """

    def __init__(self, text: str, file: str):
        self.text = text
        self.file = file
        self.kind = ""
        self.value = ""
        self.start = 0
        self._end = 0
        self.previous_end = 0
        self.advance()

    def advance(self) -> None:
        """Go to the next token.

        Raises
        ------
        PrototxtError
            At a character that starts no token.
        """
        at = self.previous_end = self._end
        while True:
            match = _PATTERN.match(self.text, at)
            if match is None:
                break
            at = match.end()
            if match.lastgroup != "skip":
                self.kind, self.value, self.start, self._end = match.lastgroup or "", match.group(), match.start(), at
                return
        if at < len(self.text):
            self._bad_character(at)
        self.kind, self.value, self.start, self._end = END, "", at, at

    def take(self, mark: str) -> bool:
        """Skip the current token if it is this mark; whether it was."""
        if self.kind == "mark" and self.value == mark:
            self.advance()
            return True
        return False

    def line(self, at: int | None = None) -> int:
        """1-based line of a place (default: the current token)."""
        return self.text.count("\n", 0, self.start if at is None else at) + 1

    def error(self, reason: str, at: int | None = None) -> PrototxtError:
        """An exception at a place (default: the current token)."""
        return PrototxtError(reason, self.file, self.line(at))

    def met(self) -> str:
        """The current token for a message."""
        return END if self.kind == END else f"'{self.value[:40]}'"

    def _bad_character(self, at: int) -> None:
        c = self.text[at]
        if c in "\"'":
            raise self.error("a string is not closed on its line; put the closing quote, or \\n for a line break inside it", at)
        if c.isdigit():
            raise self.error(f"'{self.text[at:at + 20].split()[0]}' is not a number", at)
        raise self.error(f"the character {c!r} has no meaning here; a prototxt holds names, numbers, strings and {{ }} < > : [ ] , ;", at)


def string_bytes(token: str) -> bytes:
    """The bytes that a string token stands for.

    Raises
    ------
    ValueError
        For an escape that text format does not have.
    """
    raw = token[1:-1].encode("utf-8", "surrogateescape")
    return _ESCAPE.sub(_unescape, raw) if b"\\" in raw else raw


def _unescape(match: re.Match[bytes]) -> bytes:
    simple, octal, hexadecimal, short, long, other = match.groups()
    if simple is not None:
        return _SIMPLE[simple]
    if octal is not None:
        return bytes([int(octal, 8) & 255])
    if hexadecimal is not None:
        return bytes([int(hexadecimal, 16)])
    point = short or long
    if point is not None and int(point, 16) < 0x110000:
        return chr(int(point, 16)).encode("utf-8", "surrogatepass")
    raise ValueError(f"\\{(other or b'').decode('utf-8', 'replace')} is no escape of text format; write \\\\ for a backslash")
