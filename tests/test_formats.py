"""The formats for machines: each as its readers define it, with nothing that user code could steer."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft4Validator, Draft202012Validator

from lstmadvisor import notebooks, schemas
from lstmadvisor.cli import main
from lstmadvisor.facts import Place
from lstmadvisor.model import Evidence, Finding, Message, Outcome, Report, Severity, Suppressed
from lstmadvisor.report import FORMATS, rendered
from lstmadvisor.report.text import Look

ROOT = Path(__file__).parents[1]
OASIS = json.loads((Path(__file__).parent / "schemas" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
NASTY = "bad`\x1b[2J`\n::error file=x::%0A<b>]]>&\x00 [a](http://x) \ud800 ünï"
"""What a name in user code may drag into a message."""


def finding(**changed: Any) -> Finding:
    first = Finding(
        at=Place(path="a b/ü#.py", line=3, column=5, end_line=3, end_column=9),
        message="too much",
        help="take less",
        evidence=(
            Evidence(at=Place(path="other.py", line=1), text="this"),
            Evidence(series="loss", text="3 to 4"),
        ),
        severity=Severity.ERROR,
        topic="other",
        code="LA502",
        rule="clip-after-step",
        fingerprint="00ff",
    )
    return first.model_copy(update=changed)


def written(form: str, *findings: Finding, **more: Any) -> str:
    return rendered(Report(files=("a b/ü#.py",), findings=findings, **more), form, Look(), audit=False)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a program, in which a finding is silenced, and a notebook."""
    shutil.copy(ROOT / "examples" / "notebook" / "forecast.ipynb", tmp_path)
    text = (ROOT / "examples" / "sunspots" / "train.py").read_text(encoding="utf-8")
    silenced = re.sub(r"(clip_grad_norm_\(.*)", r"\1  # lstmadvisor: ignore[clip-after-step] measured", text)
    (tmp_path / "train.py").write_text(silenced, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, code: int) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == code, result.output
    return result


