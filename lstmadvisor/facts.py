"""The vocabulary: what is understood of a training program, before any judgement.

Everything here is frozen, serialisable and free of syntax.  A leaf is `Known` or
`Unknown`; a list that could not be read is itself `Unknown`; `()` means "looked
everywhere, none".
"""

# No `from __future__ import annotations` here, in edits.py and in model.py: pydantic would compile each annotation.

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from lstmadvisor.unchecked import Unchecked

if TYPE_CHECKING:
    from lstmadvisor.measured import Probe

Via = Literal[
    "literal", "constant", "default", "function-default", "call", "argparse",
    "config", "arithmetic", "search", "probe", "inferred", "absent",
]  # fmt: skip


class Frozen(BaseModel, metaclass=Unchecked):
    """Base of all facts: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings", defer_build=True)
    checked: ClassVar[bool] = False
    """whether its constructor validates"""


class Place(Frozen):
    """Where something is written.  Lines and columns count from 1; `cell` is the 0-based index among all cells."""

    path: str
    cell: int | None = None
    line: int
    column: int = 1
    end_line: int | None = None
    end_column: int | None = None
    """the column after the last one"""

    @model_serializer(mode="wrap")
    def _without_none(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {k: v for k, v in handler(self).items() if v is not None or k == "cell"}


class Known(Frozen):
    """A value that the code proves for the default run, how it came about and where it is written."""

    value: Any
    via: Via = "literal"
    at: Place | None = None

    @model_serializer(mode="wrap")
    def _without_nowhere(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _placed(handler(self))


class Unknown(Frozen):
    """A value that the code does not tell, and the reason in one line."""

    unknown: str
    at: Place | None = None

    @model_serializer(mode="wrap")
    def _without_nowhere(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _placed(handler(self))


def _placed(dumped: dict[str, Any]) -> dict[str, Any]:
    return dumped if dumped["at"] is not None else {k: v for k, v in dumped.items() if k != "at"}


Value = Known | Unknown
"""What a leaf holds."""

UNSEEN = Unknown(unknown="not examined")
ABSENT = Known(value=None, via="absent")
"""Looked everywhere, not there."""

T = TypeVar("T")
Many = tuple[T, ...] | Unknown
"""A list of items, or the reason why it could not be read."""


def known(fact: object) -> bool:
    """Whether `fact` is a value (absence included) and not an `Unknown`."""
    return not isinstance(fact, Unknown)


def plain(fact: Value, otherwise: Any = None) -> Any:
    """The plain value of a leaf, or `otherwise` where it is unknown or absent."""
    if isinstance(fact, Known) and fact.via != "absent":
        return fact.value
    return otherwise


def items(many: Iterable[T] | Unknown) -> tuple[T, ...]:
    """The items of a list fact, none where the list is unknown."""
    return () if isinstance(many, Unknown) else tuple(many)


class Item(Frozen):
    """Something the program builds or does, with its place; inactive where the defaults do not lead there."""

    at: Place | None = None
    active: bool = True

    @model_serializer(mode="wrap")
    def _without_unseen(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _seen(self, handler(self))


def _seen(model: BaseModel, dumped: dict[str, Any]) -> dict[str, Any]:
    """`dumped` without what nobody examined."""
    return {k: v for k, v in dumped.items() if not _unseen(getattr(model, k, None))}


def _unseen(fact: object) -> bool:
    return fact is UNSEEN or (isinstance(fact, Item) and fact == type(fact)())


class Read(Item):
    """How the result of a recurrent layer is used."""

    what: Value = UNSEEN
    """all-steps, last-step, first-state, last-state, half-state (one direction of a bidirectional layer),
    states-joined, whole-state (handed on unselected), viewed-state, pooled, unreversed, wrong-unpack, none"""
    after_padding: Value = UNSEEN
    expression: Value = UNSEEN


class Pass(Item):
    """The one call of a recurrent layer, with what the function around it calls things."""

    input: Value = UNSEEN
    """its first argument, as it is written"""
    output: Value = UNSEEN
    """what the outputs of all steps are called; absent where they are thrown away"""
    without_cell: Value = UNSEEN
    """`out, h` where its result is unpacked as `out, (h, c)` and c is not used, at that place"""
    lengths: Value = UNSEEN
    """the parameter that holds the lengths of the sequences"""
    ids: Value = UNSEEN
    """the parameter that an embedding looked the input up by"""


class RecurrentLayer(Item):
    """One recurrent layer or cell, with its effective arguments (framework defaults filled in)."""

    kind: Value = UNSEEN
    units: Value = UNSEEN
    input_size: Value = UNSEEN
    num_layers: Value = UNSEEN
    dropout: Value = UNSEEN
    recurrent_dropout: Value = UNSEEN
    bidirectional: Value = UNSEEN
    batch_first: Value = UNSEEN
    bias: Value = UNSEEN
    proj_size: Value = UNSEEN
    return_sequences: Value = UNSEEN
    return_state: Value = UNSEEN
    stateful: Value = UNSEEN
    activation: Value = UNSEEN
    recurrent_activation: Value = UNSEEN
    unit_forget_bias: Value = UNSEEN
    kernel_initializer: Value = UNSEEN
    recurrent_initializer: Value = UNSEEN
    bias_initializer: Value = UNSEEN
    unroll: Value = UNSEEN
    reset_after: Value = UNSEEN
    use_bias: Value = UNSEEN
    gate_biases: Value = UNSEEN
    input_layout: Value = UNSEEN
    initial_batch: Value = UNSEEN
    stepped_by_hand: Value = UNSEEN
    model: Value = UNSEEN
    """name of the model (class or variable) that the layer belongs to"""
    reads: Many[Read] = UNSEEN
    heads: Many[Item] = UNSEEN
    """what linear layers of the module that makes it are handed of what it gives, where `self` calls them; unknown
    where it is no attribute of that module"""
    only_pass: Pass = Pass()


class Edge(Item):
    """Data flows from one layer to another, through `via`."""

    from_: Place | None = Field(default=None, serialization_alias="from")
    to: Place | None = None
    via: Value = UNSEEN
    """direct, pooling, concatenation, normalization, dropout, activation, selection, reshape, …"""
    skip: Value = UNSEEN


class Reshape(Item):
    from_axes: Value = UNSEEN
    to_axes: Value = UNSEEN
    swaps_batch_and_time: Value = UNSEEN
    of: Value = UNSEEN
    """what is reshaped, as it is written, if exchanging its first two axes gives the same shape"""
    time_steps: Value = UNSEEN


class Dropout(Item):
    rate: Value = UNSEEN
    kind: Value = UNSEEN
    position: Value = UNSEEN
    """input, between, pre-output, head, output, unused"""
    called: Value = UNSEEN
    """of a module of PyTorch, what the statement that makes it assigns it to"""
    alone: Value = UNSEEN
    """whether the statement that writes it does nothing else: `model.add(Dropout(…))`, `x = Dropout(…)(x)`,
    `x = F.dropout(x)`"""
    on_state: Value = UNSEEN
    """what of a cell's state a loop by hand hands on through it, dropping anew in every step: memory (c of an LSTM,
    h of the others), output (h of an LSTM), none"""


class DenseLayer(Item):
    units: Value = UNSEEN
    input_units: Value = UNSEEN
    activation: Value = UNSEEN
    role: Value = UNSEEN
    """hidden, output, bottleneck, projection"""


class Output(Item):
    units: Value = UNSEEN
    activation: Value = UNSEEN
    """none, softmax, logsoftmax, sigmoid, tanh, relu, …"""
    softmax_axis: Value = UNSEEN


class Embedding(Item):
    dim: Value = UNSEEN
    vocabulary: Value = UNSEEN
    vocabulary_offset: Value = UNSEEN
    """what is added to the number of tokens: 1 of `len(vocabulary) + 1`"""
    first_id: Value = UNSEEN
    """the lowest id of its tokens"""
    padding: Value = UNSEEN


class Normalization(Item):
    kind: Value = UNSEEN
    """layer, batch, weight"""
    position: Value = UNSEEN


class Optimizer(Item):
    name: Value = UNSEEN
    by_name: Value = UNSEEN
    """of Keras, the text that names it where no object is built: adam"""
    learning_rate: Value = UNSEEN
    momentum: Value = UNSEEN
    weight_decay: Value = UNSEEN
    decoupled: Value = UNSEEN
    clipnorm: Value = UNSEEN
    global_clipnorm: Value = UNSEEN
    clipvalue: Value = UNSEEN
    by_hand: Value = UNSEEN
    rebuilt_in_loop: Value = UNSEEN


class Schedule(Item):
    name: Value = UNSEEN
    gamma: Value = UNSEEN
    stepped: Value = UNSEEN
    """batch, epoch, never"""
    length: Value = UNSEEN
    unit: Value = UNSEEN
    metric_given: Value = UNSEEN
    optimizer: Place | None = None
    by_hand: Value = UNSEEN
    called: Value = UNSEEN
    """what the code calls it in the function that holds the loop over the epochs"""
    mentioned: Value = UNSEEN
    """whether the file speaks of it again, behind the statement that gives it a name and does nothing else"""
    mode: Value = UNSEEN
    """of `ReduceLROnPlateau`: min, max"""
    variable: Value = UNSEEN
    """of a rate that is lowered in a variable alone: its name"""
    given_to: Value = UNSEEN
    """what the code calls the optimizer there that took the rate when it was built"""
    given_if: Value = UNSEEN
    """the condition under which that is built, as it is written; absent where it always is"""


class Loss(Item):
    name: Value = UNSEEN
    from_logits: Value = UNSEEN
    reduction: Value = UNSEEN
    ignore_index: Value = UNSEEN
    input_activation: Value = UNSEEN
    divided_by: Value = UNSEEN
    running_total: Value = UNSEEN
    """keeps-graph, detached"""
    added: Value = UNSEEN
    """the expression that is added to the running total, as it is written"""
    added_up: Value = UNSEEN
    """whether a loop within one training step adds it up, over the time steps or samples"""
    addends: Value = UNSEEN
    """how many are added up, as an expression; its place is that of the sum where it is differentiated"""
    input_shape: Value = UNSEEN
    """a list of sizes, None for what is not known"""
    target_shape: Value = UNSEEN
    target: Value = UNSEEN
    """the argument that it compares with, as it is written"""
    by_hand: Value = UNSEEN


class Targets(Item):
    kind: Value = UNSEEN
    """class-ids, one-hot, multi-hot, real, sequence"""
    shape: Value = UNSEEN


class Metric(Item):
    name: Value = UNSEEN
    """as it is labelled or passed: accuracy, mae, rmse, loss, …"""
    mentioned: Value = UNSEEN
    """of one that `compile` is given by name, whether the file says that name in other places, too"""
    on: Value = UNSEEN
    scales_agree: Value = UNSEEN
    """whether truth and prediction are on the same scale where they are compared"""
    why: Value = UNSEEN
    """how their scales differ, in words"""
    computes: Value = UNSEEN
    """what its formula gives: mae, mse, rmse, mape, …"""
    over: Value = UNSEEN
    """all-batches, last-batch: what a number that is reported for an epoch or a data set was taken over"""


class Seed(Item):
    library: Value = UNSEEN
    value: Value = UNSEEN


class Clipping(Item):
    kind: Value = UNSEEN
    """norm, value"""
    max: Value = UNSEEN
    placement: Value = UNSEEN
    """ok, before-backward, after-step, before-unscale, exhausted"""
    per_variable: Value = UNSEEN


class EarlyStopping(Item):
    by_hand: Value = UNSEEN
    monitor: Value = UNSEEN
    patience: Value = UNSEEN
    restores_best: Value = UNSEEN
    can_act: Value = UNSEEN
    why_not: Value = UNSEEN
    renamed: Value = UNSEEN
    """the name by which Keras logs today what it watches, where that is another one"""
    on: Value = UNSEEN
    """validation, test, training: the data that decide; evaluation where their name does not say which"""


class Checkpoint(Item):
    monitor: Value = UNSEEN
    on: Value = UNSEEN
    """validation, test, training"""
    reloaded: Value = UNSEEN
    aliased: Value = UNSEEN


class Validation(Item):
    kind: Value = UNSEEN
    """data, split, none"""
    source: Value = UNSEEN
    is_test_set: Value = UNSEEN
    selects: Value = UNSEEN
    reported: Value = UNSEEN


class Draw(Item):
    """A call that draws random numbers."""

    function: Value = UNSEEN
    """the last part of its name: randn, rand_like, kaiming_normal_; unknown where zeros take other arguments"""


class HiddenState(Item):
    carried: Value = UNSEEN
    detached: Value = UNSEEN
    initial: Value = UNSEEN
    """zeros, none, learned, encoder, random (drawn anew in each pass)"""
    drawn: Many[Draw] = UNSEEN
    """of a random start, all calls that draw it"""
    reset: Value = UNSEEN
    """how often it starts anew: batch, sequence (with each document that is read in pieces), epoch, never; of Keras
    whether anything resets it"""
    passed: Value = UNSEEN
    """the expression by which a carried state is handed to its layer, as it is written"""


class Padding(Item):
    padded: Value = UNSEEN
    side: Value = UNSEEN
    value: Value = UNSEEN
    lengths_known: Value = UNSEEN
    packed: Value = UNSEEN
    masked: Value = UNSEEN
    in_loss: Value = UNSEEN
    target_value: Value = UNSEEN
    """what the targets are filled with where they count in the loss"""
    value_is_token: Value = UNSEEN
    """whether the padding value is also the id of a real token"""


class Dataset(Item):
    """What is trained on.  Its place is the loader that hands it out, if there is one."""

    kind: Value = UNSEEN
    """windows, stream, independent, series"""
    size: Value = UNSEEN
    written_out: Value = UNSEEN
    """whether all of it is written in the program itself, a few items long"""
    loader_drop_last: Value = UNSEEN
    input_scaled: Value = UNSEEN


class Step(Item):
    """One act of a training step, in the order of a single turn of the loop."""

    kind: Literal["zero_grad", "forward", "backward", "unscale", "clip", "step", "scheduler"]
    of: Value = UNSEEN
    """what the code calls it on: `optimizer`, `self.scaler`; of a forward pass the model"""


class TrainingStep(Item):
    order: Many[Step] = UNSEEN
    zero_grad: Value = UNSEEN
    eval_mode: Value = UNSEEN
    mode_matters: Value = UNSEEN
    """whether the forward passes of the evaluation contain dropout or the like"""
    no_grad: Value = UNSEEN
    mixed_precision: Value = UNSEEN
    accumulation: Value = UNSEEN
    frozen_backbone: Value = UNSEEN
    """train, eval: the mode in which a pretrained network with batch normalisation runs that is not trained itself"""
    backbone: Value = UNSEEN
    """what the code calls such a network where it runs in the mode `train`"""
    evaluation: Place | None = None
    """the first statement that evaluates in training mode"""
    evaluates: Value = UNSEEN
    """what the code calls the models there: a list of names"""
    trains_on: Value = UNSEEN
    """whether the training goes on after it, and nothing would switch a model back into training mode"""
    optimizer: Value = UNSEEN
    """what the code calls the optimizer in the function that calls `backward`; so for the next two"""
    model: Value = UNSEEN
    parameters: Value = UNSEEN
    """an expression for all that is trained: `model.parameters()`"""


class EpochLoop(Item):
    """What goes over the data again and again: the loop over the epochs, or the one call of `fit`."""

    count: Value = UNSEEN
    """the expression for the number of its turns, as it is written"""
    optimizers: Value = UNSEEN
    """what the code calls the optimizers of a training step in the function that holds the loop: a list of names"""
    made: tuple[Place, ...] = ()
    """where they are made"""
    models: Value = UNSEEN
    """what the code calls the models that are trained, in that function: a list of names"""
    measure: Value = UNSEEN
    """an expression for the loss or the score, after an evaluation on validation data in a turn"""
    falls: Value = UNSEEN
    """whether less of it is better"""
    measured: Value = UNSEEN
    """how often it is measured: every-turn, some-turns, within-turns (on the way through the batches)"""
    measured_in: Place | None = None
    """the loop itself, or the `if` in it: at its end the measure is that of the turn"""
    measured_by: Place | None = None
    """the call in the loop of a function that computes the measure, where the loop gives it no name"""
    measured_at: Place | None = None
    """that function, where it gives nothing back"""
    improved: Place | None = None
    """where the best measure so far is noted, under the condition that it is the best"""
    single: Value = UNSEEN
    """whether one turn of it is one step of the optimizer: there is no loop over batches inside"""
    others: Many[Item] = UNSEEN
    """of Keras, the other calls of `fit` or of a tuner's `search`, where there are several"""


