"""Arguments of calls: set, appended, removed and renamed, however the call is laid out."""

from __future__ import annotations

import libcst as cst

from lstmadvisor.fix.syntax import Patch, Refused, Span, Syntax, point

_LONGEST = 120
"""Columns of a line that an argument may be added to."""


def set_argument(syntax: Syntax, call: cst.Call, name: str, code: str, position: int | None) -> list[Patch]:
    """The argument's value replaced where it is passed, by keyword or position; else the argument added."""
    if (given := _passed(call, name, position)) is not None:
        return [Patch(syntax.span(given.value), code)]
    if any(arg.star == "**" for arg in call.args):
        raise Refused(f"`{name}` may be among the arguments that `**` passes")
    if position is not None and any(arg.star == "*" for arg in call.args):
        raise Refused(f"`{name}` may be among the arguments that `*` passes")
    return _added(syntax, call, f"{name}={code}")


def append_argument(syntax: Syntax, call: cst.Call, code: str, position: int) -> list[Patch]:
    """One more positional argument, in front of the keywords."""
    positional = [arg for arg in call.args if arg.keyword is None]
    if len(positional) != position or any(arg.star for arg in call.args):
        raise Refused("the call has other arguments than expected")
    if len(positional) == len(call.args):
        return _added(syntax, call, code)
    first = syntax.span(call.args[position])
    return [Patch(point(*first.start), f"{code}, ")]


def extend_argument(syntax: Syntax, call: cst.Call, name: str, code: str, position: int | None) -> list[Patch]:
    """One more item in the list that is passed, or that the variable holds which is passed; a new list without one."""
    given = _passed(call, name, position)
    if given is None or (isinstance(given.value, cst.Name) and given.value.value == "None"):
        return set_argument(syntax, call, name, f"[{code}]", position)
    value = given.value
    if isinstance(value, cst.Name):
        value = _only_list(syntax, value.value) or value
    if not isinstance(value, cst.List):
        raise Refused(f"`{name}` is no list that is written there")
    if not value.elements:
        return [Patch(syntax.span(value), f"[{code}]")]
    last = value.elements[-1]
    end, line = syntax.span(last.value).end, syntax.span(last.value).line
    has_comma = isinstance(last.comma, cst.Comma)
    if syntax.span(value).end_line == end[0] or not has_comma:
        return [Patch(point(*end), f", {code}")]
    return [Patch(syntax.end_of_line(end[0]), f"\n{syntax.indent(line)}{code},")]


def _only_list(syntax: Syntax, name: str) -> cst.List | None:
    """The list that the one assignment to a name in the file gives it."""
    found = [
        node.value
        for node in syntax.all(cst.Assign)
        if any(isinstance(target.target, cst.Name) and target.target.value == name for target in node.targets)
    ]
    return found[0] if len(found) == 1 and isinstance(found[0], cst.List) else None


def remove_argument(syntax: Syntax, call: cst.Call, name: str, position: int | None) -> list[Patch]:
    """The argument taken away, with its line where it stands alone on one."""
    arg = _passed(call, name, position)
    if arg is None:
        raise Refused(f"`{name}` is not passed there")
    index = call.args.index(arg)
    if arg.keyword is None and any(other.keyword is None for other in call.args[index + 1 :]):
        raise Refused(f"`{name}` is passed by position and others come after it")
    span = syntax.span(arg)
    end = _after_comma(syntax, arg)
    before, after = syntax.lines[span.line - 1][: span.column], syntax.lines[end[0] - 1][end[1] :].strip()
    if not before.strip() and (not after or after.startswith("#")) and not syntax.is_last(end[0]):
        return [Patch(Span(span.line, 0, end[0] + 1, 0), "")]
    if index > 0:
        return [_without_comment(syntax, Patch(Span(*syntax.span(call.args[index - 1]).end, *span.end), ""))]
    if len(call.args) > 1:
        return [_without_comment(syntax, Patch(Span(*span.start, *syntax.span(call.args[1]).start), ""))]
    return [_without_comment(syntax, Patch(Span(*span.start, *end), ""))]


def rename_argument(syntax: Syntax, call: cst.Call, name: str, to: str) -> list[Patch]:
    """The keyword written otherwise."""
    given = _passed(call, name, None)
    if given is None or given.keyword is None:
        raise Refused(f"`{name}` is not passed by keyword there")
    if _passed(call, to, None) is not None or any(arg.star == "**" for arg in call.args):
        raise Refused(f"`{to}` may be passed already")
    return [Patch(syntax.span(given.keyword), to)]


def _passed(call: cst.Call, name: str, position: int | None) -> cst.Arg | None:
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == name:
            return arg
    if position is None or position >= len(call.args):
        return None
    leading = call.args[: position + 1]
    return None if any(arg.keyword is not None or arg.star for arg in leading) else leading[-1]


def _added(syntax: Syntax, call: cst.Call, text: str) -> list[Patch]:
    closing = syntax.span(call).end
    if not call.args:
        return [Patch(point(closing[0], closing[1] - 1), text)]
    last = call.args[-1]
    if isinstance(last.value, cst.GeneratorExp) and not last.value.lpar:
        raise Refused("its only argument is a bare generator")
    end = syntax.span(last).end
    if end[0] == closing[0]:
        return [Patch(point(*end), f",{_space(syntax, call, text)}{text}")]
    has_comma = isinstance(last.comma, cst.Comma)
    after = _after_comma(syntax, last)
    if after[0] != end[0]:  # a comma on a line of its own
        return [Patch(point(*end), f", {text}")]
    line = syntax.span(last).line
    added = Patch(syntax.end_of_line(end[0]), f"\n{syntax.indent(line)}{text}{',' if has_comma else ''}")
    return [added] if has_comma else [Patch(point(*end), ","), added]


def _space(syntax: Syntax, call: cst.Call, text: str) -> str:
    """A blank, or a new line below the first argument where the line would become too long."""
    end, first = syntax.span(call).end, syntax.span(call.args[0])
    if len(syntax.lines[end[0] - 1]) + len(text) + 2 <= _LONGEST:
        return " "
    indent = syntax.indent(first.line)
    return "\n" + indent + " " * (len(syntax.text(Span(first.line, 0, first.line, first.column))) - len(indent))


def _after_comma(syntax: Syntax, arg: cst.Arg) -> tuple[int, int]:
    return syntax.span(arg.comma).end if isinstance(arg.comma, cst.Comma) else syntax.span(arg).end


def _without_comment(syntax: Syntax, patch: Patch) -> Patch:
    if "#" in syntax.text(patch.span):
        raise Refused("a comment stands beside it")
    return patch
