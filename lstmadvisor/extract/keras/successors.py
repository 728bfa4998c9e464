"""What it takes to write a removed argument or method as its successor wants it."""

from __future__ import annotations

import libcst as cst

from lstmadvisor.extract.abstract.values import Term
from lstmadvisor.extract.common import Fact, inferred, place, receiver
from lstmadvisor.extract.keras.kinds import Layer, last_name
from lstmadvisor.facts import ABSENT, Unknown
from lstmadvisor.nodes import below

INPUT = ("batch_input_shape", "batch_size")
"""Arguments of a layer that say what its input is like."""
_OTHER_ARGUMENTS = frozenset(("samples_per_epoch", "nb_val_samples", "val_samples"))
"""Arguments of Keras 1 that count samples where their successors count batches."""


def called_on(term: Term) -> Fact:
    """What a method is called on, if its arguments may stay as they are."""
    text = receiver(term)
    if not text:
        return Unknown(unknown="has no name", at=place(term.at))
    if term.name.endswith("_generator") and (len(term.args) != 1 or _OTHER_ARGUMENTS & term.kwargs.keys()):
        return Unknown(unknown="its successor takes other arguments", at=place(term.at))
    return inferred(text)


def arguments(term: Term) -> Fact:
    """What stands in the brackets of a call."""
    call, module = term.at.node, term.at.module
    if not isinstance(call, cst.Call) or module is None:
        return Unknown(unknown="not a call", at=place(term.at))
    return inferred(
        ", ".join(
            module.tree.code_for_node(each.with_changes(comma=cst.MaybeSentinel.DEFAULT)).strip() for each in call.args
        )
    )


def told(layer: Layer, term: Term, name: str) -> Fact:
    """The arguments of `keras.Input` that tell it what an argument of its first layer does."""
    shape = _written(term, "batch_input_shape" if name == "batch_input_shape" else "input_shape")
    if shape is None or any(last_name(link.source.term) not in ("Input", "InputLayer") for link in layer.before):
        return Unknown(unknown="it is not the whole shape of a model's input", at=place(term.at))
    if name == "batch_input_shape":
        return inferred(f"batch_shape={shape}")
    return inferred(f"shape={shape}, batch_size={_written(term, name)}")


def added_to(term: Term) -> Fact:
    """The model whose `add` a layer is handed to, by a statement of its own."""
    module = term.at.module
    around = None if module is None or term.at.node is None else _parents(module.tree, term.at.node)
    for node in around or ():
        if isinstance(node, cst.Element):
            return ABSENT
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "add":
            assert module is not None
            return inferred(module.tree.code_for_node(node.func.value))
        if not isinstance(node, (cst.Call, cst.Arg)):
            break
    return Unknown(unknown="it is not added to a model where it is made", at=place(term.at))


def _written(term: Term, name: str) -> str | None:
    call, module = term.at.node, term.at.module
    given = call.args if isinstance(call, cst.Call) else ()
    values = [each.value for each in given if each.keyword is not None and each.keyword.value == name]
    return module.tree.code_for_node(values[0]) if values and module is not None else None


def _parents(tree: cst.Module, node: cst.CSTNode) -> list[cst.CSTNode]:
    """What a node is part of, innermost first."""
    for child in below(tree):
        found = _path(child, node)
        if found is not None:
            return found
    return []


def _path(here: cst.CSTNode, node: cst.CSTNode) -> list[cst.CSTNode] | None:
    if here is node:
        return []
    for child in below(here):
        found = _path(child, node)
        if found is not None:
            return [*found, here]
    return None
