"""Old forms of nets and solvers."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.text_format import parse_message, parse_net, read_net
from pycaffe_acc.upgrade import generation, needs_upgrade, upgrade_net, upgrade_solver
from pycaffe_acc.upgrade_v0 import _TYPES
from pycaffe_acc.upgrade_v1 import upgrade_v1_layer, v2_type


def upgraded(text: str):
    message = parse_net(text).message
    assert needs_upgrade(message)
    upgrade_net(message)
    assert not needs_upgrade(message) and generation(message) == "V2"
    once = message.SerializeToString(deterministic=True)
    assert upgrade_net(message).SerializeToString(deterministic=True) == once
    return message


def same(text: str, want: str) -> None:
    assert upgraded(text) == parse_net(want).message


def v0(fields: str) -> str:
    return 'layers { layer { name: "x" ' + fields + ' } bottom: "a" top: "b" }'


def v2(kind: str, fields: str = "") -> str:
    return f'layer {{ name: "x" type: "{kind}" bottom: "a" top: "b" {fields} }}'


@pytest.mark.parametrize(
    ("fields", "kind", "want"),
    [
        (
            'type: "conv" num_output: 3 biasterm: false weight_filler { type: "xavier" } bias_filler { value: 1 } '
            "pad: 1 kernelsize: 5 group: 2 stride: 4",
            "Convolution",
            'convolution_param { num_output: 3 bias_term: false weight_filler { type: "xavier" } bias_filler { value: 1 } '
            "pad: 1 kernel_size: 5 group: 2 stride: 4 }",
        ),
        (
            'type: "innerproduct" num_output: 3 biasterm: false weight_filler { std: 2 } bias_filler { value: 1 }',
            "InnerProduct",
            "inner_product_param { num_output: 3 bias_term: false weight_filler { std: 2 } bias_filler { value: 1 } }",
        ),
        ('type: "pool" pool: AVE kernelsize: 3 stride: 2 pad: 1', "Pooling", "pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }"),
        ('type: "lrn" local_size: 3 alpha: 2 beta: 0.5 k: 3', "LRN", "lrn_param { local_size: 3 alpha: 2 beta: 0.5 k: 3 }"),
        ('type: "dropout" dropout_ratio: 0.25', "Dropout", "dropout_param { dropout_ratio: 0.25 }"),
        ('type: "concat" concat_dim: 2', "Concat", "concat_param { concat_dim: 2 }"),
        (
            'type: "data" source: "db" batchsize: 4 rand_skip: 2 scale: 0.5 meanfile: "m" cropsize: 8 mirror: true',
            "Data",
            'data_param { source: "db" batch_size: 4 rand_skip: 2 } transform_param { scale: 0.5 mean_file: "m" crop_size: 8 mirror: true }',
        ),
        (
            'type: "images" source: "l" batchsize: 4 rand_skip: 2 shuffle_images: true new_height: 3 new_width: 5',
            "ImageData",
            'image_data_param { source: "l" batch_size: 4 rand_skip: 2 shuffle: true new_height: 3 new_width: 5 }',
        ),
        (
            'type: "window_data" source: "w" batchsize: 4 det_fg_threshold: 0.6 det_bg_threshold: 0.4 det_fg_fraction: 0.3 '
            'det_context_pad: 2 det_crop_mode: "square"',
            "WindowData",
            'window_data_param { source: "w" batch_size: 4 fg_threshold: 0.6 bg_threshold: 0.4 fg_fraction: 0.3 context_pad: 2 crop_mode: "square" }',
        ),
        ('type: "hdf5_data" source: "h" batchsize: 4', "HDF5Data", 'hdf5_data_param { source: "h" batch_size: 4 }'),
        ('type: "hdf5_output" hdf5_output_param { file_name: "o" }', "HDF5Output", 'hdf5_output_param { file_name: "o" }'),
        ('type: "infogain_loss" source: "s"', "InfogainLoss", 'infogain_loss_param { source: "s" }'),
        ('type: "relu" blobs_lr: 1 blobs_lr: 2 weight_decay: 0.5', "ReLU", "param { lr_mult: 1 decay_mult: 0.5 } param { lr_mult: 2 }"),
        ('type: "softmax_loss" sparsity: 0.5 engine: MLU', "SoftmaxWithLoss", "sparsity: 0.5 engine: MLU"),
    ],
)
def test_v0_fields(fields, kind, want):
    same(v0(fields), v2(kind, want))


@pytest.mark.parametrize("kind", sorted(_TYPES))
def test_every_v0_type(kind):
    layer = upgraded(v0(f'type: "{kind}"')).layer[0]
    assert layer.type and layer.type != "None"


def test_v0_padding_becomes_pad():
    same(
        'layers { layer { name: "p" type: "padding" pad: 2 } bottom: "data" top: "p" } '
        'layers { layer { name: "x" type: "conv" kernelsize: 3 } bottom: "p" top: "b" }',
        'layer { name: "x" type: "Convolution" bottom: "data" top: "b" convolution_param { pad: 2 kernel_size: 3 } }',
    )


def test_v0_padding_before_another_layer_is_refused():
    with pytest.raises(CheckError, match="V0 layer 'r' .relu.: reads the padding layer 'p'"):
        upgrade_net(
            parse_net(
                'layers { layer { name: "p" type: "padding" pad: 2 } bottom: "data" top: "p" } '
                'layers { layer { name: "r" type: "relu" } bottom: "p" top: "b" }'
            ).message
        )


def test_v0_unknown_type_is_refused():
    with pytest.raises(CheckError, match="V0 layer 'x': unknown type 'nope'; V0 has accuracy"):
        upgrade_net(parse_net(v0('type: "nope"')).message)


def test_v0_field_without_a_place_is_dropped_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING, "caffe"):
        same(v0('type: "relu" kernelsize: 3'), v2("ReLU"))
    assert "'kernelsize' has no meaning" in caplog.text


def test_v0_inside_a_v1_layer_with_fields_is_kept_apart():
    message = caffe_pb2.V1LayerParameter(name="x")
    message.layer.name = "y"
    with pytest.raises(CheckError, match="stands inside a V1 layer"):
        upgrade_v1_layer(message, caffe_pb2.LayerParameter())


def test_v1_layers():
    same(
        """