class Initialization(Item):
    target: Value = UNSEEN
    """input-weights, recurrent-weights, recurrent-bias, forget-bias, dense-weights, dense-bias, embedding,
    embedding-rows, convolution-…, normalization-…, parameter, state, weights, bias"""
    scheme: Value = UNSEEN
    """zeros, ones, constant, uniform, normal, xavier_uniform, …, orthogonal, eye, sparse, copy, tied"""
    scale: Value = UNSEEN
    """value of a constant, bound of a uniform, standard deviation of a normal distribution, gain of the others"""
    of: Value = UNSEEN
    """of a bias of LSTMs alone that is written in a loop over their parameters: what that loop, which is the place of
    this, calls the layer"""


class Regularizer(Item):
    kind: Value = UNSEEN
    """l1, l2, l1_l2, …; penalty: by hand, in the loss; shrunk: the weights are multiplied with `amount` each step"""
    target: Value = UNSEEN
    amount: Value = UNSEEN


class Scaling(Item):
    scaler: Value = UNSEEN
    fit_on: Value = UNSEEN
    fit_before_split: Value = UNSEEN
    target_included: Value = UNSEEN
    """whether the statistics of a window are taken over its own target too"""


class Split(Item):
    kind: Value = UNSEEN
    """random, chronological, folds (K-fold, in order), groups, none"""
    of_overlapping_windows: Value = UNSEEN


