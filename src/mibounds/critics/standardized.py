"""A critic of standardized columns, with running statistics, for the inputs of a training loop."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mibounds._distributed import all_gather, average, ranks
from mibounds._variables import Tensors
from mibounds.critics.critic import Critic

__all__ = ["Standardized"]

_FIRST, _EVERY = 20, 10  # updates that are observed: all at first, then some, and of a side that does not agree all
_SLOW, _FAST = 0.05, 0.1  # weights of a batch that agrees with the statistics, and of one that does not
_APART = 4.0  # standard errors, from which on a batch does not agree
_ROUNDING = 8  # units in the last place of a mean: what varies less is constant, or rounding
_TINY = 1e-37


class Standardized(Critic):
    r"""A critic of standardized inputs, :math:`f((x - m_x)/s_x, (y - m_y)/s_y)`, with running means and scales.

    Mutual information does not depend on units, and the training of a network does. The statistics are constants of the
    graph, like those of a batch normalization in evaluation mode. `observe` updates them: scales by their geometric
    mean, so that an outlier does not stay in them for long, and quickly where a batch differs from them by more than
    its sampling error. Before the first call each batch is standardized by its own. A conditional density is one of y
    in its own units, without the columns that were constant in the last batch. Inputs that are not floating point
    (labels, tokens) or tuples pass unchanged.

    Arguments:
        critic: scores the standardized inputs.
        x_shape: number of columns of x, or the shape of a sample. Of images (C, H, W) a channel has a statistic, of
            other shapes each entry.
        y_shape: the same for y; under a density each entry has a statistic.
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
        self.continuous_y = critic.continuous_y
        self.x = Scale(x_shape, shared)
        self.y = Scale(y_shape, shared, fixed=not critic.continuous_y, density=critic.is_conditional_density)
        self.keep_columns(self.y.varies)
        self.register_load_state_dict_post_hook(_after_load)  # type: ignore[no-untyped-call]

    def prepare(self, x: Tensors, y: Tensors) -> None:
        self._measure(x, y)
        with torch.no_grad():
            self.critic.prepare(self.x(x), self.y(y))

    def observe(self, x: Tensors, y: Tensors, update: int = 1) -> None:
        """Update the running statistics by a batch, if it is due; in a distributed job by that of all ranks."""
        due = update <= _FIRST or update % _EVERY == 0
        due = due or (self.is_conditional_density and ranks() == 1 and self.y.constancy_differs(y))
        self._measure(x, y, x_due=due or bool(self.x.apart), y_due=due or bool(self.y.apart))
        if type(self.critic).observe is not Critic.observe:
            with torch.no_grad():
                self.critic.observe(self.x(x), self.y(y), update)

    def keep_columns(self, varies: Tensor) -> None:
        self.critic.keep_columns(varies)

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

    def _measure(self, x: Tensors, y: Tensors, x_due: bool = True, y_due: bool = True) -> None:
        if x_due:
            self.x.observe(x)
        if y_due:
            self.y.observe(y)
            self.keep_columns(self.y.varies)


def _after_load(critic: Standardized, _keys: object) -> None:
    critic.keep_columns(critic.y.varies)


