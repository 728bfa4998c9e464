"""Where the batch stands among the axes of a tensor: followed back to the data, or read off how a state is made."""

from __future__ import annotations

import libcst as cst

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Choice, Const, Seq, Term, Value, options, walk
from lstmadvisor.extract.common import fact, inferred
from lstmadvisor.extract.pytorch.flow import Flow
from lstmadvisor.extract.pytorch.indexing import moved
from lstmadvisor.extract.pytorch.torch_ops import applied_module, constant, input_of, last, terms, whole
from lstmadvisor.extract.shapes.shapes import Shapes
from lstmadvisor.facts import ABSENT, Reshape, Unknown
from lstmadvisor.facts import Value as Fact

_LOADERS = frozenset(("DataLoader", "prepare_data_loader"))
_SAME_CALLS = frozenset(
    "Variable as_tensor tensor FloatTensor LongTensor Tensor from_numpy array asarray cat concat dropout "
    "pack_padded_sequence relu tanh sigmoid softmax log_softmax clamp one_hot embedding".split()
)
_SAME_METHODS = frozenset(
    "to cuda cpu float double half long int type type_as contiguous clone detach requires_grad_ clamp masked_fill add "
    "mul sub div numpy data relu tanh".split()
)
_DEEP = 60


class Layout:
    """Questions to the axes of tensors."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.told: dict[int, int] = {}
        """of a tensor: the batch axis that the code takes its batch size from"""
        self._axes: dict[int, int | None] = {}
        self.scrambled: list[Term] = []
        """`view` and `reshape` calls that put the batch where time was"""

    def batch_axis(self, value: Value | None, depth: int = 0) -> int | None:
        """The position of the batch among the axes of a tensor, or None."""
        if value is None or depth > _DEEP:
            return None
        if id(value) in self.told:
            return self.told[id(value)]
        if id(value) not in self._axes:
            self._axes[id(value)] = None  # a circle tells nothing
            self._axes[id(value)] = self._axis(value, depth)
        return self._axes[id(value)]

    def _axis(self, value: Value, depth: int) -> int | None:
        if isinstance(value, Choice):
            found = {
                self.batch_axis(o, depth + 1) for o in value.options if not (isinstance(o, Const) and o.value is None)
            }
            return found.pop() if len(found) == 1 else None
        if isinstance(value, Seq) and value.items and value.kind in ("list", "tuple"):
            return self.batch_axis(value.items[0], depth + 1)
        if not isinstance(value, Term):
            return None
        match value.op:
            case "elem":
                return _of_batch(value, self, depth)
            case "comp":
                return 0 if _is_batch_list(value) else None
            case "apply":
                return self._applied(value, depth)
            case "item":
                return self._item(value, depth)
            case "attr":
                if value.name in ("data",):
                    return self.batch_axis(value.base, depth + 1)
                if value.name == "T":
                    axis = self.batch_axis(value.base, depth + 1)
                    return None if axis is None else 1 - axis
                return (
                    self.batch_axis(value.base, depth + 1)
                    if isinstance(value.base, Term) and value.base.op == "elem"
                    else None
                )
            case "binop":
                found = {self.batch_axis(a, depth + 1) for a in value.args} - {None}
                return found.pop() if len(found) == 1 else None
            case "method":
                return self._function(value, value.base, value.args, depth)
            case "call":
                return self._function(value, input_of(value), value.args[1:], depth)
        return None

    def _applied(self, value: Term, depth: int) -> int | None:
        name = applied_module(value)
        if name.startswith(("Conv", "MaxPool", "AvgPool", "AdaptiveM", "AdaptiveA", "Flatten")):
            axis = self.batch_axis(input_of(value), depth + 1)
            return 0 if axis == 0 else None
        if name in ("LSTM", "GRU", "RNN") or not name:
            return None
        return self.batch_axis(input_of(value), depth + 1)

    def _item(self, value: Term, depth: int) -> int | None:
        base = value.base
        if isinstance(base, Term):
            if base.op == "apply" and applied_module(base) in ("LSTM", "GRU", "RNN"):
                return self.batch_axis(input_of(base), depth + 1) if whole(value.args[0]) == 0 else None
            if base.op == "call" and last(base.name) == "pad_packed_sequence":
                first = constant(base.argument("batch_first", 1, Const(False)))
                return (
                    {True: 0, False: 1}.get(bool(first))
                    if isinstance(first, bool) and whole(value.args[0]) == 0
                    else None
                )
            if base.op == "elem" and (found := _of_batch(base, self, depth)) is not None:
                return found
            if base.name == "builtins.zip" or (base.op == "method" and base.name in ("next", "__next__")):
                return 0
        axis = self.batch_axis(base, depth + 1)
        if axis is None:
            return None
        index = value.args[0]
        parts = list(index.items) if isinstance(index, Seq) and index.kind == "tuple" else [index]
        kept = axis
        for position, part in enumerate(parts):
            if isinstance(part, Const) and part.value is None:
                kept += 1 if position <= axis else 0
            elif not isinstance(part, Seq) and (
                (isinstance(part, Const) and isinstance(part.value, int))
                or (isinstance(part, Term) and part.op == "elem")
            ):
                if position == axis:
                    return None
                kept -= 1 if position < axis else 0
        return kept

    def _function(self, value: Term, source: Value | None, rest: list[Value], depth: int) -> int | None:
        name = last(value.name)
        if name == "pad_sequence":
            first = constant(value.argument("batch_first", 1, Const(False)))
            return None if first is None else 0 if first else 1
        if name in ("view", "reshape"):
            return self._viewed(value, source, rest, depth)
        if name == "stack":
            return self._stacked(value, source, depth)
        if name in ("transpose", "permute", "swapaxes", "swapdims", "unsqueeze", "squeeze", "t", "movedim"):
            return self._moved(name, value, source, rest, depth)
        if name in ("expand", "repeat", "flatten", "mean", "sum", "max"):
            return None
        if (value.op == "method" and name in _SAME_METHODS) or (value.op == "call" and name in _SAME_CALLS):
            return self.batch_axis(source, depth + 1)
        return None

    def _moved(self, name: str, value: Term, source: Value | None, rest: list[Value], depth: int) -> int | None:
        axis = self.batch_axis(source, depth + 1)
        if axis is None or axis > 3:
            return None
        rank = len(rest) if name == "permute" and len(rest) > 1 else 2 if name == "t" else max(4, axis + 1)
        if name == "permute" and len(rest) == 1 and isinstance(rest[0], Seq):
            rank = len(rest[0].items)
        if name not in ("permute", "t") and any((whole(r) or 0) < 0 for r in rest):
            rank = 3 if name != "unsqueeze" else 2
        if axis >= rank:
            return None
        axes = tuple("B" if i == axis else f"{i}" for i in range(rank))
        found = moved(axes, name, rest, value)
        return found.index("B") if found is not None and "B" in found else None

    def _stacked(self, value: Term, source: Value | None, depth: int) -> int | None:
        at = whole(value.argument("dim", 1, Const(0)))
        axis = self.batch_axis(source, depth + 1)
        if isinstance(source, Term) and source.op == "comp" and _is_batch_list(source):
            return at
        if axis is None or at is None or at < 0:
            return None
        return axis + 1 if at <= axis else axis

    def _viewed(self, value: Term, source: Value | None, rest: list[Value], depth: int) -> int | None:
        sizes = rest[0].items if len(rest) == 1 and isinstance(rest[0], Seq) else rest
        axis = self.batch_axis(source, depth + 1)
        if axis != 0 or not sizes:
            return None
        batches = [self.is_batch_size(s, depth) for s in sizes]
        if batches[0] and len(sizes) == 3 and constant(sizes[1]) == 1:
            return None  # `view(len(sentence), 1, -1)`: one sequence rather than many of one step
        if batches[0] or constant(sizes[0]) == -1:
            return 0
        if len(sizes) == 3 and batches[1]:
            if not any(value is s for s in self.scrambled):
                self.scrambled.append(value)
            return 1
        return None

    def is_batch_size(self, value: Value, depth: int = 0) -> bool:
        """Whether a number is the size of a batch: `x.size(0)`, `x.shape[0]`, `len(x)` of a batch-major x."""
        found = sized(value)
        if found is None:
            return False
        tensor, axis = found
        known = self.batch_axis(tensor, depth + 1)
        return known is not None and known == axis

    def learn(self, applied: Term, cell: bool) -> None:
        """What a hand-made state tells: its second axis is the batch's, so `x.size(k)` there names the batch axis of x.

        Where nothing else tells, the call that packs the input does.
        """
        for made in _made_states(applied.argument("hx", 1)):
            count = _state_batch(made, 0 if cell else 1)
            found = sized(count) if count is not None else None
            if found is not None and self.batch_axis(found[0]) is None:
                self.told[id(found[0])] = found[1]
                self._axes.clear()
        packing = next((t for t in terms(input_of(applied)) if last(t.name) == "pack_padded_sequence"), None)
        if packing is not None and (given := input_of(packing)) is not None and self.batch_axis(given) is None:
            first = constant(packing.argument("batch_first", 2, Const(False)))
            if isinstance(first, bool):
                self.told[id(given)] = 0 if first else 1
                self._axes.clear()


def sized(value: Value | None) -> tuple[Value, int] | None:
    """The tensor and axis that a number is the size of."""
    for each in options(value):
        if not isinstance(each, Term):
            continue
        if (
            each.op == "method"
            and each.name == "size"
            and each.base is not None
            and (axis := whole(each.args[0] if each.args else None)) is not None
        ):
            return each.base, axis
        if each.op == "item" and isinstance(each.base, Term) and (axis := whole(each.args[0])) is not None:
            inner = each.base
            if inner.base is not None and (
                (inner.op == "attr" and inner.name == "shape")
                or (inner.op == "method" and inner.name == "size" and not inner.args)
            ):
                return inner.base, axis
        if each.op == "call" and each.name == "builtins.len" and each.args:
            return each.args[0], 0
    return None


_MAKERS = frozenset("zeros randn rand ones empty normal new_zeros new_ones new_empty full".split())


def _made_states(state: Value | None) -> list[Term]:
    """The calls that make the tensors of an initial state."""
    out: list[Term] = []
    queue: list[Value | None] = [state]
    for value in queue:
        if len(queue) > 60:
            break
        if isinstance(value, (Seq, Choice)):
            queue.extend(value.items if isinstance(value, Seq) else value.options)
        elif isinstance(value, Term) and value.op in ("call", "method") and last(value.name) in _MAKERS:
            out.append(value)  # what its sizes come from is no state
        elif isinstance(value, Term) and value.op != "apply":
            queue.extend([value.base, *(value.args if value.op in ("call", "comp") else [])])
    return out


def _state_batch(made: Term, position: int = 1) -> Value | None:
    """The batch size in `zeros(layers, batch, hidden)`, or in a cell's `zeros(batch, hidden)`."""
    sizes = made.args
    if "size" in made.kwargs:
        sizes = [made.kwargs["size"]]
    if len(sizes) >= 1 and isinstance(sizes[0], Seq):
        sizes = sizes[0].items
    return sizes[position] if len(sizes) >= position + 2 else None