class Tuning(Item):
    tool: Value = UNSEEN
    ranges: Value = UNSEEN
    objective: Value = UNSEEN
    on: Value = UNSEEN
    cv: Value = UNSEEN
    dimensions: Value = UNSEEN


class Option(Item):
    name: Value = UNSEEN
    type: Value = UNSEEN
    """what turns its text into a value: `int`, `float`, `str`, `bool` (the class, for which any text is true),
    `flag` (a parser that understands true and false), or the name of a function"""
    default: Value = UNSEEN
    read: Value = UNSEEN


class RemovedArgument(Item):
    name: Value = UNSEEN
    of: Value = UNSEEN
    instead: Value = UNSEEN
    since: Value = UNSEEN
    """the first version of Keras without it"""
    called_on: Value = UNSEEN
    """of a method, what it is called on, as it is written; unknown where its successor takes other arguments"""
    arguments: Value = UNSEEN
    """of a method, what stands in its brackets"""
    input: Value = UNSEEN
    """of what a first layer is told about its input, the arguments that tell it to `keras.Input`"""
    added_to: Value = UNSEEN
    """of an argument of a layer: the model whose `add` gets the layer, as it is written; absent where it is an item
    of a list"""
    rewritten: Value = UNSEEN
    """of an import, how it reads without what is gone"""


