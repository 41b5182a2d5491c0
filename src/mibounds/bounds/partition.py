r"""Bounds with a partition term: Donsker–Varadhan, MINE, NWJ.

For every critic f,

.. math:: I(X;Y) \ge E_{p(x,y)} f - \log E_{p(x)p(y)} e^f \ge 1 + E_{p(x,y)} f - E_{p(x)p(y)} e^f .

The first (Donsker–Varadhan) is the second (Nguyen–Wainwright–Jordan) with the best constant added to f. The partition
term is a mean over all mismatched pairs. With a good critic its variance is of order e^I/N^2, and e^I/N for a single
shuffle. Statements that these bounds have exponential variance are about one shuffle.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mibounds._checks import check_fraction
from mibounds._math import logaddmeanexp, logmeanexp, logmeanexp_off_diagonal, single_precision
from mibounds.bounds.bound import Bound

__all__ = ["MINE", "NWJ", "DonskerVaradhan", "Interpolated"]


class _Partitioned(Bound):
    """A bound that needs, of each sample, the matched score and the log-mean-exp of the mismatched ones."""

    side = "lower"

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        return single_precision(joint), logmeanexp(product)

    def reduce_grid(self, grid: Tensor) -> tuple[Tensor, ...]:
        return single_precision(grid.diagonal(dim1=-2, dim2=-1)), logmeanexp_off_diagonal(grid)


class DonskerVaradhan(_Partitioned):
    r"""The Donsker–Varadhan lower bound, the tightest of the bounds with a partition term.

    .. math:: I_{DV} = E_{p(x,y)} f - \log E_{p(x)p(y)} e^f

    It does not identify a constant added to f, so a critic that is trained by it can drift. Its minibatch gradient is
    biased (`MINE` corrects this), and training can diverge at high information. As an *estimate* over all pairs of a
    trained critic it is accurate up to about ln N.

    References:
        Donsker and Varadhan, Asymptotic evaluation of certain Markov process expectations for large time IV, 1983.
        Belghazi et al., Mutual Information Neural Estimation, 2018, arXiv:1801.04062, equation 4.

    Example:
        >>> DonskerVaradhan()(torch.tensor([1.0, 1.0]), torch.zeros(2, 1))
        tensor(1.)
    """

    unidentified = "constant"
    normalizer = "log-mean"

    def value(self, *statistics: Tensor) -> Tensor:
        joint, partition = statistics
        return joint.mean(-1) - logmeanexp(partition)


class MINE(_Partitioned):
    r"""Donsker–Varadhan with the bias-corrected gradient of MINE.

    The gradient of :math:`\log E e^f` on a minibatch divides by that minibatch's own :math:`E e^f` and is biased; MINE
    divides by a moving average :math:`a` instead: the partition term contributes :math:`\nabla E e^f / a`. The value is
    straight-through: its number is Donsker–Varadhan's, its gradient the corrected one. The average is a buffer, kept as
    a logarithm so that it cannot overflow, starts at the first batch's value and moves in `objective` only.

    Use it to reproduce the paper. It drifts and becomes unstable at high information, where `InfoNCE` or
    `JensenShannon` are stable.

    References:
        Belghazi et al., Mutual Information Neural Estimation, 2018, arXiv:1801.04062, section 3.2, equation 12.

    Arguments:
        decay: share of the old average that is kept at every step, strictly between 0 and 1.

    Raises:
        ValueError: if `decay` is not strictly between 0 and 1.

    Example:
        >>> mine = MINE(decay=0.9)
        >>> mine(torch.tensor([1.0, 1.0]), torch.zeros(2, 1))
        tensor(1.)
    """

    unidentified = "constant"
    normalizer = "log-mean"

    log_average: Tensor

    def __init__(self, *, decay: float = 0.99):
        super().__init__()
        check_fraction("decay", decay)
        self.decay = decay
        self.register_buffer("log_average", torch.tensor(math.nan))

    def value(self, *statistics: Tensor) -> Tensor:
        log_partition = logmeanexp(statistics[1])
        average = torch.where(self.log_average.isnan(), log_partition.detach(), self.log_average)
        return self._value(statistics[0], log_partition, average)

    def objective(self, *statistics: Tensor) -> Tensor:
        log_partition = logmeanexp(statistics[1])
        now = log_partition.detach()
        mixed = torch.logaddexp(self.log_average + math.log(self.decay), now + math.log1p(-self.decay))
        mixed = torch.where(self.log_average.isnan(), now, mixed)
        average = torch.where(now.abs() < math.inf, mixed, self.log_average)  # a broken batch does not stay in it
        self.log_average = average
        return -self._value(statistics[0], log_partition, average)

    def objective_and_value(self, *statistics: Tensor) -> tuple[Tensor, Tensor]:
        loss = self.objective(*statistics)
        return loss, -loss.detach()

    def _value(self, joint: Tensor, log_partition: Tensor, average: Tensor) -> Tensor:
        number = log_partition.detach()
        # The gradient of E e^f / average is that of log E e^f times this weight; above e^20 it need only be finite.
        weight = (number - average).clamp_max(20).exp()
        return joint.mean(-1) - number.addcmul(weight, log_partition - number)

    def extra_repr(self) -> str:
        return f"decay={self.decay}"


class NWJ(_Partitioned):
    r"""The Nguyen–Wainwright–Jordan lower bound, also known as MINE-f and f-GAN-KL.

    .. math:: I_{NWJ} = 1 + E_{p(x,y)} f - E_{p(x)p(y)} e^f

    The shifted form, whose optimum is :math:`\log r` and not :math:`1 + \log r`, as for every objective here. An
    unbiased estimate of a valid lower bound for a fixed critic; no logarithm limits the exponential, so a
    few pairs can dominate at high information. TUBA is this bound over a critic with a baseline,
    `WithOffset(critic, baseline)`.

    References:
        Nguyen, Wainwright and Jordan, Estimating divergence functionals and the likelihood ratio by convex risk
        minimization, 2010, arXiv:0809.0853. Poole et al., On variational bounds of mutual information, 2019,
        arXiv:1905.06922, equations 5 and 6.

    Example:
        >>> NWJ()(torch.tensor([1.0, 1.0]), torch.zeros(2, 1))
        tensor(1.)
    """

    unidentified = "nothing"
    normalizer = "mean"

    def value(self, *statistics: Tensor) -> Tensor:
        joint, partition = statistics
        return 1 + joint.mean(-1) - logmeanexp(partition).exp()


class Interpolated(Bound):
    r"""The bound that interpolates between NWJ (alpha = 0) and InfoNCE (alpha = 1).

    .. math:: I_\alpha = 1 + E\Big[f(x_i,y_i) - \log\big(\alpha m_i + 1 - \alpha\big)\Big]
              - E\Big[\frac{m_i'}{\alpha m_i' + 1 - \alpha}\Big]

    with :math:`m_i` the mean of :math:`e^f` over the matched x and the K others and :math:`m_i'` over the K others
    only. Small alpha raises InfoNCE's ceiling from ln(K+1) to ln((K+1)/alpha) and pays with variance (a sample may
    exceed it by up to 1). The second mean lacks one sample, which loosens the bound by O(1/K).

    References:
        Poole et al., On variational bounds of mutual information, 2019, arXiv:1905.06922, equation 16.

    Arguments:
        alpha: weight of the multi-sample baseline, between 0 and 1.

    Raises:
        ValueError: if `alpha` is outside [0, 1].

    Example:
        >>> Interpolated(alpha=0.0)(torch.tensor([1.0, 1.0]), torch.zeros(2, 1))
        tensor(1.)
    """

    side = "lower"

    def __init__(self, *, alpha: float = 0.01):
        super().__init__()
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha is {alpha!r}, and must lie between 0 (NWJ) and 1 (InfoNCE).")
        self.alpha = alpha
        self.unidentified = "function of y" if alpha == 1 else "nothing"

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        joint = single_precision(joint)
        others = logmeanexp(product)
        gain = joint - self._log_baseline(logaddmeanexp(joint, product))
        return gain, others - self._log_baseline(others)

    def value(self, *statistics: Tensor) -> Tensor:
        gain, partition = statistics
        return 1 + gain.mean(-1) - logmeanexp(partition).exp()

    def ceiling(self, negatives: int) -> float:
        if not self.alpha:
            return math.inf
        # Where the second expectation is 1, as at the optimum, the limit is ln((K+1)/alpha); it may fall to 0.
        return math.log((negatives + 1) / self.alpha) + (self.alpha < 1)

    def _log_baseline(self, log_mean: Tensor) -> Tensor:
        if self.alpha in (0, 1):
            return self.alpha * log_mean
        return torch.logaddexp(log_mean + math.log(self.alpha), log_mean.new_tensor(math.log1p(-self.alpha)))

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"
