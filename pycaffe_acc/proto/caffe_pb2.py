"""What protoc would generate for Caffe, made at import from the descriptor set, for any protobuf from 4.25 on.

Generated code is tied to the protobuf version that made it and registers its types in the process-wide pool, where a second `caffe.proto` (another
Caffe, OpenCV's bindings, a converter) is an error. Here the types live in a pool of their own; two Caffes in one process do not meet.

`NetParameter`, `LayerParameter` … are message classes, `Phase`, `Engine` … enum wrappers, `TRAIN`, `TEST`, `MLU` … enum values.
"""
from __future__ import annotations

from importlib import resources
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

__all__ = ["DESCRIPTOR", "POOL"]


def _load(pool: descriptor_pool.DescriptorPool) -> Any:
    data = resources.files("pycaffe_acc.proto").joinpath("caffe.desc").read_bytes()
    files = descriptor_pb2.FileDescriptorSet.FromString(data)
    for file in files.file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool.FindFileByName(files.file[-1].name)


def _export(file: Any, names: dict[str, Any]) -> None:
    for name, message in file.message_types_by_name.items():
        names[name] = message_factory.GetMessageClass(message)
        __all__.append(name)
    for name, enum in file.enum_types_by_name.items():
        names[name] = EnumTypeWrapper(enum)
        __all__.append(name)
        for value in enum.values:
            names[value.name] = value.number
            __all__.append(value.name)


#: the pool that holds these types and nothing else
POOL = descriptor_pool.DescriptorPool()
DESCRIPTOR = _load(POOL)
_export(DESCRIPTOR, globals())


def __getattr__(name: str) -> Any:
    """Say what is missing; the names above are found before this is asked. It also tells type checkers that there are names they cannot see."""
    raise AttributeError(f"the schema of Caffe has no message, enum or value '{name}'")
