"""The hidden state of PyTorch programs: its start, whether batches hand it on, whether the graph is cut."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Choice, Const, Instance, Loop, Opaque, Seq, Spot, Term, Value, options
from lstmadvisor.extract.common import Fact, inferred, place
from lstmadvisor.extract.pytorch.origins import parts
from lstmadvisor.extract.pytorch.steps import Steps, Training, common
from lstmadvisor.extract.pytorch.torch_ops import RECURRENT, constant, last
from lstmadvisor.facts import ABSENT, Draw, HiddenState, Unknown

_CUTS_METHODS = frozenset("detach detach_ item numpy tolist new_tensor".split())
_CUTS_CALLS = frozenset(("torch.tensor", "torch.from_numpy", "numpy.array", "numpy.asarray"))
_ZEROS = frozenset("zeros zeros_like new_zeros zero_ zeros_ init_hidden_zeros".split())
_RANDOM = frozenset("randn rand randn_like rand_like normal normal_ uniform_ new_randn".split())
_MOVES = frozenset(
    "to cuda cpu float double half type type_as contiguous clone detach detach_ data view reshape expand expand_as "
    "repeat unsqueeze squeeze permute transpose requires_grad_ requires_grad flatten unflatten chunk split t "
    "index_select select narrow mul div".split()
)
_MOVES_CALLS = frozenset(
    (
        "Variable",
        "cat",
        "stack",
        "concat",
        "tuple",
        "list",
        "transpose",
        "unsqueeze",
        "squeeze",
        "clone",
        "as_tensor",
        "repeat_interleave",
        "broadcast_to",
        "tile",
    )
)
_ORDER = ("learned", "random", "zeros", "encoder", "none")
"""Of several layers the kind of start that says most about the program."""


def hidden_state(run: Run, steps: Steps) -> HiddenState:
    """The facts about the state that recurrent layers are given in the main training."""
    training = steps.main
    if training is None:
        return HiddenState()
    uses = list(_layers(steps, training)) or list(_by_hand(steps, training))
    if not uses:
        if not _has_recurrent(run):
            return HiddenState()
        why = Unknown(
            unknown="no call of a recurrent layer was found in the training step", at=place(training.backward.at)
        )
        return HiddenState(carried=why, initial=why)
    first: dict[int, tuple[Term, Value | None]] = {}
    for layer, use, state in uses:
        first.setdefault(layer, (use, state))
    start = _Start(steps)
    kinds = [start.of(state) for _, state in first.values()]
    found = next((k for k in _ORDER if k in kinds), None)
    at = place(next(iter(first.values()))[0].at)
    carried = _carried(steps, training, uses)
    if carried is None:
        cut = any(_cuts(v) for _, state in first.values() for v in _path(steps, state))
        detached = inferred(True, at) if cut else ABSENT
        reset = inferred("batch") if found != "none" else ABSENT
    else:
        detached = inferred(carried[0], place(carried[1].at))
        reset = inferred(_reset(steps, training, first))
        if _restarts(steps, training, uses):
            reset = inferred("sequence")
    drawn = _drawn(start, [state for _, state in first.values()]) if found == "random" else None
    if drawn is not None and not training.around(drawn):
        found = None  # one draw before the training: the same numbers in every pass
    return HiddenState(
        at=at,
        carried=inferred(carried is not None, place(carried[1].at) if carried is not None else at),
        detached=detached,
        initial=inferred(found, at if drawn is None else place(drawn.at))
        if found is not None
        else Unknown(unknown="the start of the state was not followed", at=at),
        drawn=_draws(start, [state for _, state in first.values()]) if found == "random" else (),
        reset=reset,
        passed=_passed(carried[1], training) if carried is not None else ABSENT,
    )


def _passed(use: Term, training: Training) -> Fact:
    """The expression that hands the carried state to its layer, if that is called once in a training step."""
    call = use.at.node
    innermost = next((loop for loop, _ in reversed(use.scope.loops) if not loop.unrolled), None)
    if not isinstance(call, cst.Call) or use.at.module is None or innermost is not training.batches:
        return Unknown(unknown="the state goes through a loop over the time steps", at=place(use.at))
    given = [arg for arg in call.args if not arg.star]
    named = [arg.value for arg in given if arg.keyword is not None and arg.keyword.value == "hx"]
    state = named[0] if named else given[1].value if len(given) > 1 and given[1].keyword is None else None
    if state is None:
        return Unknown(unknown="the state is not written in the call", at=place(use.at))
    return inferred(use.at.module.tree.code_for_node(state), place(Spot(use.at.module, state)))


def _has_recurrent(run: Run) -> bool:
    return any(t.op == "call" and t.name in RECURRENT and t.scope.active for t in run.trace)


Use = tuple[int, Term, "Value | None"]
"""The layer, a call of it, and the state that it is given (None: nothing is passed)."""


def _layers(steps: Steps, training: Training) -> Iterator[Use]:
    """Calls of recurrent layers in forward passes that train."""
    trained: set[int] = set()
    for act in steps.active("backward"):
        trained |= steps.origins.given_by(steps.loss_of(act.term))
    for term in steps.run.trace:
        if term.op != "apply" or not term.scope.active:
            continue
        base = term.base.term if isinstance(term.base, Instance) else term.base
        if not isinstance(base, Term) or base.name not in RECURRENT:
            continue
        keys = {id(f.spot) for f in term.scope.frames} | {id(term.at)}
        if keys & trained or not trained:
            yield id(base), term, term.argument("hx", 1)


def _by_hand(steps: Steps, training: Training) -> Iterator[Use]:
    """Calls of the user's own recurrent cells: modules that are given, turn after turn, what they gave themselves."""
    around = [t for t in steps.origins.entered.values() if t.scope.active and training.around(t)]
    library = {id(f.spot) for t in steps.run.trace if _is_recurrent(t) for f in t.scope.frames}
    calls = [t for t in around if id(t.at) not in library]
    made_in = {id(c.at): id(c.base) for c in calls}
    for term in calls:
        turn = {id(loop): n for loop, n in term.scope.loops}
        inner = [loop for loop, _ in term.scope.loops if not loop.unrolled]
        if not inner or turn[id(inner[-1])] == 0:
            continue
        for position, argument in enumerate(term.args):
            for value in steps.origins.walk(argument):
                own = id(term.base)
                if not isinstance(value, Term) or all(made_in.get(id(f.spot)) != own for f in value.scope.frames):
                    continue
                before = common(value.scope.loops, term.scope.loops)
                if len(before) == len(term.scope.loops):
                    continue
                first = next((c for c in calls if c.base is term.base and len(c.args) > position), term)
                yield id(term.base), first, first.args[position]
                yield id(term.base), term, argument
                break


