"""From the edits of one fix to changes of text."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import libcst as cst

from lstmadvisor import edits
from lstmadvisor.edits import Change, Edit
from lstmadvisor.fix import arguments, literals, statements
from lstmadvisor.fix.names import Names
from lstmadvisor.fix.renaming import renamed
from lstmadvisor.fix.syntax import Patch, Refused, Statement, Syntax, point
from lstmadvisor.sources import Library


class Planner:
    """Turns fixes into changes of the files as they stand; every file is looked at once."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._files: dict[str, Syntax] = {}

    def changes(self, wanted: Iterable[Edit]) -> tuple[Change, ...]:
        """What the edits of one fix come to, by place; raises `Refused`, as a whole, if one cannot be carried out."""
        plan = _Plan(self._library, self._syntax)
        for edit in wanted:
            plan.add(edit)
        return plan.finished()

    def _syntax(self, path: str) -> Syntax | None:
        """The syntax of a file; None if it is no Python that was read."""
        if path not in self._files:
            source = self._library.get(path)
            parsed = None if source is None else self._library.parsed(source)
            if source is None or parsed is None:
                return None
            self._files[path] = Syntax(source, parsed)
        return self._files[path]


class _Plan:
    """The changes of one fix."""

    def __init__(self, library: Library, syntax_of: Callable[[str], Syntax | None]) -> None:
        self._library = library
        self._syntax_of = syntax_of
        self._patches: list[tuple[Syntax, Patch]] = []
        self._names: dict[str, Names] = {}
        self._helpers: set[tuple[str, str]] = set()
        self._changes: list[Change] = []

    def add(self, edit: Edit) -> None:
        """Takes in one edit."""
        syntax = self._syntax_of(edit.at.path)
        if syntax is None:
            if not isinstance(edit, edits.SetValue):
                raise Refused(f"{edit.at.path} is not Python that could be read")
            self._changes.append(self._configured(edit))
            return
        self._patches += [(syntax, patch) for patch in self._patched(syntax, edit)]

    def finished(self) -> tuple[Change, ...]:
        """All changes in order, the missing imports among them."""
        imports = [(names.syntax, patch) for names in self._names.values() for patch in names.patches()]
        found = [syntax.change(patch) for syntax, patch in (*imports, *self._patches)] + self._changes
        return _joined(found)

    def _configured(self, edit: edits.SetValue) -> Change:
        text = self._library.text(Path(edit.at.path))
        if text is None:
            raise Refused(f"{edit.at.path} cannot be read")
        return literals.configured(edit.at, text, edit.was, edit.to)

    def _names_of(self, syntax: Syntax) -> Names:
        path = syntax.source.path
        if path not in self._names:
            self._names[path] = Names(syntax)
        return self._names[path]

    def _code(self, syntax: Syntax, code: str, line: int) -> str:
        return self._names_of(syntax).spelled(code, line)

    def _patched(self, syntax: Syntax, edit: Edit) -> list[Patch]:
        match edit:
            case edits.SetValue():
                node = syntax.expression(edit.at)
                span = syntax.span(node)
                return [Patch(span, literals.python(syntax.text(span), edit.was, edit.to))]
            case edits.ReplaceExpression():
                return [self._replaced(syntax, edit)]
            case edits.UnwrapCall():
                return [_unwrapped(syntax, edit)]
            case edits.RenameImported():
                return renamed(syntax, self._names_of(syntax), edit.name, edit.to)
            case edits.AddHelper():
                return self._helper(syntax, edit)
            case (
                edits.SetArgument()
                | edits.AppendArgument()
                | edits.ExtendArgument()
                | edits.RemoveArgument()
                | edits.RenameArgument()
                | edits.ReplaceCallee()
            ):
                return self._of_call(syntax, edit, syntax.call(edit.at))
            case edits.InsertStatements():
                statement = syntax.statement(edit.at)
                self._check_new_names(syntax, edit.code)
                code = self._code(syntax, edit.code, syntax.span(statement).line)
                if "$" in code:
                    code = code.replace("$", _target(syntax, statement, edit))
                return statements.insert(syntax, statement, edit.side, code)
            case edits.InsertItem():
                return [self._item(syntax, edit)]
            case edits.AppendToBody():
                statement = syntax.statement(edit.at)
                self._check_new_names(syntax, edit.code)
                code = self._code(syntax, edit.code, syntax.span(statement).line)
                return statements.append(syntax, statement, code)
            case edits.InsertAtTop():
                names = self._names_of(syntax)
                line = names.top()[0]
                return [statements.at_top(syntax, line, names.spelled(edit.code, max(line, 1)))]
            case edits.MoveStatement():
                return statements.move(syntax, syntax.statement(edit.at), syntax.statement(edit.to), edit.side)
            case edits.RemoveStatement():
                return statements.remove(syntax, syntax.statement(edit.at))
            case edits.ReplaceStatement():
                statement = syntax.standing(edit.at)
                return statements.replace(syntax, statement, self._code(syntax, edit.code, syntax.span(statement).line))
            case edits.WrapStatements():
                first = syntax.statement(edit.at)
                header = self._code(syntax, edit.header, syntax.span(first).line)
                return statements.wrap(syntax, first, syntax.statement(edit.last), header)

    def _check_new_names(self, syntax: Syntax, code: str) -> None:
        """Refuses code that binds a name, or an attribute of `self`, which the file uses for something else."""
        nodes = list(ast.walk(ast.parse(code.replace("`", "").replace("$", "_"))))
        names = [node for node in nodes if isinstance(node, ast.Name)]
        read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        for name in sorted({node.id for node in names if isinstance(node.ctx, ast.Store)} - read):
            if self._names_of(syntax).taken(name):
                raise Refused(f"the name `{name}` has another meaning in this file")
        set_there = {ast.unparse(n) for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
        for attribute in syntax.all(cst.Attribute) if set_there else ():
            text = syntax.text(syntax.span(attribute))
            if text in set_there and text.startswith("self."):
                raise Refused(f"`{text}` has another meaning in this file")

    def _of_call(
        self,
        syntax: Syntax,
        edit: edits.SetArgument
        | edits.AppendArgument
        | edits.ExtendArgument
        | edits.RemoveArgument
        | edits.RenameArgument
        | edits.ReplaceCallee,
        call: cst.Call,
    ) -> list[Patch]:
        line = syntax.span(call).line
        match edit:
            case edits.SetArgument():
                code = self._code(syntax, edit.code, line)
                return arguments.set_argument(syntax, call, edit.name, code, edit.position)
            case edits.AppendArgument():
                return arguments.append_argument(syntax, call, self._code(syntax, edit.code, line), edit.position)
            case edits.ExtendArgument():
                code = self._code(syntax, edit.code, line)
                return arguments.extend_argument(syntax, call, edit.name, code, edit.position)
            case edits.RemoveArgument():
                return arguments.remove_argument(syntax, call, edit.name, edit.position)
            case edits.RenameArgument():
                return arguments.rename_argument(syntax, call, edit.name, edit.to)
            case edits.ReplaceCallee():
                span = syntax.span(call.func)
                text = syntax.text(span)
                if not re.search(rf"(?:^|\.)\s*{re.escape(edit.was)}$", text):
                    raise Refused(f"`{text}` is called there, not `{edit.was}`")
                return [Patch(span, self._code(syntax, edit.code, line))]

    def _replaced(self, syntax: Syntax, edit: edits.ReplaceExpression) -> Patch:
        node = syntax.expression(edit.at)
        span = syntax.span(node)
        old = syntax.text(span)
        if re.match(r"\w+ = ", edit.code):  # a statement that now gives its value a name; its own may be read in it
            self._check_new_names(syntax, edit.code.replace("$", old))
        if edit.was is not None and "".join(old.split()) != "".join(edit.was.split()):
            raise Refused(f"`{old}` stands there, not `{edit.was}`")
        within = syntax.parent(node)
        if isinstance(within, cst.FormattedStringExpression) and re.search(r"[\"'\\\n{}]", edit.code):
            raise Refused("it would have to be written within an f-string")
        code = self._code(syntax, edit.code, span.line)
        if "$" in code:
            code = code.replace("$", f"({old})" if _needs_brackets(node, code) else old)
        if isinstance(within, (cst.Arg, cst.Assign, cst.Return)) and _bracketed(code):
            code = code[1:-1]
        return Patch(span, code)

    def _item(self, syntax: Syntax, edit: edits.InsertItem) -> Patch:
        node = syntax.expression(edit.at)
        if not isinstance(syntax.parent(node), cst.Element):
            raise Refused("it is no item of a list")
        span = syntax.span(node)
        code = self._code(syntax, edit.code, span.line)
        alone = not syntax.lines[span.line - 1][: span.column].strip()
        return Patch(point(*span.start), f"{code},\n{syntax.indent(span.line)}" if alone else f"{code}, ")

    def _helper(self, syntax: Syntax, edit: edits.AddHelper) -> list[Patch]:
        key = (syntax.source.path, edit.name)
        if key in self._helpers:
            return []
        self._helpers.add(key)
        names = self._names_of(syntax)
        line, _ = names.top()
        code = self._code(syntax, edit.code.strip("\n"), max(line, 1))
        for statement in syntax.tree.body:
            if isinstance(statement, cst.FunctionDef) and statement.name.value == edit.name:
                span = syntax.span(statement)
                if "".join(syntax.text(span).split()) == "".join(code.split()):
                    return []
        if names.taken(edit.name):
            raise Refused(f"the name `{edit.name}` has another meaning in this file")
        code = code.replace("    ", syntax.unit)
        blank = 0
        while line + blank < len(syntax.lines) and not syntax.lines[line + blank].strip():
            blank += 1
        after = "\n" * max(0, 2 - blank)
        if line == 0:
            return [Patch(point(1, 0), f"{code}\n{after}\n" if blank < 2 else f"{code}\n")]
        return [Patch(syntax.end_of_line(line), f"\n\n\n{code}{after}")]


def _target(syntax: Syntax, statement: Statement, edit: edits.InsertStatements) -> str:
    """The one name that a statement assigns the value at the edit's place to."""
    value = syntax.expression(edit.at)
    if isinstance(statement, cst.Assign) and len(statement.targets) == 1 and statement.value is value:
        target = statement.targets[0].target
        if isinstance(target, (cst.Name, cst.Attribute)):
            return syntax.text(syntax.span(target))
    raise Refused("it is not assigned to a name")


def _unwrapped(syntax: Syntax, edit: edits.UnwrapCall) -> Patch:
    call = syntax.call(edit.at)
    callee = syntax.text(syntax.span(call.func))
    on, _, name = callee.rpartition(".")
    if edit.was not in name.lower().replace("_", "") or name[0].isupper():
        raise Refused(f"`{callee}` is called there")
    given = [argument.value for argument in call.args if argument.keyword is None and not argument.star]
    if not given or isinstance(given[0], (cst.Integer, cst.UnaryOperation)):  # x.softmax(-1)
        inner = call.func.value if isinstance(call.func, cst.Attribute) else None
    else:
        inner = given[0] if _FUNCTIONS.fullmatch(on) else None
    if inner is None:
        raise Refused(f"what `{callee}` is applied to is not sure")
    text = syntax.text(syntax.span(inner))
    return Patch(syntax.span(call), text if isinstance(inner, _ATOMS) or inner.lpar else f"({text})")


_FUNCTIONS = re.compile(r"|self(\.\w+)*|F|functional|torch|(torch\.)?nn\.functional")
"""what functions are taken from, and the layers of a module"""
_ATOMS = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.SimpleString, cst.Integer, cst.List, cst.Dict, cst.Set)


