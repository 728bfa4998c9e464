"""Results that are thrown away and attributes that come too late."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lstmadvisor.extract.abstract.frameworks import is_module
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Instance, Term, options
from lstmadvisor.extract.common import Fact, first_turns, inferred, place
from lstmadvisor.extract.data.feeds import is_loader
from lstmadvisor.extract.search.options import dead
from lstmadvisor.facts import ABSENT, DeadSetting

_RETURNS_MODEL = {
    "torch.compile": "compile",
    "torch.jit.script": "compile",
    "torch.jit.trace": "compile",
    "torch.nn.DataParallel": "parallel",
}
_RETURNS_TENSOR = frozenset(
    "to cuda cpu float double half long detach clone contiguous view reshape squeeze unsqueeze transpose permute clamp "
    "masked_fill flatten t".split()
)
_TENSORS = frozenset(
    (
        "torch.zeros",
        "torch.ones",
        "torch.tensor",
        "torch.randn",
        "torch.rand",
        "torch.from_numpy",
        "torch.stack",
        "torch.cat",
        "torch.LongTensor",
        "torch.FloatTensor",
        "torch.Tensor",
    )
)
_FRAMES = frozenset(
    (
        "drop",
        "dropna",
        "fillna",
        "sort_values",
        "reset_index",
        "set_index",
        "replace",
        "rename",
        "astype",
        "interpolate",
    )
)
_LATE = {"shuffle": "shuffle", "batch_size": "batch-size", "drop_last": "other", "sampler": "shuffle"}


def thrown_away(run: Run) -> Iterator[DeadSetting]:
    """Calls that give back what they made, whose result nobody keeps."""
    for term in first_turns(t for t in run.trace if t.op in ("call", "method") and t.scope.active):
        if id(term.at.node) not in run.dropped:
            continue
        if term.op == "call" and term.name in _RETURNS_MODEL and _is_model(run, term):
            short = term.name.rsplit(".", 1)[-1]
            yield dead(
                place(term.at),
                "result-discarded",
                short,
                f"`{short}` gives the new model back, and nobody keeps it",
                "other",
            ).model_copy(update={"called": _called(term)})
        elif _in_notebook(term):
            continue  # the last expression of a cell is shown
        elif term.op == "call" and term.name.startswith("torch.nn.functional.") and not term.name.endswith("_"):
            short = term.name.rsplit(".", 1)[-1]
            inplace = term.kwargs.get("inplace")
            if inplace is None:
                yield dead(
                    place(term.at), "result-discarded", short, f"`F.{short}` gives its result back, and nobody keeps it"
                )
        elif term.op == "method" and term.name in _RETURNS_TENSOR and _is_tensor(term.base):
            yield dead(
                place(term.at),
                "result-discarded",
                term.name,
                f"`.{term.name}()` of a tensor gives a new tensor back, and nobody keeps it",
                "other",
            ).model_copy(update={"called": _called(term)})
        elif term.op == "method" and term.name in _FRAMES and _is_frame(term) and "inplace" not in term.kwargs:
            yield dead(
                place(term.at),
                "result-discarded",
                term.name,
                f"`.{term.name}()` gives a new frame back, and nobody keeps it",
                "other",
            )


def _called(term: Term) -> Fact:
    """What the code calls the thing that a call makes anew: its receiver, or its first argument."""
    call, module = term.at.node, term.at.module
    if not isinstance(call, cst.Call) or module is None:
        return ABSENT
    node = call.func.value if term.op == "method" and isinstance(call.func, cst.Attribute) else None
    if node is None and call.args:
        node = call.args[0].value
    return inferred(node.value) if isinstance(node, cst.Name) else ABSENT


def _is_model(run: Run, term: Term) -> bool:
    given = term.args[0] if term.args else None
    return any(is_module(run, each) or isinstance(each, Instance) for each in options(given))


def _is_tensor(value: object) -> bool:
    """Whether a value is surely a tensor rather than a module, which changes in place."""
    for _ in range(12):
        if not isinstance(value, Term):
            return False
        if value.op == "call":
            return value.name in _TENSORS
        if value.op == "elem" and value.name in ("batch", "sample"):
            value = value.args[0] if value.args else value.base
            continue
        if value.op not in ("method", "binop") or (value.name in ("to",) and not value.args):
            return False
        value = value.base if value.op == "method" else value.args[0]
    return False


def _is_frame(term: Term) -> bool:
    here = term.base
    for _ in range(20):
        if not isinstance(here, Term):
            return False
        if here.op == "call":
            return here.name in (
                "pandas.read_csv",
                "pandas.DataFrame",
                "pandas.read_excel",
                "pandas.concat",
                "pandas.merge",
            )
        here = here.base
    return False


def _in_notebook(term: Term) -> bool:
    return term.at.module is not None and term.at.module.source.is_notebook


def too_late(run: Run) -> Iterator[DeadSetting]:
    """`loader.shuffle = False`, `optimizer.lr = 0.1`: attributes that nothing reads any more."""
    for term in first_turns(t for t in run.trace if t.op == "setattr" and t.scope.active):
        for each in options(term.base):
            if is_loader(each) and term.name in _LATE:
                seen = "does not look at" if term.name == "shuffle" else "refuses to change"
                yield dead(
                    place(term.at),
                    "attribute-after-construction",
                    term.name,
                    f"a loader that is made {seen} its `{term.name}`",
                    _LATE[term.name],
                )
            elif (
                isinstance(each, Term)
                and each.op == "call"
                and each.name.startswith("torch.optim.")
                and "lr_scheduler" not in each.name
            ) and term.name in ("lr", "learning_rate", "momentum", "weight_decay"):
                yield dead(
                    place(term.at),
                    "attribute-after-construction",
                    term.name,
                    f"the optimizer reads `{term.name}` from its parameter groups",
                )
