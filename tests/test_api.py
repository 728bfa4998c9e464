"""lstmadvisor as a library and as a magic of IPython."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

import lstmadvisor

EXAMPLES = Path(__file__).parents[1] / "examples"
TRAIN = EXAMPLES / "sunspots" / "train.py"


def test_check_and_audit() -> None:
    checked, audited = lstmadvisor.check(TRAIN), lstmadvisor.audit(TRAIN)
    assert isinstance(checked, lstmadvisor.Report)
    assert {"LA502", "LA601"} <= {finding.code for finding in checked.findings}
    assert lstmadvisor.Severity.ADVICE not in {finding.severity for finding in checked.findings}
    assert {finding.code for finding in checked.findings} < {finding.code for finding in audited.findings}
    assert audited.scorecard


def test_source_text() -> None:
    text = TRAIN.read_text(encoding="utf-8")
    (finding,) = lstmadvisor.check_source(text, select=["LA502"]).findings
    assert (finding.at.path, finding.rule) == ("<stdin>", "clip-after-step")
    (finding,) = lstmadvisor.check_source(text.encode(), "lib/net.py", select=["LA502"]).findings
    assert finding.at.path == "lib/net.py"
    assert lstmadvisor.check_source("x = 1").findings == ()


def test_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = TRAIN.read_text(encoding="utf-8")
    Path("lstmadvisor.toml").write_text("select = ['LA502']")
    Path("other.toml").write_text("select = ['LA601']")

    def codes(**given: object) -> set[str]:
        report = lstmadvisor.check_source(text, "train.py", **given)  # type: ignore[arg-type]
        return {finding.code for finding in report.findings}

    assert codes() == {"LA502"}
    assert codes(config="other.toml") == {"LA601"}
    assert codes(ignore=["LA5"]) == set()
    assert codes(isolated=True) > {"LA502", "LA601"}


def test_what_cannot_be_done() -> None:
    with pytest.raises(lstmadvisor.UserError, match="no rule answers to"):
        lstmadvisor.check(TRAIN, select=["LA999"])
    with pytest.raises(lstmadvisor.UserError, match="binary"):
        lstmadvisor.check_source(b"\0")


def test_public_names_are_there_and_come_late() -> None:
    assert set(lstmadvisor.__all__) <= set(dir(lstmadvisor))
    assert all(getattr(lstmadvisor, name) is not None for name in lstmadvisor.__all__)
    with pytest.raises(AttributeError):
        lstmadvisor.nothing  # noqa: B018
    program = "import sys, lstmadvisor; print(json.dumps([m for m in sys.modules if 'pydantic' in m or 'libcst' in m]))"
    done = subprocess.run(
        [sys.executable, "-c", f"import json; {program}"], cwd=EXAMPLES.parent, capture_output=True, check=True
    )
    assert json.loads(done.stdout) == []


BUILD = """\
import torch
from torch import nn
lstm, head = nn.LSTM(1, 4, batch_first=True), nn.Linear(4, 1)
parameters = [*lstm.parameters(), *head.parameters()]
optimizer = torch.optim.Adam(parameters, lr=1e-3)
series = torch.sin(torch.arange(8 * 21).reshape(8, 21, 1) / 5)
"""
LOOP = """\
for step in range(2):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(head(lstm(series[:, :-1])[0]), series[:, 1:])
    loss.backward()
    optimizer.step()
    nn.utils.clip_grad_norm_(parameters, 1.0)
print("trained", step)
"""


def test_the_magic_reviews_a_cell_with_those_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    shell = InteractiveShell()
    shell.run_cell("%load_ext lstmadvisor", store_history=True)
    shell.run_cell(BUILD, store_history=True)
    capsys.readouterr()
    shell.run_cell("%%lstmadvisor\n" + LOOP, store_history=True)
    said = capsys.readouterr().out
    assert "error[LA502] clip-after-step" in said
    assert "--> session.ipynb:cell 3:7:5" in said
    assert said.endswith("trained 1\n")
    shell.run_cell("%lstmadvisor LA6", store_history=True)
    assert "LA502" not in capsys.readouterr().out
    shell.run_cell("%lstmadvisor", store_history=True)
    assert "--> session.ipynb:cell 3:7:5" in capsys.readouterr().out
    shell.run_cell("%lstmadvisor LA999", store_history=True)
    assert "lstmadvisor: no rule answers to 'LA999'" in capsys.readouterr().out
