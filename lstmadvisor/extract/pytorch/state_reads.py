"""How the final state of a recurrent layer is used: whole, of one layer or direction, joined, viewed."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.extract.abstract.values import Const, Seq, Term, Value
from lstmadvisor.extract.pytorch.indexing import asked, bounds, deeper, moved, selected, unpacked
from lstmadvisor.extract.pytorch.picks import CATS, POOLS, SAME, Picker, View
from lstmadvisor.extract.pytorch.torch_ops import (
    activation_of,
    applied_module,
    constant,
    input_of,
    is_dropout,
    is_normalization,
    last,
    whole,
)


class StateReads(Picker):
    """Follows a state, whose first axis holds layers and directions."""

    def of_state(self, value: Value, view: View, user: Term) -> Iterator[tuple[Value, View]]:
        if user.op == "item" and user.base is value:
            yield from self._state_indexed(view, user)
        elif user.op == "apply":
            if self.as_state(value, user):
                return
            name = applied_module(user)
            if name in ("Linear", "Identity") or is_dropout(name) or is_normalization(name) or activation_of(user):
                if self.shape.states == 1:
                    self.pick("last-state", user, final=True)
                else:
                    yield user, view
            else:
                self.pick(self._whole(), user, final=True)
        elif user.op == "elem":
            if not asked(user):
                self.pick("states-joined", user, final=True)
        elif user.op == "comp":
            if user.base is not value:
                yield user, View("pair")
        elif user.op == "attr":
            if user.name == "data":
                yield user, view
        elif user.op == "binop":
            if user.name in "+-*/":
                yield user, view
        else:
            yield from self._state_function(value, view, user)

    def _state_function(self, value: Value, view: View, user: Term) -> Iterator[tuple[Value, View]]:
        name = last(user.name)
        rest = user.args if user.op == "method" else user.args[1:]
        if user.op == "method" and user.base is not value:
            return
        if name in SAME or is_dropout(name) or activation_of(user):
            yield user, view
        elif name in ("transpose", "swapaxes", "permute", "movedim", "unsqueeze"):
            yield user, view._replace(axes=moved(view.axes, name, rest, user) or ())
        elif name == "squeeze":
            self._squeezed(view, user)
        elif name in ("view", "reshape", "flatten"):
            yield from self._state_reshaped(view, user, rest, name)
        elif name in POOLS:
            self.pick("states-joined" if self.shape.states != 1 else "last-state", user, final=True)
        elif name in CATS:
            if input_of(user) is value:
                self.pick("states-joined", user, final=True)
            else:
                yield user, view
        elif name in ("unbind", "chunk", "split", "tensor_split"):
            yield user, view
        elif name == "stack":
            yield user, view._replace(axes=())
        elif name == "select" and rest and whole(rest[0]) == 0 and len(rest) > 1 and whole(rest[1]) is not None:
            self.pick("state", user, index=whole(rest[1]), final=True)
        elif not _makes_another(name, user):
            self.pick(self._whole(), user, final=True)

    def _whole(self) -> str:
        return "last-state" if self.shape.states == 1 else "whole-state"

    def _squeezed(self, view: View, user: Term) -> None:
        if self.shape.states == 1:
            self.pick("last-state", user, final=True)
        elif self.shape.states is None:
            self.pick("unknown", user, final=True)
        else:
            self.pick("whole-state", user, final=True)

    def _state_reshaped(self, view: View, user: Term, rest: list[Value], name: str) -> Iterator[tuple[Value, View]]:
        sizes = rest[0].items if len(rest) == 1 and isinstance(rest[0], Seq) else rest
        if view.axes[:1] != ("L",):
            if view.axes:
                self.pick("states-joined" if self.shape.states != 1 else "last-state", user, final=True)
            return
        if self.shape.states == 1:
            self.pick("last-state", user, final=True)
        elif len(sizes) == 4:
            yield user, view._replace(axes=("N", "D", "B", "F"))
        elif len(sizes) == 3 and name != "flatten":
            first = whole(sizes[0])
            if first is not None and first == self.shape.states:
                yield user, view
            else:
                self.pick("viewed-state" if self.shape.states else "unknown", user, final=True)
        else:
            self.pick("viewed-state" if self.shape.states else "unknown", user, final=True)

    def _state_indexed(self, view: View, user: Term) -> Iterator[tuple[Value, View]]:
        index = user.args[0]
        if not view.axes:
            return
        selectors = selected(index, len(view.axes)) or []
        for position, (axis, selector) in enumerate(zip(view.axes, selectors, strict=False)):
            found = whole(selector)
            if axis == "L" and found is not None:
                if self.shape.kind != "LSTM" and unpacked(user) and self.shape.states != 2:
                    self.misread(user, final=True)
                else:
                    self.pick("state", user, index=found, final=True)
                return
            if axis == "L" and isinstance(selector, Seq) and bounds(selector) != (None, None, None):
                self._sliced(selector, user)
                return
            if axis == "N" and found is not None:
                left = tuple(a for i, a in enumerate(view.axes) if i != position)
                if deeper(selectors, left, position) is None:
                    yield user, view._replace(axes=left)
                    return
            if axis == "D" and found is not None:
                self.pick("direction", user, index=found, final=True)
                return
        if view.axes[:1] == ("D",) and not selectors:
            return
        kept = tuple(a for a, s in zip(view.axes, selectors, strict=False) if isinstance(s, Seq))
        if kept and kept != view.axes:
            yield user, view._replace(axes=kept)
        elif kept:
            yield user, view

    def _sliced(self, selector: Seq, user: Term) -> None:
        low, high, step = (whole(b) for b in selector.items)
        given = [None if constant(b) is None and isinstance(b, Const) else b for b in selector.items]
        states, both = self.shape.states, self.shape.bidirectional
        if step == 2 or (isinstance(given[2], Const) and step == 2):
            self.pick("direction", user, index=1 if low == 1 else 0, final=True)
        elif (given[1] is None and low is not None and low < 0) or (
            states is not None and low is not None and given[1] is None
        ):
            count = -low if low < 0 else (states or 0) - low
            if both:
                self.pick("states-joined" if count >= 2 else "half-state", user, final=True)
            else:
                self.pick("last-state" if count == 1 else "states-joined", user, final=True)
        elif low in (None, 0) and given[1] is not None:
            if states is not None and high == states:
                self.pick(self._whole(), user, final=True)
            elif high == 1 and states == 1:
                self.pick("last-state", user, final=True)
            elif both:
                self.pick("half-state", user, final=True)
            elif both is False:
                self.pick("first-state", user, final=True)
            else:
                self.pick("unknown", user, final=True)
        else:
            self.pick("unknown", user, final=True)

    def as_state(self, value: Value, user: Term) -> bool:
        """A state handed to a recurrent layer as its state: to itself that is carrying on, to another a read."""
        if applied_module(user).removesuffix("Cell") not in ("LSTM", "GRU", "RNN"):
            return False
        if input_of(user) is value:
            return False
        if id(user.base) not in self.layer:
            self.pick("whole-state", user, final=True)
        return True


def _makes_another(name: str, user: Term) -> bool:
    """Whether a function only takes the shape of a state, or is none of PyTorch's."""
    if name in ("index_select", "gather") or name.startswith("zeros") or name.endswith("_like"):
        return True
    return user.op == "call" and not user.name.startswith("torch.")
