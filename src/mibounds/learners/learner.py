"""The interface of learners, which predict the columns of one variable from the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers

__all__ = ["Learner", "inner_folds", "one_thread"]

_INNER_FOLDS = 4


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
    """Training and test indices of four folds of n samples, in random order."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    parts = [order[i::_INNER_FOLDS] for i in range(min(_INNER_FOLDS, n))]
    return [(torch.cat([*parts[:i], *parts[i + 1 :]]), part) for i, part in enumerate(parts)]


@contextmanager
def one_thread() -> Iterator[None]:
    """Run the trees of scikit-learn on one thread: folds run side by side, and sums do not depend on the number of
    threads. The limit is one of the calling thread; that of BLAS, which trees do not use, would be one of the whole
    process, and the last of overlapping folds would leave it at one."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "openmp"):
        yield
