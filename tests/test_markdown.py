"""The comment for a pull request: short, folded, and without effect whatever the reviewed code holds."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from report_examples import HOSTILE, audited, copied, hostile_files, hostile_finding, many_findings

from lstmadvisor.cli import main
from lstmadvisor.facts import Place, Program
from lstmadvisor.model import Finding, Fix, Report, Severity
from lstmadvisor.report.markdown import code, fenced, inline, markdown

OWN_TAGS = set("h3 p em table thead tbody tr th td code pre details summary ul li".split())
FORGE = (
    "@octocat @org/team #1 GH-2 a/b#3",
    "https://example.org www.example.org mailto:x@example.org",
    "[link](https://example.org) ![image](https://example.org/x.png) <https://example.org>",
    "| a | b | `c | d` ``` ~~~ $x$ :smile: **b** _i_ ~~s~~",
    "</details></summary></table>\n\n# heading\n\n- item\n> quote\n    code",
)


class Rendered(HTMLParser):
    """What a forge would show: tags, and the text outside of code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.prose = ""
        self.all = ""
        self._code = 0
        html = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_data(self, data: str) -> None:
        self.all += data
        self.prose += "\0" if self._code else data

    def handle_comment(self, data: str) -> None:
        self.prose += "\0"


def test_an_audit_in_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied("sunspots", tmp_path))
    written = CliRunner().invoke(main, ["audit", "train.py", "--format", "markdown"]).stdout
    assert re.match(r"### ▲ lstmadvisor: \d errors, .* in `train.py`\n\nThe code proves a defect", written)
    row = "| ▲ | LA502 clip-after-step | gradients are clipped to norm 1 after the optimizer has used them | `train.py:56` |"
    assert row in written
    assert "<details><summary>▲ error LA502 clip-after-step, line 56</summary>\n\n```text\nerror[LA502]" in written
    assert "\n```diff\n--- train.py\n" in written
    assert "<summary>The article, line by line: 4 to change" in written
    assert len(written.encode()) < 20_000
    assert written.count("<details>") == written.count("</details>")


@pytest.mark.parametrize("text", [*HOSTILE, *FORGE, " `".join((*HOSTILE, *FORGE))])
def test_a_sentence_has_no_effect(text: str) -> None:
    shown = Rendered(f"| a | b |\n|---|---|\n| {inline(text)} | x |\n")
    assert shown.tags <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert shown.attributes == set()
    assert not re.search(r"[@#]\w|://|www\.|:\w+:", shown.prose)
    assert re.search(r"[\u202e\u2066\x1b\x07\u200b\ufeff]", shown.all) is None


@pytest.mark.parametrize("text", ["a|b", "`", "``x```", " pad ", "<b>", "@x", "\\", "a`b"])
def test_code_shows_its_text(text: str) -> None:
    shown = Rendered(f"| a | b |\n|---|---|\n| {code(text)} | x |\n")
    assert shown.tags == {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert text.strip() in shown.all


def test_a_fence_holds_whatever_stands_in_it() -> None:
    text = "```\n</details>\n~~~\n````\n# x"
    shown = Rendered(fenced(text))
    assert shown.tags == {"pre", "code"}
    assert shown.all.strip() == text
    assert len(fenced("line\n" * 5000)) < 7_000


def test_hostile_programs_are_neutralised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = audited(*[path.relative_to(tmp_path) for path in hostile_files(tmp_path)])
    nasty = hostile_finding()
    forge = nasty.model_copy(
        update={"message": "\n".join(FORGE), "fix": Fix(title="t", diff="--- a\n+````\n+</details>\n")}
    )
    written = markdown(report.model_copy(update={"findings": (*report.findings, nasty, forge)}))
    shown = Rendered(written)
    assert shown.tags <= OWN_TAGS
    assert shown.attributes <= {"class"}
    assert not re.search(r"[@#]\w|://|www\.", shown.prose)
    assert written.count("<details><summary>") >= len(report.findings) + 2


def test_five_hundred_findings_fit_a_comment() -> None:
    written = markdown(many_findings(500))
    assert 30_000 < len(written.encode()) < 60_000
    assert "and " in written
    assert re.search(r"\*\d+ more parts did not fit; `lstmadvisor` shows all\.\*\n$", written)
    assert written.count("<details>") == written.count("</details>")


@pytest.mark.parametrize("sign", ["m", "#", "\u202e"])
def test_long_texts_are_cut(sign: str) -> None:
    at = Place(path=f"{sign * 2000}.py", line=1)
    long = Finding(at=at, message=sign * 100_000, code="LA502", rule="clip-after-step", severity=Severity.ERROR)
    assert len(markdown(Report(programs=(Program(path=at.path),), findings=(long,) * 60)).encode()) < 60_000


def test_nothing_found_is_one_line() -> None:
    assert markdown(Report(programs=(Program(path="x.py"),))) == "### ✓ lstmadvisor: no findings in `x.py`\n"
    assert markdown(Report()) == "### ? lstmadvisor: no recurrent network found\n"
