"""Which PyTorch modules a program makes: where, for which model, and which of them are trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lstmadvisor.extract.abstract import frameworks
from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Instance, Map, Seq, Spot, Term, Value, options
from lstmadvisor.extract.common import turns
from lstmadvisor.extract.pytorch.flow import sources
from lstmadvisor.extract.pytorch.torch_ops import last


@dataclass(eq=False, slots=True)
class Made:
    """One library module that the program makes."""

    term: Term
    at: Spot
    instance: Instance | None
    """the user's object that extends the library's class"""
    owner: Instance | None = None
    """the user's module that holds it"""
    name: str = ""
    """its dotted name inside the owner"""
    path: str = ""
    """its dotted name inside the outermost model"""
    root: int = 0
    """id of the outermost model"""
    active: bool = True
    trained: bool = False
    twins: list[Term] = field(default_factory=list)
    """the same line with the same values, made again"""

    @property
    def kind(self) -> str:
        """Name of the library's class."""
        return last(self.term.name)

    def terms(self) -> list[Term]:
        """Its constructor calls."""
        return [self.term, *self.twins]

    def model(self) -> str:
        """Name of the class of the model that it belongs to, or of the variable that holds it."""
        if self.owner is not None:
            return self.owner.cls.name
        if self.name:
            return self.name.split(".", 1)[0]
        for frame in reversed(self.term.scope.frames):
            if frame.function.owner is not None:
                return frame.function.owner.name
        return ""


class Modules:
    """All modules of a run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._instances = {id(i.term): i for i in run.instances if i.term is not None}
        self._owners: dict[int, tuple[Instance, str]] = {}
        self._parents: dict[int, tuple[Instance, str]] = {}
        for instance in run.instances:
            self._own(instance)
        self._variables = _variables(run)
        self.trained = _trained(run)
        self.seen = any(
            t.op == "call" and t.name.startswith("torch.nn.") and _is_layer(last(t.name)) for t in run.trace
        )
        """whether any layer is made in what was read"""

    def _own(self, instance: Instance) -> None:
        for name, value in instance.attrs.items():
            for inner, module in _inside(self.run, value, name):
                term = module.term if isinstance(module, Instance) else module
                if term is not None:
                    self._owners.setdefault(id(term), (instance, inner))
                if isinstance(module, Instance):
                    self._parents.setdefault(id(module), (instance, inner))

    def _path(self, owner: Instance | None, name: str) -> tuple[int, str]:
        """The outermost model around, and the dotted name inside it."""
        for _ in range(8):
            if owner is None or id(owner) not in self._parents:
                break
            owner, above = self._parents[id(owner)]
            name = f"{above}.{name}"
        return id(owner), name

    def owner(self, term: Term) -> tuple[Instance, str] | None:
        """The user's module that holds a library module, and under which name."""
        return self._owners.get(id(term))

    def instance_of(self, term: Value | None) -> Instance | None:
        """The user's object that a library object is the inside of."""
        return self._instances.get(id(term))

    def made(self, test: Callable[[str], bool]) -> list[Made]:
        """The library modules whose class name passes `test`: of constructors run several times, those that count."""
        groups: dict[object, list[Made]] = {}
        for term in self.run.trace:
            if (
                term.op != "call"
                or not term.name.startswith("torch.nn.")
                or not last(term.name)[:1].isupper()
                or not test(last(term.name))
            ):
                continue
            instance = self._instances.get(id(term))
            at = instance.at if instance is not None and instance.at is not None else term.at
            held = self._owners.get(id(term))
            owner, name = held if held is not None else (None, self._variables.get(id(term), ""))
            trained = id(term) in self.trained
            made = Made(term, at, instance, owner, name, active=term.scope.active, trained=trained)
            made.root, made.path = self._path(owner, name)
            turn = tuple((id(loop), number) for loop, number in term.scope.loops if loop.unrolled)
            groups.setdefault((id(at.node), turn), []).append(made)
        out: list[Made] = []
        for group in groups.values():
            out.extend(_merged(_that_count(group)))
        return out


def _is_layer(name: str) -> bool:
    return name[:1].isupper() and not name.endswith("Loss") and name not in ("Module", "DataParallel", "Parameter")


def _variables(run: Run) -> dict[int, str]:
    """Names of the global variables that hold library modules, by id of the module."""
    out: dict[int, str] = {}
    for module in run.modules.values():
        for name, value in module.env.names.items():
            for inner, held in _inside(run, value, name):
                if isinstance(held, Term):
                    out.setdefault(id(held), inner)
    return out


