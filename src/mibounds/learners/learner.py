"""The interface of learners, which predict the columns of one variable from the other."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers

__all__ = ["Learner", "inner_folds", "one_thread"]

_INNER_FOLDS = 3


class Learner(FittedBuffers, ABC):
    """Predicts columns y from x: `fit_transform` once, then call it on new samples.

    The predictions of training samples are those of models that did not train on them, as for new samples: a critic
    that is given predictions as columns would otherwise rely on them too much.
    """

    @abstractmethod
    def fit_transform(self, x: Tensor, y: Tensor) -> Tensor:
        """Fit to x (N, D) and y (N, T), and return out-of-sample predictions (N, K) of the training samples."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Predictions of samples: (N, D) -> (N, K)."""


def inner_folds(n: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Training and test indices of three folds of n samples, in random order."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    parts = [order[i::_INNER_FOLDS] for i in range(_INNER_FOLDS)]
    return [(torch.cat([*parts[:i], *parts[i + 1 :]]), part) for i, part in enumerate(parts)]


@contextmanager
def one_thread() -> Iterator[None]:
    """Run scikit-learn on one thread: folds run side by side, and sums do not depend on the number of threads."""
    from threadpoolctl import threadpool_limits

    _BLAS.enter()
    try:
        with threadpool_limits(1, "openmp"):  # of the calling thread
            yield
    finally:
        _BLAS.leave()


class _SharedLimit:
    """The limit of BLAS, which is one of the whole process: the first of overlapping folds sets it, and the last takes
    it back. If each took it back by itself, the last would leave what the others had set."""

    def __init__(self) -> None:
        self.lock, self.inside, self.limits = threading.Lock(), 0, cast(Any, None)

    def enter(self) -> None:
        from threadpoolctl import threadpool_limits

        with self.lock:
            if not self.inside:
                self.limits = threadpool_limits(1, "blas")
            self.inside += 1

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                self.limits.restore_original_limits()


_BLAS = _SharedLimit()