layers { name: "data" type: DATA top: "d" top: "l" include { phase: TRAIN }
         data_param { source: "db" batch_size: 2 scale: 0.5 mean_file: "m" crop_size: 3 mirror: true } }
layers { name: "c" type: CONVOLUTION bottom: "d" top: "c" param: "w" param: "b" blob_share_mode: PERMISSIVE
         blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0
         convolution_param { num_output: 2 kernel_size: 3 } }
layers { name: "s" type: SOFTMAX_LOSS bottom: "c" bottom: "l" top: "s" loss_weight: 2 loss_param { ignore_label: 255 }
         exclude { stage: "x" } softmax_param { } }
""",
        """
layer { name: "data" type: "Data" top: "d" top: "l" include { phase: TRAIN } data_param { source: "db" batch_size: 2 }
        transform_param { scale: 0.5 mean_file: "m" crop_size: 3 mirror: true } }
layer { name: "c" type: "Convolution" bottom: "d" top: "c" param { name: "w" share_mode: PERMISSIVE lr_mult: 1 decay_mult: 1 }
        param { name: "b" lr_mult: 2 decay_mult: 0 } convolution_param { num_output: 2 kernel_size: 3 } }
layer { name: "s" type: "SoftmaxWithLoss" bottom: "c" bottom: "l" top: "s" loss_weight: 2 loss_param { ignore_label: 255 }
         exclude { stage: "x" } softmax_param { } }
