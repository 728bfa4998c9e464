"""From the picks of a walk to facts: what a recurrent layer's results are used for, and whether padding was read."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.extract.abstract.modules import place
from lstmadvisor.extract.abstract.values import Const, Term, Value, walk
from lstmadvisor.extract.common import inferred
from lstmadvisor.extract.pytorch.flow import Flow
from lstmadvisor.extract.pytorch.reads import Pick, Shape, Walk
from lstmadvisor.extract.pytorch.torch_ops import CELLS, constant, input_of, last
from lstmadvisor.facts import UNSEEN, Many, Padding, Read, RecurrentLayer, Unknown, items, known, plain
from lstmadvisor.facts import Value as Fact

_PAD_CALLS = frozenset(("pad_sequence", "pad_sequences", "BucketIterator", "pad_packed_sequence", "pad_collate"))
_SUMS = frozenset(("bmm", "matmul", "einsum"))
_STEPPED = Unknown(unknown="the layer is stepped by hand")
_PADDING_NOT_SEEN = Unknown(unknown="whether the sequences are padded is not seen")


def reads(flow: Flow, applied: list[Term], shape: Shape, layer: set[int], stepped: bool) -> tuple[Read, ...]:
    """How the results of a layer are used, over all its applications."""
    out: dict[object, Read] = {}
    dropped: dict[object, Read] = {}
    for term, picks in _picked(flow, applied, shape, layer):
        packed = packed_by(term) is not None
        padded = None if packed else is_padded(term)
        taken, others = [p for p in picks if p.active], [p for p in picks if not p.active]
        for what, pick in (*_judged(taken, shape), *_judged(others, shape)):
            after = _STEPPED if stepped else _after_padding(what, pick, packed, padded)
            read = _read(what, pick, after, term.scope.active and pick.active)
            key = (what, id(pick.at.node))
            if key not in out or (read.active and not out[key].active):
                out[key] = read
        if not picks and term.scope.active and not _handed_on(flow, term):
            at = place(term.at)
            dropped.setdefault(id(term.at.node), Read(what=inferred("none", at), at=at))
    return tuple((out or dropped).values())


def _picked(flow: Flow, applied: list[Term], shape: Shape, layer: set[int]) -> Iterator[tuple[Term, list[Pick]]]:
    """Applications with what is picked of their results; of a cell, all of a loop's turns together."""
    if shape.kind not in CELLS:
        for term in first_and_last(applied):
            walk_ = Walk(flow, shape, layer)
            walk_.start(term, packed_by(term) is not None)
            yield term, walk_.picks
    elif applied:
        walk_ = Walk(flow, shape, layer)
        for term in applied:
            walk_.start(term, False)
        every = walk_.every_turn()
        yield (
            applied[-1],
            [p._replace(what="all-steps") if every and p.what == "last-state" else p for p in walk_.picks],
        )


def _read(what: str, pick: Pick, after: Fact, active: bool) -> Read:
    at = place(pick.at)
    code = pick.at.module.code(pick.at.node) if pick.at.module is not None and pick.at.node is not None else ""
    value = Unknown(unknown=f"`{code}` is not understood", at=at) if what == "unknown" else inferred(what, at)
    return Read(what=value, after_padding=after, expression=inferred(code, at), at=at, active=active)


def first_and_last(applied: list[Term]) -> list[Term]:
    """Of the applications at one place, reached the same way, the first and the last: all turns of a loop are alike."""
    out: dict[object, list[Term]] = {}
    for term in applied:
        key = (id(term.at.node), tuple(id(f.spot.node) if f.spot else 0 for f in term.scope.frames), term.scope.active)
        found = out.setdefault(key, [])
        found[1:] = [term] if found else []
        if not found:
            found.append(term)
    return [t for group in out.values() for t in group]


def _handed_on(flow: Flow, term: Term) -> bool:
    """Whether a result leaves the model, or the program, without being looked at."""
    queue: list[Value] = [term]
    seen = {id(term)}
    for here in queue:
        if id(here) in flow.results:
            return True
        for user in flow.users(here):
            if isinstance(user, Term) and user.op not in ("item", "attr", "apply", "comp", "elem"):
                return True
            if id(user) not in seen and len(seen) < 200:
                seen.add(id(user))
                queue.append(user)
    return False


def _judged(picks: list[Pick], shape: Shape) -> list[tuple[str, Pick]]:
    """Single states and half steps judged together: both directions of the last layer are a joined state."""
    out: list[tuple[str, Pick]] = []
    states = [p for p in picks if p.what == "state"]
    sides = [p for p in picks if p.what == "direction"]
    halves = [p for p in picks if p.what in ("last-step", "first-step") and p.part]
    if (
        shape.bidirectional
        and len({p.what for p in picks if p.what in ("last-step", "first-step") and not p.part}) == 2
    ):
        ends = [p for p in picks if p.what in ("last-step", "first-step") and not p.part]
        out.append(("states-joined", next(p for p in ends if p.what == "last-step")))
        picks = [p for p in picks if p not in ends]  # `cat([out[:, 0], out[:, -1]])` has read both ways
    if states:
        out.extend(_states(states, shape))
    if sides:
        joined = len({p.step in (1, -1) for p in sides}) == 2
        out.extend(("states-joined" if joined else "half-state", p) for p in (sides[:1] if joined else sides))
    forward = [p for p in halves if p.what == "last-step" and p.part == "forward"]
    backward = [p for p in halves if p.what == "first-step" and p.part == "backward"]
    if forward and backward:
        out.append(("states-joined", forward[0]))
    elif forward and not [p for p in halves if p.what == "last-step" and p.part == "backward"]:
        out.extend(("half-state", p) for p in forward)
        forward = []
    joined_ids = {id(p) for p in (*forward[: 1 if backward else 0], *backward)} if forward and backward else set()
    for pick in picks:
        if pick.what in ("state", "direction"):
            continue
        if pick.what == "first-step":
            if id(pick) not in joined_ids:
                out.append(("all-steps", pick))
        elif pick.what == "last-step" and pick.part == "forward":
            if backward or ("half-state", pick) in out:
                continue
            out.append(("last-step", pick))
        else:
            out.append((pick.what, pick))
    return out


