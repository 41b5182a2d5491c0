r"""Contrastive bounds: pick the matched x among K + 1 candidates.

The matched pair is among the candidates and the divisor counts it. Leaving it out of the sum while keeping
ln(K + 1) is a common mistake, and the result is then no bound.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds._math import infonce_loss, logaddmeanexp, logmeanexp, single_precision
from mibounds.bounds.bound import Bound

__all__ = ["InfoNCE", "InfoNCEAnchor"]


class InfoNCE(Bound):
    r"""InfoNCE (contrastive predictive coding): a lower bound with a low variance and a ceiling.

    .. math:: I_{NCE} = E\Big[f(x_i,y_i) - \log \tfrac{1}{K+1} \sum_{j} e^{f(x_j,y_i)}\Big] \le \ln(K+1)

    The sum is over the matched x and K others. The variance is low and training is stable. The ceiling ln(K+1) biases
    the value from about 2 nats below it. The optimum is :math:`\log r` plus any function of y, so that other bounds
    need a normalized critic. With the average over both directions (`MIEstimator(..., symmetric=True)`) only a constant
    is unidentified.

    References:
        van den Oord, Li and Vinyals, Representation learning with contrastive predictive coding, 2018,
        arXiv:1807.03748, equation 4. Poole et al., 2019, arXiv:1905.06922, equation 12.

    Example:
        >>> InfoNCE()(torch.tensor([50.0, 50.0]), torch.zeros(2, 1))  # the ceiling ln 2
        tensor(0.6931)
    """

    side = "lower"
    unidentified = "function of y"
    normalizer = "contrastive"

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        return (single_precision(joint) - logaddmeanexp(joint, product),)

    def reduce_grid(self, grid: Tensor) -> tuple[Tensor, ...]:
        return (single_precision(grid).diagonal(dim1=-2, dim2=-1) - logmeanexp(grid),)

    def symmetric_objective(self, grid: Tensor) -> Tensor:
        return infonce_loss(grid)

    def value(self, *statistics: Tensor) -> Tensor:
        return statistics[0].mean(-1)

    def ceiling(self, negatives: int) -> float:
        return math.log(negatives + 1)


class InfoNCEAnchor(Bound):
    r"""InfoNCE with an anchor class "none of them": its optimum is the log density ratio itself.

    With candidates of which one is matched (positive set) or none is (negative set), and prior weight nu of the anchor,

    .. math:: L = -\tfrac{K}{K+\nu} E \log\frac{r(x_i,y_i)}{\nu + \sum_{k\le K} r_k}
              - \tfrac{\nu}{K+\nu} E \log\frac{\nu}{\nu + \sum_{k \le K} r^-_k},\quad r = e^f,

    where the positive set holds the matched x and K - 1 others. K = 1 with nu = 1 is binary cross-entropy (half of
    Jensen–Shannon's loss), nu = 0 is InfoNCE over K candidates. The value is the plug-in mean E f, which has no
    ceiling and is not a bound.

    References:
        Ryu, Wornell and Zheng, Contrastive predictive coding done right for mutual information estimation, 2025,
        arXiv:2510.25983.

    Arguments:
        nu: prior weight of the anchor against a candidate, at least 0.

    Raises:
        ValueError: if `nu` is negative.

    Example:
        >>> InfoNCEAnchor()(torch.tensor([1.0, 3.0]), torch.zeros(2, 1))
        tensor(2.)
    """

    side = "neither"
    normalizer = "none"

    def __init__(self, *, nu: float = 1.0):
        super().__init__()
        check_at_least("nu", nu, 0)
        self.nu = nu
        self.unidentified = "nothing" if nu else "function of y"

    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        joint, product = single_precision(joint), single_precision(product)
        candidates = product.shape[-1]
        positives = torch.logsumexp(torch.cat([joint.unsqueeze(-1), product[..., 1:]], -1), -1)
        if not self.nu:
            return joint, positives - joint
        anchor = joint.new_tensor(math.log(self.nu))
        positive = torch.logaddexp(anchor, positives) - joint
        negative = torch.logaddexp(anchor, torch.logsumexp(product, -1)) - anchor
        return joint, (candidates * positive + self.nu * negative) / (candidates + self.nu)

    def value(self, *statistics: Tensor) -> Tensor:
        return statistics[0].mean(-1)

    def objective(self, *statistics: Tensor) -> Tensor:
        return statistics[1].mean(-1)

    def extra_repr(self) -> str:
        return f"nu={self.nu}"
