"""Nets written in Python: `n.conv1 = L.Convolution(n.data, kernel_size=3, num_output=8)`, then `n.to_proto()`."""
from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2


class UnknownParameterError(CheckError, AttributeError):
    """A keyword that names no field of the layer's parameters."""


class NotATopError(CheckError, TypeError):
    """Something other than a layer's output was used as one."""


def param_name_dict() -> dict[str, str]:
    """Layer type → name of its parameter field without `_param`: {"Convolution": "convolution", "InnerProduct": "inner_product", …}."""
    names: dict[str, str] = {}
    for field in caffe_pb2.LayerParameter.DESCRIPTOR.fields:
        message = field.message_type
        if message is not None and field.name.endswith("_param") and message.name.endswith("Parameter"):
            names.setdefault(message.name.removesuffix("Parameter"), field.name.removesuffix("_param"))
    return names


def to_proto(*tops: Top | Function) -> Any:
    """The NetParameter of everything that the given tops need, with automatic names.

    Parameters
    ----------
    *tops : Top
        Or Function, for layers without tops.

    Returns
    -------
    NetParameter
    """
    return _net_of(tops, {})


def _net_of(tops: Iterable[Any], names: dict[Any, str]) -> Any:
    layers: OrderedDict[Function, Any] = OrderedDict()
    autonames: Counter[str] = Counter()
    for top in tops:
        if not isinstance(top, (Top, Function)):
            raise NotATopError(f"to_proto: {names.get(top, 'an entry')} is a {type(top).__name__}; every entry must be the result of a layer call "
                               "(of one with ntop > 1, unpack the tuple)")
        top._to_proto(layers, names, autonames)
    net = caffe_pb2.NetParameter()
    net.layer.extend(layers.values())
    return net


def assign_proto(proto: Any, name: str, val: Any) -> None:
    """Set a field from Python values.

    Dicts fill messages, lists of dicts add messages, lists, tuples and arrays fill repeated fields, one value of a repeated field stands for a
    list of one, strings name enum values.

    Parameters
    ----------
    proto : message
    name : str
    val : object

    Raises
    ------
    UnknownParameterError
        When the message has no such field.
    """
    descriptor = proto.DESCRIPTOR.fields_by_name.get(name)
    if descriptor is None:
        raise UnknownParameterError(f"{proto.DESCRIPTOR.name} has no field '{name}'; it has {', '.join(f.name for f in proto.DESCRIPTOR.fields)}")
    if isinstance(val, (np.ndarray, np.generic)):
        val = val.tolist()
    field = getattr(proto, name)
    if hasattr(field, "extend"):
        for item in val if isinstance(val, (list, tuple)) else [val]:
            if isinstance(item, dict):
                _fill(field.add(), item)
            else:
                field.extend([item]) if descriptor.message_type else field.append(_scalar(descriptor, item))
    elif isinstance(val, dict):
        # an empty dict makes the field present, as filling it would
        field.SetInParent()
        _fill(field, val)
    elif descriptor.message_type is not None and hasattr(val, "DESCRIPTOR"):
        field.CopyFrom(val)
    else:
        setattr(proto, name, _scalar(descriptor, val))


def _fill(message: Any, values: dict[str, Any]) -> None:
    for key, value in values.items():
        assign_proto(message, key, value)


