"""The loop of a training, and what is kept of it so that it can be taken up again."""
from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import nn
from tqdm import tqdm

from cifar_training.resnet import CifarResNet
from cifar_training.schedule import learning_rate
from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError, MissingFileError

LAYOUT = torch.channels_last  # convolutions of few channels are up to three times as fast as in the other layout on a CPU
_CLIP = 5.0  # norm of all gradients together: a stray batch must not undo what the start had


class Score(NamedTuple):
    """How well a net does on what it was not trained with; `value` is better when smaller."""

    value: float
    text: str


class Way(Protocol):
    """What is learned from, and what counts as right."""

    steps: int

    def optimizer(self, net: CifarResNet, rate: float) -> torch.optim.Optimizer:
        """How weights follow their gradients."""

    def prepare(self, net: CifarResNet) -> None:
        """Put the net into the mode it is trained in."""

    def batches(self, epoch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Inputs and labels of an epoch's steps: the same whenever the same epoch is asked for."""

    def loss(self, logits: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """What is to become small."""

    def score(self, net: CifarResNet) -> Score | None:
        """None where nothing is held out: the last epoch's net is the result."""


class Plan(NamedTuple):
    """A training's length and numbers."""

    epochs: int
    rate: float
    warmup: float  # epochs
    device: str
    bf16: bool


class Checkpoint:
    """A training as it was after an epoch, in a file.

    Parameters
    ----------
    path : Path
    recipe : dict
        What the training is made of, values as text; another training's checkpoint is refused.
    """

    def __init__(self, path: Path, recipe: dict[str, str]):
        self.path, self._recipe = path, recipe

    def save(self, **state: Any) -> None:
        """Write it, whole or not at all."""
        with whole_file(self.path) as part:
            torch.save({"recipe": self._recipe, **state}, part)

    def load(self) -> dict[str, Any]:
        """Read it; only tensors, numbers and text are taken from the file.

        Raises
        ------
        MissingFileError, CheckError
        """
        if not self.path.is_file():
            raise MissingFileError(self.path, "checkpoint")
        try:
            state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
            found = state["recipe"]
        except Exception as e:  # torch raises whatever its readers run into
            raise CheckError(f"{self.path}: is no checkpoint of this script ({str(e).splitlines()[0] if str(e) else type(e).__name__})") from e
        other = [f"{key} is {found.get(key)} there and {self._recipe.get(key)} here" for key in sorted({*found, *self._recipe})
                 if found.get(key) != self._recipe.get(key)]
        if other:
            raise CheckError(f"{self.path}: is of another training: {'; '.join(other)}. Give the same options, or start without --resume")
        return state


def train(net: CifarResNet, way: Way, plan: Plan, checkpoint: Checkpoint, resume: bool = False) -> CifarResNet:
    """Train a net.

    Parameters
    ----------
    net : CifarResNet
        Changed.
    way : Way
    plan : Plan
    checkpoint : Checkpoint
        Written after every epoch.
    resume : bool
        Begin with what the checkpoint holds.

    Returns
    -------
    CifarResNet
        `net` with the best epoch's weights by `way.score`, or the last epoch's.

    Raises
    ------
    CheckError
        When the loss is no number.
    """
    net.to(plan.device, memory_format=LAYOUT)
    optimizer = way.optimizer(net, plan.rate)
    start, best, kept = 0, float("inf"), _copy(net)
    if resume:
        state = checkpoint.load()
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        start, best, kept = state["epochs"], state["best"], state["kept"]
    for epoch in range(start, plan.epochs):
        began = time.perf_counter()
        loss, count = _epoch(net, way, plan, optimizer, epoch)
        seconds = time.perf_counter() - began
        score = way.score(net)
        if score is None or score.value < best:
            best, kept = (float("inf") if score is None else score.value), _copy(net)
        checkpoint.save(net=_copy(net), optimizer=optimizer.state_dict(), epochs=epoch + 1, best=best, kept=kept)
        judged = "" if score is None else f", {score.text}"
        print(f"epoch {epoch + 1} of {plan.epochs}: loss {loss:.4f}{judged}, {count / seconds:.0f} pictures/s", flush=True)
    net.load_state_dict(kept)
    return net.eval()


def _epoch(net: CifarResNet, way: Way, plan: Plan, optimizer: torch.optim.Optimizer, epoch: int) -> tuple[float, int]:
    """Mean loss over the pictures of an epoch, and their number."""
    way.prepare(net)
    total, count = 0.0, 0
    batches = tqdm(way.batches(epoch), f"epoch {epoch + 1}", way.steps, leave=False, disable=None, file=sys.stderr)
    for step, (inputs, labels) in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(epoch * way.steps + step, plan.epochs * way.steps, plan.rate, round(plan.warmup * way.steps))
        inputs, labels = inputs.to(plan.device, memory_format=LAYOUT), labels.to(plan.device)
        with torch.autocast(torch.device(plan.device).type, torch.bfloat16, enabled=plan.bf16):
            logits = net(inputs)
        loss = way.loss(logits.float(), inputs, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), _CLIP)
        optimizer.step()
        total += float(loss.detach()) * len(inputs)
        count += len(inputs)
        if total != total or total == float("inf"):
            raise CheckError(f"epoch {epoch + 1}: the loss is {float(loss.detach())} in step {step + 1}; lower --rate, or train without --bf16")
    return total / max(1, count), count


def _copy(net: CifarResNet) -> dict[str, torch.Tensor]:
    return {name: value.detach().cpu().clone() for name, value in net.state_dict().items()}
