"""Train the demo network and write its files.

  python models/digits/train.py [--out pycaffe_acc/demo_data] [--epochs 60]

A development tool: it needs PyTorch (CPU) and scikit-learn beside this package, and about a minute. It writes deploy.prototxt, digits.caffemodel,
the test images as PNG files and test.txt ("path label" lines).
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from pycaffe_acc.proto import caffe_pb2

SEED = 7
WIDTHS = (16, 32)


class ConvNorm(nn.Module):
    """Convolution without bias, batch normalisation with scale; becomes three Caffe layers."""

    def __init__(self, name: str, inputs: int, outputs: int, kernel: int, stride: int = 1):
        super().__init__()
        self.name = name
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) → (N, K, H', W')."""
        return self.norm(self.conv(x))


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, name: str, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.name = name
        self.first = ConvNorm(f"{name}/conv1", inputs, outputs, 3, stride)
        self.second = ConvNorm(f"{name}/conv2", outputs, outputs, 3)
        self.shortcut = ConvNorm(f"{name}/shortcut", inputs, outputs, 1, stride) if stride != 1 or inputs != outputs else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) → (N, K, H', W')."""
        y = self.second(torch.relu(self.first(x)))
        return torch.relu(y + (self.shortcut(x) if self.shortcut is not None else x))


class Digits(nn.Module):
    """Stem, three residual blocks, global average, linear classifier."""

    def __init__(self) -> None:
        super().__init__()
        narrow, wide = WIDTHS
        self.stem = ConvNorm("conv1", 1, narrow, 3)
        self.blocks = nn.ModuleList([Residual("res2", narrow, narrow, 1), Residual("res3", narrow, wide, 2), Residual("res4", wide, wide, 1)])
        self.fc = nn.Linear(wide, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 1, 8, 8) in 0..1 → (N, 10) logits."""
        y = torch.relu(self.stem(x))
        for block in self.blocks:
            y = block(y)
        return self.fc(y.mean((2, 3)))


def train(model: nn.Module, images: np.ndarray, labels: np.ndarray, epochs: int) -> None:
    """Adam with one cosine period; images are shifted by up to one pixel."""
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        model.train()
        for batch in torch.randperm(len(x)).split(64):
            dy, dx = (int(v) for v in torch.randint(-1, 2, (2,)))
            loss = nn.functional.cross_entropy(model(torch.roll(x[batch], (dy, dx), (2, 3))), y[batch], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    model.eval()


class Writer:
    """Collects the layers of a deploy net, with and without weights."""

    def __init__(self, name: str):
        self.deploy = caffe_pb2.NetParameter(name=name)
        self.trained = caffe_pb2.NetParameter(name=name)

    def layer(self, kind: str, name: str, bottoms: list[str], top: str, blobs: list[np.ndarray] | None = None, **params: object) -> str:
        """Append a layer to both nets; the blobs go into the trained one."""
        for net in (self.deploy, self.trained):
            net.layer.add(name=name, type=kind, bottom=bottoms, top=[top], **params)
        for array in blobs or []:
            blob = self.trained.layer[-1].blobs.add()
            blob.shape.dim.extend(array.shape)
            blob.data.extend(np.asarray(array, np.float32).ravel().tolist())
        return top

    def conv_norm(self, module: ConvNorm, bottom: str, relu: bool) -> str:
        """Convolution, BatchNorm, Scale and perhaps ReLU, the last three in place."""
        conv, norm, name = module.conv, module.norm, module.name
        self.layer("Convolution", name, [bottom], name, [conv.weight.detach().numpy()], convolution_param=dict(
            num_output=conv.out_channels, kernel_size=[conv.kernel_size[0]], pad=[conv.padding[0]], stride=[conv.stride[0]], bias_term=False))
        self.layer("BatchNorm", f"{name}/bn", [name], name, [norm.running_mean.numpy(), norm.running_var.numpy(), np.ones(1)])
        self.layer("Scale", f"{name}/scale", [name], name, [norm.weight.detach().numpy(), norm.bias.detach().numpy()],
                   scale_param=dict(bias_term=True))
        return self.layer("ReLU", f"{name}/relu", [name], name) if relu else name

    def residual(self, block: Residual, bottom: str) -> str:
        """The layers of one block; its top has the block's name."""
        main = self.conv_norm(block.second, self.conv_norm(block.first, bottom, relu=True), relu=False)
        shortcut = bottom if block.shortcut is None else self.conv_norm(block.shortcut, bottom, relu=False)
        self.layer("Eltwise", block.name, [shortcut, main], block.name, eltwise_param=dict(operation=1))
        return self.layer("ReLU", f"{block.name}/relu", [block.name], block.name)


def write_net(model: Digits, out: Path) -> None:
    """deploy.prototxt and digits.caffemodel."""
    writer = Writer("digits")
    for net in (writer.deploy, writer.trained):
        net.layer.add(name="data", type="Input", top=["data"], input_param=dict(shape=[dict(dim=[1, 1, 8, 8])]))
    top = writer.conv_norm(model.stem, "data", relu=True)
    for block in model.blocks:
        top = writer.residual(block, top)
    top = writer.layer("Pooling", "pool5", [top], "pool5", pooling_param=dict(pool=1, global_pooling=True))
    weights = [model.fc.weight.detach().numpy(), model.fc.bias.detach().numpy()]
    top = writer.layer("InnerProduct", "fc10", [top], "fc10", weights, inner_product_param=dict(num_output=10))
    writer.layer("Softmax", "prob", [top], "prob")
    (out / "deploy.prototxt").write_text(str(writer.deploy), encoding="utf-8")
    (out / "digits.caffemodel").write_bytes(writer.trained.SerializeToString())


def write_images(pixels: np.ndarray, labels: np.ndarray, out: Path) -> None:
    """One PNG an image, and the list."""
    (out / "images").mkdir(parents=True, exist_ok=True)
    lines = []
    for i, (image, label) in enumerate(zip(pixels, labels, strict=True)):
        Image.fromarray(image).save(out / "images" / f"{i:03d}.png", optimize=True)
        lines.append(f"images/{i:03d}.png {label}\n")
    (out / "test.txt").write_text("".join(lines), encoding="utf-8")
    (out / "labels.txt").write_text("".join(f"{d}\n" for d in range(10)), encoding="utf-8")


def main() -> None:
    """Train, measure with PyTorch, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[2] / "pycaffe_acc" / "demo_data")
    parser.add_argument("--epochs", type=int, default=60)
    args = parser.parse_args()
    torch.manual_seed(SEED)
    digits = load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)
    train_x, test_x, train_y, test_y = train_test_split(pixels, digits.target, test_size=360, random_state=SEED, stratify=digits.target)
    model = Digits()
    train(model, train_x[:, None].astype(np.float32) / 255, train_y, args.epochs)
    with torch.no_grad():
        logits = model(torch.from_numpy(test_x[:, None].astype(np.float32) / 255))
    print(f"top-1 by PyTorch on {len(test_y)} test images: {float((logits.argmax(1).numpy() == test_y).mean()):.4f}")
    write_images(test_x, test_y, args.out)
    write_net(model, args.out)


if __name__ == "__main__":
    main()
