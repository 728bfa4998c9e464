"""The article held against programs that stand here as literal facts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from small_pack import SCRIPT, install_extractor, install_pack

from lstmadvisor.cli import main
from lstmadvisor.facts import (
    ABSENT,
    Checkpoint,
    Clipping,
    Dataset,
    DenseLayer,
    Dropout,
    EarlyStopping,
    Edge,
    Embedding,
    HiddenState,
    Initialization,
    Known,
    Loss,
    Normalization,
    Optimizer,
    Output,
    Padding,
    Place,
    Program,
    RecurrentLayer,
    Regularizer,
    Schedule,
    Seed,
    Step,
    TrainingStep,
    Tuning,
    Unknown,
    Validation,
)
from lstmadvisor.model import Finding, Outcome, ScorecardLine, Severity, State
from lstmadvisor.report.scorecard_text import scorecard_text
from lstmadvisor.report.terminal import Paint
from lstmadvisor.scorecard import JUDGES, scorecard
from lstmadvisor.scorecard.answers import departs, follows, inapplicable, joined, untold
from lstmadvisor.scorecard.article import ARTICLE
from lstmadvisor.scorecard.words import enumerated, shown, span, worded

WHY = Unknown(unknown="**kwargs")


def k(value: Any) -> Known:
    return Known(value=value)


def default(value: Any) -> Known:
    return Known(value=value, via="default")


def searched(low: float, high: float) -> Known:
    return Known(value={"low": low, "high": high, "choices": None}, via="search")


def at(line: int) -> Place:
    return Place(path="train.py", line=line)


def torch_layer(kind: str = "LSTM", **facts: Any) -> RecurrentLayer:
    usual = {
        "num_layers": default(1), "dropout": default(0.0), "bidirectional": default(False), "bias": default(True),
        "proj_size": default(0), "input_size": k(16), "units": k(64), "at": at(1),
    }  # fmt: skip
    return RecurrentLayer(kind=k(kind), **{**usual, **facts})


def keras_layer(kind: str = "LSTM", **facts: Any) -> RecurrentLayer:
    usual = {
        "dropout": default(0.0), "recurrent_dropout": default(0.0), "bidirectional": default(False),
        "use_bias": default(True), "unit_forget_bias": default(True), "activation": default("tanh"),
        "recurrent_activation": default("sigmoid"), "return_sequences": default(False), "stateful": default(False),
        "units": k(64), "input_size": k(16), "model": k("model"), "at": at(1),
    }  # fmt: skip
    return RecurrentLayer(kind=k(kind), **{**usual, **facts})


def adam(rate: Any = 0.001, **facts: Any) -> Optimizer:
    return optimizer("Adam", rate, **facts)


def optimizer(name: str, rate: Any = 0.001, **facts: Any) -> Optimizer:
    usual = {"momentum": default(0.0), "weight_decay": default(0.0), "at": at(9)}
    return Optimizer(
        name=k(name), learning_rate=rate if isinstance(rate, Known | Unknown) else k(rate), **usual | facts
    )


def torch(**facts: Any) -> Program:
    usual: dict[str, Any] = {"recurrent_layers": (torch_layer(),), "optimizers": (adam(),), "schedules": ()}
    return Program(path="train.py", framework="pytorch", api="loop", **usual | facts)


def keras(**facts: Any) -> Program:
    usual: dict[str, Any] = {"recurrent_layers": (keras_layer(),), "optimizers": (adam(),), "schedules": ()}
    return Program(path="train.py", framework="keras", api="fit", **usual | facts)


def line(item: str, program: Program, *findings: Finding) -> ScorecardLine:
    outcomes = [
        Outcome(rule=one.rule, code=one.code, topic=one.topic or "", program=program.path, state="failed")
        for one in findings
    ]
    return next(one for one in scorecard(program, outcomes, findings) if one.item == item)


FOLLOWS, DEPARTS, NOT_APPLICABLE, UNTOLD = "follows", "departs", "does not apply", "could not tell"
KEEP, CHANGE, YOUR_CALL = "keep", "change", "your call"
NO_NET = Program(path="a.py", framework="pytorch", api="loop", recurrent_layers=(), optimizers=())

CASES: list[tuple[str, Program, str, str, str]] = [
    # A01
    ("A01", torch(tuning=Tuning(tool=ABSENT)), DEPARTS, YOUR_CALL, "no tuner"),
    ("A01", torch(tuning=Tuning(tool=k("optuna"), on=k("validation"))), FOLLOWS, KEEP, "optuna"),
    ("A01", torch(tuning=Tuning(tool=k("optuna"), on=k("test"))), FOLLOWS, CHANGE, "optuna on the test data"),
    (
        "A01", keras(tuning=Tuning(tool=k("keras-tuner"), objective=k("loss"), on=k("training"))),
        FOLLOWS, CHANGE, "keras-tuner, by loss on the training data",
    ),
    (
        "A01", keras(tuning=Tuning(tool=k("GridSearchCV"), on=k("validation"), dimensions=k(3))),
        FOLLOWS, YOUR_CALL, "GridSearchCV, a grid of 3 dimensions",
    ),
    ("A01", keras(tuning=Tuning(tool=k("GridSearchCV"), dimensions=k(2))), FOLLOWS, KEEP, "GridSearchCV"),
    ("A01", keras(tuning=Tuning(tool=WHY)), UNTOLD, YOUR_CALL, "tuner: **kwargs"),
    # A02
    ("A02", torch(seeds=()), DEPARTS, CHANGE, "no seed is set"),
    ("A02", torch(seeds=(Seed(library=k("numpy"), value=k(1)),)), DEPARTS, CHANGE, "seeds numpy, not the framework"),
    (
        "A02", torch(seeds=(Seed(library=k("numpy"), value=k(1)), Seed(library=k("torch"), value=k(1)))),
        FOLLOWS, KEEP, "seeds numpy and torch with 1; one run shows no spread",
    ),
    ("A02", keras(seeds=(Seed(library=k("keras"), value=WHY),)), FOLLOWS, KEEP, "seeds keras; one run shows no spread"),
    ("A02", keras(seeds=(Seed(library=WHY),)), UNTOLD, YOUR_CALL, "what is seeded: **kwargs"),
    ("A02", keras(seeds=WHY), UNTOLD, YOUR_CALL, "seeds: **kwargs"),
    # H1
    ("H1", NO_NET, NOT_APPLICABLE, KEEP, "no recurrent layer"),
    ("H1", torch(), FOLLOWS, KEEP, "1 LSTM layer of 64 units"),
    ("H1", torch(recurrent_layers=(torch_layer(units=WHY),)), FOLLOWS, KEEP, "of an unknown number of units"),
    ("H1", torch(recurrent_layers=(torch_layer(units=k(4)),)), FOLLOWS, YOUR_CALL, "1 LSTM layer of 4 units"),
    ("H1", torch(recurrent_layers=(torch_layer(num_layers=k(2)),)), FOLLOWS, KEEP, "2 stacked LSTM layers"),
    ("H1", torch(recurrent_layers=(torch_layer(num_layers=k(3)),)), DEPARTS, YOUR_CALL, "3 stacked LSTM layers"),
    ("H1", torch(recurrent_layers=(torch_layer(num_layers=k(4)),)), DEPARTS, CHANGE, "4 stacked LSTM layers"),
    (
        "H1", torch(recurrent_layers=(torch_layer(num_layers=k(4)),), graph=(Edge(skip=k(True)),)),
        DEPARTS, KEEP, "4 stacked LSTM layers of 64 units with skip connections",
    ),
    ("H1", torch(recurrent_layers=(torch_layer(num_layers=WHY),)), UNTOLD, YOUR_CALL, "feed each other: **kwargs"),
    ("H1", torch(recurrent_layers=(torch_layer(), torch_layer(at=at(2)))), UNTOLD, YOUR_CALL, "not examined"),
    (
        "H1", torch(recurrent_layers=(torch_layer(model=k("Encoder")), torch_layer(model=k("Decoder"), at=at(2)))),
        FOLLOWS, KEEP, "1 LSTM layer",
    ),
    (
        "H1",
        torch(
            recurrent_layers=(
                torch_layer("LSTMCell", model=k("Net")), torch_layer("LSTMCell", model=k("Net"), at=at(2), units=k(32)),
            ),
            graph=(Edge(from_=at(1), to=at(5)), Edge(from_=at(5), to=at(2)), Edge(from_=at(2), to=at(1))),
        ),
        FOLLOWS, KEEP, "2 stacked LSTMCell layers of 64 and 32 units",
    ),
    (
        "H1",
        torch(
            recurrent_layers=(torch_layer(model=k("Encoder"), num_layers=k(2)),
                              torch_layer(model=k("Decoder"), num_layers=k(2), at=at(2))),
            graph=(Edge(from_=at(1), to=at(5)), Edge(from_=at(5), to=at(2))),
        ),
        FOLLOWS, KEEP, "2 stacked LSTM layers",
    ),
    (
        "H1",
        keras(recurrent_layers=tuple(keras_layer(return_sequences=k(n < 3), at=at(n)) for n in range(4))),
        DEPARTS, CHANGE, "4 stacked LSTM layers",
    ),
    ("H1", keras(recurrent_layers=(keras_layer(), keras_layer("GRU", at=at(2)))), UNTOLD, YOUR_CALL, "not examined"),
    ("H1", keras(recurrent_layers=WHY), UNTOLD, YOUR_CALL, "recurrent layers: **kwargs"),
    (
        "H1", torch(recurrent_layers=(torch_layer(), torch_layer(num_layers=k(5), active=False))),
        FOLLOWS, KEEP, "1 LSTM layer",
    ),
    (
        "H1",
        torch(
            recurrent_layers=(torch_layer(num_layers=k(2)), torch_layer(at=at(2))),
            graph=(Edge(from_=at(1), to=at(2)),),
            hidden_state=HiddenState(initial=k("encoder")),
        ),
        UNTOLD, YOUR_CALL, "encoder and decoder are not told apart",
    ),
    (
        "H1",
        torch(
            recurrent_layers=(torch_layer(num_layers=k(2)), torch_layer(at=at(2))),
            graph=(Edge(from_=at(1), to=at(2), via=k("state")),),
        ),
        FOLLOWS, KEEP, "2 stacked LSTM layers",
    ),
    # H2
    ("H2", torch(dense_layers=()), NOT_APPLICABLE, KEEP, "no hidden dense layer"),
    (
        "H2", keras(dense_layers=(DenseLayer(units=k(8), role=k("hidden")), DenseLayer(units=k(1), role=k("output")))),
        FOLLOWS, YOUR_CALL, "hidden dense layer of 8 units",
    ),
    (
        "H2", torch(dense_layers=(DenseLayer(units=k(8), role=k("hidden")), DenseLayer(units=k(64), role=k("hidden")))),
        DEPARTS, KEEP, "hidden dense layers of 8 and 64 units",
    ),
    ("H2", torch(dense_layers=(DenseLayer(units=WHY, role=k("hidden")),)), UNTOLD, YOUR_CALL, "units of a dense layer"),
    ("H2", torch(dense_layers=(DenseLayer(units=k(8), role=WHY),)), UNTOLD, YOUR_CALL, "which dense layers are hidden"),
    ("H2", keras(dense_layers=WHY), UNTOLD, YOUR_CALL, "dense layers: **kwargs"),
    # H3
    ("H3", torch(dropouts=()), DEPARTS, YOUR_CALL, "no dropout"),
    ("H3", keras(dropouts=()), DEPARTS, YOUR_CALL, "no dropout"),
    (
        "H3", torch(dropouts=(Dropout(rate=k(0.2), position=k("pre-output")),)),
        FOLLOWS, KEEP, "0.2 before the output layer",
    ),
    ("H3", torch(dropouts=(Dropout(rate=k(0.2), position=k("unused")),)), DEPARTS, YOUR_CALL, "no dropout"),
    ("H3", torch(dropouts=(Dropout(rate=k(0.2), position=k("output")),)), DEPARTS, CHANGE, "0.2 on the output"),
    ("H3", torch(dropouts=(Dropout(rate=k(0.6), position=k("between")),)), DEPARTS, CHANGE, "0.6 between the layers"),
    ("H3", torch(dropouts=(Dropout(rate=k(0.6), position=k("input")),)), DEPARTS, YOUR_CALL, "0.6 on the input"),
    ("H3", keras(dropouts=(Dropout(rate=searched(0, 0.6)),)), DEPARTS, YOUR_CALL, "0 to 0.6 (searched) in the model"),
    ("H3", keras(dropouts=(Dropout(rate=searched(0, 0.4)),)), FOLLOWS, KEEP, "0 to 0.4 (searched)"),
    ("H3", keras(recurrent_layers=(keras_layer(dropout=k(20)),), dropouts=()), DEPARTS, CHANGE, "20 in the LSTM"),
    (
        "H3", keras(recurrent_layers=(keras_layer(recurrent_dropout=k(0.3)),), dropouts=()),
        FOLLOWS, KEEP, "0.3 on the state in the LSTM",
    ),
    (
        "H3", torch(recurrent_layers=(torch_layer(dropout=k(0.3)),), dropouts=()),
        DEPARTS, CHANGE, "dropout=0.3 of a single layer, which does nothing",
    ),
    (
        "H3", torch(recurrent_layers=(torch_layer(dropout=k(0.3), num_layers=k(2)),), dropouts=()),
        FOLLOWS, KEEP, "0.3 in the LSTM",
    ),
    (
        "H3", torch(recurrent_layers=(torch_layer(dropout=k(0.3), num_layers=WHY),), dropouts=()),
        UNTOLD, YOUR_CALL, "whether dropout acts",
    ),
    ("H3", torch(recurrent_layers=(torch_layer(dropout=WHY),), dropouts=()), UNTOLD, YOUR_CALL, "recurrent layer"),
    ("H3", torch(dropouts=(Dropout(rate=WHY),)), UNTOLD, YOUR_CALL, "dropout rate: **kwargs"),
    ("H3", keras(dropouts=WHY), UNTOLD, YOUR_CALL, "dropout: **kwargs"),
    ("H3", keras(dropouts=(), recurrent_layers=(keras_layer(recurrent_dropout=WHY),)), UNTOLD, YOUR_CALL, "the state"),
    # H4
    ("H4", NO_NET, NOT_APPLICABLE, KEEP, "no recurrent layer"),
    ("H4", torch(initializations=()), FOLLOWS, KEEP, "the framework's own"),
    (
        "H4", torch(initializations=(Initialization(at=at(3), target=k("weight_hh"), scheme=k("orthogonal")),)),
        FOLLOWS, KEEP, "weight_hh by orthogonal",
    ),
    (
        "H4", torch(initializations=(Initialization(at=at(3), target=k("weight_hh"), scheme=k("zeros_")),)),
        DEPARTS, YOUR_CALL, "weight_hh by zeros_",
    ),
    (
        "H4", torch(initializations=(Initialization(at=at(3), target=k("bias_hh"), scheme=k("zeros")),)),
        FOLLOWS, KEEP, "bias_hh by zeros",
    ),
    (
        "H4",
        torch(initializations=(Initialization(at=at(3), target=k("weight"), scheme=k("normal"), scale=k(1.0)),)),
        DEPARTS, CHANGE, "weight by normal with 1",
    ),
    (
        "H4", torch(initializations=(Initialization(at=at(3), target=k("state"), scheme=k("normal"), scale=k(1.0)),)),
        FOLLOWS, KEEP, "the framework's own",
    ),
    (
        "H4",
        torch(initializations=(Initialization(at=at(3), target=k("weight"), scheme=k("normal"), scale=k(0.02)),)),
        FOLLOWS, KEEP, "weight by normal",
    ),
    (
        "H4",
        torch(
            initializations=tuple(
                Initialization(at=at(n), target=k(f"weight_{n}"), scheme=k("orthogonal")) for n in range(5)
            )
        ),
        FOLLOWS, KEEP, "weight_0 by orthogonal, weight_1 by orthogonal, weight_2 by orthogonal and 2 more",
    ),
    ("H4", torch(initializations=WHY), UNTOLD, YOUR_CALL, "initialisation: **kwargs"),
    (
        "H4", keras(recurrent_layers=(keras_layer(kernel_initializer=WHY),), initializations=()),
        UNTOLD, YOUR_CALL, "initialisation: **kwargs",
    ),
    # H5
    ("H5", torch(optimizers=()), NOT_APPLICABLE, KEEP, "no optimizer"),
    ("H5", torch(), DEPARTS, KEEP, "no weight decay"),
    ("H5", keras(optimizers=(adam(weight_decay=default(None)),)), DEPARTS, KEEP, "no weight decay"),
    ("H5", torch(optimizers=(optimizer("SGD", weight_decay=k(0.97)),)), FOLLOWS, CHANGE, "weight_decay 0.97 in SGD"),
    ("H5", torch(optimizers=(adam(weight_decay=k(0.2), decoupled=k(False)),)), DEPARTS, CHANGE, "weight_decay 0.2"),
    (
        "H5", torch(optimizers=(adam(weight_decay=k(0.97), decoupled=WHY),)),
        FOLLOWS, YOUR_CALL, "weight_decay 0.97 in Adam",
    ),
    (
        "H5", torch(optimizers=(optimizer("AdamW", weight_decay=default(0.01)),)),
        DEPARTS, KEEP, "weight_decay 0.01 (framework default) in AdamW: a factor of 0.99999 per update",
    ),
    ("H5", keras(optimizers=(adam(0.01, weight_decay=k(0.97)),)), FOLLOWS, CHANGE, "a factor of 0.9903 per update"),
    ("H5", keras(optimizers=(adam(0.001, weight_decay=k(0.97)),)), FOLLOWS, YOUR_CALL, "weight_decay 0.97"),
    ("H5", torch(optimizers=(adam(weight_decay=k(1e-4), decoupled=k(False)),)), DEPARTS, KEEP, "weight_decay 0.0001"),
    ("H5", torch(optimizers=(adam(weight_decay=WHY),)), UNTOLD, YOUR_CALL, "weight decay: **kwargs"),
    (
        "H5", torch(schedules=(Schedule(name=k("ExponentialLR"), gamma=k(0.97), stepped=k("batch")),)),
        DEPARTS, CHANGE, "learning rate times 0.97 after each batch; no weight decay",
    ),
    (
        "H5", torch(schedules=(Schedule(name=k("ExponentialLR"), gamma=k(0.97), stepped=k("epoch")),)),
        DEPARTS, KEEP, "no weight decay",
    ),
    ("H5", torch(optimizers=WHY), UNTOLD, YOUR_CALL, "optimizer: **kwargs"),
    # H6
    ("H6", Program(path="a.py", recurrent_layers=(), losses=()), NOT_APPLICABLE, KEEP, "no gated layer and no loss"),
    (
        "H6", torch(losses=(Loss(name=k("CrossEntropyLoss"), input_activation=k("none")),)),
        FOLLOWS, KEEP, "tanh and sigmoid in the LSTM; no activation into CrossEntropyLoss",
    ),
    (
        "H6", torch(losses=(Loss(name=k("CrossEntropyLoss"), input_activation=k("softmax")),)),
        DEPARTS, CHANGE, "softmax into CrossEntropyLoss",
    ),
    (
        "H6", torch(losses=(Loss(name=k("cross_entropy"), input_activation=k("logsoftmax")),)),
        FOLLOWS, KEEP, "logsoftmax into cross_entropy",
    ),
    (
        "H6", torch(losses=(Loss(name=k("NLLLoss")),), output=Output(activation=k("softmax"))),
        DEPARTS, CHANGE, "softmax into NLLLoss",
    ),
    ("H6", torch(losses=(Loss(name=k("BCELoss"), input_activation=k("sigmoid")),)), FOLLOWS, KEEP, "sigmoid into BCE"),
    ("H6", torch(losses=(Loss(name=k("MSELoss"), input_activation=k("tanh")),)), DEPARTS, YOUR_CALL, "tanh into MSE"),
    ("H6", torch(losses=(Loss(name=k("CTCLoss")),)), FOLLOWS, KEEP, "tanh and sigmoid"),
    ("H6", torch(losses=(Loss(name=k("my_loss")),)), UNTOLD, YOUR_CALL, "what my_loss expects is not known"),
    ("H6", torch(losses=(Loss(name=WHY),)), UNTOLD, YOUR_CALL, "loss: **kwargs"),
    ("H6", torch(losses=(Loss(name=k("MSELoss"), input_activation=WHY),)), UNTOLD, YOUR_CALL, "last activation"),
    ("H6", torch(losses=WHY), UNTOLD, YOUR_CALL, "loss: **kwargs"),
    (
        "H6", keras(losses=(Loss(name=k("categorical_crossentropy")),), output=Output(activation=k("softmax"))),
        FOLLOWS, KEEP, "tanh and sigmoid gates in the LSTM; softmax into categorical_crossentropy",
    ),
    (
        "H6",
        keras(
            losses=(Loss(name=k("CategoricalCrossentropy"), from_logits=k(True)),),
            output=Output(activation=k("softmax")),
        ),
        DEPARTS, CHANGE, "softmax into CategoricalCrossentropy",
    ),
    (
        "H6",
        keras(losses=(Loss(name=k("CategoricalCrossentropy"), from_logits=WHY),), output=Output(activation=k("none"))),
        UNTOLD, YOUR_CALL, "whether the loss takes logits",
    ),
    (
        "H6", keras(losses=(), recurrent_layers=(keras_layer(activation=k("relu")),)),
        DEPARTS, CHANGE, "relu in the LSTM",
    ),
    (
        "H6", keras(losses=(), recurrent_layers=(keras_layer(activation=k("none")),)),
        DEPARTS, CHANGE, "no activation in the LSTM",
    ),
    (
        "H6", keras(losses=(), recurrent_layers=(keras_layer(activation=k("relu"), recurrent_activation=WHY),)),
        DEPARTS, CHANGE, "relu in the LSTM",
    ),
    ("H6", keras(losses=(), recurrent_layers=(keras_layer(recurrent_activation=WHY),)), UNTOLD, YOUR_CALL, "LSTM"),
    (
        "H6", keras(losses=(), recurrent_layers=(keras_layer(recurrent_activation=k("hard_sigmoid")),)),
        DEPARTS, YOUR_CALL, "hard_sigmoid gates",
    ),
    ("H6", keras(losses=(), recurrent_layers=(keras_layer(activation=WHY),)), UNTOLD, YOUR_CALL, "activations of"),
    (
        "H6", keras(losses=(), recurrent_layers=(keras_layer("SimpleRNN", activation=k("relu")),)),
        DEPARTS, YOUR_CALL, "relu in the SimpleRNN",
    ),
    ("H6", keras(losses=(), recurrent_layers=(keras_layer("SimpleRNN"),)), FOLLOWS, KEEP, "tanh in the SimpleRNN"),
    ("H6", keras(losses=(), recurrent_layers=(keras_layer("CuDNNLSTM", activation=WHY),)), FOLLOWS, KEEP, "CuDNNLSTM"),
    ("H6", torch(losses=(), recurrent_layers=(torch_layer("RNN", activation=WHY),)), UNTOLD, YOUR_CALL, "of the RNN"),
    # H7
    ("H7", NO_NET, NOT_APPLICABLE, KEEP, "no optimizer"),
    ("H7", torch(), DEPARTS, YOUR_CALL, "0.001 with Adam, not decaying"),
    (
        "H7", torch(schedules=(Schedule(name=k("CosineAnnealingLR"), stepped=k("epoch")),)),
        FOLLOWS, KEEP, "0.001 with Adam, CosineAnnealingLR",
    ),
    ("H7", torch(schedules=(Schedule(by_hand=k(True)),)), FOLLOWS, KEEP, "0.001 with Adam, lowered by hand"),
    ("H7", torch(schedules=(Schedule(name=k("StepLR"), stepped=k("never")),)), DEPARTS, YOUR_CALL, "not decaying"),
    ("H7", torch(optimizers=(adam(0.05),)), DEPARTS, CHANGE, "0.05 with Adam, not decaying"),
    ("H7", torch(optimizers=(adam(0.05),), schedules=(Schedule(name=k("StepLR")),)), FOLLOWS, CHANGE, "0.05 with Adam"),
    ("H7", torch(optimizers=(adam(0.05),), schedules=WHY), FOLLOWS, CHANGE, "0.05 with Adam"),
    ("H7", torch(optimizers=(adam(0.5),), schedules=WHY), DEPARTS, CHANGE, "0.5 with Adam"),
    ("H7", torch(schedules=WHY), UNTOLD, YOUR_CALL, "0.001 with Adam; schedule: **kwargs"),
    ("H7", torch(optimizers=(adam(-0.1),)), DEPARTS, CHANGE, "-0.1"),
    ("H7", torch(optimizers=(adam(1e-8),)), DEPARTS, CHANGE, "1e-8"),
    ("H7", keras(optimizers=(adam(searched(1e-4, 1e-1)),)), DEPARTS, YOUR_CALL, "0.0001 to 0.1 (searched) with Adam"),
    ("H7", torch(optimizers=(optimizer("SGD", 30.0),), clipping=(Clipping(),)), DEPARTS, KEEP, "30 with SGD"),
    ("H7", torch(optimizers=(optimizer("SGD", 30.0),), clipping=()), DEPARTS, CHANGE, "30 with SGD"),
    ("H7", torch(optimizers=(optimizer("SGD", 30.0),), clipping=WHY), DEPARTS, YOUR_CALL, "30 with SGD"),
    ("H7", keras(optimizers=(optimizer("SGD", default(0.01)),)), DEPARTS, CHANGE, "0.01 (framework default) with SGD"),
    ("H7", torch(optimizers=(optimizer("Adadelta", default(1.0)),)), DEPARTS, KEEP, "a scale of its own"),
    ("H7", torch(optimizers=(adam(WHY),)), UNTOLD, YOUR_CALL, "learning rate: **kwargs"),
    ("H7", torch(optimizers=WHY), UNTOLD, YOUR_CALL, "optimizer: **kwargs"),
    # H8
    ("H8", torch(), NOT_APPLICABLE, KEEP, "Adam is not SGD"),
    ("H8", keras(), NOT_APPLICABLE, KEEP, "Adam is not SGD"),
    ("H8", torch(optimizers=(optimizer("RMSprop"),)), NOT_APPLICABLE, KEEP, "RMSprop is not SGD"),
    ("H8", torch(optimizers=(optimizer("RMSprop", momentum=k(0.9)),)), FOLLOWS, KEEP, "0.9"),
    ("H8", torch(optimizers=(optimizer("SGD"),)), DEPARTS, YOUR_CALL, "no momentum"),
    ("H8", keras(optimizers=(optimizer("SGD", momentum=k(0.9)),)), FOLLOWS, KEEP, "0.9"),
    ("H8", keras(optimizers=(optimizer("SGD", momentum=k(0.95)),)), DEPARTS, YOUR_CALL, "0.95"),
    ("H8", torch(optimizers=(optimizer("SGD", momentum=k(1.5)),)), DEPARTS, CHANGE, "1.5"),
    ("H8", torch(optimizers=(optimizer("SGD", momentum=WHY),)), UNTOLD, YOUR_CALL, "momentum: **kwargs"),
    ("H8", torch(optimizers=(Optimizer(name=WHY),)), UNTOLD, YOUR_CALL, "optimizer: **kwargs"),
    ("H8", torch(optimizers=WHY), UNTOLD, YOUR_CALL, "optimizer: **kwargs"),
    # H9
    (
        "H9",
        keras(
            epochs=Known(value=100, via="argparse"), checkpoints=(),
            early_stopping=(
                EarlyStopping(monitor=k("val_loss"), patience=k(5), restores_best=k(True), can_act=k(True)),
            ),
        ),
        FOLLOWS, KEEP,
        "100 epochs (command-line default) at most, early stopping on val_loss, patience 5, best weights kept",
    ),
    (
        "H9", keras(checkpoints=(), early_stopping=(EarlyStopping(restores_best=default(False), can_act=k(True)),)),
        FOLLOWS, CHANGE, "last weights kept",
    ),
    (
        "H9",
        keras(
            checkpoints=(Checkpoint(reloaded=k(True)),),
            early_stopping=(EarlyStopping(restores_best=default(False), can_act=k(True)),),
        ),
        FOLLOWS, KEEP, "best weights kept",
    ),
    (
        "H9", keras(checkpoints=WHY, early_stopping=(EarlyStopping(restores_best=k(False), can_act=k(True)),)),
        FOLLOWS, YOUR_CALL, "early stopping",
    ),
    ("H9", keras(early_stopping=(EarlyStopping(can_act=WHY),)), UNTOLD, YOUR_CALL, "whether it can act: **kwargs"),
    (
        "H9", keras(early_stopping=(EarlyStopping(can_act=k(False), why_not=k("no validation data"), active=False),)),
        DEPARTS, CHANGE, "early stopping that cannot act: no validation data",
    ),
    (
        "H9", torch(epochs=k(30), early_stopping=(), validation=Validation(kind=k("data"))),
        DEPARTS, CHANGE, "30 epochs, no early stopping",
    ),
    (
        "H9", torch(epochs=k(29), early_stopping=(), validation=Validation(kind=k("data"))),
        DEPARTS, YOUR_CALL, "29 epochs, no early stopping",
    ),
    ("H9", torch(epochs=k(300), early_stopping=()), DEPARTS, YOUR_CALL, "300 epochs, no early stopping"),
    ("H9", torch(epochs=WHY, early_stopping=()), DEPARTS, YOUR_CALL, "an unknown number of epochs"),
    (
        "H9", torch(epochs=k(300), early_stopping=(), validation=Validation(kind=k("none"))),
        DEPARTS, CHANGE, "no validation data",
    ),
    (
        "H9", torch(epochs=k(300), early_stopping=(), checkpoints=(Checkpoint(on=k("validation")),)),
        DEPARTS, KEEP, "best checkpoint kept",
    ),
    (
        "H9", torch(epochs=k(3), early_stopping=(), validation=Validation(is_test_set=k(True), selects=k(True))),
        DEPARTS, CHANGE, "3 epochs, chosen by the test set",
    ),
    ("H9", torch(epochs=k(3), early_stopping=WHY), UNTOLD, YOUR_CALL, "3 epochs; early stopping: **kwargs"),
    # H10
    ("H10", keras(batch_size=default(32)), FOLLOWS, KEEP, "32 (framework default)"),
    ("H10", torch(batch_size=Known(value=128, via="config")), FOLLOWS, KEEP, "128 (configuration)"),
    ("H10", torch(batch_size=k(100)), DEPARTS, KEEP, "100"),
    ("H10", torch(batch_size=default(1)), DEPARTS, CHANGE, "1 (framework default)"),
    ("H10", torch(batch_size=k(1)), DEPARTS, YOUR_CALL, "1"),
    ("H10", torch(batch_size=k(4096)), DEPARTS, YOUR_CALL, "4096"),
    ("H10", torch(batch_size=k(64), dataset=Dataset(size=k(320))), DEPARTS, CHANGE, "64 of 320 samples"),
    ("H10", torch(batch_size=k(64), dataset=Dataset(size=k(319))), FOLLOWS, KEEP, "64"),
    ("H10", torch(batch_size=k(64), dataset=Dataset(size=k(640))), FOLLOWS, KEEP, "64"),
    ("H10", torch(batch_size=ABSENT), NOT_APPLICABLE, KEEP, "no batches"),
    ("H10", torch(batch_size=WHY), UNTOLD, YOUR_CALL, "batch size: **kwargs"),
    ("H10", torch(batch_size=k("auto")), UNTOLD, YOUR_CALL, "batch size: not a plain number"),
    # T1
    ("T1", torch(), FOLLOWS, KEEP, "Adam"),
    ("T1", keras(optimizers=(Optimizer(name=default("rmsprop")),)), FOLLOWS, KEEP, "rmsprop (framework default)"),
    ("T1", torch(optimizers=(optimizer("SGD"),), clipping=()), DEPARTS, CHANGE, "plain SGD: no momentum, no clipping"),
    ("T1", torch(optimizers=(optimizer("SGD"),), clipping=WHY), DEPARTS, YOUR_CALL, "SGD"),
    ("T1", torch(optimizers=(optimizer("SGD", momentum=k(0.9)),), clipping=()), DEPARTS, YOUR_CALL, "SGD"),
    ("T1", torch(optimizers=(optimizer("SGD", 20),), clipping=(Clipping(),)), DEPARTS, KEEP, "clipped SGD at a high"),
    ("T1", torch(optimizers=(optimizer("LBFGS"),)), DEPARTS, YOUR_CALL, "LBFGS"),
    ("T1", torch(optimizers=()), NOT_APPLICABLE, KEEP, "no optimizer"),
    ("T1", torch(optimizers=WHY), UNTOLD, YOUR_CALL, "optimizer: **kwargs"),
    ("T1", torch(optimizers=(Optimizer(name=WHY),)), UNTOLD, YOUR_CALL, "optimizer: **kwargs"),
    # T2
    ("T2", torch(optimizers=()), NOT_APPLICABLE, KEEP, "no optimizer"),
    (
        "T2", torch(clipping=(Clipping(kind=k("norm"), max=k(1.0), placement=k("ok")),)),
        FOLLOWS, KEEP, "clips the norm at 1",
    ),
    (
        "T2", torch(clipping=(Clipping(kind=k("value"), max=k(5), placement=k("ok")),)),
        FOLLOWS, YOUR_CALL, "clips the values at 5",
    ),
    (
        "T2", torch(clipping=(Clipping(kind=k("norm"), max=k(1.0), placement=k("after-step")),)),
        DEPARTS, CHANGE, "without effect: after-step",
    ),
    ("T2", torch(clipping=(Clipping(kind=k("norm"), placement=WHY),)), UNTOLD, YOUR_CALL, "when it clips: **kwargs"),
    ("T2", torch(clipping=(Clipping(kind=k("norm"), max=k(0), placement=k("ok")),)), DEPARTS, CHANGE, "norm at 0"),
    ("T2", keras(clipping=(), optimizers=(adam(global_clipnorm=k(1.0)),)), FOLLOWS, KEEP, "global_clipnorm 1"),
    ("T2", keras(clipping=(), optimizers=(adam(clipnorm=k(1.0)),)), FOLLOWS, YOUR_CALL, "clipnorm 1"),
    ("T2", keras(clipping=(), optimizers=(adam(clipvalue=k(0.5)),)), FOLLOWS, YOUR_CALL, "clipvalue 0.5"),
    ("T2", keras(clipping=(), optimizers=(adam(clipnorm=default(None)),)), DEPARTS, YOUR_CALL, "none"),
    ("T2", keras(clipping=(), optimizers=(adam(clipnorm=WHY),)), UNTOLD, YOUR_CALL, "clipnorm: **kwargs"),
    ("T2", torch(clipping=(), sequence_length=k(51)), DEPARTS, CHANGE, "none over 51 steps"),
    ("T2", torch(clipping=(), sequence_length=k(50)), DEPARTS, YOUR_CALL, "none over 50 steps"),
    ("T2", torch(clipping=(), sequence_length=k(10)), DEPARTS, KEEP, "none, but only over 10 steps"),
    ("T2", torch(clipping=(), sequence_length=WHY), DEPARTS, YOUR_CALL, "none"),
    ("T2", torch(clipping=(), optimizers=(optimizer("SGD"),)), DEPARTS, CHANGE, "none"),
    ("T2", torch(clipping=(), recurrent_layers=(torch_layer("RNN"),)), DEPARTS, CHANGE, "none"),
    ("T2", torch(clipping=(), optimizers=(optimizer("LBFGS"),)), NOT_APPLICABLE, KEEP, "LBFGS"),
    ("T2", NO_NET.model_copy(update={"optimizers": (adam(),), "clipping": ()}), DEPARTS, YOUR_CALL, "none"),
    ("T2", torch(clipping=(), sequence_length=k(1)), DEPARTS, KEEP, "none, but only over 1 step"),
    ("T2", torch(clipping=WHY), UNTOLD, YOUR_CALL, "clipping: **kwargs"),
    # T3
    ("T3", torch(losses=()), NOT_APPLICABLE, KEEP, "no loss"),
    ("T3", torch(losses=(Loss(name=k("MSELoss"), reduction=default("mean")),)), FOLLOWS, KEEP, "mean over steps"),
    (
        "T3", keras(losses=(Loss(name=k("mse"), reduction=default("sum_over_batch_size")),)),
        FOLLOWS, KEEP, "mean over steps",
    ),
    (
        "T3", torch(losses=(Loss(name=k("MSELoss"), reduction=k("sum"), divided_by=k("none")),)),
        DEPARTS, CHANGE, "sum, not divided",
    ),
    (
        "T3", torch(losses=(Loss(name=k("MSELoss"), reduction=k("sum"), divided_by=k("length")),)),
        FOLLOWS, KEEP, "divided by length",
    ),
    (
        "T3", torch(losses=(Loss(name=k("MSELoss"), reduction=k("sum"), divided_by=WHY),)),
        UNTOLD, YOUR_CALL, "reduction sum; what it is divided by: **kwargs",
    ),
    (
        "T3", torch(losses=(Loss(name=k("MSELoss"), reduction=k("none"), divided_by=ABSENT),)),
        UNTOLD, YOUR_CALL, "reduction is none",
    ),
    ("T3", torch(losses=(Loss(name=k("CTCLoss"), reduction=k("sum")),)), NOT_APPLICABLE, KEEP, "CTCLoss has its own"),
    (
        "T3",
        torch(
            losses=(Loss(name=k("MSELoss"), reduction=k("mean")),), padding=Padding(padded=k(True), in_loss=k(True))
        ),
        DEPARTS, CHANGE, "padding included",
    ),
    ("T3", torch(losses=(Loss(name=k("mine"), reduction=WHY),)), UNTOLD, YOUR_CALL, "how the loss is reduced"),
    ("T3", torch(losses=(Loss(name=k("mine"), reduction=ABSENT),)), UNTOLD, YOUR_CALL, "mine does not say"),
    ("T3", torch(losses=WHY), UNTOLD, YOUR_CALL, "loss: **kwargs"),
    # T4
    (
        "T4", torch(hidden_state=HiddenState(carried=k(True), detached=k(True)), sequence_length=k(35)),
        FOLLOWS, KEEP, "chunks of 35 steps, state carried on",
    ),
    (
        "T4", torch(hidden_state=HiddenState(carried=k(True), detached=k(False)), sequence_length=k(35)),
        DEPARTS, CHANGE, "carried without detaching",
    ),
    (
        "T4", torch(hidden_state=HiddenState(carried=k(True), detached=k(True)), sequence_length=k(400)),
        DEPARTS, YOUR_CALL, "chunks of 400 steps",
    ),
    ("T4", torch(hidden_state=HiddenState(carried=k(True)), sequence_length=k(900)), DEPARTS, CHANGE, "900 steps"),
    ("T4", torch(hidden_state=HiddenState(carried=k(True)), sequence_length=WHY), UNTOLD, YOUR_CALL, "of a chunk"),
    (
        "T4", torch(hidden_state=HiddenState(carried=k(False)), dataset=Dataset(kind=k("stream"))),
        DEPARTS, YOUR_CALL, "of one stream, each from a fresh state",
    ),
    (
        "T4", torch(hidden_state=HiddenState(carried=k(False)), sequence_length=k(28)),
        NOT_APPLICABLE, KEEP, "sequences of 28 steps fit in one piece",
    ),
    (
        "T4", torch(hidden_state=HiddenState(carried=k(False)), sequence_length=k(300)),
        DEPARTS, YOUR_CALL, "backpropagation through 300 steps",
    ),
    ("T4", torch(hidden_state=HiddenState(carried=k(False)), sequence_length=k(784)), DEPARTS, CHANGE, "784 steps"),
    (
        "T4", torch(hidden_state=HiddenState(carried=k(False)), sequence_length=WHY),
        UNTOLD, YOUR_CALL, "sequence length: **kwargs",
    ),
    (
        "T4", torch(hidden_state=HiddenState(carried=k(False)), sequence_length=ABSENT),
        UNTOLD, YOUR_CALL, "not a number in the code",
    ),
    ("T4", torch(hidden_state=HiddenState(carried=WHY), sequence_length=k(30)), UNTOLD, YOUR_CALL, "whether the state"),
    (
        "T4",
        torch(
            hidden_state=HiddenState(carried=WHY), sequence_length=k(30), dataset=Dataset(kind=k("independent"))
        ),
        NOT_APPLICABLE, KEEP, "sequences of 30 steps",
    ),
    ("T4", keras(sequence_length=k(784)), DEPARTS, CHANGE, "784 steps"),
    (
        "T4", keras(recurrent_layers=(keras_layer(stateful=k(True)),), sequence_length=k(50)),
        FOLLOWS, KEEP, "chunks of 50 steps",
    ),
    (
        "T4", keras(recurrent_layers=(keras_layer(stateful=WHY),), sequence_length=k(784)),
        UNTOLD, YOUR_CALL, "whether the state is carried on",
    ),
    # T5
    ("T5", NO_NET, NOT_APPLICABLE, KEEP, "no recurrent layer"),
    ("T5", torch(recurrent_layers=(torch_layer("GRU"),)), FOLLOWS, KEEP, "GRU"),
    ("T5", torch(), DEPARTS, KEEP, "LSTM; GRUs would save about a quarter of 20,992 recurrent parameters"),
    ("T5", keras(), DEPARTS, KEEP, "LSTM; GRUs would save about a quarter of 20,736 recurrent parameters"),
    ("T5", torch(recurrent_layers=(torch_layer(input_size=WHY),)), DEPARTS, KEEP, "LSTM"),
    ("T5", torch(recurrent_layers=(torch_layer(num_layers=k(3)),)), DEPARTS, KEEP, "LSTM; GRUs would save about a quarter of 87,552 recurrent parameters"),
    ("T5", torch(recurrent_layers=(torch_layer(num_layers=k(1e308)),)), DEPARTS, KEEP, "LSTM; GRUs would save about a quarter of 3,328"),
    ("T5", keras(recurrent_layers=(keras_layer("SimpleRNN"),)), DEPARTS, YOUR_CALL, "SimpleRNN"),
    ("T5", torch(recurrent_layers=(RecurrentLayer(kind=WHY),)), UNTOLD, YOUR_CALL, "kind of the recurrent layer"),
    ("T5", torch(recurrent_layers=WHY), UNTOLD, YOUR_CALL, "recurrent layers: **kwargs"),
    # T6
    ("T6", NO_NET, NOT_APPLICABLE, KEEP, "no recurrent layer"),
    ("T6", torch(normalizations=()), DEPARTS, YOUR_CALL, "none"),
    ("T6", torch(normalizations=(Normalization(kind=k("layer")),)), FOLLOWS, KEEP, "layer normalisation"),
    ("T6", keras(normalizations=(Normalization(kind=k("batch")),)), DEPARTS, YOUR_CALL, "batch normalisation, not"),
    ("T6", keras(normalizations=(Normalization(kind=WHY),)), UNTOLD, YOUR_CALL, "kind of normalisation"),
    ("T6", torch(normalizations=WHY), UNTOLD, YOUR_CALL, "normalisation: **kwargs"),
    # T7
    ("T7", torch(dense_layers=(), embeddings=()), DEPARTS, YOUR_CALL, "no dense layer before the recurrence"),
    ("T7", torch(dense_layers=(), embeddings=(Embedding(),)), NOT_APPLICABLE, KEEP, "through an embedding"),
    (
        "T7", keras(dense_layers=(DenseLayer(units=k(30), role=k("projection")),), embeddings=()),
        FOLLOWS, KEEP, "dense layer of 30 units before the recurrence",
    ),
    (
        "T7",
        torch(dense_layers=(DenseLayer(units=k(30), at=at(5)),), graph=(Edge(from_=at(5), to=at(1)),), embeddings=()),
        FOLLOWS, KEEP, "dense layer of 30 units",
    ),
    (
        "T7",
        torch(dense_layers=(DenseLayer(units=k(30), at=at(5)),), graph=(Edge(from_=at(1), to=at(5)),), embeddings=()),
        DEPARTS, YOUR_CALL, "no dense layer before",
    ),
    (
        "T7",
        torch(
            dense_layers=(DenseLayer(units=k(1), at=at(5), role=k("output")),), graph=(Edge(from_=at(5), to=at(1)),),
            embeddings=(),
        ),
        DEPARTS, YOUR_CALL, "no dense layer before",
    ),
    ("T7", NO_NET, NOT_APPLICABLE, KEEP, "no recurrent layer"),
    ("T7", torch(dense_layers=(DenseLayer(units=k(30)),), embeddings=()), UNTOLD, YOUR_CALL, "before the recurrence"),
    ("T7", torch(dense_layers=(), embeddings=WHY), UNTOLD, YOUR_CALL, "embeddings: **kwargs"),
    ("T7", torch(dense_layers=WHY), UNTOLD, YOUR_CALL, "dense layers: **kwargs"),
    # T8
    ("T8", torch(hidden_state=HiddenState(initial=k("learned"))), FOLLOWS, KEEP, "a learned state"),
    ("T8", torch(hidden_state=HiddenState(initial=k("zeros"))), DEPARTS, KEEP, "zeros"),
    ("T8", keras(hidden_state=HiddenState(initial=default("none"))), DEPARTS, KEEP, "zeros"),
    ("T8", torch(hidden_state=HiddenState(initial=k("random"))), DEPARTS, CHANGE, "fresh noise"),
    ("T8", keras(hidden_state=HiddenState(initial=k("encoder"))), NOT_APPLICABLE, KEEP, "from an encoder"),
    ("T8", torch(hidden_state=HiddenState(initial=k("zeros"), carried=k(True))), NOT_APPLICABLE, KEEP, "carried on"),
    ("T8", torch(hidden_state=HiddenState(initial=WHY)), UNTOLD, YOUR_CALL, "initial state: **kwargs"),
    # T9/T10
    ("T9/T10", NO_NET, NOT_APPLICABLE, KEEP, "no recurrent layer"),
    ("T9/T10", torch(recurrent_layers=(torch_layer("RNN"),)), NOT_APPLICABLE, KEEP, "no gates"),
    ("T9/T10", keras(), FOLLOWS, KEEP, "1 (framework default)"),
    ("T9/T10", keras(forget_bias=default(1.0)), FOLLOWS, KEEP, "1 (framework default)"),
    (
        "T9/T10", keras(recurrent_layers=(keras_layer(unit_forget_bias=k(True)),)),
        FOLLOWS, KEEP, "1 (unit_forget_bias=True)",
    ),
    (
        "T9/T10", keras(recurrent_layers=(keras_layer(unit_forget_bias=k(False)),)),
        DEPARTS, CHANGE, "unit_forget_bias=False",
    ),
    ("T9/T10", keras(recurrent_layers=(keras_layer(use_bias=k(False)),)), DEPARTS, YOUR_CALL, "no biases at all"),
    ("T9/T10", keras(recurrent_layers=(keras_layer(unit_forget_bias=WHY),)), UNTOLD, YOUR_CALL, "bias: **kwargs"),
    ("T9/T10", torch(forget_bias=ABSENT, sequence_length=k(30)), DEPARTS, YOUR_CALL, "not set: about 0 over 30 steps"),
    ("T9/T10", torch(forget_bias=default(0.0), sequence_length=k(29)), DEPARTS, KEEP, "not set: about 0 over 29 steps"),
    ("T9/T10", torch(forget_bias=ABSENT), DEPARTS, YOUR_CALL, "not set: about 0"),
    ("T9/T10", torch(forget_bias=k(2.0)), FOLLOWS, KEEP, "2 in force"),
    ("T9/T10", torch(forget_bias=k("chrono")), FOLLOWS, KEEP, "chrono"),
    ("T9/T10", torch(forget_bias=k(-1.0)), DEPARTS, CHANGE, "-1 in force"),
    ("T9/T10", torch(forget_bias=WHY), UNTOLD, YOUR_CALL, "forget bias: **kwargs"),
    (
        "T9/T10", torch(recurrent_layers=(torch_layer(gate_biases=k([{"input": 0, "forget": 1.0}])),), forget_bias=WHY),
        FOLLOWS, KEEP, "1 in force",
    ),
    (
        "T9/T10", keras(recurrent_layers=(keras_layer(unit_forget_bias=k(False)),), forget_bias=k(0.0)),
        DEPARTS, CHANGE, "unit_forget_bias=False",
    ),
    (
        "T9/T10",
        torch(recurrent_layers=(torch_layer(num_layers=k(2), gate_biases=k([{"layer": 0, "forget": 1.0}])),)),
        DEPARTS, YOUR_CALL, "set in 1 of 2 layers and directions",
    ),
    ("T9/T10", torch(recurrent_layers=(torch_layer("GRU"),), initializations=()), DEPARTS, KEEP, "the framework sets"),
    (
        "T9/T10", keras(recurrent_layers=(keras_layer("GRU", bias_initializer=default("zeros")),)),
        DEPARTS, KEEP, "as the framework sets",
    ),
    ("T9/T10", torch(recurrent_layers=(torch_layer("GRU"),), initializations=WHY), UNTOLD, YOUR_CALL, "of the GRU"),
    (
        "T9/T10", torch(recurrent_layers=(torch_layer("GRU", gate_biases=k({"update": -1.0, "reset": 0, "new": 0})),)),
        FOLLOWS, CHANGE, "update bias -1",
    ),
    (
        "T9/T10", torch(recurrent_layers=(torch_layer("GRU", gate_biases=k({"update": -1, "reset": -1, "new": -1})),)),
        FOLLOWS, YOUR_CALL, "all biases -1",
    ),
    (
        "T9/T10", torch(recurrent_layers=(torch_layer("GRU", gate_biases=k({"update": 0, "reset": -1, "new": 0})),)),
        FOLLOWS, YOUR_CALL, "reset bias -1",
    ),
    (
        "T9/T10", torch(recurrent_layers=(torch_layer("GRU", gate_biases=k({"update": 1, "reset": 0, "new": 0})),)),
        DEPARTS, KEEP, "update bias 1",
    ),
    ("T9/T10", torch(recurrent_layers=(RecurrentLayer(kind=WHY),)), UNTOLD, YOUR_CALL, "kind of the recurrent layer"),
    ("T9/T10", torch(recurrent_layers=WHY), UNTOLD, YOUR_CALL, "recurrent layers: **kwargs"),
    # T11
    ("T11", torch(dropouts=(), regularizers=(), early_stopping=()), DEPARTS, YOUR_CALL, "none"),
    ("T11", torch(dropouts=(Dropout(rate=k(0.2)),)), FOLLOWS, KEEP, "dropout"),
    ("T11", torch(optimizers=(optimizer("AdamW", weight_decay=default(0.01)),)), FOLLOWS, KEEP, "weight decay"),
    (
        "T11", keras(regularizers=(Regularizer(),), early_stopping=(EarlyStopping(),)),
        FOLLOWS, KEEP, "penalties on weights, early stopping",
    ),
    ("T11", torch(dropouts=(), regularizers=(), early_stopping=WHY), UNTOLD, YOUR_CALL, "regularisation: **kwargs"),
    ("T11", torch(dropouts=WHY, regularizers=(), early_stopping=()), UNTOLD, YOUR_CALL, "regularisation: **kwargs"),
    (
        "T11", torch(dropouts=(), regularizers=(), early_stopping=(), optimizers=(adam(weight_decay=WHY),)),
        UNTOLD, YOUR_CALL, "regularisation: **kwargs",
    ),
    # F1
    ("F1", torch(early_stopping=()), NOT_APPLICABLE, KEEP, "no early stopping"),
    ("F1", keras(early_stopping=(EarlyStopping(monitor=k("val_loss")),)), DEPARTS, KEEP, "stops by val_loss"),
    (
        "F1", keras(early_stopping=(EarlyStopping(monitor=k("loss")),), validation=Validation(kind=k("split"))),
        FOLLOWS, CHANGE, "stops by loss, measured on the training data",
    ),
    (
        "F1", keras(early_stopping=(EarlyStopping(monitor=k("loss")),), validation=Validation(kind=k("none"))),
        FOLLOWS, YOUR_CALL, "there are no others",
    ),
    ("F1", keras(early_stopping=(EarlyStopping(monitor=k("loss")),)), FOLLOWS, YOUR_CALL, "stops by loss"),
    ("F1", torch(early_stopping=(EarlyStopping(monitor=WHY),)), UNTOLD, YOUR_CALL, "what early stopping watches"),
    ("F1", torch(early_stopping=WHY), UNTOLD, YOUR_CALL, "early stopping: **kwargs"),
    # F2
    ("F2", torch(), NOT_APPLICABLE, KEEP, "statements"),
]  # fmt: skip


@pytest.mark.parametrize(("item", "program", "verdict", "action", "found"), CASES)
def test_judgement(item: str, program: Program, verdict: str, action: str, found: str) -> None:
    judged = line(item, program)
    assert (judged.verdict, judged.action) == (verdict, action), judged.found
    assert found in judged.found
    assert bool(judged.next) or action != CHANGE
    assert judged.next.endswith(".") or not judged.next


def test_every_item_in_the_order_of_the_article() -> None:
    expected = ["A01", "A02", *(f"H{n}" for n in range(1, 11)), *(f"T{n}" for n in range(1, 9)), "T9/T10", "T11", "F1"]
    card = scorecard(torch(), (), ())
    assert [one.item for one in card] == [*expected, "F2"] == [*JUDGES] == [one.item for one in ARTICLE]
    assert {one.program for one in card} == {"train.py"}


def test_each_item_has_a_case_for_each_verdict_that_can_occur() -> None:
    never = {
        "A01": {NOT_APPLICABLE}, "A02": {NOT_APPLICABLE}, "H3": {NOT_APPLICABLE}, "H9": {NOT_APPLICABLE},
        "T11": {NOT_APPLICABLE}, "F2": {FOLLOWS, DEPARTS, UNTOLD},
    }  # fmt: skip
    for item in JUDGES:
        seen = {verdict for case, _, verdict, _, _ in CASES if case == item}
        assert seen == {FOLLOWS, DEPARTS, NOT_APPLICABLE, UNTOLD} - never.get(item, set()), item


@pytest.mark.parametrize("framework", ["pytorch", "keras", "both"])
def test_nothing_known_is_nothing_told(framework: str) -> None:
    card = scorecard(Program.model_validate({"path": "a.py", "framework": framework, "api": "loop"}), (), ())
    assert {one.item for one in card if one.verdict != UNTOLD} == {"F2"}
    assert all("not examined" in one.found and one.action == YOUR_CALL for one in card if one.item != "F2")


def test_a_module_that_trains_nothing() -> None:
    program = Program(path="model.py", framework="pytorch", recurrent_layers=(torch_layer(),), optimizers=())
    told = {one.item: one for one in scorecard(program, (), ())}
    assert told["H9"].found == told["T2"].found == told["A02"].found == "the file trains nothing"
    assert told["H1"].verdict == FOLLOWS


def test_keras_and_pytorch_layers_in_one_program() -> None:
    mixed = {"framework": "both", "recurrent_layers": (torch_layer(), keras_layer(at=at(2))), "forget_bias": ABSENT}
    told = line("T9/T10", torch().model_copy(update=mixed))
    assert told.verdict == DEPARTS
    assert told.found == "not set: about 0; 1 (framework default)"
    cells = line("H6", torch().model_copy(update={**mixed, "losses": ()}))
    assert cells.found == "tanh and sigmoid in the LSTM; tanh and sigmoid gates in the LSTM"


def written(value: Any, place: Place | None) -> Known:
    return Known(value=value, at=place)


@pytest.mark.parametrize("place", [at(40), None])
def test_places_are_where_values_are_written_else_where_the_item_is_made(place: Place | None) -> None:
    item: dict[str, Any] = {"at": at(9)}
    cell = {"at": at(9), "recurrent_activation": default("sigmoid")}
    scheme = Initialization(target=k("weights"), scheme=k("normal"), scale=written(1.0, place), **item)
    stop = EarlyStopping(monitor=written("loss", place), **item)
    clip = Clipping(kind=k("norm"), max=written(1.0, place), placement=k("ok"), **item)
    cases = {
        "H1": torch(recurrent_layers=(torch_layer(num_layers=written(3, place), **item),)),
        "H2": torch(dense_layers=(DenseLayer(units=written(64, place), role=k("hidden"), **item),)),
        "H3": torch(dropouts=(Dropout(rate=written(0.3, place), **item),)),
        "H4": torch(initializations=(scheme,)),
        "H5": torch(optimizers=(optimizer("SGD", weight_decay=written(0.97, place)),)),
        "H6": keras(recurrent_layers=(keras_layer(activation=written("relu", place), **cell),), losses=()),
        "H7": torch(optimizers=(adam(written(0.5, place)),)),
        "H8": torch(optimizers=(optimizer("SGD", momentum=written(0.9, place)),)),
        "H9": torch(validation=Validation(is_test_set=written(True, place), selects=k(True), **item)),
        "T1": torch(optimizers=(Optimizer(name=written("Adam", place), **item),)),
        "T2": torch(clipping=(clip,)),
        "T3": torch(losses=(Loss(name=k("MSELoss"), reduction=written("mean", place), **item),)),
        "T4": torch(hidden_state=HiddenState(carried=k(True), detached=written(False, place), **item)),
        "T8": torch(hidden_state=HiddenState(initial=written("learned", place), **item)),
        "T9/T10": keras(recurrent_layers=(keras_layer(unit_forget_bias=written(False, place), **item),)),
        "T11": torch(optimizers=(optimizer("SGD", weight_decay=written(0.1, place)),)),
        "F1": torch(early_stopping=(stop,)),
    }
    assert {name: line(name, program).at for name, program in cases.items()} == dict.fromkeys(cases, place or at(9))


@pytest.mark.parametrize("place", [at(40), None])
def test_further_places(place: Place | None) -> None:
    def of_layer(item: str, **facts: Any) -> Place | None:
        return line(item, keras(losses=(), recurrent_layers=(keras_layer(**facts),))).at

    expected = place or at(1)
    assert of_layer("H6", recurrent_activation=written("hard_sigmoid", place)) == expected
    assert of_layer("H6", kind="SimpleRNN", activation=written("relu", place)) == expected
    assert of_layer("T9/T10", use_bias=written(False, place)) == expected
    assert of_layer("T9/T10", unit_forget_bias=Unknown(unknown="?", at=place)) == expected
    assert of_layer("H3", recurrent_dropout=written(0.9, place)) == expected
    assert line("T9/T10", torch(forget_bias=written(1.0, place))).at == expected
    gates = written([{"layer": 0, "forget": 1.0}], place)
    assert line("T9/T10", torch(recurrent_layers=(torch_layer(gate_biases=gates),))).at == expected
    clipped = keras(clipping=(), optimizers=(adam(clipnorm=written(1.0, place)),))
    assert line("T2", clipped).at == (place or at(9))
    frozen = Schedule(name=k("ExponentialLR"), gamma=written(0.97, place), stepped=k("batch"), at=at(9))
    assert line("H5", torch(schedules=(frozen,))).at == (place or at(9))
    loss = Loss(name=k("NLLLoss"), input_activation=written("softmax", place), at=at(1))
    assert line("H6", torch(losses=(loss,))).at == expected


def test_places_of_what_is_missing() -> None:
    backward = TrainingStep(order=(Step(kind="forward", at=at(20)), Step(kind="backward", at=at(21))))
    assert line("T2", torch(clipping=(), training_step=backward)).at == at(21)
    assert line("T2", keras(clipping=())).at == at(9)
    assert line("T6", torch(normalizations=())).at == at(1)
    assert line("T8", torch(hidden_state=HiddenState(initial=k("zeros")))).at == at(1)
    deeper = torch_layer(num_layers=k(2), at=at(2), model=k("B"))
    assert line("H1", torch(recurrent_layers=(torch_layer(model=k("A")), deeper))).at == at(2)


@pytest.mark.parametrize(
    ("item", "program", "verdict", "action"),
    [
        ("H10", torch(batch_size=k(8)), DEPARTS, KEEP),
        ("H10", torch(batch_size=k(7)), DEPARTS, YOUR_CALL),
        ("H10", torch(batch_size=k(1024)), DEPARTS, KEEP),
        ("H10", torch(batch_size=k(1025)), DEPARTS, YOUR_CALL),
        ("H10", torch(batch_size=searched(32, 100)), DEPARTS, KEEP),
        ("H3", torch(dropouts=(Dropout(rate=k(0.5), position=k("head")),)), FOLLOWS, KEEP),
        ("H3", torch(dropouts=(Dropout(rate=k(1), position=k("head")),)), DEPARTS, CHANGE),
        ("H3", torch(dropouts=(Dropout(rate=k(-0.1), position=k("head")),)), DEPARTS, CHANGE),
        ("H3", torch(dropouts=(Dropout(rate=k(0.5), position=k("input")),)), FOLLOWS, KEEP),
        ("H5", keras(optimizers=(adam(0.001, weight_decay=k(1.0)),)), DEPARTS, YOUR_CALL),
        ("H5", keras(optimizers=(adam(0.01, weight_decay=k(0.09)),)), DEPARTS, KEEP),
        ("H5", keras(optimizers=(adam(0.001, weight_decay=k(0.9)),)), FOLLOWS, YOUR_CALL),
        ("H5", torch(optimizers=(optimizer("SGD", weight_decay=k(0.1)),)), DEPARTS, CHANGE),
        ("H5", torch(optimizers=(optimizer("SGD", weight_decay=k(0.09)),)), DEPARTS, KEEP),
        ("H7", torch(optimizers=(adam(0.01),)), DEPARTS, YOUR_CALL),
        ("H7", torch(optimizers=(adam(1e-6),)), DEPARTS, YOUR_CALL),
        ("H7", torch(optimizers=(adam(0),)), DEPARTS, CHANGE),
        ("H7", torch(optimizers=(adam(searched(-1, 0.01)),)), DEPARTS, CHANGE),
        ("H7", torch(optimizers=(optimizer("SGD", 1.0),), clipping=()), DEPARTS, KEEP),
        ("H7", torch(optimizers=(optimizer("SGD", 0.1),), schedules=(Schedule(),)), FOLLOWS, KEEP),
        ("H7", torch(optimizers=(optimizer("SGD", 0.01),), schedules=(Schedule(),)), FOLLOWS, KEEP),
        ("H7", torch(optimizers=(optimizer("SGD", default(0.001), momentum=k(0.9)),)), DEPARTS, YOUR_CALL),
        ("H8", torch(optimizers=(optimizer("SGD", momentum=k(0.5)),)), FOLLOWS, KEEP),
        ("H8", torch(optimizers=(optimizer("SGD", momentum=k(0.4)),)), DEPARTS, YOUR_CALL),
        ("H8", torch(optimizers=(optimizer("SGD", momentum=k(0.99)),)), DEPARTS, YOUR_CALL),
        ("T1", torch(optimizers=(optimizer("SGD", 1),), clipping=(Clipping(),)), DEPARTS, KEEP),
        ("T1", torch(optimizers=(optimizer("SGD", 0.9),), clipping=(Clipping(),)), DEPARTS, YOUR_CALL),
        ("T4", torch(hidden_state=HiddenState(carried=k(True)), sequence_length=k(250)), FOLLOWS, KEEP),
        ("T4", torch(hidden_state=HiddenState(carried=k(True)), sequence_length=k(500)), DEPARTS, YOUR_CALL),
        ("T4", torch(hidden_state=HiddenState(carried=k(False)), sequence_length=k(200)), NOT_APPLICABLE, KEEP),
        ("T4", torch(hidden_state=HiddenState(carried=k(False)), sequence_length=k(500)), DEPARTS, YOUR_CALL),
        ("T9/T10", torch(forget_bias=k(0.5)), FOLLOWS, KEEP),
        ("T9/T10", torch(forget_bias=k(-0.25)), DEPARTS, YOUR_CALL),
        ("H4", torch(initializations=(Initialization(scheme=k("normal"), scale=k(0.5)),)), DEPARTS, CHANGE),
        ("H4", torch(initializations=(Initialization(scheme=k("xavier_normal"), scale=k(1.0)),)), FOLLOWS, KEEP),
        ("T11", torch(dropouts=(Dropout(rate=k(1.0)),), regularizers=(), early_stopping=()), DEPARTS, YOUR_CALL),
    ],
)
def test_limits(item: str, program: Program, verdict: str, action: str) -> None:
    judged = line(item, program)
    assert (judged.verdict, judged.action) == (verdict, action), judged.found


def test_only_what_both_choose_and_are_the_test_set_count_as_chosen_by_it() -> None:
    for watched in (Validation(is_test_set=k(True), selects=k(False)), Validation(is_test_set=WHY, selects=k(True))):
        assert "test set" not in line("H9", torch(epochs=k(3), early_stopping=(), validation=watched)).found


def test_early_stopping_and_checkpoints_that_do_not_count() -> None:
    aside = EarlyStopping(can_act=k(True), restores_best=k(True), active=False)
    assert line("H9", torch(epochs=k(3), early_stopping=(aside,))).found == "3 epochs, no early stopping"
    for unfit in (Checkpoint(on=k("validation"), aliased=k(True)), Checkpoint(on=k("training"))):
        assert "best" not in line("H9", torch(epochs=k(3), early_stopping=(), checkpoints=(unfit,))).found


def test_steps_suit_the_case() -> None:
    assert "`clip_grad_norm_`" in line("T2", torch(clipping=())).next
    assert "`global_clipnorm`" in line("T2", keras(clipping=())).next
    nothing = Clipping(kind=k("norm"), max=k(0), placement=k("ok"))
    assert "sets every gradient to zero" in line("T2", torch(clipping=(nothing,))).next
    assert "switches clipping off" in line("T2", keras(clipping=(nothing,))).next
    each = Clipping(kind=k("norm"), max=k(1), placement=k("ok"), per_variable=k(True))
    told = line("T2", keras(clipping=(each,)))
    assert (told.found, told.action) == ("clips the norm at 1, each variable by itself", YOUR_CALL)
    assert line("T1", torch(optimizers=(optimizer("LBFGS"),))).next == ""
    assert "Adam" in line("T1", torch(optimizers=(optimizer("SGD"),))).next
    assert line("H10", torch(batch_size=k(2))).next == "Try 32."
    assert "smaller" in line("H10", torch(batch_size=k(2048))).next
    checks = {one.item: one.check for one in ARTICLE}
    assert line("H7", torch(optimizers=WHY)).next == checks["H7"]
    assert line("H10", torch(batch_size=k(100))).next == ""


def test_why_it_could_not_be_told_is_the_fact_that_lacked() -> None:
    gru = torch_layer("GRU", gate_biases=Unknown(unknown="some slice"))
    assert line("T9/T10", torch(recurrent_layers=(gru,), initializations=WHY)).found.endswith("some slice")
    assert line("T9/T10", torch(recurrent_layers=(torch_layer("GRU"),), initializations=WHY)).found.endswith("**kwargs")
    stream = torch(hidden_state=HiddenState(carried=k(False)), dataset=Dataset(kind=k("stream")))
    assert "chunks of unknown length of one stream" in line("T4", stream).found
    lengthy = stream.model_copy(update={"sequence_length": k(60)})
    assert "chunks of 60 steps of one stream" in line("T4", lengthy).found


def test_notes_suit_the_framework() -> None:
    assert "Keras sets 1 by itself" in line("T9/T10", keras()).note
    assert "PyTorch adds two bias vectors" in line("T9/T10", torch(forget_bias=ABSENT)).note
    assert "PyTorch's `dropout=`" in line("H3", torch(dropouts=())).note
    assert "PyTorch's `dropout=`" not in line("H3", keras(dropouts=())).note
    assert "Dropout with every recurrent layer" in line("H3", keras(dropouts=())).note
    assert "By activation means" in line("H4", torch(initializations=())).note
    assert "Overlapping chunks" in line("T4", torch()).note
    assert "`min_delta`" in line("F1", torch(early_stopping=())).note
    entropy = (Loss(name=k("cross_entropy"), input_activation=k("none")),)
    assert "hold the softmax" in line("H6", torch(losses=entropy)).note
    assert "hold the softmax" not in line("H6", keras(losses=())).note
    squares = (Loss(name=k("mse"), input_activation=k("none")),)
    assert "leaves regression out" in line("H6", torch(losses=squares)).note
    assert "leaves regression out" not in line("H6", torch(losses=entropy)).note
    assert "Under Adam" in line("T2", torch(clipping=())).note
    assert "Under Adam" not in line("T2", torch(clipping=(), optimizers=(optimizer("SGD"),))).note
    assert "Keras' EarlyStopping" in line("H9", keras(early_stopping=())).note
    assert "Keras' EarlyStopping" not in line("H9", torch(early_stopping=())).note


@pytest.mark.parametrize("item", [one.item for one in ARTICLE])
def test_every_item_says_something_of_the_article(item: str) -> None:
    said = next(one for one in ARTICLE if one.item == item)
    noted = [line(case, program).note for case, program, *_ in CASES if case == item]
    assert set(said.grade.split("/")) <= set("ABCX")
    assert said.says.endswith(".")
    assert any(noted)


def loud(rule: str, topic: str, severity: Severity = Severity.WARNING, **facts: Any) -> Finding:
    usual = {"at": at(77), "message": "it is wrong", "help": "do better", "code": "LA1"}
    return Finding(rule=rule, topic=topic, severity=severity, **{**usual, **facts})


def test_a_loud_finding_calls_for_a_change() -> None:
    calm = line("T3", torch(losses=(Loss(name=k("MSELoss"), reduction=k("mean")),)))
    raised = line(
        "T3", torch(losses=(Loss(name=k("MSELoss"), reduction=k("mean")),)), loud("sums", "loss-normalisation")
    )
    assert (calm.action, raised.action) == (KEEP, CHANGE)
    assert (raised.verdict, raised.found) == (calm.verdict, calm.found)
    assert (raised.next, raised.at) == ("Do better (LA1 sums).", at(77))
    assert line("T3", torch(losses=()), loud("sums", "loss-normalisation", help="")).next == "It is wrong (LA1 sums)."


def test_the_worst_of_several_findings_leads() -> None:
    warning, error = loud("a", "batch-size"), loud("b", "batch-size", Severity.ERROR, help="stop that")
    assert line("H10", torch(batch_size=k(32)), warning, error).next == "Stop that (LA1 a, LA1 b)."


def test_a_finding_is_named_where_a_change_is_due_anyway() -> None:
    told = line("A02", torch(seeds=()), loud("no-seed", "determinism"))
    assert told.next == "Call `torch.manual_seed(0)` before the model is built (LA1 no-seed)."


def test_findings_that_do_not_count() -> None:
    program = torch(batch_size=k(32))
    told = loud("a", "batch-size")
    failed = Outcome(rule="a", code="LA1", topic="batch-size", program="train.py", state="failed")

    def action(finding: Finding, outcome: Outcome = failed) -> str:
        return next(one.action for one in scorecard(program, [outcome], [finding]) if one.item == "H10")

    assert action(told) == CHANGE
    assert action(loud("a", "batch-size", Severity.ADVICE)) == KEEP
    assert action(loud("a", "determinism")) == KEEP
    assert action(loud("a", "batch-size", at=Place(path="other.py", line=1))) == KEEP
    states: list[State] = ["passed", "undecided"]
    assert [action(told, failed.model_copy(update={"state": state})) for state in states] == [KEEP, KEEP]
    assert action(told, failed.model_copy(update={"program": "other.py"})) == KEEP


def test_rules_that_answer_another_item_than_their_topic() -> None:
    found = loud("stops-on-training-loss", "epochs/early-stopping")
    assert line("F1", torch(early_stopping=()), found).action == CHANGE
    assert line("H9", torch(epochs=k(3), early_stopping=()), found).action == YOUR_CALL
    assert line("T4", torch(), loud("not-shuffled", "shuffle-state")).action == YOUR_CALL
    assert line("T4", torch(), loud("state-carried-across-shuffled-batches", "shuffle-state")).action == CHANGE


def test_parts_add_up() -> None:
    keep, wrong, open_ = follows("a"), departs("b", action="change", next="Do."), untold("c", WHY)
    assert joined([keep, open_, wrong]).found == "b; a; c: **kwargs"
    assert joined([keep, open_, wrong]).verdict == "departs"
    assert joined([keep, open_]).verdict == "could not tell"
    assert joined([keep, departs("b"), open_]).verdict == "departs"
    assert joined([inapplicable("n"), keep]).found == "a"
    assert joined([inapplicable("n"), inapplicable("m")]).found == "n"


def test_words() -> None:
    assert worded(Known(value=1e-05, via="argparse")) == "1e-5 (command-line default)"
    assert worded(Known(value=30, via="config"), "epochs") == "30 epochs (configuration)"
    assert worded(Known(value={"low": None, "high": None, "choices": [16, 32]}, via="search")) == "16 or 32 (searched)"
    assert (worded(WHY), worded(WHY, "epochs")) == ("unknown", "an unknown number of epochs")
    assert worded(k(1), "epochs") == "1 epoch"
    assert (worded(ABSENT), worded(ABSENT, "epochs")) == ("none", "no epochs")
    assert [shown(True), shown(None), shown(1e20), shown([1, 2])] == ["yes", "?", "1e+20", "1 and 2"]
    assert enumerated(["a", "b", "a", "c"]) == "a, b and c"
    assert span(searched(1, 3)) == (1, 3)
    assert span(k([4, 2])) == (2, 4)
    assert span(k(True)) is span(k("many")) is span(ABSENT) is span(Known(value={"low": 1}, via="search")) is None


def rendered(*lines: ScorecardLine, columns: int = 100, everything: bool = False, color: bool = False) -> str:
    return "\n".join(scorecard_text(lines, Paint(color), columns, everything))


def card_line(**facts: Any) -> ScorecardLine:
    usual = {
        "item": "H3", "title": "Dropout", "says": "At most 50 %.", "found": "0.7 in the head", "verdict": "departs",
        "action": "change", "grade": "B", "note": "20 % is folklore.", "next": "Lower it.", "at": at(4),
        "program": "train.py",
    }  # fmt: skip
    return ScorecardLine.model_validate({**usual, **facts})


def test_the_scorecard_for_people() -> None:
    shown_ = rendered(
        card_line(item="F2", title="In passing", verdict="does not apply", action="keep", next=""),
        card_line(item="H10", title="Batch size", verdict="departs", action="keep", found="100", next=""),
        card_line(item="T2", title="Clipping", verdict="could not tell", action="your call", found="a: why"),
        card_line(item="T8", title="State", verdict="follows", action="your call", found="yes", at=None),
        card_line(),
        columns=60,
    )
    assert (
        shown_
        == """\
