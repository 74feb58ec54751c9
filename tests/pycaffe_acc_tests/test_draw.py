"""Drawings: well-formed whatever the names are, complete, and without boxes on each other."""
from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET

import pytest

from pycaffe_acc import draw
from pycaffe_acc.drawing_dot import quoted
from pycaffe_acc.drawing_graph import net_graph
from pycaffe_acc.drawing_layout import _ranks, _spread, layered_layout
from pycaffe_acc.errors import CheckError, MissingExtraError
from pycaffe_acc.net_spec import NetSpec
from pycaffe_acc.net_spec import layers as L
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.text_format import parse_net, read_net

SVG = "{http://www.w3.org/2000/svg}"
AWKWARD = """
layer { name: 'my data "(x)" <&>' type: 'Input' top: 'in put' input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: 'conv (1)' type: 'Convolution' bottom: 'in put' top: 'a b'
        convolution_param { num_output: 4 kernel_h: 1 kernel_w: 3 stride: 2 pad_h: 0 pad_w: 1 group: 2 dilation: 2 } }
layer { name: 'relu' type: 'ReLU' bottom: 'a b' top: 'a b' }
layer { name: '(Accuracy)' type: 'Accuracy' bottom: 'a b' bottom: 'label' include { phase: TEST } }
layer { name: '' type: 'Silence' bottom: 'a b' exclude { phase: TEST } }
"""


def _inception() -> object:
    n = NetSpec()
    n.data = L.Input(input_param={"shape": {"dim": [1, 3, 8, 8]}})
    top = n.data
    for k in range(3):
        one = L.Convolution(top, num_output=64, kernel_size=1)
        three = L.Convolution(L.ReLU(L.Convolution(top, num_output=96, kernel_size=1), in_place=True), num_output=128, kernel_size=3, pad=1)
        pool = L.Convolution(L.Pooling(top, kernel_size=3, stride=1, pad=1), num_output=32, kernel_size=1)
        top = n[f"cat{k}"] = L.Concat(one, three, pool)
    n.prob = L.Softmax(top)
    return n.to_proto()


