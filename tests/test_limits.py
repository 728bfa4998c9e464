"""The limit on the time that reading one program may take."""

from __future__ import annotations

import threading

import pytest

from lstmadvisor.extract.limits import TimeUp, within


def stopped() -> bool:
    """Whether a loop without an end is left in time."""
    try:
        with within(0.05):
            while True:
                pass
    except TimeUp:
        return True


def in_a_thread() -> list[object]:
    results: list[object] = []

    def work() -> None:
        results.append(stopped())
        with within(60.0):
            results.append("in time")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(60)
    return results


def test_in_the_main_thread() -> None:
    assert stopped()
    with within(60.0):
        assert True


def test_in_another_thread() -> None:
    before = threading.active_count()
    assert in_a_thread() == [True, "in time"]
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(10)
    assert threading.active_count() <= before


def test_other_exceptions_pass() -> None:
    with pytest.raises(ZeroDivisionError), within(60.0):
        raise ZeroDivisionError
