"""How a file spells the names of libraries, and the imports that it lacks."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import libcst as cst

from lstmadvisor.extract.abstract.names import canonical
from lstmadvisor.fix.syntax import Patch, Refused, Span, Syntax, point
from lstmadvisor.nodes import below

_WHOLE = ("torch", "keras", "tensorflow")
"""Libraries whose submodules are there once they are imported."""
_QUOTED = re.compile(r"`([A-Za-z_][\w.]*)`")


class Names:
    """The names that a file binds at its top level, and those that a fix adds."""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax = syntax
        self._imports = list(_imports(syntax.tree))
        self._bound = _bound(syntax.tree)
        self._wanted: dict[str, set[str]] = {}
        """module → names to import from it; the module itself is to be imported where the name is empty"""

    def spelled(self, code: str, line: int) -> str:
        """`code` with its backquoted library names as the file writes them at a line."""
        return _QUOTED.sub(lambda name: self._spelling(name[1], line), code)

    def patches(self) -> Iterator[Patch]:
        """The imports that `spelled` found missing."""
        fresh: list[str] = []
        for module in sorted(self._wanted):
            for name in sorted(self._wanted[module]):
                merged = self._merged(module, name)
                if merged is not None:
                    yield merged
                else:
                    fresh.append(f"from {module} import {name}" if name else f"import {module}")
        if fresh:
            yield self._inserted("\n".join(fresh))

    def top(self) -> tuple[int, bool]:
        """The last line of the imports that the file begins with (0: before everything), and whether there are any."""
        body = self.syntax.tree.body
        last, any_import = 0, False
        for n, line in enumerate(body):
            small = line.body if isinstance(line, cst.SimpleStatementLine) else ()
            if small and all(isinstance(s, (cst.Import, cst.ImportFrom)) for s in small):
                last, any_import = self.syntax.span(line).end_line, True
            elif not (n == 0 and small and _is_docstring(small[0])):
                if any_import or not small:
                    break
            elif not any_import:
                last = self.syntax.span(line).end_line
        return last, any_import

    def taken(self, name: str) -> bool:
        """Whether the file binds a name anywhere."""
        return name in self._bound or any(local == name for local, _, _ in self._imports)

    def binds(self, name: str) -> bool:
        """Whether the file binds a name by anything but an import."""
        return name in self._bound

    def _spelling(self, name: str, line: int) -> str:
        best: tuple[int, str] | None = None
        for local, dotted, at in self._imports:
            if local in self._bound or self.syntax.span(at).line > line:
                continue
            for full in _variants(name):
                if full == dotted:
                    rest = ""
                elif full.startswith(dotted + ".") and self._reaches(dotted, full):
                    rest = full[len(dotted) :]
                else:
                    continue
                if best is None or len(rest) < best[0]:
                    best = len(rest), local + rest
        return best[1] if best else self._added(name)

    @staticmethod
    def _reaches(dotted: str, full: str) -> bool:
        """Whether a module's name leads to what is below it without a further import."""
        return "." not in full[len(dotted) + 1 :] or dotted.partition(".")[0] in _WHOLE

    def _added(self, name: str) -> str:
        if canonical(name).startswith("keras.") and any(
            d.partition(".")[0] == "tensorflow" for _, d, _ in self._imports
        ):
            name = f"tensorflow.{name}"
        module, _, last = name.rpartition(".")
        local, *rest = (last,) if "." in module else (module, last)
        imported_below = rest and local not in self._bound and (local, module) in {i[:2] for i in self._imports}
        if self.taken(local) and not imported_below:
            raise Refused(f"the name `{local}` has another meaning in this file")
        self._wanted.setdefault(module, set()).add("" if rest else last)
        return ".".join((local, *rest))

    def _merged(self, module: str, name: str) -> Patch | None:
        """The name put into an import from the same module at the top of the file."""
        last, _ = self.top()
        for statement in self.syntax.tree.body if name else ():
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                if (
                    isinstance(small, cst.ImportFrom)
                    and not small.relative
                    and small.module is not None
                    and _dotted(small.module) == module
                    and not isinstance(small.names, cst.ImportStar)
                    and self.syntax.span(small).end_line <= last
                ):
                    return self._beside(small.names[-1], small, name)
        return None

    def _beside(self, alias: cst.ImportAlias, statement: cst.ImportFrom, name: str) -> Patch:
        syntax = self.syntax
        end, closing = syntax.span(alias).end, syntax.span(statement).end
        if isinstance(alias.comma, cst.Comma) and closing[0] > end[0]:
            indent = syntax.indent(syntax.span(alias).line)
            return Patch(point(*syntax.span(alias.comma).end), f"\n{indent}{name},")
        return Patch(point(*end), f", {name}")

    def _inserted(self, text: str) -> Patch:
        last, any_import = self.top()
        syntax = self.syntax
        standard = all(line.split()[1].partition(".")[0] in sys.stdlib_module_names for line in text.split("\n"))
        if any_import and standard:
            return self._among_standard(text, last)
        if last:
            gap = "\n" if any_import else "\n\n"
            return Patch(syntax.end_of_line(last), gap + text)
        first = next(iter(syntax.tree.body), None)
        if first is None:
            return Patch(point(1, 0), text + "\n")
        start = syntax.span(first)
        line = _top_line(syntax, first, start)
        return Patch(point(line, 0), text + "\n\n")

    def _among_standard(self, text: str, last: int) -> Patch:
        """Imports of the standard library go in front of the others, behind their own kind."""
        syntax = self.syntax
        mine = [at for _, dotted, at in self._imports if dotted.partition(".")[0] in sys.stdlib_module_names]
        ends = [syntax.span(at).end_line for at in mine if syntax.span(at).end_line <= last]
        if ends:
            return Patch(syntax.end_of_line(max(ends)), "\n" + text)
        others = [syntax.span(at) for _, dotted, at in self._imports if syntax.span(at).end_line <= last]
        first = min(span.line for span in others)
        return Patch(point(first, 0), text + "\n\n")


