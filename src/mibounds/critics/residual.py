r"""Critics in closed form on predictions of y from x: the density of residuals, and the copula density of a column and
its prediction."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers
from mibounds._math import at_places, interval_of
from mibounds.critics.critic import Critic, inner_product
from mibounds.data import RankGaussianize

__all__ = ["CopulaDensityCritic", "ResidualCritic"]

ROWS = 8_000  # that densities are fitted on
_TABLE = 2048  # points of a density
_MARGINAL = 384
_CONTAMINATION = 0.02  # share of a broad density, so that no sample is impossible
_LEAST_UNIT = 1e-4  # of the spread of the target
_FARTHEST = 1e18  # residual, in units: the square of a farther one would overflow
_BANDWIDTHS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.17, 0.12, 0.08, 0.05)  # of a standard deviation
_LOO_ROWS = 400
_LEAST_SPREAD = 1e-5  # of a constant target, relative to its size
_SMALLEST = 1e-30  # product of sums of kernels, where no sample is near
_GRID, _EDGE = 96, 3.8  # points and range of normal scores


class ResidualCritic(FittedBuffers, Critic):
    r"""The log-ratio of a regression with noise of any shape,

    .. math:: f(x,y) = \log k\!\left(\frac{y - m(x)}{s(x)}\right) - \log s(x) - \log \frac1N \sum_i
              \frac{1}{s(x_i)} k\!\left(\frac{y - m(x_i)}{s(x_i)}\right),

    with the prediction m and the size s of residuals in columns of x, and a kernel density k of the standardized
    residuals. Sharp where y is a function of x plus noise, however small the noise; too low where the shape of the
    noise depends on x.

    Arguments:
        location: the column of x with the prediction.
        scale: the column of x with the log size of residuals; None for noise that does not depend on x.
        target: the column of y.
        ranked: the prediction is that of normal scores of y, not of y itself.

    Example:
        >>> x, noise = torch.randn(2, 2000, 1, generator=torch.Generator().manual_seed(0))
        >>> critic = ResidualCritic(0)
        >>> critic.prepare(x, x + 0.1 * noise)
        >>> exact = 0.5 * math.log(101)
        >>> bool((critic(x, x + 0.1 * noise).mean() - exact).abs() < 0.1)
        True
    """

    log_density: Tensor
    marginal: Tensor
    points: Tensor
    unit: Tensor
    low: Tensor
    step: Tensor
    center: Tensor

    def __init__(self, location: int, scale: int | None = None, *, target: int = 0, ranked: bool = False):
        super().__init__()
        self.location, self.scale, self.target = location, scale, target
        self.ranks = RankGaussianize() if ranked else None
        for name in ("log_density", "marginal", "points", "unit", "low", "step", "center"):
            self.register_buffer(name, torch.empty(0))

    def prepare(self, x: Tensor, y: Tensor) -> None:
        if self.ranks is not None:
            self.ranks.fit(y[:, [self.target]])
        self._fit(*self._prediction(x[:ROWS]), self._target(y[:ROWS]))

    def _fit(self, location: Tensor, log_scale: Tensor, target: Tensor) -> None:
        """The density of residuals, and that of the target."""
        self.center = log_scale.mean()  # sizes are predicted up to a factor
        log_scale = log_scale - self.center
        least = _LEAST_UNIT * _spread(target)
        self._fit_density((target - location) * (-log_scale).exp(), least)
        inner = torch.quantile(target, torch.linspace(0, 1, _MARGINAL, dtype=target.dtype, device=target.device))
        spread = target.std().clamp_min(_LEAST_SPREAD * (1 + float(target.abs().max())))
        self.points = torch.unique(torch.cat([inner[:1] - spread, inner, inner[-1:] + spread]))
        every = self._log_density((self.points[:, None] - location) * (-log_scale).exp()) - log_scale
        self.marginal = every.logsumexp(1) - math.log(len(location))

    def encode_x(self, x: Tensor) -> Tensor:
        location, log_scale = self._prediction(x)
        return torch.stack([location, log_scale - self.center], -1)

    def encode_y(self, y: Tensor) -> Tensor:
        target = self._target(y)
        place, share = interval_of(self.points, target)
        marginal = torch.lerp(self.marginal[place - 1], self.marginal[place], share)
        return torch.stack([target, marginal], -1)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        location, log_scale = hx.unbind(-1)
        target, marginal = hy.unbind(-1)
        return self._log_density((target - location) * (-log_scale).exp()) - log_scale - marginal

    def _prediction(self, x: Tensor) -> tuple[Tensor, Tensor]:
        location = x[..., self.location]
        return location, x[..., self.scale] if self.scale is not None else torch.zeros_like(location)

    def _target(self, y: Tensor) -> Tensor:
        column = y[..., [self.target]]
        return (column if self.ranks is None else self.ranks(column)).squeeze(-1)

    def _fit_density(self, residuals: Tensor, least: float) -> None:
        """A kernel density of asinh(z/u), whose bandwidth grows with z; the bandwidth maximizes the leave-one-out
        likelihood. The unit u is at least `least`: a copy of a column has no residuals, and no finite log-ratio."""
        unit = max(_spread(residuals), least) or 1.0
        self.unit = residuals.new_tensor(unit)
        t = torch.asinh(residuals / unit)
        margin = 1.0
        low = float(t.min()) - margin
        step = (float(t.max()) + margin - low) / (_TABLE - 1)
        self.low, self.step = t.new_tensor(low), t.new_tensor(step)
        place = ((t - low) / step).round().long()
        counts = torch.bincount(place, minlength=_TABLE).to(t)
        grid = torch.arange(_TABLE, device=t.device) * step
        best = -math.inf
        spread = float(t.std())
        spectrum = torch.fft.rfft(counts, n=2 * _TABLE)
        for width in _BANDWIDTHS:
            h = max(width * spread, 2 * step)
            kernel = torch.exp(-(grid.square()) / (2 * h * h)) / (h * math.sqrt(2 * math.pi))
            around = torch.cat(
                [kernel, kernel.new_zeros(1), kernel[1:].flip(0)]
            )  # circular, twice as long as the table
            smooth = torch.fft.irfft(spectrum * torch.fft.rfft(around), n=2 * _TABLE)
            density = smooth[:_TABLE].clamp_min(0)
            broad = torch.exp(-((grid + low).square()) / 18) / (3 * math.sqrt(2 * math.pi))
            own = float(kernel[0])
            left_out = (1 - _CONTAMINATION) * (density[place] - own).clamp_min(0) / (len(t) - 1)
            likelihood = float((left_out + _CONTAMINATION * broad[place]).log().mean())
            if likelihood > best:
                best = likelihood
                mixture = (1 - _CONTAMINATION) * density / len(t) + _CONTAMINATION * broad
                self.log_density = mixture.clamp_min(torch.finfo(t.dtype).tiny).log()

    def _log_density(self, residuals: Tensor) -> Tensor:
        """Of standardized residuals: that of t = asinh(z/u), plus the log derivative of t."""
        size = (residuals / self.unit).abs().clamp_max(_FARTHEST)
        square = size.square()
        root = (square + 1).sqrt()
        # asinh, as exact near zero: torch.asinh takes ten times as long.
        far = torch.log1p(size + square / (root + 1)).copysign(residuals)
        t = (far - self.low) / self.step
        inside = t.clamp(0, _TABLE - 1.001)
        log = at_places(self.log_density, inside)
        log = log - (t - inside).abs() * self.step  # falls off beyond what was seen
        return log - root.log() - self.unit.log()


class CopulaDensityCritic(FittedBuffers, Critic):
    r"""The log copula density of a column of x and one of y, by kernels on normal scores.

    .. math:: f(x,y) = \log \frac{\hat p(u, v)}{\hat p(u) \hat p(v)},
              \qquad u = \Phi^{-1}(F(x)),\; v = \Phi^{-1}(F(y))

    from a grid, between whose points it is interpolated. For a pair of columns of any shape, or a column and its
    prediction. The bandwidth maximizes the leave-one-out likelihood; fails, too low, above some 3 nats.

    References:
        Charpentier, Fermanian and Scaillet, The estimation of copulas: theory and practice, 2007.

    Arguments:
        column: of x.
        target: of y.

    Example:
        >>> x, noise = torch.randn(2, 2000, 1, generator=torch.Generator().manual_seed(0))
        >>> critic = CopulaDensityCritic(0)
        >>> critic.prepare(x, 0.8 * x + 0.6 * noise)
        >>> exact = -0.5 * math.log(1 - 0.8**2)
        >>> bool((critic(x, 0.8 * x + 0.6 * noise).mean() - exact).abs() < 0.1)
        True
    """

    log_ratio: Tensor

    def __init__(self, column: int, target: int = 0):
        super().__init__()
        self.column, self.target = column, target
        self.rank_x, self.rank_y = RankGaussianize(), RankGaussianize()
        self.register_buffer("log_ratio", torch.empty(0))

    def prepare(self, x: Tensor, y: Tensor) -> None:
        columns = x[:, [self.column]], y[:, [self.target]]
        u, v = (
            ranks.fit(column)(column).squeeze(1)[:ROWS].double()
            for ranks, column in zip((self.rank_x, self.rank_y), columns, strict=True)
        )
        chosen = _bandwidth(u.float(), v.float())
        grid = torch.linspace(-_EDGE, _EDGE, _GRID, dtype=u.dtype, device=u.device)
        near_u, near_v = _kernel(grid, u, chosen), _kernel(grid, v, chosen)
        self.log_ratio = _log_ratio(near_u @ near_v.T, near_u.sum(1)[:, None] * near_v.sum(1), len(u)).float()

    def encode_x(self, x: Tensor) -> Tensor:
        return _hat(self.rank_x(x[..., [self.column]])) @ self.log_ratio

    def encode_y(self, y: Tensor) -> Tensor:
        return _hat(self.rank_y(y[..., [self.target]]))

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return inner_product(hx, hy)


def _spread(column: Tensor) -> float:
    """The standard deviation of a column (N,) by its quartiles, which a far value does not move; by itself where half
    of the values are equal."""
    middle = torch.quantile(column, column.new_tensor([0.25, 0.75]))
    return float(middle[1] - middle[0]) / 1.35 or float(column.std())


def _bandwidth(u: Tensor, v: Tensor) -> float:
    """The bandwidth of the largest leave-one-out likelihood of some of the samples u (N,) and v (N,)."""
    some = min(len(u), _LOO_ROWS)
    apart = [(column[:some, None] - column).square_() for column in (u, v)]
    for squares in apart:
        squares.fill_diagonal_(math.inf)  # left out

    def likelihood(h: float) -> float:
        near_u, near_v = ((squares * (-0.5 / h**2)).exp_() for squares in apart)
        joint = torch.linalg.vecdot(near_u, near_v)
        return float(_log_ratio(joint, near_u.sum(1) * near_v.sum(1), len(u) - 1).mean())

    return max(_BANDWIDTHS, key=likelihood)


def _kernel(at: Tensor, samples: Tensor, h: float) -> Tensor:
    return torch.exp(-((at[:, None] - samples) / h).square() / 2) / (h * math.sqrt(2 * math.pi))


def _log_ratio(joint: Tensor, product: Tensor, n: int) -> Tensor:
    """From sums of kernels over n samples, and products of such sums. The marginal densities are kernel densities too:
    those of tied columns are far from normal."""
    ratio = n * joint / product.clamp_min(_SMALLEST)
    return ((1 - _CONTAMINATION) * ratio + _CONTAMINATION).log()


def _hat(scores: Tensor) -> Tensor:
    """Weights (N, G) of the grid points around each of the scores (N, 1)."""
    place = ((scores + _EDGE) * (_GRID - 1) / (2 * _EDGE)).clamp(0, _GRID - 1)
    points = torch.arange(_GRID, dtype=scores.dtype, device=scores.device)
    return (1 - (place - points).abs()).clamp_min(0)
