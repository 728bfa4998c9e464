"""The output, the loss and the targets are not made for the same task."""

from lstmadvisor.rule import (
    Finding,
    Fix,
    Iterator,
    Loss,
    NoOptions,
    Program,
    Severity,
    Undecided,
    active,
    notes,
    number,
    plain,
    rule,
    unsafe,
    where,
    written,
)

from ._losses import plain_name

_REGRESSION = {
    "mse", "l1", "smoothl1", "huber", "mae", "logcosh", "meansquarederror", "meanabsoluteerror", "rmse",
    "rootmeansquarederror",
}  # fmt: skip
_LINEAR = "drop the activation: a regression ends in a linear layer"
_SOFTMAX = "use a softmax, or binary cross-entropy if several classes can be true"
_ZERO_MEAN = {"StandardScaler", "standard", "z-score", "zscore", "mean-std"}


@rule(
    code="LA519",
    name="wrong-output-for-task",
    summary="The activation of the output fits neither the loss nor the targets.",
    family="training",
    topic="activation-mismatch",
    severity="warning",
    grade="A",
    article="H6",
    needs=("losses", "output.activation"),
    fix="unsafe",
)
def check(program: Program, options: NoOptions) -> Iterator[Finding | Undecided]:
    for loss in active(program.losses):
        name = plain_name(loss)
        found = _classes(program, loss, name) or _encoding(program, name) or _range(program, name)
        if found:
            message, remedy, severity = found
            output = program.output
            at = where(output.activation, output, loss)
            yield Finding(
                at=at,
                severity=severity,
                message=message,
                label="does not fit",
                help=remedy,
                fix=_fix(program, remedy),
                evidence=notes(at, (loss, "the loss"), (output, "the output"), (program.targets, "the targets")),
            )
            return


Mismatch = tuple[str, str, Severity | None]


def _classes(program: Program, loss: Loss, name: str) -> Mismatch | None:
    """A loss for independent labels on a softmax, or one for exclusive classes on sigmoids."""
    units, given = number(program.output.units), plain(loss.input_activation)
    if name == "binarycrossentropy" and given == "softmax" and units is not None and units > 2:
        what = f"binary cross-entropy judges each of {units:g} softmax outputs as a question of its own"
        return what, "use categorical cross-entropy, or sigmoid outputs if several classes can be true", None
    exclusive = name in ("categoricalcrossentropy", "sparsecategoricalcrossentropy")
    if exclusive and given == "sigmoid" and plain(loss.from_logits) is False and units is not None and units > 1:
        what = f"categorical cross-entropy expects one distribution and gets {units:g} independent sigmoids"
        return what, _SOFTMAX, None
    return None


def _encoding(program: Program, name: str) -> Mismatch | None:
    """One-hot rows for a loss that takes class ids, or the reverse; PyTorch's cross-entropy takes both."""
    kind = plain(program.targets.kind)
    if name == "sparsecategoricalcrossentropy" and kind == "one-hot":
        return (
            "sparse categorical cross-entropy expects class ids, and the targets are one-hot rows",
            ("use categorical cross-entropy"),
            None,
        )
    if name == "categoricalcrossentropy" and kind == "class-ids":
        return (
            "categorical cross-entropy expects one-hot rows, and the targets are class ids",
            ("use sparse categorical cross-entropy"),
            None,
        )
    return None


def _fix(program: Program, remedy: str) -> Fix | None:
    """Another activation, where Keras is given its name."""
    if program.framework != "keras" or remedy not in (_LINEAR, _SOFTMAX):
        return None
    name = "linear" if remedy == _LINEAR else "softmax"
    why = "the output can take every value" if name == "linear" else "the outputs add up to 1"
    return unsafe(f"let the output be {name}", why, written(program.output.activation, name))


def _range(program: Program, name: str) -> Mismatch | None:
    """An output that cannot reach all values of a regression's target."""
    given, layers = plain(program.output.activation), active(program.dense_layers)
    dense = any(layer.at == program.output.at or plain(layer.role) == "output" for layer in layers)
    if name not in _REGRESSION or not dense:
        return None
    negative = any(plain(scaling.scaler) in _ZERO_MEAN for scaling in active(program.scaling))
    if given == "relu":
        what = "a relu output cannot go below 0, and where it is 0 it has no gradient"
        return what, _LINEAR, None if negative else Severity.ADVICE
    if given in ("sigmoid", "softmax") and negative:
        return (
            f"a {given} output stays between 0 and 1, and the data are standardised to both sides of 0",
            _LINEAR,
            None,
        )
    return None
