"""Parameter objects: the numbers of an operator that are not tensors. `PARAMETERS` is the table of their constructors."""
from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cnml.api.enums import KINDS, member
from cnml.api.session import Handle, handle, vendor_call
from cnml.errors import CnmlError, Status

_SSD = ("num_classes share_location:bool background_label_id code_type variance_encoded_in_target:bool confidence_threshold:float "
        "nms_threshold:float nms_topk keep_topk")
_PROPOSAL = "H W A im_h im_w min_h min_w out_size filter_scale:float nms_thresh:float nms_scale:float feat_stride"

#: constructor (without cnmlCreate) → the kind of object it makes, its fields; `name:type`, int without a type
PARAMETERS: dict[str, tuple[str, str]] = {
    "DeconvOpParam": ("DeconvOpParam", "stride_height stride_width hu_crop hd_crop wl_crop wr_crop"),
    "DeconvOptLevel": ("DeconvOptLevel", "opt"),
    "ConvOpParam": ("ConvOpParam", "stride_height stride_width dilation_height dilation_width pad_height pad_width sparse:SparseMode"),
    "ConvFirstOpParam": ("ConvFirstOpParam", "stride_height stride_width pad_l pad_r pad_t pad_b sparse:SparseMode"),
    "ConvDepthwiseOpParam": ("ConvDepthwiseOpParam", "stride_height stride_width"),
    "ConvDepthwiseOpParam_V3": ("ConvDepthwiseOpParam", "stride_height stride_width pad_height pad_width"),
    "AddPadOpParam": ("AddPadOpParam", "pad_h pad_w pad_value:float"),
    "AddPadOp4Param": ("AddPadOpParam", "pad_htop pad_hbottom pad_wleft pad_wright pad_value:float"),
    "AddPadChannelOpParam": ("AddPadChannelOpParam", "channel_ pad_value:float"),
    "AddPadChannelOp4Param": ("AddPadChannelOpParam", "c_front_ c_back_ pad_value:float"),
    "NormalizeOpParam": ("NormalizeOpParam", "p scale across_spatial weight:float"),
    "GrepChannelOpParam": ("GrepChannelOpParam", "channel_"),
    "GrepChannelOp2Param": ("GrepChannelOpParam", "c_front_ c_back_"),
    "PoolOpParam": ("PoolOpParam", "window_height window_width stride_height stride_width pad_height pad_width dilation_height dilation_width "
                    "pool_mode:PoolMode strategy_mode:PoolStrategyMode real:bool"),
    "L2_PoolOpParam": ("L2_PoolOpParam", "window_height window_width stride_height stride_width pad_height pad_width pool_mode:PoolMode"),
    "CustomizedActiveOpParam": ("CustomizedActiveOpParam", "x_start:float x_end:float y_min:float segment_num"),
    "TransposeOpParam": ("TransposeOpParam", "cpu_data_order:DataOrder dim_id_0 dim_id_1 dim_id_2 dim_id_3"),
    "LrnOpParam": ("LrnOpParam", "type:LrnType local_size alpha:float beta:float k:float"),
    "ResizeOpParam": ("ResizeOpParam", "height_1 weight_1 height_2 weight_2"),
    "InterpOpParam": ("InterpOpParam", "output_width output_height align_corners:bool"),
    "InterpOpParamByRatio": ("InterpOpParam", "zoom align_corners:bool"),
    "ConcatOpParam": ("ConcatOpParam", "input_num output_num mode:ConcatMode"),
    "SplitOpParam": ("SplitOpParam", "input_num output_num mode:SplitMode"),
    "NearestNeighborOpParam": ("NearestNeighborOpParam", "output_width output_height"),
    "NearestNeighborOpParamByRatio": ("NearestNeighborOpParam", "zoom"),
    "ProposalOpParam": ("ProposalOpParam", _PROPOSAL),
    "ProposalOpParamV2": ("ProposalOpParam", f"{_PROPOSAL} anchor_scales:floats anchor_scales_size anchor_ratios:floats anchor_ratios_size"),
    "NmsOpParam": ("NmsOpParam", "box_size out_size nms_thresh:float nms_scale:float score_thresh:float filter_scores:bool normalized_bbox:bool"),
    "RoiPoolOpParam": ("RoiPoolOpParam", "pooled_h pooled_w spatial_scale:float"),
    "ImageDetectOpParam": ("ImageDetectOpParam", "num_class box_size_per_class im_h im_w score_thresh:float nms_thresh:float nms_scale:float"),
    "GrepOpParam": ("GrepOpParam", "start_index_of_N start_index_of_H start_index_of_W space_number:float"),
    "ReorgOpParam": ("ReorgOpParam", "reorg_h reorg_w reverse:bool"),
    "ReshapeOpParam": ("ReshapeOpParam", "no co ho wo df:DataOrder"),
    "UnpoolOpParam": ("UnpoolOpParam", "window_height window_width stride_height stride_width unpool_mode:UnpoolMode"),
    "SsdDetectionOutputOpParam": ("SsdDetectionOutputOpParam", f"{_SSD} input_layout:DataOrder"),
    "SsdDetectionOpParam": ("SsdDetectionOpParam", f"{_SSD} input_layout:DataOrder"),
    "SsdDetectionPoseOutputOpParam": ("SsdDetectionPoseOutputOpParam", f"{_SSD} share_pose:bool num_poses input_layout:DataOrder"),
    "SsdDetectionPoseOpParam": ("SsdDetectionPoseOpParam", f"{_SSD} share_pose:bool num_poses input_layout:DataOrder"),
    "RoiAlignOpParam": ("RoiAlignOpParam", "pooled_w pooled_h scale:float sampling_ratio"),
    "FractionalPoolOpParam": ("FractionalPoolOpParam", "mode:PoolMode row_sequence:ints row_num col_sequence:ints col_num overlapping:bool"),
    "PsRoiPoolOpParam": ("PsRoiPoolOpParam", "pooled_w pooled_h spatial_scale:float roi_num output_dim"),
    "StridedSliceOpParam": ("StridedSliceOpParam", "nb cb hb wb ne ce he we ns cs hs ws"),
    "YoloDetectOpParam": ("YoloDetectOpParam", "side num_class num_box confidence_threshold:float nms_thresh:float biases:floats bias_num"),
}

