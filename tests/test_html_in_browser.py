"""The HTML report in a real browser, opened from a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Record, chromium, opened
from playwright.sync_api import Browser, Locator, Page, expect
from report_examples import audited, copied, hostile_files, hostile_finding, hostile_probe, html, probed, with_probe

SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of two programs, one of them probed."""
    folder = tmp_path_factory.mktemp("report")
    copied("charmodel", folder)
    copied("sunspots", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        page = html(with_probe(audited(Path("charmodel/train.py"), Path("sunspots/train.py")), probed()))
    file = folder / "report.html"
    file.write_text(page, encoding="utf-8")
    return file


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The report, which must end as silent as it began."""
    with opened(browser, report) as (shown, record):
        yield shown
        assert record == Record(requests=[report.as_uri()])


def visible(page: Page, selector: str) -> int:
    return page.locator(selector).locator("visible=true").count()


def within(chart: Locator, share: float) -> tuple[float, float]:
    """Where the mouse has to be to point at that share of a chart's x axis."""
    drawing = chart.locator(".drawing")
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    assert box
    scale = box["width"] / float((drawing.get_attribute("viewBox") or "").split()[2])
    left, width = (float(chart.get_attribute(f"data-{name}") or 0) for name in ("left", "width"))
    return box["x"] + (left + share * width) * scale, box["y"] + box["height"] / 2


def test_every_section_is_shown(page: Page) -> None:
    for name in (
        "scorecard",
        "probe",
        "findings",
        "undecided",
        "passed",
        "not-applicable",
        "facts",
        "source",
        "reproduce",
    ):
        expect(page.locator(f"section#{name} h2")).to_be_visible()
        expect(page.get_by_role("navigation").locator(f"a[href='#{name}']")).to_be_visible()


def test_filters_narrow_the_findings_and_reset(page: Page) -> None:
    everything = visible(page, ".finding")
    status = page.locator(".filters output")
    expect(status).to_have_text(f"{everything} of {everything} shown")
    page.get_by_role("checkbox", name="error").uncheck()
    assert visible(page, ".finding.error") == 0
    assert 0 < visible(page, ".finding.warning") < everything
    page.locator("select[name=file]").select_option(label="charmodel/model.py")
    shown = visible(page, ".finding")
    expect(status).to_have_text(f"{shown} of {everything} shown")
    places = page.locator(".finding:visible").evaluate_all("all => all.map(one => one.id.slice(6))")
    assert {place.rpartition("-")[0] for place in places} == {"charmodel-model.py"}
    page.get_by_role("checkbox", name="warning").uncheck()
    page.get_by_role("checkbox", name="advice").uncheck()
    expect(page.get_by_text("No finding fits the filter.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(status).to_have_text(f"{everything} of {everything} shown")
    page.locator("select[name=family]").select_option("data")
    families = {
        page.locator(".finding:visible").nth(n).get_attribute("data-family") for n in range(visible(page, ".finding"))
    }
    assert families == {"data"}


def test_a_link_to_a_finding_that_is_filtered_out_brings_it_back(page: Page) -> None:
    page.get_by_role("checkbox", name="error").uncheck()
    page.locator("#source summary").first.focus()
    page.evaluate("document.querySelectorAll('#source details').forEach((one) => { one.open = true; })")
    badge = page.locator("#source .badge.error").first
    target = badge.get_attribute("href")
    badge.click()
    expect(page.locator(f"[id='{(target or '')[1:]}']")).to_be_in_viewport()


def test_a_place_leads_to_its_line_in_the_folded_source(page: Page) -> None:
    link = page.locator(".finding.error figcaption a").first
    target = (link.get_attribute("href") or "")[1:]
    expect(page.locator(f"[id='{target}']")).not_to_be_visible()
    link.click()
    expect(page.locator(f"[id='{target}']")).to_be_in_viewport()


def test_copy_puts_the_text_on_the_clipboard(browser: Browser, report: Path) -> None:
    with opened(browser, report, permissions=["clipboard-read", "clipboard-write"]) as (page, _):
        button = page.get_by_role("button", name="Copy the command")
        button.click()
        expect(button).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == "lstmadvisor audit train.py --html report.html"


def test_copy_works_without_the_clipboard_interface(page: Page) -> None:
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("document.addEventListener('copy', () => { window.taken = String(document.getSelection()); })")
    page.get_by_role("button", name="Copy the command").click()
    expect(page.get_by_role("button", name="Copy the command")).to_have_text("Copied")
    assert page.evaluate("window.taken") == "lstmadvisor audit train.py --html report.html"


def test_the_keyboard_reaches_and_works_everything(page: Page) -> None:
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the report")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.get_by_role("checkbox", name="warning").focus()
    page.keyboard.press("Space")
    assert visible(page, ".finding.warning") == 0
    why = page.locator(".finding:visible summary", has_text="Why it matters").first
    why.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".finding:visible .prose").first).to_be_visible()


def test_the_cursor_of_a_chart_reads_values(page: Page) -> None:
    loss = page.locator("#chart-loss")
    frame, read = loss.locator(".frame"), loss.locator("output")
    frame.focus()
    page.keyboard.press("Home")
    expect(read).to_contain_text("optimizer step 0: loss 1.2")
    page.keyboard.press("ArrowRight")
    expect(read).to_contain_text("optimizer step 1: loss")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(read).to_contain_text("optimizer step 297: loss not finite")
    page.mouse.move(*within(loss, 100 / 299))
    expect(read).to_contain_text("optimizer step 100: loss")
    expect(read).to_contain_text("validation loss")


def test_a_chart_zooms_by_keyboard_mouse_and_button_and_resets(page: Page) -> None:
    norm = page.locator("#chart-norm")
    plot, ticks = norm.locator(".plot"), norm.locator(".across text")
    whole = ["0", "50", "100", "150", "200", "250"]
    assert ticks.all_text_contents() == whole
    norm.locator(".frame").focus()
    page.keyboard.press("Home")
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(plot).to_have_attribute("viewBox", "0 0 250 1000")
    assert ticks.all_text_contents() == ["0", "10", "20", "30", "40", "50", "60", "70"]
    page.keyboard.press("End")
    expect(plot).to_have_attribute("viewBox", "750 0 250 1000")
    page.keyboard.press("0")
    expect(plot).to_have_attribute("viewBox", "0 0 1000 1000")
    assert ticks.all_text_contents() == whole
    norm.get_by_role("button", name="Zoom in").click()
    expect(plot).not_to_have_attribute("viewBox", "0 0 1000 1000")
    norm.get_by_role("button", name="Reset").click()
    expect(plot).to_have_attribute("viewBox", "0 0 1000 1000")
    page.mouse.move(*within(norm, 0.25))
    page.mouse.down()
    page.mouse.move(*within(norm, 0.75))
    page.mouse.up()
    start, _, width, _ = map(float, (plot.get_attribute("viewBox") or "").split())
    assert (round(start), round(width)) == (250, 500)
    page.mouse.dblclick(*within(norm, 0.1))
    expect(plot).to_have_attribute("viewBox", "0 0 1000 1000")


def test_legible_without_scripts(browser: Browser, report: Path) -> None:
    with opened(browser, report, java_script_enabled=False) as (page, record):
        assert visible(page, ".finding") == page.locator(".finding").count() > 0
        assert visible(page, ".copy, .filters, .tools") == 0
        expect(page.locator("#chart-loss .drawing .line").first).to_be_visible()
        page.locator("#chart-loss summary").click()
        expect(page.get_by_role("cell", name="not finite").first).to_be_visible()
        expect(page.locator(".finding .note").first).to_be_visible()
        page.locator("#passed summary").click()
        expect(page.locator("#passed li").first).to_be_visible()
        assert record == Record(requests=[report.as_uri()])


def test_scripts_change_nothing_of_what_is_shown_where(browser: Browser, report: Path) -> None:
    layouts = []
    for enabled in (True, False):
        with opened(browser, report, java_script_enabled=enabled) as (page, _):
            parts = page.locator("h1, h2, h3, h4, .excerpt, .patch code, .drawing, .scorecard, .help").locator(
                "visible=true"
            )
            texts = parts.all_inner_texts()
            boxes = [parts.nth(n).bounding_box() or {} for n in range(0, len(texts), 7)]
            layouts.append((texts, [(round(box["x"]), round(box["width"])) for box in boxes]))
    assert len(layouts[0][0]) > 60
    assert layouts[0] == layouts[1]


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_is_wider_than_the_window(browser: Browser, report: Path, width: int) -> None:
    with opened(browser, report, viewport={"width": width, "height": 800}) as (page, _):
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_print_leaves_out_what_only_works_on_a_screen(browser: Browser, report: Path) -> None:
    with opened(browser, report) as (page, _):
        page.emulate_media(media="print")
        assert visible(page, ".filters, .contents, .copy, .tools") == 0
        assert visible(page, ".finding") == page.locator(".finding").count()
        assert page.pdf()[:4] == b"%PDF"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_barrier(browser: Browser, report: Path, scheme: str) -> None:
    with opened(browser, report, color_scheme=scheme, bypass_csp=True) as (page, _):
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = !one.closest('.chart'); })")
        page.evaluate("document.querySelectorAll('#chart-update details').forEach((one) => { one.open = true; })")
        found = Axe().run(page).response["violations"]
        assert [summary(one) for one in found if one["impact"] in SERIOUS] == []


