"""What the tests of the extractors share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lstmadvisor.extract.programs import understand
from lstmadvisor.facts import Program
from lstmadvisor.sources import Library

FactsOf = Callable[..., Program]


@pytest.fixture
def facts_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FactsOf:
    """`facts_of(text)` or `facts_of({name: text, …}, entry)`: the one program that source text makes."""
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def facts_of(files: str | Mapping[str, str], entry: str = "train.py") -> Program:
        for name, text in ({entry: files} if isinstance(files, str) else files).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        library = Library()
        found = understand([tmp_path / entry], library)
        assert len(found) == 1, (found, library.messages)
        return found[0]

    return facts_of
