"""Which layers can lose weights."""
from __future__ import annotations

import json
import math

import numpy as np
import pytest
from pycaffe_acc_tests.prune_tests.pruned_nets import files, images

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.prune.candidates import Candidate
from pycaffe_acc.prune.prune_options import PruneOptions
from pycaffe_acc.prune.sensitivity import SensitivityScan
from pycaffe_acc.prune.sensitivity_file import read_sensitivities, shares_of_table
from pycaffe_acc.quantize.layer_effects import net_scores

CANDIDATES = [Candidate(1, "a", "Convolution", 1000, ""), Candidate(4, "b", "Convolution", 3000, ""), Candidate(6, "c", "Convolution", 9, "kept")]


def scan(tmp_path, labels=None, **options):
    """A scan of the small net over its images."""
    s = SensitivityScan(*files(tmp_path), PruneOptions(**options))
    batches = images(32)
    own = net_scores(s.net, "data", batches, "g").argmax(1)
    return s.run("data", batches, own if labels is None else labels, (0.3, 0.9), "g")


def test_every_layer_alone(tmp_path):
    """More zeros, more error; an unpruned net agrees with itself; no layer is left pruned behind."""
    found = scan(tmp_path)
    assert [layer.name for layer in found.layers] == ["a", "b", "c", "grouped", "f", "g"] and found.images == 32 and found.top1 == 100
    by_name = {layer.name: layer for layer in found.layers}
    assert math.isinf(by_name["grouped"].scores_db[1])  # the answers do not depend on it
    for name in ("a", "b", "c", "f", "g"):
        assert by_name[name].scores_db[0] > by_name[name].scores_db[1] + 3
    assert found.worst_first()[-1].name == "grouped"
    alone = scan(tmp_path, keep=("a", "b", "c", "grouped", "f"))
    assert alone.layers[0].scores_db == pytest.approx(by_name["g"].scores_db)


def test_other_ways_to_prune(tmp_path):
    """block4 costs more than single weights; what needs images is refused."""
    single, blocks = scan(tmp_path), scan(tmp_path, method="block4")
    assert np.mean([a.scores_db[0] - b.scores_db[0] for a, b in zip(single.layers, blocks.layers, strict=True)
                    if math.isfinite(a.scores_db[0])]) > 0
    for options in ({"method": "global"}, {"compensate": True}):
        with pytest.raises(CheckError, match="a sensitivity scan prunes by magnitude, block4 or vendor"):
            SensitivityScan(*files(tmp_path), PruneOptions(**options))


def test_shares_by_sensitivity():
    """The layer that costs more loses less; the sum is met; layers that are left alone get none."""
    found = {"sparsities": [0.5, 0.9], "layers": [{"name": "a", "scores_db": [10.0, 3.0]}, {"name": "b", "scores_db": [30.0, 25.0]}]}
    shares = shares_of_table(found, CANDIDATES, 0.5)
    assert set(shares) == {1, 4} and shares[1] < 0.2 < shares[4] <= 0.9
    assert 1000 * shares[1] + 3000 * shares[4] == pytest.approx(2000, abs=20)
    assert shares_of_table(found, CANDIDATES, 0.95) == {1: 0.95, 4: 0.95}
    exact = {"sparsities": [0.5, 0.9], "layers": [{"name": "a", "scores_db": [None, None]}, {"name": "b", "scores_db": [30.0, 25.0]}]}
    assert shares_of_table(exact, CANDIDATES, 0.1)[1] == pytest.approx(0.4, abs=0.01)


def test_a_layer_that_was_not_scanned():
    """Is named."""
    with pytest.raises(CheckError, match="layers b were not scanned"):
        shares_of_table({"sparsities": [0.5], "layers": [{"name": "a", "scores_db": [1.0]}]}, CANDIDATES, 0.5)


@pytest.mark.parametrize(("text", "rule"), [("{", "is not what"), ('{"layers": []}', "is not what"),
                                            ('{"sparsities": [0.5, 0.2], "layers": []}', "grow"),
                                            ('{"sparsities": [0.5], "layers": [{"name": "x", "scores_db": []}]}', "layer 'x' has not one value")])
def test_bad_files(tmp_path, text, rule):
    """A sentence."""
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(CheckError, match=rule):
        read_sensitivities(tmp_path / "s.json")
    with pytest.raises(MissingFileError):
        read_sensitivities(tmp_path / "none.json")


def test_infinities_are_null_in_files(tmp_path):
    """As JSON has none."""
    (tmp_path / "s.json").write_text(json.dumps({"sparsities": [0.5], "layers": [{"name": "x", "scores_db": [None]}]}))
    assert read_sensitivities(tmp_path / "s.json")["layers"][0]["scores_db"] == [None]
