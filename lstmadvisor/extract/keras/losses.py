"""Losses of Keras programs: of compile, of layers, of hand-written steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import libcst as cst

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import (
    Bound,
    Const,
    External,
    Function,
    Instance,
    Map,
    Seq,
    Term,
    Value,
    options,
    walk,
)
from lstmadvisor.extract.common import Fact, argument, default, fact, inferred
from lstmadvisor.extract.keras.kinds import last_name
from lstmadvisor.extract.keras.optimizers import Optimizers
from lstmadvisor.extract.keras.training import COMPILE, argument_node, distinct, written
from lstmadvisor.facts import ABSENT, Known, Loss, Place, Unknown


def losses(optimizers: Optimizers, activation: Callable[[Term], Fact]) -> tuple[Loss, ...] | Unknown:
    """Losses of compile (of each head), `add_loss`, and those inside a tape."""
    out: list[tuple[Any, Loss]] = []
    for term in optimizers.effective:
        value, given = term.argument("loss", 1), activation(term)
        at, _ = written(term, "loss", 1)
        if value is None and not _has(term, "loss"):
            continue
        for each in options(value):
            parts: list[Value] = (
                list(each.entries.values())
                if isinstance(each, Map)
                else each.items
                if isinstance(each, Seq)
                else [each]
            )
            for number, part in enumerate(parts):
                if not (isinstance(part, Const) and part.value is None):
                    out.append(((id(term.at.node), number), _loss(optimizers, part, term, at, given)))
    out.extend(_added(optimizers, activation))
    if not out:
        out.extend(_in_tape(optimizers, activation))
    return distinct(out)


def _loss(optimizers: Optimizers, value: Value, term: Term, at: Place | None, given: Fact) -> Loss:
    common: dict[str, Any] = {"at": at, "input_activation": given}
    if isinstance(value, Const) and isinstance(value.value, str):
        known = Known(value=value.value, via=value.via, at=place(value.at) or at)  # type: ignore[arg-type]
        return Loss(name=known, from_logits=_no_logits(value.value), by_hand=inferred(False), **common)
    if isinstance(value, External):
        last = value.name.rsplit(".", 1)[-1]
        return Loss(
            name=Known(value=last, via="literal", at=at),
            from_logits=_no_logits(last),
            by_hand=inferred(False),
            **common,
        )
    if isinstance(value, Term) and value.op == "call" and not value.name.startswith("?"):
        return Loss(
            name=Known(value=last_name(value), via="literal", at=place(value.at)),
            from_logits=argument(value, "from_logits", 0, False) if "rossentropy" in last_name(value) else ABSENT,
            reduction=argument(value, "reduction", None, "sum_over_batch_size"),
            by_hand=inferred(False),
            **common,
        )
    if isinstance(value, Term) and value.op == "attr":
        return Loss(name=inferred(_source(value), at), by_hand=inferred(False), **common)
    if isinstance(value, (Function, Bound)):
        function = value.function if isinstance(value, Bound) else value
        inside = _inside(optimizers, function)
        ctc = _ctc(optimizers.run.trace) if function.name == "<lambda>" and inside is None else None
        if ctc is not None:
            return Loss(name=inferred(last_name(ctc), place(ctc.at)), by_hand=inferred(False), **common)
        name = _factory(term) or function.name
        if name == "<lambda>":
            if inside is None:
                return Loss(name=Unknown(unknown="a lambda", at=at), by_hand=inferred(True), **common)
            name = last_name(inside)
        logits = (
            argument(inside, "from_logits", 2, False)
            if inside is not None
            else Unknown(unknown="a loss of the program's own", at=at)
        )
        return Loss(name=inferred(name, at), from_logits=logits, by_hand=inferred(True), **common)
    if isinstance(value, Instance):
        return Loss(name=inferred(value.cls.name, at), by_hand=inferred(True), **common)
    got = fact(value)
    return Loss(name=got if isinstance(got, Unknown) else Unknown(unknown="not known", at=at), **common)


def _inside(optimizers: Optimizers, function: Function) -> Term | None:
    """The library's loss that a function of the program calls."""
    for term in optimizers.run.trace:
        named = (
            term.op == "call"
            and term.name.startswith(("keras.losses.", "keras.backend.", "keras.metrics."))
            and "entropy" in term.name
        )
        if named and any(f.function.node is function.node for f in term.scope.frames):
            return term
    return None


