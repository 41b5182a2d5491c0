r"""Critics that are conditional log-densities :math:`\log q(y|x)`, for the bounds that train by maximum likelihood.

A known density, labels by a classifier, and in order of flexibility: a Gaussian with independent columns, one with any
covariance, a normalizing flow. A difference of two of them is a log density ratio: with a conditional and a marginal
flow, each fitted by likelihood, the plug-in of `WithOffset(conditional, minus, gain=False)`, where
`minus = WeightedSum([marginal], torch.tensor([-1.0]))`, is the difference of entropies of McAllester and Stratos (2020,
arXiv:1811.04251): neither a lower nor an upper bound, and as accurate as the two densities.

The Gaussian formulas are written out: `torch.distributions` rounds them differently and is 20 % slower for all pairs,
and `MultivariateNormal` takes the Cholesky factor of the covariance, whose inverse is what the network gives here.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from mibounds._distributed import average
from mibounds._extras import require
from mibounds._variables import flat
from mibounds.critics.critic import Critic
from mibounds.networks import MLP, Activation

__all__ = ["DensityCritic", "DiagonalGaussianCritic", "FlowCritic", "FullGaussianCritic"]


class DensityCritic(Critic):
    r"""A known conditional log density :math:`f(x,y) = \log q(y|x)`, without parameters.

    For a stochastic encoder, whose density of the code is given by its outputs: x are these outputs (means and scales,
    say) and y is the code. `LeaveOneOut` is then an upper bound, `InfoNCE` a lower one, both exact up to sampling and
    differentiable in x and y, and there is no critic to train.

    References:
        Poole et al., 2019, arXiv:1905.06922, equations 12 and 13.

    Arguments:
        log_density: takes x (..., D_x) and y (..., D_y) that broadcast against each other and returns log densities
            (...). x may be a tuple of tensors.

    Example:
        >>> unit = DensityCritic(lambda mean, y: -(y - mean).square().sum(-1) / 2)
        >>> unit.pairwise(torch.zeros(2, 1), torch.ones(3, 1)).shape
        torch.Size([2, 3])
    """

    is_conditional_density = True

    def __init__(self, log_density: Callable[..., Tensor]):
        super().__init__()
        self.log_density = log_density

    def combine(self, hx: Any, hy: Any) -> Tensor:
        densities: Any = self.log_density(hx, hy)
        sizes = [tensor.shape[:-1] for tensor in flat((hx, hy))]
        expected = torch.broadcast_shapes(*sizes)  # type: ignore[no-untyped-call]
        tensor = isinstance(densities, Tensor)
        if not tensor or densities.dim() != len(expected):
            given = f"shape {tuple(densities.shape)}" if tensor else f"a {type(densities).__name__}"
            raise ValueError(
                f"log_density returns {given} where {tuple(expected)} was expected, one log density for each pair: sum "
                "over the last dimension, .sum(-1), or use Independent(..., 1).log_prob."
            )
        scores: Tensor = densities.expand(expected)
        return scores


class _DensityOfColumns(Critic):
    """A density of the columns of y, of which constant ones are left out."""

    is_conditional_density = True
    standardizes = True
    columns: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        # 0 of a column that is left out; None: all count. No buffer: copies of models pair theirs by place.
        self.columns = None

    def keep_columns(self, kept: Tensor) -> None:
        self.columns = None if kept.is_meta or bool(kept.all()) else kept

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        """Move to a device or a type."""
        self.columns = None if self.columns is None else fn(self.columns)
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]

    def _kept(self, per_column: Tensor) -> Tensor:
        """0 in the place of what belongs to columns that are left out."""
        return per_column if self.columns is None else per_column * self.columns

    def _normalization(self, dim: int) -> Tensor | float:
        """Minus the log density of a standard normal variable of the columns that count at 0."""
        return (dim if self.columns is None else self.columns.sum()) * math.log(2 * math.pi) / 2

    def residual(self, x: Tensor, y: Tensor) -> Tensor:
        """Standardized residuals (N, D) of the columns that count, in matched rows: standard normal and independent of
        x if q is exact."""
        residuals = self._standard(self.encode_x(x), self.encode_y(y))[0]
        return residuals if self.columns is None else residuals[:, self.columns > 0]

    @abstractmethod
    def _standard(self, hx: Any, hy: Tensor) -> tuple[Tensor, Tensor]:
        """The standardized residuals (..., D), and of the density what does not depend on them."""


class DiagonalGaussianCritic(_DensityOfColumns):
    r"""A Gaussian density of y with independent columns, whose mean and scale are networks of x.

    .. math:: f(x,y) = \log q(y|x) = \sum_d \log \mathcal N\big(y_d;\, \mu_d(x), \sigma_d(x)^2\big)

    For `CLUB` and `LeaveOneOut`. It cannot represent dependence among the columns of y given x, which makes the upper
    bounds loose. The scale lies between e^-7 and e^7; published code squashes it by a tanh, which limits the values
    that can be represented.

    References:
        Cheng et al., 2020, arXiv:2006.12013, section 3.2.

    Arguments:
        dim_x: columns of x.
        dim_y: columns of y.
        hidden: widths of the hidden layers.
        activation: a torch name, a class or a module.

    Example:
        >>> DiagonalGaussianCritic(2, 1, hidden=(8,))(torch.zeros(3, 2), torch.zeros(3, 1)).shape
        torch.Size([3])
    """

    def __init__(self, dim_x: int, dim_y: int, *, hidden: Sequence[int] = (256, 256), activation: Activation = "silu"):
        super().__init__()
        self.network = MLP(dim_x, hidden, 2 * dim_y, activation=activation)

    def encode_x(self, x: Tensor) -> Any:
        mean, log_scale = self.network(x).chunk(2, -1)
        return mean, log_scale.clamp(-7, 7)

    def combine(self, hx: Any, hy: Tensor) -> Tensor:
        standard, log_scale = self._standard(hx, hy)
        densities = standard.square() / 2 + log_scale + math.log(2 * math.pi) / 2
        return -self._kept(densities).sum(-1)

    def _standard(self, hx: Any, hy: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_scale = hx
        return (hy - mean) * torch.exp(-log_scale), log_scale


class FullGaussianCritic(_DensityOfColumns):
    r"""A Gaussian density of y whose mean and whole covariance are networks of x.

    .. math:: f(x,y) = \log q(y|x) = -\tfrac12 \|W(x)(y - \mu(x))\|^2 + \log\det W(x) - \tfrac{D_y}{2}\log 2\pi

    with a lower triangular W, the inverse Cholesky factor of the covariance. For columns of y that depend on each other
    given x, where `DiagonalGaussianCritic` is too loose. It has D_y (D_y + 1) / 2 outputs for the factor: many columns
    and few rows overfit it. Skewed, bounded or multimodal y needs `FlowCritic`.

    References:
        Williams, Using neural networks to model conditional multivariate densities, 1996.
        Cheng et al., 2020, arXiv:2006.12013, for its use in upper bounds.

    Arguments:
        dim_x: columns of x.
        dim_y: columns of y.
        hidden: widths of the hidden layers.
        activation: a torch name, a class or a module.

    Example:
        >>> FullGaussianCritic(2, 3, hidden=(8,)).pairwise(torch.zeros(4, 2), torch.zeros(5, 3)).shape
        torch.Size([4, 5])
    """

    def __init__(self, dim_x: int, dim_y: int, *, hidden: Sequence[int] = (256, 256), activation: Activation = "silu"):
        super().__init__()
        self.dim_y = dim_y
        self.network = MLP(dim_x, hidden, 2 * dim_y + dim_y * (dim_y - 1) // 2, activation=activation)

    def encode_x(self, x: Tensor) -> Any:
        mean, log_scale, below = self.network(x).tensor_split((self.dim_y, 2 * self.dim_y), -1)
        log_scale = log_scale.clamp(-7, 7)
        row, column = torch.tril_indices(self.dim_y, self.dim_y, -1)
        factor = torch.diag_embed(torch.exp(-log_scale))
        factor[..., row, column] = below
        constant = self._kept(log_scale).sum(-1, keepdim=True) + self._normalization(self.dim_y)
        # One tensor with a row per sample, so that rows can be paired as those of any encoding.
        return torch.cat([mean, constant, factor.flatten(-2)], -1)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        standard, constant = self._standard(hx, hy)
        return -standard.square().sum(-1) / 2 - constant.squeeze(-1)

    def _standard(self, hx: Tensor, hy: Tensor) -> tuple[Tensor, Tensor]:
        mean, constant, factor = hx.tensor_split((self.dim_y, self.dim_y + 1), -1)
        factor = factor.reshape(*factor.shape[:-1], self.dim_y, self.dim_y)
        return self._kept(torch.einsum("...de,...e->...d", factor, self._kept(hy - mean))), constant


class FlowCritic(_DensityOfColumns):
    r"""A conditional normalizing flow as the density of y given x, for any shape and dependent columns.

    .. math:: f(x,y) = \log q(y|x) = \log \mathcal N(z; 0, 1) + \log|\det \partial z / \partial y|, \quad
              z = T_{e(x)}\big(W(y - Bx - b)\big)

    B and b are the regression of y on x and W whitens what it leaves, both in closed form from the training rows; T is
    an autoregressive flow of monotone rational-quadratic splines from zuko whose parameters are networks of the code
    e(x). T starts as the identity, so training starts from the Gaussian that fits, and step 0 counts.

    Splines reach from -5 to 5 standard deviations of the residual; beyond, the density is the Gaussian's:
    rank-Gaussianize heavy tails first. Sharp edges and deterministic relations are approximated poorly, and many
    columns need many rows. Scoring all pairs runs the flow once for each pair: evaluate with a few hundred mismatched
    pairs a row (`test_negatives`). It needs `pip install "mibounds[flows]"`.

    References:
        Durkan et al., Neural spline flows, 2019, arXiv:1906.04032. Papamakarios et al., Masked autoregressive flow for
        density estimation, 2017, arXiv:1705.07057. Rozet et al., Zuko: normalizing flows in PyTorch, 2022.

    Arguments:
        dim_x: columns of x; 0 makes it the marginal density log q(y), which ignores x.
        dim_y: columns of y.
        transforms: number of composed flows; every second one takes the columns in reverse order.
        bins: pieces of each spline.
        hidden: widths of the hidden layers of the code and of the splines' networks.

    Raises:
        ImportError: if zuko is not installed.

    Example:
        >>> FlowCritic(2, 1, hidden=(8,)).pairwise(torch.zeros(4, 2), torch.zeros(5, 1)).shape
        torch.Size([4, 5])
    """

    slope: Tensor
    intercept: Tensor
    whitening: Tensor

    def __init__(
        self, dim_x: int, dim_y: int, *, transforms: int = 2, bins: int = 12, hidden: Sequence[int] = (64, 64)
    ):
        super().__init__()
        self.dim_x, self.transforms, self.bins, self.hidden = dim_x, transforms, bins, tuple(hidden)
        code = hidden[-1] // 2 if dim_x else 0
        self.encoder: Any = MLP(dim_x, hidden, code) if dim_x else None
        flow = _spline_flow()(
            dim_y, code, transforms=transforms, bins=bins, hidden_features=tuple(hidden), activation=nn.SiLU
        )
        self.transform = flow.transform
        for step in self.transform.transforms:  # all parameters zero: the identity
            last = [step.hyper[-1].weight, step.hyper[-1].bias] if hasattr(step, "hyper") else step.phi
            for parameter in last:
                nn.init.zeros_(parameter)
        self.register_buffer("slope", torch.zeros(dim_x, dim_y))
        self.register_buffer("intercept", torch.zeros(dim_y))
        self.register_buffer("whitening", torch.eye(dim_y))

    def init_arguments(self) -> dict[str, Any]:
        """The arguments of another critic of the same form, for saving: zuko's modules contain functions, which a file
        cannot."""
        return {
            "dim_x": self.dim_x,
            "dim_y": len(self.intercept),
            "transforms": self.transforms,
            "bins": self.bins,
            "hidden": self.hidden,
        }

    def prepare(self, x: Tensor, y: Tensor) -> None:
        self.slope, self.intercept = torch.zeros_like(self.slope), torch.zeros_like(self.intercept)
        self._fit(x, y, 1.0, _RIDGE, math.inf)

    def observe(self, x: Tensor, y: Tensor, update: int = 1) -> None:
        self._fit(x, y, _MOMENTUM, _RIDGE + self.dim_x / len(y), _OUTLIER)
        average([self.slope, self.intercept, self.whitening])

    def keep_columns(self, kept: Tensor) -> None:
        super().keep_columns(kept)
        for step in self.transform.transforms:
            if hasattr(step, "hyper") and not step.hyper[-1]._forward_hooks:
                step.hyper[-1].register_forward_hook(self._identity_of_others)

    def _identity_of_others(self, _layer: nn.Module, _inputs: Any, parameters: Tensor) -> Tensor:
        """Parameters of zero, the identity, for the splines of columns that are left out."""
        if self.columns is None:
            return parameters
        by_column = parameters.reshape(*parameters.shape[:-1], len(self.intercept), -1)
        return self._kept(by_column.mT).mT.flatten(-2)

    @torch.no_grad()
    def _fit(self, x: Tensor, y: Tensor, weight: float, ridge: float, limit: float) -> None:
        """Move the regression and the covariance of its residuals by this weight towards those of the samples, of which
        none is longer than this many times most."""
        left, now = x[:, : self.dim_x].double(), self.whitening.double()
        residual = _shortened(y.double() - left @ self.slope.double() - self.intercept.double(), limit)
        left = _shortened(left, limit)
        mean, mean_x = residual.mean(0), left.mean(0)
        change = _ridge_regression(left - mean_x, residual - mean, ridge)
        slope = self.slope + weight * change
        intercept = self.intercept + weight * (mean - mean_x @ change)
        residual = residual - mean - weight * (left - mean_x) @ change
        covariance = residual.T @ residual / len(y) + _RIDGE * torch.eye(len(now)).to(residual)
        scale = torch.linalg.inv(now)
        factor = torch.linalg.inv(torch.linalg.cholesky(torch.lerp(scale.T @ scale, covariance, weight)))
        self.slope, self.intercept, self.whitening = slope.to(y.dtype), intercept.to(y.dtype), factor.T.to(y.dtype)

    def encode_x(self, x: Tensor) -> Any:
        x = x[..., : self.dim_x]
        center = self._kept(x @ self.slope + self.intercept) @ self.whitening
        return center if self.encoder is None else (center, self.encoder(x))

    def encode_y(self, y: Tensor) -> Tensor:
        return self._kept(y) @ self.whitening

    def combine(self, hx: Any, hy: Tensor) -> Tensor:
        z, volume = self._standard(hx, hy)
        return volume - self._kept(z.square()).sum(-1) / 2 - self._normalization(z.shape[-1])

    def _standard(self, hx: Any, hy: Tensor) -> tuple[Tensor, Tensor]:
        center, code = (hx, None) if self.encoder is None else hx
        z, volume = self.transform(code).call_and_ladj(self._kept(hy - center))
        return z, volume + self._kept(self.whitening.diagonal().log()).sum()


def _shortened(rows: Tensor, limit: float) -> Tensor:
    """Rows of which none is longer than this many times the 90 % quantile of their lengths."""
    if limit == math.inf:
        return rows
    length = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    shortened: Tensor = rows * (limit * length.quantile(0.9) / length.clamp_min(1e-300)).clamp_max(1.0)
    return shortened


def _ridge_regression(x: Tensor, y: Tensor, ridge: float) -> Tensor:
    """Coefficients (D_x, D_y) of the ridge regression of centered columns, by the smaller of the two systems."""
    n, dim = x.shape
    identity = torch.eye(min(n, dim)).to(x)
    if dim <= n:
        slope: Tensor = torch.linalg.solve(x.T @ x / n + ridge * identity, x.T @ y / n)
    else:
        slope = x.T @ torch.linalg.solve(x @ x.T / n + ridge * identity, y / n)
    return slope


_MOMENTUM, _OUTLIER = 0.1, 10.0  # the weight of a batch in the regression, the longest residual in it
_RIDGE = 1e-6


def _spline_flow() -> Any:
    """The flow class of zuko. Its import turns off the argument checks of all of torch's distributions; the setting is
    restored."""
    checks = Distribution._validate_args
    require("zuko", extra="flows", purpose="FlowCritic")
    from zuko.flows import NSF

    Distribution.set_default_validate_args(checks)
    return NSF
