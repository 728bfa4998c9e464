"""Items of arrays: what `x[i]`, `x[:, a:b]` and `frame["column"]` leave of a shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lstmadvisor.extract.abstract.values import Choice, Const, Map, Opaque, Seq, Spot, Term, Value, options
from lstmadvisor.extract.shapes.dims import integer, number
from lstmadvisor.extract.shapes.rules import loaded, pictured
from lstmadvisor.extract.shapes.sizes import Sizes, is_frame
from lstmadvisor.extract.shapes.tables import LAYERS, Dim, Shape

if TYPE_CHECKING:
    from lstmadvisor.extract.shapes.shapes import Shapes


class Items(Sizes):
    """The part of `Shapes` that follows indexing."""

    def _item(self, term: Term) -> Shape | None:
        index, base = term.args[0], term.base
        if isinstance(base, Term):
            if base.op in ("apply", "call", "method", "item", "elem") and (made := self._part(base, index)) is not None:
                return made
            if is_frame(base):
                return self._column(base, index)
            if (
                isinstance(index, Const)
                and isinstance(index.value, str)
                and base.op == "elem"
                and base.name in ("row", "sample")
            ):
                return self.of(self.field_of(base, index.value))
        inner = self.of(base)
        if inner is None:
            return None
        parts = index.items if isinstance(index, Seq) and index.kind == "tuple" else [index]
        return self._indexed(inner, parts, term.at)

    def _part(self, base: Term, index: Value) -> Shape | None:
        """An item of a call that gives several arrays."""
        key = integer(index)
        last = base.name.rsplit(".", 1)[-1]
        if base.op == "apply" and isinstance(base.base, Term):
            kind = base.base.name.rsplit(".", 1)[-1]
            rule = LAYERS.get(f"{kind}[{key}]")
            return rule(cast("Shapes", self), base) if rule is not None else None
        if last == "train_test_split" and base.op == "call" and key is not None and base.args:
            inner = self.of(base.args[key // 2]) if key // 2 < len(base.args) else None
            return (None, *inner[1:]) if inner else None
        if base.op == "method" and base.name in ("split", "chunk"):
            return self._piece(base)
        if (
            base.op == "item"
            and isinstance(base.base, Term)
            and base.base.op == "call"
            and base.base.name.endswith(".load_data")
        ):
            return loaded(base.base, integer(base.args[0]), key)
        if base.op == "elem" and base.name in ("element", "batch") and not base.args and isinstance(base.base, Term):
            return self._of_loader(base.base, key)
        return None

    def _of_loader(self, loader: Term, key: int | None) -> Shape | None:
        """What a loader gives at position `key` of a batch."""
        dataset = loader.argument("dataset", 0) if loader.name.endswith("DataLoader") else None
        sample: Shape | None = pictured(dataset) if key == 0 else None
        if (
            isinstance(dataset, Term)
            and dataset.name.endswith("TensorDataset")
            and key is not None
            and key < len(dataset.args)
        ):
            inner = self.of(dataset.args[key])
            sample = inner[1:] if inner else None
        return (self.loader_batch(loader), *sample) if sample else None

    def field_of(self, row: Term, key: str) -> Value | None:
        """A field of one row of a data set that `map` filled: `{"ids": …}`."""
        here: Value | None = row.base
        if isinstance(here, Term) and here.name.endswith("DataLoader"):
            here = here.argument("dataset", 0)
        for _ in range(40):
            if not isinstance(here, Term) or here.op not in ("method", "item"):
                return None
            for made in options(here.result):
                if isinstance(made, Map) and key in made.entries:
                    return made.entries[key]
            here = here.base
        return None

    def _column(self, frame: Term, index: Value) -> Shape | None:
        inner = self.of(frame)
        rows = inner[0] if inner else None
        if isinstance(index, Const) and isinstance(index.value, str):
            return (rows,)
        if isinstance(index, Seq) and index.kind == "list" and not index.open:
            return (rows, Const(len(index.items), "arithmetic", index.at))
        if isinstance(index, Seq) and index.kind == "slice":
            return (self.slice_length(rows, index), *(inner or (None, None))[1:])
        if isinstance(index, Seq) and index.kind == "tuple":
            return self._indexed(inner or (None, None), index.items, frame.at)
        if isinstance(index, Term) and index.op == "binop":
            return (None, *(inner or (None, None))[1:])
        return None

    def _indexed(self, inner: Shape, parts: list[Value], at: Spot) -> Shape | None:
        out: list[Dim] = []
        axes = list(inner)
        consumed = sum(
            1
            for p in parts
            if not (isinstance(p, Const) and (p.value is None or p.value is Ellipsis)) and not _is_newaxis(p)
        )
        for part in parts:
            if _is_newaxis(part) or (isinstance(part, Const) and part.value is None):
                out.append(Const(1, "inferred"))
                continue
            if isinstance(part, Const) and part.value is Ellipsis:
                skipped = len(axes) - (consumed - (len(inner) - len(axes)))
                if skipped < 0:
                    return None
                out.extend(axes[:skipped])
                axes = axes[skipped:]
                continue
            if not axes:
                return None
            axis = axes.pop(0)
            if isinstance(part, Seq) and part.kind == "slice":
                out.append(self.slice_length(axis, part, at))
            elif isinstance(part, Const):
                continue
            else:
                index = self.of(part)
                if index is None:
                    if (isinstance(part, Term) and part.op in ("elem", "binop", "param")) or isinstance(
                        part, (Choice, Opaque)
                    ):
                        if (
                            isinstance(part, Term)
                            and part.op == "binop"
                            and part.name in ("==", "!=", "<", ">", "<=", ">=", "&", "|")
                        ):
                            out.append(None)
                        elif len(parts) == 1 and not (isinstance(part, Term) and part.op == "elem"):
                            return None
                        continue
                    return None
                out.extend(index)
        return (*out, *axes)

    def loader_batch(self, loader: Value | None) -> Dim:
        """The batch size of a DataLoader."""
        if not isinstance(loader, Term):
            return None
        given = loader.argument("batch_size", 1)
        return Const(1, "default") if given is None else self.size(given)

    def _piece(self, term: Term) -> Shape | None:
        inner = self.of(term.base)
        if inner is None:
            return None
        axis = integer(term.argument("dim", 1 if term.name != "unbind" else 0, Const(0)))
        if axis is None or not -len(inner) <= axis < len(inner):
            return None
        axis %= len(inner)
        if term.name == "unbind":
            return inner[:axis] + inner[axis + 1 :]
        given = term.argument("split_size", 0) if term.name == "split" else None
        return (*inner[:axis], given if number(given) else None, *inner[axis + 1 :])


def _is_newaxis(value: Value) -> bool:
    return getattr(value, "name", "") == "numpy.newaxis"
