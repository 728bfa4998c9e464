"""Known findings: which of them a review recognises, and what the file says of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lstmadvisor import baseline
from lstmadvisor.baseline import Baseline, Entry, Matching
from lstmadvisor.cli import main
from lstmadvisor.errors import UserError
from lstmadvisor.facts import Place
from lstmadvisor.model import Finding, Severity

TRAIN = (Path(__file__).parents[1] / "examples" / "sunspots" / "train.py").read_text(encoding="utf-8")
KNOWN = ["--baseline", "known.json"]


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(TRAIN, encoding="utf-8")


def run(*arguments: str, code: int) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == code, result.output
    return result


def codes(*arguments: str, code: int) -> list[str]:
    found = json.loads(run(*arguments, "--format", "json", code=code).stdout)["findings"]
    return sorted(finding["code"] for finding in found)


def entry(path: str = "a.py", code: str = "LA201", fingerprint: str = "1", severity: str = "warning") -> Entry:
    return Entry(path, code, "some-rule", severity, "too much", fingerprint)


def finding(path: str = "a.py", code: str = "LA201", fingerprint: str = "1") -> Finding:
    return Finding(
        at=Place(path=path, line=7), message="too much", code=code, rule="some-rule", severity=Severity.WARNING,
        fingerprint=fingerprint,
    )  # fmt: skip


def test_only_what_is_new_is_reported() -> None:
    all_of_them = codes("check", "train.py", code=1)
    said = run("check", "train.py", *KNOWN, "--update-baseline", code=0).stderr
    assert said == f"known.json: {len(all_of_them)} known findings, {len(all_of_them)} new, 0 gone\n"
    assert codes("check", "train.py", *KNOWN, code=0) == []
    line = "        total += loss.item() * len(x)\n"
    moved = "# a comment\n\n" + TRAIN.replace(line, line.replace("loss.item()", "loss"))
    Path("train.py").write_text(moved.replace("max_norm=1.0)", "max_norm = 1.0)  # why"), encoding="utf-8")
    assert codes("check", "train.py", *KNOWN, code=1) == ["LA510"]
    log = json.loads(run("check", "train.py", *KNOWN, "--format", "sarif", code=1).stdout)
    silent = [result for result in log["runs"][0]["results"] if result["suppressions"]]
    assert [result["suppressions"] for result in silent] == [[{"kind": "external"}]] * len(all_of_them)


def test_what_is_fixed_is_told_and_can_be_forgotten() -> None:
    run("check", "train.py", *KNOWN, "--update-baseline", code=0)
    clip = "        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)\n"
    step = "        optimizer.step()\n"
    Path("train.py").write_text(TRAIN.replace(step + clip, clip + step), encoding="utf-8")
    said = "known.json: known findings are gone: LA502 in train.py; --update-baseline forgets them\n"
    assert said in run("check", "train.py", *KNOWN, code=0).stderr
    assert "gone" not in run("check", "train.py", *KNOWN, "--ignore", "LA502", code=0).stderr
    assert run("check", "train.py", *KNOWN, "--update-baseline", code=0).stderr.endswith("0 new, 1 gone\n")
    assert "gone" not in run("check", "train.py", *KNOWN, code=0).stderr


def test_the_configuration_may_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pyproject.toml").write_text("[tool.lstmadvisor]\nbaseline = 'known.json'\n")
    assert "no such baseline" in run("check", "train.py", code=2).stderr
    run("check", "train.py", "--update-baseline", code=0)
    assert codes("check", "train.py", code=0) == []
    assert codes("check", "train.py", "--isolated", code=1)
    Path("sub").mkdir()
    monkeypatch.chdir("sub")
    assert codes("check", "../train.py", code=0) == []


def test_an_audit_adds_its_advice_and_a_check_keeps_it() -> None:
    run("audit", "train.py", *KNOWN, "--update-baseline", code=0)
    with_advice = baseline.read(Path("known.json")).entries
    assert "advice" in [one.severity for one in with_advice]
    run("check", "train.py", *KNOWN, "--update-baseline", code=0)
    assert baseline.read(Path("known.json")).entries == with_advice


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "other", "findings": []}', '{"findings": [3]}'])
def test_what_is_no_baseline(text: str) -> None:
    Path("known.json").write_text(text)
    with pytest.raises(UserError, match="not a baseline"):
        baseline.read(Path("known.json"))


def test_update_needs_a_file() -> None:
    assert "--update-baseline needs --baseline" in run("check", "train.py", "--update-baseline", code=2).stderr


def test_an_entry_stands_for_one_finding() -> None:
    Path("a.py").touch()
    matching = Matching(Baseline(Path("known.json"), (entry(),)))
    assert [matching.knows(finding()), matching.knows(finding())] == [True, False]
    for other in (finding(code="LA202"), finding(fingerprint="2"), finding(path="train.py")):
        assert not Matching(Baseline(Path("known.json"), (entry(),))).knows(other)


def test_the_entry_of_a_file_that_moved_counts_for_the_file_that_has_its_line() -> None:
    Path("b.py").touch()
    assert Matching(Baseline(Path("known.json"), (entry("a.py"),))).knows(finding("b.py"))


def test_what_a_review_did_not_see_is_neither_fixed_nor_forgotten() -> None:
    for name in ("a.py", "b.py"):
        Path(name).touch()
    entries = (entry("a.py"), entry("a.py", "LA202"), entry("b.py"), entry("a.py", severity="advice"), entry("gone.py"))
    matching = Matching(Baseline(Path("known.json"), entries))
    assert matching.fixed(["a.py"], {("a.py", "LA202")}) == [entry("a.py", "LA202"), entry("gone.py")]
    new = Baseline(Path("known.json"), entries).updated([], ["a.py"], ["LA201"], Severity.WARNING)
    assert new.entries == tuple(sorted((entry("a.py", "LA202"), entry("b.py"), entry("a.py", severity="advice"))))


def test_one_entry_a_line() -> None:
    Baseline(Path("known.json"), (entry(), entry("b.py"))).write()
    lines = Path("known.json").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4
    assert baseline.read(Path("known.json")).entries == (entry(), entry("b.py"))