def initial_batch(applied: list[Term]) -> Fact:
    """The fixed batch size of hand-made states; absent where it follows the input or none is made."""
    for term in applied:
        state = term.argument("hx", 1)
        if state is None or not term.scope.active or _checks_size(term):
            continue
        for made in _made_states(state):
            count = _state_batch(made)
            if isinstance(count, Const) and isinstance(count.value, int) and count.via != "inferred":
                return fact(count)
    return ABSENT


def _checks_size(term: Term) -> bool:
    """Whether a batch of another size does not come this far: `if x.size(0) != batch_size: continue`."""
    conditions = (condition for condition, _ in (*term.scope.passed, *term.scope.conditions))
    return any(
        isinstance(each, Term) and last(each.name) in ("size", "shape", "len")
        for condition in conditions
        for each in walk(condition, 60)
    )


def input_layout(layout: Layout, applied: list[Term]) -> Fact:
    """Whether a layer is fed batch-major or time-major tensors."""
    found = {layout.batch_axis(input_of(t)) for t in applied if t.scope.active} - {None}
    at = place(applied[0].at) if applied else None
    if found == {0}:
        return inferred("batch-major", at)
    if found == {1}:
        return inferred("time-major", at)
    return Unknown(
        unknown="calls with different layouts" if len(found) > 1 else "where the input comes from is not seen"
    )


