"""Which layers of a net run in a given phase, level and set of stages."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2


def filter_net(message: Any, phase: int | None = None, level: int | None = None, stages: Iterable[str] = ()) -> list[Any]:
    """The layers of a net that its include and exclude rules leave.

    Parameters
    ----------
    message : NetParameter
        Upgraded; not changed. What its `state` says counts where the arguments say nothing; its stages are added to the given ones.
    phase : int, optional
        caffe.TRAIN (0) or caffe.TEST (1).
    level : int, optional
    stages : iterable of str

    Returns
    -------
    list of LayerParameter
        Copies, each with its `phase` set, without the rules.

    Raises
    ------
    CheckError
        For a layer with both include and exclude rules.
    """
    state = caffe_pb2.NetState()
    state.CopyFrom(message.state)
    if phase is not None:
        state.phase = phase
    if level is not None:
        state.level = level
    state.stage.extend(s for s in stages if s not in state.stage)
    kept = []
    for layer in message.layer:
        if not runs(layer, state):
            continue
        copy = caffe_pb2.LayerParameter()
        copy.CopyFrom(layer)
        if not copy.HasField("phase"):
            copy.phase = state.phase
        kept.append(copy)
    return kept


def runs(layer: Any, state: Any) -> bool:
    """Whether a layer's rules let it run.

    Parameters
    ----------
    layer : LayerParameter
        Runs when it has no rules, or one of its include rules is met, or none of its exclude rules is.
    state : NetState

    Raises
    ------
    CheckError
        For both kinds of rules.
    """
    if layer.include and layer.exclude:
        raise CheckError(f"layer '{layer.name}' ({layer.type}): has both include and exclude rules; use one kind")
    if layer.include:
        return any(meets(rule, state) for rule in layer.include)
    return not any(meets(rule, state) for rule in layer.exclude)


def meets(rule: Any, state: Any) -> bool:
    """Whether a state meets a rule: its phase, a level within its bounds, all of its stages and none of its not_stages.

    Parameters
    ----------
    rule : NetStateRule
        A rule that says nothing is met by every state.
    state : NetState
    """
    if rule.HasField("phase") and rule.phase != state.phase:
        return False
    if rule.HasField("min_level") and state.level < rule.min_level:
        return False
    if rule.HasField("max_level") and state.level > rule.max_level:
        return False
    have = set(state.stage)
    return have.issuperset(rule.stage) and have.isdisjoint(rule.not_stage)
