"""Makes the report and the pictures in this folder: `python examples/report/make.py`; needs the extra `dev`, Chromium.

It audits and probes the example `sunspots`, so that the figures of the run, though not the findings, differ a little
from machine to machine.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).resolve().parent
REPORT = HERE / "report.html"
COMMAND = ("audit", "train.py", "--probe", "--unsafe-fixes", "--html", str(REPORT), "--output-file", "/dev/null")
VIEW = {"width": 1180, "height": 780}


def main() -> None:
    """Write report.html, a picture of its head, and one of a chart as it looks in the dark."""
    subprocess.run([sys.executable, "-m", "lstmadvisor", *COMMAND], cwd=HERE.parent / "sunspots", check=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        picture(browser, "head", "light", "header")
        picture(browser, "chart", "dark", "#probe")
        browser.close()


def picture(browser: Browser, name: str, scheme: str, selector: str) -> None:
    """A picture of the report where an element begins."""
    page = browser.new_page(viewport=VIEW, color_scheme=scheme)
    page.goto(REPORT.as_uri())
    page.locator(selector).first.evaluate("element => element.scrollIntoView()")
    page.screenshot(path=HERE / f"{name}.png")
    page.close()


if __name__ == "__main__":
    main()
