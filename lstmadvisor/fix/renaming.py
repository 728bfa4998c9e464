"""A name that is imported from a library becomes another one, throughout its file."""

from __future__ import annotations

import libcst as cst

from lstmadvisor.fix import statements
from lstmadvisor.fix.names import Names
from lstmadvisor.fix.syntax import Patch, Refused, Span, Syntax


def renamed(syntax: Syntax, names: Names, name: str, to: str) -> list[Patch]:
    """`to` for `name`, where it is imported and where it is used."""
    imports = syntax.all(cst.ImportFrom)
    aliases = [alias for each in imports for alias in _aliases(each)]
    there = any(alias.evaluated_name == to and alias.asname is None for alias in aliases)
    called_so = any(alias.evaluated_name == name and alias.evaluated_alias == to for alias in aliases)
    if names.binds(name) or (names.taken(to) and not there and not called_so):
        raise Refused(f"the name `{name if names.binds(name) else to}` has another meaning in this file")
    patches = [
        patch
        for each in imports
        for index, alias in enumerate(_aliases(each))
        if alias.evaluated_name == name
        for patch in _imported(syntax, each, index, to, there)
    ]
    within = {id(alias.name) for alias in aliases}
    for node in syntax.all(cst.Name):
        parent = syntax.parent(node)
        keyword = isinstance(parent, cst.Arg) and parent.keyword is node
        if node.value == name and id(node) not in within and not keyword:
            patches.append(Patch(syntax.span(node), to))
    return patches


def _aliases(statement: cst.ImportFrom) -> list[cst.ImportAlias]:
    return [] if isinstance(statement.names, cst.ImportStar) else list(statement.names)


def _imported(syntax: Syntax, statement: cst.ImportFrom, index: int, to: str, there: bool) -> list[Patch]:
    aliases = _aliases(statement)
    alias, span = aliases[index], syntax.span(aliases[index])
    if alias.asname is not None:
        return [Patch(span if alias.evaluated_alias == to else syntax.span(alias.name), to)]
    if not there:
        return [Patch(span, to)]
    if len(aliases) == 1:
        return statements.remove(syntax, statement)
    if index == 0:
        return [Patch(Span(*span.start, *syntax.span(aliases[1]).start), "")]
    return [Patch(Span(*syntax.span(aliases[index - 1].name).end, *syntax.span(alias.name).end), "")]
