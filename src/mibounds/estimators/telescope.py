r"""Telescoping: high information as a sum of low ones.

Where information is high, no mismatched pair looks like a matched one: a classifier of the two is perfect long before
its ratio is right, and contrastive losses end at ln N. Telescoping puts waymarks between independence and the joint,

.. math:: y_k = \sqrt{1 - a_k^2}\; \tilde y + a_k\, y, \qquad 0 = a_0 < a_1 < \dots < a_K = 1,

with y~ the y of another row. Neighboring waymarks overlap, each bridge between two of them is a modest ratio, and the
bridges add up:

.. math:: \log\frac{p(x,y)}{p(x)p(y)} = \sum_{k=1}^K \log\frac{p_k(x,y)}{p_{k-1}(x,y)} .
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor
from torch.nn import functional

from mibounds._checks import check_integer, check_number, check_widths
from mibounds._distributed import all_gather, check_even_shares, rank, ranks
from mibounds._variables import Tensors
from mibounds.bounds import PlugIn
from mibounds.bounds.bound import Unidentified
from mibounds.critics import BridgedCritic, shifts
from mibounds.estimators.estimator import Estimator

__all__ = ["Telescope"]

_VALIDATION_SHIFTS = 4


@final
class Telescope(Estimator):
    r"""Mutual information beyond about 8 nats, by a telescope of density ratios; a `Trainer` fits it.

    .. math:: L = \sum_{k=1}^K E_{p_{k-1}} \operatorname{softplus}(f_k) + E_{p_k} \operatorname{softplus}(-f_k),
              \qquad I = E_{p(x,y)} \sum_k f_k

    One logistic classifier for each pair of neighboring waymarks, all on one network (`BridgedCritic`). At its optimum
    :math:`f_k = \log p_k / p_{k-1}` is identified, and the sum is the log-ratio. The value is the plug-in mean. N rows
    certify at most ln N nats, with any method, so the result is marked `extrapolated`, and the lower end of its
    interval is that of InfoNCE.

    Use it if the value of `estimate` is near or above ln N. Below about 8 nats `estimate` is better, and has
    cross-checks. Give the trainer `preprocessing=Gaussianize()`: waymarks add columns, and if y is jointly Gaussian
    they have the distribution of y. Otherwise every bridge also has to learn the change of this distribution (20 + 20
    mixed columns with 10 nats: 9.8 with it, 8.2 on ranks alone). The value is usually low if the critic learns the
    dependence slowly, or if a few columns have far more than one nat each (raise `information` and `bridges`): each
    bridge is evaluated on matched pairs, where it depends on the smoothness of the critic between waymarks. It is low,
    too, if training stops early; `steps=1500, lr=5e-3` suits 20 columns.

    References:
        Rhodes, Xu and Gutmann, Telescoping density-ratio estimation, 2020, arXiv:2006.12204. Srivastava et al.,
        Estimating the density ratio between distributions with high discrepancy using multinomial logistic
        regression, 2023, arXiv:2305.00869. McAllester and Stratos, Formal limitations on the measurement of mutual
        information, 2020, arXiv:1811.04251 (the limit ln N).

    Arguments:
        dim_x: columns of x.
        dim_y: columns of y.
        bridges: K; one to two nats a bridge are easy.
        information: nats, a guess that places the waymarks: they would split a Gaussian of so much information, spread
            evenly over the columns of the narrower side, into equal parts. Off by a factor of two it does no harm.
        hidden: widths of the critic's hidden layers.
        features: products in a bridge of the critic.
        shared: x and y are this rank's share of a batch; see `MIEstimator`.

    Raises:
        TypeError: if an argument is no number, or `hidden` no sequence of them.
        ValueError: if a number is out of its range.

    Example:
        >>> import mibounds as mi
        >>> task = mi.tasks.CorrelatedGaussian.with_information(6, 6)
        >>> x, y = task.sample(1000, torch.Generator().manual_seed(0))
        >>> telescope = mi.Telescope(6, 6, bridges=4, information=6, hidden=(16,), features=8)
        >>> trainer = mi.Trainer(steps=100, lr=2e-2, folds=2, preprocessing=mi.Gaussianize())
        >>> result = trainer.fit(telescope, x, y)
        >>> result.method, result.extrapolated, 4 < result.value < 7
        ('PlugIn', True, True)
    """

    critic: BridgedCritic
    unidentified: Unidentified = "nothing"
    negatives = 1
    extrapolates = True
    half_precision = False

    shares: Tensor

    def __init__(
        self,
        dim_x: int,
        dim_y: int,
        *,
        bridges: int = 12,
        information: float = 20.0,
        hidden: Sequence[int] = (128, 128),
        features: int = 32,
        shared: bool = False,
    ):
        super().__init__()
        sizes = {"dim_x": dim_x, "dim_y": dim_y, "bridges": bridges, "features": features}
        dim_x, dim_y, bridges, features = (check_integer(name, size, 1) for name, size in sizes.items())
        information = check_number("information", information, above=0)
        hidden = check_widths("hidden", hidden)
        self.critic = BridgedCritic(dim_x, dim_y, bridges=bridges, hidden=hidden, features=features)
        self.bound = PlugIn()
        self.shared = shared
        self.register_buffer("shares", _shares(bridges, information / min(dim_x, dim_y)))

    def waymarks(self, y: Tensor, other: Tensor) -> Tensor:
        """From the y of other rows to y itself, in K steps: (N, D_y), (N, D_y) -> (K + 1, N, D_y)."""
        own = self.shares[:, None, None]
        return own.sqrt() * y + (1 - own).sqrt() * other

    def loss(self, x: Tensors, y: Tensors, generator: torch.Generator | None = None) -> Tensor:
        """The sum over bridges of their logistic losses, a scalar; 2 K ln 2 for an uninformative critic:
        x (N, D_x), y (N, D_y)."""
        return self._loss(x, y, generator, self.shared)

    def _loss(self, x: Tensors, y: Tensors, generator: torch.Generator | None, shared: bool) -> Tensor:
        if not (isinstance(x, Tensor) and isinstance(y, Tensor)):
            raise TypeError("A telescope mixes the columns of y, so x and y must be tensors and no tuples of them.")
        n, others = len(y), y
        partners = shifts(n * ranks() if shared else n, 1, generator).squeeze(1)
        if shared:
            check_even_shares(n, y.device)
            partners, others = partners[rank() * n : (rank() + 1) * n], all_gather(y)
        ratios = self.critic.bridges(x, self.waymarks(y, others[partners]))  # (K + 1, N, K)
        # Bridge k is trained on the waymark before it and the one after it: two diagonals over (waymark, bridge).
        before, after = ratios[:-1].diagonal(0, 0, 2), ratios[1:].diagonal(0, 0, 2)  # (N, K)
        losses = functional.softplus(before) + functional.softplus(-after)
        return (all_gather(losses) if shared else losses).mean(0).sum()

    def value(self, x: Tensors, y: Tensors, generator: torch.Generator | None = None) -> Tensor:
        """The plug-in in nats of a batch, a scalar: x (N, D_x), y (N, D_y)."""
        scores: Tensor = self.critic(x, y)
        return (all_gather(scores) if self.shared else scores).mean()

    def validation_loss(self, x: Tensors, y: Tensors) -> float:
        """The loss by which training is stopped (lower is better, 0 for an uninformative critic): the objective on
        validation rows, always with the same mismatched rows."""
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():  # all ranks have these rows: they are no share
            losses = [float(self._loss(x, y, generator, shared=False)) for _ in range(_VALIDATION_SHIFTS)]
        return sum(losses) / len(losses) - 2 * (len(self.shares) - 1) * math.log(2)

    def extra_repr(self) -> str:
        """The waymarks, for `repr`."""
        return f"shares={[round(share, 3) for share in self.shares.tolist()]}"


def _shares(bridges: int, nats: float) -> Tensor:
    """The shares a_k^2 of variance that waymarks take from the own row, (K + 1,).

    A Gaussian pair of squared correlation 1 - e^{-2 nats} keeps a_k^2 of it at waymark k; these a_k^2 leave k/K of its
    information.
    """
    steps = torch.linspace(0, 1, bridges + 1, dtype=torch.float64)
    shares = torch.expm1(-2 * nats * steps) / math.expm1(-2 * nats)
    shares[-1] = 1.0
    return shares.float()
