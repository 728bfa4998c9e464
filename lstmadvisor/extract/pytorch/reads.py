"""How the results of a recurrent layer are used: the walk forward from its call to what picks from its results."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.extract.abstract.values import Const, Seq, Term, Value
from lstmadvisor.extract.pytorch.picks import CATS, NO_READ, QUIET, Pick, Shape, View
from lstmadvisor.extract.pytorch.state_reads import StateReads
from lstmadvisor.extract.pytorch.step_reads import StepReads
from lstmadvisor.extract.pytorch.torch_ops import CELLS, applied_module, constant, input_of, last, whole

LONGEST = 400  # steps of one walk


class Walk(StepReads, StateReads):
    """The walk forward from one application of a layer."""

    def start(self, applied: Term, packed: bool) -> None:
        """Follow the results of one application."""
        if self.shape.kind in CELLS:
            self._cell(applied)
            return
        queue: list[tuple[Value, View]] = [(applied, View("result"))]
        self._drain(queue, applied, packed)

    def _drain(self, queue: list[tuple[Value, View]], applied: Term, packed: bool) -> None:
        for value, view in queue:
            if (id(value), view) in self._seen or len(self._seen) > LONGEST:
                continue
            self._seen.add((id(value), view))
            for user in self.flow.users(value):
                queue.extend(self._next(value, view, user, packed))

    # -- one step of the walk ---

    def _next(self, value: Value, view: View, user: Value, packed: bool) -> Iterator[tuple[Value, View]]:
        if not isinstance(user, Term):
            if isinstance(user, Seq) and user.kind == "slice":
                return
            if view.what == "steps" and isinstance(user, Seq) and user.kind == "list":
                view = view._replace(axes=())
            yield user, view
            return
        if user.op == "setitem":
            if user.args[-1] is value and user.base is not None:
                self.use(view, user)
            return
        if user.op in ("text", "enter", "setattr", "param"):
            return
        if (user.op == "call" and user.name in QUIET) or (user.op in ("method", "attr") and user.name in NO_READ):
            return
        match view.what:
            case "result":
                yield from self._of_result(value, view, user, packed)
            case "pair":
                yield from self._of_pair(value, view, user)
            case "steps":
                yield from self.of_steps(value, view, user)
            case "packed":
                yield from self._of_packed(value, view, user)
            case "state":
                yield from self.of_state(value, view, user)
            case "parts":
                yield from self.of_parts(value, view, user)
            case "one":
                yield from self.of_one(value, view, user)

    def _of_result(self, value: Value, view: View, user: Term, packed: bool) -> Iterator[tuple[Value, View]]:
        steps = View("packed") if packed else View("steps", self.shape.axes())
        state = View("pair") if self.shape.pair else View("state", ("L", "B", "F"))
        if user.op == "item" and user.base is value:
            index = whole(user.args[0])
            if index in (0, -2):
                yield user, steps
            elif index in (1, -1):
                yield user, state
            elif index is not None or isinstance(user.args[0], Seq):
                self.misread(user)
            return
        if user.op == "elem" and user.base is value:
            return
        if user.op == "comp" or (user.op == "call" and not user.name.startswith("torch.")):
            return
        if user.op == "apply" and applied_module(user) in ("Identity", ""):
            return
        if input_of(user) is value or user.op == "binop":
            self.misread(user)

    def _of_pair(self, value: Value, view: View, user: Term) -> Iterator[tuple[Value, View]]:
        state = View("state", ("L", "B", "F"))
        if user.op == "item" and user.base is value:
            index = whole(user.args[0])
            if index in (0, -2):
                yield user, state
            elif index in (1, -1):
                yield user, state._replace(cell=True)
            else:
                self.misread(user)
        elif user.op == "elem" and user.base is value:
            yield user, state
        elif user.op == "comp" and user.base is not value:
            yield user, view
        elif user.op == "apply":
            if not self.as_state(value, user):
                name = applied_module(user)
                if name and input_of(user) is value:
                    self.misread(user)
        elif (
            (user.op == "method" and user.base is value)
            or (user.op == "binop" and user.name in "+-*/@")
            or (
                user.op == "call"
                and last(user.name) in CATS
                and user.args
                and isinstance(user.args[0], Seq)
                and value in user.args[0].items
            )
        ):
            self.misread(user)

    def _of_packed(self, value: Value, view: View, user: Term) -> Iterator[tuple[Value, View]]:
        if user.op == "call" and last(user.name) == "pad_packed_sequence":
            first = constant(user.argument("batch_first", 1, Const(False)))
            axes = ("B", "T", "F") if first is True else ("T", "B", "F") if first is False else ()
            for item in self.flow.users(user):
                if (
                    isinstance(item, Term)
                    and item.op == "item"
                    and item.base is user
                    and whole(item.args[0]) in (0, -2)
                ):
                    yield item, View("steps", axes, repacked=True)
        elif user.op == "call" and last(user.name) in ("unpack_sequence", "unpad_sequence"):
            self.pick("all-steps", user)
        elif user.op == "call" and last(user.name) == "PackedSequence":
            yield user, view
        elif user.op in ("attr", "item") and user.base is value:
            if user.name == "data" or whole(user.args[0] if user.args else None) == 0:
                yield user, View("steps", ("P", "F"))
        elif user.op == "apply":
            self.pick("all-steps", user)

    # -- cells ---

    def _cell(self, applied: Term) -> None:
        """A cell stepped in a loop: its state is read after each step, or after the last one only."""
        outputs: list[Value] = [applied]
        if self.shape.pair:
            outputs = [
                u for u in self.flow.users(applied) if isinstance(u, Term) and u.op == "item" and whole(u.args[0]) == 0
            ]
        inside = applied.scope.loops
        for output in outputs:
            for user, holder in self.flow.consumers(output):
                if (user.op == "apply" and id(user.base) in self.layer) or user.op in ("text", "setattr"):
                    continue
                if user.op in ("method", "attr") and user.name in NO_READ:
                    continue
                if user.op == "apply" and applied_module(user) in CELLS and input_of(user) is not output:
                    self.pick("whole-state", user, final=True)
                    continue
                gathered = isinstance(holder, Seq) and holder.kind == "list" and holder is not output
                every = gathered or user.op == "setitem" or (bool(inside) and user.scope.loops[: len(inside)] == inside)
                if not every and inside:
                    self._outside.setdefault(inside[:-1], set()).add(inside[-1][1])
                self.pick("all-steps" if every else "last-state", user, final=not every)

    def every_turn(self) -> bool:
        """Whether results of several turns of a cell's loop are used after the loop."""
        return any(len(turns) > 1 for turns in self._outside.values())


__all__ = ["Pick", "Shape", "Walk"]
