"""Where the article is imprecise or wrong: data, no judgement.

"Measured" means on small synthetic tasks with torch 2.13 and Keras 3.15 (losses are exact for the seed).  What is cited
was read in the source named.
"""

from __future__ import annotations

from typing import Final

TUNE_AT_RANDOM: Final = (
    "Grid search pays in one or two dimensions only. Explore at random, then use Bayesian optimisation within a good "
    "range; with few trials tune the learning rate alone (Deep Learning Tuning Playbook)."
)
GRID_IGNORES_TIME: Final = "GridSearchCV folds without regard to time; for a series pass `cv=TimeSeriesSplit()`."

SEEDS: Final = (
    "A seeded run is repeatable, not representative: the seed alone made about 1 point of F1 in sequence tagging "
    "(Reimers and Gurevych 2017). Report mean and spread of three to five seeds."
)

DEPTH: Final = (
    "One or two is a rule of thumb from feed-forward nets. Over 50,000 runs the numbers of layers and units were of "
    "minor importance (Reimers and Gurevych 2017); two layers of about 100 units are a fair start."
)
DEEP_STACKS: Final = (
    "Translation models did best with 2 to 4 layers, deeper ones were unstable without residual connections (Britz et "
    "al. 2017)."
)

DENSE_FOLKLORE: Final = (
    "No source supports 5 to 10. Measured on 40 classes: accuracy 0.30 with a hidden layer of 5 units, 0.45 with 10, "
    "0.745 with none. The size of the output layer follows from the task and is no choice."
)

DROPOUT_RATES: Final = (
    "20 % is the rate for inputs in Srivastava et al. 2014; for hidden units they found one half near the best. Strong "
    "language models go beyond 50 % on the input (0.65, AWD-LSTM)."
)
DROPOUT_EVERYWHERE: Final = (
    "Dropout with every recurrent layer is good practice only where the model overfits: in a measured run early "
    "stopping did the work, and no placement of dropout beat none."
)
DROPOUT_AT_OUTPUT: Final = (
    "Behind the last layer a rate p shrinks the predictions to 1 - p of their size, and the training loss stays high "
    "(measured)."
)
DROPOUT_IN_PYTORCH: Final = (
    "PyTorch's `dropout=` acts between stacked layers: the output of the last layer is untouched, and with one layer "
    "it does nothing."
)
DROPOUT_IN_KERAS: Final = (
    "Keras' `dropout=` drops inputs of the layer, the same ones over the whole sequence; it is no dropout behind it."
)

INIT_BY_ACTIVATION: Final = (
    "By activation means Glorot for tanh and sigmoid, He for the rectifier; inside an LSTM or GRU it is sigmoid and "
    "tanh, whatever follows. Zero recurrent weights alone do no harm if the head is random (measured)."
)
INIT_IN_PYTORCH: Final = (
    "PyTorch draws all recurrent weights and biases from ±1/√units, however many inputs there are: with 2048 inputs "
    "21 % of the gates start saturated (measured)."
)
INIT_IN_KERAS: Final = "Keras' defaults (Glorot uniform, orthogonal recurrence, zero biases, forget bias 1) are sound."

FACTOR_097: Final = (
    "Do not take 0.97 literally: applied after each update it halves the weights every 23 updates. As "
    "weight_decay=0.97 in PyTorch's Adam or SGD it ended learning (measured: loss 0.98, without it 0.002). As a factor "
    "of the learning rate once an epoch 0.97 is sensible (char-rnn)."
)
DECAY_IN_USE: Final = (
    "Weight decay in use is far smaller: 1.2e-6 in AWD-LSTM, by default 0.01 (PyTorch) or 0.004 (Keras) in AdamW."
)

RECTIFIER: Final = (
    "The rectifier is popular between dense layers, not inside a recurrent cell: on a constant input of 3 the state "
    "grew to 3e12 in 300 steps, with tanh it stays below 1 (measured)."
)
LOGITS: Final = (
    "PyTorch's CrossEntropyLoss and BCEWithLogitsLoss hold the softmax or sigmoid themselves: a second one keeps the "
    "loss of ten classes above 1.46 (measured)."
)
REGRESSION: Final = "The article leaves regression out: its output is linear; sigmoid, tanh and relu cap the range."

RATE_BY_OPTIMIZER: Final = (
    "The right size depends on the optimizer: inside the article's range Adam's final loss varied by a factor of 100, "
    "best at 3e-3, while SGD needed 0.1 (measured). Published LSTMs train with clipped SGD at 1 (Zaremba) and 30 "
    "(AWD-LSTM)."
)
SCHEDULES: Final = (
    "A copied schedule can end learning too early (Karpathy): leave the rate constant until the rest works, then decay "
    "it linearly or by a cosine (Tuning Playbook)."
)

MOMENTUM: Final = (
    "The interval was not found for recurrent nets; the article's own source (MomentumRNN) is about momentum inside "
    "the cell. Momentum m multiplies the step by 1 / (1 - m): raising it to 0.9 needs a tenth of the learning rate."
)
MOMENTUM_OF_ADAM: Final = "Adam brings its own momentum: beta_1, 0.9 by default."

