"""A pack of three small rules and a program in facts, to test the machinery without the real ones."""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from pathlib import Path

import pytest

import lstmadvisor.extract
from lstmadvisor import packs, sources
from lstmadvisor.facts import Clipping, Dropout, Known, Place, Program, Step, TrainingStep

SCRIPT = """\
import torch


drop = torch.nn.Dropout(0.7)  # \x1b[31mred
for x, y in loader:
    loss(model(x), y).backward()
    optimizer.step()
\ttorch.nn.utils.clip_grad_norm_(
        model.parameters(), 1.0
    )
"""

CLIP = """
from lstmadvisor.rule import Evidence, Finding, Iterator, NoOptions, Program, Undecided, active, plain, rule, where

@rule(code="LA501", name="clip-after-step", summary="Gradients are clipped after the optimizer has used them.",
      family="training", topic="clip-misplaced", severity="error", grade="A", article="T2", frameworks=("pytorch",),
      needs=("clipping",), fix="unsafe")
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for clip in active(program.clipping):
        if plain(clip.placement) == "after-step":
            step = next(step for step in program.training_step.order if step.kind == "step")
            yield Finding(at=where(clip), message="gradients are clipped after `step()` has used them",
                          label="too late", help="clip between `backward()` and `step()`",
                          evidence=(Evidence(at=step.at, text="they are used here"),))
"""

DROPOUT = '''
from lstmadvisor.rule import Finding, Iterator, Options, Program, Severity, Undecided, active, number, rule, undecided
from lstmadvisor.rule import where

class Limits(Options):
    """Rates."""

    most: float = 0.5
    """rates above this are a warning"""

@rule(code="LA201", name="dropout-too-high", summary="A dropout rate starves the network.", family="regularisation",
      topic="dropout-too-high", severity="warning", grade="B", article="H3", needs=("dropouts",), options=Limits)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    for dropout in active(program.dropouts):
        rate = number(dropout.rate)
        if rate is None:
            yield undecided(dropout.rate, "the rate")
        elif rate >= 1:
            yield Finding(at=where(dropout.rate, dropout), severity=Severity.ERROR, message=f"a dropout of {rate:g}")
        elif rate > options.most:
            yield Finding(at=where(dropout.rate, dropout), message=f"dropout of {rate:g}", help="try 0.2")
'''

SEED = """
from lstmadvisor.rule import Finding, Iterator, NoOptions, Program, Undecided, rule, where

@rule(code="LA601", name="no-seed", summary="Nothing is seeded.", family="data", topic="determinism",
      severity="advice", grade="B", article="A02")
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    if program.seeds == ():
        yield Finding(at=where(program), message="nothing is seeded")
"""

OFF = """
from lstmadvisor.rule import Finding, Iterator, NoOptions, Program, Undecided, rule, where

@rule(code="LA101", name="gru-alternative", summary="A GRU would do.", family="architecture", topic="gru-alternative",
      severity="advice", grade="C", enabled=False)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    yield Finding(at=where(program), message="a GRU would do")
"""

PAGE = """\
# {code} {name}

What is wrong.

## What it finds

It.

## Why it matters

So.

## Bad

### PyTorch

```python
bad()  # {code}
```

## Good

### PyTorch

```python
good()
```

## When not to worry

Never.

## References

None.
"""


def write_rule(folder: Path, place: str, text: str) -> None:
    """Writes a rule file and its page below `folder`."""
    path = folder / f"{place}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    code = text.partition('code="')[2].partition('"')[0]
    path.with_suffix(".md").write_text(PAGE.format(code=code, name=path.stem.replace("_", "-")))


def install_pack(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts the small pack in place of the built-in one."""
    write_rule(folder, "training/clip_after_step", CLIP)
    write_rule(folder, "regularisation/dropout_too_high", DROPOUT)
    write_rule(folder, "data/no_seed", SEED)
    write_rule(folder, "architecture/gru_alternative", OFF)
    monkeypatch.setattr(packs._where, "shipped", lambda name: folder)
    return folder


def program(path: str = "train.py", rate: float = 0.7) -> Program:
    """What an extractor would say of `SCRIPT`."""
    return Program(
        path=path,
        files=(path,),
        framework="pytorch",
        api="loop",
        seeds=(),
        dropouts=(Dropout(rate=Known(value=rate, at=Place(path=path, line=4, column=25, end_line=4, end_column=28))),),
        clipping=(
            Clipping(
                placement=Known(value="after-step", via="inferred"),
                at=Place(path=path, line=8, column=2, end_line=10, end_column=6),
            ),
        ),
        training_step=TrainingStep(order=(Step(kind="step", at=Place(path=path, line=7, column=5)),)),
    )


def install_extractor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts `program` in place of what extractors find, for every file that mentions a dropout."""

    def understand(paths: Sequence[Path], library: sources.Library, *more: object) -> tuple[Program, ...]:
        found = [source for path in paths if (source := library.source(path))]
        return tuple(program(source.path) for source in found if "Dropout" in source.code)

    fake = types.ModuleType("lstmadvisor.extract.programs")
    fake.understand = understand  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, fake.__name__, fake)
    monkeypatch.setattr(lstmadvisor.extract, "programs", fake, raising=False)