def test_sarif_of_real_programs(example: Path) -> None:
    log = json.loads(run("check", "train.py", "forecast.ipynb", "--format", "sarif", code=1).stdout)
    Draft4Validator(OASIS).validate(log)
    (one,) = log["runs"]
    assert one["originalUriBaseIds"]["SRCROOT"]["uri"] == example.as_uri() + "/"
    rules = one["tool"]["driver"]["rules"]
    listed = json.loads(run("rule", "--format", "json", code=0).stdout)["rules"]
    assert {rule["id"] for rule in rules} == {rule["code"] for rule in listed if rule["enabled"]}
    assert all("## Why it matters" in rule["help"]["markdown"] for rule in rules)
    for result in one["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        location = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert location["uriBaseId"] == "SRCROOT"
        assert location["uri"] in ("train.py", "forecast.ipynb")
        assert re.fullmatch("[0-9a-f]{16}", result["partialFingerprints"]["lstmadvisor/v1"])
    silenced = [result for result in one["results"] if result["suppressions"]]
    assert [(result["ruleId"], result["suppressions"]) for result in silenced] == [
        ("LA502", [{"kind": "inSource", "justification": "measured"}])
    ]
    leak = next(result for result in one["results"] if result["ruleId"] == "LA601")
    lines = Path("train.py").read_text(encoding="utf-8").splitlines()
    region = leak["locations"][0]["physicalLocation"]["region"]
    assert lines[region["startLine"] - 1][region["startColumn"] - 1 : region["endColumn"] - 1].startswith("scaler.fit")
    assert leak["relatedLocations"][0]["message"]["text"] == "the split comes only here"


def test_sarif_carries_the_fixes(example: Path) -> None:
    text = (ROOT / "examples" / "sunspots" / "train.py").read_text(encoding="utf-8")
    Path("train.py").write_text(text, encoding="utf-8")
    command = ["check", "train.py", "--select", "LA502"]
    log = json.loads(run(*command, "--format", "sarif", code=1).stdout)
    Draft4Validator(OASIS).validate(log)
    (result,) = log["runs"][0]["results"]
    (fix,) = result["fixes"]
    assert "(unsafe: " in fix["description"]["text"]
    (changed,) = fix["artifactChanges"]
    lines = text.splitlines(keepends=True)
    for one in sorted(changed["replacements"], key=lambda one: -one["deletedRegion"]["startLine"]):
        region = one["deletedRegion"]
        first, last = region["startLine"] - 1, region["endLine"] - 1
        before, after = (
            lines[first][: region["startColumn"] - 1],
            "".join(lines[last : last + 1])[region["endColumn"] - 1 :],
        )
        lines[first : last + 1] = [before + one["insertedContent"]["text"] + after]
    run(*command, "--fix", "--unsafe-fixes", code=0)
    assert "".join(lines) == Path("train.py").read_text(encoding="utf-8")


def test_places_in_notebooks_are_lines_of_their_json(example: Path) -> None:
    lines = Path("forecast.ipynb").read_text(encoding="utf-8").splitlines()
    reported = json.loads(run("check", "forecast.ipynb", "--format", "json", code=1).stdout)["findings"]
    log = json.loads(run("check", "forecast.ipynb", "--format", "sarif", code=1).stdout)
    cells = dict(enumerate(json.loads("\n".join(lines))["cells"]))
    for found, result in zip(reported, log["runs"][0]["results"], strict=True):
        location = result["locations"][0]
        source = cells[found["cell"]]["source"][found["line"] - 1]
        assert json.dumps(source) in lines[location["physicalLocation"]["region"]["startLine"] - 1]
        assert location["logicalLocations"] == [{"name": f"cell {found['cell']}, line {found['line']}"}]
    first = reported[0]
    annotation = run("check", "forecast.ipynb", "--format", "github", code=1).stdout.splitlines()[0]
    assert f"::cell {first['cell']}, line {first['line']}: {first['message']}" in annotation


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('["a\\n", "b"]', [1, 1]),
        ('["a\\n",\n"b\\n",\n"\\n", "c"]', [1, 2, 3, 3]),
        ('"a\\nb\\n"', [1, 1]),
        ('["a", \n"b\\r\\nc"]', [1, 2]),
        ("[]", []),
    ],
)
def test_lines_of_a_cell(source: str, lines: list[int]) -> None:
    text = '{"cells": [{"cell_type": "code", "source": ' + source + "}]}"
    assert notebooks.source_lines(text) == {0: lines}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', "[" * 100_000])
def test_no_lines_of_what_is_no_notebook(text: str) -> None:
    assert notebooks.source_lines(text) == {}


def test_sarif_of_what_went_wrong() -> None:
    log = json.loads(
        written(
            "sarif",
            finding(message=NASTY, at=Place(path="/elsewhere/x.py", line=1)),
            suppressed=(Suppressed(finding=finding(), by="per-file-ignores"),),
            messages=(Message(path="gone.py", text=NASTY, fatal=True),),
            outcomes=(
                Outcome(rule="clip-after-step", code="LA502", topic="other", program="p.py", state="error", reason="x"),
            ),
        )
    )
    Draft4Validator(OASIS).validate(log)
    (one,) = log["runs"]
    assert one["invocations"][0]["executionSuccessful"] is False
    assert [told["level"] for told in one["invocations"][0]["toolExecutionNotifications"]] == ["error", "error"]
    assert one["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "file:///elsewhere/x.py"
    }
    assert r"\[a](http" in one["results"][0]["message"]["text"]
    assert one["results"][1]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "a%20b/%C3%BC%23.py",
        "uriBaseId": "SRCROOT",
    }
    assert one["results"][1]["suppressions"] == [{"kind": "external"}]


