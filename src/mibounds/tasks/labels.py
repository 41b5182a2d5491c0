"""Labels y of columns x: rules with flipped labels, and classes that are clusters of Gaussian components."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.tasks._quadrature import draw_inputs
from mibounds.tasks.discrete import symmetric_channel
from mibounds.tasks.task import Task

__all__ = ["CHECKERBOARD", "RINGS", "SECTORS", "XOR2", "XOR3", "FlippedLabel", "LabelMixture", "Rule"]

_SECTORS, _RINGS = 20, 5


@dataclass(frozen=True)
class Rule:
    """A function of the first columns of a row to one of K labels, 0 to K - 1.

    Arguments:
        name: the repr.
        columns: how many it takes.
        probabilities: of each label, sum 1.
        inputs: "normal", standard, or "uniform" between -2 and 2: the columns for which the probabilities hold.
        call: (..., columns) to int64 (...).

    Example:
        >>> XOR2(torch.tensor([[0.3, -2.0], [-0.3, -2.0]]))
        tensor([1, 0])
    """

    name: str
    columns: int
    probabilities: tuple[float, ...]
    inputs: str
    call: Callable[[Tensor], Tensor]

    def __call__(self, x: Tensor) -> Tensor:
        """The labels (...) of rows x (..., D), which may have more columns."""
        return self.call(x[..., : self.columns])

    @property
    def symbols(self) -> int:
        """K."""
        return len(self.probabilities)

    def __repr__(self) -> str:
        return self.name


def _parity(x: Tensor) -> Tensor:
    return (x < 0).sum(-1) % 2


def _checkerboard(x: Tensor) -> Tensor:
    return x.floor().long().sum(-1) % 2


def _rings(x: Tensor) -> Tensor:
    inside = -torch.expm1(-x.double().square().sum(-1) / 2)  # the distribution function of the radius
    return (_RINGS * inside).long().clamp(max=_RINGS - 1) % 2


def _sectors(x: Tensor) -> Tensor:
    turn = torch.atan2(x[..., 1].double(), x[..., 0].double()) / (2 * math.pi) % 1
    return (_SECTORS * turn).long().clamp(max=_SECTORS - 1)


XOR2 = Rule("xor of two", 2, (0.5, 0.5), "normal", _parity)
"""Is the product of two columns negative?"""
XOR3 = Rule("xor of three", 3, (0.5, 0.5), "normal", _parity)
"""Is the product of three columns negative? No two columns are informative."""
CHECKERBOARD = Rule("checkerboard", 2, (0.5, 0.5), "uniform", _checkerboard)
"""The color of a square of a board of 4 x 4."""
RINGS = Rule("rings", 2, (0.6, 0.4), "normal", _rings)
"""The color of five concentric rings of equal probability, three of them 0."""
SECTORS = Rule("sectors", 2, (1 / _SECTORS,) * _SECTORS, "normal", _sectors)
"""The angle of a point, in twenty classes."""


@dataclass(frozen=True)
class FlippedLabel(Task):
    r"""A label Y that follows a rule, and is replaced with probability e by one of the others.

    .. math:: I(X;Y) = H(Y) - H(e) - e \ln(K - 1)

    The classes have sharp borders, which trees find where they are parallel to the axes.

    Arguments:
        rule: the label as a function of the first columns of x.
        flip: e.
        idle: columns of x that y does not depend on, at least 0.

    Example:
        >>> round(FlippedLabel(XOR2, 0.1).mutual_information, 4)  # ln 2 - H(0.1)
        0.3681
    """

    rule: Rule
    flip: float
    idle: int = 0

    def __post_init__(self) -> None:
        check_at_least("idle", self.idle, 0)
        symmetric_channel(self.rule.symbols, self.flip)  # checks flip

    def __repr__(self) -> str:
        return f"FlippedLabel({self.rule!r}, flip={self.flip}, idle={self.idle})"

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x = draw_inputs(self.rule.inputs, n, self.rule.columns + self.idle, generator)
        y = torch.multinomial(self._channel[self.rule(x)], 1, generator=generator)
        return x, y

    @property
    def mutual_information(self) -> float:
        given = torch.special.entr(self._channel[0]).sum()
        return float(torch.special.entr(self._label).sum() - given)

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        label = y[..., 0].long()
        return (self._channel[self.rule(x), label] / self._label[label]).log().to(x.dtype)

    @cached_property
    def _channel(self) -> Tensor:
        return symmetric_channel(self.rule.symbols, self.flip)

    @cached_property
    def _label(self) -> Tensor:
        return torch.tensor(self.rule.probabilities, dtype=torch.float64) @ self._channel


@dataclass(frozen=True, eq=False)
class LabelMixture(Task):
    r"""A label Y of K classes, and X Gaussian around the centers of its class.

    .. math:: I(X;Y) = H(Y) - E\, H(Y \mid X), \qquad
              p(x \mid y) = \frac{1}{M} \sum_m N(x; \mu_{ym}, s_y^2 \mathbf{1})

    The expectation is a mean over `draws` fixed rows of x, so the information has a `standard_error`.

    Arguments:
        weights: (K,) probabilities of the classes, sum 1.
        centers: (K, M, D).
        scales: (K,) standard deviations.
        idle: standard normal columns of x that y does not depend on.
        name: description of the classes in the repr.
        draws: rows of the Monte Carlo mean.

    Raises:
        ValueError: if the shapes do not agree.

    Example:
        >>> LabelMixture.blobs(3, 2, 2.0).sample(5)[1].shape
        torch.Size([5, 1])
    """

    weights: Tensor
    centers: Tensor
    scales: Tensor
    idle: int = 0
    name: str = "classes"
    draws: int = 400_000

    def __post_init__(self) -> None:
        check_at_least("idle", self.idle, 0)
        classes = self.weights.shape
        if len(classes) != 1 or self.centers.ndim != 3 or not self.scales.shape == classes == self.centers.shape[:1]:
            raise ValueError(
                f"weights, centers and scales have shapes {tuple(self.weights.shape)}, {tuple(self.centers.shape)} "
                f"and {tuple(self.scales.shape)}: expected (K,), (K, M, D) and (K,)."
            )
        if abs(float(self.weights.sum()) - 1) > 1e-6:
            raise ValueError(f"weights sum to {float(self.weights.sum()):.6g}, and must sum to 1.")

    @classmethod
    def blobs(cls, classes: int, dim: int, separation: float, per_class: int = 1, idle: int = 0) -> LabelMixture:
        """Equally likely classes with normal centers of this standard deviation, always the same ones."""
        generator = torch.Generator().manual_seed(classes + 100 * dim + 10_000 * per_class)
        centers = separation * torch.randn(classes, per_class, dim, generator=generator, dtype=torch.float64)
        weights, scales = torch.full((classes,), 1 / classes).double(), torch.ones(classes).double()
        return cls(weights, centers, scales, idle, f"{classes} classes of {per_class} in {dim}, {separation} apart")

    @classmethod
    def rare(cls, odds: float, dim: int, distance: float, idle: int = 0) -> LabelMixture:
        """Two classes at odds of `odds` to 1, at this distance along the diagonal."""
        weights = torch.tensor([odds, 1.0], dtype=torch.float64) / (odds + 1)
        centers = torch.zeros(2, 1, dim, dtype=torch.float64)
        centers[1] = distance / math.sqrt(dim)
        return cls(weights, centers, torch.ones(2).double(), idle, f"1 to {odds:g} in {dim}, {distance} apart")

    @classmethod
    def nested(cls, dim: int, ratio: float, idle: int = 0) -> LabelMixture:
        """Two equally likely classes of one center, of standard deviations 1 and `ratio`."""
        scales = torch.tensor([1.0, ratio], dtype=torch.float64)
        return cls(scales.new_full((2,), 0.5), scales.new_zeros(2, 1, dim), scales, idle, f"nested {ratio} in {dim}")

    def __repr__(self) -> str:
        return f"LabelMixture({self.name}, idle={self.idle})"

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        y = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        _, components, dim = self.centers.shape
        component = torch.randint(components, (n,), generator=generator)
        x = self.centers[y, component] + self.scales[y, None] * torch.randn(n, dim, generator=generator).double()
        return torch.cat([x.float(), torch.randn(n, self.idle, generator=generator)], 1), y[:, None]

    @property
    def mutual_information(self) -> float:
        return self._truth[0]

    @property
    def standard_error(self) -> float:
        return self._truth[1]

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        posterior, label = self._log_posterior(x), y[..., 0].long()
        shape = (posterior[..., 0] + label).shape
        posterior, label = posterior.expand(*shape, -1), label.expand(shape)
        return (posterior.gather(-1, label[..., None])[..., 0] - self.weights.log()[label]).to(x.dtype)

    def _log_posterior(self, x: Tensor) -> Tensor:
        """The logarithm ln P(y | x), (..., K)."""
        classes, components, dim = self.centers.shape
        rows = x[..., :dim].double()
        squares = torch.cdist(rows.reshape(-1, dim), self.centers.reshape(-1, dim)).square()
        squares = squares.view(*rows.shape[:-1], classes, components) / self.scales[:, None].square()
        given = (-squares / 2).logsumexp(-1) - dim * self.scales.log()
        return (given + self.weights.log()).log_softmax(-1)

    @cached_property
    def _truth(self) -> tuple[float, float]:
        """A mean over x of H(Y | X), which varies less than the log-ratio."""
        x, _ = self.sample(self.draws, torch.Generator().manual_seed(20_260_101))
        p = self._log_posterior(x)
        given = -(p.exp() * p).sum(-1)
        entropy = float(torch.special.entr(self.weights).sum())
        return entropy - float(given.mean()), float(given.std()) / math.sqrt(self.draws)
