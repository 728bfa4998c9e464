"""Command-line options and constants: which of them does anything read?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libcst as cst

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Bound, Const, External, Function, Map, Object, Opaque, Seq, Spot, Value
from lstmadvisor.extract.common import Fact, fact, inferred, place
from lstmadvisor.facts import ABSENT, DeadSetting, Known, Option, Place, Unknown
from lstmadvisor.nodes import below
from lstmadvisor.patterns import regex

_TOPICS = (
    # what a name says it sets
    (
        r"(^|_)clip(ping)?(_?(grad\w*|norm\w*|val\w*|max|thresh\w*|rate|limit|by_\w+))?$|max_?grad|grad_?norm|gradient_?clip",
        "clip",
    ),
    (r"(^|_)lr($|_)|learning_?rate", "learning-rate"),
    (r"weight_?decay|(^|_)wd($|_)|(^|_)l2($|_)", "weight-decay"),
    (r"drop(out|_?rate|_?prob)|(^|_)drop$", "dropout"),
    (r"momentum", "momentum"),
    (r"batch_?size|(^|_)bs($|_)|(^|_)bsz($|_)", "batch-size"),
    (r"epochs$|(num|n|nb|max|total)_?epoch$|n_?iters?$|num_?steps$", "epochs"),
    (r"patience|early_?stop", "early-stopping"),
    (r"hidden_?(size|dim|units?)$|units$|n_?hidden|rnn_?size|lstm_?(units|size|dim)", "units"),
    (r"(num|n)_?layers$|layers$|depth$", "layers"),
    (r"embed\w*_?(size|dim)|emb_?(size|dim)|(^|_)nemb?$", "embedding"),
    (
        r"seq(uence)?_?len(gth)?|max_?len(gth)?|bptt|window(_?size)?$|time_?steps?$|look_?back|n_?steps$",
        "sequence-length",
    ),
    (r"label_?smoothing|teacher_?forcing", "loss"),
    (r"warm_?up\w*|gamma$|step_?size$|lr_?decay", "schedule"),
    (r"bidirectional|bi_?lstm", "bidirectional"),
    (r"seed$", "seed"),
    (r"shuffle", "shuffle"),
)
_PATTERNS = tuple((regex(p, re.I), topic) for p, topic in _TOPICS)


def topic_of(name: str) -> str:
    """What a setting called `name` sets; empty if it does not sound like a hyperparameter."""
    return next((topic for pattern, topic in _PATTERNS if pattern.search(name)), "")


_TOKEN = regex(
    r"""(?P<prefix>[rRbBuUfF]{0,2})(?P<body>\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''"""
    r"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\#[^\n]*|(?P<name>[^\W\d]\w*)""",
    re.S,
)
"""Strings, comments and names of a Python text."""


class Words:
    """How often the files of a program mention each name, comments and prose left out."""

    def __init__(self, run: Run) -> None:
        self.counts: Counter[str] = Counter()
        for module in run.modules.values():
            self._read(module.source.code)

    def _read(self, text: str) -> None:
        for token in _TOKEN.finditer(text):
            if token["name"]:
                self.counts[token["name"]] += 1
            elif token["body"]:
                body = token["body"].strip("\"'")
                if body.isidentifier():
                    self.counts[body] += 1
                elif "f" in token["prefix"].lower():
                    self.counts.update(re.findall(r"[^\W\d]\w*", body))


def options(run: Run, words: Words) -> tuple[Option, ...]:
    """The command-line options, with whether anything reads them."""
    handed_on = _handed_on(run, words)
    out: list[Option] = []
    seen: set[object] = set()
    for option in run.options:
        at = place(option.at)
        key = (option.name, id(option.at.node))
        if key in seen:
            continue
        seen.add(key)
        out.append(
            Option(
                at=at,
                name=Known(value=option.name, via="literal", at=at),
                type=Known(value=option.type, via="literal" if option.type else "absent"),
                default=fact(option.default),
                read=_is_read(run, words, option.name, handed_on, at),
            )
        )
    return tuple(out)


def _is_read(run: Run, words: Words, name: str, handed_on: str, at: Place | None) -> Fact:
    if name in run.reads:
        return inferred(True)
    if handed_on or run.exhausted:
        return Unknown(unknown=handed_on or "the program could not be read whole")
    # an option called --batch-size or "batch_size" names itself at most once, in `dest`
    own = sum(1 for value in _own_words(run, name))
    if words.counts[name] <= own:
        return inferred(False, at)
    return Unknown(unknown=f"`{name}` is mentioned where it was not seen to be read", at=at)


