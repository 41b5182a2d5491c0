"""The interface of learners, which predict the columns of one variable from the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers

__all__ = ["Learner", "in_parts", "inner_folds", "one_thread"]

_INNER_FOLDS = 4


class Learner(FittedBuffers, ABC):
    """Predicts columns y from x: `fit_transform` once, then call it on new samples.

    The predictions of training samples are those of models that did not train on them, as for new samples: a critic
    that is given predictions as columns would otherwise rely on them too much.
    """

    @abstractmethod
    def fit_transform(self, x: Tensor, y: Tensor, clusters: Tensor | None = None) -> Tensor:
        """Fit to x (N, D) and y (N, T), and return out-of-sample predictions (N, K) of the training samples.

        Arguments:
            x: samples.
            y: targets.
            clusters: (N,) which samples are dependent on each other: a sample is predicted by models that were not
                trained on its cluster either, since they would know the y of a repeated row.
        """

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Predictions of samples: (N, D) -> (N, K)."""


def inner_folds(n: int, seed: int, clusters: Tensor | None = None) -> list[tuple[Tensor, Tensor]]:
    """Training and test indices of four folds of n samples, in random order; no cluster (N,) is divided."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    if clusters is None:
        parts = [order[i::_INNER_FOLDS] for i in range(min(_INNER_FOLDS, n))]
    else:
        parts = [order[part] for part in in_parts(clusters[order], _INNER_FOLDS)]
    return [(torch.cat([*parts[:i], *parts[i + 1 :]]), part) for i, part in enumerate(parts)]


def in_parts(clusters: Tensor, count: int) -> list[Tensor]:
    """Indices of samples in so many parts of about equal size, of whole clusters (N,); in fewer where there are fewer
    clusters. A single cluster is divided, as there is nothing else to train on.

    Example:
        >>> [part.tolist() for part in in_parts(torch.tensor([7, 7, 3, 5, 3, 5, 5]), 2)]
        [[3, 5, 6], [0, 1, 2, 4]]
    """
    number, sizes = torch.unique(clusters, return_inverse=True, return_counts=True)[1:]
    if len(sizes) < 2:
        return [*torch.arange(len(clusters)).tensor_split(min(count, len(clusters)))]
    filled, part_of = [0] * min(count, len(sizes)), torch.empty(len(sizes), dtype=torch.long)
    for cluster in sizes.argsort(descending=True, stable=True).tolist():
        smallest = filled.index(min(filled))
        part_of[cluster] = smallest
        filled[smallest] += int(sizes[cluster])
    return [(part_of[number] == i).nonzero().flatten() for i in range(len(filled))]


@contextmanager
def one_thread() -> Iterator[None]:
    """Run the trees of scikit-learn on one thread: folds run side by side, and sums do not depend on the number of
    threads. The limit is one of the calling thread; that of BLAS, which trees do not use, would be one of the whole
    process, and the last of overlapping folds would leave it at one."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "openmp"):
        yield