_READERS: dict[str, Callable[[Any], Any]] = {
    "int": int, "float": float, "bool": bool, "ints": lambda v: tuple(int(i) for i in v), "floats": lambda v: tuple(float(i) for i in v)}


class Field(NamedTuple):
    """One field of a parameter object."""

    name: str
    type: str


def fields_of(text: str) -> tuple[Field, ...]:
    """The fields that a line of the table names."""
    return tuple(Field(name, kind or "int") for name, _, kind in (word.partition(":") for word in text.split()))


def scalar(value: Any, kind: str, what: str) -> Any:
    """A number, truth value, list of numbers or member of an enumeration.

    Raises
    ------
    CnmlError
        BADTYPEID for a number that the enumeration has not, BADCAST for what is no number.
    """
    if kind in KINDS:
        return member(KINDS[kind], value)
    try:
        return _READERS[kind](value)
    except (TypeError, ValueError, OverflowError) as e:
        raise CnmlError(f"failed to read {what} from {value!r}: it must be {kind} ({e})", Status.BADCAST) from e


class ParameterObject(Handle):
    """What `cnmlCreate…Param` makes. Operators copy it, so it may be destroyed once they are created.

    Attributes
    ----------
    kind : str
        "ConvOpParam"; several constructors may make one kind.
    maker : str
        The constructor, without cnmlCreate.
    values : dict of str to int, float, bool, tuple or IntEnum
    """

    noun = "parameter object"

    def __init__(self, kind: str, maker: str, values: Mapping[str, Any]):
        super().__init__()
        self.kind, self.maker, self.values = kind, maker, dict(values)

    def __repr__(self) -> str:
        return f"{self.maker}({', '.join(f'{k}={v}' for k, v in self.values.items())})"


class Values:
    """The numbers of a parameter object as attributes; `get` for those that only some constructors give.

    Parameters
    ----------
    maker : str
    values : mapping
    """

    def __init__(self, maker: str, values: Mapping[str, Any]):
        self.maker, self._values = maker, dict(values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, name: str, default: Any = None) -> Any:
        """A field, or `default` where the constructor does not give it."""
        return self._values.get(name, default)


def parameter_object(value: Any, kind: str) -> ParameterObject:
    """`value` if it is a living object of a kind, else INVALIDARG."""
    handle(value, ParameterObject, f"cnmlCreate{kind}")
    if value.kind != kind:
        raise CnmlError(f"failed to use {value!r} as a {kind}: it must come from {' or '.join(makers(kind))}", Status.INVALIDARG)
    return value


def makers(kind: str) -> list[str]:
    """The functions that make objects of a kind."""
    return [f"cnmlCreate{name}" for name, (made, _) in PARAMETERS.items() if made == kind]


def _creator(name: str) -> Callable[..., ParameterObject]:
    kind, text = PARAMETERS[name]
    fields = fields_of(text)
    signature = inspect.Signature([inspect.Parameter(f.name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for f in fields])

    def create(*args: Any, **kwargs: Any) -> ParameterObject:
        given = signature.bind(*args, **kwargs).arguments
        return ParameterObject(kind, name, {f.name: scalar(given[f.name], f.type, f"{f.name} of {name}") for f in fields})
    create.__name__ = create.__qualname__ = f"cnmlCreate{name}"
    create.__doc__ = f"A {kind} with {', '.join(f.name for f in fields)}."
    create.__signature__ = signature  # type: ignore[attr-defined]
    return vendor_call(create)


def _destroyer(kind: str) -> Callable[[ParameterObject], None]:
    def destroy(param: ParameterObject) -> None:
        parameter_object(param, kind).destroy()
    destroy.__name__ = destroy.__qualname__ = f"cnmlDestroy{kind}"
    destroy.__doc__ = f"End the life of a {kind}; operators made from it keep their copy."
    return vendor_call(destroy)


def functions() -> dict[str, Callable[..., Any]]:
    """cnmlCreate… for every row of the table, cnmlDestroy… for every kind."""
    made: dict[str, Callable[..., Any]] = {f"cnmlCreate{name}": _creator(name) for name in PARAMETERS}
    made.update({f"cnmlDestroy{kind}": _destroyer(kind) for kind in dict.fromkeys(kind for kind, _ in PARAMETERS.values())})
    return made
