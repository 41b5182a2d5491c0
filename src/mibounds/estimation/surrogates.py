r"""The p-value of a transfer entropy, from surrogates that critics score without being trained again.

The statistic is the mean over held-out rows of

.. math:: f(x; y, z) - g(x; z) \approx \ln \frac{p(y|x,z)}{p(y|z)},

x and z the pasts of the two series and y the present, f and g the critics of the two parts of the chain rule. It is
compared with that of surrogates, in which x is replaced by the x of another row of the same test block. There are two
kinds, for either can be fooled where the other cannot, and the larger of the two p-values is reported:

* *Shifts* move x against y in a circle, beyond the memory. Series that know nothing of each other look the same
  afterwards, whatever they remember of themselves. But shifts also tear apart what x and z share, and critics
  score such pairs worse, which they never saw: y driving x would pass for x driving y.
* *Neighbors* take x from a row whose z is nearly the same. What x and z share stays, and only what x adds to y is lost.
  But the order of x is lost too: where z is too short for y's memory, two slow series that know nothing of each other
  would pass for one driving the other.

As in `independence_test`, deviations are stretched by :math:`\sqrt 2` for the chance patterns that folds share.

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
    return permutation_pvalue(observed, drawn.mean() + SHARED_FOLDS * (drawn - drawn.mean()), generator)


def _against_neighbors(blocks: Iterable[HeldOut], count: int, generator: Generator) -> float:
    observed, drawn = 0.0, torch.zeros(count, dtype=torch.float64)
    for block in blocks:
        added = block.added(nearest(block.z, generator))
        added -= added[:, 1:].mean(1, keepdim=True)
        observed += float(added[:, 0].sum())
        for b in range(count):
            chosen = torch.randint(1, added.shape[1], (len(added), 1), generator=generator)
            drawn[b] += added.gather(1, chosen).sum()
    return permutation_pvalue(observed, SHARED_FOLDS * drawn, generator)
