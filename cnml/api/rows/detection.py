"""Regions and boxes. Tensors of rows may have any shape of as many elements; behind the last box stand zeros."""
from __future__ import annotations

import numpy as np

from cnml.api.assembly import Assembly
from cnml.api.constructor import row
from cnml.errors import Status
from cnml.ops.compiled_nms import compiled_nms
from cnml.ops.concat import Concat
from cnml.ops.detect import ImageDetect
from cnml.ops.permute import Permute
from cnml.ops.proposal import MluProposal
from cnml.ops.roi import CheckRois, PsRoiPooling, RoiAlign, RoiMaxPooling
from cnml.ops.suppression import Suppress
from cnml.reference.detection_output import DetectionOptions, detection_output
from cnml.reference.image_detect import ImageDetectOptions
from cnml.reference.proposal_mlu import MluProposalOptions
from cnml.reference.region_output import RegionOptions, region_output
from cnml.reference.suppression import SuppressionOptions
from cnml.tensor import Shape, Tensor, count

#: a region's corner is at most a million pixels away
MOST_CELLS = 1024
_REASON = "the number of detections depends on the data"


def _rows(b: Assembly, slot: str, columns: int) -> Tensor:
    """A tensor as rows of so many numbers."""
    shape = b.shape(slot)
    b.expect(count(shape) % columns == 0, f"{slot} {shape}", f"it must have rows of {columns} numbers")
    return b.view(b.x(slot), (count(shape) // columns, columns))


def filled(rows: np.ndarray, shape: Shape) -> np.ndarray:
    """Rows in the beginning of a tensor, zeros behind; those that do not fit are left out."""
    out = np.zeros(shape, np.float32)
    flat = out.reshape(-1, rows.shape[-1])
    flat[:len(rows)] = rows[:len(flat)]
    return out


def _rois(b: Assembly, scale: float) -> Tensor:
    """Checked rows of regions, for a number of cells a pixel whose products fit integers."""
    b.expect(0 < scale <= MOST_CELLS, f"{scale} cells a pixel", f"the scale must be positive and at most {MOST_CELLS}")
    return b.add(CheckRois(b.shape("input")[0]), _rows(b, "rois", 5))


def _roi_pool(b: Assembly) -> Tensor:
    p = b.param
    return b.add(RoiMaxPooling(p.spatial_scale, (p.pooled_h, p.pooled_w)), [b.x(), _rois(b, p.spatial_scale)])


def _roi_align(b: Assembly) -> Tensor:
    p = b.param
    return b.add(RoiAlign(p.scale, (p.pooled_h, p.pooled_w), p.sampling_ratio), [b.x(), _rois(b, p.scale)])


def _ps_roi_pool(b: Assembly) -> Tensor:
    p, rois = b.param, _rois(b, b.param.spatial_scale)
    b.expect(p.pooled_h == p.pooled_w, f"{p.pooled_h} x {p.pooled_w} bins", "there must be as many down as across")
    b.expect(p.roi_num == rois.shape[0], f"{rois.shape[0]} regions", f"the parameter object says {p.roi_num}")
    return b.add(PsRoiPooling(p.spatial_scale, p.output_dim, p.pooled_h), [b.x(), rois])


def _proposal(b: Assembly) -> Tensor:
    p, (h, w) = b.param, b.shape("scores")[2:]
    b.expect((p.H, p.W) == (h, w), f"scores of {h} x {w} cells", f"the parameter object says {p.H} x {p.W}")
    b.expect(p.nms_scale == 1, f"nms_scale {p.nms_scale}", "only 1 is supported", Status.UNSUPPORT)
    b.expect(0 < p.filter_scale <= 1, f"filter_scale {p.filter_scale}", "it is the share of the boxes that are sorted, above 0 and at most 1")
    scales, ratios = p.get("anchor_scales", ()), p.get("anchor_ratios", ())
    b.expect(len(scales) == p.get("anchor_scales_size", 0) and len(ratios) == p.get("anchor_ratios_size", 0),
             f"{len(scales)} scales and {len(ratios)} ratios", "there must be as many as the parameter object says")
    b.expect(bool(scales) == bool(ratios) and all(0 < v < float("inf") for v in (*scales, *ratios)), f"scales {scales} and ratios {ratios}",
             "both must be given or none, all positive and finite")
    options = MluProposalOptions(anchors=p.A, stride=float(p.feat_stride), min_width=float(p.min_w), min_height=float(p.min_h),
                                 candidates=max(1, int(p.filter_scale * p.A * h * w)), results=p.out_size, overlap=p.nms_thresh,
                                 image=(float(p.im_h), float(p.im_w), 1.0), ratios=ratios, scales=scales)
    return b.view(b.add(MluProposal(options), [b.x("scores"), b.x("bbox_deltas")]), b.shape("output"))


def _nms(b: Assembly) -> Tensor:
    p, boxes = b.param, _rows(b, "input", 5)
    b.expect(p.nms_scale == 1, f"nms_scale {p.nms_scale}", "only 1 is supported", Status.UNSUPPORT)
    b.expect(boxes.shape[0] == p.box_size, f"{boxes.shape[0]} boxes", f"the parameter object says {p.box_size}")
    options = SuppressionOptions(p.out_size, p.nms_thresh, p.score_thresh, p.filter_scores, p.normalized_bbox)
    return b.view(b.add(Suppress(options), boxes), b.shape("output"))


def _image_detect(b: Assembly) -> Tensor:
    p = b.param
    b.expect(p.nms_scale == 1, f"nms_scale {p.nms_scale}", "only 1 is supported", Status.UNSUPPORT)
    b.expect(p.num_class > 0, f"num_class {p.num_class}", "it must be positive")
    b.expect(p.box_size_per_class == 0 or p.box_size_per_class == count(b.shape("scores")) // p.num_class,
             f"box_size_per_class {p.box_size_per_class}", f"there are {count(b.shape('scores'))} scores for {p.num_class} classes")
    options = ImageDetectOptions(p.num_class, p.im_h, p.im_w, 1.0, p.nms_thresh, p.score_thresh)
    found = b.add(ImageDetect(options), [_rows(b, "bbox_deltas", 4 * p.num_class), _rows(b, "scores", p.num_class), _rows(b, "anchors", 5)])
    return b.view(found, b.shape("output"))


def _ssd(b: Assembly, loc: Tensor, conf: Tensor) -> Tensor:
    p, out = b.param, b.shape("output")
    options = DetectionOptions(p.num_classes, p.share_location, p.background_label_id, p.code_type, p.variance_encoded_in_target,
                               p.confidence_threshold, p.nms_threshold, 1.0, p.nms_topk, p.keep_topk, clip=True)
    priors, locations = count(b.shape("priors")) // 8, 1 if p.share_location else p.num_classes
    b.expect(count(b.shape("priors")) == 8 * priors, f"priors {b.shape('priors')}", "each has four coordinates and four variances")
    b.expect(loc.shape[1] == priors * locations * 4 and conf.shape[1] == priors * p.num_classes,
             f"{loc.shape[1]} offsets and {conf.shape[1]} scores an image",
             f"{priors} priors need {priors * locations * 4} and {priors * p.num_classes}")
    b.expect(p.code_type in (1, 2, 3), f"code_type {p.code_type}", "it must be 1, 2 or 3: corners, centre and size, corners by size")
    b.expect(out[3] % 7 == 0 or count(out) % 7 == 0, f"output {out}", "it must hold rows of seven numbers")

    def detect(offsets: np.ndarray, scores: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        rows = detection_output(offsets, scores, boxes, options, compiled_nms)[0, 0]
        return filled(rows[rows[:, 1] >= 0], out)
    return b.host("SsdDetection", detect, [loc, conf, b.view(b.x("priors"), (1, 2, 4 * priors))], out, _REASON)


def _ssd_output(b: Assembly) -> Tensor:
    flat = [b.view(b.x(slot), (b.shape(slot)[0], count(b.shape(slot)[1:]))) for slot in ("pred_loc", "conf")]
    return _ssd(b, *flat)


def _ssd_maps(b: Assembly) -> Tensor:
    flat = []
    for slot in ("locs", "confs"):
        maps = [b.add(Permute((0, 2, 3, 1)), x) for x in b.xs(slot)]
        parts = [b.view(m, (m.shape[0], count(m.shape[1:]))) for m in maps]
        flat.append(b.add(Concat(1), parts) if len(parts) > 1 else parts[0])
    return _ssd(b, *flat)


def _yolo(b: Assembly) -> Tensor:
    p, x, out = b.param, b.x(), b.shape("output")
    channels = p.num_box * (5 + p.num_class)
    b.expect(x.shape[1:] == (channels, p.side, p.side), f"input {x.shape}", f"it must be (N, {channels}, {p.side}, {p.side})")
    b.expect(len(p.biases) == p.bias_num >= 2 * p.num_box, f"{len(p.biases)} biases of {p.bias_num}", f"{p.num_box} boxes need {2 * p.num_box}")
    b.expect(count(out) % 7 == 0, f"output {out}", "it must hold rows of seven numbers")
    options = RegionOptions(p.side, p.num_class, p.num_box, p.confidence_threshold, p.nms_thresh, p.biases, "MLU100")
    return b.host("YoloDetect", lambda v: filled(region_output(v, options)[0, 0], out), [x], out, _REASON)


_POSE = "poses beside the boxes are not built"
ROWS = [
    row("ProposalOp", "param:ProposalOpParam <bbox_deltas <scores >output", _proposal,
        "out_size rows (0, x1, y1, x2, y2) of Faster R-CNN's proposals"),
    row("NmsOp", "param:NmsOpParam <input >output", _nms, "the best rows (x1, y1, x2, y2, score) that do not overlap"),
    row("RoiPoolOp", "param:RoiPoolOpParam <input <rois >output", _roi_pool, "maxima of regions (image, x1, y1, x2, y2)"),
    row("ImageDetectOp", "param:ImageDetectOpParam <bbox_deltas <scores <anchors >output", _image_detect,
        "boxes of all classes after suppression, rows (x1, y1, x2, y2, class, score)"),
    row("SsdDetectionOutputOp", "<pred_loc <conf <priors >output param:SsdDetectionOutputOpParam", _ssd_output,
        "rows (image, class, score, x1, y1, x2, y2) from flat offsets and scores", golden=None),
    row("SsdDetectionOpV2", "<locs[] <confs[] #num=locs,confs <priors >output param:SsdDetectionOpParam", _ssd_maps,
        "the same from feature maps", compute="SsdDetectionOp", order="locs confs num priors output", golden=None),
    row("SsdDetectionPoseOutputOp", "<pred_loc <conf <pose <priors >output param:SsdDetectionPoseOutputOpParam", None, _POSE, golden=None),
    row("SsdDetectionPoseOp", "<locs[] <confs[] <poses[] #num=locs,confs,poses <priors >output param:SsdDetectionPoseOpParam", None, _POSE,
        order="locs confs poses num priors output", golden=None),
    row("RoiAlignOp", "param:RoiAlignOpParam <input <rois >output", _roi_align, "means of bilinear samples of regions"),
    row("PsRoiPoolOp", "param:PsRoiPoolOpParam <input <rois >output", _ps_roi_pool, "means of regions, each bin from its own channels"),
    row("YoloDetectOp", "param:YoloDetectOpParam <input >output", _yolo, "rows (image, class, score, x, y, width, height) of YOLOv2"),
]
