"""A call gives back what it made, and nobody keeps it; an attribute is set that nothing reads any more."""

from lstmadvisor.rule import (
    DeadSetting,
    Finding,
    Fix,
    Iterator,
    NoOptions,
    Program,
    RemoveStatement,
    ReplaceExpression,
    Severity,
    Undecided,
    active,
    plain,
    rule,
    safe,
    unsafe,
    where,
)

_ONLY_FASTER = {
    "compile": "torch.compile",
    "script": "torch.jit.script",
    "trace": "torch.jit.trace",
    "DataParallel": "nn.DataParallel",
}
_ELSEWHERE = ("to", "cuda", "cpu", "float", "double", "half", "long")
_TOPICS = {"learning-rate": "learning-rate", "batch-size": "batch-size", "momentum": "momentum"}


@rule(
    code="LA708",
    name="result-thrown-away",
    summary="A call gives back what it made and nobody keeps it, or an attribute is set that nothing reads.",
    family="configuration",
    topic="other",
    severity="error",
    grade="A",
    frameworks=("pytorch",),
    needs=("recurrent_layers",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for dead in active(program.dead_settings):
        kind, name, why = plain(dead.kind), plain(dead.name), plain(dead.why)
        if kind == "result-discarded" and why is not None:
            yield Finding(
                at=where(dead),
                severity=Severity.WARNING if name in _ONLY_FASTER else None,
                message=why,
                label="thrown away",
                fix=_kept(dead),
                help=f"keep the result: `model = {_ONLY_FASTER[str(name)]}(model)`"
                if name in _ONLY_FASTER
                else "assign the result, or delete the call",
            )
        elif kind == "attribute-after-construction" and why is not None:
            yield Finding(
                at=where(dead),
                topic=_TOPICS.get(str(plain(dead.setting))),
                message=why,
                label="no effect",
                help=_instead(str(plain(dead.setting)), str(name)),
                fix=safe("delete it", RemoveStatement(at=where(dead))) if name == "shuffle" else None,
            )


def _kept(dead: DeadSetting) -> Fix | None:
    """The result assigned, where it differs in its device, its type or its speed alone."""
    name, called = plain(dead.name), plain(dead.called)
    if called is None or name not in (*_ONLY_FASTER, *_ELSEWHERE):
        return None
    title = f"assign it to `{called}`"
    edit = ReplaceExpression(at=where(dead), code=f"{called} = $")
    return unsafe(title, f"`{called}` becomes what the call makes", edit)


def _instead(setting: str, name: str) -> str:
    if setting in ("learning-rate", "momentum", "weight-decay"):
        key = "lr" if setting == "learning-rate" else name
        return f'set `group["{key}"]` of each of `optimizer.param_groups`'
    return f"give `{name}` to the constructor"