def _added(optimizers: Optimizers, activation: Callable[[Term], Fact]) -> Iterator[tuple[Any, Loss]]:
    for term in optimizers.run.trace:
        if term.op == "method" and term.name == "add_loss" and term.args and term.scope.active:
            source = term.args[0]
            made = next(
                (v for v in walk(source, 60) if isinstance(v, Term) and v.op in ("call", "apply") and _is_loss(v)),
                None,
            )
            name = _loss_name(made) if made is not None else "add_loss"
            yield (
                id(term.at.node),
                Loss(
                    at=place((made or term).at),
                    name=inferred(name, place((made or term).at)),
                    by_hand=inferred(made is None),
                    input_activation=activation(term),
                ),
            )


def _in_tape(optimizers: Optimizers, activation: Callable[[Term], Fact]) -> Iterator[tuple[Any, Loss]]:
    """The loss whose gradient a tape is asked for."""
    for term in optimizers.run.trace:
        if (
            term.op == "method"
            and term.name in ("gradient", "minimize")
            and term.args
            and term.scope.active
            and any(t for t in optimizers.training.steps)
        ):
            found = [v for v in walk(term.args[0], 400) if isinstance(v, Term) and _is_loss(v)]
            by_user = _user_loss(term.args[0])
            if by_user is not None:
                inner = next((f.base if f.op == "apply" and isinstance(f.base, Term) else f for f in found), None)
                logits = argument(inner, "from_logits", None, False) if inner is not None else ABSENT
                yield (
                    id(by_user.node),
                    Loss(
                        at=place(term.at),
                        name=inferred(by_user.name),
                        from_logits=logits,
                        by_hand=inferred(True),
                        input_activation=activation(term),
                    ),
                )
            for made in found[:1] if by_user is None else []:
                base = made.base if made.op == "apply" and isinstance(made.base, Term) else made
                yield (
                    id(base.at.node),
                    Loss(
                        at=place(base.at),
                        name=inferred(_loss_name(made), place(base.at)),
                        from_logits=argument(base, "from_logits", None, False)
                        if "entropy" in last_name(base).lower()
                        else ABSENT,
                        input_activation=activation(term),
                        by_hand=inferred(False),
                    ),
                )


def _no_logits(name: str) -> Fact:
    """Losses that could take logits do not by default; others have no such choice."""
    return default(False) if "entropy" in name.lower() else ABSENT


def _factory(term: Term) -> str | None:
    """The name of the user's function that is called to make a loss, as written in `compile(loss=focal(2))`."""
    node = argument_node(term, "loss", 1)
    if isinstance(node, cst.Call):
        function = node.func
        return (
            function.attr.value
            if isinstance(function, cst.Attribute)
            else function.value
            if isinstance(function, cst.Name)
            else None
        )
    return None


def _ctc(trace: list[Term]) -> Term | None:
    return next((t for t in trace if t.op == "call" and last_name(t) in ("ctc_batch_cost", "ctc_loss", "CTC")), None)


def _is_loss(term: Term) -> bool:
    if term.op == "apply":
        return isinstance(term.base, Term) and term.base.name.startswith("keras.losses.")
    last = last_name(term)
    if term.op != "call":
        return False
    return (
        term.name.startswith(("keras.losses.", "keras.metrics."))
        or last in ("ctc_batch_cost", "ctc_loss", "sequence_loss", "mse", "mae")
        or "cross_entropy" in last
        or "crossentropy" in last
    )


def _source(term: Term) -> str:
    """An attribute as the program writes it: `crf.loss_function`."""
    if term.at.module is not None and term.at.node is not None:
        return term.at.module.code(term.at.node)
    return term.name


def _loss_name(term: Term) -> str:
    base = term.base if term.op == "apply" and isinstance(term.base, Term) else term
    return last_name(base)


def _user_loss(value: Value) -> Function | None:
    """The user's function in whose frame a loss was computed, if that is where the loss comes from."""
    for each in walk(value, 200):
        if isinstance(each, Term) and each.op in ("binop", "call", "apply", "method"):
            for frame in reversed(each.scope.frames):
                if "loss" in frame.function.name.lower():
                    return frame.function
            if _is_loss(each):
                return None
    return None


def _has(term: Term, name: str) -> bool:
    return name in term.kwargs or len(term.args) > COMPILE.index(name)
