"""What a probe measured in a short run of a training program.  Imported only where there is such a run.

Steps are optimizer steps, counted from 0.  A value that was not finite is None.  What could not be measured is None or
an empty tuple, never a default.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from lstmadvisor.facts import Frozen, Place

Status = Literal["completed", "step-limit", "time-limit", "failed", "interrupted", "no-training"]


class Measured(Frozen):
    """Base of what a child process or a file told: it is validated."""

    checked: ClassVar[bool] = True


class Series(Measured):
    """A number per optimizer step."""

    name: str
    """loss: what backward was called on, without the factor of a gradient scaler, summed over the calls of one step;
    loss-function: mean of what a loss function returned in the calls of one step, `of` its name;
    validation-loss: mean of the loss functions called without gradient between two steps;
    gradient-norm: L2 norm when the optimizer used the gradient, after clipping if that comes first;
    clip-norm: norm that clip_grad_norm_ found, before it clipped;
    update-ratio: ‖Δw‖/‖w‖ of one step;
    learning-rate; step-seconds: wall time from step to step, without that of the probe"""
    of: str = ""
    """the parameter, the loss function, or the optimizer that is meant; empty for all parameters together"""
    unit: str = ""
    steps: tuple[int, ...] = ()
    values: tuple[float | None, ...] = ()


class Profile(Measured):
    """A number per time step of the sequence, at one optimizer step."""

    name: Literal["gradient-through-time"] = "gradient-through-time"
    of: str = ""
    """path of the recurrent layer within its model"""
    step: int = 0
    values: tuple[float | None, ...] = ()
    """L2 norm of dL/dx_t over batch and features (of a cell stepped by hand: dL/dh_t); the first is time step 0"""
    reach: float | None = None
    """steps over which the gradient falls to 1/e, going back in time; None if it does not fall"""


class Histogram(Measured):
    """How the values of a gate or of the hidden state are spread, over units, time and at most 8 sequences."""

    name: str
    """gate-input, gate-forget, gate-cell (the candidate), gate-output; gate-reset, gate-update, gate-new; hidden"""
    of: str = ""
    """path of the recurrent layer; of a stack or both directions with the suffix that PyTorch uses (l1, l0_reverse)"""
    step: int = 0
    edges: tuple[float, ...] = ()
    """one more than `counts`; from 0 to 1, of candidates and hidden states from -1 to 1"""
    counts: tuple[int, ...] = ()
    mean: float | None = None
    low: float | None = None
    """share of the gate's values below 0.1 (of candidates and hidden states: below -0.9)"""
    high: float | None = None
    """share above 0.9"""


class MeasuredLayer(Measured):
    """A recurrent layer or cell as it ran."""

    kind: str
    """LSTM, GRU, RNN, LSTMCell, GRUCell, RNNCell; SimpleRNN of Keras"""
    path: str = ""
    """within its model, as `named_modules` calls it"""
    at: Place | None = None
    """where it was constructed"""
    units: int | None = None
    input_size: int | None = None
    num_layers: int | None = None
    bidirectional: bool | None = None
    batch_first: bool | None = None
    dropout: float | None = None
    sequence_length: int | None = None
    """time steps, the most that were seen; of a cell, the calls in one optimizer step"""
    shortest: int | None = None
    """time steps, the fewest; of packed input the shortest sequence"""
    batch: int | None = None
    """sequences in its first batch"""
    packed: bool | None = None
    state: str | None = None
    """what it started from, in the forward passes after the first: none (nothing passed), zero, carried (its last
    state), learned (a parameter), other"""
    carried_graph: bool | None = None
    """whether a carried state still had its graph (it was not detached)"""


class MeasuredBatch(Measured):
    """One tensor that the model was called with, as the model saw it."""

    of: str = ""
    """position or keyword of the argument, behind the path of the model where there are several: 0, 1, lengths"""
    step: int = 0
    shape: tuple[int, ...] = ()
    dtype: str = ""
    ids: bool = False
    """integers"""
    mean: float | None = None
    deviation: float | None = None
    smallest: float | None = None
    largest: float | None = None
    finite: bool = True
    padding: float | None = None
    """share of positions that repeat the same trailing or leading value to the end of their sequence"""
    padding_value: float | None = None


