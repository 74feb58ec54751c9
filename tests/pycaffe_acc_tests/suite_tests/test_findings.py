"""Findings and figures over invented rows: each verdict both ways."""
from __future__ import annotations

import pytest
from pycaffe_acc_tests.suite_tests.report_rows import paper, row

from pycaffe_acc.suite.figures import figures, mark_front
from pycaffe_acc.suite.findings import findings
from pycaffe_acc.suite.plan import read_suite
from pycaffe_acc.suite.rows import judged

SUITE = read_suite("digits")


def verdicts(rows):
    """Finding → whether it holds."""
    return {f["id"]: f["holds"] for f in findings(judged(SUITE, rows))}


def test_rows_like_the_papers_keep_all_findings():
    found = verdicts(paper())
    assert len(found) == 13 and all(holds is True for holds in found.values()), found


def changed(model, variant, sparsity=0.0, **figures_of):
    """The paper's rows with one net changed on every device."""
    rows = paper()
    for r in rows:
        if (r["model"], r["variant"], r["sparsity"]) == (model, variant, sparsity):
            r["throughput"] |= {k: v for k, v in figures_of.items() if k != "top1"}
            if "top1" in figures_of:
                r["accuracy"] |= {"top1": figures_of["top1"]}
    return rows


@pytest.mark.parametrize(("rows", "broken"), [
    (changed("alpha", "fp16", top1=77), {"fp16-accuracy"}),
    (changed("beta", "vendor", top1=79), {"int8-accuracy"}),  # both lose the same
    (changed("alpha", "vendor", hardware_fps=95, end_to_end_fps=60), {"int8-hardware-host", "int8-hardware-MLU100"}),
    (changed("alpha", "vendor", end_to_end_fps=140), {"int8-end-to-end-host", "int8-end-to-end-MLU100"}),
    (changed("beta", "vendor", end_to_end_fps=90), {"gain-vanishes-host", "gain-vanishes-MLU100"}),
    (changed("alpha", "fp16", 0.9, hardware_fps=100, end_to_end_fps=60), {"sparsity-hardware-host", "sparsity-hardware-MLU100"}),
    (changed("alpha", "fp16", 0.9, end_to_end_fps=200), {"sparsity-end-to-end-host", "sparsity-end-to-end-MLU100"}),
    (changed("alpha", "fp16", 0.9, top1=85), {"sparsity-accuracy"}),
])
def test_one_net_that_does_otherwise_breaks_its_finding(rows, broken):
    assert {name for name, holds in verdicts(rows).items() if holds is False} == broken


def test_without_rows_nothing_is_judged():
    assert all(holds is None for holds in verdicts([]).values())
    assert findings([])[0]["figures"] == "there are no rows to judge it by" and figures([]) == []


def test_one_network_says_nothing_about_differences_between_networks():
    found = verdicts([r for r in paper() if r["model"] == "alpha"])
    assert found["int8-accuracy"] is None and found["fp16-accuracy"] is True


def test_hardware_is_compared_by_turns_where_there_were_any():
    rows = [row("a", "fp16", 80, 100, 50, turns=100.0), row("a", "vendor", 79, 300, 60, turns=90.0)]
    assert verdicts(rows)["int8-hardware-host"] is False


@pytest.mark.parametrize(("whole", "verdict"), [(130, True), (149, None), (151, None), (170, False)])
def test_measured_gains_that_hardly_differ_decide_nothing(whole, verdict):
    for device, expected in (("host", verdict), ("MLU100", whole < 150)):
        rows = [row("a", "fp16", 80, 100, 100, device=device), row("a", "vendor", 79, 150, whole, device=device)]
        found = next(f for f in findings(judged(SUITE, rows)) if f["id"] == f"int8-end-to-end-{device}")
        assert found["holds"] is expected and ("the same within 10% for 1 of 1" in found["figures"]) == (expected is None)


def test_distances_and_the_bound():
    rows = judged(SUITE, [row("a", "fp32", 81, 9, 9), row("a", "fp16", 80, 9, 9), row("a", "int8", 79.2, 9, 9), row("a", "vendor", 79.1, 9, 9),
                          row("b", "int8", 50, 9, 9), row("c", "fp16", None, 9, 9)])
    assert [r["accuracy"] and r["accuracy"]["delta_fp16"] for r in rows] == [1, 0, pytest.approx(-0.8), pytest.approx(-0.9), None, None]
    assert [r["accuracy"] and r["accuracy"]["valid"] for r in rows] == [True, True, True, False, None, None]
    assert rows[3]["accuracy"]["delta_fp32"] == pytest.approx(-1.9) and "79.20 %" in rows[3]["accuracy"]["bound"]


def test_other_images_are_no_yardstick():
    rows = [row("a", "fp16", 80, 9, 9), row("a", "int8", 70, 9, 9)]
    rows[0]["accuracy"]["images"] = 50
    assert judged(SUITE, rows)[1]["accuracy"]["valid"] is None


def test_measured_and_simulated_never_share_a_figure():
    rows = judged(SUITE, [*paper(), row("alpha", "vendor", 79, 500, 400, device="MLU270"), row("beta", "vendor", 71, 500, 400, device="MLU270"),
                          row("alpha", "fp32", 80, 50, 40, runtime="openvino")])
    time = {r["id"]: r["time"] for r in rows}
    found = figures(rows)
    assert {f["id"] for f in found} >= {"table2", "fig5", "fig6a-host", "fig6b-host", "fig6a-MLU100", "fig6b-MLU100", "fig7-accuracy", "fig7a-host",
                                        "fig7b-MLU100", "split-host", "split-MLU100", "cards", "runtimes", "front-hardware-host-pictures",
                                        "front-end-to-end-MLU100-pictures"}
    for f in found:
        times = {time[p["row"]] for s in f["series"] for p in s["points"]}
        assert f["time"] == "none" or times == {f["time"]}, f["id"]


def test_shares_of_a_split_sum_to_the_whole():
    split = next(f for f in figures(judged(SUITE, paper())) if f["id"] == "split-host")
    sums = {}
    for series in split["series"]:
        for p in series["points"]:
            sums[p["x"]] = sums.get(p["x"], 0) + p["y"]
    assert sums and all(s == pytest.approx(100) for s in sums.values())


def test_the_front():
    points = [{"x": x, "y": y, "valid": v} for x, y, v in ((1, 9, True), (2, 8, True), (2, 7, True), (3, 8.5, False), (4, 5, None), (4, 5, True))]
    mark_front(points)
    assert [p["front"] for p in points] == [True, True, False, False, True, True]


def test_few_images_do_not_tell_what_int8_costs():
    rows = paper()
    for r in rows:
        r["accuracy"] |= {"images": 60}
    assert verdicts(rows)["int8-accuracy"] is None


def test_without_a_tolerance_every_measured_case_decides():
    rows = judged(SUITE, [row("a", "fp16", 80, 100, 100), row("a", "vendor", 79, 150, 151)])
    found = [next(f["holds"] for f in findings(rows, **options) if f["id"] == "int8-end-to-end-host") for options in ({}, {"noise": 0.0})]
    assert found == [None, False]
