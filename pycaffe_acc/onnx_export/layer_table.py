"""What becomes of each Caffe layer type in an ONNX file."""
from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Fate(Enum):
    """What happens to a layer."""

    EXACT = "exact"
    INPUT = "input"        # its tops are inputs of the graph
    LEFT_OUT = "left out"  # its bottoms are outputs of the graph, if nobody else reads them
    REFUSED = "refused"


class Entry(NamedTuple):
    """Fate and note of a layer type: how it is written, or, for a refused one, a clause that says why."""

    fate: Fate
    note: str


_DATA = "what the layer would read is an input of the graph"
_LOSS = "for training and measuring"
_ROWS = "ONNX's NonMaxSuppression leaves the order of equal scores open and knows no limit over all classes, so its rows would not be Caffe's"


def _exact(note: str) -> Entry:
    return Entry(Fate.EXACT, note)


def _input(note: str = _DATA) -> Entry:
    return Entry(Fate.INPUT, note)


def _left_out(note: str = _LOSS) -> Entry:
    return Entry(Fate.LEFT_OUT, note)


def _refused(note: str) -> Entry:
    return Entry(Fate.REFUSED, note)


LAYERS: dict[str, Entry] = {
    "AbsVal": _exact("Abs"),
    "Accuracy": _left_out(),
    "Add": _exact("Add"),
    "AddPad": _exact("Pad"),
    "ArgMax": _exact("ArgMax with the last of equal values; TopK on the reversed axis for several, or with values"),
    "Axpy": _exact("Mul, Add"),
    "BatchNorm": _exact("BatchNormalization, together with a Scale behind it; ReduceMean, Sub, Div with the batch's own statistics"),
    "BatchReindex": _exact("Cast, Gather"),
    "Bias": _exact("Add"),
    "BN": _exact("BatchNormalization; Mul, Add for the form with two blobs; statistics of the batch written out"),
    "BNLL": _exact("Softplus"),
    "Clip": _exact("Clip"),
    "Concat": _exact("Concat"),
    "ContrastiveLoss": _left_out(),
    "Convolution": _exact("Conv (groups, dilation, padding by side, 0 to 3 spatial axes); four or more spatial axes are refused"),
    "Convolution3D": _exact("Conv"),
    "ConvolutionDepthwise": _exact("Conv"),
    "CReLU": _exact("Neg, Concat, Relu or LeakyRelu"),
    "Crop": _exact("Slice"),
    "CropCenter": _exact("Slice"),
    "CycleAdd": _exact("Add"),
    "CycleMult": _exact("Mul"),
    "CycleSub": _exact("Sub"),
    "Data": _input(),
    "Deconvolution": _exact("ConvTranspose, 0 to 3 spatial axes"),
    "DetectionOut": _refused(_ROWS),
    "DetectionOutput": _refused(_ROWS),
    "Dropout": _exact("nothing at TEST, or a Mul for scale_train: false; refused at TRAIN"),
    "DummyData": _input("inputs, so that they can be filled as scripts fill them"),
    "Eltwise": _exact("Add, Mul, Max; coefficients by Mul"),
    "ELU": _exact("Elu"),
    "Embed": _exact("Cast, Gather, Add; an index outside the table is an error of the runtime"),
    "EuclideanLoss": _left_out(),
    "Exp": _exact("Mul, Exp, Mul"),
    "Filter": _refused("how many items it lets through depends on the data, and the graph has fixed shapes"),
    "Flatten": _exact("Reshape"),
    "HardSwish": _exact("HardSigmoid, Mul"),
    "HDF5Data": _input(),
    "HDF5Output": _left_out("writes a file"),
    "HingeLoss": _left_out(),
    "Im2col": _exact("Pad, Gather"),
    "ImageData": _input(),
    "ImageDetect": _refused(_ROWS),
    "InfogainLoss": _left_out(),
    "InnerProduct": _exact("Gemm"),
    "Input": _input("inputs of their names"),
    "Interp": _exact("Slice for negative padding, Resize (linear, align_corners or half_pixel)"),
    "Log": _exact("Mul, Add, Log, Mul"),
    "LRN": _exact("LRN; within a channel AveragePool of the squares and Pow"),
    "LSTM": _exact("all steps written out, with cont; the state that Caffe carries on is an input (zeros unless fed) and an output"),
    "LSTMUnit": _exact("Split, Sigmoid, Tanh, Mul, Add"),
    "MemoryData": _input(),
    "MLUYUVtoRGB": _refused("it prepares pixels of video; feed the net behind it with colours"),
    "Mul": _exact("Mul"),
    "Mult": _exact("Mul"),
    "MultinomialLogisticLoss": _left_out(),
    "MVN": _exact("ReduceMean, Sub, Sqrt, Add, Div"),
    "Normalize": _exact("Mul, ReduceSum, Add, Sqrt, Div, Mul"),
    "Pad": _exact("Pad"),
    "Parameter": _exact("a constant"),
    "Permute": _exact("Transpose"),
    "Pooling": _exact("MaxPool, AveragePool, Global…Pool with the padding behind the image that Caffe's rounding asks for; a factor for each "
                      "position where Caffe divides a clipped window by less; STOCHASTIC is refused"),
    "Pooling3D": _exact("MaxPool, AveragePool"),
    "Power": _exact("Mul, Add, Pow"),
    "PReLU": _exact("PRelu"),
    "PriorBox": _exact("a constant"),
    "Proposal": _refused(_ROWS),
    "PSROIPooling": _refused("ONNX has no position-sensitive pooling"),
    "Python": _refused("it runs Python code of the user"),
    "Reduction": _exact("ReduceSum, ReduceL1, ReduceSumSquare, ReduceMean, Mul"),
    "ReLU": _exact("Relu, LeakyRelu; Clip or Min with an upper limit"),
    "ReLU6": _exact("Clip"),
    "Reorg": _exact("Reshape, Transpose, Reshape"),
    "Reshape": _exact("Reshape"),
    "Reverse": _exact("Slice with a step of -1"),
    "RNN": _exact("all steps written out, as LSTM"),
    "ROIAlign": _exact("RoiAlign"),
    "ROIPooling": _exact("MaxRoiPool"),
    "Scale": _exact("Mul, Add; scale and shift of the BatchNormalization in front, if there is one"),
    "ShuffleChannel": _exact("Reshape, Transpose, Reshape"),
    "Sigmoid": _exact("Sigmoid"),
    "SigmoidCrossEntropyLoss": _left_out(),
    "Silence": _exact("nothing"),
    "Slice": _exact("Split"),
    "SmoothL1Loss": _left_out(),
    "Softmax": _exact("Softmax"),
    "SoftmaxWithLoss": _left_out("for training and measuring; put a Softmax layer in its place if probabilities are wanted"),
    "Split": _exact("nothing"),
    "SPP": _exact("MaxPool or AveragePool, Reshape, Concat"),
    "Sqrt": _exact("Sqrt"),
    "Squeeze": _exact("Reshape"),
    "Sub": _exact("Sub"),
    "Swish": _exact("Mul, Sigmoid, Mul"),
    "TanH": _exact("Tanh"),
    "Threshold": _exact("Greater, Cast"),
    "Tile": _exact("Tile"),
    "UnPooling": _exact("MatMul of rows and of columns"),
    "Upsample": _exact("Resize, or Gather for factors that are not whole; with a mask ScatterElements, where the mask comes from a max pooling "
                       "whose windows do not overlap (refused else)"),
    "UpsampleDarknet": _exact("Resize"),
    "WindowData": _input(),
    "Yolov3Detection": _refused(_ROWS),
}


def entry(kind: str) -> Entry:
    """The entry of a type; one that somebody registered is tried operator by operator."""
    return LAYERS.get(kind, _exact("as its operators say"))
