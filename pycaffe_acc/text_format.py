"""Prototxt → message, with line numbers, and with fields that the schema does not know kept apart.

protobuf's own text parser stops at the first unknown field; nets of forks have many. This one goes on, so that all of them are reported at once and,
where the user says so, the rest of the net is used.
"""
from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import text_format as _protobuf
from google.protobuf.descriptor import FieldDescriptor as F

from pycaffe_acc.errors import MissingFileError, PrototxtError, UnknownFieldError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.text_tokens import END, Tokens
from pycaffe_acc.text_values import repeats, scalar

MAX_TEXT_BYTES = 1 << 30
#: other spellings of known fields: (message, spelling) → field
ALIASES = {
    ("UpsampleParameter", "pad_out_W"): "pad_out_w",
}
_PAIRS = {"{": "}", "<": ">", "[": "]"}
_SWITCH = "PYCAFFE_ACC_UNKNOWN_FIELDS"


@dataclass(frozen=True)
class UnknownField:
    """A field that no known Caffe has.

    Attributes
    ----------
    path : str
        Where it stands: "layer[3].relu_param.slope".
    name : str
    message : str
        Type of the message it stands in: "ReLUParameter".
    line : int
    text : str
        Its characters in the file.
    closest : str
        The most similar known field, or "".
    """

    path: str
    name: str
    message: str
    line: int
    text: str
    closest: str

    def __str__(self) -> str:
        hint = f" (closest known: '{self.closest}')" if self.closest else ""
        return f"line {self.line}: {self.message} has no field named '{self.name}'{hint}"


@dataclass
class NetFile:
    """What a prototxt holds.

    Attributes
    ----------
    message : Message
        NetParameter unless another type was asked for; not upgraded.
    unknown : list of UnknownField
    source : str
        File name, or "<text>".
    """

    message: Any
    unknown: list[UnknownField] = field(default_factory=list)
    source: str = ""


def read_net(path: str | os.PathLike[str], allow_unknown_fields: bool | None = None) -> NetFile:
    """Read a net's prototxt.

    Parameters
    ----------
    path : str or Path
    allow_unknown_fields : bool, optional
        Keep fields that no known Caffe has in `NetFile.unknown` instead of refusing the file. Default: whether the environment has
        PYCAFFE_ACC_UNKNOWN_FIELDS=keep.

    Returns
    -------
    NetFile

    Raises
    ------
    MissingFileError, PrototxtError
        UnknownFieldError (a PrototxtError) names all unknown fields.
    """
    return read_message(path, caffe_pb2.NetParameter, allow_unknown_fields)


def parse_net(text: str, source: str = "<text>", allow_unknown_fields: bool | None = None) -> NetFile:
    """`read_net` for a text in memory."""
    return parse_message(text, caffe_pb2.NetParameter, source, allow_unknown_fields)


def read_message(path: str | os.PathLike[str], kind: Any, allow_unknown_fields: bool | None = None) -> NetFile:
    """Read a text file that holds one message.

    Parameters
    ----------
    path : str or Path
    kind : message class
        `caffe_pb2.SolverParameter`, `caffe_pb2.LabelMap`, …
    allow_unknown_fields : bool, optional
        See `read_net`.
    """
    if not os.path.isfile(path):
        raise MissingFileError(path, "prototxt")
    name = os.fspath(path)
    size = os.path.getsize(path)
    if size > MAX_TEXT_BYTES:
        raise PrototxtError(f"the file has {size} bytes; a text of more than {MAX_TEXT_BYTES} is not read. Store weights in binary form", name)
    with open(path, "rb") as f:
        data = f.read(MAX_TEXT_BYTES)
    # comments in any encoding are common, and only strings are ever looked at
    return parse_message(data.decode("utf-8-sig", "surrogateescape"), kind, name, allow_unknown_fields)


