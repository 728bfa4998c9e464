"""Files, folders, standard input and notebooks as sources: one Python text each, with a map back to its lines."""

from __future__ import annotations

import codecs
import os
import re
import stat
import tokenize
from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lstmadvisor import notebooks
from lstmadvisor.folders import absolute, find, matters, recurrent, shown

if TYPE_CHECKING:
    import libcst

    from lstmadvisor.model import Message
    from lstmadvisor.nodes import Range

__all__ = [
    "STDIN",
    "Library",
    "Source",
    "Unreadable",
    "find",
    "from_text",
    "matters",
    "parse",
    "read",
    "recurrent",
    "shown",
]

STDIN = "<stdin>"
LARGEST = 5_000_000
"""Bytes of Python that are read at most."""
LARGEST_NOTEBOOK = 50_000_000
"""Bytes of a notebook that are read at most: most of them are pictures."""
MOST_KEPT = 2_000_000
"""Characters of source whose trees are kept: with its positions a tree takes forty times the memory of its text."""
MOST_TOKENS = 200_000
"""Brackets, operators, strings and lines: libcst takes 5 to 10 s and 1 GB for so many."""


class Unreadable(Exception):
    """A file that cannot be read or parsed; `message` says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(f"{message.path}: {message.text}")
        self.message = message


class Source(NamedTuple):
    """One file as Python text.  `code` has the same lines as `original`, with IPython's own syntax made plain."""

    path: str
    """as shown to people: relative to the working directory when below it, with forward slashes"""
    file: Path | None
    """where it lies; None for standard input without a name"""
    code: str
    original: str
    is_notebook: bool = False
    encoding: str = "utf-8"
    newline: str = "\n"
    bom: bool = False
    cells: tuple[tuple[int, int], ...] = ()
    """of each code cell: its index among all cells, and the first line of `code` that is its own"""
    messages: tuple[Message, ...] = ()

    def locate(self, line: int) -> tuple[int | None, int]:
        """The cell that a line of `code` belongs to, and the line within that cell; (None, line) in a plain file."""
        at = bisect_right(self.cells, line, key=lambda cell: cell[1]) - 1
        return (None, line) if at < 0 else (self.cells[at][0], line - self.cells[at][1] + 1)

    def cell_text(self, cell: int | None) -> str:
        """The original text of a cell (by its index among all cells), or of the whole file."""
        if cell is None:
            return self.original
        lines = self.original.split("\n")
        for (index, first), last in zip(self.cells, self._last_lines(), strict=True):
            if index == cell:
                return "\n".join(lines[first - 1 : last])
        return ""

    def _last_lines(self) -> list[int]:
        return [first - 1 for _, first in self.cells[1:]] + [self.original.count("\n")]


def read(path: Path | str, data: bytes | None = None) -> Source:
    """Read a file (or take `data` as its content); raises `Unreadable`."""
    file, name = Path(path), shown(path)
    try:
        if data is None and not stat.S_ISREG((status := file.stat()).st_mode):
            raise _unreadable(name, "not a file")
        if data is None:
            _small_enough(status.st_size, name)
            data = file.read_bytes()
    except OSError as error:
        raise _unreadable(name, f"cannot be read: {error.strerror or error}") from None
    return _source(data, name, absolute(file))


def from_text(text: str | bytes, path: str = STDIN) -> Source:
    """A source from standard input; `path` is the name that it goes by."""
    name, file = (STDIN, None) if path == STDIN else (shown(path), absolute(path))
    if isinstance(text, bytes):
        return _source(text, name, file)
    data = text.removeprefix("\ufeff").encode("utf-8", "surrogatepass")
    return _source(data, name, file, "utf-8")._replace(bom=text.startswith("\ufeff"))


def _small_enough(size: int, name: str) -> None:
    largest = LARGEST_NOTEBOOK if name.endswith(".ipynb") else LARGEST
    if size > largest:
        raise _unreadable(name, f"larger than {largest // 1_000_000} MB, not read")


