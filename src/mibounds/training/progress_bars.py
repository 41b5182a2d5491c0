"""Progress bars: in terminals and notebooks, for work that takes more than some seconds, with a time that is left."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Iterable
from importlib.util import find_spec
from statistics import fmean
from typing import Any, TypeVar

from mibounds._distributed import rank

__all__ = ["Progress", "progress_bar"]

T = TypeVar("T")

_DELAY = 3.0  # seconds after which an automatic bar appears
_FORMAT = "{desc} |{bar:24}| {percentage:3.0f}% {elapsed}{postfix}"


def progress_bar(shown: bool | str, over: Iterable[T], *, unit: str) -> Iterable[T]:
    """The items, with a progress bar.

    Arguments:
        shown: True, False or "auto".
        over: the items.
        unit: what an item is, a noun.
    """
    shape = f"{unit} {{n_fmt}} of {{total_fmt}} |{{bar:24}}| {{elapsed}}, {{remaining}} left"
    bar: Iterable[T] | None = _bar(shown, over, smoothing=0, bar_format=shape)
    return over if bar is None else bar


class Progress:
    """A bar that many threads advance.

    The time that is left follows from the folds that are finished: within a fold it falls second by second. The bar
    itself moves by steps, and jumps where a candidate is dropped.

    Arguments:
        shown: True, False or "auto": in terminals and notebooks, after three seconds.
        total: number of steps.
        folds: number of folds that `finish_fold` counts; 0 if there are none, and all steps take equally long.
    """

    def __init__(self, shown: bool | str, total: int, folds: int = 0):
        self.lock = threading.Lock()
        self.folds = folds
        self.values: list[float] = []
        self.began = self.finished = time.monotonic()
        self.bar = _bar(shown, None, total=total, bar_format=_FORMAT)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def advance(self, steps: int, doing: str) -> None:
        """Some steps were made; `doing` has a length that does not change much, or the bar moves to and fro."""
        if self.bar is not None:
            with self.lock:
                self.bar.set_description_str(doing, refresh=False)
                self.bar.set_postfix_str(self._postfix(self.bar.n + steps), refresh=False)
                self.bar.update(steps)

    def finish_fold(self, value: float) -> None:
        """A fold is finished, and this is its estimate in nats."""
        with self.lock:
            self.values.append(value)
            self.finished = time.monotonic()

    def remaining(self, made: int) -> float:
        """Seconds that are left after so many steps; NaN before anything is known."""
        now = time.monotonic()
        if self.folds:
            done = len(self.values)
            spent = self.finished - self.began
            return max(spent / done * (self.folds - done) - (now - self.finished), 0.0) if done else math.nan
        return (now - self.began) * (self.bar.total - made) / made if made else math.nan

    def _postfix(self, made: int) -> str:
        left = self.remaining(made)
        parts = [] if math.isnan(left) else [f"{self.bar.format_interval(left)} left"]
        known = [value for value in self.values if math.isfinite(value)]
        parts += [f"so far {fmean(known):.3g} nats"] if known else []
        return ", ".join(parts)


def _bar(shown: bool | str, over: Iterable[Any] | None, **options: Any) -> Any:
    """A bar of tqdm, or None if none is to be shown; in a job rank 0 shows it."""
    notebook = _in_notebook()
    if not (notebook or sys.stderr.isatty() if shown == "auto" else shown) or rank() > 0:
        return None
    # `tqdm.auto` shows a warning on a red ground in notebooks without ipywidgets, and so does standard error.
    if notebook and find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm
    file = sys.stdout if notebook else sys.stderr
    delay = _DELAY if shown == "auto" else 0
    return tqdm(over, file=file, delay=delay, leave=False, dynamic_ncols=True, **options)


def _in_notebook() -> bool:
    """Does this run in a kernel of Jupyter?"""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None