The article, held against train.py
  To change (1)
    ✗ departs  H3   Dropout     0.7 in the head  train.py:4
                                → Lower it.
  Your call (1)
    ✓ follows  T8   State       yes
                                → Lower it.
  To keep (1)
    ✗ departs  H10  Batch size  100  train.py:4
  Could not tell (1)
    ?  T2   Clipping    a: why  train.py:4
  Does not apply (1): F2 In passing
  What the article says, and where it is wrong: --all"""
    )


def test_everything_unfolds_the_notes() -> None:
    unfolded = rendered(card_line(verdict="does not apply", action="keep"), card_line(item="T1"), everything=True)
    assert unfolded.count("article [B]: At most 50 %.") == unfolded.count("note: 20 % is folklore.") == 2
    assert "  Does not apply (1)\n    ·  H3  Dropout  0.7 in the head  train.py:4\n" in unfolded
    assert "--all" not in unfolded
    assert "note:" not in rendered(card_line(note=""), everything=True)


def test_what_could_not_be_told_but_must_change_is_shown_with_the_step() -> None:
    shown_ = rendered(card_line(verdict="could not tell"))
    assert "To change (1)\n    ? could not tell  H3" in shown_
    assert "→ Lower it." in shown_


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    cards = [one for _, program, *_ in CASES[::9] for one in scorecard(program, (), ())]
    for everything in (False, True):
        for text in scorecard_text(cards, Paint(), columns, everything):
            assert max(map(len, text.splitlines())) <= columns


def test_each_program_has_its_own_card() -> None:
    both = scorecard_text([card_line(), card_line(program="b.py"), card_line()], Paint(), 80)
    assert [text.splitlines()[0].split()[-1] for text in both] == ["train.py", "b.py"]
    assert both[0].count("Dropout") == 2
    assert scorecard_text([], Paint(), 80) == []


def test_text_from_user_code_is_made_safe_and_places_stay_whole() -> None:
    place = Place(path="a\x1b.ipynb", cell=3, line=4)
    shown_ = rendered(card_line(found="x\x1b[31m" + " word" * 9, next="y\x1b", at=place, program="\x1b"), columns=60)
    assert "\x1b" not in shown_
    assert "a\\x1b.ipynb:cell 3:4" in shown_
    colored = rendered(card_line(), color=True)
    assert "\x1b[1;33m✗ departs\x1b[0m" in colored
    assert "\x1b[2mtrain.py:4\x1b[0m" in colored


@pytest.fixture
def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command on the program of the small pack, and gives what it wrote."""
    install_pack(tmp_path / "pack", monkeypatch)
    install_extractor(monkeypatch)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def run(command: str, *options: str, script: str = SCRIPT) -> str:
        Path("train.py").write_text(script)
        return CliRunner().invoke(main, [command, "train.py", "--isolated", *options]).stdout

    return run