def summary(violation: dict[str, Any]) -> str:
    nodes = violation["nodes"]
    return f"{violation['id']}: {len(nodes)} times, {nodes[0]['html'][:300]} {nodes[0]['failureSummary'][:300]}"


@pytest.mark.parametrize("protected", [True, False])
def test_nothing_hostile_runs(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    found = audited(*[path.relative_to(tmp_path) for path in hostile_files(tmp_path)])
    assert len(found.findings) > 4
    found = with_probe(found, hostile_probe())
    file = tmp_path / "report.html"
    file.write_text(html(found.model_copy(update={"findings": (*found.findings, hostile_finding())})), encoding="utf-8")
    with opened(browser, file, bypass_csp=not protected) as (page, record):
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        for element in page.locator("summary, button, select, .frame").all()[:200]:
            element.dispatch_event("mouseover")
            element.focus()
            page.keyboard.press("End")
        assert page.evaluate("window.canary") is None
        assert page.locator("img, svg[onload], iframe, object, embed, main script").count() == 0
        assert "{{ 7 * 191 }}" in page.locator("#findings").inner_text()
        assert record == Record(requests=[file.as_uri()])


def test_the_canary_would_sing(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "open.html"
    file.write_text("<script>window.canary=1</script>")
    with opened(browser, file) as (page, _):
        assert page.evaluate("window.canary") == 1