def _scalar(descriptor: Any, value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if descriptor.enum_type is not None and isinstance(value, str):
        known = descriptor.enum_type.values_by_name
        if value not in known:
            raise UnknownParameterError(f"{descriptor.full_name} has no value '{value}'; it has {', '.join(known)}")
        return known[value].number
    return value


class Top:
    """One output of a layer.

    Attributes
    ----------
    fn : Function
    n : int
    """

    def __init__(self, fn: Function, n: int):
        self.fn = fn
        self.n = n

    def to_proto(self) -> Any:
        """The NetParameter of everything this top needs."""
        return to_proto(self)

    def _to_proto(self, layers: OrderedDict[Function, Any], names: dict[Any, str], autonames: Counter[str]) -> None:
        self.fn._to_proto(layers, names, autonames)


class Function:
    """One layer: its type, its bottoms (Tops) and its parameters.

    Parameters
    ----------
    type_name : str
    inputs : sequence of Top
    params : dict
        Fields of the layer's own parameter message or of LayerParameter; `ntop` (number of tops, default 1) and `in_place` are taken out.

    Raises
    ------
    NotATopError
        When an input is no Top.
    """

    def __init__(self, type_name: str, inputs: tuple[Any, ...], params: dict[str, Any]):
        self.type_name = type_name
        for index, given in enumerate(inputs):
            if not isinstance(given, Top):
                raise NotATopError(f"{type_name} input {index} is not a Top (type is {type(given).__name__}); pass the results of other layer calls")
        self.inputs = inputs
        self.params = dict(params)
        self.ntop = int(self.params.pop("ntop", 1))
        self.in_place = bool(self.params.pop("in_place", False))
        self.tops = tuple(Top(self, n) for n in range(self.ntop))

    def to_proto(self) -> Any:
        """The NetParameter of this layer and everything it needs."""
        return to_proto(self)

    def _autoname(self, autonames: Counter[str]) -> str:
        autonames[self.type_name] += 1
        return f"{self.type_name}{autonames[self.type_name]}"

    def _top_name(self, top: Top, names: dict[Any, str], autonames: Counter[str]) -> str:
        if top not in names:
            names[top] = self._autoname(autonames)
        return names[top]

    def _name(self, names: dict[Any, str], autonames: Counter[str]) -> str:
        if self not in names:
            names[self] = self._top_name(self.tops[0], names, autonames) if self.tops else self._autoname(autonames)
        return names[self]

    def _to_proto(self, layers: OrderedDict[Function, Any], names: dict[Any, str], autonames: Counter[str]) -> None:
        # depth first without recursion: a chain of layers can be longer than Python's stack
        stack = [self]
        while stack:
            fn = stack[-1]
            missing = next((i.fn for i in fn.inputs if i.fn not in layers), None)
            if fn in layers:
                stack.pop()
            elif missing is not None:
                stack.append(missing)
            else:
                layers[stack.pop()] = fn._layer(layers, names, autonames)

    def _layer(self, layers: OrderedDict[Function, Any], names: dict[Any, str], autonames: Counter[str]) -> Any:
        layer = caffe_pb2.LayerParameter()
        layer.type = self.type_name
        layer.bottom.extend(layers[i.fn].top[i.n] for i in self.inputs)
        layer.top.extend(layer.bottom if self.in_place else [self._top_name(top, names, autonames) for top in self.tops])
        layer.name = self._name(names, autonames)
        for key, value in self.params.items():
            assign_proto(self._owner(layer, key), key, value)
        return layer

    def _owner(self, layer: Any, key: str) -> Any:
        """The message that a keyword is a field of: the layer's own parameters when they have it, else the layer."""
        own = _param_names.get(self.type_name)
        if not key.endswith("param") and own is not None:
            message = getattr(layer, own + "_param")
            if key in message.DESCRIPTOR.fields_by_name:
                return message
        if key not in layer.DESCRIPTOR.fields_by_name:
            fields = ", ".join(f.name for f in getattr(layer, own + "_param").DESCRIPTOR.fields) if own else "none of its own"
            raise UnknownParameterError(f"layer type {self.type_name} has no parameter '{key}'; its parameters are: {fields}; "
                                        "those of other messages go in as dicts, like loss_param=dict(ignore_label=255)")
        return layer


class NetSpec:
    """A net under construction: attributes are tops, their names become blob and layer names.

    `n.data = L.Input(...)`, `n["conv1"] = …`, `del n["conv1"]`, `n.to_proto()`.
    """

    tops: OrderedDict[str, Any]

    def __init__(self) -> None:
        super().__setattr__("tops", OrderedDict())

    def __setattr__(self, name: str, value: Any) -> None:
        self.tops[name] = value

    def __getattr__(self, name: str) -> Any:
        tops = self.__dict__.get("tops", {})
        if name not in tops:
            raise AttributeError(f"the net has no top '{name}'; it has {', '.join(tops) or 'none'}")
        return tops[name]

    def __setitem__(self, key: str, value: Any) -> None:
        self.tops[key] = value

    def __getitem__(self, item: str) -> Any:
        return self.tops[item]

    def __delitem__(self, name: str) -> None:
        del self.tops[name]

    def __contains__(self, name: str) -> bool:
        return name in self.tops

    def to_proto(self) -> Any:
        """The net as a NetParameter.

        Returns
        -------
        NetParameter

        Raises
        ------
        UnknownParameterError, NotATopError
        """
        names: dict[Any, str] = {}
        for name, top in self.tops.items():
            try:
                names[top] = name
            except TypeError as e:
                raise NotATopError(f"to_proto: '{name}' is a {type(top).__name__}; it must be the result of a layer call") from e
        return _net_of(self.tops.values(), names)


class Layers:
    """`layers` (usually imported as L): every attribute is a layer type, calling it makes a layer and returns its top, or tops."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def layer_fn(*args: Any, **kwargs: Any) -> Any:
            fn = Function(name, args, kwargs)
            return fn if fn.ntop == 0 else fn.tops[0] if fn.ntop == 1 else fn.tops

        layer_fn.__name__ = name
        return layer_fn


class Parameters:
    """`params` (usually imported as P): `P.Pooling.MAX` is the enum value of PoolingParameter."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        message = getattr(caffe_pb2, name + "Parameter", None)
        if message is None:
            raise UnknownParameterError(f"the schema has no {name}Parameter")
        return message


_param_names = param_name_dict()

layers = Layers()
params = Parameters()