def _needs_brackets(node: cst.BaseExpression, code: str) -> bool:
    """Whether `$` in `code` has to be put in brackets to hold together."""
    if isinstance(node, _ATOMS):
        return False
    return not re.fullmatch(r"(?:.*[(\[,=]\s*)?\$\s*(?:[)\],].*)?", code, re.DOTALL)


def _bracketed(code: str) -> bool:
    """Whether an expression stands in brackets that only hold it together, on one line."""
    try:
        node = cst.parse_expression(code)
    except cst.ParserSyntaxError:
        return False  # what the result comes to is looked at as a whole
    return bool(node.lpar) and isinstance(node, cst.BinaryOperation) and "\n" not in code


def _joined(changes: list[Change]) -> tuple[Change, ...]:
    """The changes by place, insertions at one point made one; raises `Refused` where two overlap."""
    ordered = sorted(
        changes, key=lambda c: (c.path, -1 if c.cell is None else c.cell, c.line, c.column, c.end_line, c.end_column)
    )
    result: list[Change] = []
    for change in ordered:
        before = result[-1] if result else None
        if change == before:
            continue
        if before is None or (before.path, before.cell) != (change.path, change.cell):
            result.append(change)
            continue
        start, end = (change.line, change.column), (before.end_line, before.end_column)
        if start < end:
            raise Refused("its edits overlap")
        if start == end and (before.line, before.column) == end and (change.end_line, change.end_column) == start:
            if before.text != change.text:
                result[-1] = before.model_copy(update={"text": before.text + change.text})
        else:
            result.append(change)
    return tuple(result)
