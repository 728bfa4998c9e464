"""Charts: their axes, lines and tables as numbers, and what the report says of a probed run."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_examples import html, probed, with_probe

from lstmadvisor.facts import Program
from lstmadvisor.measured import Probe, Profile, Series
from lstmadvisor.model import Evidence, Report
from lstmadvisor.probe.statistics import derived
from lstmadvisor.report.charts import Chart, Level, Line, decades, rounds, short, smoothed, thinned
from lstmadvisor.report.probe_card import finite_points, probe_card


def chart(*points: tuple[float, float | None], log: bool = False, levels: tuple[Level, ...] = ()) -> Chart:
    return Chart("c", "C", "What it shows.", "step", "loss", (Line("loss", points),), levels, log=log)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 299, [0, 50, 100, 150, 200, 250]),
        (-0.13, 0.42, [-0.1, 0, 0.1, 0.2, 0.3, 0.4]),
        (1e-5, 3e-5, [1e-5, 1.5e-5, 2e-5, 2.5e-5, 3e-5]),
        (1234.5, 1236, [1234.5, 1235, 1235.5, 1236]),
    ],
)
def test_ticks_are_round_numbers_within_the_axis(low: float, high: float, expected: list[float]) -> None:
    assert rounds(low, high, 6) == pytest.approx(expected)


def test_ticks_of_a_logarithmic_axis_are_powers_of_ten() -> None:
    assert decades(-3, 2) == pytest.approx([1e-3, 1e-2, 0.1, 1, 10, 100])
    assert decades(-0.5, 1) == pytest.approx([0.5, 1, 2, 5, 10])
    assert decades(-30, 0) == pytest.approx([10.0**e for e in range(-28, 1, 4)])
    assert decades(0, 312)[-1] == pytest.approx(1e273)


def test_a_line_spans_the_drawing() -> None:
    drawn = chart((0, 1.0), (5, 3.0), (10, 2.0))
    assert drawn.path(drawn.lines[0]) == "M0 682.5L500 47.6L1000 365.1"
    assert [tick.label for tick in drawn.x_ticks] == ["0", "2", "4", "6", "8", "10"]
    assert [tick.label for tick in drawn.y_ticks] == ["0", "1", "2", "3"]


def test_a_logarithmic_line_leaves_out_what_has_no_logarithm() -> None:
    drawn = chart((0, 1.0), (1, 0.0), (2, 100.0), (3, 10.0), log=True)
    assert re.fullmatch(r"M0 [\d.]+M666.7 [\d.]+L1000 [\d.]+", drawn.path(drawn.lines[0]))
    assert [tick.label for tick in drawn.y_ticks] == ["1", "2", "5", "10", "20", "50", "100"]


def test_a_step_that_is_not_finite_interrupts_the_line_and_is_marked() -> None:
    drawn = chart((0, 1.0), (1, None), (2, 1.0))
    assert drawn.path(drawn.lines[0]).count("M") == 2
    assert drawn.gaps(drawn.lines[0]) == [500]
    assert drawn.table[1] == ("1", ["not finite"])


def test_nothing_finite_is_drawn_all_the_same() -> None:
    drawn = chart((0, None), (1, None))
    assert drawn.path(drawn.lines[0]) == ""
    assert drawn.y_ticks


def test_labels_of_levels_stand_apart() -> None:
    levels = tuple(Level(value, str(value)) for value in (1.0, 1.001, 1.002))
    placed = chart((0, 0.0), (1, 2.0), levels=levels).placed
    assert [one.level.value for one in placed] == [1.002, 1.001, 1.0]
    heights = [one.label_y for one in placed]
    assert all(below - above >= 70 for above, below in pairwise(heights))


def test_thinning_keeps_peaks_ends_and_what_is_not_finite() -> None:
    points = [(float(x), math.sin(x)) for x in range(10_000)]
    points[1234] = (1234.0, 50.0)
    points[5678] = (5678.0, None)  # type: ignore[assignment]
    kept = thinned(points)
    assert len(kept) <= 601
    assert {(1234.0, 50.0), (5678.0, None)} <= set(kept)
    assert [x for x, _ in kept] == sorted(x for x, _ in kept)
    assert thinned(points[:50]) == tuple(points[:50])


def test_smoothing_is_a_mean_of_neighbours() -> None:
    assert smoothed([(0, 1.0), (1, 4.0), (2, None), (3, 10.0)], 3) == ((0, 2.5), (1, 2.5), (2, 7.0), (3, 10.0))


@pytest.mark.parametrize(
    ("value", "text"), [(0.000012345, "1.234e-5"), (3.0, "3"), (1e9, "1e9"), (0.1 + 0.2, "0.3"), (12345, "1.234e4")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) in (text, text.replace("4e", "5e"))


def test_the_card_of_a_probed_run() -> None:
    card = probe_card(Program(path="train.py"), probed())
    assert card.how == "300 optimizer steps in 7.2 s: as many as asked for"
    assert re.fullmatch(r"The loss fell by \d+ % \(.*\), its last quarter stands at 0\.\d+ times .*\.", card.verdict)
    assert [chart.id for chart in card.charts] == [
        "chart-loss",
        "chart-norm",
        "chart-time",
        "chart-update",
        "chart-rate",
    ]
    loss, norm, time, update, rate = card.charts
    assert [level.label for level in loss.levels] == ["best constant: 0.9"]
    assert [band.label[:5] for band in loss.bands] == ["flat:"]
    assert [line.name for line in norm.lines] == ["gradient norm before clipping", "as the optimizer used it"]
    assert [level.label.split()[0] for level in norm.levels] == ["clipped", "median", "p90", "largest"]
    assert norm.levels[2].style == "proposal"
    assert [line.name for line in time.lines] == [
        "encoder, step 0", "encoder, step 290", "decoder, step 0", "decoder, step 290",
    ]  # fmt: skip
    assert update.lines[1].name == "lstm.weight_hh_l0"
    assert rate.lines[0].points[-1] == (299.0, pytest.approx(1e-3 * 0.99**299))
    assert [(layer, len(charts)) for layer, charts in card.gates] == [("encoder", 5), ("decoder", 5)]
    assert card.gates[0][1][1].sentence == "Mean 0.5, then 0.5; saturated 3 %, then 3 %."
    assert card.shown["gate-forget"].id == "chart-gate0-gate-forget"


@pytest.mark.parametrize(
    ("steps", "falls", "style"), [(300, True, "proposal"), (40, True, "quantile"), (300, False, "quantile")]
)
def test_a_threshold_is_proposed_from_many_norms_of_a_run_that_learns(steps: int, falls: bool, style: str) -> None:
    probe = probed(steps)
    if not falls:
        loss = Series(
            name="loss", steps=tuple(range(steps)), values=tuple(1 + math.sin(step) / 2 for step in range(steps))
        )
        probe = probe.model_copy(update={"series": (loss, *probe.series[1:])})
        probe = probe.model_copy(update={"statistics": derived(probe)})
    card = probe_card(Program(path="train.py"), probe)
    assert ("did not clearly fall" in card.verdict) is not falls
    assert next(level.style for level in card.charts[1].levels if level.label.startswith("p90")) == style


def test_a_run_without_training_has_no_charts_and_says_why() -> None:
    card = probe_card(Program(path="train.py"), Probe(status="failed", error="ValueError: <script>no</script>"))
    assert card.charts == card.gates == ()
    page = html(Report(programs=(Program(path="train.py", probe=Probe(status="failed", error="E: <script>x")),)))
    assert "the script failed (E: &lt;script&gt;x)" in page


def test_a_gradient_that_is_zero_everywhere_is_drawn() -> None:
    flat = Profile(of="lstm", values=(0.0,) * 10)
    (time,) = probe_card(Program(path="train.py"), Probe(status="completed", profiles=(flat,))).charts
    assert time.path(time.lines[0]) == ""
    assert "does not fall" in time.sentence


def test_charts_of_the_report_have_their_marks_and_tables() -> None:
    report = with_probe(Report(programs=(Program(path="train.py"),)), probed())
    page = html(report)
    assert page.count('<figure class="chart') == 15
    assert page.count('<table class="data">') == 15
    assert 'role="img" aria-label="Loss. The loss goes from' in page
    assert 'class="level baseline"' in page
    assert 'class="bad"' in page
    assert html(report) == page


def test_a_measured_finding_leads_to_its_chart() -> None:
    from lstmadvisor.facts import Place
    from lstmadvisor.model import Finding

    evidence = (Evidence(series="loss", text="flat"), Evidence(series="gate-forget", text="shut"), Evidence(series="x"))
    found = Finding(at=Place(path="train.py", line=1), message="m", code="LA901", rule="r", evidence=evidence)
    page = html(with_probe(Report(programs=(Program(path="train.py"),), findings=(found,)), probed()))
    assert '<a href="#chart-loss">loss</a> (measured): flat' in page
    assert '<a href="#chart-gate0-gate-forget">gate-forget</a>' in page
    assert "<li>x (measured):" in page
    assert page.count('<div class="seen"><svg class="drawing"') == 2
    assert '<a href="#LA901-train.py-1">LA901</a> M' in page


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.none() | st.floats()), max_size=50),
    st.lists(st.floats(allow_nan=False), max_size=3),
    st.booleans(),
)
def test_any_series_can_be_drawn(points: list[tuple[int, float | None]], levels: list[float], log: bool) -> None:
    series = Series(name="loss", steps=tuple(x for x, _ in points), values=tuple(y for _, y in points))
    drawn = Chart(
        "c", "C", "S.", "x", "y", (Line("a", thinned(finite_points(series)), shape="dots"),),
        tuple(Level(value, "level") for value in levels), log=log,
    )  # fmt: skip
    assert re.fullmatch(r"([ML]-?\d+(\.\d)? -?\d+(\.\d)?)*", drawn.path(drawn.lines[0]))
    assert all(math.isfinite(one.at) for one in (*drawn.x_ticks, *drawn.y_ticks))
    assert len(drawn.y_ticks) < 40
    assert len(drawn.dots(drawn.lines[0])) + len(drawn.gaps(drawn.lines[0])) <= len(points)
