"""The page of the virtual cards is what the specs give, and says what it must; the published trends hold."""
from __future__ import annotations

import statistics
import sys
from pathlib import Path

import pytest

from cnrt.card_model import FOLDER, card_model, card_names, card_table

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "virtual_cards.md"


@pytest.fixture(scope="module")
def scripts():
    """The scripts' modules, which import each other by name."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import card_trends
        import fit_cards
        yield fit_cards, card_trends
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def test_the_page_has_the_constants_of_the_specs():
    text = PAGE.read_text(encoding="utf-8")
    for name in card_names():
        section = text.split(f"### {name}\n")[1].split("### ")[0]
        for key, row in card_table(FOLDER / f"{name}.json")["constants"].items():
            assert f"| `{key}` | {row['value']:.5g} | {row.get('unit', '')} | {row['kind']} | {row['source']} |" in section, (name, key)


def test_the_page_is_what_the_specs_give(scripts):
    fit_cards, _ = scripts
    cards = {name: card_model(name) for name in card_names()}
    rows = fit_cards.point_rows(cards)
    assert PAGE.read_text(encoding="utf-8") == fit_cards.page(cards, rows), "run scripts/fit_cards.py --page-only"
    errors = [abs(e) for p, _, e in rows if p.role == "predicted"]
    assert len(errors) >= 15 and statistics.median(errors) <= 25


def test_published_trends(scripts):
    _, card_trends = scripts
    found = {t.title.split(",")[0]: [v for _, v in t.columns] for t in card_trends.trends(card_model("MLU100"))}
    names = ("data parallelism", "threads", "model parallelism", "offline over online", "channels")
    data, threads, model, online, channels = (found[k] for k in names)
    assert data[:4] == sorted(data[:4]) and data[3] > 3          # all cores of a channel
    assert threads[:4] == sorted(threads[:4]) and threads[3] > 6 and threads[5] < 1.1 * threads[4]
    assert max(model[1:4]) < 1.15                                # sharing an image gains next to nothing
    assert 1.46 <= online[1] <= 1.84
    assert channels[2] > 3.5 and channels[1] < 0.6 * channels[2]


def test_a_fit_finds_what_a_card_was_made_with(scripts):
    """Points simulated with other constants: the search comes back to these."""
    fit_cards, _ = scripts
    from card_points import Point, Run, hardware
    card = card_model("MLU100")
    made = card.with_constants(mac_efficiency=0.4, instruction_seconds=30e-6)
    runs = [Run("cifar_resnet50", batch=b) for b in (1, 16)] + [Run("cifar_resnet50", int8=True, batch=4)]
    points = [Point("MLU100", "", "", hardware(r)(made), "FPS", "fit", "", hardware(r)) for r in runs]
    found = fit_cards.fit(card, ["mac_efficiency", "instruction_seconds"], points)
    assert found.mac_efficiency == pytest.approx(0.4, rel=0.05) and found.instruction_seconds == pytest.approx(30e-6, rel=0.05)


def test_fitted_values_are_written_and_the_rest_stays(scripts, tmp_path):
    fit_cards, _ = scripts
    path = tmp_path / "MLU100.json"
    path.write_bytes((FOLDER / "MLU100.json").read_bytes())
    before, names = card_table(path), fit_cards.fitted_names(path)
    assert "mac_efficiency" in names and "channels" not in names
    fit_cards.write_spec(path, card_model("MLU100").with_constants(mac_efficiency=0.123456), names)
    after = card_table(path)
    assert after["constants"]["mac_efficiency"]["value"] == 0.123
    after["constants"]["mac_efficiency"]["value"] = before["constants"]["mac_efficiency"]["value"]
    assert after == before