class Unregistered(Item):
    kind: Value = UNSEEN


class DeadSetting(Item):
    kind: Value = UNSEEN
    """optimizer-discarded, callback-not-passed, never-read, compile-overridden, batch-size-ignored, result-discarded,
    attribute-after-construction"""
    name: Value = UNSEEN
    setting: Value = UNSEEN
    value: Value = UNSEEN
    """what it was set to"""
    why: Value = UNSEEN
    instead: Place | None = None
    """what takes effect in its place"""
    called: Value = UNSEEN
    """what the code calls it where `instead` stands"""


class Disagreement(Item):
    """Where the run had another value than the code says.  Its place is where the code says it."""

    what: Value = UNSEEN
    read: Value = UNSEEN
    measured: Value = UNSEEN


class Program(Frozen):
    """One training run as a reader would see it: an entry file and the first-party modules that it imports."""

    path: str
    files: tuple[str, ...] = ()
    framework: Literal["pytorch", "keras", "both", "unknown"] = "unknown"
    api: str = "module"
    """loop, fit, lightning, hf-trainer, ignite, fastai, tape, module, …"""
    recurrent_layers: Many[RecurrentLayer] = UNSEEN
    graph: Many[Edge] = UNSEEN
    reshapes: Many[Reshape] = UNSEEN
    dropouts: Many[Dropout] = UNSEEN
    dense_layers: Many[DenseLayer] = UNSEEN
    output: Output = Output()
    embeddings: Many[Embedding] = UNSEEN
    normalizations: Many[Normalization] = UNSEEN
    optimizers: Many[Optimizer] = UNSEEN
    schedules: Many[Schedule] = UNSEEN
    losses: Many[Loss] = UNSEEN
    targets: Targets = Targets()
    metrics: Many[Metric] = UNSEEN
    seeds: Many[Seed] = UNSEEN
    clipping: Many[Clipping] = UNSEEN
    batch_size: Value = UNSEEN
    epochs: Value = UNSEEN
    fits_in_a_loop: Value = UNSEEN
    """whether a loop calls `fit` again and again, for an epoch or a few each time"""
    sequence_length: Value = UNSEEN
    shuffle: Value = UNSEEN
    early_stopping: Many[EarlyStopping] = UNSEEN
    checkpoints: Many[Checkpoint] = UNSEEN
    validation: Validation = Validation()
    hidden_state: HiddenState = HiddenState()
    padding: Padding = Padding()
    dataset: Dataset = Dataset()
    training_step: TrainingStep = TrainingStep()
    epoch_loop: EpochLoop = EpochLoop()
    initializations: Many[Initialization] = UNSEEN
    forget_bias: Value = UNSEEN
    regularizers: Many[Regularizer] = UNSEEN
    scaling: Many[Scaling] = UNSEEN
    split: Split = Split()
    tuning: Tuning = Tuning()
    options: Many[Option] = UNSEEN
    removed_arguments: Many[RemovedArgument] = UNSEEN
    unregistered: Many[Unregistered] = UNSEEN
    dead_settings: Many[DeadSetting] = UNSEEN
    reproducibility: Value = UNSEEN
    """True where a comment promises it"""
    disagreements: Many[Disagreement] = UNSEEN
    if TYPE_CHECKING:
        probe: Probe | Unknown = UNSEEN
    else:
        probe: SerializeAsAny[Frozen] = UNSEEN
    """what a probe measured"""

    @field_validator("probe", mode="before")
    @classmethod
    def _measured(cls, given: Any) -> Any:
        """The models of measured values take long to build: they are imported for a program that has some."""
        if not isinstance(given, dict):
            return given
        if "unknown" in given:
            return Unknown.model_validate(given)
        from lstmadvisor.measured import Probe

        return Probe.model_validate(given)

    @model_serializer(mode="wrap")
    def _without_unseen(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _seen(self, handler(self))
