"""A critic in closed form of two single columns: the density of the residuals of a local linear regression."""

from __future__ import annotations

from torch import Tensor

from mibounds.critics.residual import ROWS, ResidualCritic
from mibounds.learners import LocalLinear

__all__ = ["LocalLinearCritic"]


class LocalLinearCritic(ResidualCritic):
    r"""The log-ratio of a local linear regression of a column y on a column x with noise of any shape,

    .. math:: f(x,y) = \log k\!\left(\frac{y - m(x)}{s(x)}\right) - \log s(x) - \log \frac1N \sum_i
              \frac{1}{s(x_i)} k\!\left(\frac{y - m(x_i)}{s(x_i)}\right),

    with the predictions m and the sizes s of residuals of `LocalLinear`, and a kernel density k of the standardized
    residuals. Sharp where y is a smooth function of x plus noise, however small the noise, where `CopulaDensityCritic`
    is too smooth; too low where the distribution of y given x has several modes, and where y has ties.

    References:
        Fan, Yao and Tong, Estimation of conditional densities and sensitivity measures in nonlinear dynamical systems,
        1996.

    Arguments:
        column: of x.
        target: of y.

    Example:
        >>> import torch
        >>> x, noise = torch.randn(2, 2000, 1, generator=torch.Generator().manual_seed(0))
        >>> critic = LocalLinearCritic()
        >>> critic.prepare(x[:1000], x[:1000] + 0.01 * noise[:1000])
        >>> exact = 4.605  # ln(1 + 100²) / 2
        >>> bool((critic(x[1000:], x[1000:] + 0.01 * noise[1000:]).mean() - exact).abs() < 0.15)
        True
    """

    def __init__(self, column: int = 0, *, target: int = 0):
        super().__init__(column, target=target)
        self.regression = LocalLinear()

    def prepare(self, x: Tensor, y: Tensor) -> None:
        target = self._target(y[:ROWS])
        location, log_scale = self.regression.fit_transform(x[:ROWS, [self.location]], target[:, None]).unbind(1)
        self._fit(location, log_scale, target)

    def _prediction(self, x: Tensor) -> tuple[Tensor, Tensor]:
        location, log_scale = self.regression(x[..., [self.location]]).unbind(-1)
        return location, log_scale
