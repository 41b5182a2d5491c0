"""What a first Ctrl-C does to a fit: training ends where it is, and what it came to is read."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch.distributed as dist

from mibounds.training.fit import Fitted, clearly_worse
from mibounds.warnings import InterruptedWarning

__all__ = ["interrupted_warning", "interruptible", "no_partial_results", "reported_folds"]

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
    """Inside, Ctrl-C is a KeyboardInterrupt: of several fits that make one result, a part is no result so far."""
    token = _WHOLE.set(True)
    try:
        yield
    finally:
        _WHOLE.reset(token)


def reported_folds(fits: Sequence[Fitted]) -> list[bool]:
    """Which folds an interrupted fit reports: those that were finished, and those whose validation score is not far
    behind the best one's. One that had hardly begun would only pull the value down."""
    leader = min(fitted.score for fitted in fits)
    return [fitted.finished or not clearly_worse(fitted.score, leader) for fitted in fits]


def interrupted_warning(fits: Sequence[Fitted], kept: Sequence[Fitted], folds: int) -> InterruptedWarning:
    """Warn of a fit that was interrupted: of all folds `fits` have made a step, and `kept` are read."""
    ended = sum(fitted.finished for fitted in kept)
    early, out = len(kept) - ended, folds - len(kept)
    told = InterruptedWarning(
        f"Training was interrupted after {sum(fitted.steps for fitted in fits):,} steps: of {folds} folds {ended} had "
        f"ended, {early} are read with the best weights that they had, and {out} are left out. The value may be low. "
        "A fit with checkpoint= goes on from there with resume=True."
    )
    warnings.warn(told, stacklevel=5)
    return told
