"""The step of the GitHub Action that checks, run as a runner would run it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def step(name: str) -> dict[str, Any]:
    (found,) = [step for step in ACTION["runs"]["steps"] if step["name"] == name]
    return dict(found)


def check(folder: Path, **inputs: str) -> tuple[int, str, dict[str, str]]:
    """Runs the step: its exit status, what it said and the outputs that it set."""
    tool = folder / "temp" / "lstmadvisor" / "bin" / "lstmadvisor"
    tool.parent.mkdir(parents=True)
    tool.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m lstmadvisor "$@"\n', encoding="utf-8")
    tool.chmod(0o755)
    given = {
        f"${{{{ inputs.{name} }}}}": inputs.get(name, ACTION["inputs"][name]["default"]) for name in ACTION["inputs"]
    }
    environment = {name: given[value] for name, value in step("Check")["env"].items()}
    outputs = folder / "outputs"
    outputs.touch()
    own = {
        "RUNNER_TEMP": str(folder / "temp"),
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step("Check")["run"]],
        cwd=folder, env={**os.environ, **environment, **own}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    set_ = dict(line.split("=", 1) for line in outputs.read_text(encoding="utf-8").splitlines())
    return done.returncode, done.stdout + done.stderr, set_


def test_annotations_sarif_and_report(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "sunspots" / "train.py", tmp_path)
    status, said, outputs = check(tmp_path, arguments="--ignore LA202,LA6 --fail-on error")
    assert status == 1
    assert "::error title=LA502 clip-after-step,file=train.py,line=56," in said
    assert "LA601" not in said
    results = json.loads(Path(outputs["sarif"]).read_text(encoding="utf-8"))["runs"][0]["results"]
    assert "LA502" in [result["ruleId"] for result in results]
    assert "clip-after-step" in Path(outputs["html"]).read_text(encoding="utf-8")
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").startswith("### ▲ lstmadvisor: ")


def test_nothing_is_uploaded_where_nothing_could_be_run(tmp_path: Path) -> None:
    status, said, outputs = check(tmp_path, paths="$(touch${IFS}owned) `touch owned` gone.py")
    assert status == 2
    assert "gone.py: no such file or folder" in said
    assert outputs == {}
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(("name", "output"), [("Upload to code scanning", "sarif"), ("Keep the report", "html")])
def test_uploads_read_what_the_check_wrote(name: str, output: str) -> None:
    upload = step(name)
    written = f"steps.check.outputs.{output}"
    assert f"{written} != ''" in upload["if"]
    assert f"${{{{ {written} }}}}" in upload["with"].values()
    assert ACTION["outputs"][output]["value"] == f"${{{{ {written} }}}}"
