r"""The log density ratio of a fitted Gaussian, in canonical coordinates.

With canonical pairs (u_k, v_k) of correlation rho_k,

.. math:: \log r = \sum_k -\tfrac12 \log(1-\rho_k^2)
          - \frac{\rho_k^2 (u_k^2 + v_k^2) - 2\rho_k u_k v_k}{2(1-\rho_k^2)} .

Sample canonical correlations are biased upwards and their directions are noisy: 50 + 50 independent columns and 1,000
rows reach 0.4. `GaussianCritic` therefore cross-validates them (`canonical`, and `row_space` where columns outnumber
rows).
"""

from __future__ import annotations

import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers
from mibounds._math import full_precision, infonce_loss
from mibounds.critics.canonical import CLEARLY, FOLDS, held_out_pairs
from mibounds.critics.critic import Critic, inner_product
from mibounds.critics.row_space import wide_pairs

__all__ = ["GaussianCritic"]

_MOST_RADIAL = 100  # columns up to which radial products are tried
_VALIDATION_ROWS = 1_000  # at most


class GaussianCritic(FittedBuffers, Critic):
    r"""The log density ratio of a Gaussian fitted to the training rows, regularized by cross-validation.

    Exact for Gaussian data at any information and any dimension below the number of rows, where no network is; on
    rank-Gaussianized columns it is the Gaussian copula. On other data it is the starting point that a network corrects
    (`WithOffset`). On bounded data it overestimates large ratios, so decide by a validation loss whether to use it.
    `prepare` fits it; nothing in it is trained by gradients.

    With `radial=True` it also tries every column times the row's squared radius, :math:`x_k (\|x\|^2 - c)`, beside the
    columns: rotations and scales that depend on the radius (spirals) are then linear. They are used only where they
    lower the validation loss.

    References:
        Hotelling, Relations between two sets of variates, 1936. Vinod, Canonical ridge and econometrics of joint
        production, 1976. Bickel and Levina, Covariance regularization by thresholding, 2008, arXiv:0901.3079. Ince et
        al., A statistical framework for neuroimaging data analysis based on mutual information estimated via a
        Gaussian copula, 2017.

    Arguments:
        radial: also try columns times the squared radius.

    Example:
        >>> x = torch.randn(1000, 1, generator=torch.Generator().manual_seed(0))
        >>> critic = GaussianCritic()
        >>> critic.prepare(x, x + torch.randn(1000, 1, generator=torch.Generator().manual_seed(1)))
        >>> round(float(critic.correlation[0]), 1)
        0.7
    """

    center_x: Tensor
    center_y: Tensor
    mean_x: Tensor
    mean_y: Tensor
    to_u: Tensor
    to_v: Tensor
    correlation: Tensor

    def __init__(self, *, radial: bool = False):
        super().__init__()
        self.radial = radial
        for name in ("center_x", "center_y", "mean_x", "mean_y", "to_u", "to_v", "correlation"):
            self.register_buffer(name, torch.empty(0))

    def prepare(self, x: Tensor, y: Tensor) -> None:
        self._fit(x, y, self.radial and self._radial_is_better(x, y))

    def encode_x(self, x: Tensor) -> Tensor:
        self._require_prepared()
        with full_precision(x):
            u, rho = (_features(x, self.center_x) - self.mean_x) @ self.to_u, self.correlation
        square = (u.square() * self._curvature()).sum(-1, keepdim=True)
        one = torch.ones_like(square)
        return torch.cat([u * (rho / (1 - rho.square())), square, one], -1)

    def encode_y(self, y: Tensor) -> Tensor:
        self._require_prepared()
        with full_precision(y):
            v = (_features(y, self.center_y) - self.mean_y) @ self.to_v
        constant = -torch.log1p(-self.correlation.square()).sum() / 2
        square = (v.square() * self._curvature()).sum(-1, keepdim=True) + constant
        return torch.cat([v, torch.ones_like(square), square], -1)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return inner_product(hx, hy)

    def _radial_is_better(self, x: Tensor, y: Tensor) -> bool:
        """Is the validation loss on a fifth of the rows clearly lower with radial products?"""
        if max(x.shape[1], y.shape[1]) > _MOST_RADIAL:  # twice as many columns cost eight times as much
            return False
        fold = torch.arange(len(x), device=x.device) % FOLDS == 0
        validation, training = fold.nonzero().flatten()[:_VALIDATION_ROWS], ~fold
        if len(validation) < 2:
            return False
        losses = []
        for radial in (False, True):
            self._fit(x[training], y[training], radial)
            losses.append(float(infonce_loss(self.pairwise(x[validation], y[validation]))))
        return losses[1] < losses[0] - CLEARLY

    def _fit(self, x: Tensor, y: Tensor, radial: bool) -> None:
        empty = x.new_empty(0)
        self.center_x, self.center_y = (_center(side) if radial else empty for side in (x, y))
        features_x, features_y = _features(x, self.center_x), _features(y, self.center_y)
        wide = max(features_x.shape[1], features_y.shape[1]) > len(x)
        pairs = (wide_pairs if wide else held_out_pairs)(features_x, features_y)
        self.mean_x, self.mean_y, self.to_u, self.to_v, self.correlation = (tensor.to(x.dtype) for tensor in pairs)

    def _curvature(self) -> Tensor:
        square = self.correlation.square()
        return -square / (2 * (1 - square))

    def _require_prepared(self) -> None:
        if not self.mean_x.numel():
            raise RuntimeError("This GaussianCritic is not fitted: call prepare(x, y) on training rows first.")


def _center(x: Tensor) -> Tensor:
    """Means and standard deviations of the columns and of the squared radius: (2, D + 1)."""
    mean, scale = x.mean(0), x.std(0, correction=0).clamp_min(1e-12)
    radius = ((x - mean) / scale).square().mean(-1)
    radial = torch.stack([radius.mean(), radius.std(correction=0).clamp_min(1e-12)])
    return torch.cat([torch.stack([mean, scale]), radial[:, None]], 1)


def _features(x: Tensor, center: Tensor) -> Tensor:
    """The columns, and with a center also the columns times the squared radius."""
    if not center.numel():
        return x
    standard = (x - center[0, :-1]) / center[1, :-1]
    radius = (standard.square().mean(-1, keepdim=True) - center[0, -1]) / center[1, -1]
    return torch.cat([x, standard * radius.clamp(-4, 4)], -1)
