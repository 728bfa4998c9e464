"""A real browser for tests: one headless Chromium, and pages that keep a record of what they do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass
class Record:
    """What a page asked for and complained of."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The Chromium of the system, as .ci/run installs it."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "these tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, file: Path, *, fragment: str = "", **context: Any) -> Iterator[tuple[Page, Record]]:
    """A page that shows a file; `context` as `new_context` takes it (color_scheme, java_script_enabled, …)."""
    viewport = context.pop("viewport", {"width": 1280, "height": 900})
    shown = browser.new_context(viewport=viewport, **context)
    page, record = shown.new_page(), Record()
    page.on("request", lambda request: record.requests.append(request.url))
    page.on("console", lambda message: record.complaints.append(message.text))
    page.on("pageerror", lambda error: record.complaints.append(str(error)))
    page.on("dialog", lambda dialog: record.complaints.append(f"dialog: {dialog.message}"))
    page.goto(file.as_uri() + fragment)
    yield page, record
    shown.close()
