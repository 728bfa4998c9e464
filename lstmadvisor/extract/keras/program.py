"""Keras: the facts of a program, from its layers, compile, fit and callbacks."""

from __future__ import annotations

from typing import Any

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.common import clips_unseen
from lstmadvisor.extract.keras.callbacks import Callbacks
from lstmadvisor.extract.keras.dead import dead_settings
from lstmadvisor.extract.keras.fit import Fits
from lstmadvisor.extract.keras.graph import Graph
from lstmadvisor.extract.keras.layers import Layers
from lstmadvisor.extract.keras.losses import losses
from lstmadvisor.extract.keras.optimizers import Optimizers
from lstmadvisor.extract.keras.output import Outputs
from lstmadvisor.extract.keras.recurrent import forget_bias, hidden_state, recurrent
from lstmadvisor.extract.keras.removed import removed
from lstmadvisor.extract.keras.schedules import schedules
from lstmadvisor.extract.keras.training import Training
from lstmadvisor.extract.keras.weights import initializations, padding, regularizers
from lstmadvisor.facts import Known, Unknown


def facts(run: Run) -> dict[str, Any]:
    """Facts by key of `Program`."""
    graph = Graph(run)
    training = Training(run, graph)
    layers = Layers(graph, training)
    optimizers = Optimizers(training)
    callbacks = Callbacks(training)
    fits = Fits(training, callbacks)
    outputs = Outputs(graph, training, layers)
    output = outputs.fact()
    validation = fits.validation()
    found: dict[str, Any] = {
        "api": fits.api(),
        "recurrent_layers": recurrent(layers),
        "graph": layers.edges(),
        "reshapes": layers.reshapes(),
        "dropouts": layers.dropouts(),
        "dense_layers": layers.dense(),
        "output": output,
        "embeddings": layers.embeddings(),
        "normalizations": layers.normalizations(),
        "optimizers": optimizers.items(),
        "schedules": schedules(optimizers, callbacks),
        "losses": losses(optimizers, outputs.before_loss),
        "clipping": optimizers.clipping() or clips_unseen(run) or (),
        "early_stopping": callbacks.early_stopping(),
        "checkpoints": callbacks.checkpoints(validation),
        "validation": validation,
        "hidden_state": hidden_state(layers),
        "padding": padding(layers),
        "training_step": fits.step(),
        "initializations": initializations(layers),
        "forget_bias": forget_bias(layers),
        "regularizers": regularizers(layers),
        "seeds": fits.seeds(),
        "removed_arguments": (*removed(layers, training), *optimizers.removed()),
        "dead_settings": dead_settings(training, optimizers, callbacks, fits),
        "epochs": fits.epochs(),
        "epoch_loop": fits.loop(),
        "fits_in_a_loop": fits.in_a_loop(),
        "batch_size": fits.batch_size(),
        "shuffle": fits.shuffle(),
    }
    return {key: value for key, value in found.items() if value is not None}


def merged(run: Run, found: dict[str, Any]) -> dict[str, Any]:
    """Facts of a program that uses both frameworks: lists joined, of single facts the PyTorch one where it is known."""
    out = dict(found)
    for key, value in facts(run).items():
        before = found.get(key)
        if before is None or isinstance(before, Unknown) or before == ():
            out[key] = value
        elif isinstance(before, tuple):
            places = {item.at for item in before if hasattr(item, "at")}
            new = () if isinstance(value, Unknown) else (v for v in value if v.at is None or v.at not in places)
            out[key] = (*before, *new)
        elif key == "api":
            out[key] = value if before == "module" else before
        elif not isinstance(before, Known) and hasattr(before, "model_copy") and hasattr(value, "model_fields_set"):
            missing = {n: getattr(value, n) for n in value.model_fields_set if isinstance(getattr(before, n), Unknown)}
            out[key] = before.model_copy(update=missing)
    return out
