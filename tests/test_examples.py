"""The shipped examples run, and the faults listed at their end stand where the lists say."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
ENVIRONMENT = {**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}

SHORT_TEXT = ["--epochs", "1", "--max-chars", "12800", "--sample", "20"]

# A short run of each program, and what it prints at its end.
SCRIPTS = {
    "sunspots/train.py": (["--epochs", "3"], r"test RMSE \d+\.\d sunspots"),
    "sunspots/train_clean.py": (["--epochs", "3"], r"test RMSE \d+\.\d sunspots"),
    "charmodel/train.py": (SHORT_TEXT, r"bits a character\ndef "),
    "charmodel/train_clean.py": (
        ["--epochs", "1", "--max-chars", "12800", "--sample", "20"],
        r"bits a character\ndef ",
    ),
    "vowels/train.py": (["--epochs", "1"], r"test loss \d\.\d+, accuracy 0\.\d+"),
    "vowels/train_clean.py": (["--epochs", "1"], r"test loss \d\.\d+, accuracy 0\.\d+"),
}
NOTEBOOKS = ["notebook/forecast.ipynb", "notebook/forecast_clean.ipynb"]
FAULTY = ["sunspots/train.py", "charmodel/train.py", "vowels/train.py", "notebook/forecast.ipynb"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_runs(name: str) -> None:
    options, expected = SCRIPTS[name]
    output = run_python([str(EXAMPLES / name), *options])
    assert re.search(expected, output), output


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_runs(name: str, tmp_path: Path) -> None:
    source = "\n".join(without_shell_lines(cell) for cell in code_cells(EXAMPLES / name).values())
    assert source.count("\nEPOCHS = 100\n") == 1
    script = tmp_path / "notebook.py"
    script.write_text(source.replace("\nEPOCHS = 100\n", "\nEPOCHS = 2\n"), encoding="utf-8")
    assert "epoch   0" in run_python([str(script)], folder=(EXAMPLES / name).parent)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_is_stored_without_outputs(name: str) -> None:
    notebook = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


@pytest.mark.parametrize("name", FAULTY)
def test_listed_faults_stand_where_the_list_says(name: str) -> None:
    path = EXAMPLES / name
    cells = code_cells(path) if path.suffix == ".ipynb" else {None: path.read_text(encoding="utf-8")}
    *_, last = cells.values()
    entries = [
        re.fullmatch(r"(?:cell (\d+) |(\S+\.py) )?line (\d+), `(.+?)`: (.+)", entry) for entry in listed_faults(last)
    ]
    assert len(entries) >= 4
    for entry in entries:
        assert entry is not None
        cell, other_file, line, fragment, _ = entry.groups()
        if other_file:
            text = path.with_name(other_file).read_text(encoding="utf-8")
        else:
            text = cells[int(cell)] if cell else cells[None]
        assert fragment in text.splitlines()[int(line) - 1], entry.group()


def test_twins_list_no_faults() -> None:
    for name in FAULTY:
        twin = EXAMPLES / name.replace(".", "_clean.")
        assert "# Faults" not in twin.read_text(encoding="utf-8")


def run_python(arguments: list[str], folder: Path | None = None) -> str:
    run = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def code_cells(path: Path) -> dict[int | None, str]:
    """Returns the code cells of a notebook by their number among all cells."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {number: "".join(cell["source"]) for number, cell in enumerate(cells) if cell["cell_type"] == "code"}


def without_shell_lines(source: str) -> str:
    return "\n".join("" if line.startswith(("%", "!")) else line for line in source.splitlines())


def listed_faults(source: str) -> list[str]:
    """Returns the entries of the comment at the end of a program, each as one line."""
    _, _, comment = source.partition("# Faults in this program")
    entries: list[str] = []
    for line in comment.splitlines()[1:]:
        if line.startswith("# - "):
            entries.append(line[4:])
        else:
            entries[-1] += " " + line.removeprefix("#   ")
    return entries
