"""The HTML report as a text: complete, closed, the same every time, and no larger than it may be."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from report_examples import CANARY, HOSTILE, audited, copied, hostile_files, hostile_finding, html, many_findings

from lstmadvisor.cli import main
from lstmadvisor.facts import Place, Program
from lstmadvisor.model import Finding, Message, Report, Severity
from lstmadvisor.report.highlight import Stretch, column, line_html, tokens
from lstmadvisor.report.prose import markdown, sentence

SECTIONS = ["scorecard", "findings", "undecided", "passed", "not-applicable", "facts", "source", "reproduce"]


class Elements(HTMLParser):
    """The elements of a page, their ids and their links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of an example, audited in its own folder."""
    folder = copied("charmodel", tmp_path_factory.mktemp("example"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return html(audited(Path("train.py")))


def test_every_section_is_there_in_order(page: str) -> None:
    assert re.findall(r'<section id="([\w-]+)"', page) == SECTIONS


def test_every_id_is_unique_and_every_link_leads_somewhere(page: str) -> None:
    elements = Elements(page)
    assert [name for name, count in Counter(elements.ids).items() if count > 1] == []
    inner = {link[1:] for link in elements.links if link.startswith("#")}
    assert inner
    assert inner <= set(elements.ids)
    assert {link for link in elements.links if not link.startswith(("#", "https://"))} == {"data:,"}


def test_a_finding_is_linked_with_its_line_in_the_source(page: str) -> None:
    (line,) = re.findall(r'<span class="l error" id=(s\d+-93)>', page)
    assert f'<a class="place" href="#{line}">train.py:93</a>' in page
    assert '<a class="badge error" href="#LA523-train.py-93">LA523</a>' in page
    assert 'id="LA523-train.py-93"' in page


def test_the_policy_allows_the_own_style_and_script_and_nothing_else(page: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1].replace("&#39;", "'")
    assert policy[1].startswith("default-src &#39;none&#39;;")
    assert not [name for name, _ in Elements(page).attributes if name == "style" or name.startswith("on")]


def test_the_same_report_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied("sunspots", tmp_path))
    runs = []
    for name in ("one.html", "two.html"):
        result = CliRunner().invoke(main, ["audit", "train.py", "--html", name])
        assert result.exit_code == 1, result.output
        runs.append(Path(name).read_bytes())
    assert runs[0] == runs[1]


def test_the_terminal_still_gets_its_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied("sunspots", tmp_path))
    plain = CliRunner().invoke(main, ["check", "train.py"])
    told = CliRunner().invoke(main, ["check", "train.py", "--html", "report.html"])
    assert told.stdout == plain.stdout
    assert told.stderr == plain.stderr + "report written to report.html\n"


def test_how_to_reproduce_names_what_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied("sunspots", tmp_path))
    Path("pyproject.toml").write_text('[tool.lstmadvisor]\nignore = ["LA101"]\n')
    arguments = [
        "check",
        "--select",
        "LA5,LA6",
        "-q",
        ".",
        "--html",
        "x.html",
        "-o",
        "x.txt",
        "--min-severity",
        "error",
    ]
    CliRunner().invoke(main, arguments)
    page = Path("x.html").read_text(encoding="utf-8")
    command = "lstmadvisor check --select LA5 --select LA6 --min-severity error . --html report.html"
    assert f"<code>{command}</code>" in page
    assert "&#34;LA101&#34;" in page
    digest = hashlib.sha256(Path("train.py").read_bytes()).hexdigest()
    assert f"<code>{digest}</code>" in page
    assert str(tmp_path) not in page


def test_hostile_sources_stay_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = [path.relative_to(tmp_path) for path in hostile_files(tmp_path)]
    report = audited(*files)
    assert {finding.at.path for finding in report.findings} == {str(path) for path in files}
    page = html(report.model_copy(update={"findings": (*report.findings, hostile_finding())}))
    elements = Elements(page)
    assert elements.tags["script"] == elements.tags["style"] == 1
    assert elements.tags["img"] == 0
    assert not [name for name, _ in elements.attributes if name.startswith("on")]
    assert "1337" not in page
    assert "{{ 7 * 191 }}" in page
    assert "&amp;lt;b&amp;gt;" in page
    assert not re.search("[\u202e\u2066\x1b\x07\u200b\ufeff]", page)
    assert "<u>\\u202e</u>" in page


def test_a_notebook_is_shown_by_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied("notebook", tmp_path))
    report = audited(Path("forecast.ipynb"))
    cell = report.findings[0].at.cell
    page = html(report)
    assert f"forecast.ipynb:cell&nbsp;{cell}:" in page
    assert f"<span>forecast.ipynb, cell {cell}</span>" in page


def test_size_of_an_audit_and_of_500_findings(page: str) -> None:
    assert len(page.encode()) <= 200_000
    report = many_findings(500)
    assert len(report.findings) == 500
    assert len(html(report).encode()) <= 2_000_000


def test_several_programs_share_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("sunspots", "charmodel"):
        copied(name, tmp_path)
    report = audited(Path("sunspots/train.py"), Path("charmodel/train.py"))
    page = html(report)
    assert page.count('<table class="scorecard">') == 2
    assert page.count('<table class="facts">') == 2
    assert "<h1>2 programs</h1>" in page
    assert Elements(page).ids.count("LA502-sunspots-train.py-61") <= 1


def test_a_report_without_findings_says_so() -> None:
    clean = html(Report(files=("train.py",), programs=(Program(path="train.py"),)))
    assert "No findings." in clean
    assert 'class="filters"' not in clean
    assert "No recurrent network found." in html(Report(files=("train.py",)))


def test_what_was_not_read_is_told() -> None:
    at = Place(path="a.ipynb", cell=3, line=1)
    messages = (Message(path="<b>.py", text="not UTF-8", fatal=True), Message(path="a.ipynb", text="left out", at=at))
    page = html(Report(files=("a.ipynb",), messages=messages))
    assert '<li><span class="place">&lt;b&gt;.py</span>: not UTF-8</li>' in page
    assert '<li><span class="place">a.ipynb:cell&nbsp;3:1</span>: left out</li>' in page


def test_findings_of_the_same_line_have_anchors_of_their_own() -> None:
    at = Place(path="a b.py", line=3)
    same = Finding(at=at, message="m", code="LA502", rule="clip-after-step", severity=Severity.ERROR)
    ids = Elements(html(Report(findings=(same, same.model_copy(update={"message": "n"}))))).ids
    assert {"LA502-a-b.py-3", "LA502-a-b.py-3-2"} <= set(ids)


def test_tokens_are_found_in_broken_code_too() -> None:
    text = 'x = f"a" + """b\nc""" # d\nif x == 1e-3: y = \'open\nreturn'
    styles = {
        n: [(text.split("\n")[n - 1][s.start : s.end], s.style) for s in found] for n, found in tokens(text).items()
    }
    assert styles == {
        1: [('f"a"', "s"), ('"""b', "s")],
        2: [('c"""', "s"), ("# d", "c")],
        3: [("if", "k"), ("1e-3", "d"), ("'open", "s")],
        4: [("return", "k")],
    }


def test_a_marked_span_crosses_tokens_and_tabs() -> None:
    html = line_html("\treturn '<' ", [Stretch(1, 7, "k"), Stretch(8, 11, "s")], [Stretch(1, 11, "p")])
    assert html == (
        "    <mark class=p><i class=k>return</i></mark><mark class=p> </mark><mark class=p><i class=s>'&lt;'</i></mark> "
    )
    assert column("\té日x", 4) == 8


def test_sentences_and_pages_are_escaped() -> None:
    assert sentence("`a<b>` and <b> `") == "<code>a&lt;b&gt;</code> and &lt;b&gt; `"
    page = markdown(f"<script>{CANARY}</script> [x](javascript:{CANARY}) ![y](data:image/png,y) **b**")
    assert "<script" not in page
    assert "href" not in page
    assert "<img" not in page
    assert "<strong>b</strong>" in page


def test_hostile_texts_are_hostile() -> None:
    assert all(not text.isprintable() or set(text) & set("<&{") or "onfocus" in text for text in HOSTILE)