def _variants(name: str) -> tuple[str, ...]:
    return (name, f"tensorflow.{name}") if name.startswith("keras.") else (name,)


def _imports(tree: cst.Module) -> Iterator[tuple[str, str, cst.CSTNode]]:
    """What the imports at the top level bind: local name, dotted name of a library, the statement."""
    for line in tree.body:
        bodies = [line.body.body, *(h.body.body for h in line.handlers)] if isinstance(line, cst.Try) else [[line]]
        for statement in (s for body in bodies for s in body):
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                if isinstance(small, cst.Import):
                    for alias in small.names:
                        dotted = _dotted(alias.name)
                        if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
                            yield alias.asname.name.value, dotted, small
                        else:
                            yield dotted.partition(".")[0], dotted.partition(".")[0], small
                elif isinstance(small, cst.ImportFrom) and not small.relative and small.module is not None:
                    if isinstance(small.names, cst.ImportStar):
                        continue
                    for alias in small.names:
                        dotted = f"{_dotted(small.module)}.{_dotted(alias.name)}"
                        named = alias.asname.name if alias.asname is not None else alias.name
                        if isinstance(named, cst.Name):
                            yield named.value, dotted, small


_BINDS = {
    **dict.fromkeys((cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.For, cst.CompFor, cst.NamedExpr), "target"),
    **dict.fromkeys((cst.FunctionDef, cst.ClassDef, cst.Param, cst.AsName), "name"),
}
"""What binds names, and the field that says which."""


def _bound(tree: cst.Module) -> frozenset[str]:
    """Names that the file binds anywhere but by imports."""
    found: set[str] = set()
    waiting: list[cst.CSTNode] = [tree]
    while waiting:
        here = waiting.pop()
        kind = type(here)
        if kind in _BINDS:
            found.update(_names(getattr(here, _BINDS[kind])))
        if kind not in (cst.Import, cst.ImportFrom):
            waiting.extend(below(here))
    return frozenset(found)


def _names(target: cst.CSTNode) -> Iterator[str]:
    if isinstance(target, cst.Name):
        yield target.value
    elif isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            yield from _names(element.value)


def _dotted(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def _is_docstring(node: cst.BaseSmallStatement) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, (cst.SimpleString, cst.ConcatenatedString))


def _top_line(syntax: Syntax, first: cst.CSTNode, start: Span) -> int:
    """The line of the first statement, or of its first decorator."""
    decorators = getattr(first, "decorators", ())
    return syntax.span(decorators[0]).line if decorators else start.line
