"""InfogainLoss: information gain of a softmax under a matrix of gains."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.infogain_loss import InfogainLoss as InfogainLossOp
from cnml.tensor import Shape, Tensor
from pycaffe_acc.blob_conversion import blobproto_to_array
from pycaffe_acc.errors import BinaryProtoError, MissingFileError
from pycaffe_acc.layer import layer
from pycaffe_acc.loss_layer import LossLayer, LossParams, read_loss_param
from pycaffe_acc.proto import caffe_pb2


@dataclass(frozen=True)
class InfogainLossParams:
    """infogain_loss_param and loss_param."""

    axis: int
    source: str
    loss: LossParams
    loss_weights: int


@layer("InfogainLoss")
class InfogainLoss(LossLayer):
    """top = mean of -sum H[label, l] log(softmax(scores)[l]); H from bottom 2 or a BlobProto file; a second top has the softmax."""

    exact_bottoms = None
    min_bottoms = 2
    max_bottoms = 3
    exact_tops = None
    min_tops = 1
    max_tops = 2

    @classmethod
    def parse(cls, message: Any) -> InfogainLossParams:
        """Read infogain_loss_param and loss_param."""
        p = message.infogain_loss_param
        return InfogainLossParams(int(p.axis), p.source, read_loss_param(message), len(message.loss_weight))

    def setup(self, bottoms: list[Shape]) -> None:
        """Read the matrix from its file unless it is a bottom."""
        given = self.params.loss_weights or 1
        self.check(given == self.num_tops,
                   f"has {self.num_tops} tops and {given} loss weights; write loss_weight once for each top (0 for the probabilities)")
        self.matrix: np.ndarray | None = None
        if self.num_bottoms < 3:
            self.check(bool(self.params.source),
                       "has neither a third bottom nor infogain_loss_param.source; the infogain matrix must come from one of them")
            self.matrix = self._read(Path(self.params.source))

    def _read(self, path: Path) -> np.ndarray:
        if not path.is_file():
            raise MissingFileError(path, f"infogain matrix of layer '{self.name}'")
        blob = caffe_pb2.BlobProto()
        try:
            blob.ParseFromString(path.read_bytes())
        except Exception as e:  # DecodeError of whichever protobuf is installed; its base is Exception
            raise BinaryProtoError(f"layer '{self.name}' ({self.type}): infogain matrix '{path}' is no BlobProto: {e}") from e
        return blobproto_to_array(blob)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One InfogainLoss operator."""
        self.check_items(bottoms)
        p = self.params
        op = InfogainLossOp(self.axis(p.axis, len(bottoms[0].shape)), self.matrix, p.loss.ignore, p.loss.normalization, self.num_tops > 1, self.name)
        return graph.add(op, bottoms)
