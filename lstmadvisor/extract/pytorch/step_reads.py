"""How the steps of a recurrent layer's output are used: all of them, the last one, pooled."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.extract.abstract.values import Const, Seq, Term, Value
from lstmadvisor.extract.data.masking import is_masked
from lstmadvisor.extract.pytorch.indexing import axis_of, half_of, is_product, moved, selected, side_of, step_of
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


class StepReads(Picker):
    """Follows the output of a layer, whose time axis is known."""

    def of_steps(self, value: Value, view: View, user: Term) -> Iterator[tuple[Value, View]]:
        if user.op == "item" and user.base is value:
            yield from self._indexed(view, user)
        elif user.op == "elem":
            self.pick("all-steps", user)
        elif user.op == "comp":
            yield user, view._replace(axes=())
        elif user.op == "attr":
            if user.name in ("T", "mT"):
                yield user, view._replace(axes=view.axes[::-1])
            elif user.name == "data":
                yield user, view
        elif user.op == "binop":
            if user.name in ("==", "!=", "<", ">", "<=", ">=", "in", "is", "is not", "not in"):
                return
            yield user, view
        elif user.op == "apply":
            yield from self._through_module(value, view, user)
        else:
            yield from self._through_function(value, view, user)

    def _through_module(self, value: Value, view: View, user: Term) -> Iterator[tuple[Value, View]]:
        name = applied_module(user)
        if input_of(user) is not value and name.removesuffix("Cell") in ("LSTM", "GRU", "RNN"):
            self.pick("all-steps", user)
            return
        if name in ("Linear", "Identity") or is_dropout(name) or is_normalization(name) or activation_of(user):
            yield user, view._replace(part="") if name == "Linear" else view
        elif name.startswith(("AdaptiveAvgPool", "AdaptiveMaxPool", "AvgPool", "MaxPool")):
            self.pick("pooled", user, gathered=is_masked(user))
        else:
            self.use(view, user)

    def _through_function(self, value: Value, view: View, user: Term) -> Iterator[tuple[Value, View]]:
        name = last(user.name)
        rest = user.args if user.op == "method" else user.args[1:]
        if user.op == "method" and user.base is not value:
            if name == "append":
                return
            self.use(view, user)
        elif name in ("transpose", "swapaxes", "swapdims", "permute", "movedim", "t", "unsqueeze", "squeeze"):
            axes = moved(view.axes, name, rest, user)
            if name == "squeeze" and axes is not None and "T" in view.axes and "T" not in axes:
                self.pick("all-steps", user)
                return
            yield user, view._replace(axes=axes or ())
        elif name in ("view", "reshape"):
            yield from self._reshaped(view, user, rest)
        elif name in ("flatten", "ravel"):
            start = whole(user.argument("start_dim", 0 if user.op == "method" else 1, Const(0)))
            if start == 2 or start == -1:
                yield user, view
            else:
                self.use(view, user)
        elif name in ("select", "narrow"):
            yield from self._selected(view, user, rest)
        elif name in ("gather", "index_select", "take_along_dim"):
            axis = axis_of(rest[0] if rest else user.kwargs.get("dim"), view.axes)
            if name == "index_select" and axis == "B":
                yield user, view
            elif axis == "T" or not view.axes:
                self.pick("last-step", user, gathered=True)
            else:
                self.use(view, user)
        elif name in POOLS:
            yield from self._pooled(view, user, rest)
        elif "pool1d" in name or "pool2d" in name:
            self.pick("pooled", user, gathered=is_masked(user))
        elif name in CATS or name in ("stack", "where"):
            yield user, view._replace(axes=view.axes if name != "stack" else (), part="")
        elif name in ("chunk", "split", "tensor_split", "unbind"):
            axis = axis_of(
                user.argument(
                    "dim", len(user.args) - len(rest) + 1 if name != "unbind" else len(user.args) - len(rest), Const(0)
                ),
                view.axes,
            )
            if axis == "F":
                yield user, view._replace(what="parts")
            else:
                self.use(view, user)
        elif name in SAME or is_dropout(name) or activation_of(user) or name in ("layer_norm", "linear"):
            yield user, view
        elif name == "pack_padded_sequence":
            self.use(view, user)
        else:
            self.use(view, user)

    def of_parts(self, value: Value, view: View, user: Term) -> Iterator[tuple[Value, View]]:
        if user.op == "item" and user.base is value:
            part = side_of(whole(user.args[0]))
            yield user, view._replace(what="steps", part=part)
        else:
            yield user, view._replace(what="steps")

    def _reshaped(self, view: View, user: Term, rest: list[Value]) -> Iterator[tuple[Value, View]]:
        sizes = rest[0].items if len(rest) == 1 and isinstance(rest[0], Seq) else rest
        if len(sizes) == 3 and len(view.axes) == 3:
            yield user, view
        elif len(sizes) == 2 and view.axes[2:] == ("F",) and (constant(sizes[0]) == -1 or is_product(sizes[0])):
            yield user, view._replace(axes=("".join(view.axes[:2]), "F"))
        elif len(sizes) == 3 and view.axes in (("BT", "F"), ("TB", "F")):
            yield user, view._replace(axes=(*view.axes[0], "F"))
        elif len(sizes) == 4 and view.axes[2:] == ("F",):
            yield user, view._replace(axes=(*view.axes[:2], "D", "F"))
        else:
            self.use(view, user)

    def _selected(self, view: View, user: Term, rest: list[Value]) -> Iterator[tuple[Value, View]]:
        axis, index = (
            axis_of(rest[0] if rest else user.kwargs.get("dim"), view.axes),
            whole(rest[1] if len(rest) > 1 else user.kwargs.get("index")),
        )
        if axis == "T" and index == -1:
            yield from self._one(view, user, -1, tuple(a for a in view.axes if a != "T"))
        elif axis in ("B", "F") and last(user.name) == "select":
            yield user, view._replace(axes=tuple(a for a in view.axes if a != axis))
        else:
            self.use(view, user)

    def _pooled(self, view: View, user: Term, rest: list[Value]) -> Iterator[tuple[Value, View]]:
        given = user.kwargs.get("dim") or user.kwargs.get("axis") or (rest[0] if rest else None)
        axis = axis_of(given, view.axes)
        if axis == "T":
            self.pick("pooled", user, gathered=is_masked(user))
        elif axis in ("F", "D", "B"):
            yield user, view._replace(axes=tuple(a for a in view.axes if a != axis))
        elif given is not None and not view.axes:
            self.pick("unknown", user)
        else:
            self.use(view, user)

    def _indexed(self, view: View, user: Term) -> Iterator[tuple[Value, View]]:
        index = user.args[0]
        if not view.axes:
            known = (isinstance(index, Seq) and index.kind == "tuple") or (
                isinstance(index, Const) and index.value is not Ellipsis
            )
            self.pick("unknown" if known else "all-steps", user, repacked=view.repacked)
            return
        selectors = selected(index, len(view.axes))
        if selectors is None:
            self.pick("all-steps", user)
            return
        kept: list[str] = []
        step: int | None = None
        part = view.part
        gathered = False
        for axis, selector in zip(view.axes, selectors, strict=True):
            if axis == "T":
                found = step_of(selector)
                if found == "all":
                    kept.append(axis)
                elif isinstance(found, int):
                    step = found
                    if isinstance(selector, Seq):
                        kept.append("1")
                elif found == "lengths":
                    gathered, step = True, -1
                else:
                    self.pick("all-steps", user)
                    return
            elif axis in ("F", "D"):
                part = (half_of(selector) if axis == "F" else side_of(whole(selector))) or part
                if isinstance(selector, Seq):
                    kept.append(axis)
            elif isinstance(selector, Seq) or whole(selector) is None:
                kept.append(axis)
        if step is None:
            if "T" in kept:
                yield user, view._replace(axes=tuple(kept), part=part)
            return
        if gathered:
            self.pick("last-step", user, gathered=True)
        else:
            yield from self._one(view._replace(part=part), user, step, tuple(kept))

    def _one(self, view: View, user: Term, step: int, axes: tuple[str, ...]) -> Iterator[tuple[Value, View]]:
        """One step was taken; of a bidirectional layer its halves are looked at further."""
        if step == -1 or step == 0:
            halves = [u for u, _ in self.flow.consumers(user) if u.op == "item" and u.base is user]
            if self.shape.bidirectional and not view.part and halves and axes and axes[-1] == "F":
                yield user, view._replace(what="one", axes=axes, step=step)
                return
        self._stepped(view, user, step)

    def _stepped(self, view: View, user: Term, step: int) -> None:
        if step == -1:
            self.pick("last-step", user, part=view.part, repacked=view.repacked)
        elif step == 0:
            self.pick("first-step", user, part=view.part, repacked=view.repacked)
        else:
            self.pick("all-steps", user)

    def of_one(self, value: Value, view: View, user: Term) -> Iterator[tuple[Value, View]]:
        assert view.step is not None
        if user.op == "item" and user.base is value:
            selectors = selected(user.args[0], len(view.axes))
            half = half_of(selectors[-1]) if selectors else ""
            self._stepped(view._replace(part=half), user, view.step)
        else:
            self._stepped(view, user, view.step)
        yield from ()