class Scale(nn.Module):
    """Running means and standard deviations of columns or channels, and the affine map that standardizes them."""

    origin: Tensor
    mean: Tensor
    scale: Tensor
    varies: Tensor
    apart: Tensor
    batches: Tensor
    center: Tensor
    factor: Tensor
    log_volume: Tensor

    def __init__(self, shape: int | tuple[int, ...], shared: bool = False, fixed: bool = False, density: bool = False):
        super().__init__()
        self.shared, self.fixed, self.density = shared, fixed, density
        sizes = (shape,) if isinstance(shape, int) else tuple(shape)
        self.image = len(sizes) == 3 and not density
        zeros = torch.zeros(sizes[0], 1, 1) if self.image else torch.zeros(sizes)
        self.register_buffer("origin", zeros)  # the mean of the first batch, which float64 inputs are centered by
        self.register_buffer("mean", zeros.clone())  # less the origin
        self.register_buffer("scale", zeros.clone())  # 0 of a column that has never varied
        self.register_buffer("varies", torch.ones_like(zeros))  # in the last batch
        self.register_buffer("apart", torch.zeros(()))  # 1 if the last batch did not agree with the statistics
        self.register_buffer("batches", torch.zeros(()))
        derived = {"center": zeros.clone(), "factor": torch.ones_like(zeros), "log_volume": torch.zeros(())}
        for name, value in derived.items():
            self.register_buffer(name, value, persistent=False)
        self._fitted = False

    @property
    def fitted(self) -> bool:
        """Has a batch been observed? By the buffers, which may be copied from another regularizer; they are looked at
        until one has."""
        if not (self._fitted or self.batches.is_meta or torch.compiler.is_compiling()):
            self._fitted = bool(self.batches > 0)
        return self._fitted

    def forward(self, values: Tensors) -> Tensors:
        """Standardized values in float32; constant columns are centered."""
        if not isinstance(values, Tensor) or not values.is_floating_point():
            return values
        if self.fixed:
            return values.to(self.scale.dtype)
        if self.fitted:
            factor = self.factor
            center = self.center if values.dtype != torch.float64 else self.origin.double() + self.mean
            return ((values - center) * factor).to(factor.dtype)
        with torch.no_grad():
            origin, largest = self._extent(values, self.shared)
            mean, scale = self._moments((values - origin) * _inverse(largest), self.shared)
            center, factor = origin.to(values.dtype) + mean * largest, _inverse(scale * largest)
        return ((values - center) * factor).to(self.scale.dtype)

    @torch.no_grad()
    def observe(self, values: Tensors) -> None:
        """Update the statistics: their mean over the first batches, then an exponential moving average."""
        if self.fixed or not isinstance(values, Tensor) or not values.is_floating_point():
            return
        self._rest(values)  # checks their shape
        if not self.fitted:
            origin, largest = self._extent(values, True)
            self._buffers.update(origin=origin, center=origin, factor=_inverse(largest))
            self._fitted = True
        # From the mean and in units of the scale, so that no square overflows.
        shift, width = self._moments(self(values), True)
        unit, size = self.factor.reciprocal(), torch.hypot(width, shift)
        step, spread = shift * unit, width * unit
        rounding = _ROUNDING * torch.finfo(values.dtype if values.dtype == torch.float64 else torch.float32).eps
        finite = size < math.inf
        varies = (spread > (self.center + step).abs() * rounding + _TINY) & finite
        batches = self.batches + 1
        distance = torch.hypot(width.clamp_min(_TINY).log(), shift)
        apart = (distance > _APART / (len(values) * ranks()) ** 0.5) & varies
        weight = (_SLOW + (_FAST - _SLOW) * apart.to(shift.dtype)).maximum(batches.reciprocal())
        moved = torch.where(self.scale > 0, self.scale * size.clamp_min(_TINY).pow(weight), spread)
        self._buffers.update(  # at once: to set an attribute of a module takes as long as to compute it
            mean=torch.where(finite, self.mean.addcmul(weight, step), self.mean),
            scale=torch.where(varies, moved, self.scale),
            varies=torch.where(finite, varies.to(self.varies.dtype), self.varies),
            apart=apart.any().to(self.apart.dtype),
            batches=batches,
        )
        self._derive()

    def constancy_differs(self, values: Tensors) -> bool:
        """Have columns become constant since the last batch that was observed, or others begun to vary?"""
        if self.fixed or not isinstance(values, Tensor) or not values.is_floating_point():
            return False
        rest = self._rest(values)
        varies = (values.amax(rest) > values.amin(rest)).reshape(self.varies.shape)
        return bool((varies != self.varies.bool()).any())

    def _derive(self) -> None:
        factor = _inverse(self.scale)
        self._buffers.update(center=self.origin + self.mean, factor=factor)
        if self.density:
            self._buffers["log_volume"] = (factor.log() * self.varies).sum()

    def _extent(self, values: Tensor, every_rank: bool) -> tuple[Tensor, Tensor]:
        """The means of a batch, and the largest distances from them."""
        rest = self._rest(values)
        origin = values.mean(rest, keepdim=True).reshape(self.mean.shape).to(self.mean.dtype)
        if every_rank:
            average([origin])
        largest = (values - origin).abs().amax(rest, keepdim=True).reshape(self.mean.shape).to(self.mean.dtype)
        if every_rank:
            average([largest])
        return origin, largest

    def _moments(self, values: Tensor, every_rank: bool) -> tuple[Tensor, Tensor]:
        """Means and standard deviations of a batch, of all ranks or of this one."""
        # Welford's algorithm, unlike a mean of squares, gives exactly 0 where a column is constant.
        variance, mean = torch.var_mean(values, self._rest(values), correction=0, keepdim=True)
        mean, variance = mean.reshape(self.mean.shape), variance.reshape(self.mean.shape)
        if every_rank and ranks() > 1:
            means, variances = all_gather(torch.stack([mean, variance])[None]).unbind(1)
            within, (between, mean) = variances.mean(0), torch.var_mean(means, 0, correction=0)
            variance = within + between
        return mean, variance.sqrt()

    def _rest(self, values: Tensor) -> tuple[int, ...]:
        """The dimensions of values over which a statistic is taken."""
        lead = max(values.dim() - self.mean.dim(), 0)
        checked = 1 if self.image else self.mean.dim()
        given, expected = values.shape[lead : lead + checked], self.mean.shape[:checked]
        if given != expected:
            raise ValueError(f"A sample has {given.numel()} columns or channels, expected {expected.numel()}.")
        return (*range(lead), *((lead + 1, lead + 2) if self.image else ()))

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *rest: object) -> None:
        super()._load_from_state_dict(state_dict, prefix, *rest)
        self._fitted = False
        self._derive()


def _inverse(scale: Tensor) -> Tensor:
    """1 / scale; 1 of a column that does not vary."""
    return torch.where(scale > 0, 1 / scale, 1.0)