def test_github_escapes() -> None:
    plain = finding(at=Place(path="a,b:c.py", line=3, column=5, end_line=3, end_column=9), message="50% off")
    assert written("github", plain) == (
        "::error title=LA502 clip-after-step,file=a%2Cb%3Ac.py,line=3,endLine=3,col=5,endColumn=9"
        "::50%25 off%0Ahelp: take less\n"
    )
    over_lines = finding(at=Place(path="a.py", line=3, column=5, end_line=4, end_column=2), severity=Severity.ADVICE)
    assert written("github", over_lines).startswith("::notice title=LA502 clip-after-step,file=a.py,line=3,endLine=4::")
    assert written("github", finding(message=NASTY)).count("\n") == 1


def test_gitlab() -> None:
    elsewhere = finding(at=Place(path="c.py", line=3))
    first, second = json.loads(written("gitlab", finding(message=NASTY), elsewhere))
    assert (first["severity"], first["check_name"]) == ("critical", "LA502")
    assert first["location"] == {"path": "a b/ü#.py", "lines": {"begin": 3, "end": 3}}
    assert first["fingerprint"] != second["fingerprint"]


def test_junit() -> None:
    advice = finding(severity=Severity.ADVICE, message="might be")
    crash = Outcome(rule="odd", code="LA999", topic="other", program="a b/ü#.py", state="error", reason=NASTY)
    tree = ElementTree.fromstring(written("junit", finding(message=NASTY), advice, outcomes=(crash,)).encode())
    assert tree.attrib == {"name": "lstmadvisor", "tests": "3", "failures": "1", "errors": "1"}
    failed, told, crashed = tree.findall("testsuite/testcase")
    assert failed.attrib == {
        "name": "LA502 clip-after-step", "classname": "a b/ü#.py", "file": "a b/ü#.py", "line": "3"
    }  # fmt: skip
    assert failed.find("failure").get("type") == "error"  # type: ignore[union-attr]
    assert told.findtext("system-out") == "line 3, column 5: might be\ntake less"
    assert crashed.find("error") is not None
    clean = ElementTree.fromstring(written("junit").encode())
    assert clean.attrib == {"name": "lstmadvisor", "tests": "1", "failures": "0", "errors": "0"}


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_in_user_code_steers_a_reader(form: str) -> None:
    text = written(form, finding(message=NASTY, help=NASTY, at=Place(path="\udcff\n::error file=x.py", line=1)))
    assert "\x1b" not in text
    assert "\x00" not in text
    assert not [line for line in text.splitlines() if line.startswith("::error file=")]
    text.encode("utf-8")


def test_several_formats_in_one_run(example: Path) -> None:
    outputs = [word for form in FORMATS for word in ("--output", f"{form}=report.{form}")]
    shown = run("check", "train.py", "--format", "concise", *outputs, code=1).stdout
    assert shown == Path("report.concise").read_text(encoding="utf-8")
    for form in FORMATS:
        alone = run("check", "train.py", "--format", form, code=1).stdout
        assert Path(f"report.{form}").read_text(encoding="utf-8") == alone
    assert "xml" in run("check", "train.py", "--output", "xml=a", code=2).output
    assert "json" in run("check", "train.py", "--output", "json", code=2).output


@pytest.mark.parametrize("name", schemas.NAMES)
def test_the_published_schemas_are_those_of_the_models(name: str) -> None:
    assert schemas.published(name) == schemas.made(name), "write them anew: python -m lstmadvisor.schemas"
    Draft202012Validator.check_schema(json.loads(schemas.published(name)))
    assert run("schema", name, code=0).stdout == schemas.published(name)


def test_reports_and_facts_keep_to_their_schemas(example: Path) -> None:
    report = json.loads(run("audit", "train.py", "--format", "json", code=1).stdout)
    facts = json.loads(run("facts", "train.py", "forecast.ipynb", "--format", "json", code=0).stdout)
    report_schema = Draft202012Validator(json.loads(schemas.published("report")))
    facts_schema = Draft202012Validator(json.loads(schemas.published("facts")))
    report_schema.validate(report)
    facts_schema.validate(facts)
    for broken in ({**report, "schema": "lstmadvisor/report/2"}, {"schema": report["schema"]}, facts):
        assert not report_schema.is_valid(broken)
    report["findings"][0]["line"] = "three"
    assert not report_schema.is_valid(report)