def _of_batch(value: Term, layout: Layout, depth: int) -> int | None:
    """A batch met in a loop over a loader: what its collate function gives, else samples stacked in front."""
    base = value.base
    if value.name == "batch" and value.args:
        if isinstance(base, Term) and _unbatched(base):
            return None
        own = base.kwargs.get("collate_fn") if isinstance(base, Term) else None
        return 0 if own is None or isinstance(own, Const) else layout.batch_axis(value.args[0], depth + 1)
    for _ in range(4):
        if (
            isinstance(base, Term)
            and base.name in ("builtins.enumerate", "tqdm.tqdm", "builtins.iter", "builtins.list")
            and base.args
        ):
            base = base.args[0]
        elif isinstance(base, Choice) and base.options:
            base = base.options[0]
        else:
            break
    if isinstance(base, Term) and base.op == "call" and last(base.name) in _LOADERS and not _unbatched(base):
        collate = base.kwargs.get("collate_fn")
        return 0 if collate is None or isinstance(collate, Const) else None
    return None


def _unbatched(loader: Term) -> bool:
    """Whether a loader hands on what the data set gives: `batch_size=None`."""
    size = loader.argument("batch_size", 1)
    return isinstance(size, Const) and size.value is None


def _is_batch_list(value: Term) -> bool:
    """Whether a comprehension goes over the samples of a batch that a collate function is given."""
    for each in walk(value.base, 12):
        if isinstance(each, Term) and each.op == "call" and last(each.name) in _LOADERS:
            return True
    return False


