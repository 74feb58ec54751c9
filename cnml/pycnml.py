"""The `pycnml` of the computing-systems course: a net built layer by layer, quantized to INT8, run on the virtual card.

    import cnml.pycnml as pycnml

    net = pycnml.CnmlNet(16)
    net.setInputShape(1, 784, 1, 1)
    net.createMlpLayer("fc1", 10, input_param)       # from QuantTool.getQuantParam, or pycnml.QuantParam(position, scale)
    net.createSoftmaxLayer("softmax", 1)
    net.loadParams(0, weights, bias, filter_param)   # flat lists or arrays: (outputs, inputs) or (outputs, inputs, height, width)
    net.setInputData(data)
    net.forward()
    net.getOutputData()

Convolutions and MLP layers compute on codes of eight bits, all values between layers are halves, as on the card. Input and output are float32.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from cnml.api.enums import CoreVersion, member
from cnml.codes import Codes, LayerCodes
from cnml.errors import CnmlError
from cnml.executable import Executable
from cnml.graph import Graph
from cnml.operator import Operator
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.inner_product import InnerProduct
from cnml.ops.pool import Pool
from cnml.ops.softmax import Softmax
from cnml.ops.unary import Unary
from cnml.ops.view import View
from cnml.parameter import Parameter
from cnml.quantization import QuantParam as CnmlQuantParam
from cnml.quantization import position_of, scale_of
from cnml.tensor import Shape, Tensor
from cnrt import device as devices
from cnrt.queue import Queue

#: kind of card that a core version means
_KINDS = {CoreVersion.MLU100: "MLU100", CoreVersion.MLU270: "MLU270"}


@dataclass
class QuantParam:
    """What one unit of a quantized tensor is worth: 2**position / scale.

    Attributes
    ----------
    position : int
    scale : float
    """

    position: int = 1
    scale: float = 1.0


class QuantTool:
    """Quantization parameters from data."""

    def __init__(self) -> None:
        self._largest: dict[str, float] = {}

    def getQuantParam(self, input_data: Sequence[float] | np.ndarray, layer_name: str) -> QuantParam:
        """Position and scale with which the largest magnitude seen so far under a layer's name becomes 127.

        Parameters
        ----------
        input_data : sequence of float
        layer_name : str

        Raises
        ------
        CnmlError
            For data without a value, or with one that is not finite.
        """
        values = np.asarray(input_data, np.float64).reshape(-1)
        if not values.size or not np.isfinite(values).all():
            raise CnmlError(f"failed to quantize layer '{layer_name}' by {values.size} values: there must be some, all finite")
        largest = max(self._largest.get(layer_name, 0.0), float(np.abs(values).max()))
        position = position_of(largest)
        self._largest[layer_name] = largest
        return QuantParam(position, scale_of(largest, position))


@dataclass
class _Layer:
    """A layer as it was created: its operator for the parameters loaded, and its shapes.

    `make` gets how the weights are quantized; it makes the operator.
    """

    name: str
    inputs: Shape
    outputs: Shape
    make: Callable[[CnmlQuantParam | None], Operator]
    weights: Shape | None = None
    parameters: list[Parameter] = field(default_factory=list)
    quant: CnmlQuantParam | None = None


class CnmlNet:
    """A chain of layers.

    Parameters
    ----------
    core_num : int
        Cores of the card that one forward uses.
    core_version : int
        3 (MLU100) or 5 (MLU270).

    Raises
    ------
    CnmlError
        For another core version.
    CnrtError
        INVALID for more cores than the card has.
    """

    def __init__(self, core_num: int = 1, core_version: int = CoreVersion.MLU270):
        version = member(CoreVersion, core_version)
        if version not in _KINDS:
            raise CnmlError(f"failed to make a net for the core version {version.name}: it must be MLU100 ({int(CoreVersion.MLU100)}) or MLU270 "
                            f"({int(CoreVersion.MLU270)})")
        self._device = devices.get(_KINDS[version])  # type: ignore[index]
        self._device.check_cores(core_num)
        self._cores = int(core_num)
        self._shape: Shape | None = None
        self._layers: list[_Layer] = []
        self._data: np.ndarray | None = None
        self._result: np.ndarray | None = None
        self._compiled: tuple[Executable, np.ndarray, Tensor] | None = None
        self._queue = Queue(self._device)

    # ---- building -------------------------------------------------------------------------------------------------------------------------

    def setInputShape(self, dim_1: int, dim_2: int, dim_3: int, dim_4: int) -> None:
        """N, C, H, W of the input; before the first layer.

        Raises
        ------
        CnmlError
            For an extent that is not positive, or behind the first layer.
        """
        shape = (int(dim_1), int(dim_2), int(dim_3), int(dim_4))
        if min(shape) < 1:
            raise CnmlError(f"failed to set the input shape {shape}: extents must be positive")
        if self._layers:
            raise CnmlError(f"failed to set the input shape {shape}: there are {len(self._layers)} layers already; set it before the first")
        self._shape, self._data = shape, None

    def createConvLayer(self, layer_name: str, out_channel: int, kernel_size: int, stride: int, dilation: int, pad: int,
                        quant_param: QuantParam) -> None:
        """A convolution; `pad` on each side, `quant_param` for its input."""
        channels, codes = self._current(layer_name)[1], self._codes(layer_name, quant_param)
        weights = (int(out_channel), channels, int(kernel_size), int(kernel_size))
        geometry = ConvolutionGeometry(weights[0], weights[2:], (stride, stride), (pad, pad), (pad, pad), (dilation, dilation))
        self._positive(layer_name, out_channel=out_channel, kernel_size=kernel_size, stride=stride, dilation=dilation)
        self._append(layer_name, lambda quant: Convolution(geometry, layer_name, int8=_layer_codes(codes, quant)), weights)

    def createMlpLayer(self, layer_name: str, output_num: int, quant_param: QuantParam) -> None:
        """A product with a matrix; the result is (N, output_num, 1, 1)."""
        row, codes = prod(self._current(layer_name)[1:]), self._codes(layer_name, quant_param)
        self._positive(layer_name, output_num=output_num)
        weights = (int(output_num), row)
        self._append(layer_name, lambda quant: InnerProduct(weights[0], name=layer_name, int8=_layer_codes(codes, quant)), weights)

    def createReLuLayer(self, layer_name: str) -> None:
        """max(x, 0)."""
        self._append(layer_name, lambda quant: Unary("relu", 0, name=layer_name))

    def createSoftmaxLayer(self, layer_name: str, axis: int) -> None:
        """Softmax along an axis of N, C, H, W."""
        if not 0 <= axis < 4:
            raise CnmlError(f"failed to create the softmax layer '{layer_name}' along axis {axis}: it must be 0 to 3")
        self._append(layer_name, lambda quant: Softmax(int(axis), layer_name))

    def createPoolingLayer(self, layer_name: str, kernel_size: int, stride: int) -> None:
        """Maxima of windows that fit into the image."""
        self._positive(layer_name, kernel_size=kernel_size, stride=stride)
        self._append(layer_name, lambda quant: Pool("MAX", (kernel_size, kernel_size), (stride, stride), ceil=False, name=layer_name))

    def createFlattenLayer(self, layer_name: str, output_shape: Sequence[int]) -> None:
        """The same values in another shape of four extents."""
        shape = tuple(int(d) for d in output_shape)
        if len(shape) != 4:
            raise CnmlError(f"failed to create the flatten layer '{layer_name}' with the shape {shape}: it must have four extents")
        self._append(layer_name, lambda quant: View(shape, layer_name))

    def _current(self, name: str) -> Shape:
        if self._shape is None:
            raise CnmlError(f"failed to create layer '{name}': call setInputShape first")
        return self._layers[-1].outputs if self._layers else self._shape

    def _codes(self, name: str, param: QuantParam) -> Codes:
        return Codes.of(_checked(name, param))

    def _positive(self, name: str, **numbers: int) -> None:
        for what, value in numbers.items():
            if value < 1:
                raise CnmlError(f"failed to create layer '{name}' with {what} {value}: it must be positive")

    def _append(self, name: str, make: Callable[[CnmlQuantParam | None], Operator], weights: Shape | None = None) -> None:
        given = self._current(name)
        parameters = [] if weights is None else [Parameter(weights, f"{name}/0"), Parameter((weights[0],), f"{name}/1")]
        out, = make(None).reshape([given], [p.shape for p in parameters])
        self._layers.append(_Layer(name, given, (*out, 1, 1)[:4], make, weights, parameters))
        self._compiled = None

    # ---- parameters and data --------------------------------------------------------------------------------------------------------------

    def loadParams(self, layer_id: int, filter_data: Sequence[float] | np.ndarray, bias_data: Sequence[float] | np.ndarray,
                   quant_param: QuantParam) -> None:
        """Weights and bias of a convolution or MLP layer.

        Parameters
        ----------
        layer_id : int
        filter_data, bias_data : sequence of float
            Flat: (outputs, inputs, height, width) or (outputs, inputs), and (outputs).
        quant_param : QuantParam
            For the weights.

        Raises
        ------
        CnmlError
            For a layer without parameters, or another number of values.
        """
        layer = self._layer(layer_id)
        if layer.weights is None:
            raise CnmlError(f"failed to load parameters into layer {layer_id} '{layer.name}': only convolutions and MLP layers have some")
        values = [np.asarray(v, np.float32).reshape(-1) for v in (filter_data, bias_data)]
        for what, given, parameter in zip(("weights", "bias"), values, layer.parameters, strict=True):
            if given.size != prod(parameter.shape):
                raise CnmlError(f"failed to load {given.size} values as {what} of layer {layer_id} '{layer.name}': it takes {prod(parameter.shape)}, "
                                f"{parameter.shape}")
        quant = _checked(layer.name, quant_param)
        for given, parameter in zip(values, layer.parameters, strict=True):
            parameter.assign(given.reshape(parameter.shape))
        if quant != layer.quant:
            layer.quant, self._compiled = quant, None

    def setInputData(self, data: Sequence[float] | np.ndarray) -> None:
        """The input, flat in the order N, C, H, W.

        Raises
        ------
        CnmlError
            For another number of values than the input shape has.
        """
        shape = self._shape
        if shape is None:
            raise CnmlError("failed to set the input data: call setInputShape first")
        values = np.asarray(data, np.float32).reshape(-1)
        if values.size != prod(shape):
            raise CnmlError(f"failed to set {values.size} values as input data: the input shape {shape} has {prod(shape)}")
        self._data = values.reshape(shape).copy()

    def forward(self) -> None:
        """Run the net; the first time after a change it is compiled.

        Raises
        ------
        CnmlError
            Without layers, input data or parameters.
        """
        if not self._layers or self._data is None:
            raise CnmlError(f"failed to run the net with {len(self._layers)} layers: it needs layers, and setInputData")
        if self._compiled is None:
            self._compiled = self._compile()
        executable, source, out = self._compiled
        source[...] = self._data
        executable.run(self._queue, self._cores)
        result = np.empty(out.shape, np.float32)
        executable.read_into(out, result)
        self._result = result

    def _compile(self) -> tuple[Executable, np.ndarray, Tensor]:
        graph = Graph()
        assert self._shape is not None
        entry = x = graph.input(self._shape, "input")
        for layer in self._layers:
            if layer.weights is not None and layer.quant is None:
                raise CnmlError(f"failed to compile the net: layer '{layer.name}' has no parameters; call loadParams")
            x, = graph.add(layer.make(layer.quant), [x], layer.parameters)
            if x.shape != layer.outputs:
                x, = graph.add(View(layer.outputs, layer.name), [x])
        memory = self._device.malloc(entry.nbytes)
        executable = Executable(graph, [x], {entry: memory}, lambda t: None, self._device, precision="mlu")
        return executable, memory.array(np.float32, entry.shape), x

    def getOutputData(self) -> tuple[float, ...]:
        """The result of the last forward, flat; empty before it."""
        return () if self._result is None else tuple(float(v) for v in self._result.reshape(-1))

    # ---- questions ------------------------------------------------------------------------------------------------------------------------

    def size(self) -> int:
        """How many layers there are."""
        return len(self._layers)

    def getLayerName(self, layer_id: int) -> str:
        """The name of a layer."""
        return self._layer(layer_id).name

    def needToBeQuantized(self, layer_id: int) -> bool:
        """Whether a layer has weights that are quantized."""
        return self._layer(layer_id).weights is not None

    def _layer(self, layer_id: int) -> _Layer:
        if not 0 <= layer_id < len(self._layers):
            raise CnmlError(f"failed to find layer {layer_id}: the net has {len(self._layers)} layers, counted from 0")
        return self._layers[layer_id]


def _checked(name: str, param: QuantParam) -> CnmlQuantParam:
    if not 0 < param.scale < float("inf") or abs(param.position) > 127:
        raise CnmlError(f"failed to quantize layer '{name}' with position {param.position} and scale {param.scale}: the scale must be positive and "
                        "finite, the position in -127..127")
    return CnmlQuantParam(int(param.position), float(param.scale))


def _layer_codes(codes: Codes, weights: CnmlQuantParam | None) -> LayerCodes | None:
    """How a layer computes; None before its weights are loaded."""
    return None if weights is None else LayerCodes(codes, weights)
