"""Which files come to a recurrent layer by the names that they mention.

In a large project every file imports every other through a few hubs, and the imports alone tell nothing.  So names are
followed: a class whose text mentions `nn.LSTM` leads to one, so does a function elsewhere that mentions this class, and
the script that mentions the function.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from lstmadvisor.patterns import regex

_WORD = regex(rb"[A-Za-z_]\w*")
_NOT_WORD = bytes(byte if byte < 128 and (chr(byte).isalnum() or byte == ord("_")) else ord(" ") for byte in range(256))
"""A space for every character that is no part of a word."""
_BLOCK = regex(rb"\n(?=[^\s#)\]}\"'])")
_DEFINITION = regex(rb"(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|((?:\w+[ \t]*,[ \t]*)*\w+)[ \t]*(?::[^=\n]*)?=(?!=)")
_COMPOUND = regex(rb"(?:if|elif|else|try|except|finally|with|for|while)\b[^\n]*:[ \t]*\n(?=([ \t]+))")
_PROSE = regex(
    rb"#[^\n]*"
    rb'|"(?:""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""|[^"\\\n]*(?:\\.[^"\\\n]*)*")'
    rb"|'(?:''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''|[^'\\\n]*(?:\\.[^'\\\n]*)*')",
    re.S,
)
"""Comments and texts; the search is fast because each alternative begins with a character."""
_ASKED = regex(rb"isinstance\((?:[^()]|\([^()]*\))*\)")
_LAYER = regex(
    rb"(?:LSTM|GRU|RNN|SimpleRNN|(?:Peephole|LayerNorm)LSTM|LayerNormSimpleRNN)(?:Cell)?"
    rb"|RNNBase|RNNCellBase|ConvLSTM[123]D|CuDNN(?:LSTM|GRU)|AWD_(?:LSTM|QRNN)"
)
_CHOSEN = regex(rb"getattr\(\s*((?:(?:torch|tf|tensorflow|keras)\.)*\w+)[ \t]*,")
_CHOSEN_IN_DICT = regex(rb"(\w+)\.__dict__")
_LIBRARIES = regex(rb"(?:torch\.)?nn|(?:(?:tf|tensorflow)\.)?(?:keras\.)?layers")

Names = frozenset[bytes]
NONE: Names = frozenset()


class Graph(Protocol):
    """The files of a project and their imports, by their full names."""

    def read(self, path: str) -> bytes:
        """The bytes of a file."""

    def imported(self, path: str) -> tuple[str, ...]:
        """The files that it imports."""

    def passed_on(self, path: str) -> Iterable[str]:
        """The files among them whose names it hands on as its own."""

    def direct_importers(self, path: str, root: str) -> Iterable[str]:
        """The files below a folder that import it."""


class Blocks:
    """The top-level statements of one file: what each binds, and which names are in it."""

    def __init__(self, data: bytes, notebook: bool = False) -> None:
        data = data if notebook else _ASKED.sub(b"", _PROSE.sub(_word, data))
        self._blocks = [] if notebook else [(_bound(text), _words(text)) for text in _statements(data)]
        self.words = NONE.union(*(words for _, words in self._blocks))
        self.said = _words(data)
        """with what it does as a script: the words below `if __name__ == "__main__"`"""
        in_dict = _CHOSEN_IN_DICT.findall(data) if b".__dict__" in data else ()
        self.chosen: Names = frozenset((*_CHOSEN.findall(data), *in_dict))
        """things whose attributes are chosen at run time"""

    def layers(self) -> Names:
        """Words that are recurrent layers, or stand for a choice of layers."""
        choices = NONE.union(*(_WORD.findall(name)[-1:] for name in self.chosen if _LIBRARIES.fullmatch(name)))
        return choices.union(word for word in self.said if _LAYER.fullmatch(word))

    def leading(self, to: Names) -> Names:
        """The names that the file gives to others and that lead to one of `to`."""
        found: Names = NONE
        left = self._blocks
        while to:
            new = {name for bound, words in left if not to.isdisjoint(words) for name in bound}
            left = [(bound, words) for bound, words in left if to.isdisjoint(words)]
            to = frozenset(new - found)
            found |= to
        return found


def _words(data: bytes) -> Names:
    return frozenset(data.translate(_NOT_WORD).split())


def _word(prose: re.Match[bytes]) -> bytes:
    """Nothing of a comment or text, but a string that is one word."""
    text = prose[0]
    return b"" if text.startswith((b"#", b'"""', b"'''")) or b" " in text else text


def _statements(data: bytes) -> Iterator[bytes]:
    """The top-level statements of a file, and those inside its `if` and `try`."""
    starts = [match.start() for match in _BLOCK.finditer(b"\n" + data)]
    for start, end in zip(starts, [*starts[1:], len(data)], strict=False):
        text = data[start:end]
        inside = _COMPOUND.match(text)
        if inside is None:
            yield text
        elif not text.startswith(b"if __name__"):
            yield text[: inside.end()]
            yield from _statements(re.sub(rb"^" + inside[1], b"", text[inside.end() :], flags=re.M))


def _bound(text: bytes) -> Names:
    """The names that a statement gives to others."""
    head = _DEFINITION.match(text)
    if head is None:
        return NONE
    return frozenset(name for name in _WORD.findall(head[1] or head[2]) if name[:2] != b"__" and name != b"_")


class Reach:
    """The files of a project that come to a recurrent layer by the names that they mention."""

    def __init__(self, graph: Graph, root: str, builders: Iterable[str]) -> None:
        """`builders`, below `root`, import a library that has recurrent layers, and may name one."""
        self._names: dict[str, Names] = {}
        """by file: the names that it gives to others and that lead to a recurrent layer"""
        self._builders = frozenset(builders)
        self._blocks: dict[str, Blocks] = {}
        self._found: set[str] = set()
        waiting = dict.fromkeys(sorted(self._builders))
        while waiting:
            here = next(iter(waiting))
            del waiting[here]
            if self._grows(here, graph):
                waiting |= dict.fromkeys(graph.direct_importers(here, root))
        self._blocks.clear()

    def __contains__(self, path: str) -> bool:
        return path in self._found

    def _grows(self, path: str, graph: Graph) -> bool:
        """Whether more names of a file lead to a recurrent layer, by what is now known of those that it imports."""
        given = {file: names for file in graph.imported(path) if (names := self._names.get(file, NONE))}
        blocks = self._blocks.get(path)
        if blocks is None:
            data = graph.read(path)
            if path not in self._builders and not _mentions(data, given):
                return False
            blocks = self._blocks[path] = Blocks(data, path.endswith(".ipynb"))
        handed = NONE.union(*given.values())
        named = handed & blocks.words
        chosen = {word for file in given if (word := _called(file)) in blocks.chosen}
        layers = blocks.layers() if path in self._builders else NONE
        if handed & blocks.said or chosen or layers:
            self._found.add(path)
        before = self._names.get(path, NONE)
        passed = (self._names.get(file, NONE) for file in graph.passed_on(path))
        self._names[path] = before.union(named, layers, blocks.leading(named | chosen | layers), *passed)
        return len(self._names[path]) > len(before)


def _mentions(data: bytes, given: dict[str, Names]) -> bool:
    words = _words(data)
    return any(not names.isdisjoint(words) or _called(file) in words for file, names in given.items())


def _called(file: str) -> bytes:
    """What a module is called where it is imported."""
    folder, _, name = file.rpartition(os.sep)
    stem = name.rpartition(".")[0]
    return (folder.rpartition(os.sep)[2] if stem == "__init__" else stem).encode()
