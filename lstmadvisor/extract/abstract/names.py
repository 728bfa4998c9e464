"""Canonical names: the many import paths of one thing become one dotted name."""

from __future__ import annotations

import re
from functools import lru_cache

from lstmadvisor.patterns import regex

_RENAMED = (
    # (pattern, replacement), applied in order until nothing changes; each begins with the name of a package
    (r"^tf\.", "tensorflow."),
    (r"^tensorflow\.compat\.v[12]\.", "tensorflow."),
    (r"^tensorflow\.python\.keras\.", "keras."),
    (r"^tensorflow\.(contrib\.)?(_api\.v[12]\.)?keras\b", "keras"),
    (r"^tf_keras\b", "keras"),
    (r"^keras\._tf_keras\.keras\b", "keras"),
    (r"^keras\.(api|src)\.(_v[12]\.)?(keras\.)?", "keras."),
    (r"^keras\.legacy\.", "keras."),
    (r"^keras\.(layers|models|optimizers|callbacks|losses|initializers|regularizers|metrics)\.[a-z_0-9.]+\.(?=[A-Z])", r"keras.\1."),
    (r"^keras\.layers\.[a-z_0-9]+\.(?=[a-z_]+$)", "keras.layers."),
    (r"^keras\.engine\.(training|input_layer|topology|sequential|functional|base_layer)\.(Model|Input|Layer|Sequential|InputLayer)$", r"keras.\2"),
    (r"^keras\.models\.(Model|Sequential)$", r"keras.\1"),
    (r"^keras\.layers\.(Input|Layer)$", r"keras.\1"),
    (r"^keras\.preprocessing\.sequence\.(?=[a-z_]+$)", "keras.utils."),
    (r"^keras\.utils\.(np_utils|data_utils|generic_utils|vis_utils|all_utils)\.", "keras.utils."),
    (r"^keras_preprocessing\.sequence\.", "keras.utils."),
    (r"^keras\.optimizers\.(legacy|experimental|optimizer_v2\.[a-z_]+|optimizer_v1)\.", "keras.optimizers."),
    (r"^keras\.layers\.experimental\.preprocessing\.", "keras.layers."),
    (r"^keras_contrib\.layers\.[a-z_.]*", "keras_contrib.layers."),
    (r"^torch\.nn\.modules\.([a-z_]+\.)?(?=[A-Z])", "torch.nn."),
    (r"^torch\.nn\.modules\.([a-z_]+)$", "torch.nn"),
    (r"^torch\.nn\.utils\.clip_grad\.", "torch.nn.utils."),
    (r"^torch\.optim\.(?!lr_scheduler\.)[a-z_]+\.(?=[A-Z])", "torch.optim."),
    (r"^torch\.optim\.lr_scheduler\.[a-z_]+\.", "torch.optim.lr_scheduler."),
    (r"^torch\.utils\.data\.(dataloader|dataset|sampler|distributed)\.(?=[A-Za-z])", "torch.utils.data."),
    (r"^torch\.nn\.functional\.", "torch.nn.functional."),
    (r"^torch\.autograd\.grad_mode\.", "torch."),
    (r"^torch\.autograd\.variable\.", "torch.autograd."),
    (r"^torch\.(?=(lstm|gru|rnn_tanh|rnn_relu)$)", "torch.functional."),
    (r"^pytorch_lightning\b", "lightning"),
    (r"^lightning\.(pytorch|fabric)\b", "lightning"),
    (r"^lightning\.(callbacks|loggers|trainer|core|utilities)\.[a-z_.]+\.(?=[A-Z])", r"lightning.\1."),
    (r"^lightning\.(core|trainer)\.(?=[A-Z])", "lightning."),
    (r"^lightning\.utilities\.seed\.", "lightning."),
    (r"^sklearn\.(model_selection|preprocessing|metrics)\._[a-z_]+\.", r"sklearn.\1."),
    (r"^sklearn\.(cross_validation|grid_search)\.", "sklearn.model_selection."),
    (r"^kerastuner\b", "keras_tuner"),
    (r"^keras_tuner\.tuners\.([a-z_]+\.)?", "keras_tuner."),
    (r"^keras_tuner\.engine\.[a-z_]+\.", "keras_tuner."),
    (r"^np\.", "numpy."),
    (r"^transformers\.(trainer|training_args|trainer_callback|trainer_seq2seq)\.", "transformers."),
    (r"^tqdm\.(auto|notebook|autonotebook|std|contrib|asyncio|rich)\.", "tqdm."),
    (r"^fastprogress\.fastprogress\.", "fastprogress."),
    (r"^scipy\.special\.expit$", "scipy.special.expit"),
    (r"^yaml\.(safe_load|full_load|load|unsafe_load)$", "yaml.load"),
    (r"^ruamel\.yaml\.", "yaml."),
)  # fmt: skip
_PACKAGE = re.compile(r"\^?(\w+)")


