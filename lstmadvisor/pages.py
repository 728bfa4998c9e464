"""Reads the Markdown page of a rule.  Its code blocks are the rule's tests.

Headings, in this order: `# CODE name`, a paragraph, then `SECTIONS` as `##`.  In the sections
that hold examples, `### PyTorch` and `### Keras` say which framework the blocks below are for.

A fenced block with a language is an example.  `# LA203` at the end of a line says that the rule
LA203 must point there.  Blocks named by `file=`, as in ```` ```python file=model.py ````, are joined
with their neighbours to one program, until a name comes again; the last Python file is the one
to run.  A block without a name is a program of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lstmadvisor.errors import UserError

SECTIONS = (
    "What it finds", "Why it matters", "Bad", "Good", "Fixed", "When not to worry", "References",
)  # fmt: skip
"""The headings of a page, all of them due but `OPTIONAL`."""

OPTIONAL = frozenset({"Fixed"})
FRAMEWORKS = {"PyTorch": "pytorch", "Keras": "keras"}
EXAMPLES = ("Bad", "Good", "Fixed", "When not to worry")
ONLY_FILE = "example.py"
"""What the file of an example is called that has no name of its own."""

_TITLE = re.compile(r"# (?P<code>[A-Z]+\d+) (?P<name>[a-z0-9-]+)")
_FENCE = re.compile(r"(?P<ticks>`{3,})\s*(?P<language>[\w+-]*)(?P<info>.*)")
_FILE = re.compile(r"\bfile=(\S+)")
_MARK = re.compile(r"\s*#\s*(?P<codes>[A-Z]{2,}\d{3}(?:\s*,\s*[A-Z]{2,}\d{3})*)\s*$")


class PageError(UserError):
    """A page that does not keep to the form."""


@dataclass(frozen=True)
class Mark:
    """A line of an example where the page expects findings."""

    file: str
    line: int
    codes: tuple[str, ...]


@dataclass(frozen=True)
class File:
    """One file of an example, without its marks."""

    name: str
    language: str
    text: str


@dataclass(frozen=True)
class Example:
    """One program on a page, at `line` of it."""

    section: str
    framework: str | None
    line: int
    files: tuple[File, ...]
    marks: tuple[Mark, ...]

    @property
    def script(self) -> str:
        """The file to run: the last one in Python."""
        return [file.name for file in self.files if file.language == "python"][-1]

    def expected(self, code: str) -> list[tuple[str, int]]:
        """The files and lines where the rule `code` has to point."""
        return sorted((mark.file, mark.line) for mark in self.marks if code in mark.codes)

    def write(self, folder: Path) -> list[Path]:
        """Lays the files out below `folder` and gives their paths."""
        paths = [folder / file.name for file in self.files]
        for path, file in zip(paths, self.files, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, encoding="utf-8")
        return paths


@dataclass(frozen=True)
class Page:
    """A rule's page, taken apart."""

    code: str
    name: str
    summary: str
    sections: dict[str, str]
    examples: tuple[Example, ...]
    text: str

    def brief(self) -> str:
        """What is wrong and why it matters, as Markdown, without the examples."""
        parts = [f"## {name}\n\n{self.sections[name]}" for name in ("What it finds", "Why it matters", "References")]
        return "\n\n".join((self.summary, *parts)) + "\n"

    def of(self, section: str, framework: str | None = None) -> tuple[Example, ...]:
        """The examples of a section, of one framework if that is named."""
        return tuple(e for e in self.examples if e.section == section and framework in (None, e.framework))


@dataclass(frozen=True)
class _Block:
    section: str
    framework: str | None
    line: int
    language: str
    name: str | None
    lines: tuple[str, ...]


def read(path: Path) -> Page:
    """The page at `path`; `PageError` if its form is wrong."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PageError(f"{path}: {error.strerror}") from error
    except PageError as error:
        raise PageError(f"{path}:{error}") from None


def parse(text: str) -> Page:
    """The page that `text` holds.  Errors begin with the number of the line."""
    lines = text.splitlines()
    title = _TITLE.fullmatch(lines[0]) if lines else None
    if not title:
        raise PageError("1: the first line must read '# CODE name'")
    blocks: list[_Block] = []
    bodies: dict[str, list[str]] = {"": []}
    section, framework = "", None
    numbers = iter(range(1, len(lines)))
    for number in numbers:
        line = lines[number]
        if fence := _FENCE.fullmatch(line):
            block = _fenced(lines, number, fence, section, framework)
            bodies[section] += [line, *block.lines, fence["ticks"]]
            blocks += [block] if block.language and section in EXAMPLES else []
            for _ in range(len(block.lines) + 1):
                next(numbers)
            continue
        if line.startswith("## "):
            section, framework = line[3:].strip(), None
            if section in bodies:
                raise PageError(f"{number + 1}: a second heading '{section}'")
            bodies[section] = []
            continue
        if line.startswith("### ") and section in EXAMPLES:
            heading = line[4:].strip()
            if heading not in FRAMEWORKS:
                raise PageError(f"{number + 1}: '{heading}' must be one of {', '.join(FRAMEWORKS)}")
            framework = FRAMEWORKS[heading]
        bodies[section].append(line)
    sections = {name: "\n".join(body).strip() for name, body in bodies.items()}
    summary = sections.pop("")
    _check_order(list(sections))
    if not summary or "\n\n" in summary:
        raise PageError("2: one paragraph must stand below the title")
    return Page(title["code"], title["name"], " ".join(summary.split()), sections, tuple(_examples(blocks)), text)


def _fenced(lines: list[str], start: int, fence: re.Match[str], section: str, framework: str | None) -> _Block:
    for end in range(start + 1, len(lines)):
        if lines[end].strip() == fence["ticks"]:
            name = _FILE.search(fence["info"])
            body = tuple(lines[start + 1 : end])
            return _Block(section, framework, start + 1, fence["language"], name[1] if name else None, body)
    raise PageError(f"{start + 1}: the code block is never closed")


def _check_order(found: list[str]) -> None:
    due = [name for name in SECTIONS if name in found or name not in OPTIONAL]
    if found != due:
        raise PageError(f"1: the headings must be {', '.join(due)}; they are {', '.join(found) or 'none'}")


def _examples(blocks: list[_Block]) -> Iterator[Example]:
    program: list[_Block] = []
    for block in blocks:
        if program and not _belongs(block, program):
            yield _example(program)
            program = []
        program.append(block)
    if program:
        yield _example(program)


def _belongs(block: _Block, program: list[_Block]) -> bool:
    first = program[0]
    return (
        block.name is not None
        and first.name is not None
        and (block.section, block.framework) == (first.section, first.framework)
        and block.name not in [earlier.name for earlier in program]
    )


def _example(program: list[_Block]) -> Example:
    first = program[0]
    if not any(block.language == "python" for block in program):
        raise PageError(f"{first.line}: an example needs a block of Python")
    files, marks = [], []
    for block in program:
        name = block.name or ONLY_FILE
        found = [_MARK.search(line) for line in block.lines]
        marks += [Mark(name, n, tuple(re.split(r"\s*,\s*", m["codes"]))) for n, m in enumerate(found, 1) if m]
        plain = [line[: m.start()] if m else line for line, m in zip(block.lines, found, strict=True)]
        files.append(File(name, block.language, "\n".join(plain) + "\n"))
    return Example(first.section, first.framework, first.line, tuple(files), tuple(marks))
