"""The merged schema: BVLC's numbers, types and defaults; the module that stands for generated code; other Caffes in the process."""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, unknown_fields
from google.protobuf.descriptor import FieldDescriptor as F

from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.weights import read_caffemodel

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "proto" / "caffe.proto"

#: message → {field: number}, as BVLC's Caffe at 9b8915401 writes them
BVLC = {
    "BlobShape": {"dim": 1},
    "BlobProto": {"num": 1, "channels": 2, "height": 3, "width": 4, "data": 5, "diff": 6, "shape": 7, "double_data": 8, "double_diff": 9},
    "Datum": {"channels": 1, "height": 2, "width": 3, "data": 4, "label": 5, "float_data": 6, "encoded": 7},
    "FillerParameter": {"type": 1, "value": 2, "min": 3, "max": 4, "mean": 5, "std": 6, "sparse": 7, "variance_norm": 8},
    "NetParameter": {
        "name": 1, "layers": 2, "input": 3, "input_dim": 4, "force_backward": 5, "state": 6, "debug_info": 7, "input_shape": 8, "layer": 100,
    },
    "NetState": {"phase": 1, "level": 2, "stage": 3},
    "NetStateRule": {"phase": 1, "min_level": 2, "max_level": 3, "stage": 4, "not_stage": 5},
    "ParamSpec": {"name": 1, "share_mode": 2, "lr_mult": 3, "decay_mult": 4},
    "SolverParameter": {
        "train_net": 1, "test_net": 2, "test_iter": 3, "test_interval": 4, "base_lr": 5, "display": 6, "max_iter": 7, "lr_policy": 8, "gamma": 9,
        "power": 10, "momentum": 11, "weight_decay": 12, "stepsize": 13, "snapshot": 14, "snapshot_prefix": 15, "snapshot_diff": 16, "solver_mode":
        17, "device_id": 18, "test_compute_loss": 19, "random_seed": 20, "train_net_param": 21, "test_net_param": 22, "debug_info": 23, "net": 24,
        "net_param": 25, "train_state": 26, "test_state": 27, "snapshot_after_train": 28, "regularization_type": 29, "solver_type": 30, "delta": 31,
        "test_initialization": 32, "average_loss": 33, "stepvalue": 34, "clip_gradients": 35, "iter_size": 36, "snapshot_format": 37, "rms_decay": 38,
        "momentum2": 39, "type": 40, "layer_wise_reduce": 41, "weights": 42,
    },
    "SolverState": {"iter": 1, "learned_net": 2, "history": 3, "current_step": 4},
    "LayerParameter": {
        "name": 1, "type": 2, "bottom": 3, "top": 4, "loss_weight": 5, "param": 6, "blobs": 7, "include": 8, "exclude": 9, "phase": 10,
        "propagate_down": 11, "transform_param": 100, "loss_param": 101, "accuracy_param": 102, "argmax_param": 103, "concat_param": 104,
        "contrastive_loss_param": 105, "convolution_param": 106, "data_param": 107, "dropout_param": 108, "dummy_data_param": 109, "eltwise_param":
        110, "exp_param": 111, "hdf5_data_param": 112, "hdf5_output_param": 113, "hinge_loss_param": 114, "image_data_param": 115,
        "infogain_loss_param": 116, "inner_product_param": 117, "lrn_param": 118, "memory_data_param": 119, "mvn_param": 120, "pooling_param": 121,
        "power_param": 122, "relu_param": 123, "sigmoid_param": 124, "softmax_param": 125, "slice_param": 126, "tanh_param": 127, "threshold_param":
        128, "window_data_param": 129, "python_param": 130, "prelu_param": 131, "spp_param": 132, "reshape_param": 133, "log_param": 134,
        "flatten_param": 135, "reduction_param": 136, "embed_param": 137, "tile_param": 138, "batch_norm_param": 139, "elu_param": 140, "bias_param":
        141, "scale_param": 142, "input_param": 143, "crop_param": 144, "parameter_param": 145, "recurrent_param": 146, "swish_param": 147,
        "clip_param": 148,
    },
    "TransformationParameter": {"scale": 1, "mirror": 2, "crop_size": 3, "mean_file": 4, "mean_value": 5, "force_color": 6, "force_gray": 7},
    "LossParameter": {"ignore_label": 1, "normalize": 2, "normalization": 3},
    "ConvolutionParameter": {
        "num_output": 1, "bias_term": 2, "pad": 3, "kernel_size": 4, "group": 5, "stride": 6, "weight_filler": 7, "bias_filler": 8, "pad_h": 9,
        "pad_w": 10, "kernel_h": 11, "kernel_w": 12, "stride_h": 13, "stride_w": 14, "engine": 15, "axis": 16, "force_nd_im2col": 17, "dilation": 18,
    },
    "PoolingParameter": {
        "pool": 1, "kernel_size": 2, "stride": 3, "pad": 4, "kernel_h": 5, "kernel_w": 6, "stride_h": 7, "stride_w": 8, "pad_h": 9, "pad_w": 10,
        "engine": 11, "global_pooling": 12, "round_mode": 13,
    },
    "ReLUParameter": {"negative_slope": 1, "engine": 2},
    "SoftmaxParameter": {"engine": 1, "axis": 2},
    "SPPParameter": {"pyramid_height": 1, "pool": 2, "engine": 6},
    "BatchNormParameter": {"use_global_stats": 1, "moving_average_fraction": 2, "eps": 3},
    "ClipParameter": {"min": 1, "max": 2},
    "DataParameter": {
        "source": 1, "scale": 2, "mean_file": 3, "batch_size": 4, "crop_size": 5, "mirror": 6, "rand_skip": 7, "backend": 8, "force_encoded_color": 9,
        "prefetch": 10,
    },
    "V1LayerParameter": {
        "layer": 1, "bottom": 2, "top": 3, "name": 4, "type": 5, "blobs": 6, "blobs_lr": 7, "weight_decay": 8, "concat_param": 9, "convolution_param":
        10, "include": 32, "exclude": 33, "loss_weight": 35, "transform_param": 36, "param": 1001, "blob_share_mode": 1002,
    },
    "V0LayerParameter": {
        "name": 1, "type": 2, "num_output": 3, "kernelsize": 8, "meanfile": 18, "blobs": 50, "blobs_lr": 51, "hdf5_output_param": 1001,
    },
}
SSD = {
    "annotated_data_param": 200,
    "multibox_loss_param": 201,
    "permute_param": 202,
    "prior_box_param": 203,
    "detection_output_param": 204,
    "detection_evaluate_param": 205,
    "norm_param": 206,
    "video_data_param": 207,
}