def _is_recurrent(value: Value) -> bool:
    base = value.base if isinstance(value, Term) and value.op == "apply" else None
    base = base.term if isinstance(base, Instance) else base
    return isinstance(base, Term) and base.name in RECURRENT


# -- from batch to batch ------------------------------------------------------------------------------------


def _carried(steps: Steps, training: Training, uses: list[Use]) -> tuple[bool, Term] | None:
    """Whether a state comes from an earlier turn of the training loop: (detached everywhere, where it is used)."""
    found: tuple[bool, Term] | None = None
    for loop in (training.batches, training.epochs):
        if loop is None:
            continue
        for _, use, state in uses:
            if state is None or _turn(use, loop) != 1:
                continue
            cuts = set(_reaching(steps, state, loop))
            if cuts:
                whole = cuts == {True}
                found = (whole if found is None else found[0] and whole, use)
        if found is not None:
            return found
    return None


def _turn(term: Term, loop: Loop) -> int | None:
    return next((n for each, n in term.scope.loops if each is loop), None)


def _reaching(steps: Steps, state: Value, loop: Loop) -> Iterator[bool]:
    """For each way from a state back to a recurrence in an earlier turn of `loop`: whether it is cut from the graph."""
    cut_in_place = steps.origins.cut_in_place
    seen: set[tuple[int, bool]] = set()
    queue: list[tuple[Value, bool]] = [(state, False)]
    while queue and len(seen) < 6_000:
        value, cut = queue.pop()
        if (id(value), cut) in seen:
            continue
        seen.add((id(value), cut))
        if isinstance(value, Term):
            if value.name.startswith("?") and value.op == "call" and len(value.name) > 1:
                continue  # recursion that is not followed: the reading one level up says what it does
            cut = cut or _cuts(value) or value.inside("no_grad", "inference_mode")
            cut = cut or any(_is_cut(value, t) for t in cut_in_place)
            earlier = _turn(value, loop)
            if earlier == 0 and (_is_recurrent(value) or steps.origins.inside_forward(value) is not None):
                yield cut
                continue
        queue.extend((each, cut) for each in _handed_on(steps, value))


