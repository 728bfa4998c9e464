"""A column of predictions is compared with a row of targets, each with all of the others."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    Known,
    Loss,
    NoOptions,
    Program,
    ReplaceExpression,
    Undecided,
    aside,
    items,
    notes,
    number,
    plain,
    rule,
    unsafe,
    where,
)

from ._losses import plain_name

_ELEMENTWISE = {"mse", "l1", "smoothl1", "huber", "poissonnll"}


@rule(
    code="LA520",
    name="loss-shapes-broadcast",
    summary="Predictions of shape (N, 1) meet targets of shape (N), and every one is compared with all.",
    family="training",
    topic="other",
    severity="error",
    grade="A",
    frameworks=("pytorch",),
    needs=("losses",),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    if number(program.batch_size) == 1:
        return
    for loss in items(program.losses):
        name = plain_name(loss)
        column = _column(loss)
        if name not in _ELEMENTWISE or column is None:
            continue
        at = where(loss)
        prediction = "predictions of shape (N, 1) meet targets of shape (N)"
        target = "predictions of shape (N) meet targets of shape (N, 1)"
        yield Finding(
            at=at,
            message=f"{prediction if column == 'input' else target}: {plain(loss.name)} compares each with all"
            + aside(loss),
            label="each with all",
            fix=_same_shape(loss, column),
            help="give both the same shape: `squeeze(1)` the one with a second axis, or `unsqueeze(1)` the other",
            evidence=notes(at, (loss.input_shape, "the predictions"), (loss.target_shape, "the targets")),
        )


def _column(loss: Loss) -> str | None:
    """Which of the two is a column while the other is a row: `input`, `target` or neither."""
    prediction, target = plain(loss.input_shape), plain(loss.target_shape)
    if not isinstance(prediction, list) or not isinstance(target, list):
        return None
    if len(prediction) == 2 and prediction[1] == 1 and len(target) == 1 and target[0] != 1:
        return "input"
    if len(target) == 2 and target[1] == 1 and len(prediction) == 1 and prediction[0] != 1:
        return "target"
    return None


def _same_shape(loss: Loss, column: str) -> Fix | None:
    if not isinstance(loss.target, Known) or loss.target.at is None:
        return None
    method = "unsqueeze" if column == "input" else "squeeze"
    edit = ReplaceExpression(at=loss.target.at, code=f"$.{method}(1)", was=loss.target.value)
    return unsafe(f"`{method}(1)` the targets", "each prediction is compared with its own target alone", edit)
