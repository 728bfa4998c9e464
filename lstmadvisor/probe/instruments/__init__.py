"""The instruments: each measures one thing, from the events of an `Observer`."""

from __future__ import annotations

from lstmadvisor.probe.instruments.batches import Batches
from lstmadvisor.probe.instruments.continuity import Continuity
from lstmadvisor.probe.instruments.forwards import Forwards
from lstmadvisor.probe.instruments.gates import Gates
from lstmadvisor.probe.instruments.gradients import Gradients
from lstmadvisor.probe.instruments.keras import KerasGates, KerasLayers, KerasThroughTime
from lstmadvisor.probe.instruments.layers import Layers
from lstmadvisor.probe.instruments.loaders import Loaders
from lstmadvisor.probe.instruments.loss import Loss
from lstmadvisor.probe.instruments.modes import Modes
from lstmadvisor.probe.instruments.rates import Rates
from lstmadvisor.probe.instruments.targets import Targets
from lstmadvisor.probe.instruments.time import ThroughTime
from lstmadvisor.probe.instruments.units import Units
from lstmadvisor.probe.instruments.updates import Updates
from lstmadvisor.probe.models import Models
from lstmadvisor.probe.observer import Instrument, Observer


def instruments(observer: Observer, models: Models) -> tuple[Instrument, ...]:
    """One of each."""
    return (
        Loss(observer),
        Targets(observer, models),
        Continuity(observer),
        Gradients(observer, models),
        Updates(observer, models),
        Rates(observer),
        Batches(observer, models),
        Loaders(observer),
        Layers(observer, models),
        Modes(observer),
        ThroughTime(observer, models),
        Gates(observer, models),
        Forwards(observer),
        Units(observer, models),
    )


def keras_instruments(observer: Observer, models: Models) -> tuple[Instrument, ...]:
    """What is measured in another way where Keras runs on PyTorch."""
    return KerasLayers(observer, models), KerasGates(observer, models), KerasThroughTime(observer, models)
