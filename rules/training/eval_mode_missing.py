"""The validation runs in training mode, with dropout or batch statistics at work."""

from lstmadvisor.rule import (
    Evidence,
    Finding,
    Fix,
    InsertStatements,
    Item,
    Iterator,
    NoOptions,
    Program,
    Undecided,
    active,
    measured,
    notes,
    number,
    of_keras,
    plain,
    rule,
    unclear,
    undecided,
    unsafe,
    where,
)


@rule(
    code="LA509",
    name="eval-mode-missing",
    summary="A net with dropout or batch normalisation is evaluated in training mode.",
    family="training",
    topic="eval-mode",
    severity="warning",
    grade="A",
    frameworks=("pytorch",),
    needs=("training_step.eval_mode", "training_step.frozen_backbone"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    yield from _evaluated(program)
    yield from _frozen(program)


def _evaluated(program: Program) -> Iterator[Finding | Undecided]:
    step, affected = program.training_step, list(_affected(program))
    if affected and unclear(step.eval_mode):
        yield undecided(step.eval_mode, "whether the evaluation switches to `eval()`")
    probe = measured(program)
    share = None if probe is None or not probe.statistics.evaluations else probe.checks.train_mode_while_validating
    silent = plain(step.mode_matters) is False or (share is not None and share <= 0.5)
    if not affected or plain(step.eval_mode) is not False or silent:
        return
    names = list(dict.fromkeys(name for name, _ in affected))
    at = where(step.eval_mode, program.validation, affected[0][1])
    yield Finding(
        at=at,
        message=f"the net is evaluated in training mode: {' and '.join(names)} "
        f"distort{'s' if len(names) == 1 else ''} what is measured",
        label="no `eval()` before",
        help="call `model.eval()` before the evaluation, and `model.train()` after it",
        fix=_switched(program),
        evidence=notes(at, *((item, f"{name} is active in training mode") for name, item in affected[:3]))
        + (
            () if share is None else (Evidence(text=f"measured: {share:.0%} of the passes without gradient run in it"),)
        ),
    )


def _frozen(program: Program) -> Iterator[Finding]:
    backbone = program.training_step.frozen_backbone
    if plain(backbone) == "train":
        yield Finding(
            at=where(backbone, program.training_step, program),
            message="a frozen pretrained network runs in training mode: its batch normalisation follows every batch",
            label="frozen, and not in `eval()`",
            help="call `eval()` on the pretrained part after every `train()` of the model",
            fix=_held(program),
        )


def _switched(program: Program) -> Fix | None:
    step = program.training_step
    at, models = step.evaluation, plain(step.evaluates)
    if at is None or models is None:
        return None
    edits = [InsertStatements(at=at, side="before", code="\n".join(f"{model}.eval()" for model in models))]
    if plain(step.trains_on) is True:
        back = "\n".join(f"{model}.train()" for model in models)
        edits.append(InsertStatements(at=at, side="after", code=back))
    return unsafe("evaluate in `eval()` mode", "what is measured changes", *edits)


def _held(program: Program) -> Fix | None:
    step = program.training_step
    at, name = where(step.frozen_backbone, program), plain(step.backbone)
    if name is None:
        return None
    held = InsertStatements(at=at, side="before", code=f"{name}.eval()")
    return unsafe("put it into `eval()` mode where it runs", "its batch statistics stay those of the pretraining", held)


def _affected(program: Program) -> Iterator[tuple[str, Item]]:
    """What behaves differently in training mode."""
    for dropout in active(program.dropouts):
        rate = number(dropout.rate)
        if plain(dropout.position) != "unused" and rate is not None and rate > 0:
            yield f"dropout {rate:g}", dropout
    for layer in active(program.recurrent_layers):
        rate, layers = number(layer.dropout), number(layer.num_layers)
        if not of_keras(program, layer) and rate is not None and rate > 0 and layers is not None and layers > 1:
            yield f"dropout {rate:g}", layer
    for normalization in active(program.normalizations):
        if plain(normalization.kind) == "batch":
            yield "batch normalisation", normalization