def _handed_on(steps: Steps, value: Value) -> list[Value]:
    """What a state comes from: of a recurrent layer its state, not its input; of a comprehension its elements."""
    if isinstance(value, Term):
        if _is_recurrent(value):
            state = value.argument("hx", 1)
            return [] if state is None else [state]
        if value.op == "comp" and value.args:
            return value.args
    return steps.origins.inputs(value)


def _cuts(value: Value) -> bool:
    """Whether a value is cut from the graph of what it was made from."""
    if not isinstance(value, Term):
        return False
    if value.op == "method":
        return value.name in _CUTS_METHODS
    if value.op == "attr":
        return value.name == "data"
    return value.op == "call" and (value.name in _CUTS_CALLS or last(value.name) == "stop_gradient")


def _is_cut(value: Term, cutter: Term) -> bool:
    """Whether `cutter` (a call of `detach_`) cuts `value` in place: itself, or each of its items."""
    for each in options(cutter.base):
        if each is value:
            return True
        if isinstance(each, Term) and each.op in ("item", "elem") and each.base is value:
            return True
    return False


def _reset(steps: Steps, training: Training, first: dict[int, tuple[Term, Value | None]]) -> str:
    """How often a state that is carried starts anew."""
    for _, state in first.values():
        for value in _path(steps, state):
            if isinstance(value, Term) and (last(value.name) in _ZEROS or last(value.name) in _RANDOM):
                return "epoch" if training.around(value) and training.batches is not training.epochs else "never"
    return "never"


def _restarts(steps: Steps, training: Training, uses: list[Use]) -> bool:
    """Whether a carried state lives no longer than one batch or document: the loop over its pieces carries it, the
    loop around that one, which brings the next, does not."""
    loops = [loop for loop, _ in training.turn if not loop.unrolled]
    if training.batches not in loops:
        return False
    around = loops[: loops.index(training.batches)]
    if not around or (around[-1] is training.epochs and not _over_batches(steps, around[-1])):
        return False
    later = [state for _, use, state in uses if state is not None and _turn(use, around[-1]) == 1]
    return bool(later) and not any(next(_reaching(steps, state, around[-1]), None) is not None for state in later)


def _over_batches(steps: Steps, loop: Loop) -> bool:
    """Whether a loop takes batches from a loader."""
    found = (v for v in steps.origins.walk(loop.iterable) if isinstance(v, Term) and v.op == "call")
    return any(last(v.name).endswith("DataLoader") for v in found)


def _drawn(start: _Start, states: list[Value | None]) -> Term | None:
    """The call that draws a random start."""
    for state in states:
        for value in _path(start.steps, state):
            if isinstance(value, Term) and start.is_drawn(value):
                return value
    return None


def _draws(start: _Start, states: list[Value | None]) -> tuple[Draw, ...]:
    """All calls that draw a random start."""
    drawn: dict[int, Draw] = {}
    for state in states:
        for value in _path(start.steps, state):
            if isinstance(value, Term) and start.is_drawn(value):
                drawn.setdefault(id(value.at.node), Draw(at=place(value.at), function=_replaceable(value)))
    return tuple(drawn.values())


def _replaceable(drawn: Term) -> Fact:
    """The name of a function of PyTorch that takes nothing but the arguments of its counterpart for zeros."""
    name = last(drawn.name)
    if drawn.op == "call" and drawn.name.startswith("torch.nn.init.") and len(drawn.args) == 1 and not drawn.kwargs:
        return inferred(name)
    if drawn.op == "call" and name in ("randn", "rand", "randn_like", "rand_like") and "generator" not in drawn.kwargs:
        return inferred(name)
    return Unknown(unknown="zeros take other arguments", at=place(drawn.at))


# -- the start --------------------------------------------------------------------------------------------------


