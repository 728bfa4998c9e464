"""Reports for people and machines, on small examples."""

from __future__ import annotations

import json
import textwrap

import pytest

from lstmadvisor.facts import Known, Optimizer, Place, Program, Read, RecurrentLayer, Unknown
from lstmadvisor.fix.diff import between
from lstmadvisor.model import Evidence, Finding, Fix, Grade, Outcome, Report, ScorecardLine, Severity
from lstmadvisor.report import machine, text
from lstmadvisor.report.diffs import excerpt
from lstmadvisor.report.excerpt import Excerpts, Span
from lstmadvisor.report.facts_text import facts_text
from lstmadvisor.report.terminal import Paint, safe, width
from lstmadvisor.report.text import Look


def finding(line: int = 2, column: int = 1, **given: object) -> Finding:
    values: dict[str, object] = {
        "at": Place(path="train.py", line=line, column=column), "message": "gradients are clipped too late",
        "code": "LA501", "rule": "clip-after-step", "severity": Severity.ERROR, "grade": Grade.A, "topic": "other",
        **given,
    }  # fmt: skip
    return Finding.model_validate(values)


def full(report: Report, **look: object) -> str:
    return text.full(report, Look(**{"quiet": True, **look}))  # type: ignore[arg-type]


def test_full_with_places_in_two_files_a_note_a_series_and_a_fix() -> None:
    one = finding(
        at=Place(path="train.py", line=12, column=5, end_line=12, end_column=9),
        label="too late",
        help="clip before",
        evidence=(
            Evidence(at=Place(path="train.py", line=10, column=5, end_line=10, end_column=9), text="used here"),
            Evidence(at=Place(path="model.py", line=1, column=1), text="built here"),
            Evidence(at=Place(path="gone.py", line=3), text="unreadable"),
            Evidence(series="gradient norm", text="up to 31.2"),
            Evidence(text="a remark"),
        ),
        fix=Fix(title="move the call", applicability="unsafe"),
    )
    lines = [f"# {n}" for n in range(1, 13)]
    lines[9], lines[11] = "    step()", "    clip(model)"
    report = Report(findings=(one,), sources={"train.py": "\n".join(lines), "model.py": "net = LSTM(3)\n"})
    assert full(report) == textwrap.dedent("""\
        error[LA501] clip-after-step: gradients are clipped too late
          --> train.py:12:5
           |
        10 |     step()
           |     ---- used here
        11 | # 11
        12 |     clip(model)
           |     ^^^^ too late
           |
          ::: model.py:1:1
           |
         1 | net = LSTM(3)
           | --- built here
           |
           = note: gone.py:3:1: unreadable
           = note: gradient norm (measured): up to 31.2
           = note: a remark
           = help: clip before
           = unsafe fix: move the call
        """)


def test_cells_are_shown() -> None:
    place = Place(path="book.ipynb", cell=3, line=1, column=5)
    report = Report(findings=(finding(at=place),), sources={"book.ipynb#3": "x = LSTM(3)"})
    assert " --> book.ipynb:cell 3:1:5\n" in full(report)
    assert text.concise(report, Look()).startswith("book.ipynb:cell 3:1:5: error[LA501] clip-after-step: ")


def test_nothing_from_user_code_reaches_the_terminal_raw() -> None:
    evil = "\x1b]0;title\x07 \u202egnp\u2066 \x9b31m \r\udc80"
    at = Place(path=f"a{evil}.py", line=1)
    one = finding(at=at, message=evil, help=evil, label=evil, evidence=(Evidence(text=evil),))
    report = Report(
        files=("x",), findings=(one,), programs=(Program(path=evil),), sources={at.path: f"x = 1  # {evil}"},
        outcomes=(Outcome(rule="r", code="c", topic="t", program="p", state="undecided", reason=evil),),
    )  # fmt: skip
    for shown in (text.full(report, Look()), text.audited(report, Look()), text.concise(report, Look())):
        assert all(character.isprintable() or character == "\n" for character in shown)
        assert r"\x1b]0;title\x07" in shown
    assert facts_text(report, Paint()).replace("\n", "").isprintable()


def test_safe_and_width() -> None:
    assert safe("naïve … 中 x") == "naïve … 中 x"
    assert safe("a\tb\n\u200f\U000e0041") == "a\\x09b\\x0a\\u200f\\U000e0041"
    assert [width(c) for c in "a中\u0301"] == [1, 2, 0]