def script():
    spec = importlib.util.spec_from_file_location("compile_schema", ROOT / "scripts" / "compile_schema.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_descriptor_set_is_that_of_the_source():
    stamp = (ROOT / "pycaffe_acc" / "proto" / "caffe.sha256").read_text().strip()
    assert stamp == hashlib.sha256(SOURCE.read_bytes()).hexdigest(), "proto/caffe.proto changed: run `make schema`"


def test_recompiling_gives_the_same_descriptor_set():
    pytest.importorskip("grpc_tools.protoc", reason="grpcio-tools is not installed")
    fresh = descriptor_pb2.FileDescriptorSet.FromString(script().compile_schema(SOURCE))
    stored = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "pycaffe_acc" / "proto" / "caffe.desc").read_bytes())
    assert fresh == stored


@pytest.mark.parametrize("message", sorted(BVLC))
def test_numbers_of_bvlc(message):
    fields = getattr(caffe_pb2, message).DESCRIPTOR.fields_by_name
    assert {name: fields[name].number for name in BVLC[message]} == BVLC[message]


def test_numbers_of_ssd():
    fields = caffe_pb2.LayerParameter.DESCRIPTOR.fields_by_name
    assert {name: fields[name].number for name in SSD} == SSD


@pytest.mark.parametrize(
    ("message", "field", "value"),
    [
        ("FillerParameter", "type", "constant"),
        ("FillerParameter", "std", 1.0),
        ("FillerParameter", "sparse", -1),
        ("NetState", "phase", 1),
        ("ConvolutionParameter", "bias_term", True),
        ("ConvolutionParameter", "group", 1),
        ("ConvolutionParameter", "axis", 1),
        ("PoolingParameter", "stride", 1),
        ("PoolingParameter", "round_mode", 0),
        ("LRNParameter", "local_size", 5),
        ("LRNParameter", "beta", 0.75),
        ("DropoutParameter", "dropout_ratio", 0.5),
        ("EltwiseParameter", "operation", 1),
        ("ReductionParameter", "operation", 1),
        ("HingeLossParameter", "norm", 1),
        ("LossParameter", "normalization", 1),
        ("ReshapeParameter", "num_axes", -1),
        ("FlattenParameter", "end_axis", -1),
        ("SwishParameter", "beta", 1.0),
        ("ExpParameter", "base", -1.0),
        ("MVNParameter", "normalize_variance", True),
        ("SolverParameter", "type", "SGD"),
        ("SolverParameter", "snapshot_format", 1),
        ("CropParameter", "axis", 2),
        ("PriorBoxParameter", "clip", False),
        ("DetectionOutputParameter", "keep_top_k", -1),
        ("DataParameter", "prefetch", 4),
        ("WindowDataParameter", "crop_mode", "warp"),
    ],
)
def test_defaults(message, field, value):
    assert getattr(getattr(caffe_pb2, message)(), field) == value


