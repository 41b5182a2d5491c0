r"""The p-value of a transfer entropy, from surrogates that critics score without being trained again.

The statistic is the mean over held-out rows of

.. math:: f(x; y, z) - g(x; z) \approx \ln \frac{p(y|x,z)}{p(y|z)},

x and z the pasts of the two series and y the present, f and g the critics of the two parts of the chain rule. It is
compared with that of surrogates, in which x is replaced by the x of another row of the same test block. There are two
kinds, each of which can give too small a p-value alone, and the larger of the two is reported:

* *Shifts* move x against y in a circle, by more than the memory. Independent series have the same distribution
  afterwards, whatever their autocorrelation. But shifts also remove the dependence of x and z, and critics were not
  trained on such pairs and score them low. If y drives x, this looks as if x drove y.
* *Neighbors* take x from a row with nearly the same z. The dependence of x and z is preserved, and only what x adds to
  y is removed. But the order of x is lost, too. If z is too short for the autocorrelation of y, two slow independent
  series look as if one drove the other.

As in `independence_test`, deviations are multiplied by :math:`\sqrt 2` for the chance patterns that folds share.

References:
    Runge, Conditional independence testing based on a nearest-neighbor estimator of conditional mutual information,
    2018, arXiv:1709.01447, for the neighbors.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Generator

from mibounds.data import Sample
from mibounds.estimation.added_scores import HeldOut, held_out, nearest
from mibounds.estimation.independence_test import SHARED_FOLDS, permutation_pvalue
from mibounds.results import Result

__all__ = ["surrogate_pvalue"]


def surrogate_pvalue(parts: Iterable[Result], sample: Sample, memory: int, count: int, seed: int) -> float:
    """The probability of an I(X;Y|Z) as large as that of the parts, if x adds nothing to the information of z about y.

    Arguments:
        parts: the estimates of I(X;(Y,Z)) and I(X;Z), on the same contiguous folds.
        sample: of x, y and z, that they were made from.
        memory: rows by which a shift moves at least, half a block at most.
        count: surrogates of each kind.
        seed: draws them.
    """
    both, alone = parts
    folds = held_out(both, alone, sample)
    generator = torch.Generator().manual_seed(seed)
    return max(_against_shifts(folds, memory, count, generator), _against_neighbors(folds, count, generator))


def _against_shifts(blocks: Iterable[HeldOut], memory: int, count: int, generator: Generator) -> float:
    observed, drawn = 0.0, torch.zeros(count, dtype=torch.float64)
    for block in blocks:
        n = len(block.x)
        rows = torch.arange(n)[:, None]
        least = min(memory, n // 2)
        by = torch.randint(least, n - least + 1, (count,), generator=generator)
        observed += float(block.added(rows).sum())
        drawn += block.added((rows + by) % n).sum(0)
    return permutation_pvalue(observed, drawn.mean() + SHARED_FOLDS * (drawn - drawn.mean()))


def _against_neighbors(blocks: Iterable[HeldOut], count: int, generator: Generator) -> float:
    observed, drawn = 0.0, torch.zeros(count, dtype=torch.float64)
    for block in blocks:
        added = block.added(nearest(block.z, generator))
        added -= added[:, 1:].mean(1, keepdim=True)
        observed += float(added[:, 0].sum())
        for b in range(count):
            chosen = torch.randint(1, added.shape[1], (len(added), 1), generator=generator)
            drawn[b] += added.gather(1, chosen).sum()
    return permutation_pvalue(observed, SHARED_FOLDS * drawn)
