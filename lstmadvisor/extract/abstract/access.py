"""Items and attributes: `base[index]`, `base.name`, classes and their bases."""

from __future__ import annotations

import math
import string
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lstmadvisor.extract.abstract import layer_values
from lstmadvisor.extract.abstract.names import canonical
from lstmadvisor.extract.abstract.state import State
from lstmadvisor.extract.abstract.values import (
    Bound,
    Choice,
    Class,
    Const,
    External,
    Function,
    Instance,
    Map,
    Object,
    Opaque,
    Package,
    Seq,
    Spot,
    Super,
    Term,
    Value,
)

if TYPE_CHECKING:
    from lstmadvisor.extract.abstract.modules import Module


class Access(State):
    """Reads items and attributes of values."""

    flags: Object

    def item(self, base: Value, index: Value, at: Spot) -> Value:
        """`base[index]`."""
        if isinstance(index, Seq) and index.kind == "slice" and isinstance(base, Term):
            upper = index.items[1]
            if isinstance(upper, Const) and upper.name:
                self.limits.append(upper)
        if isinstance(base, Choice):
            if all(isinstance(o, Term) for o in base.options):
                return self.term("item", "[]", base, [index], at=at)
            return self.join([self.item(o, index, at) for o in base.options], base.why)
        if isinstance(index, Choice) and isinstance(base, (Map, Seq)):
            return self.join([self.item(base, o, at) for o in index.options], index.why)
        if isinstance(base, Seq) and base.kind != "slice":
            if isinstance(index, Const) and isinstance(index.value, int):
                i = index.value
                if -len(base.items) <= i < len(base.items) and (not base.open or i >= 0):
                    value = base.items[i]
                    return (
                        replace(value, via="config") if isinstance(value, Const) and value.via == "literal" else value
                    )
                return Opaque(base.open or "an index out of range", at)
            if not base.open and (part := known_slice(index)) is not None:
                return Seq(base.items[part], base.kind, None, at)
        if isinstance(base, Map) and isinstance(index, Const) and hashable(index.value):
            if index.value in base.entries:
                return base.entries[index.value]
            return Opaque(base.open or f"no entry {index.value!r}", at)
        if isinstance(base, Object):
            if isinstance(index, Const) and isinstance(index.value, str):
                return self.attribute(base, index.value, at)
            return Opaque("an entry of a configuration that is not known", at)
        if (
            isinstance(base, Const)
            and isinstance(index, Const)
            and isinstance(base.value, (str, tuple, list))
            and isinstance(index.value, int)
        ):
            try:
                return Const(base.value[index.value], "arithmetic", at, base)
            except IndexError:
                return Opaque("an index out of range", at)
        if isinstance(base, Const) and isinstance(base.value, str) and (part := known_slice(index)) is not None:
            return Const(base.value[part], "arithmetic", at, base)
        if isinstance(base, (Class, External)):
            if isinstance(base, Class) and isinstance(index, Const) and index.value in base.names:
                return base.names[index.value]
            if isinstance(base, External) and not base.name.startswith(("typing.", "builtins.", "collections.")):
                return self.term("item", "[]", base, [index], at=at)
            return base
        if isinstance(base, Instance):
            method = self.find(base.cls, "__getitem__")
            if isinstance(method, Function):
                return self.call(Bound(method, base), [index], {}, None, at)
            if base.term is not None and base.term.name in ("torch.nn.Sequential", "torch.nn.ModuleList"):
                return self.item(base.term, index, at)
        if isinstance(base, Opaque):
            return Opaque(base.why, at)
        if isinstance(base, Term) and base.name == "torch.nn.Sequential" and base.op == "call":
            layers = self.children(base)
            if (
                layers is not None
                and isinstance(index, Const)
                and isinstance(index.value, int)
                and -len(layers) <= index.value < len(layers)
            ):
                return layers[index.value]
        key = index.value if isinstance(index, Const) and hashable(index.value) else None
        if isinstance(base, Term) and key is not None and (f"[{key!r}]") in base.attrs:
            return base.attrs[f"[{key!r}]"]
        return self.term("item", "[]", base, [index], at=at)

    def children(self, sequential: Term) -> list[Value] | None:
        """The layers of an `nn.Sequential`, in order; None where they are not known."""
        if sequential.open:
            return None
        flat: list[Value] = []
        for arg in sequential.args:
            if isinstance(arg, Map):
                flat.extend(arg.entries.values())
            elif isinstance(arg, Seq):
                flat.extend(arg.items)
            else:
                flat.append(arg)
        return flat + [v for k, v in sequential.attrs.items() if k.startswith("+")]

    def attribute(self, base: Value, name: str, at: Spot) -> Value:
        """`base.name`."""
        if isinstance(base, Package):
            return self.member(base, name, at)
        if isinstance(base, External):
            if base.name in ("absl.flags.FLAGS", "tensorflow.app.flags.FLAGS", "tensorflow.flags.FLAGS"):
                return self.flags.attrs.get(name, Opaque(f"no flag `{name}` is known", at))
            if (base.name, name) == ("wandb", "config"):
                return self.flags.attrs.setdefault("wandb.config", Object("namespace", open="wandb's configuration"))
            if name == "value" and base.name.rsplit(".", 1)[-1][:1].isupper():
                return base  # a member of an enumeration whose value is a class
            return library_name(f"{base.name}.{name}")
        if isinstance(base, Instance):
            return self._instance_attribute(base, name, at)
        if isinstance(base, Class):
            found = self.find(base, name)
            if isinstance(found, Function):
                return Bound(found, base) if found.kind == "classmethod" else found
            if found is not None:
                return found
            if name == "__name__":
                return Const(base.name, "constant", at)
            return self.term("attr", name, base, [], at=at)
        if isinstance(base, Super):
            return self._super_attribute(base, name, at)
        if isinstance(base, Object):
            if base.kind == "folder":
                return self.imported(f"{base.data['dotted']}.{name}", base.data["importer"], base.data["level"])
            if name in base.attrs:
                self.reads.add(name)
                return base.attrs[name]
            if (
                base.kind == "namespace"
                and not base.open
                and name not in ("get", "items", "keys", "values", "__dict__", "update", "copy", "pop", "setdefault")
            ):
                return Opaque(f"no setting `{name}` is known", at)
            return self.term("attr", name, base, [], at=at)
        if isinstance(base, Choice):
            terms = [o for o in base.options if isinstance(o, Term)]
            if len(terms) == len(base.options) and not any(name in t.attrs for t in terms):
                return self.term("attr", name, base, [], at=at)
            return self.join(
                [self.attribute(o, name, at) for o in base.options if not (isinstance(o, Const) and o.value is None)],
                base.why,
            )
        if isinstance(base, Term) and name in base.attrs:
            return base.attrs[name]
        if isinstance(base, Const):
            if name == "value":
                return base
            if name == "parent" and isinstance(base.value, str):
                return Const(base.value.rpartition("/")[0] or ".", "arithmetic", at, base)
        if isinstance(base, (Bound, Function)) and name == "__name__":
            return Const((base.function if isinstance(base, Bound) else base).name, "constant", at)
        if isinstance(base, Map) and base.kind == "attrdict" and name in base.entries:
            return base.entries[name]
        if isinstance(base, Term) and (value := layer_values.attribute(self, base, name, at)) is not None:
            return value
        return self.term("attr", name, base, [], at=at)

    def _instance_attribute(self, base: Instance, name: str, at: Spot) -> Value:
        if name in base.attrs:
            return base.attrs[name]
        if name == "__class__":
            return base.cls
        if name == "__dict__":
            return Map(base.attrs, base.open)
        found = self.find(base.cls, name)
        if isinstance(found, Function):
            if found.kind == "property":
                return self.call(Bound(found, base), [], {}, None, at)
            return found if found.kind == "static" else Bound(found, base.cls if found.kind == "classmethod" else base)
        if found is not None:
            return found
        getter = self.find(base.cls, "__getattr__")
        if isinstance(getter, Function) and name[:2] != "__":
            return self.call(Bound(getter, base), [Const(name, "constant", at)], {}, None, at)
        if name == "training" and any(b.startswith(("torch.nn.", "lightning.")) for b in self.library_bases(base.cls)):
            return Const(True, "default", at)
        if name in ("module", "_orig_mod") and "torch.nn.Module" in self.library_bases(base.cls):
            return base  # what wraps a model for several devices or compiles it stands for the model itself
        if base.term is not None and (value := layer_values.attribute(self, base.term, name, at)) is not None:
            return value
        return self.term("attr", name, base, [], at=at)

    def _super_attribute(self, base: Super, name: str, at: Spot) -> Value:
        order = self.lineage(base.this.cls if isinstance(base.this, Instance) else base.cls)
        position = next((i for i, c in enumerate(order) if c is base.cls), -1)
        external: External | None = None
        for cls in order[position + 1 :]:
            if isinstance(cls, Class):
                if name in cls.names:
                    found = cls.names[name]
                    if isinstance(found, Function):
                        return found if found.kind == "static" else Bound(found, base.this)
                    return found
            elif external is None and isinstance(cls, External) and cls.name != "builtins.object":
                external = cls
        return self.term("attr", name, base, [external] if external else [], at=at)

    def lineage(self, cls: Value) -> list[Value]:
        """A class and its bases, nearest first."""
        out: list[Value] = []
        left = [(cls, 0)]
        while left:
            here, depth = left.pop()
            if depth > 12 or any(here is known for known in out):
                continue
            out.append(here)
            bases = here.bases if isinstance(here, Class) else ()
            nearest = [(each, depth + 1) for b in bases for each in (b.options if isinstance(b, Choice) else [b])]
            left += reversed(nearest)
        return out

    def find(self, cls: Class, name: str) -> Value | None:
        """A name in a class or its first-party bases."""
        for c in self.lineage(cls):
            if isinstance(c, Class) and name in c.names:
                return c.names[name]
        return None

    def library_bases(self, cls: Class) -> list[str]:
        """Canonical names of the library classes that a user's class extends."""
        return [c.name for c in self.lineage(cls) if isinstance(c, External)]

    # -- supplied further down the chain -----------------------------------------------------------

    def imported(self, dotted: str, importer: Module, level: int = 0) -> Value:
        """What an import binds."""
        raise NotImplementedError

    def call(self, callee: Value, args: list[Value], kwargs: dict[str, Value], open_: str | None, at: Spot) -> Value:
        """Call anything."""
        raise NotImplementedError

    def member(self, package: Package, name: str, at: Spot) -> Value:
        """A name of a first-party module."""
        raise NotImplementedError


_CONSTANTS: dict[str, Any] = {
    **{f"string.{n}": getattr(string, n) for n in string.__all__ if isinstance(getattr(string, n), str)},
    "math.pi": math.pi,
    "math.e": math.e,
    "numpy.pi": math.pi,
}


def library_name(dotted: str) -> Value:
    """What a name of a library stands for: a constant of the standard library, else the name itself."""
    name = canonical(dotted)
    return Const(_CONSTANTS[name], "constant") if name in _CONSTANTS else External(name)


def hashable(value: Any) -> bool:
    """Whether a constant can be the key of a dict."""
    return isinstance(value, (str, int, float, bool, bytes, type(None)))


def known_slice(index: Value) -> slice | None:
    """`index` as a slice whose bounds are all known; None where it is not one."""
    if not isinstance(index, Seq) or index.kind != "slice":
        return None
    bounds: list[int | None] = []
    for bound in index.items:
        if not isinstance(bound, Const) or not (bound.value is None or isinstance(bound.value, int)):
            return None
        bounds.append(bound.value)
    return slice(*bounds)
