"""Fill and line colours of layer types, by family."""
from __future__ import annotations

_FAMILIES: dict[str, tuple[str, str, str]] = {
    "input": ("#e8eaf6", "#5c6bc0", "Input Data ImageData HDF5Data MemoryData DummyData WindowData AnnotatedData"),
    "convolution": ("#ffe0d6", "#e4572e", "Convolution Deconvolution ConvolutionDepthwise DepthwiseConvolution DeformableConvolution Im2col"),
    "product": ("#e1d5f5", "#7e57c2", "InnerProduct Embed LSTM RNN Recurrent Reverse"),
    "pooling": ("#fff3c4", "#d9a400", "Pooling SPP ROIPooling PSROIPooling ROIAlign Upsample UnPooling Interp"),
    "normalisation": ("#d7efe9", "#26a08a", "BatchNorm BN Scale Bias LRN MVN Normalize"),
    "neuron": ("#d9ead3", "#5a9e47", "ReLU PReLU ELU Sigmoid TanH ReLU6 Swish Clip BNLL AbsVal Power Exp Log Threshold Dropout Mish HardSwish CReLU"),
    "shape": ("#eceff1", "#78909c",
        "Concat Slice Split Reshape Flatten Permute Crop Tile Eltwise Silence BatchReindex Filter Axpy Reorg "
        "ShuffleChannel"),
    "output": ("#d6e9fb", "#2f80c8",
        "Softmax SoftmaxWithLoss Accuracy ArgMax DetectionOutput Proposal PriorBox EuclideanLoss HingeLoss "
        "SigmoidCrossEntropyLoss InfogainLoss ContrastiveLoss MultinomialLogisticLoss Reduction Yolov3Detection"),
}
_OTHER = ("#f5f5f5", "#9e9e9e")
_BY_TYPE = {name: (fill, line) for fill, line, names in _FAMILIES.values() for name in names.split()}


def layer_colours(layer_type: str) -> tuple[str, str]:
    """Fill and line colour of a layer type, as #rrggbb."""
    return _BY_TYPE.get(layer_type, _OTHER)
