"""Tasks as tables are: codes of categories beside numbers, group means, columns with missing values, wide tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.tasks._quadrature import LogTable, average_density, entropy, log_normal
from mibounds.tasks.discrete import symmetric_channel
from mibounds.tasks.task import Task

__all__ = ["CategoryShift", "GroupSlopes", "HiddenColumn", "LowRank", "Missing"]

_FAR = 9.0  # standard deviations


@dataclass(frozen=True)
class GroupSlopes(Task):
    r"""Y = m_C + b_C X_1 + s E: a level C with its own mean and slope, such as the hour of a day.

    .. math:: I(X;Y) = h(Y) - \ln(s \sqrt{2 \pi e}), \qquad p(y) = \frac{1}{K} \sum_c N(y; m_c, b_c^2 + s^2)

    The levels 0 to K - 1 are codes in the first column of x, whose order says nothing of their means: neither the
    number nor a smooth function of it predicts y. The means are normal quantiles in a scrambled order, the slopes
    between -1 and 1 times `slope` in another.

    Arguments:
        levels: K, at least 2.
        noise: s, above 0.
        spread: standard deviation of the means, roughly; 0 leaves the slopes only.
        slope: the largest slope.
        idle: columns of x, standard normal, that y does not depend on; x_1 is one of them where `slope` is 0.

    Example:
        >>> GroupSlopes(12, 0.5).sample(5)[0].shape
        torch.Size([5, 2])
    """

    levels: int
    noise: float
    spread: float = 1.0
    slope: float = 0.0
    idle: int = 0

    def __post_init__(self) -> None:
        check_at_least("levels", self.levels, 2)
        check_at_least("idle", self.idle, 0)
        if not 0 < self.noise < math.inf:
            raise ValueError(f"noise is {self.noise!r}, and must be positive and finite.")

    @property
    def integer_columns(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (0,), ()

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        level = torch.randint(self.levels, (n, 1), generator=generator)
        x = torch.cat([level.float(), torch.randn(n, 1 + self.idle, generator=generator)], 1)
        noise = self.noise * torch.randn(n, generator=generator, dtype=torch.float64)
        return x, (self._location(x) + noise)[:, None].float()

    @cached_property
    def mutual_information(self) -> float:
        return entropy(self._density) - math.log(self.noise * math.sqrt(2 * math.pi * math.e))

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        value = y[..., 0].double()
        given = log_normal(value, self._location(x), torch.tensor(self.noise).double())
        return (given - self._density(value)).to(x.dtype)

    def _location(self, x: Tensor) -> Tensor:
        means, slopes = self._effects
        level = x[..., 0].long()
        return means[level] + slopes[level] * x[..., 1].double()

    @cached_property
    def _effects(self) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(self.levels)
        orders = [torch.randperm(self.levels, generator=generator).double() for _ in range(2)]
        means, slopes = ((order + 0.5) / self.levels for order in orders)
        return self.spread * torch.special.ndtri(means), self.slope * (2 * slopes - 1)

    @cached_property
    def _density(self) -> LogTable:
        means, slopes = self._effects
        scales = (slopes.square() + self.noise**2).sqrt()
        low, high = float((means - _FAR * scales).min()), float((means + _FAR * scales).max())
        weights = torch.full_like(means, 1 / self.levels)
        return average_density(lambda y: log_normal(y, means, scales), weights, low, high)


@dataclass(frozen=True)
class CategoryShift(Task):
    r"""A label Y = (C + [X_1 > 0]) mod K through a symmetric channel: a category and the sign of a number.

    .. math:: I(X;Y) = \ln K - H(e) - e \ln(K - 1)

    Arguments:
        categories: K, at least 2; the codes are the first column of x.
        flip: e, the probability that y is one of the other labels.
        idle: columns of x, alternately codes of K categories and standard normal, that y does not depend on.

    Example:
        >>> round(CategoryShift(4, 0.1).mutual_information, 4)
        0.9514
    """

    categories: int
    flip: float
    idle: int = 0

    def __post_init__(self) -> None:
        check_at_least("idle", self.idle, 0)
        symmetric_channel(self.categories, self.flip)  # checks both

    @property
    def integer_columns(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return tuple(range(0, 2 + self.idle, 2)), ()

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        columns = 2 + self.idle
        x = torch.randn(n, columns, generator=generator)
        codes = torch.randint(self.categories, (n, (columns + 1) // 2), generator=generator)
        x[:, ::2] = codes.float()
        return x, torch.multinomial(self._channel[self._label(x)], 1, generator=generator)

    @property
    def mutual_information(self) -> float:
        return math.log(self.categories) - float(torch.special.entr(self._channel[0]).sum())

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        return (self._channel[self._label(x), y[..., 0].long()] * self.categories).log().to(x.dtype)

    def _label(self, x: Tensor) -> Tensor:
        return (x[..., 0].long() + (x[..., 1] > 0).long()) % self.categories

    @cached_property
    def _channel(self) -> Tensor:
        return symmetric_channel(self.categories, self.flip)


@dataclass(frozen=True)
class Missing(Task):
    r"""A task whose x is missing in some rows, completely at random.

    .. math:: I(X';Y) = (1 - q) I(X;Y)

    Missing rows of x are 0, and a last column says 1 where they are.

    Arguments:
        task: the task that is sampled.
        probability: q, at least 0 and below 1.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> round(Missing(CorrelatedGaussian(1, 0.75), 0.5).mutual_information, 4)  # half of 0.4133
        0.2067
    """

    task: Task
    probability: float

    def __post_init__(self) -> None:
        if not 0 <= self.probability < 1:
            raise ValueError(f"probability is {self.probability!r}, and must be at least 0 and below 1.")

    @property
    def integer_columns(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        x, y = self.task.integer_columns
        columns = self.task.sample(1, torch.Generator().manual_seed(0))[0].shape[1]
        return (*x, columns), y

    @property
    def standard_error(self) -> float:
        return (1 - self.probability) * self.task.standard_error

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x, y = self.task.sample(n, generator)
        missing = (torch.rand(n, 1, generator=generator) < self.probability).float()
        return torch.cat([x * (1 - missing), missing], 1), y

    @property
    def mutual_information(self) -> float:
        return (1 - self.probability) * self.task.mutual_information

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        ratio = self.task.log_ratio(x[..., :-1], y)
        return torch.where(x[..., -1] > 0.5, torch.zeros_like(ratio), ratio)


@dataclass(frozen=True)
class HiddenColumn(Task):
    r"""Y = b X_1 + a X_2 + s E, where X_1 is missing at random: more often where X_2 is large.

    .. math:: P(X_1 \text{ missing}) = \frac{1}{1 + e^{-2 X_2}}, \qquad
              I(X;Y) = \tfrac{1}{2} \ln(a^2 + b^2 + s^2) - \tfrac{1}{4} \ln s^2 - \tfrac{1}{4} \ln(b^2 + s^2)

    Columns of x are X_1, 0 where it is missing, X_2, idle ones, and whether X_1 is missing.

    Arguments:
        effect: b.
        other: a.
        noise: s, above 0.
        idle: columns of x that y does not depend on, at least 0.

    Example:
        >>> round(HiddenColumn(1.0, 0.0, 1.0).mutual_information, 4)  # half of ln(2)/2
        0.1733
    """

    effect: float
    other: float
    noise: float
    idle: int = 0

    def __post_init__(self) -> None:
        check_at_least("idle", self.idle, 0)
        if not 0 < self.noise < math.inf:
            raise ValueError(f"noise is {self.noise!r}, and must be positive and finite.")

    @property
    def integer_columns(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (2 + self.idle,), ()

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x = torch.randn(n, 2 + self.idle, generator=generator)
        noise = torch.randn(n, generator=generator, dtype=torch.float64)
        y = self.effect * x[:, 0].double() + self.other * x[:, 1].double() + self.noise * noise
        missing = torch.rand(n, generator=generator) < torch.sigmoid(2 * x[:, 1])
        x[:, 0] = x[:, 0] * ~missing
        return torch.cat([x, missing.float()[:, None]], 1), y[:, None].float()

    @property
    def mutual_information(self) -> float:
        known, hidden, total = self._variances
        return math.log(total) / 2 - math.log(known) / 4 - math.log(hidden) / 4

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        known, hidden, total = self._variances
        wide, value = x.double(), y[..., 0].double()
        location = self.effect * wide[..., 0] + self.other * wide[..., 1]
        variance = torch.where(wide[..., -1] > 0.5, hidden, known)
        scale = variance.new_tensor(total).sqrt()
        return (log_normal(value, location, variance.sqrt()) - log_normal(value, scale * 0, scale)).to(x.dtype)

    @property
    def _variances(self) -> tuple[float, float, float]:
        """Of y given all, given all but X_1, and of y."""
        known = self.noise**2
        return known, known + self.effect**2, known + self.effect**2 + self.other**2


@dataclass(frozen=True)
class LowRank(Task):
    r"""Wide tables of few independent directions: r correlated pairs of columns, copies of them, and noise.

    .. math:: I(X;Y) = -\tfrac{r}{2} \ln(1 - \rho^2)

    The first r columns of x and of y are correlated in pairs; up to D - (D - r) // 2 come copies of random ones of
    these, and the others are standard normal. The covariance is singular.

    References:
        Gowri et al., Approximating mutual information of high-dimensional variables using learned representations,
        2024, arXiv:2409.02732, section on low-dimensional dependence.

    Arguments:
        rank: r, at least 1.
        dim: D, columns of x and of y, at least r.
        information: I(X;Y) in nats.

    Example:
        >>> x, y = LowRank(3, 50, 1.0).sample(5)
        >>> x.shape, len(set(x[0].tolist()))
        (torch.Size([5, 50]), 26)
    """

    rank: int
    dim: int
    information: float

    def __post_init__(self) -> None:
        check_at_least("rank", self.rank, 1)
        check_at_least("dim", self.dim, self.rank)
        if not 0 <= self.information < math.inf:
            raise ValueError(f"information is {self.information!r}, and must be finite and not negative.")

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        idle = (self.dim - self.rank) // 2
        x, noise = (torch.randn(n, self.rank, generator=generator, dtype=torch.float64) for _ in range(2))
        y = self._rho * x + math.sqrt(1 - self._rho**2) * noise
        fixed = torch.Generator().manual_seed(self.dim)
        sides = []
        for side in (x.float(), y.float()):
            copies = torch.randint(self.rank, (self.dim - idle - self.rank,), generator=fixed)
            sides.append(torch.cat([side, side[:, copies], torch.randn(n, idle, generator=generator)], 1))
        return sides[0], sides[1]

    @property
    def mutual_information(self) -> float:
        return self.information

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        left, right, rho = x[..., : self.rank].double(), y[..., : self.rank].double(), self._rho
        quadratic = rho**2 * (left.square() + right.square()) - 2 * rho * left * right
        return (self.information - quadratic.sum(-1) / (2 * (1 - rho**2))).to(x.dtype)

    @property
    def _rho(self) -> float:
        return math.sqrt(-math.expm1(-2 * self.information / self.rank))
