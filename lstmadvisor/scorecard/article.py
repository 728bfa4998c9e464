"""What the article recommends, item by item, in our own words: data, no judgement.

K. Chowdhury, "10 Hyperparameters to keep an eye on for your LSTM model, and other tips", 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Recommendation:
    """One item of the article."""

    item: str
    title: str
    says: str
    grade: str
    """A: theory or several studies, B: good practice, C: folklore, X: wrong as it stands; several for its parts"""
    check: str
    """what to look at by hand where the code does not tell"""
    topics: frozenset[str] = frozenset()
    """whose loud findings call for a change"""


def _item(item: str, title: str, grade: str, says: str, check: str = "", topics: str = "") -> Recommendation:
    return Recommendation(item, title, says, grade, check, frozenset(topics.split()))


ARTICLE: Final = (
    _item(
        "A01", "Tuning", "B",
        "Search for hyperparameters with Keras Tuner, Bayesian optimisation or grid search.",
        "See what the search maximises: it must be measured on validation data, never on the test set.",
        "tuning",
    ),
    _item(
        "A02", "Repeated runs", "A",
        "Results differ from run to run; compare configurations over several.",
        "Make sure that the framework's own generator is seeded before the model is built.",
        "determinism",
    ),
    _item(
        "H1", "Units and layers", "B/C",
        "One hidden layer for simple problems, two for complex ones; many units with regularisation, as too few "
        "underfit.",
        "Count the recurrent layers that feed each other: two are a good start, four need skip connections.",
        "layers",
    ),
    _item(
        "H2", "Dense layers", "C/X",
        "Dense layers of 5 to 10 units are a good basis.",
        "Make sure that no hidden layer is narrower than half the number of classes.",
        "dense-units",
    ),
    _item(
        "H3", "Dropout", "A/B/C",
        "Dropout with every LSTM layer, on the input too if you like, never on the output; start at 20 %, stay at or "
        "below 50 %.",
        "Make sure that no dropout follows the last layer and that no rate is above 0.5.",
        "dropout-missing dropout-too-high dropout-noop dropout-on-output recurrent-dropout-cudnn",
    ),
    _item(
        "H4", "Initialisation", "A/B",
        "Choose it by the activation, mostly uniform; small random numbers, never all zeros.",
        "Make sure that the weights are random and small: a standard deviation below 0.5.",
        "init-bad",
    ),
    _item(
        "H5", "Decay rate", "X",
        "After each update multiply the weights by a factor slightly below 1; 0.97 is a sufficient default.",
        "Make sure that weight_decay is far below 0.1 and that nothing multiplies the weights by hand.",
        "weight-decay",
    ),
    _item(
        "H6", "Activations", "A/X",
        "Sigmoid and tanh inside the block; sigmoid for a binary output, softmax for several classes; the rectifier is "
        "the most popular.",
        "Hold the last activation against what the loss expects: logits or probabilities.",
        "activation-mismatch recurrent-activation",
    ),
    _item(
        "H7", "Learning rate", "B",
        "Small and positive, usually at most 0.1; a decaying one is preferred.",
        "With Adam it should lie between 1e-4 and 1e-2.",
        "learning-rate lr-schedule",
    ),
    _item(
        "H8", "Momentum", "B/C",
        "Between 0.5 and 0.9.",
        "With SGD, 0.9 is usual, and the learning rate has to fall by the factor 1 - momentum.",
        "momentum",
    ),
    _item(
        "H9", "Epochs", "A/B",
        "Many epochs, with early stopping when the validation accuracy drops.",
        "Make sure that training ends by the validation loss, and that the best weights come back.",
        "epochs/early-stopping restore-best-weights no-validation test-set-as-validation",
    ),
    _item(
        "H10", "Batch size", "B/C/X",
        "32 by default, then multiples such as 64, 128 and 256; large batches make larger gradient steps.",
        "Anything from 8 to 1024 is sound, as long as it is a small part of the data.",
        "batch-size",
    ),
    _item(
        "T1", "Adaptive optimiser", "B",
        "Use an adaptive optimiser such as Adam.",
        "Adam at 1e-3 is the start that needs least tuning.",
        "optimizer",
    ),
    _item(
        "T2", "Gradient clipping", "A",
        "Look at the gradient norms, then clip.",
        "Make sure that gradients are clipped by their global norm, after backward and before the step.",
        "clip-missing clip-misplaced",
    ),
    _item(
        "T3", "Loss normalisation", "B",
        "Sum the loss over the sequence, divide it by the maximum length, average over the batch.",
        "Make sure that the loss does not grow with the length of a sequence or with the batch.",
        "loss-normalisation",
    ),
    _item(
        "T4", "Chunks of sequences", "B/C/X",
        "Train on overlapping chunks of about 200 steps, and let them grow during training.",
        "Count the steps that one backward pass goes through: above 500 truncate.",
        "tbptt hidden-not-detached stateful-shuffle shuffle-state",
    ),
    _item(
        "T5", "GRU instead", "A/C",
        "Consider a GRU: fewer parameters, faster.",
        "",
        "gru-alternative",
    ),
    _item(
        "T6", "Layer normalisation", "A",
        "Normalise all linear maps of the recurrent net by layer.",
        "",
        "layer-norm",
    ),
    _item(
        "T7", "Layers on the input", "B",
        "Put feed-forward layers between the input and the recurrent layers.",
        "",
        "input-projection",
    ),
    _item(
        "T8", "Initial state", "C",
        "Learn the initial state, do not start at zeros.",
        "Make sure that the state does not start from fresh noise.",
        "learned-initial-state",
    ),
    _item(
        "T9/T10", "Forget bias", "A/X",
        "Start an LSTM with a forget bias of 1 and a GRU with a bias of -1, so that they remember more.",
        "Look whether any code sets the second quarter of the LSTM's biases.",
        "forget-bias",
    ),
    _item(
        "T11", "Regularisation", "A",
        "Regularise against overfitting.",
        "Compare training and validation loss: regularise only where they part.",
        "regularisation",
    ),
    _item(
        "F1", "When to stop", "X",
        "Stop when the training loss has not improved for several epochs; otherwise the evaluation loss will rise.",
        "Make sure that the validation loss decides, not the training loss.",
    ),
    _item(
        "F2", "In passing", "C/X",
        "LSTMs learn all long-term dependencies; an activation switches the output on or off; Dense layers raise the "
        "accuracy.",
    ),
)  # fmt: skip

ELSEWHERE: Final = {
    "stops-on-training-loss": "F1",
    "random-initial-state": "T8",
    "not-shuffled": "",
    "state-of-fixed-batch": "",
}
"""Rules that answer to another item than their topic says, or to none."""
