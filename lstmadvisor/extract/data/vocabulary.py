"""Dictionaries from tokens to ids: where the ids begin, and whether the padding has an id of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Choice, Const, Map, Seq, Spot, Term, Value, options
from lstmadvisor.extract.common import Fact, fact, inferred, place
from lstmadvisor.facts import Embedding, Known, Output, Padding, Unknown, items, plain
from lstmadvisor.patterns import regex

_SPECIAL = regex(r"(?i:pad|blank|null|unk|oov|[bse]os)|<|\[|^$|^[_~*#P]$")
"""Keys that stand for no word or character of the text."""
_PLAIN_SOURCES = frozenset(("sorted", "set", "list", "tuple", "unique", "Counter", "frozenset"))
_MOST_RESERVED = 4
"""Ids below that of the first token, kept for fillers, unknown words and ends."""
_FEWEST = 3
"""A dictionary of fewer entries is one of labels."""


@dataclass(eq=False)
class Ids:
    """A dictionary from tokens to ids."""

    value: Map | Term
    first: int
    """the lowest id"""
    zero_is_real: bool
    """whether 0 is the id of a word or character, rather than of a filler"""
    size: int | None
    at: Spot | None
    source: Value | None = None
    """the tokens that were numbered"""


def dictionaries(run: Run, values: Iterable[Value]) -> list[Ids]:
    """All dictionaries that number tokens."""
    found: dict[int, Ids] = {}
    for value in [*values, *_held(run)]:
        if id(value) not in found and (ids := _ids(value)) is not None:
            found[id(value)] = ids
    return list(found.values())


def embeddings(run: Run, known: list[Ids], found: Any) -> Any:
    """The embeddings with the lowest id of their tokens, and with what they have more rows than there are tokens."""
    if not known or isinstance(found, Unknown) or not found:
        return found
    rows = {place(term.at): given for term, given in _rows(run)}
    return tuple(_with_offset(each, known, rows.get(each.at)) for each in found)


def value_is_token(run: Run, known: list[Ids], padding: Padding, found: dict[str, Any]) -> Fact:
    """Whether the padding value is also the id of a real token; a place is that of the dictionary."""
    layers = [e for e in items(found.get("embeddings", ())) if isinstance(e, Embedding) and e.active]
    value = plain(padding.value)
    zero = plain(padding.padded) is True and _is_zero(value)
    reserved = any(plain(e.padding) is True or _is_zero(plain(e.padding)) for e in layers)
    if not (zero or reserved):
        unsure = plain(padding.padded) is True and isinstance(padding.value, Unknown)
        return Unknown(unknown="the padding value is not known") if unsure else inferred(False)
    output = found.get("output")
    counts = [plain(e.vocabulary) for e in layers] + ([plain(output.units)] if isinstance(output, Output) else [])
    sizes = {count for count in counts if isinstance(count, int)}
    rows = [given for _, given in _rows(run)]
    mine = [ids for ids in known if _belongs(ids, rows, sizes)]
    if not mine and any(t.op == "method" and t.name.startswith("texts_to_sequences") for t in run.trace):
        return inferred(False)  # a Tokenizer of Keras counts from 1
    if not mine:
        return Unknown(unknown="how tokens get their ids is not followed")
    if len(mine) > 1 and len({ids.first == 0 and ids.zero_is_real for ids in mine}) > 1:
        return Unknown(unknown="several dictionaries number tokens")
    return inferred(mine[0].first == 0 and mine[0].zero_is_real, place(mine[0].at))


def _is_zero(value: object) -> bool:
    return type(value) in (int, float) and value == 0


def _rows(run: Run) -> Iterator[tuple[Term, Value | None]]:
    for term in run.trace:
        if term.op == "call" and term.name.rsplit(".", 1)[-1] == "Embedding":
            keras = not term.name.startswith("torch.")
            yield term, term.argument("input_dim" if keras else "num_embeddings", 0)


def _held(run: Run) -> Iterator[Value]:
    """What the program's names and objects hold."""
    for module in run.modules.values():
        yield from module.env.names.values()
    for instance in run.instances:
        yield from instance.attrs.values()


