"""The closed set of edits that a fix is made of.

An edit addresses a place that a fact holds and says what is to become of it.  It is data: rules write it from facts
alone, and only the fixer, which knows syntax, carries it out.  The fixer refuses an edit whose place does not hold what
the edit expects.

Text in an edit is Python as it is to stand in the file, with two signs that Python does not use:

* a library name in backquotes, `` `torch.nn.utils.clip_grad_norm_` ``, is written as the file spells it
  (`nn.utils.clip_grad_norm_`, `clip_grad_norm_`), and imported where it is not yet;
* `$` in the text of `ReplaceExpression` and `WrapStatements` stands for what is there now.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from lstmadvisor.facts import Frozen, Place

Side = Literal["before", "after"]


class SetValue(Frozen):
    """Writes another value where a value is written: a literal in Python, or one in a JSON, YAML, TOML or INI file."""

    verb: Literal["set-value"] = "set-value"
    at: Place
    was: Any
    """what is written there now"""
    to: str | int | float | bool | None


class SetArgument(Frozen):
    """Gives the call at a place an argument: its value is replaced, or the argument is added at the end."""

    verb: Literal["set-argument"] = "set-argument"
    at: Place
    name: str
    code: str
    position: int | None = None
    """which positional argument it may be, counted from 0"""


class AppendArgument(Frozen):
    """Gives the call at a place one more positional argument."""

    verb: Literal["append-argument"] = "append-argument"
    at: Place
    code: str
    position: int
    """where it has to come to stand: the call must have so many arguments, all positional"""


class ExtendArgument(Frozen):
    """Puts one more item into the list that the call at a place gets as an argument; without one it gets a list."""

    verb: Literal["extend-argument"] = "extend-argument"
    at: Place
    name: str
    code: str
    position: int | None = None


class RemoveArgument(Frozen):
    """Takes an argument of the call at a place away."""

    verb: Literal["remove-argument"] = "remove-argument"
    at: Place
    name: str
    position: int | None = None
    """which positional argument it may be; the ones after it must not be positional"""


class RenameArgument(Frozen):
    """Gives a keyword argument of the call at a place another name."""

    verb: Literal["rename-argument"] = "rename-argument"
    at: Place
    name: str
    to: str


class ReplaceCallee(Frozen):
    """Lets the call at a place call something else, with the same arguments."""

    verb: Literal["replace-callee"] = "replace-callee"
    at: Place
    was: str
    """the last part of the name that is called now"""
    code: str


class ReplaceExpression(Frozen):
    """Writes another expression at the place of one; `$` in `code` is the expression itself."""

    verb: Literal["replace-expression"] = "replace-expression"
    at: Place
    code: str
    was: str | None = None
    """its source, white space aside; None: whatever stands there"""


class RenameImported(Frozen):
    """Takes something else from a library, throughout the file that a place is in: where it is imported and used."""

    verb: Literal["rename-imported"] = "rename-imported"
    at: Place
    name: str
    to: str


class UnwrapCall(Frozen):
    """Puts the first argument of the call at a place in the place of the call."""

    verb: Literal["unwrap-call"] = "unwrap-call"
    at: Place
    was: str
    """what the last part of the name that is called contains, in lower case"""


class InsertStatements(Frozen):
    """Inserts statements before or after the one that holds a place, in the same block.

    `$` in `code` is the name that the statement assigns the value at the place to.
    """

    verb: Literal["insert-statements"] = "insert-statements"
    at: Place
    side: Side
    code: str


class InsertItem(Frozen):
    """Puts one more item in front of the one at a place, which is an item of a list or tuple."""

    verb: Literal["insert-item"] = "insert-item"
    at: Place
    code: str


class AppendToBody(Frozen):
    """Adds statements at the end of the body of the loop or block at a place."""

    verb: Literal["append-to-body"] = "append-to-body"
    at: Place
    code: str


class InsertAtTop(Frozen):
    """Inserts statements below the imports that the file of a place begins with."""

    verb: Literal["insert-at-top"] = "insert-at-top"
    at: Place
    code: str


class MoveStatement(Frozen):
    """Moves the statement that holds a place to one side of another."""

    verb: Literal["move-statement"] = "move-statement"
    at: Place
    to: Place
    side: Side


class RemoveStatement(Frozen):
    """Takes the statement that holds a place away."""

    verb: Literal["remove-statement"] = "remove-statement"
    at: Place


class ReplaceStatement(Frozen):
    """Writes other statements in the place of the one that stands exactly at a place."""

    verb: Literal["replace-statement"] = "replace-statement"
    at: Place
    code: str


class WrapStatements(Frozen):
    """Puts the statements from the one at a place to the one at `last`, all of one block, below a `header`."""

    verb: Literal["wrap-statements"] = "wrap-statements"
    at: Place
    last: Place
    header: str
    """such as `` with `torch.no_grad`(): ``"""


class AddHelper(Frozen):
    """Defines a function at the top of the file that a place is in, once however many fixes need it."""

    verb: Literal["add-helper"] = "add-helper"
    at: Place
    name: str
    code: str


Edit = Annotated[
    SetValue
    | SetArgument
    | AppendArgument
    | ExtendArgument
    | RemoveArgument
    | RenameArgument
    | ReplaceCallee
    | ReplaceExpression
    | RenameImported
    | UnwrapCall
    | InsertStatements
    | InsertItem
    | AppendToBody
    | InsertAtTop
    | MoveStatement
    | RemoveStatement
    | ReplaceStatement
    | WrapStatements
    | AddHelper,
    Field(discriminator="verb"),
]


class Change(Frozen):
    """What an edit comes to: the text from a line and column to another, in the file as it stands, becomes `text`.

    Lines and columns count from 1, the end is the column after the last one; `cell` is the index among all cells of a
    notebook.  Newlines in `text` are `\\n`, whatever the file's.
    """

    path: str
    cell: int | None = None
    line: int
    column: int
    end_line: int
    end_column: int
    text: str
