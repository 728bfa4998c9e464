"""Feeds broken and strange programs to the reader, the extractors and the rules, and reports what crashes or hangs.

    python benchmarks/fuzz.py --cases 20000                 # the examples on the rule pages, mutated
    python benchmarks/fuzz.py --cases 20000 --more FOLDER   # and the Python files and notebooks of a folder

A case is a seed program, mutated: lines dropped, doubled, swapped, moved in from another program; numbers, names,
operators and arguments replaced; bytes broken; notebooks made of it; text that a grammar of Python makes mixed in.  It
is the same for the same number.  A case fails if anything raises, if a rule ends in an error, or if it takes more than
`--seconds` of processor time.  Cases that fail are written to `--keep`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from lstmadvisor import config, facts, model, packs, pages
from lstmadvisor.project import Project
from lstmadvisor.review import Request, audit

ROOT = Path(__file__).resolve().parent.parent
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.])")
NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
CALL = re.compile(r"\w\(([^()\n]*)\)")
EXTREMES = (
    "0", "-1", "1", "2**31", "10**30", "1e308", "float('nan')", "float('inf')", "None", "True", "''", "[]", "{}", "()",
    "b'x'", "1j", "...", "*x", "**x", "lambda *a, **k: a", "(yield)", "[i for i in range(9)]", "{**x}", "x if x else y",
    "f'{x!r:>{y}}'", "(x := 1)", "x[::2, ..., None]", "not x", "-x", "await x", "super()", "self", "__file__",
)  # fmt: skip
WRAPPERS = (
    "for _ in range(3):", "while True:", "if x:", "with torch.no_grad():", "def f(x, *args, **kwargs):", "try:",
    "class C(nn.Module):", "async def g():", "match x:\n    case [a, *b]:\n     if a:", "with open('x') as x, y:",
)  # fmt: skip


OPERATORS = ("=", "+", "**", "@", "==", "+=", "->", ":=")


class Slow(BaseException):
    """A case takes too long."""


@dataclass(frozen=True)
class Failure:
    """What went wrong with one case."""

    case: int
    why: str
    text: str


def seeds(more: Sequence[Path] = ()) -> list[str]:
    """The examples on the pages of the rules, the programs in examples/, and the files of more folders."""
    texts = []
    for rule in packs.rules(packs.packs()):
        for example in pages.read(rule.page).examples:
            texts += [file.text for file in example.files if file.name.endswith(".py")]
    for folder in (ROOT / "examples", *more):
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".ipynb") and path.is_file() and path.stat().st_size < 60_000:
                texts.append(path.read_text(encoding="utf-8", errors="replace"))
    return texts


def mutated(rng: random.Random, texts: Sequence[str]) -> bytes:
    """One case."""
    text = rng.choice(texts)
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8, 13))):
        text = rng.choice(MUTATIONS)(rng, text, texts)[:120_000]
    if rng.random() < 0.05 and not text.startswith("{"):
        text = _notebook(rng, text)
    data = text.encode("utf-8", errors="surrogatepass")
    if rng.random() < 0.05:
        data = _broken_bytes(rng, data)
    return data


def _lines(change: Callable[[random.Random, list[str], Sequence[str]], None]) -> Callable[..., str]:
    def mutate(rng: random.Random, text: str, texts: Sequence[str]) -> str:
        lines = text.split("\n")
        change(rng, lines, texts)
        return "\n".join(lines)

    return mutate


@_lines
def _lose(rng: random.Random, lines: list[str], texts: Sequence[str]) -> None:
    first = rng.randrange(len(lines))
    del lines[first : first + rng.choice((1, 1, 1, 3))]


@_lines
def _double(rng: random.Random, lines: list[str], texts: Sequence[str]) -> None:
    at = rng.randrange(len(lines))
    lines[at:at] = lines[at : at + rng.randrange(1, 6)] * rng.choice((1, 1, 2, 20))


@_lines
def _swap(rng: random.Random, lines: list[str], texts: Sequence[str]) -> None:
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


@_lines
def _splice(rng: random.Random, lines: list[str], texts: Sequence[str]) -> None:
    other = rng.choice(texts).split("\n")
    first = rng.randrange(len(other))
    at = rng.randrange(len(lines))
    lines[at:at] = other[first : first + rng.randrange(1, 30)]


@_lines
def _wrap(rng: random.Random, lines: list[str], texts: Sequence[str]) -> None:
    first = rng.randrange(len(lines))
    indent = re.match(r"\s*", lines[first])[0]  # type: ignore[index]
    last = first + rng.randrange(1, 8)
    head = [indent + line for line in rng.choice(WRAPPERS).split("\n")]
    lines[first:last] = head + ["      " + line for line in lines[first:last]]
    if head[0].endswith("try:"):
        lines[first + len(head) + last - first : 0] = [indent + "finally:", indent + "  pass"]


@_lines
def _indent(rng: random.Random, lines: list[str], texts: Sequence[str]) -> None:
    at = rng.randrange(len(lines))
    lines[at] = rng.choice(("\t", " ", "    ", "")) + lines[at].lstrip()


def _replace(pattern: re.Pattern[str], new: Callable[[random.Random, re.Match[str], str], str]) -> Callable[..., str]:
    def mutate(rng: random.Random, text: str, texts: Sequence[str]) -> str:
        found = list(pattern.finditer(text))
        if not found:
            return text
        match = rng.choice(found)
        return text[: match.start()] + new(rng, match, text) + text[match.end() :]

    return mutate


def _other_name(rng: random.Random, match: re.Match[str], text: str) -> str:
    return rng.choice(NAME.findall(text))


def _fewer_arguments(rng: random.Random, match: re.Match[str], text: str) -> str:
    arguments = match[1].split(",")
    rng.shuffle(arguments)
    return f"{match[0][0]}({','.join(arguments[: rng.randrange(len(arguments) + 1)])})"


def _grammar(rng: random.Random, text: str, texts: Sequence[str]) -> str:
    lines = text.split("\n")
    lines.insert(rng.randrange(len(lines)), rng.choice(GRAMMAR) if GRAMMAR else "")
    return "\n".join(lines)


def _notebook(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    cells = []
    while lines:
        count = rng.randrange(1, 12)
        source: object = [line + "\n" for line in lines[:count]]
        cells.append({"cell_type": rng.choice(("code", "code", "markdown")), "source": source, "metadata": {}})
        del lines[:count]
    kind = rng.randrange(12)
    if kind == 0:
        cells.append({"cell_type": "code", "source": None})
    if kind == 1:
        cells.append({"source": 3})
    book: dict[str, object] = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    if kind == 2:
        book = {"worksheets": [{"cells": cells}], "nbformat": 3}
    return json.dumps(book)


def _broken_bytes(rng: random.Random, data: bytes) -> bytes:
    broken = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        at = rng.randrange(len(broken) + 1)
        broken[at : at + rng.randrange(3)] = rng.choice(
            (b"\0", b"\xff", b"\r", b"\xef\xbb\xbf", b"\x1a", b"\\\n", b"\xc3(", b"# coding: latin-1\n", b"\f", b'"""')
        )
    return bytes(broken)


