"""An import, an argument, a layer or a method that current Keras refuses or ignores."""

from lstmadvisor.rule import (
    Edit,
    Finding,
    Fix,
    Iterator,
    NoOptions,
    Place,
    Program,
    RemoveArgument,
    RemovedArgument,
    RenameArgument,
    Undecided,
    aside,
    items,
    notes,
    plain,
    rule,
    safe,
    where,
)


@rule(
    code="LA412",
    name="removed-argument",
    summary="An import, argument, layer or method is used that Keras 3 refuses or ignores.",
    family="optimisation",
    topic="deprecated-api",
    severity="error",
    grade="A",
    frameworks=("keras",),
    needs=("optimizers", "recurrent_layers"),
    fix="safe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    calls: dict[Place, list[RemovedArgument]] = {}
    for removed in items(program.removed_arguments):
        if plain(removed.name) is not None:
            calls.setdefault(where(removed), []).append(removed)
    same: dict[tuple[object, ...], list[RemovedArgument]] = {}
    for gone in calls.values():
        same.setdefault((plain(gone[0].of), *sorted(str(plain(one.name)) for one in gone)), []).append(gone[0])
    for (of, *names), found in same.items():
        places = sorted(found, key=lambda removed: not removed.active)
        at, several = where(places[0]), len(names) > 1
        yield Finding(
            at=at,
            message=" and ".join(f"`{name}`" for name in names)
            + (f" of {of}" if of else "")
            + f" {'are' if several else 'is'} {'ignored by Keras 3' if names == ['decay'] else _gone(calls[at])}"
            + aside(places[0]),
            label="gone",
            help="; ".join(_step(name, one) for one in calls[at] for name in [str(plain(one.name))]),
            fix=_fix([one for place in places for one in calls[where(place)]]),
            evidence=notes(at, *((place, "and here") for place in places[1:])),
        )


def _gone(removed: list[RemovedArgument]) -> str:
    """Since when: names of Keras 1 and 2 that were gone before Keras 3 name their version."""
    versions = {str(plain(one.since, "3.0")) for one in removed}
    return "gone in Keras 3" if "3.0" in versions else f"gone since Keras {max(versions)}"


def _step(name: str, removed: RemovedArgument) -> str:
    instead = str(plain(removed.instead, ""))
    if instead in ("", "nothing"):
        return f"take `{name}` away"
    return f"instead of `{name}` use {instead if ' ' in instead else f'`{instead}`'}"


def _fix(found: list[RemovedArgument]) -> Fix | None:
    """Arguments renamed that only have another name, and taken away that do nothing any more."""
    names = dict.fromkeys(f"`{plain(one.name)}`" for one in found)
    return safe(f"write {' and '.join(names)} as Keras 3 has it", *map(_edit, found))


def _edit(one: RemovedArgument) -> Edit | None:
    name, instead = str(plain(one.name)), str(plain(one.instead, ""))
    if instead == "nothing" or name == "decay":
        return RemoveArgument(at=where(one), name=name)
    if not instead.isidentifier() or name == "forget_bias_init" or plain(one.of) == "Model":
        return None
    return RenameArgument(at=where(one), name=name, to=instead)
