"""What rules write fixes with: small functions from facts to edits and fixes.

They return None where the facts do not suffice, and a fix with one such part is no fix: `safe` and `unsafe` return
None too, and the finding has only its `help`.
"""

from __future__ import annotations

from lstmadvisor.edits import Edit, SetArgument, SetValue, UnwrapCall
from lstmadvisor.facts import Item, Known, Loss, Place, Program, Value
from lstmadvisor.model import Fix

_WRITTEN = frozenset(("literal", "constant", "function-default", "argparse", "config", "call"))


def safe(title: str, *edits: Edit | None) -> Fix | None:
    """A fix that cannot change what is learned.  `title` is imperative."""
    return _fix(title, "", edits)


def unsafe(title: str, why: str, *edits: Edit | None) -> Fix | None:
    """A fix that changes the training; `why` says in one clause what it changes."""
    return _fix(title, why, edits)


def display(title: str, why: str, *edits: Edit | None) -> Fix | None:
    """A fix that is shown and never made."""
    fix = _fix(title, why, edits)
    return None if fix is None else fix.model_copy(update={"applicability": "display"})


def written(fact: Value, to: str | int | float | bool | None) -> SetValue | None:
    """Another value where the fact's value is written: a literal, a command-line default, a configuration file."""
    if isinstance(fact, Known) and fact.at is not None and fact.via in _WRITTEN:
        return SetValue(at=fact.at, was=fact.value, to=to)
    return None


def argument(fact: Value, call: Item | Place, name: str, to: str | int | float | bool | None) -> Edit | None:
    """Another value for an argument: where it is written, or passed to the call where the framework's default rules."""
    at = call if isinstance(call, Place) else call.at
    if isinstance(fact, Known) and fact.via == "default" and at is not None:
        return SetArgument(at=at, name=name, code=repr(to))
    return written(fact, to)


def kept_weights(models: list[str]) -> str:
    """An expression for a copy of the weights of models, by their names in the code."""
    copies = [f"`copy.deepcopy`({model}.state_dict())" for model in models]
    return copies[0] if len(copies) == 1 else f"[{', '.join(copies)}]"


def loaded_weights(models: list[str], kept: str) -> str:
    """Statements that give models the weights back that `kept` stands for, as `kept_weights` made them, or None."""
    parts = [kept] if len(models) == 1 else [f"{kept}[{n}]" for n in range(len(models))]
    loads = [f"    {model}.load_state_dict({part})" for model, part in zip(models, parts, strict=True)]
    return "\n".join((f"if {kept} is not None:", *loads))


def without_activation(program: Program, loss: Loss) -> Edit | None:
    """What hands a loss the raw scores of a model that ends in an activation."""
    given = loss.input_activation
    if program.framework == "keras":
        return argument(loss.from_logits, loss, "from_logits", False)
    if not isinstance(given, Known) or given.at is None:
        return None
    return UnwrapCall(at=given.at, was=str(given.value))


def _fix(title: str, why: str, edits: tuple[Edit | None, ...]) -> Fix | None:
    due = tuple(edit for edit in edits if edit is not None)
    if len(due) < len(edits) or not due:
        return None
    return Fix(title=title, applicability="unsafe" if why else "safe", why=why, edits=due)
