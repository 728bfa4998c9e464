"""Good programs of many kinds, on which nobody should be bothered: each is understood, and draws no warning or error."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from rule_pages import RULES

from lstmadvisor import config, engine, sources
from lstmadvisor.extract import programs
from lstmadvisor.facts import Frozen, Program, items
from lstmadvisor.model import Severity

FOLDER = Path(__file__).with_name("silent")
PROGRAMS = sorted(path.name for path in FOLDER.iterdir() if path.suffix in ("", ".py", ".ipynb"))
CELLS_BY_HAND = frozenset(("convlstm_nowcasting", "layer_norm_lstm_cell.py"))
IN_KERAS = frozenset(name for name in PROGRAMS if name.startswith(("keras_", "tf_")))


@pytest.fixture(autouse=True)
def _among_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)


@functools.cache
def understood(name: str) -> tuple[Program, ...]:
    path = FOLDER / name
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    library = sources.Library()
    found = programs.understand(files, library)
    assert not library.messages
    return found


def test_there_are_many() -> None:
    assert len(PROGRAMS) >= 50
    assert sum(name.endswith(".ipynb") for name in PROGRAMS) >= 2
    assert sum((FOLDER / name).is_dir() for name in PROGRAMS) >= 6


@pytest.mark.parametrize("name", PROGRAMS)
def test_is_understood(name: str) -> None:
    (program,) = understood(name)
    assert program.framework == ("keras" if name in IN_KERAS else "pytorch")
    assert program.api != "module", "no training was seen"
    assert items(program.recurrent_layers) or name in CELLS_BY_HAND


@pytest.mark.parametrize("name", PROGRAMS)
def test_draws_no_warning_and_no_error(name: str) -> None:
    judgement = engine.judge(understood(name), RULES, config.settings(config.Config(), RULES))
    assert [(o.rule, o.reason) for o in judgement.outcomes if o.state == "error"] == []
    loud = [f for f in judgement.findings if f.severity is not Severity.ADVICE]
    assert [(f.code, f.at.path, f.at.line, f.message) for f in loud] == []


def models(value: object) -> Iterator[Frozen]:
    """All models in a value, however deep."""
    if isinstance(value, Frozen):
        yield value
        value = list(vars(value).values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from models(each)


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_stated_is_of_the_types_declared(name: str) -> None:
    """The constructors do not check it."""
    programs = understood(name)
    judgement = engine.judge(programs, RULES, config.settings(config.Config(), RULES))
    stated = list(models([programs, judgement.outcomes, judgement.findings]))
    assert len(stated) > 100
    for model in stated:
        type(model).model_validate(vars(model), strict=True)
