"""Sentences and rule pages as HTML: code in backticks, and Markdown without any HTML of its own."""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

from lstmadvisor.report.highlight import spelt

_CODE = re.compile(r"`([^`\n]+)`")


def sentence(text: str) -> Markup:
    """A message, what stands in backticks as code."""
    parts = _CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(spelt(part)) if number % 2 else spelt(part)
        for number, part in enumerate(parts)
    )


def markdown(text: str) -> Markup:
    """Part of a rule's page.  HTML in it is shown as text; links lead to the web only."""
    return Markup(_reader().render(text))


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    reader.validateLink = lambda url: url.startswith(("https://", "http://"))  # type: ignore[method-assign]
    return reader
