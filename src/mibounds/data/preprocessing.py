"""Invertible maps of columns, fitted on training rows only. They leave the information unchanged and decide whether
a critic trains."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers

__all__ = [
    "Preprocessing",
    "RankGaussianize",
    "Standardize",
    "StandardizeChannels",
    "normal_score_knots",
    "piecewise_linear",
]

_KNOTS = 2048


class Preprocessing(FittedBuffers, ABC):
    """A map of columns: `fit` on training rows, then call it on any rows, (N, D) -> (N, D)."""

    @abstractmethod
    def fit(self, x: Tensor) -> Preprocessing:
        """Fit to the rows of x (N, D) and return itself."""


class Standardize(Preprocessing):
    r"""Subtract the mean and divide by the standard deviation. Keeps shapes (bounded supports, clusters), and
    outliers too, unless there is a limit :math:`l`, to which values are then bent smoothly by
    :math:`l \tanh(z / l)`.

    Arguments:
        limit: standard deviations beyond which no value comes to lie; None bends nothing.

    Raises:
        ValueError: if the limit is not positive.

    Example:
        >>> Standardize().fit(torch.tensor([[0.0], [2.0]]))(torch.tensor([[3.0]]))
        tensor([[2.]])
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, *, limit: float | None = None) -> None:
        super().__init__()
        if limit is not None and not limit > 0:
            raise ValueError(f"limit is {limit!r}, and must be positive, or None to bend nothing.")
        self.limit = limit
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def fit(self, x: Tensor) -> Standardize:
        self.mean, scale = x.mean(0), x.std(0, correction=0)
        self.scale = torch.where(scale > 0, scale, 1.0)
        return self

    def forward(self, x: Tensor) -> Tensor:
        standard = (x - self.mean) / self.scale
        return standard if self.limit is None else self.limit * torch.tanh(standard / self.limit)


class StandardizeChannels(Preprocessing):
    """Give each channel of images (N, C, H, W), or each feature of sequences (N, T, D), mean 0 and variance 1.

    NaN, which fills up short sequences, stays and counts for nothing.

    Arguments:
        axis: that of the channels: 1 for images, -1 for sequences.

    Example:
        >>> images = torch.tensor([[[[0.0, 2.0]]], [[[4.0, 6.0]]]])
        >>> StandardizeChannels().fit(images)(images).flatten()
        tensor([-1.3416, -0.4472,  0.4472,  1.3416])
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, axis: int = 1) -> None:
        super().__init__()
        self.axis = axis
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def fit(self, x: Tensor) -> StandardizeChannels:
        others = [axis for axis in range(x.dim()) if axis != self.axis % x.dim()]
        self.mean = x.nanmean(others, keepdim=True)[0]
        scale = (x - self.mean).square().nanmean(others, keepdim=True)[0].sqrt()
        self.scale = torch.where(scale > 0, scale, 1.0)
        return self

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.scale


class RankGaussianize(Preprocessing):
    """Map every column to a standard Gaussian by its ranks: monotone interpolation between training values, tails
    clamped.

    Takes the sting out of heavy tails (Student, Cauchy) and makes the Gaussian critic a Gaussian copula. Tied
    values share their mid-rank.

    Example:
        >>> RankGaussianize().fit(torch.tensor([[1.0], [10.0], [1000.0]]))(torch.tensor([[10.0], [1e9]]))
        tensor([[0.0000],
                [0.9674]])
    """

    values: Tensor
    scores: Tensor
    counts: Tensor

    def __init__(self) -> None:
        super().__init__()
        # The knots of all columns one after the other, and how many each column has.
        for name, dtype in (("values", torch.float64), ("scores", torch.float64), ("counts", torch.long)):
            self.register_buffer(name, torch.empty(0, dtype=dtype))

    def fit(self, x: Tensor) -> RankGaussianize:
        values, scores = zip(*(normal_score_knots(column) for column in x.unbind(1)), strict=True)
        self.values, self.scores = torch.cat(values), torch.cat(scores)
        self.counts = torch.tensor([len(column) for column in values], device=x.device)
        return self

    def forward(self, x: Tensor) -> Tensor:
        counts = self.counts.tolist()
        columns = zip(x.unbind(1), torch.split(self.values, counts), torch.split(self.scores, counts), strict=True)
        return torch.stack([piecewise_linear(column.contiguous(), *knots) for column, *knots in columns], 1)


def normal_score_knots(column: Tensor) -> tuple[Tensor, Tensor]:
    r"""Knots of the map from a column's values to normal scores.

    The score of the value with mid-rank r among N is :math:`\Phi^{-1}((r - 1/2)/N)`; tied values share their mid-rank.
    Long columns keep 2,048 knots, evenly spaced in the score so that the tails stay fine, both extremes among them.

    Arguments:
        column: (N,), finite.

    Returns:
        values (M,) strictly increasing and scores (M,) strictly increasing, float64, M <= 2,048.
    """
    values, counts = torch.unique(column.double(), return_counts=True)
    middle = counts.cumsum(0) - counts.double() / 2
    scores = torch.special.ndtri(middle / len(column))
    if len(values) > _KNOTS:
        wanted = torch.linspace(float(scores[0]), float(scores[-1]), _KNOTS, dtype=scores.dtype, device=scores.device)
        kept = torch.unique(torch.searchsorted(scores, wanted).clamp_max(len(scores) - 1))
        values, scores = values[kept], scores[kept]
    return values, scores


def piecewise_linear(x: Tensor, at: Tensor, to: Tensor) -> Tensor:
    """The increasing piecewise linear map through the knots (at, to), constant beyond the outermost (clamped tails)."""
    if len(at) == 1:
        return torch.full_like(x, float(to[0]))
    inside = x.double().clamp(at[0], at[-1])
    right = torch.searchsorted(at, inside).clamp(1, len(at) - 1)
    left = right - 1
    share = (inside - at[left]) / (at[right] - at[left])
    between = to[left] + share * (to[right] - to[left])
    return torch.minimum(torch.maximum(between, to[left]), to[right]).to(x.dtype)  # rounding must not break the order
