"""An order of rows by what they hold, so that folds do not depend on the order in which the rows were given."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["content_order"]

_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # of splitmix64 (Steele, Lea and Flood, 2014)
_STEP = 0x9E3779B97F4A7C15

Words = NDArray[np.uint64]


def content_order(x: Tensor, y: Tensor) -> Tensor:
    """The indices (N,) that bring rows into an order that only their content decides: permuted rows come in the same
    order. Rows that are equal keep theirs.

    The order is that of a hash of the ranks within columns, counted from the nearer end, and so the same for increasing
    and decreasing maps of columns, for exchanged variables, for columns in another order, and for repeated ones (up to
    pairs of rows that these maps turn into each other).

    Arguments:
        x: (N, D_x) numbers.
        y: (N, D_y), paired with x.

    Example:
        >>> x, y = torch.randn(2, 100, 1, generator=torch.Generator().manual_seed(0))
        >>> shuffled = torch.randperm(100)
        >>> order, again = content_order(x, y), content_order(-x[shuffled].exp(), y[shuffled])
        >>> torch.equal(order, shuffled[again])
        True
    """
    n = len(x)
    alike, exact = np.zeros(n, dtype=np.uint64), np.zeros(n, dtype=np.uint64)
    seen: set[bytes] = set()
    with np.errstate(over="ignore"):
        for i, column in enumerate([*x.unbind(1), *y.unbind(1)]):
            _, place, counts = np.unique(column.detach().cpu().numpy(), return_inverse=True, return_counts=True)
            twice = 2 * counts.cumsum() - counts  # the mean rank of equal values, doubled
            exact += _mixed(place.astype(np.uint64) + np.uint64(i) * np.uint64(n + 1))
            fingerprint = np.abs(twice - n)[place].astype(np.uint64)
            if fingerprint.tobytes() not in seen:
                seen.add(fingerprint.tobytes())
                alike += _mixed(fingerprint)
    return torch.from_numpy(np.lexsort((exact, alike)))


def _mixed(words: Words) -> Words:
    """A hash of each word."""
    words = (words + np.uint64(1)) * np.uint64(_STEP)
    for shift, factor in zip((30, 27), _MIX, strict=True):
        words = (words ^ (words >> np.uint64(shift))) * np.uint64(factor)
    mixed: Words = words ^ (words >> np.uint64(31))
    return mixed
