"""Training losses: which function is differentiated, on what, and how the result is divided."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Frame, Instance, Seq, Spot, Term, Value, options
from lstmadvisor.extract.common import Fact, default, fact, inferred, place
from lstmadvisor.extract.pytorch.addends import addends
from lstmadvisor.extract.pytorch.makers import owner
from lstmadvisor.extract.pytorch.origins import is_loss
from lstmadvisor.extract.pytorch.steps import Steps, Training
from lstmadvisor.extract.pytorch.summing import added_up, compared_shapes
from lstmadvisor.extract.pytorch.torch_ops import activation_of, applied_module, input_of, keeps_meaning, last
from lstmadvisor.extract.pytorch.totals import running_total
from lstmadvisor.extract.shapes.shapes import Shapes
from lstmadvisor.facts import ABSENT, UNSEEN, Known, Loss, Unknown, plain
from lstmadvisor.patterns import regex

FUNCTIONS = frozenset(
    "cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy kl_div ctc_loss "
    "binary_cross_entropy_with_logits cosine_embedding_loss margin_ranking_loss hinge_embedding_loss "
    "multi_margin_loss multilabel_margin_loss "
    "multilabel_soft_margin_loss poisson_nll_loss gaussian_nll_loss triplet_margin_loss soft_margin_loss "
    "sigmoid_focal_loss linear_cross_entropy rnnt_loss".split()
)
_LOGITS = {
    "CrossEntropyLoss": True, "cross_entropy": True, "NLLLoss": False, "nll_loss": False, "BCELoss": False,
    "binary_cross_entropy": False,
    "BCEWithLogitsLoss": True, "binary_cross_entropy_with_logits": True, "MultiLabelSoftMarginLoss": True,
}  # fmt: skip
_IGNORES = ("CrossEntropyLoss", "cross_entropy", "NLLLoss", "nll_loss", "NLLLoss2d")
_RAW = (
    "Linear",
    "LazyLinear",
    "Bilinear",
    "LSTM",
    "GRU",
    "RNN",
    "Conv",
    "Embedding",
    "Transformer",
    "MultiheadAttention",
)
"""modules of `torch.nn` that give raw scores; a prefix of their names"""
_NOT_FOLLOWED = "not followed to a layer"
_LOGARITHMS = {"softmax": "logsoftmax", "sigmoid": "logsigmoid"}
_HELPER = regex(r"loss|entropy|nll|likelihood|criterion|objective|mse|rmse|mae|elbo", re.I)
_PLAIN = frozenset(
    (
        "forward",
        "__call__",
        "__init__",
        "closure",
        "<lambda>",
        "training_step",
        "train_step",
        "step",
        "train",
        "main",
        "run",
        "fit",
    )
)


def losses(run: Run, steps: Steps) -> tuple[Loss, ...]:
    """The losses that the program differentiates, the main training's first; those of other branches as inactive."""
    made: list[Loss] = []
    ordered = sorted(steps.trainings, key=lambda t: t is not steps.main)
    for training in ordered:
        for item in _of_training(run, steps, training):
            if not any(item.at == m.at and item.name == m.name for m in made):
                made.append(item)
    if not steps.trainings:
        for term in run.trace:
            if _is_object(term) and term.scope.active:
                made.append(_item(run, steps, term, None, None, term.at))
    made.sort(key=lambda item: isinstance(item.name, Unknown))
    for term in run.trace:
        if _is_object(term) and not term.scope.active and not any(m.at == place(term.at) for m in made):
            made.append(_item(run, steps, term, None, None, term.at))
    return tuple(made)


def _is_object(term: Term) -> bool:
    """Whether a call makes a loss object of a library."""
    name = last(term.name)
    if (
        term.op != "call"
        or not name[:1].isupper()
        or term.name.startswith(("keras.", "tensorflow.", "sklearn.", "builtins."))
    ):
        return False
    return (
        name.endswith(("Loss", "Loss2d", "Criterion"))
        or name == "CRF"
        or (term.name.startswith("torch.nn.") and is_loss(term))
    )


def _of_training(run: Run, steps: Steps, training: Training) -> Iterator[Loss]:
    found = False
    origins = steps.origins
    helper: Frame | None = None
    inside: Term | None = None
    nodes = 0
    opaque = _opaque_result(steps, training.loss)
    for value in origins.walk(training.loss, stop=lambda v: _recognised(run, steps, training, v) is not None):
        nodes += 1
        recognised = _recognised(run, steps, training, value)
        if recognised is not None:
            found = True
            maker, name, spot = recognised
            assert isinstance(value, Term)
            yield _item(run, steps, maker, value, training, spot, name)
            continue
        if helper is None and isinstance(value, Term) and training.around(value):
            helper = _helper(steps, training, value)
            inside = value
    if found:
        return
    at = place(training.backward.at)
    if opaque is not None:
        why = Unknown(unknown="the model computes its loss itself, and is not known", at=place(opaque.at))
        yield Loss(at=at, name=why, by_hand=why, divided_by=_divided(training))
    elif helper is not None and helper.spot is not None:
        in_loop = _helped(steps, training, helper, inside)
        yield Loss(
            at=place(helper.spot),
            name=inferred(helper.function.name, place(helper.spot)),
            by_hand=inferred(True),
            divided_by=_divided(training),
            added_up=in_loop,
            addends=_addends(in_loop, training),
        )
    elif nodes == 1:
        yield from _beside(run, steps, training)
    else:
        name = _formula(training.loss)
        written = next((o for o in options(training.loss) if isinstance(o, Term)), None)
        at = place(written.at) if written is not None else at
        yield Loss(
            at=at,
            name=inferred(name, at) if name else Unknown(unknown="computed by hand", at=at),
            by_hand=inferred(True) if name else Unknown(unknown="no loss function was recognised", at=at),
            divided_by=_divided(training),
        )


