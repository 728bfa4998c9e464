"""The core that every way of probing shares: counts optimizer steps, samples, watches its own clock, and stops.

Frameworks report events to an `Observer`; it hands them to its instruments.  An optimizer step is one round: with
several optimizers, the step that each of them makes.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from lstmadvisor.probe.recorder import Recorder, Sink

OFTEN, RARELY = 10, 25
"""intervals, in steps, at which the instruments sample"""
FLUSH_STEPS = 50
FLUSH_SECONDS = 1.0
TARGET = 0.05
"""share of a step's time that the probe may take; above it, it samples half as often"""
WARM_UP = 3
"""steps that do not count for that: checks that are made once fall into them"""
PATIENCE = 3
"""how often a script may catch `Enough`"""
WIDEST = 16
"""how often the intervals double at most, as a factor"""


class Enough(BaseException):
    """Ends a script that has been measured: no Exception, so that it passes `except Exception`."""


class Arguments:
    """The arguments of a call by their names; they are sorted out only if somebody asks."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._function = function
        self._args = args
        self._kwargs = kwargs

    def get(self, name: str, otherwise: Any = None) -> Any:
        """The value of a parameter, its default if it was not given."""
        if name in self._kwargs:
            return self._kwargs[name]
        index, default = _parameters(self._function).get(name, (len(self._args), otherwise))
        return self._args[index] if index < len(self._args) else default

    @property
    def summed(self) -> bool:
        """Whether the loss is a sum; nobody writes that without a keyword."""
        return self._kwargs.get("reduction") == "sum"


@functools.cache
def _parameters(function: Callable[..., Any]) -> dict[str, tuple[int, Any]]:
    """Name → position and default value."""
    known = inspect.signature(function).parameters.values()
    return {one.name: (index, one.default) for index, one in enumerate(known)}


class Instrument:
    """Something that measures.  It overrides the events that it needs."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.recorder = observer.recorder

    def forward_pre(self, module: Any, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """A module is about to be called, in a step that is listened to; other arguments may be returned."""
        return None

    def forward_post(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """A module was called, in a step that is listened to."""

    def outermost(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """A module that no other one calls was called, in a step that is listened to."""

    def iterated(self, loader: Any) -> None:
        """A DataLoader begins a pass over its data."""

    def called(self, module: Any, args: tuple[Any, ...]) -> None:
        """A model is called, with gradient, in any step."""

    def evaluated(self, module: Any) -> None:
        """A model is called without gradient, in any step."""

    def loss_function(self, name: str, arguments: Arguments, value: Any) -> None:
        """A loss function was called."""

    def backward(self, loss: Any) -> None:
        """Gradients of `loss` are about to be computed."""

    def learned(self, loss: Any) -> None:
        """The same, just before, with the graph of the loss, in a step that is listened to."""

    def clipped(self, kind: str, most: float, norm: Any) -> None:
        """The gradient was clipped."""

    def before_update(self, optimizer: Any, step: int) -> None:
        """The gradients are ready for the optimizer's step number `step`."""

    def after_update(self, optimizer: Any, step: int) -> None:
        """The optimizer has made its step number `step`."""

    def step_done(self, step: int) -> None:
        """Step number `step` is over, for the first optimizer that made it."""

    def listened(self, step: int) -> None:
        """Step number `step` is over, and was one that is listened to."""

    def finish(self) -> None:
        """The run is over."""


class Observer:
    """Takes in events, keeps count and hands them on."""

    def __init__(
        self, sink: Sink, limit: int | None = None, ends_script: bool = True, only: tuple[Any, ...] = ()
    ) -> None:
        """`limit`: steps after which `Enough` is raised, or nothing more is measured; `only`: optimizers that count."""
        self.recorder = Recorder(sink)
        self.limit = limit
        self.steps = 0
        """rounds made"""
        self.counts: dict[int, int] = {}
        """steps made by each optimizer"""
        self.listening = True
        """whether modules are listened to in this step"""
        self.widening = 1
        """by how much the sampling intervals were lengthened"""
        self.last_loss: float | None = None
        self.last_norm: float | None = None
        self.on_listening: Callable[[bool], None] = lambda listening: None
        self.on_ignored: Callable[[], None] = lambda: None
        """called when a script catches `Enough` again and again"""
        self._asked = False
        self._raised = 0
        self._ends_script = ends_script
        self._only = only
        self._instruments: list[Instrument] = []
        self._events: dict[str, list[Callable[..., Any]]] = {}
        self._depth = 0
        """how deep in the probe's own work"""
        self._deaf = 0
        """how deep in what is not listened to"""
        self._own = 0.0
        self._step_started: float | None = None
        self._own_at_start = 0.0
        self._training_time = self._training_own = 0.0
        self._window_time = self._window_own = 0.0
        self._flushed = time.monotonic()
        self._finished = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def add(self, *instruments: Instrument) -> None:
        """Takes instruments in, each for the events that it overrides."""
        for instrument in instruments:
            self._instruments.append(instrument)
            for event in vars(Instrument):
                if getattr(type(instrument), event) is not vars(Instrument)[event] and not event.startswith("_"):
                    self._events.setdefault(event, []).append(getattr(instrument, event))

    @property
    def active(self) -> bool:
        """Whether events count now: not within the probe's own work, nor when all is over."""
        return not (self._depth or self._deaf or self._finished)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """The time within is the probe's own; events within are its own, too."""
        self._depth += 1
        started = time.perf_counter()
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._own += time.perf_counter() - started

    @contextlib.contextmanager
    def unheard(self) -> Iterator[None]:
        """Events within do not count; the time is the script's."""
        self._deaf += 1
        try:
            yield
        finally:
            self._deaf -= 1

    def tell(self, event: str, *arguments: Any) -> Any:
        """Hands an event to the instruments; what the last of them answered, if anything."""
        receivers = self._events.get(event)
        if not receivers or not self.active:
            return None
        self._depth += 1  # as `at_work`, which costs more than most events
        started = time.perf_counter()
        try:
            return self._hand_on(event, receivers, arguments)
        finally:
            self._depth -= 1
            self._own += time.perf_counter() - started

    def _hand_on(self, event: str, receivers: list[Callable[..., Any]], arguments: tuple[Any, ...]) -> Any:
        answer = None
        for receive in receivers:
            try:
                given = receive(*arguments)
            except Exception as error:
                self._events[event] = [other for other in receivers if other is not receive]
                self.recorder.broken(error)
                continue
            if given is not None:
                answer = given
        return answer

    def _pass(self, event: str, *arguments: Any) -> None:
        """Hands an event to the instruments, from within the probe's own work."""
        self._hand_on(event, self._events.get(event, []), arguments)

    def every(self, interval: int) -> bool:
        """Whether this step is one of those that are measured every `interval` steps."""
        return self.steps % (interval * self.widening) == 0

    def before_update(self, optimizer: Any) -> None:
        """The gradients are ready for a step of the optimizer."""
        if not self.active or not self._counts(optimizer):
            return
        count = self.counts.get(id(optimizer), 0)
        if self.limit is not None and count >= self.limit:
            self.stop()
        self.tell("before_update", optimizer, count)

    def after_update(self, optimizer: Any) -> None:
        """The optimizer has made a step."""
        if not self.active or not self._counts(optimizer):
            return
        count = self.counts.get(id(optimizer), 0)
        self._depth += 1
        started = time.perf_counter()
        try:
            self.counts[id(optimizer)] = count + 1
            self._pass("after_update", optimizer, count)
            if count == self.steps:
                self._advance(count)
        finally:
            self._depth -= 1
            self._own += time.perf_counter() - started
        if self._asked or (self.limit is not None and self.steps >= self.limit and len(self.counts) == 1):
            self.stop()

    def _counts(self, optimizer: Any) -> bool:
        return not self._only or any(optimizer is one for one in self._only)

    def ask(self) -> None:
        """The script is to end.  It may come at any moment, from a signal: the step is waited for.  Asked again, the
        script is ended where it is, but never in the probe's own work."""
        if self._asked and not self._depth:
            self.stop()
        self._asked = True

    def stop(self) -> None:
        """Ends the script, or only what is measured of it."""
        if not self._ends_script:
            self.finish()
            return
        self._raised += 1
        if self._raised == 1:
            self.recorder.record("stopping")
        elif self._raised > PATIENCE:
            self.on_ignored()
        raise Enough

    def finish(self) -> None:
        """Nothing more is to come."""
        if self._finished:
            return
        with self.at_work():
            self._pass("finish")
            self.recorder.flush()
            self.recorder.record("overhead", value=self.overhead)
        self._finished = True

    def _forked(self) -> None:
        """What a forked process does is not the run."""
        self._finished = True

    @property
    def overhead(self) -> float | None:
        """Time spent by the probe, as a share of the training steps' time without it."""
        bare = self._training_time - self._training_own
        return self._training_own / bare if bare > 0 else None

    def _advance(self, step: int) -> None:
        now = time.perf_counter()
        if self._step_started is not None:
            spent, own = now - self._step_started, self._own - self._own_at_start
            self.recorder.number("step-seconds", "", step, spent - own)
            if step > WARM_UP:
                self._training_time += spent
                self._training_own += own
                self._window_time += spent
                self._window_own += own
        self._step_started = now
        self._own_at_start = self._own
        self._pass("step_done", step)
        if self.listening:
            self._pass("listened", step)
        self.steps = step + 1
        self._listen()
        elapsed = time.monotonic() - self._flushed
        if self.steps % FLUSH_STEPS == 0 or elapsed > FLUSH_SECONDS:
            self.recorder.flush()
            self.recorder.record("progress", steps=self.steps, loss=self.last_loss, norm=self.last_norm)
            self._flushed = time.monotonic()
        if self.steps % FLUSH_STEPS == 0:
            self._pace()

    def _listen(self) -> None:
        wide = self.widening
        often, rarely = self.steps % (OFTEN * wide), self.steps % (RARELY * wide)
        listening = self.steps < 3 or not often or rarely in (0, 1)  # two in a row tell what is carried over
        if listening != self.listening:
            self.listening = listening
            self.on_listening(listening)

    def _pace(self) -> None:
        """Samples half as often where the probe took too much of the last steps."""
        bare = self._window_time - self._window_own
        if bare > 0 and self._window_own / bare > TARGET and self.widening < WIDEST:
            self.widening *= 2
        self._window_time = self._window_own = 0.0
