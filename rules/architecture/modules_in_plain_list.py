"""Modules in a plain list are not part of the model."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    Known,
    NoOptions,
    Program,
    ReplaceExpression,
    Undecided,
    Unregistered,
    aside,
    items,
    plain,
    rule,
    unsafe,
    where,
)


@rule(
    code="LA125",
    name="modules-in-plain-list",
    summary="Modules are kept in a plain list or dict, where the model does not see them.",
    family="architecture",
    topic="other",
    severity="error",
    grade="A",
    frameworks=("pytorch",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for found in items(program.unregistered):
        at, kind = where(found), plain(found.kind, "list")
        cure = "nn.ModuleDict" if kind == "dict" else "nn.ModuleList"
        yield Finding(
            at=at,
            message=f"modules in a plain {kind} are no part of the model: neither trained nor moved nor saved"
            f"{aside(found)}",
            label="not registered",
            help=f"wrap the {kind} in `{cure}`",
            fix=_registered(found, kind, cure),
        )


def _registered(found: Unregistered, kind: str, cure: str) -> Fix | None:
    if not isinstance(found.kind, Known) or found.kind.at is None:
        return None
    wrapped = ReplaceExpression(at=found.kind.at, code=f"`torch.{cure}`($)")
    return unsafe(f"register the {kind}", "its modules are trained, too", wrapped)
