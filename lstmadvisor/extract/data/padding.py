"""Padding: how sequences are brought to one length, and whether anything looks past it."""

from __future__ import annotations

from typing import Any

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Map, Opaque, Term, Value, options, walk
from lstmadvisor.extract.common import Fact, fact, inferred, place
from lstmadvisor.extract.data.feeds import Feed, inputs, is_loader, upstream
from lstmadvisor.extract.data.fillings import Filled, fillings
from lstmadvisor.facts import ABSENT, Known, Padding, Unknown

_PACKS = frozenset(("pack_padded_sequence", "pack_sequence"))
_LOSSES = frozenset(
    (
        "cross_entropy",
        "nll_loss",
        "CrossEntropyLoss",
        "NLLLoss",
        "mse_loss",
        "MSELoss",
        "BCEWithLogitsLoss",
        "BCELoss",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "L1Loss",
        "l1_loss",
        "SmoothL1Loss",
    )
)


_MOST_BEHIND = 3_000
"""Values that are looked at between a loss and the data."""


def padding(run: Run, feeds: list[Feed], values: list[Value], found: Padding | None) -> Padding:
    """What is padded, how, and whether packing, masks or the loss take account of it."""
    packs = [t for t in run.trace if t.op == "call" and t.name.rsplit(".", 1)[-1] in _PACKS and t.scope.active]
    filled = sorted(fillings(run, values), key=lambda f: f.act.serial)
    facts: dict[str, Any] = {"packed": inferred(bool(packs), place(packs[0].at) if packs else None)}
    if filled:
        first = filled[0]
        facts |= {
            "at": place(first.act.at),
            "padded": inferred(True, place(first.act.at)),
            "side": first.side,
            "value": first.value,
        }
        facts |= _in_loss(feeds, filled)
    elif packs:
        facts["padded"] = inferred(True, place(packs[0].at))
    elif _reads_everything(feeds):
        facts["padded"] = inferred(False)
        facts["in_loss"] = inferred(False)
    else:
        facts["padded"] = Unknown(unknown="where the sequences come from is not known")
    masked = _masks(run, feeds) if filled or packs else None
    if masked is not None:
        facts["masked"] = inferred(True, place(masked.at))
    elif feeds:
        facts["masked"] = inferred(False)
    if packs or masked is not None:
        facts["lengths_known"] = inferred(
            True, place(packs[0].at if packs else masked.at if masked is not None else None)
        )
    else:
        facts["lengths_known"] = _lengths_known(run, filled) if filled else ABSENT
    if found is not None:
        facts |= {
            name: getattr(found, name) for name in found.model_fields_set if isinstance(getattr(found, name), Known)
        }
    return Padding(**facts)


# -- taking account of it ----------------------------------------------------------------------------


def _reads_everything(feeds: list[Feed]) -> bool:
    """Whether the inputs of the recurrent layers are known back to where they come from."""
    if not feeds or not feeds[0].recurrent:
        return False
    for term in feeds[0].recurrent[:2]:
        for value in upstream(term.args[0] if term.args else None, feeds[0].stored):
            if isinstance(value, Opaque) or (
                isinstance(value, Term)
                and (value.op == "param" or value.name in ("?", "") or "torchtext" in value.name)
            ):
                return False
            if isinstance(value, Term) and value.op == "call" and value.name.startswith("datasets."):
                return False
    return True


def _masks(run: Run, feeds: list[Feed]) -> Term | None:
    """A mask that the loss of the training step was computed with."""
    for feed in feeds[:1]:
        for value in feed.sources:
            if (
                isinstance(value, Term)
                and value.op in ("call", "method")
                and value.name.rsplit(".", 1)[-1] in ("masked_fill", "masked_fill_", "masked_select", "sequence_mask")
            ):
                return value
            if isinstance(value, Term) and value.op == "item" and value.args and _is_mask(value.args[0]):
                return value
    return None


def _is_mask(index: Value) -> bool:
    return (
        isinstance(index, Term)
        and index.op == "binop"
        and index.name in ("!=", ">")
        and any(isinstance(a, Const) for a in index.args)
    )


def _lengths_known(run: Run, fillings: list[Filled]) -> Fact:
    """Whether the lengths before the padding are kept: taken with `len` or `include_lengths`, near the padding."""
    for term in run.trace:
        given = term.kwargs.get("include_lengths")
        if isinstance(given, Const) and given.value is True:
            return inferred(True, place(term.at))
    near = {id(f.function.node) for filled in fillings for f in filled.act.scope.frames[-1:]}
    for term in run.trace:
        if (
            term.op == "call"
            and term.name in ("torch.tensor", "torch.LongTensor", "torch.IntTensor", "torch.as_tensor", "torch.stack")
            and term.args
        ):
            if not near & {id(f.function.node) for f in term.scope.frames}:
                continue
            sizes = len(term.args) > 1 and term.name.endswith("Tensor")
            inner = [v for v in walk(term.args[0], 12) if isinstance(v, Term) and v.name == "builtins.len"]
            if inner and not sizes:
                return inferred(True, place(term.at))
    return inferred(False)