MUTATIONS: tuple[Callable[[random.Random, str, Sequence[str]], str], ...] = (
    _lose, _double, _swap, _splice, _wrap, _indent, _grammar,
    _replace(NUMBER, lambda rng, match, text: rng.choice(EXTREMES)), _replace(NAME, _other_name),
    _replace(NUMBER, lambda rng, match, text: rng.choice(EXTREMES)), _replace(NAME, _other_name),
    _replace(NAME, lambda rng, match, text: rng.choice(EXTREMES)), _replace(CALL, _fewer_arguments),
    _replace(re.compile(r"[=+*/<>-]+"), lambda rng, match, text: rng.choice(OPERATORS)),
)  # fmt: skip
GRAMMAR: list[str] = []


def from_grammar(count: int) -> list[str]:
    """Statements that Python's own grammar makes."""
    import warnings

    import hypothesis
    import hypothesmith

    made: list[str] = []

    @hypothesis.settings(
        max_examples=count, database=None, deadline=None, derandomize=True, phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(hypothesmith.from_grammar())
    def collect(text: str) -> None:
        made.append(text)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collect()
    return made


def tried(data: bytes, path: Path, seconds: float) -> str:
    """Why the case fails when it is written to `path`, in the working directory; empty if it does not fail."""
    path.write_bytes(data)

    def ring(signum: int, frame: FrameType | None) -> None:
        raise Slow

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        report = audit(Request((path,), Project(root=path.parent), config.Config()))
        for program in report.programs:
            facts.Program.model_validate_json(program.model_dump_json())
        return _faults(report)
    except Slow:
        return f"more than {seconds:g} s: {traceback.format_exc(limit=-3)}"
    except Exception:
        return traceback.format_exc(limit=-4)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _faults(report: model.Report) -> str:
    faults = [message.text for message in report.messages if "internal error" in message.text]
    faults += [f"{one.code}: {one.reason}" for one in report.outcomes if one.state == "error"]
    return "; ".join(faults)


def work(first: int, last: int, more: Sequence[Path], grammar: Sequence[str], seconds: float) -> list[Failure]:
    """Tries the cases from `first` up to `last`."""
    GRAMMAR[:] = grammar
    texts = seeds(more)
    failures = []
    home = Path.cwd()
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        (folder / "pyproject.toml").write_text("")
        os.chdir(folder)
        try:
            for case in range(first, last):
                data = mutated(random.Random(case), texts)
                path = folder / ("train.ipynb" if data.lstrip().startswith(b"{") else "train.py")
                why = tried(data, path, seconds)
                path.unlink()
                if why:
                    failures.append(Failure(case, why, data.decode("utf-8", errors="replace")))
        finally:
            os.chdir(home)
    return failures


def main() -> int:
    """Runs the cases in two processes and prints the failures by kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--more", type=Path, action="append", default=[], help="a folder of further seed programs")
    parser.add_argument("--seconds", type=float, default=10.0, help="of processor time that a case may take")
    parser.add_argument("--keep", type=Path, help="where failing cases are written")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    grammar = from_grammar(200)
    step = 100
    more = [folder.resolve() for folder in given.more]
    starts = range(given.first, given.first + given.cases, step)
    began = time.monotonic()
    failures: list[Failure] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        last = given.first + given.cases
        for found in pool.map(
            work, starts, (min(s + step, last) for s in starts), *([x] * len(starts) for x in (more, grammar)),
            [given.seconds] * len(starts),
        ):  # fmt: skip
            failures += found
    kinds = Counter(failure.why.strip().splitlines()[-1][:200] for failure in failures)
    for kind, count in kinds.most_common():
        first = next(f for f in failures if f.why.strip().splitlines()[-1][:200] == kind)
        print(f"{count} times {kind}\n    first: case {first.case}\n{first.why}")
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        for failure in failures:
            (given.keep / f"{failure.case}.txt").write_text(failure.why + "\n\n" + failure.text)
    print(f"{given.cases} cases, {len(failures)} failed, {time.monotonic() - began:.0f} s on {given.jobs} processes")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