def _states(picks: list[Pick], shape: Shape) -> list[tuple[str, Pick]]:
    """Picks of single states by their index on the axis of layers and directions."""
    count, both = shape.states, shape.bidirectional
    indices = {p.step for p in picks}
    if count is not None:
        indices = {i + count if i is not None and i < 0 else i for i in indices}
    if both:
        top = {count - 1, count - 2} if count is not None else {-1, -2}
        if top <= indices:
            return [("states-joined", picks[0])]
        if count is None and min(i for i in indices if i is not None) >= 0:
            return [("unknown", p) for p in picks]
        if count is not None and any({2 * i, 2 * i + 1} <= indices for i in range(count // 2)):
            return [("first-state", picks[0])]
        return [("half-state", p) for p in picks]
    out: list[tuple[str, Pick]] = []
    if both is None:
        return [("states-joined", picks[0])] if {-1, -2} <= {p.step for p in picks} else [("unknown", p) for p in picks]
    for pick in picks:
        assert pick.step is not None
        index = pick.step + count if count is not None and pick.step < 0 else pick.step
        if index == -1 or (count is not None and index == count - 1):
            out.append(("last-state", pick))
        elif index == 0 and count is not None:
            out.append(("first-state", pick))
        elif count is not None and len(indices) > 1:
            out.append(("states-joined", pick))
        else:
            out.append(("unknown", pick))
    return out


def _after_padding(what: str, pick: Pick, packed: bool, padded: bool | None) -> Fact:
    if what in ("all-steps", "wrong-unpack", "unknown", "none"):
        return Unknown(unknown="every step is read")
    if pick.gathered:
        return inferred(False, place(pick.at))
    if packed:
        return inferred(pick.repacked and what == "last-step", place(pick.at))
    if padded is None:
        return _PADDING_NOT_SEEN
    return inferred(padded, place(pick.at))


def settled(layers: Many[RecurrentLayer], padding: Padding) -> Many[RecurrentLayer]:
    """What is known of a program's padding, said of the reads of its one layer that whole sequences are fed to."""
    fed = [r for r in items(layers) if r.active and plain(r.stepped_by_hand) is not True]
    if len(fed) != 1 or not known(padding.padded) or padding.padded == UNSEEN or plain(padding.masked) is True:
        return layers
    reads = tuple(_settled(read, padding, fed[0]) for read in items(fed[0].reads))
    return tuple(r.model_copy(update={"reads": reads}) if r is fed[0] else r for r in items(layers))


def _settled(read: Read, padding: Padding, layer: RecurrentLayer) -> Read:
    if read.after_padding != _PADDING_NOT_SEEN:
        return read
    if plain(padding.padded) is not True:
        return read.model_copy(update={"after_padding": inferred(False)})
    side, what = plain(padding.side), plain(read.what)
    if side not in ("left", "right"):
        return read
    spoilt = side == "right" or what == "pooled" or (what != "last-step" and plain(layer.bidirectional) is True)
    return read.model_copy(update={"after_padding": inferred(spoilt, read.at)})


def packed_by(applied: Term) -> Term | None:
    """The call that packed the input of a recurrent layer, where that is certain."""
    for value in walk(input_of(applied), 200):
        if (
            isinstance(value, Term)
            and value.op == "call"
            and last(value.name) in ("pack_padded_sequence", "pack_sequence")
        ):
            return value
        if isinstance(value, Term) and value.op == "call" and last(value.name) == "pad_packed_sequence":
            return None
    return None


def is_padded(applied: Term) -> bool | None:
    """Whether the input of a layer was padded at its end; None where nothing tells."""
    summed = {
        id(part)
        for value in walk(input_of(applied), 1500)
        if isinstance(value, Term) and (last(value.name) in _SUMS or value.name == "@")
        for part in walk(value, 1500)
    }
    for value in walk(input_of(applied), 1500):
        if id(value) in summed:
            continue  # what attention makes of padded steps is no padded sequence
        if isinstance(value, Term) and value.op in ("call", "method") and last(value.name) in _PAD_CALLS:
            if last(value.name) == "pad_sequences":
                side = value.argument("padding", 3, Const("pre"))
                return None if constant(side) is None else constant(side) == "post"
            if last(value.name) == "pad_sequence":
                side = value.argument("padding_side", 3, Const("right"))
                return None if constant(side) is None else constant(side) != "left"
            return True
    return None


__all__ = ["first_and_last", "is_padded", "packed_by", "reads", "settled"]
