"""Makes the report and the pictures in this folder: `python examples/report/make.py`, with the extra `dev` and Chromium.

It audits and probes the example `sunspots`, so that the figures of the run, though not the findings, differ a little
from machine to machine.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
REPORT = HERE / "report.html"
COMMAND = ("audit", "train.py", "--probe", "--unsafe-fixes", "--html", str(REPORT), "--output-file", "/dev/null")
VIEW = {"width": 1180, "height": 860}


def main() -> None:
    """Write report.html, and a picture of its head and of a chart with a finding, each in light and dark."""
    subprocess.run([sys.executable, "-m", "lstmadvisor", *COMMAND], cwd=HERE.parent / "sunspots", check=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport=VIEW, color_scheme=scheme)
            page.goto(REPORT.as_uri())
            page.screenshot(path=HERE / f"head-{scheme}.png")
            show(page, "#chart-loss")
            page.screenshot(path=HERE / f"chart-{scheme}.png")
            show(page, "[id^=LA502]")
            page.screenshot(path=HERE / f"finding-{scheme}.png")
        browser.close()


def show(page: Page, selector: str) -> None:
    """Scrolls to an element."""
    page.locator(selector).evaluate("element => element.scrollIntoView()")


if __name__ == "__main__":
    main()
