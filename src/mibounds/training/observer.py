"""The observer of a fit: progress, checkpoint and stop, in one object that is passed down once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from mibounds._distributed import broadcast_object
from mibounds.training.checkpoints import Checkpoint, FoldFile, FoldState
from mibounds.training.interrupts import interruptible
from mibounds.training.progress_bars import Progress
from mibounds.training.recipe import FilledRecipe
from mibounds.warnings import CheckpointWarning

__all__ = ["FoldObserver", "Observer"]


class FoldObserver:
    """What the training of one fold reports to, and continues from; by itself it observes nothing.

    Arguments:
        file: where the state is kept.
        advance: called with steps made and what is being done.
        stop: once set, training ends where it is.
    """

    def __init__(
        self,
        file: FoldFile | None = None,
        advance: Callable[[int, str], None] = lambda steps, doing: None,
        stop: threading.Event | None = None,
    ):
        self.file = file if file is not None else FoldFile()
        self.advance = advance
        self.stop = stop if stop is not None else threading.Event()

    @property
    def state(self) -> FoldState | None:
        """How far the fold was when it was last written, if it is to be continued."""
        return self.file.state

    @property
    def stopped(self) -> bool:
        """Is training to end where it is?"""
        return self.stop.is_set()

    def save(self, state: Callable[[], FoldState], now: bool = False) -> None:
        """Write the state down, if it is time to."""
        if self.file.due(now):
            self.file.write(state())

    def evaluated(self, evaluation: dict[str, Any]) -> None:
        """Write down the evaluation of the test samples, beside what was last written."""
        if self.file.path is not None:
            last = self.file.state if self.file.state is not None else FoldState()
            self.file.write(replace(last, evaluation=evaluation))

    def forget(self) -> None:
        """Free the state that was continued: optimizers and the like are not needed any more."""
        self.file.state = None


class Observer:
    """Observes a whole fit: a bar for all folds, a checkpoint of each, and Ctrl-C.

    Arguments:
        recipe: says what is shown and kept.
        folds: number of folds.
        steps: of all folds and candidates together.
        describe: gives what `describe_fit` does, called only if there is a checkpoint.

    Raises:
        ValueError: if the checkpoint cannot be continued.
    """

    def __init__(self, recipe: FilledRecipe, folds: int, steps: int, describe: Callable[[], Mapping[str, str]]):
        self.checkpoint = Checkpoint(recipe.checkpoint, recipe.resume, describe)
        self.files = [self.checkpoint.fold(i + 1) for i in range(folds)]  # a damaged one is refused before training
        self.progress = Progress(recipe.progress, steps, folds)
        self.stop = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[Observer]:
        """Show the bar and listen to Ctrl-C."""
        with self.progress, interruptible() as self.stop:
            yield self

    def fold(self, i: int) -> FoldObserver:
        """The observer of a fold, counted from 0."""
        count = len(self.files)

        def advance(steps: int, doing: str) -> None:  # what is being done has a name of changing length
            current = min(len(self.progress.values) + 1, count)
            self.progress.advance(steps, f"fold {current} of {count}" if count > 1 else "training")

        return FoldObserver(self.files[i], advance, self.stop)

    def finish_fold(self, value: float) -> None:
        """A fold is finished, and this is its estimate in nats."""
        self.progress.finish_fold(value)

    @property
    def warnings(self) -> list[CheckpointWarning]:
        """Of writing the checkpoint, the same on all ranks."""
        return broadcast_object(self.checkpoint.warnings)
