"""Holds the silencing comments of the sources under review against what the rules have found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from lstmadvisor.facts import Place
from lstmadvisor.model import Finding
from lstmadvisor.rule import Rule
from lstmadvisor.selection import UnknownSelector, covered
from lstmadvisor.suppression import EVERYTHING, Silence, named, silences, speaks_for

UNUSED = "unused-suppression"
"""The rule that is judged here, not from facts."""


class Silencer:
    """The silencing comments of the sources under review."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._covered: dict[str, frozenset[str]] = {}
        self._silences: dict[str, list[tuple[int | None, tuple[Silence, ...]]]] = {}
        self._used: set[tuple[str, int | None, int, str]] = set()
        self.complaints: list[tuple[Place, str]] = []
        """comments that name no rule, and what was probably meant"""

    def read(self, path: str, cell: int | None, text: str, is_found: bool = True) -> None:
        """Takes note of the comments in a file or in a cell of a notebook.

        is_found: whether a rule has found something in the file; where none has, other tools' comments do not matter.
        """
        words = named(text)
        if not (is_found or words is None or any(map(self._codes, words))):
            return
        found = silences(text, python=cell is not None or path.endswith((".py", ".pyi", ".ipynb")))
        self._silences.setdefault(path, []).append((cell, found))
        for silence in found:
            for word in silence.words:
                if not silence.foreign:
                    self._complain(word, Place(path=path, cell=cell, line=silence.comment))

    def silence(self, finding: Finding) -> Silence | None:
        """The comment that silences the finding, if there is one; every comment that does counts as used."""
        first = None
        path = finding.at.path
        for cell, found in self._silences.get(path, ()):
            for silence in found:
                if (silence.lines is not None and cell != finding.at.cell) or not speaks_for(silence, finding.at):
                    continue
                words = [word for word in silence.words if finding.code in self._codes(word)]
                self._used.update((path, cell, silence.comment, word) for word in words)
                first = first or (silence if words else None)
        return first

    def unused(self, path: str, judged: frozenset[str], unsure: Set[str]) -> Iterator[Finding]:
        """The words in comments of a file that silence nothing, though all the rules that they name have judged.

        judged: codes of the rules that ran.  unsure: those that could not judge everything in the file.
        """
        for cell, found in self._silences.get(path, ()):
            for silence in found:
                for word, (start, end) in zip(silence.words, silence.columns, strict=False):
                    codes = self._codes(word) & judged
                    used = (path, cell, silence.comment, word) in self._used
                    if codes and not used and not codes & unsure and word.lower() != EVERYTHING:
                        line = silence.comment
                        yield Finding(
                            at=Place(path=path, cell=cell, line=line, column=start, end_line=line, end_column=end),
                            message=f"the comment silences `{word}`, which finds nothing here",
                            label="silences nothing",
                            help=f"take `{word}` out of the comment",
                        )

    def _codes(self, word: str) -> frozenset[str]:
        if word not in self._covered:
            try:
                self._covered[word] = covered(self._rules, [word])
            except UnknownSelector:
                self._covered[word] = frozenset()
        return self._covered[word]

    def _complain(self, word: str, at: Place) -> None:
        try:
            covered(self._rules, [word])
        except UnknownSelector as error:
            self.complaints.append((at, str(error)))