def _own_words(run: Run, name: str) -> Iterator[str]:
    for option in run.options:
        node = option.at.node
        if option.name == name and isinstance(node, cst.Call):
            for argument in node.args:
                if isinstance(argument.value, cst.SimpleString) and argument.value.evaluated_value == name:
                    yield name


def _handed_on(run: Run, words: Words) -> str:
    """Why settings may be read where it is not seen: a namespace is handed to a library as a whole."""
    for term in run.trace:
        if term.op in ("call", "method") and not term.name.endswith(
            ("print", "info", "debug", "write", "format", "dump", "dumps", "pformat", "pprint", "add_text")
        ):
            for value in (*term.args, *term.kwargs.values()):
                if isinstance(value, Object) and value.kind == "namespace" and value.attrs:
                    return f"all settings are handed to `{term.name.rsplit('.', 1)[-1]}`"
                if isinstance(value, Map) and len(value.entries) > 3 and term.name in ("?",):
                    return "settings are handed to something unknown"
    return (
        "all settings are read at once"
        if any(words.counts[w] for w in ("vars", "asdict", "__dict__", "getattr"))
        else ""
    )


# -- names that nothing reads ------------------------------------------------------------------------


def never_read(run: Run, words: Words, read: tuple[Option, ...]) -> Iterator[DeadSetting]:
    """Hyperparameters that are written and nothing reads: options, constants, settings of classes, parameters."""
    others, passed = _Others(run), Passed(run)
    yield from (setting for setting in _unread(run, words, read, passed) if not others.mention(setting))
    if not run.exhausted:
        yield from _parameters(run, passed)


