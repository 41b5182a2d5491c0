"""A critic of standardized columns, with running statistics, for the inputs of a training loop."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mibounds._distributed import average, ranks
from mibounds._variables import Tensors
from mibounds.critics.critic import Critic

__all__ = ["Standardized"]

_MOMENTUM = 0.1  # weight of new statistics, once there are more than ten
_CONSTANT = 1e-12  # of the squared mean: a smaller variance is that of a constant column, or rounding


class Standardized(Critic):
    r"""A critic of standardized inputs, :math:`f((x - m_x)/s_x, (y - m_y)/s_y)`, with running means and scales.

    Mutual information does not depend on units, and the training of a network does. The statistics are constants of the
    graph, like those of a batch normalization in evaluation mode. `observe` updates them; before its first call each
    batch is standardized by its own. A conditional density is one of y in its own units. Inputs that are not floating
    point (labels, tokens) or tuples pass unchanged.

    Arguments:
        critic: scores the standardized inputs.
        x_shape: number of columns of x, or the shape of a sample, (C, ...), with statistics per channel.
        y_shape: the same for y.
        shared: in a distributed job, a batch before the first call of `observe` is part of a batch of all ranks.

    Example:
        >>> from mibounds.critics import SeparableCritic
        >>> critic = Standardized(SeparableCritic(2, 2, hidden=(8,)), 2, 2)
        >>> x = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
        >>> critic.prepare(100 * x + 5, x)
        >>> critic.x(100 * x + 5).std(0, correction=0)
        tensor([1..., 1...])
    """

    def __init__(
        self, critic: Critic, x_shape: int | tuple[int, ...], y_shape: int | tuple[int, ...], *, shared: bool = False
    ):
        super().__init__()
        self.critic = critic
        self.is_conditional_density = critic.is_conditional_density
        self.network_per_pair = critic.network_per_pair
        self.x, self.y = Scale(x_shape, shared), Scale(y_shape, shared, fixed=not critic.continuous_y)

    def prepare(self, x: Tensors, y: Tensors) -> None:
        self.observe(x, y)
        with torch.no_grad():
            self.critic.prepare(self.x(x), self.y(y))

    def observe(self, x: Tensors, y: Tensors) -> None:
        """Update the running statistics by a batch; in a distributed job by that of all ranks."""
        self.x.observe(x)
        self.y.observe(y)

    def encode_x(self, x: Tensors) -> Tensors:
        encoded: Tensors = self.critic.encode_x(self.x(x))
        return encoded

    def encode_y(self, y: Tensors) -> Tensors:
        encoded: Tensors = self.critic.encode_y(self.y(y))
        return encoded

    def combine(self, hx: Tensors, hy: Tensors) -> Tensor:
        scores = self.critic.combine(hx, hy)
        return scores + self.y.log_volume if self.is_conditional_density else scores

    def residual(self, x: Tensors, y: Tensors) -> Tensor | None:
        """The residuals of a density critic that has them."""
        residual = getattr(self.critic, "residual", None)
        return None if residual is None else residual(self.x(x), self.y(y))


class Scale(nn.Module):
    """Running means and standard deviations of columns or channels, and the affine map that standardizes them."""

    mean: Tensor
    variance: Tensor
    batches: Tensor
    factor: Tensor
    shift: Tensor
    log_volume: Tensor

    def __init__(self, shape: int | tuple[int, ...], shared: bool = False, fixed: bool = False):
        super().__init__()
        self.shared, self.fixed = shared, fixed
        sizes = (shape,) if isinstance(shape, int) else tuple(shape)
        self.repeats = math.prod(sizes[1:])  # entries of a sample that share a statistic
        one = torch.ones(sizes[:1] + (1,) * (len(sizes) - 1))
        self.register_buffer("mean", torch.zeros_like(one))
        self.register_buffer("variance", one.clone())
        self.register_buffer("batches", torch.zeros(()))
        for name, value in (("factor", one.clone()), ("shift", torch.zeros_like(one)), ("log_volume", torch.zeros(()))):
            self.register_buffer(name, value, persistent=False)
        self.fitted = False

    def forward(self, values: Tensors) -> Tensors:
        """Standardized values; constant columns are centered."""
        if self.fixed or not isinstance(values, Tensor) or not values.is_floating_point():
            return values
        if self.fitted:
            return torch.addcmul(self.shift, values, self.factor)
        factor, shift = _affine(*self._moments(values.detach(), self.shared))
        return torch.addcmul(shift, values, factor)

    @torch.no_grad()
    def observe(self, values: Tensors) -> None:
        """Update the statistics: their mean over the first ten batches, then an exponential moving average."""
        if self.fixed or not isinstance(values, Tensor) or not values.is_floating_point():
            return
        mean, within = self._moments(values, True)
        self.batches += 1
        weight = (1 / self.batches).clamp_min(_MOMENTUM)
        before = self.mean
        self.mean = torch.lerp(before, mean, weight)
        self.variance = torch.lerp(
            self.variance + (before - self.mean).square(), within + (mean - self.mean).square(), weight
        )
        self._derive()

    def _moments(self, values: Tensor, every_rank: bool) -> tuple[Tensor, Tensor]:
        """Means and variances of a batch, of all ranks or of this one."""
        channels = len(self.mean)
        lead = values.dim() - self.mean.dim()
        rest = tuple(range(lead)) + tuple(range(lead + 1, values.dim()))
        if values.shape[lead : lead + 1] != (channels,):
            raise ValueError(f"A sample has {values.shape[lead:].numel()} columns or channels, expected {channels}.")
        variance, mean = torch.var_mean(values, rest, correction=0, keepdim=True)
        mean, variance = mean.reshape(self.mean.shape), variance.reshape(self.mean.shape)
        if every_rank and ranks() > 1:
            local = mean.clone()
            average([mean])
            variance = variance + (local - mean).square()
            average([variance])
        return mean, variance

    def _derive(self) -> None:
        self.factor, self.shift = _affine(self.mean, self.variance)
        self.log_volume = self.factor.log().sum() * self.repeats
        self.fitted = True

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *rest: object) -> None:
        super()._load_from_state_dict(state_dict, prefix, *rest)
        if float(self.batches):
            self._derive()


def _affine(mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """Factor and shift of (values - mean) / scale, the scale of a constant column being 1."""
    varies = variance > _CONSTANT * mean.square() + 1e-30
    factor = torch.where(varies, variance.clamp_min(1e-30).rsqrt(), 1.0)
    return factor, -mean * factor