class MeasuredLoader(Measured):
    """A DataLoader that was iterated."""

    batch_size: int | None = None
    size: int | None = None
    """samples of its data set"""
    shuffled: bool | None = None
    drop_last: bool | None = None
    workers: int | None = None
    trained: bool | None = None
    """whether optimizer steps followed its batches"""


class MeasuredOptimizer(Measured):
    """An optimizer that made steps."""

    name: str
    steps: int = 0
    parameters: int | None = None
    """how many numbers it changes"""
    rates: tuple[float, ...] = ()
    """the learning rate of each parameter group at its first step"""
    momentum: float | None = None
    betas: tuple[float, ...] = ()
    weight_decay: float | None = None


class MeasuredClipping(Measured):
    """Calls that clip the gradient."""

    kind: Literal["norm", "value"] = "norm"
    max: float | None = None
    calls: int = 0
    before_step: int = 0
    """how many of them came between backward and the step"""


class MeasuredLoss(Measured):
    """A loss function of PyTorch or Keras, called in training, and what a constant prediction would reach."""

    name: str
    """cross_entropy, mse_loss, …"""
    reduction: str | None = None
    targets: int | None = None
    """numbers or class ids that were seen"""
    classes: int | None = None
    """classes that occur"""
    target_mean: float | None = None
    target_deviation: float | None = None
    constant: float | None = None
    """mean loss of the best constant prediction, in the units of the loss; None if it is not known"""
    calls: int | None = None
    """in training"""
    padded: float | None = None
    """share of the targets that count whose input is padding"""


class Checks(Measured):
    """Questions that were answered on a copy of the model, or by counting."""

    mixes: tuple[bool, ...] = ()
    """for the first and the second axis of the model's input: whether an output depends on more than one index of it.
    Where both are true, sequences of a batch mix"""
    mixed_input: tuple[int, ...] = ()
    """shape of that input"""
    training_forwards_equal: bool | None = None
    """whether two forward passes in training mode gave the same"""
    evaluation_forwards_equal: bool | None = None
    zeros_at_output: float | None = None
    """share of exact zeros in the model's output in training mode, less that in evaluation mode"""
    eval_mode_while_training: float | None = None
    """share of the forward passes with gradient that ran in evaluation mode"""
    train_mode_while_validating: float | None = None
    """share of the forward passes without gradient that ran in training mode"""
    dropouts: int | None = None
    """dropout modules with a rate above 0"""
    without_gradient: tuple[str, ...] = ()
    """parameters given to an optimizer that never had a gradient"""
    zero_gradient: dict[str, float] = Field(default_factory=dict)
    """parameter → share of steps in which its gradient was exactly 0, where there were such steps"""
    identical_units: dict[str, float] = Field(default_factory=dict)
    """weight of a recurrent layer → share of its units that equal another one, at the last step"""
    not_optimized: tuple[str, ...] = ()
    """parameters of the model that get a gradient and belong to no optimizer that made a step"""
    continued: float | None = None
    """share of the rows of a batch that go on where the same row of the batch before ended"""
    continued_by_chance: float | None = None
    """the same, of the row beside it"""
    first_bad: str | None = None
    """what was not finite first, in the order of the computation: input, loss, gradient, weights"""
    first_bad_step: int | None = None


