"""What Keras gave up, with what it takes to write it as current Keras has it."""

from __future__ import annotations

import pytest
from conftest import FactsOf

from lstmadvisor.facts import ABSENT, RemovedArgument, items, plain

HEAD = "from keras.layers import LSTM, Bidirectional, Dense\nfrom keras.models import Sequential\n"
MODEL = "model = Sequential([LSTM(8), Dense(1)])\nmodel.compile('adam', 'mse')\nmodel.fit(x, y)\n"


def removed(facts_of: FactsOf, text: str) -> tuple[RemovedArgument, ...]:
    return items(facts_of(text).removed_arguments)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from keras.layers.recurrent import LSTM, GRU as G", "from keras.layers import LSTM, GRU as G"),
        ("from keras.layers.core import *", "from keras.layers import *"),
        ("from keras.layers import recurrent", "from keras import layers as recurrent"),
        ("from keras.utils import np_utils", "from keras import utils as np_utils"),
        ("from keras.utils import np_utils as u", "from keras import utils as u"),
        ("from keras.utils import plot_model, np_utils",
         "from keras.utils import plot_model\nfrom keras import utils as np_utils"),
        ("from keras.utils.np_utils import to_categorical", "from keras.utils import to_categorical"),
        ("from keras.preprocessing.text import Tokenizer", "from tensorflow.keras.preprocessing.text import Tokenizer"),
        ("from keras.layers.core import Dense, Merge", None),
        ("from keras.layers.core import Merge", None),
        ("import keras.utils.np_utils", None),
        ("from keras.initializations import uniform", None),
        ("from keras import objectives", "from keras import losses as objectives"),
        ("from keras.wrappers.scikit_learn import KerasRegressor", None),
    ],
)  # fmt: skip
def test_imports(facts_of: FactsOf, old: str, new: str | None) -> None:
    (gone,) = removed(facts_of, f"{HEAD}{old}\n{MODEL}")
    assert plain(gone.rewritten) == new


@pytest.mark.parametrize(("used", "new"), [("to_categorical", "from keras import utils as u"), ("accuracy", None)])
def test_what_a_module_is_used_for(facts_of: FactsOf, used: str, new: str | None) -> None:
    (gone,) = removed(facts_of, f"{HEAD}from keras.utils import np_utils as u\n{MODEL}u.{used}(y)\n")
    assert plain(gone.rewritten) == new


@pytest.mark.parametrize(
    ("call", "on"),
    [
        ("model.fit_generator(g, steps_per_epoch=9)", "model"),
        ("model.fit_generator(g, 9)", None),
        ("model.fit_generator(g, samples_per_epoch=9)", None),
        ("model.predict_proba(x, 32)", "model"),
        ("[model][0].predict_proba(x)", None),
    ],
)
def test_methods(facts_of: FactsOf, call: str, on: str | None) -> None:
    (gone,) = removed(facts_of, f"{HEAD}{MODEL}{call}\n")
    assert plain(gone.called_on) == on


def test_arguments(facts_of: FactsOf) -> None:
    (gone,) = removed(facts_of, f"{HEAD}{MODEL}model.predict_classes(x,  # all\n    verbose = 0)\n")
    assert plain(gone.arguments) == "x, verbose = 0"


@pytest.mark.parametrize(
    ("layers", "told", "to"),
    [
        ("model.add(LSTM(8, batch_input_shape=(4, 5, n)))", "batch_shape=(4, 5, n)", "model"),
        ("model.add(LSTM(8, batch_size=4, input_shape=(5, 1)))", "shape=(5, 1), batch_size=4", "model"),
        ("model.add(Bidirectional(LSTM(8), batch_input_shape=(4, 5, 1)))", "batch_shape=(4, 5, 1)", "model"),
        ("model.add(LSTM(8, batch_size=4))", None, "model"),
        ("model.add(Dense(3)); model.add(LSTM(8, batch_input_shape=(4, 5, 3)))", None, "model"),
        ("lstm = LSTM(8, batch_input_shape=(4, 5, 1)); model.add(lstm)", "batch_shape=(4, 5, 1)", None),
    ],
)
def test_input(facts_of: FactsOf, layers: str, told: str | None, to: str | None) -> None:
    end = "model.add(Dense(1))\nmodel.compile('adam', 'mse')\nmodel.fit(x, y)\n"
    (gone,) = removed(facts_of, f"{HEAD}model = Sequential()\n{layers}\n{end}")
    assert (plain(gone.input), plain(gone.added_to)) == (told, to)


def test_item_of_a_list(facts_of: FactsOf) -> None:
    model = MODEL.replace("LSTM(8)", "LSTM(8, batch_input_shape=(4, 5, 1))")
    (gone,) = removed(facts_of, HEAD + model)
    assert gone.added_to == ABSENT