def _in_loss(feeds: list[Feed], fillings: list[Filled]) -> dict[str, Fact]:
    """Whether padded targets count in the loss, and what they are filled with."""
    acts: list[Filled] = []
    in_loss = _count(feeds, fillings, acts)
    numbers = {f.value.value if isinstance(f.value, Known) else None for f in acts}
    one = numbers.pop() if len(numbers) == 1 else None
    return {
        "in_loss": in_loss,
        "target_value": Unknown(unknown="what targets are filled with is not known") if one is None else inferred(one),
    }


def _count(feeds: list[Feed], fillings: list[Filled], acts: list[Filled]) -> Fact:
    """Whether padded targets count in the loss; `acts` gets what filled them."""
    filled = {id(f.act.at.node): f for f in fillings}
    for feed in feeds[:1]:
        for value in feed.sources:
            if not isinstance(value, Term):
                continue
            loss = _loss_of(value)
            if loss is None or len(value.args) < 2:
                continue
            behind = _before_the_loader(_picked(value.args[1], feed), feed)
            if any(
                isinstance(v, Term)
                and (
                    (v.op == "item" and _is_mask(v.args[0]))
                    or v.name.rsplit(".", 1)[-1] in ("pack_padded_sequence", "masked_select")
                )
                for v in behind
            ):
                return inferred(False, place(value.at))
            acts[:] = [filled[id(v.at.node)] for v in behind if isinstance(v, Term) and id(v.at.node) in filled]
            if not acts:
                continue
            entropy = loss.name.rsplit(".", 1)[-1] in ("CrossEntropyLoss", "NLLLoss", "cross_entropy", "nll_loss")
            if not entropy and _hands_out_fields(acts[0].act):
                continue
            reduced = loss.kwargs.get("reduction") or loss.kwargs.get("reduce")
            if isinstance(reduced, Const) and reduced.value in ("none", False):
                return Unknown(unknown="what becomes of the loss of each step is not followed", at=place(value.at))
            if not entropy:
                return inferred(True, place(value.at))
            ignored = loss.argument("ignore_index", 2 if loss is not value else None, Const(-100, "default"))
            number = fact(ignored)
            padded = acts[0].value
            if isinstance(number, Known) and isinstance(padded, Known):
                return inferred(number.value != padded.value, place(value.at))
            if (isinstance(number, Known) and number.via != "default") or isinstance(number, Unknown):
                return (
                    inferred(False, place(value.at))
                    if ignored is not None and not isinstance(ignored, Const)
                    else Unknown(unknown="which index is ignored is not known")
                )
            if _hands_out_fields(acts[0].act):
                return Unknown(unknown="which fields of the iterator are padded is not known", at=place(value.at))
            return inferred(True, place(value.at))
    return Unknown(unknown="the targets are not followed to the loss")


def _before_the_loader(value: Value, feed: Feed) -> list[Value]:
    """What a part of a batch was computed from, not the other parts that its loader hands out with it."""
    seen: set[int] = set()
    out: list[Value] = []
    queue = [value]
    for here in queue:
        if id(here) in seen or len(out) >= _MOST_BEHIND:
            continue
        seen.add(id(here))
        out.append(here)
        if not is_loader(here) and not _is_size(here):
            queue.extend(inputs(here))
            queue.extend(feed.stored.get(id(here), ()))
    return out


def _is_size(value: Value) -> bool:
    """Whether a value tells how large an array is, not what it holds."""
    return isinstance(value, Term) and value.name in ("shape", "size", "dim", "numel", "builtins.len")


def _picked(value: Value, feed: Feed) -> Value:
    """What `batch["label"]` picks out of the dict that a collate function makes; otherwise the value."""
    here = value
    while isinstance(here, Term) and here.op in ("method", "attr") and here.base is not None:
        here = here.base
    if isinstance(here, Term) and here.op == "item" and isinstance(here.args[0], Const):
        for each in upstream(here.base, feed.stored, 60):
            if isinstance(each, Term) and isinstance(each.result, Map) and here.args[0].value in each.result.entries:
                return each.result.entries[here.args[0].value]
    return value


def _hands_out_fields(act: Term) -> bool:
    """Whether padding is done by an iterator of torchtext, whose labels are fields like its texts."""
    return act.name.rsplit(".", 1)[-1] in ("BucketIterator", "splits")


def _loss_of(term: Term) -> Term | None:
    """The loss function that a term applies."""
    if term.op == "apply":
        for each in options(term.base):
            if isinstance(each, Term) and each.op == "call" and each.name.rsplit(".", 1)[-1] in _LOSSES:
                return each
    if term.op == "call" and term.name.startswith("torch.nn.functional.") and term.name.rsplit(".", 1)[-1] in _LOSSES:
        return term
    return None