def parse_message(text: str, kind: Any, source: str = "<text>", allow_unknown_fields: bool | None = None) -> NetFile:
    """Text → message.

    Parameters
    ----------
    text : str
    kind : message class
    source : str
        Stands in errors.
    allow_unknown_fields : bool, optional
        See `read_net`.

    Returns
    -------
    NetFile

    Raises
    ------
    PrototxtError
        With the line.
    """
    parser = _Parser(Tokens(text, source))
    message = kind()
    parser.fields(message, END, "")
    allowed = os.environ.get(_SWITCH, "") == "keep" if allow_unknown_fields is None else allow_unknown_fields
    if parser.unknown and not allowed:
        raise _refusal(parser.unknown, source)
    return NetFile(message, parser.unknown, source)


def format_message(message: Any) -> str:
    """A message as prototxt."""
    return _protobuf.MessageToString(message)


def _refusal(unknown: list[UnknownField], source: str) -> UnknownFieldError:
    shown = "; ".join(str(u) for u in unknown[:10])
    more = f"; and {len(unknown) - 10} more" if len(unknown) > 10 else ""
    how = f"correct the name, or keep such fields (ignored when the net runs) with allow_unknown_fields=True or {_SWITCH}=keep"
    first = unknown[0]
    rest = "" if len(unknown) == 1 else f" All {len(unknown)}: {shown}{more}."
    hint = f" (closest known: '{first.closest}')" if first.closest else ""
    return UnknownFieldError(f"{first.message} has no field named '{first.name}'{hint}; {how}.{rest}", source, first.line)


