"""An LSTM of PyTorch starts with its forget gate half closed."""

from lstmadvisor.rule import (
    AddHelper,
    Edit,
    Evidence,
    Finding,
    Fix,
    Initialization,
    InsertStatements,
    Iterator,
    Options,
    Program,
    RecurrentLayer,
    Severity,
    Undecided,
    active,
    measured,
    notes,
    number,
    of_keras,
    plain,
    rule,
    unclear,
    unsafe,
    where,
)


class Limits(Options):
    """Which sequences are long enough to care."""

    steps: int = 30
    """nothing is said of sequences that are known to be shorter"""
    probed: int = 150
    """steps of a probe that it takes to judge by what was measured"""
    reach: float = 0.25
    """nothing is said if the gradient falls to 1/e over this share of the sequence or more, and something is learned"""
    short: float = 0.05
    """a warning if it does over less than this, and nothing is learned"""
    stuck: float = 0.95
    """share of the loss of a constant answer, that counts as nothing learned"""


@rule(
    code="LA301",
    name="forget-bias-not-set",
    summary="Nothing sets the forget-gate bias of an LSTM: near 0, it halves the memory at every step.",
    family="initialisation",
    topic="forget-bias",
    severity="advice",
    grade="A",
    article="T9",
    frameworks=("pytorch",),
    needs=("recurrent_layers", "forget_bias"),
    fix="unsafe",
    options=Limits,
)
def check(program: Program, options: Limits) -> Iterator[Finding | Undecided]:
    steps = number(program.sequence_length)
    if (steps is not None and steps < options.steps) or program.api == "module":
        return
    layers = [
        x
        for x in active(program.recurrent_layers)
        if plain(x.kind) in ("LSTM", "LSTMCell") and not of_keras(program, x)
    ]
    set_to = plain(program.forget_bias)
    unset = [x for x in layers if not unclear(x.gate_biases) and (plain(x.gate_biases) is None or set_to == 0)]
    if unclear(program.forget_bias) or not unset or set_to not in (None, 0):
        return
    probe = measured(program)
    numbers = None if probe is None or probe.steps < options.probed else probe.statistics
    stuck = numbers is not None and (numbers.over_constant or 0.0) >= options.stuck
    reach = None if numbers is None else numbers.reach
    if reach is not None and steps is not None and reach >= options.reach * steps and not stuck:
        return  # measured: the gradient gets far enough
    short = reach is not None and steps is not None and reach < options.short * steps and stuck
    writes = [i for i in active(program.initializations) if plain(i.target) in ("forget-bias", "recurrent-bias")]
    at = where(*(writes if set_to == 0 else ())[-1:], unset[0])
    how = "near 0, and nothing sets it" if set_to is None else "set to 0"
    yield Finding(
        at=at,
        severity=Severity.WARNING if short else None,
        message=f"the forget gate starts half closed: its bias is {how}"
        + ("" if steps is None else f" for sequences of {steps:g} steps"),
        label="forgets half at every step",
        help="set the forget-gate bias to 1, over `bias_ih` and `bias_hh` together",
        fix=_opened(unset) if set_to is None else _opened_behind(writes),
        evidence=notes(at, *((layer, "its layer" if set_to == 0 else "this one too") for layer in unset))
        + (
            ()
            if reach is None
            else (Evidence(text=f"measured: the gradient falls to 1/e every {reach:.2g} time steps"),)
        ),
    )


_HELPER = '''
def open_forget_gates(rnn):
    """Start an LSTM with a forget-gate bias of 1, in every layer and direction."""
    with `torch.no_grad`():
        for name, bias in rnn.named_parameters():
            if "bias" in name:
                n = bias.size(0)
                bias[n // 4 : n // 2].fill_(1.0 if "bias_ih" in name else 0.0)
'''


def _opened(layers: list[RecurrentLayer]) -> Fix | None:
    """A function that opens the forget gates, called for every layer where it is built."""
    edits: list[Edit] = []
    for at in (where(layer) for layer in layers):
        edits.append(AddHelper(at=at, name="open_forget_gates", code=_HELPER))
        edits.append(InsertStatements(at=at, side="after", code="open_forget_gates($)"))
    return _opening(edits)


def _opened_behind(writes: list[Initialization]) -> Fix | None:
    """The function called behind the loops that set the biases to 0."""
    loops = [(one.of.at, plain(one.of)) for one in writes if number(one.scale) == 0 or plain(one.scheme) == "zeros"]
    edits: list[Edit] = []
    for at, layer in dict.fromkeys(loops):
        if at is None or layer is None:
            return None
        edits.append(AddHelper(at=at, name="open_forget_gates", code=_HELPER))
        edits.append(InsertStatements(at=at, side="after", code=f"open_forget_gates({layer})"))
    return _opening(edits)


def _opening(edits: list[Edit]) -> Fix | None:
    return unsafe("start with open forget gates", "memory lasts longer from the first step", *edits)
