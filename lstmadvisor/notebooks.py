"""Notebook files and IPython syntax: cells, magics and shell lines, and how deeply a text is nested."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Any, NamedTuple

from lstmadvisor.patterns import regex

DEEPEST = 800
"""Nesting that a tree visitor survives, in Python stack frames: the interpreter allows 1,000 and callers need some."""

_BRACKET, _OPERATOR, _BLOCK = 10, 3, 7
"""Frames that libcst 1.9 spends on one level of each, when its tree is visited (measured)."""

_FEW = 3
"""Levels of brackets that are not looked at one by one."""

_DOUBLING = 10
"""Brackets within brackets after `case` or `del`: each level doubles the time of libcst's parser (measured)."""

_PYTHON_CELLS = (
    "time",
    "timeit",
    "capture",
    "prun",
    "memit",
    "mprun",
    "lprun",
    "heat",
    "debug",
    "px",
    "wandb",
    "lstmadvisor",
)

_TOKEN = regex(
    r"""
      (?P<comment>\#[^\n]*)
    | (?P<string>"{3}[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*(?:"{3}|(?P<open1>\Z))
               | '{3}[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*(?:'{3}|(?P<open2>\Z))
               | "[^"\\\n]*(?:\\.[^"\\\n]*)*"?
               | '[^'\\\n]*(?:\\.[^'\\\n]*)*'?)
    | (?P<joined>\\\n)
    | (?P<newline>\n)
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<comma>[,;])
    | (?P<trailer>\.)
    | (?P<operator>\*\*|//|<<|>>|[-+*/%@&|^~] | \b(?:and|or|not|if|for|lambda|await)\b)
    | (?P<doubling>\bdel\b)
    | (?P<other>[^\s\w])
    """,
    re.VERBOSE | re.DOTALL,
)
_FORMAT_PREFIX = regex("[fFtT]")
_IN_FORMAT = regex(r"[(\[{]|[)\]}]|[-+*/%@&|^~.]|\b(?:and|or|not|if|for|lambda|await)\b")

_COMMANDS = "pip3?|conda|mamba|cd|ls|mkdir|rm|cp|mv|cat|wget|git|unzip"
"""Shell commands that IPython takes without a sign."""
_SPECIAL = regex(
    rf"""(?P<indent>[ \t]*)(?:
      (?P<timed>%(?:time|timeit|memit)\b(?:[ \t]+-\w+(?:[ \t]+\d+)?)*[ \t]+)(?P<body>\S[^\n]*)
    | %run[ \t]+(?:-\w+[ \t]+)*(?:\./)?(?P<run>\w+(?:/\w+)*)(?:\.py)?[ \t]*(?=\n|\Z)
    | (?P<escape>[%!?])
    | (?P<target>[^\W\d][\w.,\[\] \t]*=[ \t]*)[!%]
    | [*\w.%][\w.*\[\]'"]*\?{{1,2}}[ \t]*(?=\n|\Z)
    | (?:{_COMMANDS})[ \t]+(?!(?:in|is|if|and|or|not)\b)(?:[\w./~"']|-[a-z])
    )""",
    re.VERBOSE,
)
_SIGNS = [
    re.compile(sign, re.MULTILINE)
    for sign in (rf"\n[ \t]*(?:[%!?]|(?:{_COMMANDS})[ \t])", r"\?[ \t]*$", r"=[ \t]*[!%]")
]
_CASE = regex(r"[ \t]*case\b(?![ \t]*[=.,:)\]])")
_INDENT = regex(r"([ \t]*)(\w*)")
_CONTINUED = regex(r"(?:[^\n]*\\\n)*[^\n]*(?:\n|\Z)")
_PLAIN = r"""[^\n()\[\]{}"'\#\\%!?]"""
_INSIDE = r"""[^()\[\]{}"'\#\\]"""
_STRING = r"""(?:"(?!"")[^"\\\n]*"|'(?!'')[^'\\\n]*')"""


