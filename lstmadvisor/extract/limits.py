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

    Where nothing interrupts a thread by processor time (on Windows, outside the main thread), they are seconds by the
    clock.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        with _by_the_clock(seconds):
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


@contextmanager
def _by_the_clock(seconds: float) -> Iterator[None]:
    """Has another thread raise TimeUp in this one."""
    import ctypes

    thread = ctypes.c_ulong(threading.get_ident())
    lock, over = threading.Lock(), False

    def ring() -> None:
        with lock:
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TimeUp))

    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            over = True
