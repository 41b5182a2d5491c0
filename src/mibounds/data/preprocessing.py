"""Maps of single columns, fitted on training samples only. Where they are invertible the mutual information does not
change; the training of a critic depends on them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers

__all__ = [
    "FirstColumns",
    "Preprocessing",
    "RankGaussianize",
    "Standardize",
    "StandardizeChannels",
    "normal_score_knots",
    "piecewise_linear",
]

_KNOTS = 2048
_AT_ONCE = 1 << 21  # numbers, 16 MB
_FAR_SPREADS = 50.0  # between the quantiles 0.05 and 0.95
_QUANTILE_ROWS = 100_000


class Preprocessing(FittedBuffers, ABC):
    """A map of columns, (N, D) -> (N, D): `fit` it to training samples, then call it on any samples."""

    @abstractmethod
    def fit(self, x: Tensor) -> Preprocessing:
        """Fit to x (N, D) and return itself."""


class FirstColumns(Preprocessing):
    """The first columns alone, mapped by another preprocessing.

    Arguments:
        count: of columns that are kept.
        inner: maps them; it is fitted with this.

    Example:
        >>> FirstColumns(1, Standardize()).fit(torch.tensor([[0.0, 5.0], [2.0, 6.0]]))(torch.tensor([[3.0, 7.0]]))
        tensor([[2.]])
    """

    def __init__(self, count: int, inner: Preprocessing):
        super().__init__()
        self.count, self.inner = count, inner

    def fit(self, x: Tensor) -> FirstColumns:
        self.inner.fit(x[:, : self.count])
        return self

    def forward(self, x: Tensor) -> Tensor:
        mapped: Tensor = self.inner(x[:, : self.count])
        return mapped


class Standardize(Preprocessing):
    r"""Subtract the mean and divide by the standard deviation; with a limit, compress outliers.

    .. math:: z = (x - \mu) / \sigma, \qquad x \mapsto z \quad\text{or}\quad l \tanh(z / l)

    The shape of the distribution remains (bounded supports, clusters), and without a limit :math:`l` outliers do, too.
    A constant column becomes 0. With a limit, values far beyond the bulk of the others count as its edge, so that one
    of them does not make the others indistinguishable.

    Arguments:
        limit: l, the largest absolute value of the result, in standard deviations; None compresses nothing.

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
            raise ValueError(f"limit is {limit!r}, and must be positive, or None to compress nothing.")
        self.limit = limit
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def fit(self, x: Tensor) -> Standardize:
        if self.limit is not None:
            x = _without_far_values(x)
        self.mean, scale = x.mean(0), x.std(0, correction=0)
        self.scale = torch.where(scale > 0, scale, 1.0)
        return self

    def forward(self, x: Tensor) -> Tensor:
        standard = (x - self.mean) / self.scale
        return standard if self.limit is None else self.limit * torch.tanh(standard / self.limit)


def _without_far_values(x: Tensor) -> Tensor:
    """Columns (N, D) with values beyond the median and fifty times the bulk's spread moved there."""
    low, middle, high = torch.quantile(x[:_QUANTILE_ROWS], x.new_tensor([0.05, 0.5, 0.95]), dim=0)
    reach = _FAR_SPREADS * (high - low)
    reach = torch.where(reach > 0, reach, math.inf)  # most values are equal
    return x.clamp(middle - reach, middle + reach)


class StandardizeChannels(Preprocessing):
    """Scale each channel of images (N, C, H, W), or each feature of sequences (N, T, D), to mean 0 and variance 1.

    NaN, which pads short sequences, remains NaN and is not counted.

    Arguments:
        axis: the axis of the channels: 1 for images, -1 for sequences.

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
    """Map every column to a standard Gaussian by its ranks (normal scores).

    Between training values the map is linear, beyond the smallest and the largest it is constant. It makes training
    robust to heavy tails (Student, Cauchy) and the Gaussian critic a Gaussian copula. Tied values have their mean rank.

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
        # The knots of all columns, concatenated, and their number for each column.
        for name, dtype in (("values", torch.float64), ("scores", torch.float64), ("counts", torch.long)):
            self.register_buffer(name, torch.empty(0, dtype=dtype))

    def fit(self, x: Tensor) -> RankGaussianize:
        parts = [_knots(block) for block in torch.split(x, _width(len(x)), 1)]
        self.values, self.scores, self.counts = (torch.cat(part) for part in zip(*parts, strict=True))
        return self

    def forward(self, x: Tensor) -> Tensor:
        width = _width(len(x) + _KNOTS)
        counts = torch.split(self.counts, width)
        sizes = [int(part.sum()) for part in counts]
        knots = torch.split(self.values, sizes), torch.split(self.scores, sizes)
        blocks = zip(torch.split(x, width, 1), *knots, counts, strict=True)
        return torch.cat([_mapped(*block) for block in blocks], 1)


