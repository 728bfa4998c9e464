"""What the linear layers of a module are handed of what its recurrent layer gives."""

from __future__ import annotations

import libcst as cst

from lstmadvisor.extract.abstract.values import Spot, Term
from lstmadvisor.extract.common import bound_name, place
from lstmadvisor.extract.pytorch.made import Made
from lstmadvisor.extract.pytorch.neighbours import Neighbours
from lstmadvisor.extract.pytorch.torch_ops import DENSE, module_name
from lstmadvisor.facts import Item, Unknown


def heads(around: Neighbours, made: Made, applied: list[Term]) -> tuple[Item, ...] | Unknown:
    """The arguments, where `self` calls the layers, in the class that makes the recurrent one."""
    owner, name = made.owner, bound_name(made.term)
    if owner is None or name != f"self.{made.name}":
        return Unknown(unknown="it is no attribute of the module that makes it", at=place(made.at))
    found: dict[int, Item] = {}
    for use in applied:
        for head in around.following(use, direct=True):
            call, frame = head.at.node, head.scope.frames[-1] if head.scope.frames else None
            if module_name(head.base) not in DENSE or frame is None or frame.function.owner is not owner.cls:
                continue
            if isinstance(call, cst.Call) and len(call.args) == 1 and _of_self(call.func):
                found[id(call)] = Item(at=place(Spot(head.at.module, call.args[0].value)), active=head.scope.active)
    return tuple(found.values())


def _of_self(callee: cst.BaseExpression) -> bool:
    while isinstance(callee, (cst.Attribute, cst.Subscript)):
        callee = callee.value
    return isinstance(callee, cst.Name) and callee.value == "self"