def test_small_defaults():
    assert caffe_pb2.BatchNormParameter().eps == pytest.approx(1e-5)
    assert caffe_pb2.BatchNormParameter().moving_average_fraction == pytest.approx(0.999)
    assert caffe_pb2.MVNParameter().eps == pytest.approx(1e-9)
    assert not caffe_pb2.BatchNormParameter().HasField("use_global_stats")


def test_types_that_matter_on_the_wire():
    blob = caffe_pb2.BlobProto.DESCRIPTOR.fields_by_name
    assert blob["data"].type == F.TYPE_FLOAT and blob["double_data"].type == F.TYPE_DOUBLE and blob["raw_data"].type == F.TYPE_BYTES
    assert (blob["raw_data_type"].number, blob["raw_data"].number, caffe_pb2.FLOAT16) == (10, 12, 2)
    message = caffe_pb2.BlobProto(data=[1, 2])
    assert message.SerializeToString() == b"\x2a\x08\x00\x00\x80\x3f\x00\x00\x00\x40"  # packed


def test_every_engine_name_of_every_dialect_is_known():
    for message in (
        "ConvolutionParameter",
        "PoolingParameter",
        "LRNParameter",
        "ReLUParameter",
        "SigmoidParameter",
        "SoftmaxParameter",
        "TanHParameter",
        "SPPParameter",
    ):
        enum = getattr(caffe_pb2, message).DESCRIPTOR.fields_by_name["engine"].enum_type
        assert {"DEFAULT", "CAFFE", "CUDNN", "MLU"} <= set(enum.values_by_name)


def test_module_looks_generated():
    assert (caffe_pb2.TRAIN, caffe_pb2.TEST) == (0, 1)
    assert caffe_pb2.Phase.Name(1) == "TEST" and caffe_pb2.Phase.Value("TRAIN") == 0
    assert caffe_pb2.PoolingParameter.AVE == 1 and caffe_pb2.PoolingParameter.PoolMethod.Value("MAX") == 0
    assert caffe_pb2.V1LayerParameter.LayerType.Value("CONVOLUTION") == 4
    assert {"NetParameter", "Phase", "TEST", "DESCRIPTOR"} <= set(caffe_pb2.__all__)
    net = caffe_pb2.NetParameter(name="a")
    net.layer.add(name="l").pooling_param.kernel_size = 2
    assert copy.deepcopy(net) == net
    with pytest.raises(AttributeError, match="no message, enum or value 'Nothing'"):
        _ = caffe_pb2.Nothing


def test_no_message_holds_itself():
    """The text parser recurses as deep as the schema allows."""

    def depth(message, above):
        assert message.full_name not in above
        return 1 + max((depth(f.message_type, above | {message.full_name}) for f in message.fields if f.message_type is not None), default=0)

    assert max(depth(m, frozenset()) for m in caffe_pb2.DESCRIPTOR.message_types_by_name.values()) < 16


FOREIGN = """
from google.protobuf import descriptor_pb2, descriptor_pool
file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
file.message_type.add(name="NetParameter").field.add(name="other", number=1, type=5, label=1)
descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
"""
OURS = "from pycaffe_acc.proto import caffe_pb2; assert caffe_pb2.NetParameter(name='x').name == 'x'\n"
CHECK = "assert 'other' in descriptor_pool.Default().FindMessageTypeByName('caffe.NetParameter').fields_by_name\n"


@pytest.mark.parametrize("order", [FOREIGN + OURS + CHECK, OURS + FOREIGN + CHECK + OURS])
def test_another_caffe_in_the_process(order):
    run = subprocess.run([sys.executable, "-c", order], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def unknown(message, path):
    for item in unknown_fields.UnknownFieldSet(message):
        yield f"{path}:{item.field_number}"
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            for child in [value] if hasattr(value, "ListFields") else value:
                yield from unknown(child, f"{path}.{descriptor.name}")


@pytest.mark.slow
def test_published_caffemodels_decode_fully(data_dir):
    #: forks that gave BVLC's numbers another meaning
    expected = {
        "cityscapes_weights": {"net.layer.swish_param:1"},
        "det1": {"net.layer.softmax_param:3"},
        "det2": {"net.layer.loss_param:4"},
        "det3": {"net.layer.loss_param:4"},
    }
    files = sorted((data_dir / "models").rglob("*.caffemodel"))
    assert len(files) > 20
    for path in files:
        assert set(unknown(read_caffemodel(path), "net")) == expected.get(path.stem, set()), path.name