def _helped(steps: Steps, training: Training, helper: Frame, inside: Term | None) -> Fact:
    """Whether the results of a helper that computes the loss are added up in a loop."""
    if inside is None:
        return ABSENT
    function = helper.function.node
    return added_up(
        steps,
        training,
        inside.scope.loops[: helper.loops],
        lambda v: isinstance(v, Term) and any(f.function.node is function for f in v.scope.frames),
    )


def _beside(run: Run, steps: Steps, training: Training) -> Iterator[Loss]:
    """Losses computed in the turn of a training whose own loss leads nowhere: another name was differentiated."""
    for term in run.trace:
        recognised = _recognised(run, steps, training, term) if training.holds(term) and term.scope.active else None
        if recognised is not None:
            maker, name, spot = recognised
            yield _item(run, steps, maker, term, training, spot, name)


def _opaque_result(steps: Steps, value: Value) -> Term | None:
    """The call of a model that nobody here knows from inside, if a value is a part of what it gives."""
    for _ in range(8):
        each = next(iter(options(value)), None)
        if not isinstance(each, Term):
            return None
        if id(each) in steps.forwards and not isinstance(each.base, Instance):
            return each
        if each.op not in ("item", "attr", "method", "binop") or not (each.base or each.args):
            return None
        value = each.base if each.base is not None else each.args[0]
    return None


Recognised = tuple[Term | Instance, str, Spot]


def _recognised(run: Run, steps: Steps, training: Training, value: Value) -> Recognised | None:
    """A loss that a value is the result of: what made it, its name and its place."""
    if not isinstance(value, Term):
        return None
    custom = _custom(steps, training, value)
    if custom is not None:
        return custom, custom.cls.name, custom.at or value.at
    if value.op == "apply":
        for base in options(value.base):
            if isinstance(base, Instance) and base.term is not None:
                if _is_object(base.term):
                    return (
                        base,
                        last(base.term.name) if base.cls.name != base.term.name else base.cls.name,
                        base.at or value.at,
                    )
            elif isinstance(base, Term) and _is_object(base):
                mine = owner(run, base)
                return base, last(base.name), mine.at if mine is not None and mine.at is not None else base.at
    elif value.op == "call" and last(value.name) in FUNCTIONS and not value.name.startswith(("keras.", "tensorflow.")):
        return value, last(value.name), value.at
    return None


def _custom(steps: Steps, training: Training, value: Term) -> Instance | None:
    """The user's own loss module that a term was computed in."""
    known = len(training.backward.scope.frames)
    for frame in value.scope.frames[min(known, _shared(value, training.backward)) :]:
        mark = steps.origins.entered.get(id(frame.spot))
        if mark is not None and isinstance(mark.base, Instance) and is_loss(mark.base):
            return mark.base
    return None


def _shared(one: Term, other: Term) -> int:
    count = 0
    for a, b in zip(one.scope.frames, other.scope.frames, strict=False):
        if a is not b:
            break
        count += 1
    return count


def _helper(steps: Steps, training: Training, value: Term) -> Frame | None:
    """The user's function that a loss is computed in, called by the training step."""
    frames = value.scope.frames[_shared(value, training.backward) :]
    found: Frame | None = None
    for frame in frames:
        if id(frame.spot) in steps.origins.entered:
            break
        if frame.function.name in _PLAIN or frame.function.name.startswith("__"):
            continue
        if _HELPER.search(frame.function.name):
            return frame
        found = found or frame
    return found


def _formula(value: Value) -> str:
    """The name of a loss that is written out: the mean of squared or absolute differences."""
    for each in options(value):
        while (
            isinstance(each, Term)
            and last(each.name) in ("mean", "sum", "sqrt", "average")
            and (each.base is not None or each.args)
        ):
            inner = each.base if each.op == "method" and each.base is not None else each.args[0] if each.args else None
            each = next(iter(options(inner)), Const(None))
        if not isinstance(each, Term):
            continue
        squared = (each.name == "**" and isinstance(each.args[1], Const) and each.args[1].value == 2) or (
            last(each.name) in ("pow", "square") and each.op in ("method", "call")
        )
        operand = each.args[0] if each.op != "method" and each.args else each.base
        if isinstance(operand, Term) and operand.op == "binop" and operand.name == "-":
            if squared:
                return "MSELoss"
            if last(each.name) == "abs":
                return "L1Loss"
    return ""