def _ids(value: Value) -> Ids | None:
    if isinstance(value, Term) and value.op == "attr" and value.name == "word_index":
        made = value.base
        if isinstance(made, Term) and made.op == "call" and made.name.endswith("Tokenizer") and not _cut_off(made):
            return Ids(value, 1, False, None, value.at)
        return None
    if not isinstance(value, Map) or any(not isinstance(key, str) for key in value.entries):
        return None
    numbers = {k: v.value for k, v in value.entries.items() if isinstance(v, Const) and type(v.value) is int}
    if len(numbers) != len(value.entries) or (value.open and not value.rest):
        return None
    lows = [low for low, _ in map(_lowest, value.rest) if low is not None]
    sources = [source for _, source in map(_lowest, value.rest)]
    if len(lows) != len(value.rest) or not (lows or len(numbers) >= _FEWEST):
        return None
    first = min([*lows, *numbers.values()])
    if not 0 <= first <= _MOST_RESERVED:
        return None
    special = any(number == 0 and _SPECIAL.search(key) for key, number in numbers.items())
    counted = bool(lows) and not any(map(_SPECIAL.search, numbers)) and not any(sources)
    real = not special and (
        any(number == 0 for number in numbers.values()) or counted or (bool(sources) and all(map(_is_plain, sources)))
    )
    size = None if value.open else len(numbers)
    return Ids(value, first, real, size, value.at, next((s for s in sources if s is not None), None))


def _cut_off(tokenizer: Term) -> bool:
    """Whether a tokenizer hands out ids up to a number of its own only."""
    given = tokenizer.argument("num_words", 0)
    return given is not None and not (isinstance(given, Const) and given.value is None)


def _lowest(value: Value) -> tuple[int | None, Value | None]:
    """The lowest number that a turn of a loop gives (`i` of `enumerate(tokens, 1)`, `i + 1`), and the tokens."""
    if isinstance(value, Const) and type(value.value) is int:
        return value.value, None  # of a counter, what it starts with
    if isinstance(value, Choice):
        lows = [_lowest(each)[0] for each in options(value)]
        return (min(low for low in lows if low is not None) if None not in lows else None), None
    if not isinstance(value, Term):
        return None, None
    if value.op == "binop" and value.name in ("+", "+=") and len(value.args) == 2 and isinstance(value.args[1], Const):
        low, source = _lowest(value.args[0])
        more = value.args[1].value
        return (low + more if low is not None and type(more) is int else None), source
    if value.op == "elem" and value.name == "index" and isinstance(value.base, Term):
        counted = value.base
        start = counted.argument("start", 1, Const(0))
        if counted.name == "builtins.enumerate" and isinstance(start, Const) and type(start.value) is int:
            return start.value, counted.args[0] if counted.args else None
    return None, None


def _is_plain(source: Value | None, depth: int = 0) -> bool:
    """Whether tokens are those of a text and no filler was put in front of them."""
    if depth > 6 or source is None:
        return False
    for each in options(source):
        if isinstance(each, Seq):
            first = each.items[0] if each.items else None
            return isinstance(first, Const) and isinstance(first.value, str) and not _SPECIAL.search(first.value)
        if isinstance(each, Term) and each.op == "comp" and each.name == "set":
            return True
        if not isinstance(each, Term) or each.op != "call" or each.name.rsplit(".", 1)[-1] not in _PLAIN_SOURCES:
            return False
        if each.name.rsplit(".", 1)[-1] in ("set", "unique", "Counter", "frozenset"):
            return True
        return bool(each.args) and _is_plain(each.args[0], depth + 1)
    return False


def _belongs(ids: Ids, rows: list[Value | None], sizes: set[int]) -> bool:
    """Whether an embedding (or the output) has as many rows as the dictionary has entries, give or take one."""
    if any(_more(given, ids) is not None for given in rows):
        return True
    return ids.size is not None and any(ids.size + more in sizes for more in (0, 1))


def _more(rows: Value | None, ids: Ids) -> int | None:
    """`len(dictionary) + k`: k."""
    for each in options(rows):
        if isinstance(each, Term) and each.name == "builtins.len" and each.args:
            same = any(o is ids.value or (ids.source is not None and o is ids.source) for o in options(each.args[0]))
            return 0 if same or _same_index(each.args[0], ids) else None
        if isinstance(each, Term) and each.op == "binop" and each.name in ("+", "-") and len(each.args) == 2:
            number = fact(each.args[1])
            inner = _more(each.args[0], ids)
            if inner is not None and isinstance(number, Known) and type(number.value) is int:
                return inner + number.value if each.name == "+" else inner - number.value
    return None


def _same_index(value: Value, ids: Ids) -> bool:
    """`tokenizer.word_index` asked for twice."""
    return (
        isinstance(value, Term) and isinstance(ids.value, Term) and value.op == "attr"
        and value.name == ids.value.name and value.base is ids.value.base
    )  # fmt: skip


def _with_offset(embedding: Embedding, known: list[Ids], rows: Value | None) -> Embedding:
    for ids in known:
        more = _more(rows, ids)
        if more is not None:
            first = inferred(ids.first, place(ids.at))
            return embedding.model_copy(update={"vocabulary_offset": inferred(more), "first_id": first})
    return embedding