def draw(source: str, columns: int = 80, **place: int) -> str:
    at = Place(path="a.py", **{"line": 1, **place})
    return "\n".join(Excerpts(Paint(), columns).draw(source, [Span(at, "", "error", "^")], 1))


@pytest.mark.parametrize(
    ("source", "place", "drawn"),
    [
        ("x = f(0.75)", {"column": 7}, "1 | x = f(0.75)\n  |       ^^^^"),
        ("x = 'a b'", {"column": 5}, "1 | x = 'a b'\n  |     ^^^^^"),
        ("\tx = 1", {"column": 2, "end_column": 3, "end_line": 1}, "1 |     x = 1\n  |     ^"),
        ("'中中', lr", {"column": 7, "end_column": 9, "end_line": 1}, "1 | '中中', lr\n  |         ^^"),
        ("'\x1b', lr", {"column": 6, "end_column": 8, "end_line": 1}, "1 | '\\x1b', lr\n  |         ^^"),
        (
            "f(\n  a,\n)",
            {"column": 1, "end_line": 3, "end_column": 2},
            "1 | f(\n  | ^^\n2 |   a,\n  |   ^^\n3 | )\n  | ^",
        ),
        ("f(\n\n\n\n)", {"column": 1, "end_line": 5, "end_column": 2}, "1 | f(\n  | ^^"),
        ("x", {"column": 40}, "1 | x\n  |  ^"),
        ("x", {"line": 7}, ""),
        ("", {"column": 1}, "1 |\n  | ^"),
    ],
)
def test_underlining(source: str, place: dict[str, int], drawn: str) -> None:
    assert draw(source, **place) == drawn


def test_a_diff_of_a_last_line_without_a_newline_is_one_piece() -> None:
    diff = between("a = 1\nb = 2", "a = 1\nb = 3", "a.py")
    assert list(excerpt(diff, "a.py", 1, Paint())) == ["1 | a = 1", "2 - b = 2", "2 + b = 3"]


def test_long_lines_are_cut_around_the_span() -> None:
    source = "a = 1; " * 40 + "clip(x)" + "; b = 2" * 40
    first, second = draw(source, columns=40, column=281, end_line=1, end_column=288).split("\n")
    assert len(first) == 44
    assert first[4] == first[-1] == "…"
    assert first[second.index("^") : second.rindex("^") + 1] == "clip(x)"


def report_of(*severities: Severity) -> Report:
    found = tuple(finding(line=n, severity=s, rule=f"rule-{n}") for n, s in enumerate(severities, 1))
    return Report(files=("train.py",), programs=(Program(path="train.py"),), findings=found)


def test_summaries() -> None:
    error, warning, advice = Severity.ERROR, Severity.WARNING, Severity.ADVICE
    shown = text.full(report_of(warning, error, error), Look())
    assert shown.endswith("Found 2 errors and 1 warning in 1 file.\nTo read about a finding: lstmadvisor rule rule-2\n")
    assert text.full(report_of(), Look()) == "No findings in 1 file.\n"
    assert text.full(Report(files=("a", "b")), Look()) == "No recurrent network in 2 files.\n"
    shown = text.audited(report_of(error, warning, advice), Look())
    assert "Found 1 error, 1 warning and 1 piece of advice in 1 file.\n" in shown


def test_audit_folds_what_costs_least() -> None:
    report = report_of(*[Severity.ADVICE] * 9, Severity.ERROR, Severity.WARNING)
    folded = text.audited(report, Look())
    assert folded.index("error[") < folded.index("warning[") < folded.index("advice[")
    assert folded.count("advice[") == 6
    assert "3 pieces of advice more; --all shows them" in folded
    assert text.audited(report, Look(all=True)).count("advice[") == 9
    assert text.audited(report_of(*[Severity.ERROR] * 20), Look()).count("error[") == 20


def test_audit_says_what_could_not_be_judged() -> None:
    states = ["undecided"] * 7 + ["passed", "not-applicable"]
    outcomes = [
        Outcome(rule=f"rule-{n}", code="LA1", topic="other", program="train.py", state=state, reason="units: **kwargs")
        for n, state in enumerate(states)
    ]
    report = Report(files=("train.py",), programs=(Program(path="train.py"),), outcomes=tuple(outcomes))
    folded = text.audited(report, Look())
    assert "Could not judge 7 rules:\n  rule-0: units: **kwargs\n" in folded
    assert "  … and 2 more; --all shows them" in folded
    assert "1 rules passed, 1 did not apply." in folded
    assert "rule-6" in text.audited(report, Look(all=True))
    assert "Could not judge" not in text.full(report, Look())
    assert "rule-6" in text.full(report, Look(verbose=True))