# -- reshapes -----------------------------------------------------------------------------------------


def reshapes(run: Run, layout: Layout, applied: list[tuple[Term, bool | None]]) -> tuple[Reshape, ...]:
    """`view` and `reshape` calls on the way into recurrent layers; each call with whether the layer is batch-first."""
    out: dict[int, Reshape] = {}
    for term, batch_first in applied:
        for value in _way_in(term):
            if (
                value.op not in ("method", "call")
                or last(value.name) not in ("view", "reshape")
                or id(value.at.node) in out
            ):
                continue
            layout.batch_axis(value)
            rest = value.args if value.op == "method" else value.args[1:]
            sizes = rest[0].items if len(rest) == 1 and isinstance(rest[0], Seq) else rest
            steps: Fact = Unknown(unknown="depends on the data")
            if len(sizes) == 3 and batch_first is not None and _direct(term, value):
                axis = 1 if batch_first else 0
                steps = fact(sizes[axis]) if constant(sizes[axis]) != -1 else steps
            swaps = any(value is s for s in layout.scrambled)
            known = swaps or layout.batch_axis(value) is not None
            out[id(value.at.node)] = Reshape(
                swaps_batch_and_time=inferred(swaps, place(value.at))
                if known
                else Unknown(unknown="the axes of the input are not seen"),
                of=_transposable(run, value, sizes) if swaps else ABSENT,
                time_steps=steps,
                at=place(value.at),
                active=value.scope.active,
            )
    return tuple(out.values())


def _transposable(run: Run, value: Term, sizes: list[Value]) -> Fact:
    """What is viewed as time by batch by features, if it is batch by time by features."""
    source = next((o for o in options(input_of(value)) if isinstance(o, Term)), None)
    shape = None if source is None else Shapes(run).of(source)
    embedded = source is not None and source.op == "apply" and applied_module(source) == "Embedding"
    deep = (shape is not None and len(shape) == 3) or (shape is None and embedded)
    call, module = value.at.node, value.at.module
    on = call.func.value if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) else None
    swaps_two = value.op == "method" and deep and constant(sizes[0]) != 1 and constant(sizes[-1]) == -1
    if swaps_two and module is not None and isinstance(on, (cst.Name, cst.Attribute, cst.Call)):
        return inferred(module.tree.code_for_node(on))
    return Unknown(unknown="the shape of what is viewed is not known", at=place(value.at))


def _way_in(applied: Term) -> list[Term]:
    """What the input of a layer went through, up to the previous recurrent layer."""
    out: list[Term] = []
    value = input_of(applied)
    for _ in range(_DEEP):
        value = next((o for o in options(value) if isinstance(o, Term)), None)
        if not isinstance(value, Term) or (value.op == "apply" and applied_module(value) in ("LSTM", "GRU", "RNN")):
            break
        out.append(value)
        following = input_of(value)
        value = following.items[0] if isinstance(following, Seq) and following.items else following
    return out


def _direct(applied: Term, value: Term) -> bool:
    """Whether nothing between a reshape and the layer moves the axes again."""
    for each in _way_in(applied):
        if each is value:
            return True
        if each.op in ("item",) or last(each.name) in (
            "transpose",
            "permute",
            "view",
            "reshape",
            "unsqueeze",
            "squeeze",
            "swapaxes",
        ):
            return False
    return False


__all__ = ["Layout", "initial_batch", "input_layout", "reshapes", "sized"]