def _source(data: bytes, name: str, file: Path | None, encoding: str | None = None) -> Source:
    _small_enough(len(data), name)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _unreadable(name, "UTF-16, which Python does not read")
    if b"\0" in data:
        raise _unreadable(name, "binary, not Python")
    is_notebook = name.endswith(".ipynb")
    text, encoding = _decoded(data, name, encoding or ("utf-8" if is_notebook else None))
    crlf = text.count("\r\n")
    newlines = {"\n": text.count("\n") - crlf, "\r\n": crlf, "\r": text.count("\r") - crlf}
    newline = max(newlines, key=lambda kind: newlines[kind])
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    source = Source(name, file, text, text, is_notebook, encoding, newline, data.startswith(codecs.BOM_UTF8))
    if is_notebook:
        return _notebook(source) if text.strip() else source
    return source if notebooks.is_plain(text) else source._replace(code=_checked(notebooks.plain(text), name).code)


def _checked(plain: notebooks.Plain, name: str) -> notebooks.Plain:
    """`plain`, unless libcst cannot take it: it crashes on what is deep and is slow on what is long."""
    if plain.deep:
        raise _unreadable(name, f"nested too deeply, not read (line {plain.deep})", plain.deep)
    if plain.tokens > MOST_TOKENS:
        raise _unreadable(name, f"more code than a person writes (over {MOST_TOKENS:,} tokens), not read")
    return plain


def _decoded(data: bytes, name: str, encoding: str | None) -> tuple[str, str]:
    """The text and its encoding, by byte order mark, PEP 263 cookie or UTF-8."""
    try:
        if encoding is None:
            encoding = tokenize.detect_encoding(BytesIO(data).readline)[0].removesuffix("-sig")
        if codecs.lookup(encoding).name in _NOT_FOR_SOURCE:
            raise _unreadable(name, f"declares the encoding {encoding}, which is not for source code")
        return data.removeprefix(codecs.BOM_UTF8).decode(encoding), encoding
    except SyntaxError as error:
        unknown = re.search(r"unknown encoding.*: (\S+)", str(error))
        if unknown:
            raise _unreadable(name, f"declares an unknown encoding, {unknown[1]}") from None
        if data.startswith(codecs.BOM_UTF8):
            raise _unreadable(name, "declares an encoding that its byte order mark contradicts") from None
    except LookupError:
        raise _unreadable(name, f"declares the encoding {encoding}, which is not for text") from None
    except ValueError:
        if encoding != "utf-8":
            raise _unreadable(name, f"not {encoding}, which it declares") from None
    raise _unreadable(name, "not UTF-8, and no other encoding is declared")


_NOT_FOR_SOURCE = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-16", "utf-32")


def _notebook(book: Source) -> Source:
    """The code cells of a notebook, joined."""
    try:
        cells = notebooks.cells(book.original)
    except notebooks.OtherLanguage as error:
        raise Unreadable(_message(book.path, str(error), None).model_copy(update={"fatal": False})) from None
    except notebooks.NotReadable as error:
        raise _unreadable(book.path, str(error)) from None
    texts: list[str] = []
    places: list[tuple[int, int]] = []
    messages: list[Message] = []
    line, tokens = 1, 0
    for cell in cells:
        plain = notebooks.plain_cell(cell.text)
        broken = _Broken(plain.deep, 1, "nested too deeply") if plain.deep else None
        if plain.is_open:  # joined with others it might swallow them
            broken = _complaint(plain.code)
        if broken:
            messages.append(_left_out(book.path, cell.position, broken))
        texts.append("\n" * (cell.text.count("\n") + 1) if broken else plain.code + "\n")
        tokens += plain.tokens
        places.append((cell.position, line))
        line += cell.text.count("\n") + 1
    _checked(notebooks.Plain("", tokens), book.path)
    original = "".join(cell.text + "\n" for cell in cells)
    return book._replace(code="".join(texts), original=original, cells=tuple(places), messages=tuple(messages))


def _message(path: str, text: str, line: int | None, column: int = 1, cell: int | None = None) -> Message:
    from lstmadvisor.facts import Place
    from lstmadvisor.model import Message

    at = Place(path=path, cell=cell, line=line, column=column) if line else None
    return Message(path=path, text=text, at=at, fatal=cell is None)


def _left_out(path: str, cell: int, broken: _Broken) -> Message:
    text = f"cell {cell} is not Python 3 (line {broken.line}: {broken.why}), left out"
    return _message(path, text, broken.line, broken.column, cell)


def _unreadable(path: str, text: str, line: int | None = None, column: int = 1) -> Unreadable:
    return Unreadable(_message(path, text, line, column))