""",
    )


def test_v1_blobs_move_along():
    message = caffe_pb2.NetParameter()
    message.layers.add(name="ip", type=14).blobs.add(num=1, channels=1, height=2, width=2, data=[1, 2, 3, 4])
    layer = upgrade_net(message).layer[0]
    assert layer.type == "InnerProduct" and list(layer.blobs[0].data) == [1, 2, 3, 4] and layer.blobs[0].HasField("num")


@pytest.mark.parametrize(
    ("v1", "want"),
    [
        ("ABSVAL", "AbsVal"),
        ("ARGMAX", "ArgMax"),
        ("BNLL", "BNLL"),
        ("CONTRASTIVE_LOSS", "ContrastiveLoss"),
        ("DECONVOLUTION", "Deconvolution"),
        ("DUMMY_DATA", "DummyData"),
        ("HDF5_OUTPUT", "HDF5Output"),
        ("IM2COL", "Im2col"),
        ("LRN", "LRN"),
        ("MULTINOMIAL_LOGISTIC_LOSS", "MultinomialLogisticLoss"),
        ("MVN", "MVN"),
        ("RELU", "ReLU"),
        ("SIGMOID_CROSS_ENTROPY_LOSS", "SigmoidCrossEntropyLoss"),
        ("SOFTMAX_LOSS", "SoftmaxWithLoss"),
        ("TANH", "TanH"),
        ("WINDOW_DATA", "WindowData"),
        ("NORM", "Normalize"),
        ("PRELU", "PReLU"),
        ("YOLOV3", "Yolov3Detection"),
        ("NONE", ""),
    ],
)
def test_v1_type_names(v1, want):
    assert v2_type(caffe_pb2.V1LayerParameter.LayerType.Value(v1)) == want


def test_mixture_of_forms_is_refused():
    with pytest.raises(CheckError, match=r"net 'n' has both 'layer' \(1\) and 'layers' \(1\)"):
        upgrade_net(parse_net('name: "n" layer { name: "a" } layers { name: "b" type: RELU }').message)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ('input: "a" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4', 'top: "a" input_param { shape { dim: [1, 2, 3, 4] } }'),
        (
            'input: "a" input: "b" input_shape { dim: 1 } input_shape { dim: [2, 3] }',
            'top: ["a", "b"] input_param { shape { dim: 1 } shape { dim: [2, 3] } }',
        ),
        ('input: "a" input: "b" input_shape { dim: 1 }', 'top: ["a", "b"] input_param { shape { dim: 1 } }'),
        (
            'input: "a" input: "b" input_dim: [1, 2, 3, 4, 5, 6, 7, 8]',
            'top: ["a", "b"] input_param { shape { dim: [1, 2, 3, 4] } shape { dim: [5, 6, 7, 8] } }',
        ),
    ],
)
def test_input_fields_become_a_layer_in_front(text, want):
    same(text + ' layer { name: "r" type: "ReLU" }', 'layer { name: "input" type: "Input" ' + want + ' } layer { name: "r" type: "ReLU" }')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('input: "a" input_dim: 1', "1 inputs and 1 input_dim values"),
        ('input: "a" input_shape { dim: 1 } input_shape { dim: 2 }', "1 inputs and 2 input_shape blocks"),
    ],
)
def test_input_shapes_must_fit(text, words):
    with pytest.raises(CheckError, match=words):
        upgrade_net(parse_net(text).message)


def test_batch_norm_with_exactly_three_param_entries_learns_nothing():
    three = "param { lr_mult: 1 name: 'n' } param { decay_mult: 2 } param { }"
    same(
        v2("BatchNorm", three),
        v2("BatchNorm", "param { lr_mult: 0 decay_mult: 0 name: 'n' } param { lr_mult: 0 decay_mult: 0 } param { lr_mult: 0 decay_mult: 0 }"),
    )
    for other in (v2("BatchNorm", "param { lr_mult: 1 }"), v2("Scale", three)):
        message = parse_net(other).message
        assert not needs_upgrade(message) and upgrade_net(message) == parse_net(other).message


def test_vendor_numbers():
    message = caffe_pb2.NetParameter()
    layer = message.layer.add(name="n", type="Normalize")
    layer.vendor_norm_param.eps = 0.5
    layer.vendor_norm_param.scale_filler.value = 20
    layer.norm_param.channel_shared = False
    layer.vendor_bn_param.slope_filler.value = 3
    layer.vendor_upsample_param.scale = 2
    layer.vendor_permute_param.order.extend([0, 2])
    layer.vendor_detection_output_param.SetInParent()
    assert needs_upgrade(message)
    assert (
        upgrade_net(message)
        == parse_net("""layer { name: "n" type: "Normalize" norm_param { eps: 0.5 channel_shared: false scale_filler { value: 20 } }
        bn_param { slope_filler { value: 3 } } upsample_param { scale: 2 } permute_param { order: [0, 2] } detection_output_param { } }""").message
    )


def test_vendor_numbers_on_the_wire():
    layer = caffe_pb2.LayerParameter.FromString(b"\xf2\x12\x02\x08\x00")  # field 302, message { 1: 0 }
    assert layer.vendor_norm_param.HasField("across_spatial") and not layer.vendor_norm_param.across_spatial


def test_solvers():
    solver = parse_message(
        "solver_type: RMSPROP net_param { layers { name: 'r' type: RELU } } test_net_param { layers { name: 'r' type: RELU } }",
        caffe_pb2.SolverParameter,
    ).message
    upgrade_solver(solver)
    assert solver.type == "RMSProp" and not solver.HasField("solver_type")
    assert solver.net_param.layer[0].type == solver.test_net_param[0].layer[0].type == "ReLU"
    assert upgrade_solver(solver) is solver
    with pytest.raises(CheckError, match='type "Adam" and the old solver_type SGD'):
        upgrade_solver(parse_message('solver_type: SGD type: "Adam"', caffe_pb2.SolverParameter).message)


def test_real_old_nets(data_dir):
    old = {path.name: upgrade_net(read_net(path).message) for path in (data_dir / "prototxt" / "legacy_v0").glob("*.prototxt")}
    assert len(old) == 4
    conv = {layer.name: layer for layer in old["v0_imagenet_train.prototxt"].layer}["conv2"]
    assert conv.type == "Convolution" and list(conv.convolution_param.kernel_size) == [5] and list(conv.convolution_param.pad) == [2]
    np.testing.assert_allclose([p.lr_mult for p in conv.param], [1, 2])
