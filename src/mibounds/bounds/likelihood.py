r"""Bounds over conditional densities: the critic is :math:`\log q(y|x)`, fitted by maximum likelihood.

All train the same way, by :math:`-E_{p(x,y)} \log q(y|x)`, and read differently. The upper ones are bounds
only as far as q is the true conditional density; with a poor q they are neither. `BarberAgakov` is a lower bound for
every q, and needs the entropy of y.
"""

from __future__ import annotations

from torch import Tensor

from mibounds._math import logmeanexp, single_precision
from mibounds.bounds.bound import Bound

__all__ = ["CLUB", "BarberAgakov", "LeaveOneOut", "PlugIn"]


class _Likelihood(Bound):
    """Trained by maximum likelihood; the rows begin with the matched scores."""

    unidentified = "nothing"
    needs_conditional_density = True

    def objective(self, *statistics: Tensor) -> Tensor:
        return -single_precision(statistics[0]).mean(-1)


class BarberAgakov(_Likelihood):
    r"""The entropy of y plus the likelihood of y given x: a lower bound for every conditional density.

    .. math:: I_{BA} = H(Y) + E_{p(x,y)} \log q(y|x), \qquad I - I_{BA} = E_{p(x)} KL\big(p(y|x) \| q(y|x)\big)

    Use it where the entropy is known: labels of known frequencies, a designed or uniform y. With an entropy that is
    estimated by another fitted density it is a difference of entropies and neither bound (see `mibounds.critics`). The
    entropy of continuous y is one in the units of y: a `Trainer` evaluates it with `preprocessing=None` only.

    References:
        Barber and Agakov, The IM algorithm: a variational approach to information maximization, 2003. Poole et al.,
        2019, arXiv:1905.06922, equation 2.

    Arguments:
        entropy: H(Y) in nats, of y in the units that the critic sees.

    Example:
        >>> import torch
        >>> BarberAgakov(entropy=1.5)(torch.tensor([-1.0, -0.5]), torch.zeros(2, 1))
        tensor(0.7500)
    """

    side = "lower"
    normalizer = "none"
    takes_raw_scores = True

    def __init__(self, *, entropy: float):
        super().__init__()
        self.entropy = float(entropy)

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        return (single_precision(joint),)

    def value(self, *statistics: Tensor) -> Tensor:
        return self.entropy + statistics[0].mean(-1)

    def extra_repr(self) -> str:
        return f"entropy={self.entropy}"


class PlugIn(_Likelihood):
    r"""The mean score of matched pairs, E f: exact if the critic is the log density ratio, otherwise neither bound.

    As an estimate by a normalized critic it has the smallest variance and no ceiling; nothing but the critic's
    smoothness supports it above ln N. As an objective it is maximum likelihood, and needs a density critic log q(y|x).

    References:
        Liao et al., DEMI: discriminative estimator of mutual information, 2020, arXiv:2010.01766.

    Example:
        >>> import torch
        >>> PlugIn()(torch.tensor([1.0, 3.0]), torch.zeros(2, 1))
        tensor(2.)
    """

    side = "neither"
    normalizer = "none"

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        return (single_precision(joint),)

    def value(self, *statistics: Tensor) -> Tensor:
        return statistics[0].mean(-1)


class CLUB(_Likelihood):
    r"""The contrastive log-ratio upper bound; to decrease information, `LeaveOneOut` is better.

    .. math:: I_{CLUB} = E_{p(x,y)} \log q(y|x) - E_{p(x)p(y)} \log q(y|x)

    It is not an estimate of the information even with the exact q: it is then the information plus
    :math:`KL(p(x)p(y) \| p(x,y))`, for a Gaussian pair :math:`\rho^2/(1-\rho^2)` against
    :math:`-\tfrac12 \ln(1-\rho^2)`. Its gradient with q held fixed is not that of the information either: for a code
    with learned noise and the exact q the derivative with respect to the noise is +0.004 where that of the information
    is -1.067, and with respect to a mere scale of the code 1.80 where the truth is 0 (`LeaveOneOut`: -1.040 and 0.02).
    Minimizing it can therefore make an encoder deterministic. Use `LeaveOneOut` to make information small.

    References:
        Cheng et al., CLUB: a contrastive log-ratio upper bound of mutual information, 2020, arXiv:2006.12013.

    Example:
        >>> import torch
        >>> CLUB()(torch.tensor([1.0, 3.0]), torch.tensor([[0.0], [-2.0]]))
        tensor(3.)
    """

    side = "upper"

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        return single_precision(joint), single_precision(product).mean(-1)

    def value(self, *statistics: Tensor) -> Tensor:
        return (statistics[0] - statistics[1]).mean(-1)


class LeaveOneOut(_Likelihood):
    r"""The leave-one-out upper bound: the marginal density is the mean of q over the other rows' x.

    .. math:: I_{L1O} = E\Big[\log q(y_i|x_i) - \log \tfrac1K \sum_{j \ne i} q(y_i|x_j)\Big]

    Tighter than `CLUB` and noisier: a row whose neighbors all miss its y counts for much. The mean is over the K
    other rows and row i keeps its y; with the matched row inside, or with the other orientation, it is not a bound.

    References:
        Poole et al., On variational bounds of mutual information, 2019, arXiv:1905.06922, equation 13.

    Example:
        >>> import torch
        >>> LeaveOneOut()(torch.tensor([1.0, 3.0]), torch.zeros(2, 4))
        tensor(2.)
    """

    side = "upper"

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        return single_precision(joint), logmeanexp(product)

    def value(self, *statistics: Tensor) -> Tensor:
        return (statistics[0] - statistics[1]).mean(-1)
