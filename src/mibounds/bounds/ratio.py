r"""Bounds whose objective is a classifier of matched against mismatched pairs, and whose value is another bound.

A classifier of matched and mismatched pairs, both with equal total weight, has the log density ratio as its optimal
logit. Its gradient is bounded, so that training is stable at any information. The value is then Donsker–Varadhan
(`JensenShannon`), Donsker–Varadhan with a clipped partition (`SMILE`), or the mean of the logit (the f-DIME estimators
and `PlugIn`).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from mibounds._math import logmeanexp, single_precision
from mibounds.bounds.bound import Bound
from mibounds.bounds.partition import DonskerVaradhan

__all__ = ["GANDIME", "HDDIME", "KLDIME", "SMILE", "JensenShannon"]


class JensenShannon(Bound):
    r"""Train as a classifier of matched pairs; the value is Donsker–Varadhan (or another bound).

    .. math:: L = E_{p(x,y)} \log(1 + e^{-f}) + E_{p(x)p(y)} \log(1 + e^f)

    Both classes have equal total weight, so the optimum is :math:`\log r` exactly. NWJ in its shifted form then gives
    I. Published code that evaluates such a critic by the unshifted form gives I - 1/e. This is the most stable of the
    classical objectives, and has no ceiling.

    References:
        Hjelm et al., Learning deep representations by mutual information estimation and maximization, 2018,
        arXiv:1808.06670. Poole et al., 2019, arXiv:1905.06922, section 2.3.

    Arguments:
        value_bound: the bound that gives the value; Donsker–Varadhan by default.

    Example:
        >>> JensenShannon()(torch.tensor([1.0, 1.0]), torch.zeros(2, 1))
        tensor(1.)
        >>> JensenShannon().loss(torch.zeros(2), torch.zeros(2, 1))  # 2 ln 2: an uninformative critic
        tensor(1.3863)
    """

    unidentified = "nothing"

    def __init__(self, value_bound: Bound | None = None):
        super().__init__()
        self.value_bound = value_bound if value_bound is not None else DonskerVaradhan()
        self.side, self.normalizer = self.value_bound.side, self.value_bound.normalizer

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        return (_classification(joint, product), *self.value_bound.reduce(joint, product))

    def value(self, *statistics: Tensor) -> Tensor:
        return self.value_bound.value(*statistics[1:])

    def objective(self, *statistics: Tensor) -> Tensor:
        return statistics[0].mean(-1)

    def ceiling(self, negatives: int) -> float:
        return self.value_bound.ceiling(negatives)


class SMILE(Bound):
    r"""Train as a classifier; the value is Donsker–Varadhan with a clipped partition term.

    .. math:: I_{SMILE} = E_{p(x,y)} f - \log E_{p(x)p(y)} e^{\mathrm{clip}(f, -\tau, \tau)}

    Clipping bounds the variance of the partition term by :math:`(e^\tau - e^{-\tau})^2/(4n)`. The value is neither a
    lower nor an upper bound. Even with the exact critic it is too high if log-ratios beyond the clip matter (by 0.26 at
    4 nats and 0.7 at 6 nats in 20 dimensions with clip 5). It is useful as a cross-check.

    References:
        Song and Ermon, Understanding the limitations of variational mutual information estimators, 2020,
        arXiv:1910.06222, equation 14.

    Arguments:
        clip: where the scores of mismatched pairs are clipped, in nats, above 0; infinity gives `JensenShannon`.

    Raises:
        ValueError: if `clip` is not above 0.

    Example:
        >>> SMILE(clip=1.0)(torch.tensor([3.0, 3.0]), torch.full((2, 1), 2.0))
        tensor(2.)
    """

    side = "neither"
    unidentified = "nothing"
    normalizer = "clipped"

    def __init__(self, clip: float = 5.0):
        super().__init__()
        if not clip > 0:
            raise ValueError(f"clip is {clip!r}, and must be above 0: it bounds the scores of mismatched pairs.")
        self.clip = clip

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        clipped = logmeanexp(product.clamp(-self.clip, self.clip))
        return _classification(joint, product), single_precision(joint), clipped

    def value(self, *statistics: Tensor) -> Tensor:
        return statistics[1].mean(-1) - logmeanexp(statistics[2])

    def objective(self, *statistics: Tensor) -> Tensor:
        return statistics[0].mean(-1)

    def extra_repr(self) -> str:
        return f"clip={self.clip}"


class _Discriminative(Bound):
    """An f-DIME objective: a loss of each row; the value is the plug-in mean."""

    side = "neither"
    unidentified = "nothing"
    normalizer = "none"

    def value(self, *statistics: Tensor) -> Tensor:
        return statistics[0].mean(-1)

    def objective(self, *statistics: Tensor) -> Tensor:
        return statistics[1].mean(-1)


class KLDIME(_Discriminative):
    r"""f-DIME with the Kullback–Leibler generator; the value is the plug-in mean.

    It minimizes :math:`E_{p(x)p(y)} e^f - E_{p(x,y)} f - 1`, the objective of NWJ. The value has a lower variance than
    that of NWJ. At high information few pairs dominate the gradient, as with NWJ.

    References:
        Novello and Tonello, f-Divergence based discriminative mutual information estimation, 2024, arXiv:2305.20025.

    Example:
        >>> KLDIME().loss(torch.tensor([1.0, 1.0]), torch.zeros(2, 1))
        tensor(-1.)
    """

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        joint = single_precision(joint)
        return joint, logmeanexp(product).exp() - joint - 1


class GANDIME(_Discriminative):
    r"""f-DIME with the GAN generator: the classification loss of Jensen–Shannon; the value is the plug-in mean.

    It is the most accurate of the family in the tables of its authors, and equal to a balanced probabilistic
    classifier.

    References:
        Novello and Tonello, 2024, arXiv:2305.20025, equation 21.

    Example:
        >>> GANDIME()(torch.tensor([1.0, 3.0]), torch.zeros(2, 1))
        tensor(2.)
    """

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        return single_precision(joint), _classification(joint, product)


class HDDIME(_Discriminative):
    r"""f-DIME with the squared Hellinger generator; the value is the plug-in mean.

    It minimizes :math:`E_{p(x,y)} e^{-f/2} + E_{p(x)p(y)} e^{f/2}`. The discriminator of the authors is
    :math:`D = e^{-f/2}`; in log space it needs no clipping.

    References:
        Novello and Tonello, 2024, arXiv:2305.20025.

    Example:
        >>> HDDIME().loss(torch.zeros(2), torch.zeros(2, 1))
        tensor(2.)
    """

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        joint = single_precision(joint)
        return joint, torch.exp(-joint / 2) + logmeanexp(single_precision(product) / 2).exp()


def _classification(joint: Tensor, product: Tensor) -> Tensor:
    """The balanced classification loss of each row."""
    return softplus(-single_precision(joint)) + softplus(single_precision(product)).mean(-1)