def _brackets(levels: int) -> str:
    """What is in brackets, within which are further ones: as much as can be searched without a long way back."""
    inner = rf"{_STRING}|\#[^\n]*\n" + (f"|{_brackets(levels - 1)}" if levels > 1 else "")
    return rf"[(\[{{]{_INSIDE}*(?:(?:{inner}){_INSIDE}*){{0,60}}[)\]}}]"


_SIMPLE = regex(
    rf"""([ \t]*)(?=[^\s\#])(?!(?:{_COMMANDS})[ \t])(\w*){_PLAIN}*
    (?:(?:{_STRING}|{_brackets(_FEW)}){_PLAIN}*){{0,60}}(?:\#[^\n]*)?(?:\n|\Z)""",
    re.VERBOSE,
)
"""A logical line that needs no second look: at most a few levels of brackets, nothing of IPython's."""
_ADDS = regex(r"[-+*/%@&|^~.<>)\]}\"'] | \b(?:and|or|not|if|for|lambda|await)\b", re.VERBOSE)
"""What may add to the depth without being a level of brackets."""
_BLANK = regex(r"(?:[ \t]*(?:#[^\n]*)?\n)+")
_FIRST_INDENT = regex(r"(?:[ \t]*\n)*([ \t]+)\S")
_CELL_MAGIC = regex(r"(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*%%(\w*)[^\n]*")
_COMPOUND = regex(r"(?:if|for|while|with|def|class|async|try|match)\b|@")


class NotReadable(Exception):
    """Why a notebook cannot be read, in one line."""


class OtherLanguage(NotReadable):
    """A notebook that is none of ours."""


class Cell(NamedTuple):
    """A code cell: its index among all cells, counted from 0, and its text."""

    position: int
    text: str


def cells(text: str) -> list[Cell]:
    """The code cells of a notebook in nbformat 3 or 4."""
    import json

    try:
        book = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno}: {error.msg})" if isinstance(error, json.JSONDecodeError) else ""
        raise NotReadable(f"not a notebook, its JSON is broken{where}") from None
    everything = _all_cells(book)
    language = _language(book, everything)
    if "python" not in language.lower():
        raise OtherLanguage(f"a notebook in {language}, not Python")
    found = []
    for index, cell in enumerate(everything):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            code = cell.get("source", cell.get("input", ""))
            lines = "".join(line for line in code if isinstance(line, str)) if isinstance(code, list) else code
            if isinstance(lines, str):
                found.append(Cell(index, lines.replace("\r\n", "\n").replace("\r", "\n")))
    return found


class _Located(str):
    """A string of a JSON text, with the line that it begins on."""

    line: int


def source_lines(text: str) -> dict[int, list[int]]:
    """Of each code cell, by its index among all cells: the line of the notebook's JSON that holds each of its lines."""
    import json
    from json import decoder, scanner

    ends = [index for index, character in enumerate(text) if character == "\n"]

    def located(text: str, start: int, strict: bool) -> tuple[_Located, int]:
        value, end = decoder.scanstring(text, start, strict)  # type: ignore[attr-defined]
        string = _Located(value)
        string.line = bisect_left(ends, start) + 1
        return string, end

    reader: Any = json.JSONDecoder()
    reader.parse_string = located
    reader.scan_once = scanner.py_make_scanner(reader)  # type: ignore[attr-defined]
    try:
        everything = _all_cells(reader.decode(text))
    except (ValueError, RecursionError, NotReadable):
        return {}
    found = {}
    for index, cell in enumerate(everything):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            code = cell.get("source", cell.get("input", ""))
            pieces = [code] if isinstance(code, _Located) else code if isinstance(code, list) else []
            found[index] = _lines_of([piece for piece in pieces if isinstance(piece, _Located)])
    return found


def _lines_of(pieces: list[_Located]) -> list[int]:
    """Of each line that begins in one of the pieces: the line of that piece."""
    lines: list[int] = []
    fresh = True
    for piece in pieces:
        text = piece.replace("\r\n", "\n").replace("\r", "\n")
        if text:
            lines += [piece.line] * (fresh + text.count("\n") - text.endswith("\n"))
            fresh = text.endswith("\n")
    return lines


