"""PriorBox: SSD's default boxes."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph
from cnml.ops.prior_box import PriorBox as PriorBoxOp
from cnml.reference.prior_box import PriorBoxOptions
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("PriorBox")
class PriorBox(Layer):
    """top (1, 2, boxes * 4) from the shapes of a feature map and of the image.

    The vendor's fork clips unless told otherwise and drops the fractions of the sizes; both only with vendor_exact. Its DENSE type always works on
    whole sizes; with vendor_exact its boxes are missing as they are there.
    """

    exact_bottoms = 2

    @classmethod
    def parse(cls, message: Any) -> Any:
        """Keep prior_box_param; it becomes PriorBoxOptions when the context is known."""
        return message.prior_box_param

    def __init__(self, message: Any, context: Any):
        super().__init__(message, context)
        self.params = self._options(self.params)

    def _options(self, p: Any) -> PriorBoxOptions:
        low, high = tuple(p.min_size), tuple(p.max_size)
        self.check(len(low) > 0, "min_size is missing; give at least one")
        self.check(all(v > 0 for v in low), f"min_size {low} must be positive")
        self.check(not high or len(high) == len(low), f"max_size is given {len(high)} times and min_size {len(low)} times; give none or as many")
        for a, b in zip(low, high, strict=False):
            self.check(b > a, f"max_size {b} must be greater than its min_size {a}")
        self.check(len(p.variance) in (0, 1, 4), f"variance is given {len(p.variance)} times; it must be once or four times")
        self.check(all(v > 0 for v in p.variance), f"variance {tuple(p.variance)} must be positive")
        dense = p.p_type == p.DENSE
        exact = self.context.vendor_exact
        clip = p.clip if p.HasField("clip") or not exact else True
        self.check(not dense or p.inner_scale > 0, f"inner_scale {p.inner_scale} must be positive")
        # the fork makes room for the dense boxes, but its forward pass writes neither them nor those of max_size
        lost = exact and dense and bool(high)
        return PriorBoxOptions(low, () if lost else high, self._ratios(p), tuple(p.variance) or (0.1,), clip, self._image(p), self._step(p), p.offset,
                               p.inner_scale if dense and high and not lost else 0, exact or dense, p.inner_scale if lost else 1,
                               p.tf, p.yx_order)

    def _ratios(self, p: Any) -> tuple[float, ...]:
        ratios = [1.0]
        for ratio in p.aspect_ratio:
            self.check(ratio > 0, f"aspect_ratio {ratio} must be positive")
            if all(abs(ratio - r) >= 1e-6 for r in ratios):
                ratios.append(float(ratio))
                if p.flip:
                    ratios.append(1.0 / float(ratio))
        return tuple(ratios)

    def _image(self, p: Any) -> tuple[int, int]:
        if p.HasField("img_h") or p.HasField("img_w"):
            self.check(not p.HasField("img_size"), "both img_size and img_h/img_w are given; use one of them")
            self.check(p.img_h > 0 and p.img_w > 0, f"img_h {p.img_h} and img_w {p.img_w} must both be positive")
            return int(p.img_h), int(p.img_w)
        self.check(not p.HasField("img_size") or p.img_size > 0, "img_size must be positive")
        return int(p.img_size), int(p.img_size)

    def _step(self, p: Any) -> tuple[float, float]:
        if p.HasField("step_h") or p.HasField("step_w"):
            self.check(not p.HasField("step"), "both step and step_h/step_w are given; use one of them")
            self.check(p.step_h > 0 and p.step_w > 0, f"step_h {p.step_h} and step_w {p.step_w} must both be positive")
            return p.step_h, p.step_w
        self.check(not p.HasField("step") or p.step > 0, f"step {p.step} must be positive")
        return p.step, p.step

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One PriorBox operator."""
        return graph.add(PriorBoxOp(self.params, self.name), bottoms)
