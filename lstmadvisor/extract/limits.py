"""A limit on the time that reading one program may take."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SECONDS = 60.0
"""Of processor time; the slowest of the public programs that we know takes two."""


class TimeUp(Exception):
    """Reading a program took too long."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raises TimeUp inside the block after so many seconds of processor time.

    Only where the platform can interrupt (not on Windows, not outside the main thread); elsewhere the block runs on.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(signum: int, frame: FrameType | None) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