class Parsed:
    """A syntax tree, the text that it was made from, and where its nodes stand in that."""

    def __init__(self, tree: libcst.Module, code: str) -> None:
        self.tree, self.code = tree, code

    @cached_property
    def positions(self) -> Mapping[libcst.CSTNode, Range]:
        """From a node to its start and end, for all nodes: twice the work of parsing, done at the first question."""
        from lstmadvisor.nodes import positions

        return positions(self.tree)


def parse(source: Source, messages: list[Message] | None = None) -> Parsed:
    """The syntax tree of `source.code`; raises `Unreadable`.

    Cells of a notebook that do not parse are left out, each with a message appended to `messages`.
    """
    if not source.is_notebook:
        _checked(notebooks.plain(source.code), source.path)
    try:
        return _parsed(source.code)
    except _Broken as error:
        broken = error
    if source.is_notebook:
        return _parsed_by_cells(source, [] if messages is None else messages)
    repaired = _INDENTATION.sub(lambda blank: blank[0].expandtabs(), source.code)
    if repaired != source.code:
        try:
            return _parsed(repaired)
        except _Broken:
            pass
    line, column = broken.line, broken.column
    raise _unreadable(source.path, f"not Python 3 (line {line}, column {column}: {broken.why})", line, column)


_INDENTATION = re.compile(r"^[ \t]*\t[ \t]*", re.MULTILINE)


def _parsed_by_cells(source: Source, messages: list[Message]) -> Parsed:
    lines = source.code.split("\n")
    firsts = [first for _, first in source.cells]
    for (index, first), after in zip(source.cells, [*firsts[1:], len(lines)], strict=True):
        try:
            _parsed("\n".join(lines[first - 1 : after - 1]) + "\n")
        except _Broken as broken:
            lines[first - 1 : after - 1] = [""] * (after - first)
            messages.append(_left_out(source.path, index, broken))
    try:
        return _parsed("\n".join(lines))
    except _Broken as broken:
        cell, line = source.locate(broken.line)
        raise _unreadable(source.path, f"not Python 3 (cell {cell}, line {line}: {broken.why})") from None


class _Broken(Exception):
    """Code that is no Python 3: where, and why in a few words."""

    def __init__(self, line: int, column: int, why: str) -> None:
        super().__init__(why)
        self.line, self.column, self.why = line, column, why


def _parsed(code: str) -> Parsed:
    import libcst

    try:
        return Parsed(libcst.parse_module(code), code)
    except libcst.ParserSyntaxError as error:
        # libcst lists the tokens that it expected; the interpreter says what is wrong
        raise _complaint(code) or _Broken(error.editor_line, error.editor_column, "libcst cannot parse this") from None
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic of libcst's native parser is no Exception
        raise _Broken(1, 1, f"libcst fails with {type(error).__name__}") from None


def _complaint(code: str) -> _Broken | None:
    """What the interpreter holds against `code`."""
    import ast
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except SyntaxError as error:
        line = error.lineno or 1
        lines = code.split("\n")
        old = _PYTHON_2.search(lines[line - 1]) if line <= len(lines) else None
        why = f"{error.msg.partition('. Did you mean')[0]}; is it Python 2?" if old else error.msg
        return _Broken(line, max(error.offset or 1, 1), why)
    except (ValueError, RecursionError, MemoryError):
        pass
    return None


_PYTHON_2 = re.compile(r"^\s*(?:print\b|exec\b|raise [\w.]+,|except [^:]+,)|<>|`|\b0\d|\b[uU][rR]['\"]")


class Folder(NamedTuple):
    """What lies in a folder, links followed; nothing in one that cannot be listed."""

    files: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    real: str = ""
    """its full name, links followed"""