class _Others:
    """What else of the project can read a setting: scripts that import the module, or that share the file."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._imports = run.imports
        self._modules = {m.source.path: m.source.file for m in run.modules.values()}
        self._own = {f.resolve() for f in self._modules.values() if f is not None}

    def mention(self, setting: DeadSetting) -> bool:
        """Whether a script that is not part of this program has the name of a setting in it."""
        if setting.at is None or not isinstance(setting.name, Known):
            return True
        word = re.compile(rb"\b" + re.escape(str(setting.name.value).encode()) + rb"\b")
        return any(word.search(self._imports.read(file)) for file in self._files(setting.at.path))

    def _files(self, path: str) -> list[Path]:
        if path in self._modules:
            file = self._modules[path]
            files = [] if file is None else self._imports.importers(file.resolve())
        else:
            files = list(self._imports.files(self._run.finder.root))
        return [file for file in files if file not in self._own]


def _unread(run: Run, words: Words, read: tuple[Option, ...], passed: Passed) -> Iterator[DeadSetting]:
    for option in read:
        name = option.name.value if isinstance(option.name, Known) else ""
        if isinstance(option.read, Known) and option.read.value is False and topic_of(str(name)):
            yield dead(option.at, "never-read", str(name), f"nothing reads the option `{name}`", value=option.default)
    if not run.exhausted:
        yield from _constants(run, words, passed)


def dead(at: Place | None, kind: str, name: str, why: str, setting: str = "", value: Fact = ABSENT) -> DeadSetting:
    """A setting without effect."""
    return DeadSetting(
        at=at,
        kind=inferred(kind, at),
        name=inferred(name),
        setting=inferred(setting or topic_of(name) or "other"),
        value=value,
        why=inferred(why),
    )


def _constants(run: Run, words: Words, passed: Passed) -> Iterator[DeadSetting]:
    for module in run.modules.values():
        for name, value in module.env.names.items():
            if isinstance(value, (Map, Object)):
                yield from _entries(run, words, passed, value, set())
            if name.startswith("_") or words.counts[name] != 1:
                continue
            if (
                isinstance(value, Const)
                and value.name == name
                and value.at is not None
                and value.at.module is module
                and isinstance(value.value, (int, float, bool, str))
                and topic_of(name)
            ):
                yield dead(place(value.at), "never-read", name, f"nothing reads `{name}`", value=fact(value))
    for cls in run.classes:
        if cls.module not in run.modules.values() or any(
            b.rsplit(".", 1)[-1] in ("BaseSettings", "Tap", "TrainingArguments") for b in run.library_bases(cls)
        ):
            continue
        if _spread(run):
            return
        for name, value in cls.names.items():
            if (
                words.counts[name] == 1
                and isinstance(value, Const)
                and value.at is not None
                and isinstance(value.value, (int, float, bool))
                and topic_of(name)
            ):
                yield dead(place(value.at), "never-read", name, f"nothing reads `{cls.name}.{name}`", value=fact(value))


def _entries(run: Run, words: Words, passed: Passed, holder: Map | Object, seen: set[int]) -> Iterator[DeadSetting]:
    """Keys of a configuration (a dict, a file) that nothing asks for."""
    if id(holder) in seen or words.counts["items"] or words.counts["vars"] or words.counts["getattr"]:
        return
    seen.add(id(holder))
    entries = holder.entries if isinstance(holder, Map) else holder.attrs
    for key, value in entries.items():
        if isinstance(value, (Map, Object)):
            yield from _entries(run, words, passed, value, seen)
        if not isinstance(key, str) or not topic_of(key) or not isinstance(value, Const) or value.at is None:
            continue
        own = 0 if value.at.module is None else 1
        if value.via != "config" or words.counts[key] > own or key in run.reads or passed.holds(value):
            continue
        yield dead(place(value.at), "never-read", key, f"nothing reads `{key}`", value=fact(value))


class Passed:
    """What is handed to the calls of a run: settings and functions."""

    def __init__(self, run: Run) -> None:
        self.functions: set[int] = set()
        self._settings: set[int] = set()
        self._places: set[tuple[Any, Spot | None]] = set()
        for term in run.trace:
            for given in (*term.args, *term.kwargs.values()):
                for value in given.items if isinstance(given, Seq) else (given,):
                    if isinstance(value, (Function, Bound)):
                        self.functions.add(id(value.function if isinstance(value, Bound) else value))
                if isinstance(given, (Map, Object)) and not term.name.endswith("print"):
                    inner = given.entries if isinstance(given, Map) else given.attrs
                    self._settings.update(id(v) for v in inner.values())
                if isinstance(given, Const) and isinstance(given.value, (str, int, float, bool)):
                    self._settings.add(id(given))
                    self._places.add((given.value, given.at))

    def holds(self, setting: Const) -> bool:
        """Whether a setting reached any call: `build(**config)`."""
        return id(setting) in self._settings or (setting.value, setting.at) in self._places


def _spread(run: Run) -> bool:
    """Whether settings are read by computed names."""
    return any(
        t.op == "call" and t.name in ("builtins.vars", "builtins.getattr", "dataclasses.asdict", "dataclasses.fields")
        for t in run.trace
    )


def _parameters(run: Run, passed: Passed) -> Iterator[DeadSetting]:
    """Parameters that sound like hyperparameters, are given a value, and are not read in the function."""
    for function in run.functions:
        node = function.node
        if not isinstance(node, cst.FunctionDef) or id(node) not in run.called or function.extra or function.decorators:
            continue
        if function.owner is not None and (
            _overrides(run, function) or (function.name.startswith("__") and function.name != "__init__")
        ):
            continue
        if id(function) in passed.functions:  # a library calls it, and fixes its parameters
            continue
        params = [*node.params.posonly_params, *node.params.params, *node.params.kwonly_params]
        wanted = [p for p in params if topic_of(p.name.value) and not p.name.value.startswith("_")]
        if not wanted or _is_stub(node):
            continue
        names = _names_in(node.body)
        if names & {"locals", "vars", "save_hyperparameters", "store_attr", "currentframe"}:
            continue
        for p in wanted:
            if p.name.value not in names:
                at = place(Spot(function.env.module, p))
                of = f"{function.owner.name}.{function.name}" if function.owner is not None else function.name
                yield dead(at, "never-read", p.name.value, f"`{of}` does not read its parameter `{p.name.value}`")


def _overrides(run: Run, function: Function) -> bool:
    """Whether a base class fixes what parameters the method has."""
    if function.owner is None or function.name == "__init__":
        return False
    return any(
        not isinstance(c, External) and function.name in getattr(c, "names", {})
        for c in run.lineage(function.owner)[1:]
    ) or (
        bool(run.library_bases(function.owner))
        and function.name in ("forward", "call", "build", "training_step", "on_epoch_end", "on_batch_end")
    )


def _is_stub(node: cst.FunctionDef) -> bool:
    """`pass`, `...`, `raise NotImplementedError`"""
    body = node.body.body
    if not body:
        return True
    last = body[-1]
    small = last.body[0] if isinstance(last, cst.SimpleStatementLine) and last.body else last
    return len(body) <= 2 and isinstance(small, (cst.Pass, cst.Raise, cst.Expr))


def _names_in(node: cst.CSTNode) -> set[str]:
    out: set[str] = set()
    queue: list[cst.CSTNode] = [node]
    for here in queue:
        if isinstance(here, cst.Name):
            out.add(here.value)
        elif isinstance(here, cst.Arg) and here.keyword is not None:
            queue.append(here.value)
            continue
        queue.extend(below(here))
    return out


__all__ = ["Opaque", "Seq", "Value", "Words", "dead", "never_read", "options", "topic_of"]