PATIENCE: Final = (
    "Validation curves that look flat often go on improving (Karpathy); slower criteria gained about 4 % for four "
    "times the time (Prechelt 1998). A fixed budget whose best checkpoint is kept does as well (Tuning Playbook)."
)
KERAS_KEEPS_LAST: Final = "Keras' EarlyStopping keeps the last weights, not the best, and has no patience, unless told."

BATCHES: Final = (
    "Larger steps are wrong for a mean loss: the gradient norm falls with the batch (0.73 at 8, 0.25 at 512, "
    "measured); only a summed loss makes it grow. Multiples of 32 are no must; whoever changes the batch size tunes "
    "the learning rate again."
)

SGD_CAN_WIN: Final = (
    "Measured: in 300 steps Adam at 1e-3 came to a twelfth of the loss of SGD at 0.1. Well tuned SGD with clipping "
    "and averaging trained the best word-level language models (AWD-LSTM)."
)

CLIP_AT: Final = (
    "Clip the global norm at about the 90th percentile of the norms seen; where more than half of the updates are "
    "clipped, lower the learning rate (Tuning Playbook)."
)
CLIP_UNDER_ADAM: Final = "Under Adam the threshold hardly matters: 10 and 0.001 ended alike (measured)."
CLIP_BY_VALUE: Final = "Clipping by value turns the gradient: (30, 4, 0) becomes (1, 1, 0)."
CLIP_PER_VARIABLE: Final = "`clipnorm` clips each variable by itself; the rule of the papers is `global_clipnorm`."

THREE_NORMALISATIONS: Final = (
    "For equal lengths this is the mean over time. For unequal ones there are three choices (the maximum, the own "
    "length, all valid steps), none wrong; another choice means another learning rate and clip threshold. Never "
    "divide by the longest of the batch: the scale then fluctuates."
)

CARRY_THE_STATE: Final = (
    "The article leaves out what matters: carry the state, detached, from chunk to chunk. 200 is the top of what "
    "language models use (20 to 200), no rule for other data."
)
OVERLAP_AND_GROWTH: Final = (
    "Overlapping chunks train the shared steps twice, and the state to carry is the one where the next chunk begins. "
    "That chunks should grow is folklore."
)
STATEFUL: Final = "Keras' `stateful=True` needs `shuffle=False` and a reset of the state between epochs."

GRU_OR_LSTM: Final = (
    "Three quarters of the parameters is exact. Better is not settled: comparisons are inconclusive (Chung et al. "
    "2014), a forget bias of 1 closes the gap (Jozefowicz et al. 2015), and in translation speed was alike (Britz et "
    "al. 2017)."
)

LAYER_NORM: Final = (
    "No framework has it built into its recurrent layers. LayerNorm between the layers is the cheap form and keeps the "
    "fast kernel; the full form needs a cell of one's own."
)

INPUT_LAYERS: Final = (
    "No general result supports it. It pays where inputs are very wide or sparse, and needs a nonlinearity; an "
    "embedding is such a layer already."
)

INITIAL_STATE: Final = (
    "No strong study supports it. It cannot matter where the state is carried on or sequences are long, and with few "
    "sequences it can overfit."
)

FORGET_BIAS_PYTORCH: Final = (
    "1 is the least that helps: over a delay of 40 steps it solved 1 of 4 seeds, 2 solved 3, and log-uniform biases up "
    "to the length (chrono) all of them (measured). PyTorch adds two bias vectors: set one to the value, one to 0."
)
FORGET_BIAS_KERAS: Final = "Keras sets 1 by itself (`unit_forget_bias=True`)."
GRU_BIAS: Final = (
    "-1 is wrong as written: a negative update bias forgets, in PyTorch as in Keras. The source (Hafner) means the "
    "reset gate, and that did not help either (measured). For long lags set the update gate to +1, or log-uniform up "
    "to the length (chrono)."
)

REGULARISATION: Final = (
    "It helps where training and validation loss part, not before. More data and ensembles come first (Karpathy); the "
    "best documented set is AWD-LSTM's: weight-drop, locked dropout, activity penalties, averaging."
)

STALLED_TRAINING_LOSS: Final = (
    "Garbled: the source (Hafner) says to stop when the training loss stalls or the evaluation loss rises. Overfitting "
    "begins while the training loss still falls (measured: the validation loss rose from epoch 5 on)."
)
STOPPING_THRESHOLD: Final = (
    "How many epochs to wait and which improvement counts, the article leaves open: set `patience` and `min_delta`; by "
    "Keras' defaults the first epoch without any improvement ends training."
)

IN_PASSING: Final = (
    "An LSTM remembers what its gates keep: with PyTorch's default biases none of four seeds recalled a token over 40 "
    "steps (measured). An activation is no switch. That Dense layers raise the accuracy is folklore (H2). A layer "
    "Activation and `activation=` are the same."
)