class Library:
    """Every source that a review has read, each read and parsed once; what went wrong stands in `messages`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.changed = False
        """whether it holds other contents than the files"""
        self._sources: dict[str, Source | None] = {}
        self._parsed: dict[str, Parsed | None] = {}
        self._kept = 0
        self._told: set[str] = set()
        """files that were parsed, and their messages given"""
        self._shown: dict[str, Source] = {}
        self._texts: dict[str, str | None] = {}
        self._folders: dict[str, Folder] = {}
        self._keys: dict[str, str] = {}

    def folder(self, path: str) -> Folder:
        """What lies in the folder at `path`, listed once."""
        if path not in self._folders:
            self._folders[path] = _listed(path)
        return self._folders[path]

    def real(self, folder: str, name: str) -> str:
        """The full name of something that lies in a folder, links followed."""
        listed = self.folder(folder)
        path = f"{listed.real.rstrip(os.sep)}{os.sep}{name}"
        return os.path.realpath(path) if name in listed.links else path

    def add(self, source: Source) -> None:
        """Take in a source that is not read from its file, such as standard input."""
        self._sources[self._key(source)] = source
        self._shown[source.path] = source
        self.messages += source.messages

    def source(self, path: Path | str) -> Source | None:
        """The source of a file, None if it cannot be read."""
        key = self._key(path)
        if key not in self._sources:
            self._sources[key] = None
            try:
                self.add(read(path))
            except Unreadable as error:
                self.messages.append(error.message)
        return self._sources[key]

    def tree(self, path: Path | str | Source) -> libcst.Module | None:
        """The syntax tree of a file or source, None if it cannot be read or parsed."""
        parsed = self.parsed(path)
        return None if parsed is None else parsed.tree

    def parsed(self, path: Path | str | Source) -> Parsed | None:
        """The parsed code of a file or source, None if it cannot be read or parsed."""
        key = self._key(path)
        if key not in self._parsed:
            if isinstance(path, Source) and key not in self._sources:
                self.add(path)
            source = path if isinstance(path, Source) else self.source(path)
            self._parsed[key] = None
            if source is not None:
                try:
                    self._parsed[key] = parse(source, [] if key in self._told else self.messages)
                except Unreadable as error:
                    self.messages.append(error.message)
                self._told.add(key)
                self._keep(key, source)
        else:  # the last to be forgotten
            self._parsed[key] = self._parsed.pop(key)
        return self._parsed[key]

    def _keep(self, newest: str, source: Source) -> None:
        """Forget the trees not asked for the longest where all together take too much memory."""
        self._kept += len(source.code)
        while self._kept > MOST_KEPT and len(self._parsed) > 1:
            oldest = next(key for key, tree in self._parsed.items() if tree is not None or key == newest)
            if oldest == newest:
                break
            del self._parsed[oldest]
            known = self._sources.get(oldest)
            self._kept -= len(known.code) if known is not None else 0

    def text(self, path: Path | str) -> str | None:
        """The text of a configuration file, None if it cannot be read."""
        key = self._key(path)
        if key not in self._texts:
            self._texts[key] = None
            try:
                if Path(path).stat().st_size <= LARGEST:
                    self._texts[key] = Path(path).read_text(encoding="utf-8-sig")
            except (OSError, UnicodeError):
                pass
        return self._texts[key]

    def with_changes(self, changed: Mapping[Path, bytes]) -> Library:
        """A library of its own that finds these contents in place of what the files hold; the rest is read only once.

        Raises `Unreadable` if one of them cannot be read or parsed.
        """
        other = Library()
        other.changed = True
        keys = {self._key(path): path for path in changed}
        other._sources = {key: source for key, source in self._sources.items() if key not in keys}
        other._parsed = {key: tree for key, tree in self._parsed.items() if key not in keys}
        other._texts = {key: text for key, text in self._texts.items() if key not in keys}
        other._shown = {name: source for name, source in self._shown.items() if self._key(source) not in keys}
        for key, path in keys.items():
            if self._sources.get(key) is None:
                text = changed[path].decode("utf-8-sig")
                other._texts[key] = text.replace("\r\n", "\n").replace("\r", "\n")
                continue
            source = read(path, changed[path]) if key != STDIN else from_text(changed[path])
            other._parsed[key] = parse(source, other.messages)
            other.add(source)
        return other

    def get(self, path: str) -> Source | None:
        """A source already read, by its path as shown."""
        return self._shown.get(path)

    def _key(self, path: Path | str | Source) -> str:
        name = str((path.file or STDIN) if isinstance(path, Source) else path)
        if name not in self._keys:
            self._keys[name] = STDIN if name == STDIN else os.path.realpath(name)
        return self._keys[name]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle
        return False


def _listed(path: str) -> Folder:
    try:
        with os.scandir(path) as entries:
            found = [(entry.name, _is_folder(entry), entry.is_symlink()) for entry in entries]
    except OSError:
        return Folder()
    return Folder(
        frozenset(name for name, is_folder, _ in found if not is_folder),
        frozenset(name for name, is_folder, _ in found if is_folder),
        frozenset(name for name, _, is_link in found if is_link),
        os.path.realpath(path),
    )