def _path(steps: Steps, state: Value | None) -> Iterator[Value]:
    """What a state was made from, as far as nothing is computed."""
    yield from steps.origins.walk(state, stop=lambda v: not _moves(v))


def _moves(value: Value) -> bool:
    if isinstance(value, (Seq, Choice)):
        return True
    if not isinstance(value, Term):
        return False
    if value.op in ("item", "comp", "elem"):
        return True
    if value.op in ("attr", "method"):
        return value.name in _MOVES
    if value.op == "binop":
        return value.name in ("+", "*", "-", "/", "+=")
    return value.op == "call" and last(value.name) in _MOVES_CALLS


class _Start:
    """Classifies what a state starts from."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.inits: dict[int, str] = {}
        for term in steps.run.trace:
            if term.op == "call" and term.name.startswith("torch.nn.init.") and term.args:
                for each in parts(term.args[0]):
                    self.inits[id(each)] = _scheme(term)
            elif (
                term.op == "method" and term.name in ("zero_", "normal_", "uniform_", "fill_") and term.base is not None
            ):
                self.inits[id(term.base)] = _scheme(term)

    def is_drawn(self, value: Term) -> bool:
        """Whether a value is drawn at random itself."""
        named = value.op in ("call", "method") and last(value.name) in _RANDOM
        named = named or (value.name.startswith("torch.nn.init.") and _scheme(value) == "random")
        return named or self.inits.get(id(value)) == "random"

    def of(self, state: Value | None) -> str | None:
        """zeros, none, learned, encoder, random; None where it is not known."""
        if state is None:
            return "none"
        found = {kind for option in options(state) if (kind := self._of(option, 0)) is not None}
        if found == {"none"}:
            return "none"
        found.discard("none")
        return next((k for k in _ORDER if k in found), None)

    def _of(self, value: Value, depth: int) -> str | None:
        if depth > 40:
            return None
        if isinstance(value, Const):
            return "none" if value.value is None else None
        if isinstance(value, Opaque):
            return None
        if isinstance(value, Seq):
            kinds = [k for item in value.items for o in options(item) if (k := self._of(o, depth + 1)) is not None]
            return kinds[0] if kinds else None
        if isinstance(value, Choice):
            kinds = [k for o in value.options if (k := self._of(o, depth + 1)) is not None]
            return next((k for k in _ORDER if k in kinds), None)
        if not isinstance(value, Term):
            return None
        if value.op == "call" and last(value.name) in ("Parameter", "UninitializedParameter"):
            return "learned"
        if id(value) in self.inits:
            return self.inits[id(value)]
        return self._of_term(value, depth)

    def _of_term(self, value: Term, depth: int) -> str | None:
        name = last(value.name)
        if value.op in ("call", "method"):
            if value.name.startswith("torch.nn.init.") or name in ("zero_", "fill_", "normal_", "uniform_"):
                return _scheme(value)
            if name in _ZEROS:
                return "zeros"
            if name in _RANDOM:
                return "random"
            if name in ("full", "new_full", "full_like"):
                filled = constant(value.argument("fill_value", 1))
                return "zeros" if filled == 0 else None
        if value.op == "apply":
            return "encoder"
        if value.op == "attr" and value.name not in _MOVES and value.base is not None and _is_weight(value):
            return "learned"
        if _moves(value):
            inner = [value.base] if value.base is not None else []
            kinds = [k for each in [*inner, *value.args] if (k := self._of(each, depth + 1)) not in (None, "none")]
            if value.op == "binop" and "encoder" in kinds:
                return "encoder"  # noise on what was computed, as a variational encoder adds it
            return kinds[0] if kinds else None
        if value.op in ("binop", "call", "method"):
            inside = [
                k
                for i in (*([value.base] if value.base is not None else []), *value.args)
                if (k := self._of(i, depth + 1))
            ]
            return "encoder" if "encoder" in inside else None
        return None


def _is_weight(value: Term) -> bool:
    return value.name in ("weight", "bias")


def _scheme(term: Term) -> str:
    """What an initialisation in place leaves: zeros or random numbers."""
    name = last(term.name)
    if name in ("zero_", "zeros_"):
        return "zeros"
    if name in ("fill_", "constant_"):
        value = constant(term.args[-1] if term.args else None)
        return "zeros" if value == 0 else "learned" if value is None else "zeros"
    return "random"
