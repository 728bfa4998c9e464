"""What a file tells at a glance: from its bytes, without parsing it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lstmadvisor.patterns import regex

DEEP = frozenset(
    "torch keras tensorflow tf_keras lightning pytorch_lightning fastai ignite accelerate transformers flax skorch "
    "kerastuner keras_tuner".split()
)
"""Libraries for deep learning."""

_WORD = regex(rb"import[ \t(*]")
_STATEMENT = regex(
    rb"""[ \t]*"?[ \t]*(?:"""
    rb"""from[ \t]+(?P<dots>\.*)[ \t]*(?P<base>[\w.]*)[ \t]+import\b[ \t]*(?P<names>\([^)]*|[\w, \t*]*)"""
    rb"""|import[ \t]+(?P<plain>[\w., \t]+))"""
)
_COMMENT = regex(rb"#[^\n]*")
_DEEP = regex(rb"\b(?:" + b"|".join(sorted(name.encode() for name in DEEP)) + rb")\b")
_RNN = regex(rb"\brnn\b|dynamic_rnn")


class Import(NamedTuple):
    """`from ..base import names` has two dots; `import base` has no names."""

    base: str
    dots: int = 0
    names: tuple[str, ...] = ()
    """as they are called in `base`; `*` among them"""


class Glance(NamedTuple):
    """What is known of a file that was not parsed."""

    imports: tuple[Import, ...] = ()
    recurrent: bool = False
    """mentions a recurrent layer, or what people call nets of them"""


def glance(data: bytes, notebook: bool = False) -> Glance:
    """What the bytes of a Python file or notebook tell."""
    return Glance(tuple(_imports(data.replace(b"\\n", b"\n") if notebook else data)), recurrent(data))


def mentions_library(data: bytes) -> bool:
    """Whether a library for deep learning is mentioned."""
    return any(name.encode() in data for name in DEEP) and _DEEP.search(data) is not None


def recurrent(data: bytes) -> bool:
    """Whether a recurrent layer is mentioned, or what people call nets of them."""
    return any(word in data for word in (b"LSTM", b"GRU", b"RNN", b"recurrent", b"seq2seq")) or (
        b"rnn" in data and _RNN.search(data) is not None
    )


def _imports(data: bytes) -> Iterator[Import]:
    after = 0
    for word in _WORD.finditer(data):
        if word.start() < after:
            continue
        found = _STATEMENT.match(data, data.rfind(b"\n", 0, word.start()) + 1)
        if found is None or found.end() <= word.start():
            continue
        after = found.end()
        if found["plain"] is not None:
            yield from (Import(name) for name in _first_words(found["plain"]))
        else:
            listed = found["names"].lstrip(b"(")
            names = tuple(_first_words(_COMMENT.sub(b"", listed) if b"#" in listed else listed))
            yield Import(found["base"].decode(), len(found["dots"]), names)


def _first_words(listed: bytes) -> Iterator[str]:
    """The names of `a as b, c`."""
    for part in listed.split(b","):
        words = part.split()
        if words:
            yield words[0].decode(errors="replace")
