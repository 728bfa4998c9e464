"""A short run of the fuzzer; `benchmarks/fuzz.py --cases 20000` is the long one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks import fuzz


@pytest.mark.parametrize("first", range(0, 1_200, 200))
def test_no_program_crashes_the_reader_or_a_rule(first: int) -> None:
    assert fuzz.work(first, first + 200, (), fuzz.from_grammar(30), seconds=30) == []


def test_a_crash_and_a_hang_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(request: object) -> None:
        raise ZeroDivisionError

    def hang(request: object) -> None:
        while True:
            pass

    monkeypatch.setattr(fuzz, "audit", crash)
    assert "ZeroDivisionError" in fuzz.tried(b"", tmp_path / "train.py", seconds=1)
    monkeypatch.setattr(fuzz, "audit", hang)
    assert "more than 0.1 s" in fuzz.tried(b"", tmp_path / "train.py", seconds=0.1)


def test_a_case_is_the_same_for_the_same_number() -> None:
    texts = fuzz.seeds()
    assert fuzz.mutated(random.Random(7), texts) == fuzz.mutated(random.Random(7), texts)
    assert len({fuzz.mutated(random.Random(case), texts) for case in range(50)}) == 50