class Statistics(Measured):
    """Numbers derived from the series, profiles and histograms: what the rules judge the course of a run by.

    Losses and norms are in their own units, shares between 0 and 1.
    """

    loss_first: float | None = None
    """of step 0"""
    loss_early: float | None = None
    """median of the steps that follow: ten, or a tenth of all"""
    loss_tail: float | None = None
    """median of the last quarter of the steps"""
    fall: tuple[float, float, float] | None = None
    """share by which the loss fell from the first tenth of the steps to the last quarter, and its bounds at 99 %"""
    late_fall: tuple[float, float, float] | None = None
    """the same from the third quarter to the last"""
    constant: float | None = None
    """mean loss of the best constant prediction"""
    over_constant: float | None = None
    """loss of the last quarter as a multiple of it"""
    norm_median: float | None = None
    """gradient norm before clipping"""
    norm_p90: float | None = None
    norm_max: float | None = None
    spike: float | None = None
    """largest gradient norm as a multiple of the usual one"""
    spike_step: int | None = None
    clipped: float | None = None
    """share of the steps whose gradient was clipped"""
    clip_ratio: float | None = None
    """median of the limit over the norm"""
    movement: float | None = None
    """sum of the relative changes of the weights"""
    update_first: float | None = None
    """relative change of the weights in a step, median of the first three samples"""
    update_ratio: float | None = None
    """the same, median of all samples"""
    rate_first: float | None = None
    rate_last: float | None = None
    rate_dead_since: float | None = None
    """share of the run after which the learning rate stayed below a hundredth of its highest value"""
    vanishing: float | None = None
    """gradient at the first time step as a share of that at the last"""
    growth: float | None = None
    """the same when training began, of the layer where it is largest"""
    reach: float | None = None
    """time steps over which the gradient falls to 1/e"""
    saturation: float | None = None
    """share of the gates below 0.1 or above 0.9 at the start, of the kind of gate that has the fewest"""
    hidden_saturation: float | None = None
    """share of the hidden state beyond ±0.9 at the start"""
    forget_first: float | None = None
    """mean of the forget gate at the start"""
    forget_last: float | None = None
    """and at the end"""
    evaluations: int = 0
    """of the validation loss"""
    validation_first: float | None = None
    validation_best: float | None = None
    """lowest, smoothed by a median of three"""
    validation_last: float | None = None
    """lowest of the last three"""
    padding: float | None = None
    """median over the batches"""
    input_mean: float | None = None
    """of the real numbers that the recurrent layers read"""
    input_deviation: float | None = None
    batch_axis: int | None = None
    """axis of the model's input that counts the sequences of a batch"""


class Probe(Measured):
    """One probed run."""

    status: Status
    why: str = ""
    """in one line, for people"""
    steps: int = 0
    """optimizer steps made"""
    asked: int = 0
    """optimizer steps asked for"""
    seconds: float = 0.0
    """wall time of the run, imports included"""
    seed: int | None = None
    """of PyTorch's generator when training began"""
    device: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    """python, torch, keras, lightning, transformers, …"""
    command: tuple[str, ...] = ()
    """script and arguments; what looks like a secret is masked"""
    script: str = ""
    script_hash: str = ""
    """SHA-256 of the script's bytes"""
    written: tuple[str, ...] = ()
    """files that the script made or changed"""
    scratch: bool = False
    """whether it wrote into a copy that is gone now"""
    error: str = ""
    """last line of the exception that ended the script"""
    broken: tuple[str, ...] = ()
    """how instruments failed, if any did"""
    overhead: float | None = None
    """time spent by the probe, as a share of the time of the steps without it"""
    series: tuple[Series, ...] = ()
    profiles: tuple[Profile, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    layers: tuple[MeasuredLayer, ...] = ()
    batches: tuple[MeasuredBatch, ...] = ()
    loaders: tuple[MeasuredLoader, ...] = ()
    optimizers: tuple[MeasuredOptimizer, ...] = ()
    clipping: tuple[MeasuredClipping, ...] = ()
    losses: tuple[MeasuredLoss, ...] = ()
    checks: Checks = Checks()
    statistics: Statistics = Statistics()
    """derived from the above"""

    def of(self, name: str, of: str = "") -> Series | None:
        """The series of that name, None if it was not measured."""
        return next((series for series in self.series if series.name == name and series.of == of), None)