def _item(
    run: Run,
    steps: Steps,
    maker: Term | Instance,
    use: Term | None,
    training: Training | None,
    spot: Spot,
    name: str = "",
) -> Loss:
    made = maker.term if isinstance(maker, Instance) else maker
    name = name or (last(made.name) if made is not None else "")
    at = place(spot)
    own = isinstance(maker, Instance)
    library = made is not None and not own
    in_loop = _added_up(steps, use, training) if use is not None and training is not None else ABSENT
    total, added = (
        running_total(run, steps, use, training) if use is not None and training is not None else (ABSENT, ABSENT)
    )
    return Loss(
        at=at,
        active=made.scope.active if made is not None else True,
        name=inferred(name, at) if own else Known(value=name, via="literal", at=at),
        from_logits=inferred(_LOGITS[name]) if name in _LOGITS else ABSENT,
        reduction=_reduction(made) if library and made is not None else ABSENT,
        ignore_index=_ignored(made, name) if library and made is not None else ABSENT,
        input_activation=_input_activation(use),
        divided_by=_divided(training) if training is not None else ABSENT,
        running_total=total,
        added=added,
        added_up=in_loop,
        addends=_addends(in_loop, training),
        by_hand=inferred(own),
        **compared_shapes(Shapes(run), use),
    )


def _added_up(steps: Steps, use: Term, training: Training) -> Fact:
    return added_up(steps, training, use.scope.loops, lambda v: isinstance(v, Term) and v.at.node is use.at.node)


def _addends(in_loop: Fact, training: Training | None) -> Fact:
    return addends(training.backward) if training is not None and plain(in_loop) is True else UNSEEN


def _reduction(term: Term) -> Fact:
    given = term.argument("reduction", None)
    if given is not None:
        return fact(given)
    for key, value in (("size_average", "sum"), ("reduce", "none")):
        old = next(iter(options(term.kwargs.get(key))), None)
        if isinstance(old, Const) and old.value is False:
            return Known(value=value, via="literal", at=place(old.at))
    return default("mean")


def _ignored(term: Term, name: str) -> Fact:
    if name not in _IGNORES:
        return ABSENT
    position = 2 if term.op == "call" and name[:1].isupper() else 4
    given = term.argument("ignore_index", position)
    return default(-100) if given is None else fact(given)


def _input_activation(use: Term | None) -> Fact:
    """What the model's output went through before the loss."""
    value = input_of(use) if use is not None else None
    found = _agreed(value, 0) if value is not None else None
    if isinstance(found, Known):
        return found
    why = found.unknown if found is not None else _NOT_FOLLOWED
    return Unknown(unknown=why, at=place(use.at) if use is not None else None)


def _agreed(value: Value, depth: int) -> Fact:
    """The activation that a value comes from, the same on each of the ways that it may have taken."""
    found = [_activation(each, depth) for each in options(value)] if depth < 40 else []
    known = [f for f in found if isinstance(f, Known)]
    if len({f.value for f in known}) > 1:
        return Unknown(unknown="it depends on a branch")
    return known[0] if known and len(known) == len(found) else Unknown(unknown=_NOT_FOLLOWED)


def _activation(value: Value, depth: int) -> Fact:
    unknown = Unknown(unknown=_NOT_FOLLOWED)
    if not isinstance(value, Term):
        return unknown
    activation = activation_of(value)
    if activation is not None:
        return inferred(activation, place(value.at))
    source: Value | None = None
    if value.op == "apply" and value.result is not None:
        source = value.result
    elif value.op == "apply" and applied_module(value).startswith(_RAW):
        return inferred("none")
    elif keeps_meaning(value) or _is_log(value):
        source = input_of(value)
    elif value.op in ("elem", "comp"):
        source = value.args[0] if value.op == "comp" and value.args else value.base
    if isinstance(source, Seq) and source.items:
        source = source.items[0]
    found = _agreed(source, depth + 1) if source is not None else unknown
    if not _is_log(value):
        return found
    logarithm = _LOGARITHMS.get(str(found.value)) if isinstance(found, Known) else None
    return inferred(logarithm, place(value.at)) if logarithm else unknown


def _is_log(term: Term) -> bool:
    return last(term.name) in ("log", "log_") and term.op in ("call", "method")


def _divided(training: Training | None) -> Fact:
    """What the loss is divided by before it is differentiated."""
    value = training.loss if training is not None else None
    for _ in range(6):
        each = next(iter(options(value)), None)
        if not isinstance(each, Term):
            return ABSENT
        if each.op == "binop" and each.name in ("/", "/="):
            return fact(each.args[1])
        if each.op == "method" and each.name in ("div", "div_") and each.args:
            return fact(each.args[0])
        if each.op != "method" or each.name not in ("scale", "mean", "sum", "to", "float"):
            return ABSENT
        value = each.args[0] if each.name == "scale" and each.args else each.base
    return ABSENT
