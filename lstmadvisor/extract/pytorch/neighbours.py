"""What stands before and after a layer of a PyTorch model."""

from __future__ import annotations

from collections.abc import Iterator

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Term, Value
from lstmadvisor.extract.pytorch.flow import Flow, sources
from lstmadvisor.extract.pytorch.made import Made, Modules
from lstmadvisor.extract.pytorch.outputs import Outputs
from lstmadvisor.extract.pytorch.sizes import Sizes
from lstmadvisor.extract.pytorch.torch_ops import (
    DENSE,
    activation_of,
    applied_module,
    input_of,
    is_recurrent,
    keeps_meaning,
    module_name,
)

_LONGEST = 600


class Neighbours:
    """The layers of a run and how data flows between them."""

    def __init__(self, run: Run, flow: Flow, modules: Modules) -> None:
        self.run = run
        self.flow = flow
        self.modules = modules
        self.applied: dict[int, list[Term]] = {}
        for term in run.trace:
            if term.op == "apply" and term.base is not None:
                self.applied.setdefault(id(term.base), []).append(term)
        self.sizes = Sizes(run)
        self.outputs = Outputs(run, flow, self.sizes)

    def uses(self, made: Made) -> list[Term]:
        """The applications of a module; those on the way the defaults take, where there are any."""
        found = [a for t in made.terms() for a in self.applied.get(id(t), ())]
        if made.instance is not None:
            found.extend(self.applied.get(id(made.instance), ()))
        active = [a for a in found if a.scope.active]
        return active or found

    def upstream(self, term: Value) -> bool:
        """Whether a recurrent layer comes before an application."""
        return any(is_recurrent(t.base) for t in applied_before(term))

    def following(self, term: Value, direct: bool = False) -> Iterator[Term]:
        """The applications of recurrent and dense layers that come next after a value.

        `direct`: only moving, dropouts, normalisations and activations stand between.
        """
        queue: list[Value] = [term]
        seen = {id(term)}
        for here in queue:
            for user in self.flow.users(here):
                if id(user) in seen or len(seen) > _LONGEST:
                    continue
                seen.add(id(user))
                if isinstance(user, Term):
                    if user.op == "setitem":
                        if user.args[-1] is here and user.base is not None:
                            queue.append(user.base)
                        continue
                    if user.op in ("enter", "text", "setattr") or user.name in ("size", "shape", "dim"):
                        continue
                    if user.op == "apply" and (is_recurrent(user.base) or module_name(user.base) in DENSE):
                        yield user
                        continue
                    if direct and not keeps_meaning(user) and not activation_of(user):
                        continue
                queue.append(user)


def applied_before(term: Value) -> Iterator[Term]:
    """The applications that a value comes from; token ids that an embedding looks up are not followed further."""
    first = input_of(term) if isinstance(term, Term) and term.op != "binop" else None
    queue: list[Value] = sources(term) if first is None else [first]
    seen = {id(v) for v in queue}
    for here in queue:
        if isinstance(here, Term) and here.op == "apply":
            yield here
            if applied_module(here).startswith("Embedding"):
                continue
        for source in sources(here):
            if id(source) not in seen and len(seen) < _LONGEST:
                seen.add(id(source))
                queue.append(source)


def same_layer(ahead: Term, here: Value) -> bool:
    """Whether an application ahead is of a layer that `here` already comes from: the next step of a loop by hand."""
    return any(t.base is ahead.base for t in applied_before(here))
