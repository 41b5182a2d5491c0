"""Ctrl-C during a fit: the first ends training and evaluates the critics as they are, the second ends at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch.distributed as dist

__all__ = ["interruptible", "no_partial_results"]

_WHOLE = ContextVar("whole", default=False)


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets. The second does what Ctrl-C always did, and so does the first where it is
    not a KeyboardInterrupt (ignored, or another's), where several fits make one result, and in jobs of several ranks,
    which would not stop at the same step."""
    stop = threading.Event()
    before: Any = signal.getsignal(signal.SIGINT)
    held = (
        threading.current_thread() is threading.main_thread()
        and before is signal.default_int_handler
        and not _WHOLE.get()
        and not (dist.is_available() and dist.is_initialized())
    )

    def first(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    try:
        if held:
            signal.signal(signal.SIGINT, first)
        yield stop
    except BaseException:
        stop.set()  # other folds are in threads, and would go on
        raise
    finally:
        if held:
            signal.signal(signal.SIGINT, before)


@contextmanager
def no_partial_results() -> Iterator[None]:
    """Inside, Ctrl-C is a KeyboardInterrupt: functions that combine several fits return no partial result."""
    token = _WHOLE.set(True)
    try:
        yield
    finally:
        _WHOLE.reset(token)
