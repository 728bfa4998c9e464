"""Where a recurrent layer is called, with what the code calls its input, its output and the lengths there."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lstmadvisor.extract.abstract.values import Function, Spot, Term, options
from lstmadvisor.extract.common import Fact, inferred, place
from lstmadvisor.extract.pytorch.torch_ops import applied_module, input_of, is_dropout
from lstmadvisor.facts import ABSENT, Pass, Unknown
from lstmadvisor.nodes import below
from lstmadvisor.patterns import regex

_LENGTHS = regex(r"\w*(?:lengths|lens)")


def only_pass(applied: list[Term]) -> Pass:
    """The call of a layer, if it is called at one place of the program."""
    term = applied[0] if len({id(each.at.node) for each in applied}) == 1 else None
    if term is None or term.at.module is None or not term.scope.frames or not isinstance(term.at.node, cst.Call):
        return Pass()
    function, call, module = term.scope.frames[-1].function, term.at.node, term.at.module
    if function.env.module is not module or not call.args or call.args[0].keyword is not None:
        return Pass()
    given = call.args[0].value
    return Pass(
        at=place(term.at),
        input=inferred(module.tree.code_for_node(given), place(Spot(module, given))),
        output=_output(function, call, term),
        without_cell=_without_cell(function, call, term),
        lengths=_lengths(function, term),
        ids=_ids(function, term),
    )


def _output(function: Function, call: cst.Call, term: Term) -> Fact:
    """The name of the outputs in `out, state = rnn(x)`, absent where they are thrown away."""
    for node in _nodes(function.node):
        if isinstance(node, cst.Assign) and node.value is call and len(node.targets) == 1:
            target = node.targets[0].target
            first = target.elements[0].value if isinstance(target, cst.Tuple) and len(target.elements) == 2 else None
            if isinstance(first, cst.Name):
                return ABSENT if first.value.startswith("_") else inferred(first.value)
    return Unknown(unknown="its result is not unpacked where it is called", at=place(term.at))


def _without_cell(function: Function, call: cst.Call, term: Term) -> Fact:
    """The names `out, h` of `out, (h, c) = rnn(x)`, if nothing else in the function is called c."""
    nodes, module = list(_nodes(function.node)), term.at.module
    for node in nodes:
        if module is None or not isinstance(node, cst.Assign) or node.value is not call or len(node.targets) != 1:
            continue
        match node.targets[0].target:
            case cst.Tuple(elements=[cst.Element(value=out), cst.Element(value=cst.Tuple() as pair)]) as target:
                names = [each.value.value for each in pair.elements if isinstance(each.value, cst.Name)]
                mentions = [n for n in nodes if isinstance(n, cst.Name) and n.value == names[-1]] if names else []
                if len(names) == len(pair.elements) == 2 and (names[1] == "_" or len(mentions) == 1):
                    return inferred(f"{module.tree.code_for_node(out)}, {names[0]}", place(Spot(module, target)))
    return Unknown(unknown="its result is not unpacked so that the cell state is unused", at=place(term.at))


def _lengths(function: Function, term: Term) -> Fact:
    """A parameter that holds the lengths."""
    named = [name for name in _parameters(function) if _LENGTHS.fullmatch(name)]
    if len(named) == 1 and named[0] not in _assigned(function):
        return inferred(named[0])
    return Unknown(unknown="the lengths have no name there", at=place(term.at))


def _ids(function: Function, term: Term) -> Fact:
    """The parameter that an embedding looked the input up by."""
    unknown = Unknown(unknown="what an embedding looked up has no name there", at=place(term.at))
    value = next((each for each in options(input_of(term)) if isinstance(each, Term)), None)
    while value is not None and value.op == "apply" and is_dropout(applied_module(value)):
        value = next((each for each in options(input_of(value)) if isinstance(each, Term)), None)
    if value is None or value.op != "apply" or applied_module(value) != "Embedding":
        return unknown
    looked_up = value.at.node
    given = looked_up.args[0].value if isinstance(looked_up, cst.Call) and looked_up.args else None
    if not isinstance(given, cst.Name) or value.scope.frames[-1:] != term.scope.frames[-1:]:
        return unknown
    own = given.value in _parameters(function) and given.value not in _assigned(function)
    return inferred(given.value) if own else unknown


def _parameters(function: Function) -> list[str]:
    parameters = function.node.params
    return [each.name.value for each in (*parameters.params, *parameters.kwonly_params)]


def _assigned(function: Function) -> set[str]:
    """Names that a function gives another value."""
    targets = [
        each.target for each in _nodes(function.node) if isinstance(each, (cst.AssignTarget, cst.AugAssign, cst.For))
    ]
    return {name.value for target in targets for name in _nodes(target) if isinstance(name, cst.Name)}


def _nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(below(here))