def carried(shown_: str) -> dict[str, dict[str, Any]]:
    return {one["item"]: one for one in json.loads(shown_)["scorecard"]}


def test_an_audit_carries_the_scorecard_in_json(audited: Callable[..., str]) -> None:
    card = carried(audited("audit", "--format", "json"))
    assert list(card) == [*JUDGES]
    assert list(card["H3"])[:9] == ["item", "title", "says", "found", "verdict", "action", "grade", "note", "at"]
    assert (card["H3"]["verdict"], card["H3"]["action"], card["H3"]["at"]["line"]) == (DEPARTS, CHANGE, 4)
    assert card["T2"]["found"] == "clips the gradients, without effect: after-step"
    assert carried(audited("check", "--format", "json")) == {}


def test_an_audit_shows_the_scorecard(audited: Callable[..., str]) -> None:
    folded, unfolded = audited("audit"), audited("audit", "--all")
    assert "The article, held against train.py" in folded
    assert ("note:" in folded, "note: Clip the global norm" in unfolded) == (False, True)
    assert "The article" not in audited("audit", "--quiet")
    assert "The article" not in audited("check")


def test_findings_that_are_folded_still_count_and_silenced_ones_do_not(audited: Callable[..., str]) -> None:
    found = carried(audited("audit", "--format", "json", "--min-severity", "error"))
    assert found["H3"]["next"] == "Lower the rate to 0.5 or less; begin with 0.2 (LA201 dropout-too-high)."
    silenced = SCRIPT.replace("# \x1b[31mred", "# noqa: LA201")
    found = carried(audited("audit", "--format", "json", script=silenced))
    assert found["H3"]["next"] == "Lower the rate to 0.5 or less; begin with 0.2."