@lru_cache(maxsize=256)
def _renamed(package: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The patterns for the names of a package."""
    return tuple((re.compile(p), r) for p, r in _RENAMED if _package(p) == package)


def _package(name: str) -> str:
    found = _PACKAGE.match(name)
    return found[1] if found else ""


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """`tensorflow.keras.layers.recurrent.LSTM` → `keras.layers.LSTM`."""
    for _ in range(6):
        before = name
        for pattern, replacement in _renamed(_package(name)):
            name = pattern.sub(replacement, name)
        if name == before:
            break
    return name


STAR_NAMES = {
    "torch.nn": regex(
        r"^(Module\w*|Sequential|Parameter\w*|Linear|Bilinear|Embedding\w*|LSTM\w*|GRU\w*|RNN\w*|\w*Dropout\w*|Conv\w+|"
        r"\w*Norm\w*|\w*Loss|ReLU|Tanh|Sigmoid|Softmax\w*|LogSoftmax|Flatten|Identity|functional|init|utils|\w*Pool\w+|"
        r"Transformer\w*|MultiheadAttention|DataParallel|GELU|LeakyReLU|ELU|SELU)$"
    ),
    "torch.optim": regex(r"^(Adam\w*|SGD|RMSprop|Adagrad|Adadelta|LBFGS|NAdam|RAdam|ASGD|Rprop|lr_scheduler)$"),
    "torch.nn.functional": regex(
        r"^(softmax|log_softmax|relu|tanh|sigmoid|dropout|cross_entropy|nll_loss|mse_loss|l1_loss|smooth_l1_loss|"
        r"binary_cross_entropy\w*|pad|one_hot|embedding|linear|conv\w+)$"
    ),
    "torch.utils.data": regex(r"^(Dataset|DataLoader|TensorDataset|random_split|Subset|\w*Sampler|IterableDataset)$"),
    "torch.optim.lr_scheduler": regex(r"^\w+LR$|^ReduceLROnPlateau$|^CosineAnnealing\w+$"),
    "torch.nn.utils.rnn": regex(r"^(pack|pad|unpack|unpad)_\w+$|^PackedSequence$"),
    "torch": regex(
        r"^(nn|optim|Tensor|tensor|cat|stack|zeros|ones|randn|rand|from_numpy|device|cuda|no_grad|save|load|manual_seed|\w+Tensor)$"
    ),
    "keras.layers": regex(
        r"^(?!(Model|Sequential|Adam\w*|SGD|RMSprop|Nadam|Adagrad|Adadelta|Ftrl|EarlyStopping|ModelCheckpoint|ReduceLROnPlateau|"
        r"LearningRateScheduler|TensorBoard|Callback|CSVLogger|History|LambdaCallback|TerminateOnNaN)$)[A-Z]\w+$|^(concatenate|add|multiply|dot|merge)$"
    ),
    "keras.models": regex(r"^(Model|Sequential|load_model|model_from_json|clone_model|save_model)$"),
    "keras.optimizers": regex(r"^(Adam\w*|SGD|RMSprop|Nadam|Adagrad|Adadelta|Ftrl|schedules)$"),
    "keras.callbacks": regex(
        r"^(EarlyStopping|ModelCheckpoint|ReduceLROnPlateau|LearningRateScheduler|TensorBoard|Callback|CSVLogger|History|LambdaCallback|TerminateOnNaN)$"
    ),
    "keras": regex(
        r"^(layers|models|optimizers|callbacks|losses|utils|Model|Sequential|Input|backend|ops|datasets|preprocessing)$"
    ),
    "keras.utils": regex(r"^(to_categorical|pad_sequences|plot_model|Sequence|set_random_seed)$"),
    "keras.preprocessing.sequence": regex(r"^(pad_sequences|TimeseriesGenerator)$"),
    "sklearn.preprocessing": regex(
        r"^\w+(Scaler|Encoder|Transformer)$|^(scale|normalize|LabelBinarizer|minmax_scale)$"
    ),
    "sklearn.model_selection": regex(r"^(train_test_split|\w+Split|\w*KFold|\w+SearchCV|cross_val_score)$"),
    "sklearn.metrics": regex(r"^\w+(_score|_error|_report|_matrix|_curve)$"),
    "fastai.text.all": regex(
        r"^(\w*Learner|TextDataLoaders|language_model_learner|text_classifier_learner|AWD_LSTM|nn|torch|F|tensor|DataLoaders|DataLoader)$"
    ),
    "pylab": regex(r"^(plt|np|array|arange|zeros|ones|sin|cos|linspace|pi)$"),
    "numpy": regex(r"^(array|arange|zeros|ones|sin|cos|linspace|pi|random|concatenate|reshape)$"),
    "math": regex(r"^(sqrt|ceil|floor|pi|log|exp|sin|cos)$"),
}
"""Which names a star import of a library brings, where several libraries compete."""
STAR_NAMES["keras.preprocessing.sequence"] = STAR_NAMES["keras.utils"]


def star_member(packages: list[str], name: str) -> str | None:
    """The library that `name` comes from after `from package import *` of each of `packages` (last one wins)."""
    for package in reversed(packages):
        pattern = STAR_NAMES.get(canonical(package))
        if pattern is not None and pattern.match(name):
            return canonical(f"{package}.{name}")
    unknown = [p for p in packages if canonical(p) not in STAR_NAMES]
    if len(unknown) == 1:
        return canonical(f"{unknown[0]}.{name}")
    return None
