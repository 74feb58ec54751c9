"""Compile proto/caffe.proto to the descriptor set that the package loads (needs grpcio-tools: `pip install -e .[schema]`).

Beside pycaffe_acc/proto/caffe.desc it writes the source's SHA-256, so that a test without a compiler sees when somebody forgot to run this.
"""
from __future__ import annotations

import hashlib
import sys
import tempfile
from importlib import resources
from pathlib import Path

from google.protobuf import descriptor_pb2
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "proto" / "caffe.proto"
TARGET = ROOT / "pycaffe_acc" / "proto" / "caffe.desc"
STAMP = TARGET.with_suffix(".sha256")


def json_name(name: str) -> str:
    """The JSON name that protobuf gives a field by itself: camel case."""
    result, upper = "", False
    for c in name:
        if c == "_":
            upper = True
        else:
            result += c.upper() if upper else c
            upper = False
    return result


def drop_json_names(messages: list[descriptor_pb2.DescriptorProto]) -> None:
    """Remove derived JSON names: a third of the file's size, and not every compiler writes them."""
    for message in messages:
        for field in message.field:
            if field.json_name == json_name(field.name):
                field.ClearField("json_name")
        drop_json_names(list(message.nested_type))


def compile_schema(source: Path) -> bytes:
    """The serialized FileDescriptorSet of a schema.

    Raises
    ------
    ValueError
        When the source does not compile; the compiler has printed why.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set.desc"
        include = resources.files("grpc_tools") / "_proto"
        status = protoc.main(["protoc", f"-I{source.parent}", f"-I{include}", f"--descriptor_set_out={out}", str(source)])
        if status:
            raise ValueError(f"{source} does not compile (status {status})")
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    for file in files.file:
        drop_json_names(list(file.message_type))
    return files.SerializeToString(deterministic=True)


def main() -> int:
    """Write the descriptor set and the stamp."""
    data = compile_schema(SOURCE)
    TARGET.write_bytes(data)
    STAMP.write_text(hashlib.sha256(SOURCE.read_bytes()).hexdigest() + "\n", encoding="ascii")
    print(f"{TARGET.relative_to(ROOT)}: {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
