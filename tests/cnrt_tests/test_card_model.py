"""Specs of cards: every number has a source, and what is wrong with a file is said."""
from __future__ import annotations

import json

import pytest

import cnrt
from cnrt.card_model import FOLDER, KINDS, card_model, card_names, card_table, read_card
from cnrt.cost import Cost, Launch
from cnrt.errors import CnrtError, RetCode
from cnrt.simulation import Feed, simulate


@pytest.mark.parametrize("name", card_names())
def test_every_number_has_a_kind_and_a_source(name):
    card, table = card_model(name), card_table(FOLDER / f"{name}.json")
    assert card.name == name == table["name"] and card.title
    assert all(row["kind"] in KINDS and len(row["source"]) > 5 for row in table["constants"].values())
    assert 0 < card.mac_efficiency <= 1 and 0 < card.ddr_efficiency <= 1 and 0 <= card.weight_sharing <= 1
    assert "int8" in card.macs_per_second and min(card.macs_per_second.values()) > 0


def test_cards_are_devices_with_their_numbers():
    for name in card_names():
        device, card = cnrt.get(name), card_model(name)
        assert device.virtual and device.spec == card.device_spec() and device.spec.cores == card.cores
    spec = cnrt.get("MLU100").spec
    assert (spec.channels, spec.cores, spec.memory_bytes_per_channel, spec.max_parallelism) == (4, 32, 2 << 30, 32)
    assert spec.peak_ops_per_core["float16"] * spec.cores == pytest.approx(16.384e12)
    assert spec.peak_ops_per_core["int8"] == 2 * spec.peak_ops_per_core["float16"]


def test_another_clock():
    card = card_model("MLU100")
    fast = card.at_clock(1.3e9)
    assert fast.macs_per_second["int8"] == pytest.approx(1.3 * card.macs_per_second["int8"])
    assert fast.ddr_bytes_per_second == card.ddr_bytes_per_second and card.at_clock(card.clock_hz) == card
    assert card.with_constants(mac_efficiency=0.1).mac_efficiency == 0.1


def test_unknown_cards_are_listed():
    with pytest.raises(CnrtError, match="Atlas300, Hanguang800, MLU100, MLU270, TPUv1") as e:
        card_model("MLU999")
    assert e.value.code == RetCode.ERR_NODEV


def changed(tmp_path, change):
    table = json.loads((FOLDER / "MLU100.json").read_text(encoding="utf-8"))
    change(table)
    path = tmp_path / "own.json"
    path.write_text(json.dumps(table), encoding="utf-8")
    return path


def test_a_card_of_ones_own(tmp_path):
    def change(table):
        table["name"] = "mine"
        table["constants"]["channels"]["value"] = 8
    card = read_card(changed(tmp_path, change))
    assert card.name == "mine" and card.cores == 64


@pytest.mark.parametrize(("change", "text"), [
    (lambda t: t.update(schema="other/1"), "it must be an object with"),
    (lambda t: t["constants"].pop("channels"), "it lacks channels and has the unknown nothing"),
    (lambda t: t["constants"].update(speed={"value": 1, "kind": "assumed", "source": "nobody"}), "has the unknown speed"),
    (lambda t: t["constants"]["channels"].update(value=2.5), "'channels' is 2.5; it must be a whole number of at least 1"),
    (lambda t: t["constants"]["clock_hz"].update(value=-1), "'clock_hz' is -1; it must be a number of at least 0"),
    (lambda t: t["constants"]["clock_hz"].update(value="fast"), "'clock_hz' is 'fast'"),
    (lambda t: t["constants"]["clock_hz"].update(value=float("nan")), "'clock_hz' is nan"),
    (lambda t: t["constants"]["clock_hz"].update(source=""), "'clock_hz' must say its kind"),
    (lambda t: t["constants"]["clock_hz"].update(kind="guessed"), "'clock_hz' must say its kind"),
    (lambda t: t["constants"].update(clock_hz=3), "'clock_hz' is None"),
    (lambda t: t["constants"]["macs_per_second.int8"].update(value=0), "'macs_per_second.int8' is 0; it must be above 0"),
])
def test_bad_files(tmp_path, change, text):
    with pytest.raises(CnrtError, match="own.json") as e:
        read_card(changed(tmp_path, change))
    assert text in str(e.value) and e.value.code == RetCode.ERR_INVALID


def test_files_that_are_none(tmp_path):
    (tmp_path / "own.json").write_text("{", encoding="utf-8")
    for path in (tmp_path / "own.json", tmp_path / "absent.json"):
        with pytest.raises(CnrtError, match="no readable JSON"):
            read_card(path)


def test_a_number_that_may_be_zero_can_be_simulated(tmp_path):
    """Every other 0 is refused instead of dividing by it later."""
    cost, feed = Cost("a", "int8", 10**6, 64, 64, 5, 1000, 10**7, 10**7), Feed(1e3, 1e3, 1e3, 1e3, pixels=100.0, online=True)
    allowed = set()
    for key in card_table(FOLDER / "MLU100.json")["constants"]:
        path = changed(tmp_path, lambda t, key=key: t["constants"][key].update(value=0))
        try:
            card = read_card(path)
        except CnrtError as e:
            assert f"'{key}' is 0" in str(e)
            continue
        allowed.add(key)
        for model in (1, 16):
            assert simulate([cost], card, Launch(1, model), 2, 1, 2, feed).seconds > 0
    assert allowed == {"onchip_bytes", "weight_sharing", "launch_seconds", "instruction_seconds", "barrier_seconds", "sparse_floor",
                       "sparse_efficiency", "copy_seconds", "online_image_seconds", "online_seconds", "interleaved"}
