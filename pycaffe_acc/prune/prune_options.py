"""What a pruning is told."""
from __future__ import annotations

from dataclasses import dataclass

from pycaffe_acc.errors import CheckError
from pycaffe_acc.prune.sparse_filter import check_sparsity

#: by their names on the command line
METHODS = {
    "vendor": "as the vendor's tools: pairs of neighbouring input channels by magnitude, in every layer and its bias",
    "magnitude": "the smallest weights of each layer",
    "global": "magnitude with --spread global",
    "block4": "blocks of 4 neighbouring input channels at one kernel position, which is what INT8 kernels can leave out",
    "channel": "whole output channels; the net becomes smaller",
}


#: how zeros are shared out among layers, by their names on the command line
SPREADS = {
    "even": "the same share of every layer",
    "global": "one threshold for all layers, on magnitudes relative to what is left of their layer, or with compensation on what weights are worth",
}


@dataclass(frozen=True)
class PruneOptions:
    """A method and what it may touch.

    Attributes
    ----------
    method : str
        Of `METHODS`.
    sparsity : float
        Share of the weights of the pruned layers that becomes zero; with the method channel, of their output channels.
    keep : tuple of str
        Layers to leave alone, see `pycaffe_acc.quantize.keep_float.kept_in_float`.
    include_first, include_depthwise : bool
        See `pycaffe_acc.prune.candidates.candidates`.
    compensate : bool
        Choose what matters least on images, and set the remaining weights anew.
    reestimate : bool
        Only take back what shifted: biases and BatchNorm statistics. Included in `compensate`.
    vendor_exact : bool
        See `sparse_filter`.
    spread : str
        Of `SPREADS`; with the methods magnitude and block4. The method global always has "global".
    """

    method: str = "magnitude"
    sparsity: float = 0.5
    keep: tuple[str, ...] = ()
    include_first: bool = False
    include_depthwise: bool = False
    compensate: bool = False
    reestimate: bool = False
    vendor_exact: bool = False
    spread: str = "even"

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises
        ------
        CheckError
        """
        check_sparsity(self.sparsity)
        if self.method not in METHODS:
            raise CheckError(f"unknown pruning method '{self.method}'; known methods: {', '.join(METHODS)}")
        if self.spread not in SPREADS:
            raise CheckError(f"unknown spread '{self.spread}'; known: {', '.join(SPREADS)}")
        if self.spread == "global" and self.method in ("vendor", "channel"):
            raise CheckError(f"the method {self.method} takes the same share of every layer; --spread global goes with magnitude and block4")
        if self.method == "vendor" and self.compensate:
            raise CheckError("the method vendor knows magnitudes only, so weights cannot be compensated with it; take magnitude or block4, or "
                             "re-estimate biases and statistics (--reestimate)")

    @property
    def one_threshold(self) -> bool:
        """Whether layers are compared with each other."""
        return self.method == "global" or self.spread == "global"

    @property
    def needs_images(self) -> bool:
        """Whether calibration images are looked at."""
        return self.compensate or self.reestimate
