"""Critics that wrap critics: encoders, offsets, weighted sums, calibration, normalization."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mibounds._math import logmeanexp, off_diagonal
from mibounds._roots import bisect
from mibounds._variables import Tensors, take_rows
from mibounds.critics.critic import Critic, encoded_grid, pairwise_chunks

__all__ = ["Calibrated", "Encoded", "MixedWithIndependence", "Normalized", "WeightedSum", "WithOffset"]


class Encoded(Critic):
    r"""A critic of encoded variables, :math:`f(e_x(x), e_y(y))`, for images, sequences and other structured data.

    Arguments:
        critic: scores the encoded variables.
        encoder_x: a module (N, ...) -> (N, D_x) of the critic; None leaves x as it is.
        encoder_y: likewise for y.

    Example:
        >>> from mibounds.critics import SeparableCritic
        >>> critic = Encoded(SeparableCritic(16, 3), encoder_x=nn.Sequential(nn.Flatten(), nn.Linear(64, 16)))
        >>> critic.pairwise(torch.zeros(4, 1, 8, 8), torch.zeros(5, 3)).shape
        torch.Size([4, 5])
    """

    def __init__(self, critic: Critic, encoder_x: nn.Module | None = None, encoder_y: nn.Module | None = None):
        super().__init__()
        self.critic = critic
        self.is_conditional_density = critic.is_conditional_density
        self.network_per_pair = critic.network_per_pair
        self.continuous_y = critic.continuous_y
        self.encoder_x = encoder_x if encoder_x is not None else nn.Identity()
        self.encoder_y = encoder_y if encoder_y is not None else nn.Identity()

    def prepare(self, x: Any, y: Any) -> None:
        with torch.no_grad():
            self.critic.prepare(self.encoder_x(x), self.encoder_y(y))

    def observe(self, x: Any, y: Any, update: int = 1) -> None:
        if type(self.critic).observe is not Critic.observe:
            with torch.no_grad():
                self.critic.observe(self.encoder_x(x), self.encoder_y(y), update)

    def keep_columns(self, kept: Tensor) -> None:
        if isinstance(self.encoder_y, nn.Identity | nn.Flatten):
            self.critic.keep_columns(kept.flatten())

    def encode_x(self, x: Any) -> Any:
        return self.critic.encode_x(self.encoder_x(x))

    def encode_y(self, y: Any) -> Any:
        return self.critic.encode_y(self.encoder_y(y))

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return self.critic.combine(hx, hy)

    def residual(self, x: Any, y: Any) -> Tensor | None:
        """The residuals of a density critic that has them."""
        residual = getattr(self.critic, "residual", None)
        return None if residual is None else residual(self.encoder_x(x), self.encoder_y(y))


class WithOffset(Critic):
    r"""A critic plus another one, :math:`f(x,y) + g\, o(x,y)`, with a learned gain g that starts at 1.

    The offset is fitted beforehand (a Gaussian, a baseline, a marginal density) and the critic learns the difference to
    it. `WithOffset(critic, baseline)` under NWJ is TUBA; a difference of densities has the offset
    `WeightedSum([marginal], torch.tensor([-1.0]))` and `gain=False`.

    Arguments:
        critic: the critic that is trained.
        offset: the critic that is added.
        gain: learn a factor on the offset; without it the factor is 1.

    Example:
        >>> from mibounds.critics import FunctionCritic
        >>> one = FunctionCritic(lambda x, y: (x * 0 + y * 0 + 1).sum(-1))
        >>> WithOffset(one, one, gain=False)(torch.zeros(2, 1), torch.zeros(2, 1))
        tensor([2., 2.])
    """

    def __init__(self, critic: Critic, offset: Critic, *, gain: bool = True):
        super().__init__()
        self.critic = critic
        self.offset = offset
        self.gain = nn.Parameter(torch.ones(())) if gain else 1.0

    def prepare(self, x: Tensors, y: Tensors) -> None:
        self.critic.prepare(x, y)
        self.offset.prepare(x, y)

    def encode_x(self, x: Tensors) -> Any:
        return self.critic.encode_x(x), self.offset.encode_x(x)

    def encode_y(self, y: Tensors) -> Any:
        return self.critic.encode_y(y), self.offset.encode_y(y)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return self.critic.combine(hx[0], hy[0]) + self.gain * self.offset.combine(hx[1], hy[1])


class WeightedSum(Critic):
    r"""A weighted sum of critics, :math:`\sum_k w_k f_k(x,y)`, each with its encoders.

    Lower bounds are concave in the scores, so the bound of the averaged scores is at least the average of the
    bounds.

    Arguments:
        critics: at least one; they are used and not copied.
        weights: (K,), one for each.

    Example:
        >>> from mibounds.critics import FunctionCritic
        >>> one = FunctionCritic(lambda x, y: (x * 0 + y * 0 + 1).sum(-1))
        >>> WeightedSum([one, one], torch.tensor([0.25, 0.5]))(torch.zeros(2, 1), torch.zeros(2, 1))
        tensor([0.7500, 0.7500])
    """

    weights: Tensor

    def __init__(self, critics: Sequence[Critic], weights: Tensor):
        super().__init__()
        self.critics: Any = nn.ModuleList(critics)
        self.register_buffer("weights", weights)

    def prepare(self, x: Tensors, y: Tensors) -> None:
        for critic in self.critics:
            critic.prepare(x, y)

    def encode_x(self, x: Tensors) -> Any:
        return tuple(critic.encode_x(x) for critic in self.critics)

    def encode_y(self, y: Tensors) -> Any:
        return tuple(critic.encode_y(y) for critic in self.critics)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        parts = zip(self.weights, self.critics, hx, hy, strict=True)
        return torch.stack([weight * critic.combine(ux, uy) for weight, critic, ux, uy in parts]).sum(0)


class _OfScores(Critic):
    """A map of the scores of another critic."""

    def __init__(self, critic: Critic):
        super().__init__()
        self.critic = critic

    def prepare(self, x: Tensors, y: Tensors) -> None:
        self.critic.prepare(x, y)

    def encode_x(self, x: Tensors) -> Any:
        return self.critic.encode_x(x)

    def encode_y(self, y: Tensors) -> Any:
        return self.critic.encode_y(y)


class Calibrated(_OfScores):
    r"""A critic calibrated by a piecewise linear function, :math:`s \mapsto a s + \sum_k c_k (s - t_k)_+`.

    A critic may rank the pairs correctly and be wrong about their ratios: too smooth at the hard edge of a bounded
    noise, too steep after overfitting. A `Trainer` fits the function on validation rows.

    Arguments:
        critic: scores the pairs.
        knots: (K,), ascending :math:`t_k`.
        slopes: (K + 1,): :math:`a, c_1, \dots, c_K`, the first slope and the changes at the knots.

    Example:
        >>> from mibounds.critics import FunctionCritic
        >>> product = FunctionCritic(lambda x, y: (x * y).sum(-1))
        >>> flat_above_one = Calibrated(product, torch.tensor([1.0]), torch.tensor([1.0, -1.0]))
        >>> flat_above_one(torch.tensor([[0.5], [3.0]]), torch.ones(2, 1))
        tensor([0.5000, 1.0000])
    """

    knots: Tensor
    slopes: Tensor

    def __init__(self, critic: Critic, knots: Tensor, slopes: Tensor):
        super().__init__(critic)
        self.register_buffer("knots", knots)
        self.register_buffer("slopes", slopes)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return piecewise_slopes(self.critic.combine(hx, hy), self.knots, self.slopes)


def piecewise_slopes(scores: Tensor, knots: Tensor, slopes: Tensor) -> Tensor:
    """Evaluate a s + sum of c_k (s - t_k)_+ with slopes (a, c_1, ..., c_K), by one lookup per score."""
    interval = torch.bucketize(scores.detach().contiguous(), knots)
    slope = slopes.cumsum(0)
    offset = torch.cat([slopes.new_zeros(1), (slopes[1:] * knots).cumsum(0)])
    return slope[interval] * scores - offset[interval]


class Normalized(Critic):
    r"""A critic minus the term that its objective does not identify, so that :math:`E_{p(x)p(y)} e^f = 1`.

    The scores are then log density ratios. Donsker–Varadhan, MINE and symmetric InfoNCE do not identify an additive
    constant, InfoNCE a function of y. Before other bounds are evaluated on such a critic, or the rows of several
    critics are pooled, this term is subtracted. It is estimated on a bank of rows that are used neither for training
    nor for the evaluation (validation rows).

    A function of y is estimated by the log-mean-exp over the x of the bank. A constant c is estimated by Bennett's
    acceptance ratio from matched and mismatched pairs together,

    .. math:: \sum_i \sigma\big(c + \ln(n-1) - f_{ii}\big) = \sum_{i \ne j} \sigma\big(f_{ij} - c - \ln(n-1)\big),

    the intercept of a logistic regression of matched against mismatched pairs. At low information it equals the
    log-mean-exp of the mismatched pairs; at high information, where no mismatched pair resembles a matched one, the
    log-mean-exp is wrong by nats and this estimate is not.

    References:
        Bennett, Efficient estimation of free energy differences from Monte Carlo data, 1976.
        Poole et al., 2019, arXiv:1905.06922, for the optimal critic of each objective.

    Arguments:
        critic: the trained critic; it is used and not copied.
        bank: (x, y), matched rows, of which 4,096 are used.
        unidentified: "nothing" (a constant is estimated all the same), "constant" or "function of y".

    Example:
        >>> from mibounds.critics import FunctionCritic
        >>> five = FunctionCritic(lambda x, y: (x * 0 + y * 0 + 5).sum(-1))  # independence plus a constant
        >>> normalized = Normalized(five, (torch.zeros(10, 1), torch.zeros(10, 1)))
        >>> normalized(torch.zeros(2, 1), torch.zeros(2, 1)).abs() < 1e-4
        tensor([True, True])
    """

    constant: Tensor

    def __init__(self, critic: Critic, bank: tuple[Tensors, Tensors], *, unidentified: str = "constant"):
        super().__init__()
        self.critic = critic
        self.unidentified = unidentified
        bank_x, bank_y = (take_rows(part, slice(_BANK)) for part in bank)
        with torch.no_grad():
            if unidentified == "function of y":
                self.bank: Bank | None = Bank(critic.encode_x(bank_x))
                self.register_buffer("constant", torch.zeros(()))
            else:
                self.bank = None
                self.register_buffer("constant", acceptance_ratio(pairwise_chunks(critic, bank_x, bank_y)))

    def encode_x(self, x: Tensors) -> Any:
        return self.critic.encode_x(x)

    def encode_y(self, y: Tensors) -> Any:
        hy = self.critic.encode_y(y)
        if self.bank is None:
            return hy
        return hy, logmeanexp(encoded_grid(self.critic, self.bank(), hy), 0).unsqueeze(-1)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        if self.bank is None:
            return self.critic.combine(hx, hy) - self.constant
        log_mean: Tensor = hy[1].squeeze(-1)
        return self.critic.combine(hx, hy[0]) - log_mean


class MixedWithIndependence(_OfScores):
    r"""The log-ratio of a mixture of what a critic says with independence, which no sample makes very negative.

    .. math:: f \mapsto \ln\big((1 - \varepsilon)\, e^f + \varepsilon\big)

    of a critic with :math:`E_{p(x)p(y)} e^f = 1`, which the mixture keeps. A matched pair has a true ratio below
    :math:`\varepsilon` with a probability of at most :math:`\varepsilon`: of so many samples as
    :math:`1/\varepsilon`, one such pair is expected at most, and where a critic scores a pair lower, it is mistaken.
    With few samples a Gaussian scored single pairs -60 nats. The mixture costs at most
    :math:`-\ln(1 - \varepsilon)`.

    Arguments:
        critic: whose scores are log density ratios.
        share: :math:`\varepsilon`, between 0 and 1.

    Example:
        >>> from mibounds.critics import FunctionCritic
        >>> far = FunctionCritic(lambda x, y: (x * y).sum(-1))
        >>> MixedWithIndependence(far, 0.01)(torch.tensor([[-60.0], [1.0]]), torch.ones(2, 1))
        tensor([-4.6052,  0.9937])
    """

    def __init__(self, critic: Critic, share: float):
        super().__init__(critic)
        self.share = share

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return mixed_scores(self.critic.combine(hx, hy), self.share)


def mixed_scores(scores: Tensor, share: float) -> Tensor:
    """Log-ratios mixed with independence, of any shape."""
    return torch.logaddexp(scores + math.log1p(-share), scores.new_tensor(math.log(share)))


_BANK = 4096  # rows: a grid of 64 MB
_STRIP = 256  # lines of a grid at a time


class Bank(nn.Module):
    """Encoded rows as buffers, which move and are saved with the critic; banks nest as encodings do."""

    def __init__(self, encoded: Tensors):
        super().__init__()
        if isinstance(encoded, Tensor):
            self.register_buffer("rows", encoded)
        else:
            self.parts: Any = nn.ModuleList(Bank(part) for part in encoded)

    def forward(self) -> Any:
        """The encodings."""
        return self.rows if "rows" in self._buffers else tuple(part() for part in self.parts)


def acceptance_ratio(grid: Tensor) -> Tensor:
    """Bennett's constant of an (N, N) grid of scores with the matched pairs on its diagonal, by bisection to 1e-4 nats
    or to the precision of the scores."""
    joint, odds = grid.diagonal(), math.log(len(grid) - 1)

    def strips() -> Iterator[Tensor]:
        """The mismatched pairs, some lines at a time: all at once would take three times the memory."""
        for start in range(0, len(grid), _STRIP):
            yield off_diagonal(grid[start : start + _STRIP], start)

    partition = torch.stack([strip.flatten().logsumexp(0) for strip in strips()]).logsumexp(0)
    # The two sums cross between these values: at either end all terms of one sum outweigh those of the other.
    low = torch.minimum(joint.min(), partition - math.log(len(grid)) - odds) - odds - 1
    high = torch.maximum(joint.max(), torch.stack([strip.max() for strip in strips()]).max()) + odds + 1

    def below(constant: Tensor) -> Tensor:
        """Is the first sum of the equation, which increases with the constant, at most the second?"""
        threshold = constant + odds
        second = torch.stack([(strip - threshold).sigmoid_().sum() for strip in strips()]).sum()
        return ~((threshold - joint).sigmoid().sum() - second > 0)

    return bisect(below, low, high, 1e-4)
