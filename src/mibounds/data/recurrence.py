"""Samples of a stream that come again."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from mibounds._variables import Tensors, flat, take_rows

__all__ = ["Recurrence"]

_TESTED, _LOOKED = 256, 64  # test samples that are looked for, among so many of each batch
_FEWEST = 32  # that differ: with fewer kinds of samples every draw repeats some
_ENTRIES = 64  # of a sample, by which it is recognized


class Recurrence:
    """Are test samples drawn again for training? Then there is a table from which a sampler draws with replacement.

    Discrete variables repeat by chance: there the same x comes with several y, and the same y with several x.

    Arguments:
        x: (N, ...) test samples.
        y: likewise.
    """

    def __init__(self, x: Tensors, y: Tensors):
        both = torch.stack([_marks(take_rows(side, slice(_TESTED))) for side in (x, y)], 1)
        self.x, self.y = torch.unique(both, dim=0).unbind(1)
        self.again = torch.zeros_like(self.x, dtype=torch.bool)
        self.matches = torch.zeros(3, dtype=torch.long, device=self.x.device)  # of x, of y, of both

    def look(self, x: Tensors, y: Tensors) -> None:
        """Look for the test samples among samples (M, ...) that train."""
        same_x, same_y = (
            _marks(take_rows(side, slice(_LOOKED)))[:, None] == marks for side, marks in ((x, self.x), (y, self.y))
        )
        same = same_x & same_y
        self.again |= same.any(0)
        self.matches += torch.stack([same_x.sum(), same_y.sum(), same.sum()])

    def drawn_again(self) -> tuple[int, int]:
        """How many of how many different test samples were drawn again; (0, 0) where chance explains it."""
        again, tested = int(self.again.sum()), len(self.again)
        x, y, both = self.matches.tolist()
        return (again, tested) if tested >= _FEWEST and 4 * again >= tested and both > 0.9 * min(x, y) else (0, 0)


def _marks(side: Tensors) -> Tensor:
    """A number (N,) for each sample, equal for equal samples and hardly ever for others: exact sums modulo 2^64."""
    total = torch.zeros((), dtype=torch.long)
    for i, part in enumerate(flat(side)):
        entries = part.flatten(1) if part.dim() > 1 else part[:, None]
        entries = entries[:, :: max(1, entries.shape[1] // _ENTRIES)].contiguous()
        bits = entries.view(torch.int32) if entries.dtype == torch.float32 else entries
        total = total.to(bits.device) + (bits.long() * _odd(entries.shape[1], i).to(bits.device)).sum(1)
    return total


@cache
def _odd(count: int, seed: int) -> Tensor:
    """Odd random weights."""
    return 2 * torch.randint(-(2**62), 2**62, (count,), generator=torch.Generator().manual_seed(seed)) + 1