def _boxes(svg: str) -> list[tuple[float, float, float, float]]:
    root = ET.fromstring(svg)
    out = []
    for group in root.findall(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if rect is not None:
            out.append(tuple(float(rect.get(k)) for k in ("x", "y", "width", "height")))
    return out


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
def test_awkward_names_render(rankdir):
    net = parse_net(AWKWARD).message
    svg = draw.draw_net(net, rankdir, "svg").decode()
    root = ET.fromstring(svg)
    texts = "|".join("".join(t.itertext()) for t in root.iter(f"{SVG}text"))
    words = ('my data "(x)" <&>', "conv (1)", "(Accuracy)", "(unnamed)", "unnamed net",
             "4 × 1×3, stride 2, pad 0×1, dilation 2, group 2", "ReLU relu", "label")
    for word in words:
        assert word in texts
    dot = draw.draw_net(net, rankdir, "dot").decode()
    assert f"rankdir={rankdir};" in dot and r'my data \"(x)\" <&>' in dot and dot.count("->") == 4


def test_boxes_do_not_touch_and_lie_inside():
    for rankdir in draw.RANKDIRS:
        svg = draw.draw_net(_inception(), rankdir).decode()
        boxes = _boxes(svg)
        assert len(boxes) == 1 + 3 * 6 + 1
        root = ET.fromstring(svg)
        width, height = float(root.get("width")), float(root.get("height"))
        for i, (x, y, w, h) in enumerate(boxes):
            assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
            for x2, y2, w2, h2 in boxes[i + 1:]:
                assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_direction():
    boxes = _boxes(draw.draw_net(_inception(), "TB").decode())
    assert boxes[0][1] < boxes[-1][1]
    boxes = _boxes(draw.draw_net(_inception(), "RL").decode())
    assert boxes[0][0] > boxes[-1][0]


def test_phase():
    net = parse_net(AWKWARD).message
    assert "(Accuracy)" in draw.draw_net(net, ext="svg", phase=caffe_pb2.TEST).decode()
    train = draw.draw_net(net, ext="svg", phase=caffe_pb2.TRAIN).decode()
    assert "(Accuracy)" not in train and "Silence" in train
    net.layer[-1].include.add().phase = caffe_pb2.TRAIN
    with pytest.raises(CheckError, match="both include and exclude"):
        draw.draw_net(net, phase=caffe_pb2.TEST)


def test_shapes_and_learning_rates():
    net = _inception()
    net.layer[1].param.add().lr_mult = 3
    svg = draw.draw_net(net, shapes={"data": (1, 3, 8, 8)}, display_lrm=True).decode()
    assert "1×3×8×8" in svg and "lr mult 3" in svg
    graph = net_graph(net, shapes={"data": (1, 3, 8, 8)})
    assert {link.label for link in graph.links if link.blob == "data"} == {"1×3×8×8"}
    assert 'label="1×3×8×8"' in draw.Drawing(graph, "TB").to_string() and 'label="1×3×8×8"' not in draw.Drawing(graph, "TB", False).to_string()


def test_data_layers_of_both_phases_lead_on():
    net = parse_net("""
        layer { name: 'train' type: 'Data' top: 'data' include { phase: TRAIN } data_param { batch_size: 64 } }
        layer { name: 'test' type: 'Data' top: 'data' include { phase: TEST } data_param { batch_size: 100 } }
        layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip' inner_product_param { num_output: 3 } }""").message
    graph = net_graph(net)
    assert [(link.source, link.target) for link in graph.links] == [(0, 2), (1, 2)]
    assert graph.boxes[1].lines == ["Data", "batch 100"]


def test_old_nets():
    old = caffe_pb2.NetParameter(name="v1", input=["data"], input_dim=[1, 3, 4, 4])
    layer = old.layers.add(name="conv", bottom=["data"], top=["conv"])
    layer.type = caffe_pb2.V1LayerParameter.CONVOLUTION
    layer.convolution_param.num_output = 2
    layer.convolution_param.kernel_size.append(3)
    svg = draw.draw_net(old).decode()
    assert "1×3×4×4" in svg and "2 × 3×3, stride 1" in svg
    assert len(old.layers) == 1


def test_lines_of_types():
    net = parse_net("""
        layer { name: 'p' type: 'Pooling' bottom: 'x' top: 'p' pooling_param { pool: AVE global_pooling: true } }
        layer { name: 'q' type: 'Pooling' bottom: 'x' top: 'q' pooling_param { kernel_size: 3 stride: 2 pad: 1 } }
        layer { name: 'n' type: 'LRN' bottom: 'x' top: 'n' lrn_param { local_size: 5 } }
        layer { name: 'd' type: 'Dropout' bottom: 'x' top: 'd' dropout_param { dropout_ratio: 0.25 } }
        layer { name: 'e' type: 'Eltwise' bottom: 'n' bottom: 'd' top: 'e' eltwise_param { operation: MAX } }
        layer { name: 'c' type: 'Concat' bottom: 'n' bottom: 'd' top: 'c' concat_param { axis: 2 } }
        layer { name: 's' type: 'Slice' bottom: 'n' top: 's1' top: 's2' slice_param { axis: 0 } }
        layer { name: 'y' type: 'Python' bottom: 'n' top: 'y' python_param { module: 'm' layer: 'L' } }
        layer { name: 'i' type: 'ImageData' top: 'i' image_data_param { batch_size: 7 } }""").message
    lines = {box.title: box.lines[1:] for box in net_graph(net).boxes}
    assert lines["p"] == ["AVE global"] and lines["q"] == ["MAX 3×3, stride 2, pad 1"] and lines["n"] == ["across channels, size 5"]
    assert lines["d"] == ["ratio 0.25"] and lines["e"] == ["MAX"] and lines["c"] == ["axis 2"] and lines["s"] == ["axis 0"] and lines["y"] == ["m.L"]
    assert lines["i"] == ["batch 7"] and lines["x"] == []


def test_empty_net():
    ET.fromstring(draw.draw_net(caffe_pb2.NetParameter()))
    assert draw.draw_net(caffe_pb2.NetParameter(), ext="dot").startswith(b'digraph "unnamed net"')


def test_files(tmp_path):
    draw.draw_net_to_file(_inception(), tmp_path / "net.svg", "TB")
    draw.draw_net_to_file(_inception(), str(tmp_path / "net.dot"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.dot", "net.svg"]
    ET.parse(tmp_path / "net.svg")


def test_png_needs_graphviz(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingExtraError, match="use svg"):
        draw.draw_net_to_file(_inception(), tmp_path / "net.png")
    assert not list(tmp_path.iterdir())


def test_graphviz_is_run_when_it_is_there(tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\nif [ "$1" = -Tbad ]; then echo no such format >&2; exit 1; fi\necho "$1"; cat\n')
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    assert draw.draw_net(_inception(), ext="png").startswith(b"-Tpng\ndigraph")
    with pytest.raises(CheckError, match="no such format"):
        draw.draw_net(_inception(), ext="bad")


def test_refused_direction():
    with pytest.raises(CheckError, match="one of TB, BT, LR, RL"):
        draw.draw_net(_inception(), "up")


def test_pydot_like_object(tmp_path):
    graph = draw.get_pydot_graph(_inception(), "TB")
    assert "digraph" in graph.to_string()
    if isinstance(graph, draw.Drawing):
        assert graph.write(tmp_path / "x.svg") and graph._repr_svg_() == (tmp_path / "x.svg").read_text()


def test_other_functions_of_caffe_draw():
    net = parse_net(AWKWARD + """
        layer { name: 'ip' type: 'InnerProduct' inner_product_param { num_output: 7 } param { lr_mult: 1 } param { lr_mult: 2 } }
        layer { name: 'd' type: 'Data' data_param { batch_size: 5 } }
        layer { name: 'pool' type: 'Pooling' pooling_param { pool: AVE kernel_size: 2 stride: 2 } }""").message
    conv, ip, data, pool = net.layer[1], net.layer[-3], net.layer[-2], net.layer[-1]
    assert draw.get_pooling_types_dict()[0] == "MAX"
    assert [draw.get_edge_label(x) for x in (conv, ip, data, pool)] == ["4", "7", "Batch 5", '""']
    assert draw.get_layer_lr_mult(ip) == [1, 2] and draw.get_layer_lr_mult(conv) == 1.0
    assert draw.get_layer_label(conv, "TB") == "conv (1) (Convolution) kernel size: 1×3 stride: 2 pad: 0×1"
    assert draw.get_layer_label(pool, "LR").splitlines() == ["pool", "(AVE Pooling)", "kernel size: 2×2", "stride: 2", "pad: 0"]
    assert draw.get_layer_label(ip, "TB", display_lrm=True) == "ip (InnerProduct) lr mult: [1.0, 2.0]"
    assert re.fullmatch("#[0-9a-f]{6}", draw.choose_color_by_layertype("Convolution"))
    assert draw.choose_color_by_layertype("SomethingNew") == draw.choose_color_by_layertype("AnotherOne")


# ---- layout ------------------------------------------------------------------------------------------------------------------------------------


def test_ranks_are_longest_paths_and_sources_go_down():
    # 3 is a source that only 2 reads: 0 → 1 → 2 ← 3 is numbered in order of appearance
    assert _ranks(4, [(0, 1), (1, 3), (2, 3)]) == [0, 1, 1, 2]
    assert _ranks(4, [(0, 1), (1, 2), (0, 2), (2, 3)]) == [0, 1, 2, 3]


def test_spread_keeps_distances_and_is_optimal():
    out = _spread([0.0, 0.0, 10.0], [1.0, 1.0, 1.0], [0.0, 4.0, 8.0])
    assert out == [-2.0, 2.0, 10.0]
    assert _spread([5.0, 0.0], [3.0, 1.0], [0.0, 1.0]) == [3.5, 4.5]


def test_order_removes_crossings():
    # two chains whose first order crosses: 0→3, 1→2
    layout = layered_layout([(10, 10)] * 4, [(0, 3), (1, 2)], (5, 5), 0)
    assert (layout.centres[0][0] - layout.centres[1][0]) * (layout.centres[3][0] - layout.centres[2][0]) > 0


def test_a_chain_is_straight():
    layout = layered_layout([(10, 10), (30, 10), (20, 10)], [(0, 1), (1, 2)], (5, 5), 3)
    assert len({round(x, 6) for x, _ in layout.centres}) == 1 and layout.extent == (36.0, 46.0)


@pytest.mark.parametrize("name", ["googlenet/deploy.prototxt", "resnet50", "ultraface", "wechat_qrcode"])
def test_real_nets(data_dir, name):
    path = data_dir / "models" / name
    files = [path] if path.is_file() else sorted(path.glob("*.prototxt"))
    for file in files[:2]:
        net = read_net(file).message
        boxes = _boxes(draw.draw_net(net, "TB").decode())
        assert len(boxes) == len(net_graph(net).boxes)


def test_quoting():
    assert quoted('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'


def test_names_with_control_characters_leave_the_drawing_whole():
    net = parse_net('name: "n" layer { name: "a\\001\\033b" type: "Input" top: "x" input_param { shape { dim: 1 } } }').message
    drawing = draw.draw_net(net, "TB", ext="svg")
    ET.fromstring(drawing)
    assert "a\ufffd\ufffdb" in (drawing.decode() if isinstance(drawing, bytes) else drawing)
