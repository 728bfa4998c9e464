"""An option of the command line is parsed by a type that cannot read what belongs there."""

import re

from lstmadvisor.rule import (
    Finding,
    Iterator,
    NoOptions,
    Option,
    Program,
    RemoveArgument,
    SetArgument,
    Undecided,
    active,
    number,
    plain,
    rule,
    unsafe,
    where,
)

_FRACTION = re.compile(r"(^|_)(dropout|learning_rate|lr|momentum|weight_decay|label_smoothing|teacher_forcing)"
                       r"(_(rate|prob|ratio|p))?$")  # fmt: skip


@rule(
    code="LA707",
    name="flag-parsed-as-bool",
    summary="An option's type takes every text for True, or refuses the fractions that belong there.",
    family="configuration",
    topic="other",
    severity="error",
    grade="A",
    needs=("options",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for option in active(program.options):
        name, kind = plain(option.name), plain(option.type)
        if name is None or plain(option.read) is False:
            continue
        flag = "--" + str(name).replace("_", "-")
        if kind == "bool":
            on = plain(option.default) is True
            yield Finding(
                at=where(option),
                message=f"`{flag} False` is true: `type=bool` takes every text but the empty one for True",
                label="never false" if on else "always true",
                fix=unsafe(
                    "parse it as a flag that can be switched off",
                    "the text after the option is no longer taken for its value",
                    RemoveArgument(at=where(option), name="type"),
                    SetArgument(at=where(option), name="action", code="`argparse.BooleanOptionalAction`"),
                )
                if on
                else unsafe(
                    "parse it as a switch",
                    "the text after the option is no longer taken for its value",
                    RemoveArgument(at=where(option), name="type"),
                    SetArgument(at=where(option), name="action", code='"store_true"'),
                ),
                help=f"use `action={'argparse.BooleanOptionalAction' if on else chr(34) + 'store_true' + chr(34)}`",
            )
        elif kind == "int" and _is_fraction(option, str(name)):
            given = number(option.default)
            yield Finding(
                at=where(option),
                message=f"`{flag}` is parsed as a whole number"
                + (": every fraction is refused" if given is None else f": the default of {given:g} cannot be given"),
                label="no fractions",
                help="set `type=float`",
                fix=unsafe(
                    "set `type=float`",
                    "fractions are accepted",
                    SetArgument(at=where(option), name="type", code="float"),
                ),
            )


def _is_fraction(option: Option, name: str) -> bool:
    default = number(option.default)
    if isinstance(default, float):
        return not default.is_integer()
    return default in (None, 0, 1) and bool(_FRACTION.search(name))
