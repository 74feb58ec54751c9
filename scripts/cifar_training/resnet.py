"""The zoo's CIFAR-10 ResNet as a PyTorch module (He, Zhang, Ren, Sun 2015, section 4.2; shortcuts that change the shape are 1x1 convolutions)."""
from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F

WIDTHS = (16, 32, 64)
CLASSES = 10
STUDENT_BLOCKS = 8  # a stage: 6 * 8 + 2 layers


class ConvNorm(nn.Module):
    """Caffe's Convolution with bias, BatchNorm and Scale."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-5)
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.conv.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) → (N, outputs, H / stride, W / stride)."""
        return self.norm(self.conv(x))


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.shortcut = ConvNorm(inputs, outputs, 1, stride) if stride != 1 or inputs != outputs else None
        self.first = ConvNorm(inputs, outputs, 3, stride)
        self.second = ConvNorm(outputs, outputs, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) → (N, outputs, H / stride, W / stride)."""
        branch = self.second(F.relu(self.first(x), inplace=True))
        return F.relu(branch + (x if self.shortcut is None else self.shortcut(x)), inplace=True)


class CifarResNet(nn.Module):
    """6 blocks + 2 layers.

    Parameters
    ----------
    blocks : int
        Of each of the three stages: 8 for ResNet-50, 9 for ResNet-56.
    """

    def __init__(self, blocks: int = STUDENT_BLOCKS) -> None:
        super().__init__()
        self.first = ConvNorm(3, WIDTHS[0], 3, 1)
        self.stages = nn.ModuleList()
        inputs = WIDTHS[0]
        for stage, width in enumerate(WIDTHS):
            made = []
            for i in range(blocks):
                made.append(Block(inputs, width, 2 if stage > 0 and i == 0 else 1))
                inputs = width
            self.stages.append(nn.ModuleList(made))
        self.dense = nn.Linear(WIDTHS[-1], CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Centred pictures (N, 3, 32, 32) → logits (N, 10)."""
        x = F.relu(self.first(x), inplace=True)
        for stage in self.stages:
            for block in stage:
                x = block(x)
        return self.dense(x.mean((2, 3)))

    def numbered(self) -> Iterator[tuple[int, ConvNorm]]:
        """The convolutions with the numbers that they have in the Caffe net: 1, then shortcut (if any), first and second of each block."""
        found = [self.first]
        for stage in self.stages:
            for block in stage:
                found += [c for c in (block.shortcut, block.first, block.second) if c is not None]
        return enumerate(found, 1)


def freeze_norms(net: nn.Module) -> None:
    """Let BatchNorm use its stored statistics and leave them alone, whatever else the net is trained with; scales and shifts are still trained."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


@torch.no_grad()
def answers(net: nn.Module, inputs: torch.Tensor, batch: int = 256) -> torch.Tensor:
    """Logits (N, 10) of a net with its stored statistics; its mode is put back."""
    training = [m for m in net.modules() if m.training]
    net.eval()
    found = torch.cat([net(part) for part in inputs.split(batch)])
    for module in training:
        module.training = True
    return found