class _Parser:
    """Recursive descent over the tokens of one text. No message of the schema holds itself, so the schema bounds the depth."""

    def __init__(self, tokens: Tokens):
        self.tokens = tokens
        self.unknown: list[UnknownField] = []

    def fields(self, message: Any, close: str, path: str) -> None:
        """The fields of a message up to `close`, which is skipped."""
        tokens = self.tokens
        opened = tokens.previous_end
        known = message.DESCRIPTOR.fields_by_name
        while not (tokens.kind == END and close == END or tokens.kind == "mark" and tokens.value == close):
            if tokens.kind != "name":
                self._no_field(message, close, opened)
            name, start = tokens.value, tokens.start
            tokens.advance()
            descriptor = known.get(name) or known.get(ALIASES.get((message.DESCRIPTOR.name, name), ""))
            if descriptor is None:
                self._unknown(message, name, start, path)
            elif descriptor.type == F.TYPE_MESSAGE:
                self._messages(message, descriptor, f"{path}{name}", start)
            else:
                self._scalars(message, descriptor, start)
            if tokens.kind == "mark" and tokens.value in ";,":
                tokens.advance()
        if close != END:
            tokens.advance()
        self._required(message, opened)

    def _no_field(self, message: Any, close: str, opened: int) -> None:
        tokens = self.tokens
        if tokens.kind == END:
            raise tokens.error(f"the file ends inside a {message.DESCRIPTOR.name} opened in line {tokens.line(opened)}; a '{close}' is missing")
        raise tokens.error(f"expected the name of a field of {message.DESCRIPTOR.name}, met {tokens.met()}")

    def _required(self, message: Any, opened: int) -> None:
        for descriptor in _required_fields(message.DESCRIPTOR):
            if not message.HasField(descriptor.name):
                raise self.tokens.error(f"{message.DESCRIPTOR.name} must have the field '{descriptor.name}', which is missing", opened)

    def _messages(self, message: Any, descriptor: Any, path: str, start: int) -> None:
        tokens = self.tokens
        tokens.take(":")
        listed = tokens.take("[")
        if listed and not repeats(descriptor):
            raise tokens.error(f"a list is given for '{descriptor.name}' of {message.DESCRIPTOR.name}, which takes one block")
        while not (listed and tokens.take("]")):
            opener = tokens.value if tokens.kind == "mark" else ""
            if opener not in ("{", "<"):
                raise tokens.error(f"the field '{descriptor.name}' of {message.DESCRIPTOR.name} is a block; expected '{{', met {tokens.met()}")
            tokens.advance()
            if repeats(descriptor):
                children = getattr(message, descriptor.name)
                self.fields(children.add(), _PAIRS[opener], f"{path}[{len(children) - 1}].")
            else:
                self._once(message, descriptor, start)
                child = getattr(message, descriptor.name)
                child.SetInParent()
                self.fields(child, _PAIRS[opener], path + ".")
            if not listed:
                return
            if not tokens.take(",") and tokens.value != "]":
                raise tokens.error(f"expected ',' or ']' in the list of '{descriptor.name}', met {tokens.met()}")

    def _scalars(self, message: Any, descriptor: Any, start: int) -> None:
        tokens = self.tokens
        if not tokens.take(":"):
            raise tokens.error(f"the field '{descriptor.name}' of {message.DESCRIPTOR.name} is a value; expected ':', met {tokens.met()}")
        if not repeats(descriptor):
            self._once(message, descriptor, start)
            setattr(message, descriptor.name, scalar(tokens, descriptor))
            return
        values = getattr(message, descriptor.name)
        if not tokens.take("["):
            values.append(scalar(tokens, descriptor))
            return
        while not tokens.take("]"):
            values.append(scalar(tokens, descriptor))
            if not tokens.take(",") and tokens.value != "]":
                raise tokens.error(f"expected ',' or ']' in the list of '{descriptor.name}', met {tokens.met()}")

    def _once(self, message: Any, descriptor: Any, start: int) -> None:
        if message.HasField(descriptor.name):
            raise self.tokens.error(f"the field '{descriptor.name}' of {message.DESCRIPTOR.name} is given twice; it takes one value", start)

    def _unknown(self, message: Any, name: str, start: int, path: str) -> None:
        tokens = self.tokens
        self._skip_value(name)
        kind = message.DESCRIPTOR
        found = difflib.get_close_matches(name, list(kind.fields_by_name), n=1, cutoff=0.6)
        text = tokens.text[start:tokens.previous_end]
        self.unknown.append(UnknownField(path + name, name, kind.name, tokens.line(start), text, found[0] if found else ""))

    def _skip_value(self, name: str) -> None:
        tokens = self.tokens
        colon = tokens.take(":")
        if tokens.kind == "mark" and tokens.value in _PAIRS:
            self._skip_block()
            return
        if not colon:
            raise tokens.error(f"expected ':' or '{{' after '{name}', met {tokens.met()}")
        tokens.take("-")
        if tokens.kind not in ("name", "number", "string"):
            raise tokens.error(f"expected a value for '{name}', met {tokens.met()}")
        string = tokens.kind == "string"
        tokens.advance()
        while string and tokens.kind == "string":
            tokens.advance()

    def _skip_block(self) -> None:
        tokens = self.tokens
        open_marks: list[str] = []
        while True:
            if tokens.kind == END:
                raise tokens.error(f"the file ends inside a block; a '{_PAIRS[open_marks[-1]]}' is missing")
            if tokens.kind == "mark" and tokens.value in _PAIRS:
                open_marks.append(tokens.value)
            elif tokens.kind == "mark" and tokens.value in _PAIRS.values():
                if tokens.value != _PAIRS[open_marks[-1]]:
                    raise tokens.error(f"expected '{_PAIRS[open_marks[-1]]}', met {tokens.met()}")
                open_marks.pop()
            tokens.advance()
            if not open_marks:
                return


_required: dict[str, list[Any]] = {}


def _required_fields(descriptor: Any) -> list[Any]:
    known = _required.get(descriptor.full_name)
    if known is None:
        empty = caffe_pb2.__dict__[descriptor.name]()
        names = {name.split(".")[0] for name in empty.FindInitializationErrors()}
        known = _required[descriptor.full_name] = [f for f in descriptor.fields if f.name in names]
    return known