def _that_count(group: list[Made]) -> list[Made]:
    """Of modules made on the same line: the trained ones, else the last; of those on the way the defaults take."""
    active = [m for m in group if m.active] or group
    first = [m for m in active if not any(turns(m.term))] or active
    trained = [m for m in first if m.trained] or [m for m in active if m.trained]
    if not trained:
        return [m for m in first if m.root == first[-1].root] if first[-1].owner is not None else first[-1:]
    roots = list(dict.fromkeys(m.root for m in reversed(trained)))
    return sorted(trained, key=lambda m: roots.index(m.root))


def _merged(group: list[Made]) -> list[Made]:
    """Modules made on the same line for the same place in a model, with the same arguments, as one."""
    out: list[Made] = []
    keys: list[object] = []
    for made in group:
        given = [*made.term.args, *made.term.kwargs.values()]
        key = [_same(v) for v in given] + list(made.term.kwargs) + [made.active, made.path]
        if key in keys:
            out[keys.index(key)].twins.append(made.term)
        else:
            keys.append(key)
            out.append(made)
    return out


def _same(value: Value) -> object:
    """What an argument is recognised by: its value, or the expression that gave it."""
    if isinstance(value, Const):
        return value.value
    return id(value.at.node) if isinstance(value, Term) else type(value).__name__


def _inside(
    run: Run, value: Value, name: str, seen: frozenset[int] = frozenset()
) -> Iterator[tuple[str, Term | Instance]]:
    """The modules that an attribute holds, with their names."""
    if len(seen) > _DEEPEST:
        return
    for each in options(value):
        if id(each) in seen:
            continue
        seen = seen | {id(each)}
        if isinstance(each, Seq):
            for i, item in enumerate(each.items):
                yield from _inside(run, item, f"{name}.{i}", seen)
        elif isinstance(each, Map):
            for key, item in each.entries.items():
                yield from _inside(run, item, f"{name}.{key}", seen)
        elif frameworks.is_module(run, each) and isinstance(each, (Term, Instance)):
            yield name, each
            if isinstance(each, Term) and each.name == "torch.nn.Sequential":
                for i, item in enumerate(run.children(each) or []):
                    yield from _inside(run, item, f"{name}.{i}", seen)


_DEEPEST = 6
"""Lists inside lists of a module's attributes that are looked into."""
_LISTS_PARAMETERS = frozenset(("parameters", "named_parameters", "children", "named_children", "modules"))
_TRAINERS = ("transformers.Trainer", "transformers.Seq2SeqTrainer", "fastai.", "skorch.", "ignite.", "accelerate.")


def _trained(run: Run) -> set[int]:
    """Ids of the library modules whose parameters an optimizer receives."""
    roots: list[Value] = []
    for term in run.trace:
        if term.op != "call" or not term.scope.active:
            continue
        if last(term.name)[:1].isupper() and not term.name.startswith(("torch.nn.", "torch.optim.lr_scheduler")):
            roots.extend(_handed_over(term))
        if term.name.startswith(_TRAINERS) or last(term.name).endswith(("Learner", "Trainer")):
            roots.extend(v for v in (*term.args, *term.kwargs.values()) if frameworks.is_module(run, v))
    if not roots:
        roots = [
            t.base
            for t in run.trace
            if t.op == "method" and t.name == "parameters" and t.base is not None and t.scope.active
        ]
    out: set[int] = set()
    for root in roots:
        for each in options(root):
            for _, module in frameworks.submodules(run, each):
                term_ = module.term if isinstance(module, Instance) else module
                out.add(id(term_))
    return out


def _handed_over(optimizer: Term) -> Iterator[Value]:
    """The modules whose parameters an optimizer is given."""
    queue: list[Value] = [
        *optimizer.args[:1],
        *(optimizer.kwargs[k] for k in ("params", "model") if k in optimizer.kwargs),
    ]
    seen = {id(v) for v in queue}
    for value in queue:
        if isinstance(value, Term):
            if value.op == "method" and value.name in _LISTS_PARAMETERS and value.base is not None:
                yield value.base
                continue
            if value.op == "attr" and isinstance(value.base, Term) and value.base.name.startswith("torch.nn."):
                yield value.base
                continue
            if value.op in ("apply", "method") or (
                value.op == "call" and not value.name.startswith(("builtins.", "itertools."))
            ):
                continue
        for source in sources(value):
            if id(source) not in seen and len(seen) < 2000:
                seen.add(id(source))
                queue.append(source)


__all__ = ["Made", "Modules"]
