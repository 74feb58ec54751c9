"""A shallower net out of a deeper one: the residual blocks without which its answers change least."""
from __future__ import annotations

import copy

import torch
from torch.nn import functional as F

from cifar_training.resnet import CifarResNet, answers
from pycaffe_acc.errors import CheckError


def divergence(logits: torch.Tensor, wanted: torch.Tensor) -> float:
    """Mean over the pictures of the Kullback-Leibler divergence between the answers `softmax(wanted)` and `softmax(logits)`, in nats."""
    return float(F.kl_div(F.log_softmax(logits.float(), 1), F.log_softmax(wanted.float(), 1), log_target=True, reduction="batchmean"))


def without(net: CifarResNet, stage: int, block: int) -> CifarResNet:
    """A copy of the net less one block."""
    found = copy.deepcopy(net)
    del found.stages[stage][block]
    return found


def removable(net: CifarResNet, stage: int) -> list[int]:
    """Blocks of a stage that keep their input's shape."""
    return [i for i, block in enumerate(net.stages[stage]) if block.shortcut is None]


def shortened(teacher: CifarResNet, blocks: int, inputs: torch.Tensor) -> tuple[CifarResNet, list[list[int]]]:
    """Drop blocks, stage by stage, each time the one whose removal moves the answers least.

    Parameters
    ----------
    teacher : CifarResNet
    blocks : int
        Of each stage of the result.
    inputs : (N, 3, 32, 32) float32
        Pictures whose answers count.

    Returns
    -------
    CifarResNet, list of list of int
        A net of its own memory, and for each stage the blocks of the teacher that were dropped, counted from 0.

    Raises
    ------
    CheckError
        When the teacher has fewer blocks than the result.
    """
    if len(teacher.stages[0]) < blocks:
        raise CheckError(f"the teacher has {len(teacher.stages[0])} blocks a stage; it must have at least the student's {blocks}")
    wanted = answers(teacher, inputs)
    net, dropped = teacher, []
    for stage in range(len(teacher.stages)):
        left = list(range(len(teacher.stages[stage])))
        gone = []
        while len(left) > blocks:
            trials = [(divergence(answers(without(net, stage, i), inputs), wanted), i) for i in removable(net, stage)]
            worst = min(trials)[1]
            net = without(net, stage, worst)
            gone.append(left.pop(worst))
        dropped.append(gone)
    made = CifarResNet(blocks).to(inputs.device)
    made.load_state_dict(net.state_dict())
    return made, dropped