def _width(rows: int) -> int:
    """The number of columns of so many rows that are processed at a time."""
    return max(1, _AT_ONCE // max(1, rows))


def _knots(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`normal_score_knots` of columns (N, D), concatenated, and their number (D,) for each."""
    if len(x) > _KNOTS:
        values, scores = zip(*(normal_score_knots(column) for column in x.unbind(1)), strict=True)
        return torch.cat(values), torch.cat(scores), torch.tensor([len(knots) for knots in values], device=x.device)
    ordered = x.T.double().sort(1).values
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    start = first.flatten().nonzero().flatten()
    ties = torch.diff(start, append=start.new_tensor([ordered.numel()]))
    mean_rank = start % len(x) + ties.double() / 2  # less 1/2
    return ordered[first], torch.special.ndtri(mean_rank / len(x)), first.sum(1)


def _mapped(x: Tensor, values: Tensor, scores: Tensor, counts: Tensor) -> Tensor:
    """`piecewise_linear` of columns (N, D) through concatenated knots, all columns at once."""
    most = max(2, int(counts.max()))
    inside = torch.arange(most, device=x.device) < counts[:, None]
    knots, levels = (part.new_full((len(counts), most), pad).masked_scatter_(inside, part) for part, pad in
                     ((values, math.inf), (scores, 0.0)))  # fmt: skip
    last = counts[:, None] - 1
    wide = x.T.double().contiguous()
    right = torch.searchsorted(knots, wide).clamp_min(1).minimum(last.clamp_min(1))
    low, high = knots.gather(1, right - 1), knots.gather(1, right)
    below, above = levels.gather(1, right - 1), levels.gather(1, right)
    between = below + (wide - low) / (high - low) * (above - below)
    # Tails are constant, and rounding must not break the order. A column with one knot is constant.
    between = torch.where(last > 0, between.maximum(below).minimum(above), below)
    return between.T.to(x.dtype).contiguous()


def normal_score_knots(column: Tensor) -> tuple[Tensor, Tensor]:
    r"""Knots of the map from a column's values to normal scores.

    .. math:: s(v) = \Phi^{-1}\big((r(v) - 1/2) / N\big)

    with r(v) the rank of the value v among N, for tied values the mean of their ranks. Of a long column at most 2,048
    knots are used, evenly spaced in the score so that the tails are resolved, both extremes among them.

    Arguments:
        column: (N,), finite.

    Returns:
        values (M,) strictly increasing and scores (M,) strictly increasing, float64, M <= 2,048.
    """
    values, counts = torch.unique(column.double(), return_counts=True)
    mean_rank = counts.cumsum(0) - counts.double() / 2  # less 1/2
    scores = torch.special.ndtri(mean_rank / len(column))
    if len(values) > _KNOTS:
        even = torch.linspace(float(scores[0]), float(scores[-1]), _KNOTS, dtype=scores.dtype, device=scores.device)
        chosen = torch.unique(torch.searchsorted(scores, even).clamp_max(len(scores) - 1))
        values, scores = values[chosen], scores[chosen]
    return values, scores


def piecewise_linear(x: Tensor, values: Tensor, scores: Tensor) -> Tensor:
    """The increasing piecewise linear map through the knots (values, scores), constant beyond the outermost.

    Arguments:
        x: of any shape.
        values: (M,) strictly increasing, float64.
        scores: (M,) increasing, float64.

    Example:
        >>> piecewise_linear(torch.tensor([-9.0, 0.5, 9.0]), torch.tensor([0.0, 1.0]), torch.tensor([10.0, 20.0]))
        tensor([10., 15., 20.])
    """
    if len(values) == 1:
        return torch.full_like(x, float(scores[0]))
    wide = x.double()
    right = torch.searchsorted(values, wide).clamp(1, len(values) - 1)
    left = right - 1
    fraction = (wide - values[left]) / (values[right] - values[left])
    between = scores[left] + fraction * (scores[right] - scores[left])
    # Tails are constant, and rounding must not break the order.
    return torch.minimum(torch.maximum(between, scores[left]), scores[right]).to(x.dtype)