def _all_cells(book: Any) -> list[Any]:
    """The cells of nbformat 4, or those of all worksheets of nbformat 3."""
    if isinstance(book, dict):
        if isinstance(book.get("cells"), list):
            return list(book["cells"])
        sheets = book.get("worksheets")
        if isinstance(sheets, list) and all(isinstance(sheet, dict) for sheet in sheets):
            lists = [sheet.get("cells") for sheet in sheets]
            return [cell for listed in lists if isinstance(listed, list) for cell in listed]
    raise NotReadable("not a notebook: it has no cells")


def _language(book: dict[str, Any], everything: list[Any]) -> str:
    """The language that a notebook declares, Python where it does not."""
    metadata = book.get("metadata")
    if not isinstance(metadata, dict):
        return "python"
    named = [(metadata.get("language_info"), "name"), (metadata.get("kernelspec"), "language")]
    named += [(metadata.get("kernelspec"), "name"), (metadata, "language")]
    named += [(cell, "language") for cell in everything]
    for holder, key in named:
        if isinstance(holder, dict) and isinstance(holder.get(key), str) and holder[key]:
            return str(holder[key])
    return "python"


class Plain(NamedTuple):
    """Text that is Python and nothing else, with as many lines as the original."""

    code: str
    tokens: int = 0
    """how much there is to parse"""
    deep: int | None = None
    """first line that is nested too deeply; `code` is then empty"""
    is_open: bool = False
    """ends within brackets, a string or a line"""


def plain_cell(text: str) -> Plain:
    """`plain` for one notebook cell: cell magics and indentation of the whole cell are dealt with too."""
    magic = _CELL_MAGIC.match(text)
    if magic and magic[1] not in _PYTHON_CELLS:
        return Plain("\n" * text.count("\n"))
    if magic:
        text = "\n" * magic[0].count("\n") + text[magic.end() :]
    first = _FIRST_INDENT.match(text)
    if first:  # IPython runs an indented cell too
        text = re.sub("^" + first[1], "", text, flags=re.MULTILINE)
    return plain(text)


def is_plain(text: str) -> bool:
    """Whether no line of `text` can be IPython's, by a quick look that may say no too often."""
    if not any(sign.search(text) for sign in _SIGNS) and not _SPECIAL.match(text):
        return True
    return not any(map(_SPECIAL.match, text.split("\n")))


def plain(text: str) -> Plain:
    """`text` with IPython's own lines made Python, or harmless.

    Only the start of a logical line can be IPython's: `%` within brackets or a string is Python's own.
    """
    done: list[str] = []
    position = 0
    depth = _Depth()
    while position < len(text):
        known = _SIMPLE.match(text, position)
        if (known and depth.simple(known)) or (known := _BLANK.match(text, position)):
            end = known.end()
            done.append(known[0])
        elif special := _SPECIAL.match(text, position):
            end = _end_of_special(text, special)
            done.append(_replacement(text[position:end], special))
            depth.read(done[-1], 0)
        else:
            end = depth.read(text, position)
            done.append(text[position:end])
        if depth.most > DEEPEST:
            return Plain("", depth.tokens, 1 + text.count("\n", 0, position))
        position = end
    return Plain("".join(done), depth.tokens, None, depth.is_open)


def _end_of_special(text: str, special: re.Match[str]) -> int:
    found = _CONTINUED.match(text, special.end())
    return found.end() if found and found.end() > special.start() else special.end()


def _replacement(lines: str, special: re.Match[str]) -> str:
    indent = special["indent"]
    if special["timed"]:
        if _COMPOUND.match(special["body"]):
            return indent + lines[len(indent + special["timed"]) :]
        return indent + "pass;".ljust(len(special["timed"])) + lines[len(indent + special["timed"]) :]
    if special["run"]:
        plain = f"from {special['run'].replace('/', '.')} import *"
    elif special["target"]:
        plain = special["target"] + "get_ipython()"  # as IPython itself writes it: a value that nobody knows
    else:
        plain = "pass"
    return indent + plain + "\n" * lines.count("\n")


