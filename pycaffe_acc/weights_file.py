"""Weight files: .caffemodel of every generation, and HDF5."""
from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from google.protobuf.message import DecodeError

from cnrt.whole_file import whole_file
from pycaffe_acc import wire
from pycaffe_acc.blob_proto import StoredBlob, decode_blob, encode_blob
from pycaffe_acc.errors import BinaryProtoError, MissingFileError, WeightsError
from pycaffe_acc.hdf5_weights import is_hdf5, stored_hdf5_layers
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.text_values import repeats

#: protobuf's limit, and therefore Caffe's
MAX_BYTES = 2**31 - 1
_NET_LAYER, _NET_V1 = 100, 2


class AnyBlob(Protocol):
    """A blob in a file, not yet read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """As stored."""

    @property
    def is_legacy(self) -> bool:
        """Whether the shape is the four old extents."""

    @property
    def is_raw(self) -> bool:
        """Whether NVCaffe wrote it."""

    def array(self) -> np.ndarray:
        """The values, float32."""


@dataclass
class StoredLayer:
    """A layer in a weight file.

    Attributes
    ----------
    name, type : str
    blobs : list
        StoredBlob or HDF5Blob; None for one that another layer holds.
    partial : bool
        Blobs may be missing, since those that layers share are stored once (HDF5).
    """

    name: str
    type: str
    blobs: list[Any]
    partial: bool = False


@dataclass
class Weights:
    """What a weight file holds, in the order of the file; a name may stand there twice.

    Attributes
    ----------
    layers : list of StoredLayer
    source : str
    """

    layers: list[StoredLayer]
    source: str = "<message>"


def read_weights(source: Any) -> Weights:
    """Open weights without reading the arrays into objects.

    Parameters
    ----------
    source : str, Path, bytes, NetParameter or Weights
        A .caffemodel (V0, V1, V2) or HDF5 file, told apart by contents; or the contents of a .caffemodel.

    Returns
    -------
    Weights

    Raises
    ------
    MissingFileError, WeightsError
    """
    if isinstance(source, Weights):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _read_file(os.fspath(source))
    if isinstance(source, bytes):
        return _decode(source, "<bytes>")
    if getattr(getattr(source, "DESCRIPTOR", None), "full_name", "") == "caffe.NetParameter":
        return Weights(list(_layers(memoryview(source.SerializeToString()))), f"net '{source.name}'")
    raise WeightsError(f"weights must be a file name or a NetParameter, not a {type(source).__name__}")


def _read_file(path: str) -> Weights:
    data = _contents(path)
    if is_hdf5(data[:8]):
        return Weights([StoredLayer(name, "", list(blobs), partial=True) for name, blobs in stored_hdf5_layers(path)], path)
    return _decode(data, path)


def _decode(data: bytes, path: str) -> Weights:
    try:
        layers = list(_layers(memoryview(data)))
    except BinaryProtoError as e:
        raise WeightsError(f"{path}: {e}{_guess(data)}") from e
    if not layers:
        raise WeightsError(f"{path}: holds no layer, so it is no weight file{_guess(data)}")
    return Weights(layers, path)


def _contents(path: str) -> bytes:
    if not os.path.isfile(path):
        raise MissingFileError(path, "weight file")
    with open(path, "rb") as f:
        start = f.read(8)
        if is_hdf5(start):
            return start
        size = os.fstat(f.fileno()).st_size
        if size > MAX_BYTES:
            raise WeightsError(f"{path}: has {size} bytes; protobuf messages end at {MAX_BYTES}. Save large weights as HDF5")
        if size == 0:
            raise WeightsError(f"{path}: is empty")
        # read, not mapped: another process that shortens a mapped file kills this one
        f.seek(0)
        return f.read(size)


def _guess(data: bytes) -> str:
    start = data[:200].lstrip()
    if start.startswith(b"version https://git-lfs"):
        return "; it is a Git LFS pointer: fetch the file itself with `git lfs pull`"
    if start.startswith((b"<", b"{")):
        return "; it looks like a web page or JSON, perhaps from a failed download"
    if start.startswith((b"name:", b"layer", b"#", b"input")):
        return "; it looks like a prototxt. Perhaps the two files are swapped"
    if start.startswith((b"\xfd7zXZ", b"\x1f\x8b", b"PK\x03\x04")):
        return "; it looks like a compressed file: unpack it first"
    return ""


def _layers(data: memoryview) -> Iterator[StoredLayer]:
    for number, kind, value in wire.fields(data):
        if isinstance(value, int) or kind != wire.BYTES:
            continue
        if number == _NET_LAYER:
            yield _v2(value)
        elif number == _NET_V1:
            yield _v1(value)


def _text(value: memoryview) -> str:
    return bytes(value).decode("utf-8", "replace")


def _v2(data: memoryview) -> StoredLayer:
    layer = StoredLayer("", "", [])
    for number, kind, value in wire.fields(data):
        if isinstance(value, int) or kind != wire.BYTES:
            continue
        if number == 1:
            layer.name = _text(value)
        elif number == 2:
            layer.type = _text(value)
        elif number == 7:
            layer.blobs.append(decode_blob(value))
    return layer


def _v1(data: memoryview) -> StoredLayer:
    layer = StoredLayer("", "", [])
    for number, kind, value in wire.fields(data):
        if isinstance(value, int) or kind != wire.BYTES:
            continue
        if number == 4:
            layer.name = _text(value)
        elif number == 6:
            layer.blobs.append(decode_blob(value))
        elif number == 1:
            _v0(value, layer)
    return layer


def _v0(data: memoryview, layer: StoredLayer) -> None:
    for number, kind, value in wire.fields(data):
        if isinstance(value, int) or kind != wire.BYTES:
            continue
        if number == 1:
            layer.name = _text(value)
        elif number == 50:
            layer.blobs.append(decode_blob(value))


def read_caffemodel(path: str | os.PathLike[str]) -> Any:
    """A binary NetParameter with everything in it.

    To load weights into a net use `read_weights`, which does not make objects of the arrays.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    NetParameter
        As stored; see `upgrade_net`.

    Raises
    ------
    MissingFileError, WeightsError
    """
    data = _contents(os.fspath(path))
    if is_hdf5(data[:8]):
        raise WeightsError(f"{os.fspath(path)}: is an HDF5 file, which holds arrays and no net; use read_weights")
    try:
        message = caffe_pb2.NetParameter.FromString(data)
        _check_text(message)
    except (DecodeError, UnicodeDecodeError) as e:
        raise WeightsError(f"{os.fspath(path)}: is no binary NetParameter ({e}){_guess(data)}") from e
    return message


def _check_text(message: Any) -> None:
    """Look at every string: protobuf decodes them only when asked, which would be somewhere far from here, and then gives bytes for what is no
    UTF-8.
    """
    for descriptor, value in message.ListFields():
        values = value if repeats(descriptor) else (value,)
        if descriptor.type == descriptor.TYPE_STRING:
            for text in values:
                if isinstance(text, bytes):
                    raise DecodeError(f"the {descriptor.name} {text[:40]!r} of a {descriptor.containing_type.name} is not UTF-8")
        elif descriptor.message_type is not None and descriptor.message_type.name != "BlobProto":
            for child in values:
                _check_text(child)


def save_caffemodel(path: str | os.PathLike[str], layers: Iterable[Any], message: Any) -> None:
    """Write a .caffemodel; it has the name only when it is whole.

    Parameters
    ----------
    path : str or Path
    layers : iterable
        Objects with `name` and `blobs` (objects with `array`): the weights.
    message : NetParameter
        The net; its layers' own blobs are replaced by those of the layer of the same name.

    Raises
    ------
    WeightsError
        For more than protobuf's two gigabytes.
    OSError
    """
    by_name: dict[str, list[Any]] = {}
    for layer in layers:
        by_name.setdefault(layer.name, list(layer.blobs))
    top = caffe_pb2.NetParameter()
    for descriptor, value in message.ListFields():
        if descriptor.name not in ("layer", "layers"):
            _copy_field(top, descriptor, value)
    total = 0
    with whole_file(path) as part, open(part, "wb") as f:
        for piece in _net_pieces(top, message, by_name):
            total += len(piece)
            if total > MAX_BYTES:
                raise WeightsError(f"{os.fspath(path)}: the weights need more than {MAX_BYTES} bytes, protobuf's limit; save them with save_hdf5")
            f.write(piece)


def _copy_field(target: Any, descriptor: Any, value: Any) -> None:
    place = getattr(target, descriptor.name)
    if hasattr(place, "MergeFrom"):
        place.MergeFrom(value)
    else:
        setattr(target, descriptor.name, value)


def _net_pieces(top: Any, message: Any, by_name: dict[str, list[Any]]) -> Iterator[Any]:
    yield top.SerializeToString()
    for layer in message.layer:
        bare = caffe_pb2.LayerParameter()
        for descriptor, value in layer.ListFields():
            if descriptor.name != "blobs":
                _copy_field(bare, descriptor, value)
        pieces: list[Any] = [bare.SerializeToString()]
        for blob in by_name.get(layer.name, ()):
            encoded = encode_blob(np.asarray(blob.array))
            pieces.append(wire.header(7, sum(len(p) for p in encoded)))
            pieces += encoded
        yield wire.header(_NET_LAYER, sum(len(p) for p in pieces))
        yield from pieces


def write_binary(path: str | os.PathLike[str], message: Any) -> None:
    """Write a message in binary form, whole or not at all."""
    with whole_file(path) as part:
        Path(part).write_bytes(message.SerializeToString())


__all__ = ["MAX_BYTES", "StoredBlob", "StoredLayer", "Weights", "read_caffemodel", "read_weights", "save_caffemodel", "write_binary"]