def test_scorecard() -> None:
    line = ScorecardLine(
        item="H3", title="Dropout", says="0.2 to 0.5", found="0.7", verdict="departs", action="change", grade="B",
        note="Too much.", at=Place(path="train.py", line=4),
    )  # fmt: skip
    shown = text.audited(Report(files=("train.py",), scorecard=(line,)), Look())
    assert "  To change (1)\n    ✗ departs  H3  Dropout  0.7  train.py:4\n" in shown
    assert "Too much." not in shown
    assert "note: Too much." in text.audited(Report(files=("train.py",), scorecard=(line,)), Look(all=True))


def test_json_has_exactly_the_published_keys() -> None:
    place = Place(path="book.ipynb", cell=2, line=4, column=1)
    series = Evidence(series="loss", text="falls")
    one = finding(at=place, evidence=(Evidence(at=place, text="here"), series), fix=Fix(title="do"))
    outcome = Outcome(rule="r", code="LA1", topic="t", program="p", state="undecided", reason="why")
    document = json.loads(machine.report_json(Report(findings=(one,), outcomes=(outcome,))))
    assert list(document) == ["schema", "tool", "programs", "outcomes", "findings", "scorecard"]
    assert document["schema"] == "lstmadvisor/report/1"
    assert document["outcomes"] == [{"rule": "r", "topic": "t", "program": "p", "state": "undecided", "reason": "why"}]
    (found,) = document["findings"]
    assert list(found) == [
        "code", "rule", "topic", "severity", "grade", "path", "cell", "line", "column", "end_line", "end_column",
        "message", "help", "evidence", "fix", "fingerprint",
    ]  # fmt: skip
    assert found["evidence"] == [
        {"path": "book.ipynb", "cell": 2, "line": 4, "text": "here"}, {"series": "loss", "text": "falls"},
    ]  # fmt: skip
    assert found["fix"] == {
        "title": "do", "applicability": "display", "why": "", "edits": [], "changes": [], "diff": "", "refused": "",
    }  # fmt: skip


PROGRAM = Program(
    path="train.py",
    files=("train.py", "model.py"),
    framework="pytorch",
    api="loop",
    recurrent_layers=(
        RecurrentLayer(
            at=Place(path="model.py", line=3),
            kind=Known(value="LSTM"),
            units=Known(value=200, via="argparse", at=Place(path="train.py", line=24)),
            dropout=Unknown(unknown="**kwargs at model.py:3"),
            bidirectional=Known(value=False, via="default"),
            reads=(Read(what=Known(value="last-step")),),
        ),
    ),
    optimizers=(Optimizer(name=Known(value="Adam"), learning_rate=Known(value=float("inf")), active=False),),
    clipping=Unknown(unknown="an opaque trainer"),
    batch_size=Known(value={"low": 8, "high": 64}, via="search"),
    seeds=(),
)


def test_facts_for_people() -> None:
    assert facts_text(Report(programs=(PROGRAM,)), Paint()) == textwrap.dedent("""\
        train.py  pytorch, loop
          with model.py
          recurrent layers:
            1 LSTM  model.py:3
              units: 200  (argparse)  train.py:24
              dropout: unknown: **kwargs at model.py:3
              bidirectional: no  (default)
              reads:
                1
                  what: last-step
          optimizers:
            1 Adam  not active by default
              learning rate: inf
          clipping: unknown: an opaque trainer
          batch size: low 8, high 64  (search)
          looked for, none: seeds
        """)


def test_facts_for_machines() -> None:
    (program,) = json.loads(machine.facts_json(Report(programs=(PROGRAM,))))["programs"]
    (layer,) = program["recurrent_layers"]
    at = {"path": "train.py", "cell": None, "line": 24, "column": 1}
    assert layer["units"] == {"value": 200, "via": "argparse", "at": at}
    assert layer["dropout"] == {"unknown": "**kwargs at model.py:3"}
    assert layer["bidirectional"] == {"value": False, "via": "default"}
    assert "num_layers" not in layer
    assert program["optimizers"][0]["learning_rate"]["value"] == "Infinity"
    assert program["seeds"] == []