class _Depth:
    """How deep the syntax tree of a text will be, from its tokens alone: a guess that is rather too high."""

    def __init__(self) -> None:
        self.most = 0
        self.tokens = 0
        self.is_open = False
        self.blocks: list[tuple[int, int]] = []
        """of each open block: its indentation, and the number of `elif` so far, which libcst nests"""

    def simple(self, line: re.Match[str]) -> bool:
        """Take in a line of `_SIMPLE`, if its length or what is in it tells that it is not deep."""
        length = line.end() - line.end(1)
        tokens = 1 + length // 4
        left = DEEPEST - self._enter(line[1], line[2])
        if length * _BRACKET // 2 > left:
            text = line[0]
            opened = text.count("(") + text.count("[") + text.count("{")
            adding = len(_ADDS.findall(text))
            if _BRACKET * opened + _OPERATOR * adding > left:
                return False
            tokens = min(tokens, opened + adding + text.count(",") + text.count("=") + text.count("\n"))
        self.tokens += tokens
        return True

    def read(self, text: str, start: int) -> int:
        """Read the logical line that begins at `start`; its end."""
        first = _INDENT.match(text, start)
        outer = self._enter(first[1], first[2]) if first else 0
        levels: list[tuple[int, int]] = []
        operators = trailers = 0  # in a row, at the present bracket
        after_string = False
        doubling = _CASE.match(text, start) is not None
        for token in _TOKEN.finditer(text, start):
            kind = token.lastgroup
            self.tokens += 1
            if kind == "newline" and not levels:
                return token.end()
            if kind in ("newline", "comment", "joined"):
                continue
            inside = 0
            if kind == "open":
                levels.append((operators, trailers))
                outer += _BRACKET + operators + trailers
                operators = trailers = 0
            elif kind == "close" and levels:
                operators, trailers = levels.pop()
                outer -= _BRACKET + operators + trailers
                trailers += _OPERATOR
            elif kind == "trailer":
                trailers += _OPERATOR
            elif kind == "comma":
                operators = trailers = 0
            elif kind == "operator" or (kind == "string" and after_string):
                operators, trailers = operators + _OPERATOR, 0
            elif kind in ("other", "doubling"):
                trailers = 0
                doubling = doubling or kind == "doubling"
            if kind == "string" and _FORMAT_PREFIX.search(text, max(token.start() - 2, 0), token.start()):
                inside = _depth_of_format(token[0])
            after_string = kind == "string"
            self.is_open = self.is_open or token["open1"] is not None or token["open2"] is not None
            self.most = max(self.most, outer + operators + trailers + inside)
            if doubling and len(levels) > _DOUBLING:
                self.most = DEEPEST + 1
            if self.most > DEEPEST:
                break
        self.is_open = self.is_open or bool(levels) or text.endswith(("\\", "\\\n"))
        return len(text)

    def _enter(self, indent: str, word: str) -> int:
        """Note the indentation and the first word of a logical line; the depth of the blocks around it."""
        width, blocks = len(indent.expandtabs()), self.blocks
        while blocks and blocks[-1][0] > width:
            blocks.pop()
        chained = blocks.pop()[1] if blocks and blocks[-1][0] == width else 0
        blocks.append((width, chained + 1 if word == "elif" else chained if word == "else" else 0))
        return sum([_BLOCK + _OPERATOR * chained for _, chained in blocks])


def _depth_of_format(text: str) -> int:
    """How deep the expressions within an f-string go."""
    most = brackets = operators = 0
    for token in _IN_FORMAT.findall(text.replace("{{", "").replace("}}", "")):
        if token in "([{":
            brackets += brackets > 0 or token == "{"
        elif token in ")]}":
            brackets = max(brackets - 1, 0)
            operators = operators if brackets else 0
        elif brackets:
            operators += 1
        most = max(most, _BRACKET * brackets + _OPERATOR * operators)
    return most
