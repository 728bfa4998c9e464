"""How many losses a loop within one training step adds up, as an expression for the function that differentiates."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lstmadvisor.extract.abstract.values import Spot, Term
from lstmadvisor.extract.common import Fact, inferred, place, receiver
from lstmadvisor.facts import Unknown
from lstmadvisor.nodes import below

_Path = tuple[cst.CSTNode, ...]


def addends(backward: Term) -> Fact:
    """The turns of the loops that add up what `backward` differentiates, all of them alike.

    Its place is that of the sum, where it is differentiated.
    """
    lost = Unknown(unknown="how many losses are added up has no name", at=place(backward.at))
    name, module, call = receiver(backward), backward.at.module, backward.at.node
    if not name or backward.op != "method" or module is None or not isinstance(call, cst.Call):
        return lost
    path = next((path for path in _paths(module.tree, ()) if path[-1] is call), ())
    around = {id(node) for node in path}
    function = next((node for node in reversed(path) if isinstance(node, cst.FunctionDef)), module.tree)
    counts: set[str] = set()
    for inner in _paths(function, ()):
        if not _adds_to(inner[-1], name, module.tree):
            continue
        loops = [node for node in inner if isinstance(node, (cst.For, cst.While)) and id(node) not in around]
        if len(loops) != 1 or not isinstance(loops[0], cst.For) or any(_is_function(node) for node in inner[1:]):
            return lost
        counts.add(_turns(loops[0], module.tree))
    count = next(iter(counts), "")
    assert isinstance(call.func, cst.Attribute)
    return inferred(count, place(Spot(module, call.func.value))) if len(counts) == 1 and count else lost


def _paths(node: cst.CSTNode, above: _Path) -> Iterator[_Path]:
    """Every node below one, with what it is part of, outermost first."""
    path = (*above, node)
    yield path
    for child in below(node):
        yield from _paths(child, path)


def _is_function(node: cst.CSTNode) -> bool:
    return isinstance(node, (cst.FunctionDef, cst.Lambda, cst.ClassDef))


def _adds_to(node: cst.CSTNode, name: str, tree: cst.Module) -> bool:
    """`name += …` and `name = name + …`."""
    if isinstance(node, cst.AugAssign):
        return tree.code_for_node(node.target) == name
    if isinstance(node, cst.Assign) and tree.code_for_node(node.targets[0].target) == name:
        value = node.value
        return isinstance(value, cst.BinaryOperation) and name in map(tree.code_for_node, (value.left, value.right))
    return False


def _turns(loop: cst.For, tree: cst.Module) -> str:
    """An expression for how often a loop turns; empty if there is none that holds behind the loop as well."""
    count = _count(loop.iter, tree)
    if not count:
        return ""
    read = {node.value for node in _names(cst.parse_expression(count))}
    targets = [
        node.target for path in _paths(loop, ()) if isinstance(node := path[-1], (cst.AssignTarget, cst.AugAssign))
    ]
    bound = {node.value for target in (loop.target, *targets) for node in _names(target)}
    return "" if read & bound else count


def _count(iterable: cst.BaseExpression, tree: cst.Module) -> str:
    if isinstance(iterable, (cst.Name, cst.Attribute)):
        return f"len({tree.code_for_node(iterable)})"
    if not isinstance(iterable, cst.Call) or any(argument.star for argument in iterable.args):
        return ""
    name = tree.code_for_node(iterable.func).rpartition(".")[2]
    given = [argument.value for argument in iterable.args if argument.keyword is None]
    if name in ("tqdm", "enumerate", "zip") and given:
        return _count(given[0], tree)
    if name not in ("range", "trange") or not 1 <= len(given) <= 2:
        return ""
    stop = tree.code_for_node(given[-1])
    start = tree.code_for_node(given[0]) if len(given) == 2 else "0"
    atom = isinstance(given[-1], (cst.Name, cst.Attribute, cst.Call, cst.Integer, cst.Subscript))
    if start == "0":
        return stop if atom else f"({stop})"
    return f"({stop} - {start})" if start.isdigit() and atom else ""


def _names(node: cst.CSTNode) -> Iterator[cst.Name]:
    for path in _paths(node, ()):
        if isinstance(path[-1], cst.Name):
            yield path[-1]
