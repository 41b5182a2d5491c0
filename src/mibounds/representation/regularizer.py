"""Mutual information as a differentiable regularizer in a training loop."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, final

import torch
from torch import Tensor, nn

from mibounds._checks import check_at_least, check_paired
from mibounds._distributed import average, average_gradients
from mibounds._math import full_precision
from mibounds._variables import check_finite
from mibounds.bounds import Bound
from mibounds.choices import Shape, build_bound, build_critic
from mibounds.critics import Critic
from mibounds.critics.recompute import trained
from mibounds.estimators.mi_estimator import MIEstimator
from mibounds.representation.gradients import measures_gradient
from mibounds.warnings import (
    CeilingWarning,
    DetachedInputWarning,
    MIWarning,
    SharedParametersWarning,
    StaleCriticWarning,
    WrongSideWarning,
    issue,
)

__all__ = ["MIRegularizer"]

_STALE_CALLS = 100
_NEAR_CEILING = 0.95
_AVERAGED = 100  # updates in the running value


@final
class MIRegularizer(nn.Module):
    r"""A differentiable estimate of I(X;Z) for a training loop, with its own critic, bound and optimizer.

    `penalty = reg(x, z)` is the value of the bound: differentiable in x and z, with the critic's weights as constants;
    it changes no state. `reg.update(x, z)` trains the critic on detached inputs. Call both once in every training step:

        for x in loader:
            z = encoder(x)
            penalty = reg(x, z)
            scale = mi.gradient_scale(loss, penalty, encoder.parameters())
            (loss - beta * scale * penalty).backward()
            optimizer.step()
            reg.update(x, z)

    To maximize information use a lower bound (`MINE`, `InfoNCE`, `NWJ`, `JensenShannon`), to minimize it an upper bound
    (`CLUB`, `LeaveOneOut` with `critic="diagonalgaussian"`): a lower bound also decreases if z changes so that the
    critic fails, with the information unchanged. If z is a deterministic function of a continuous x, I(X;Z) is
    infinite, and the value is a regularizer that increases the entropy of z, not an estimate.

    The critic works in float32 whatever the autocast. It has its own random number generator. `state_dict` contains the
    states of the generator, the optimizer and the bound, and the number of updates. In a distributed job `update`
    averages gradients over the ranks. An optimizer of the training loop does not change the critic even if it contains
    the critic's parameters, because they have gradients only during `update`.

    References:
        Belghazi et al., Mutual Information Neural Estimation, 2018, arXiv:1801.04062, section 5.

    Arguments:
        x_shape: number of columns of x, or the shape of one sample: (C, H, W) for images, which are encoded by a
            convolutional network; other shapes are flattened.
        z_shape: the same for z.
        bound: a name ("mine", "infonce", "nwj", "jensenshannon", "club", ...) or a bound.
        critic: a name ("joint", "separable", "bilinear", "diagonalgaussian") or a critic.
        hidden: widths of the critic's hidden layers.
        lr: learning rate of the critic's Adam.
        negatives: mismatched pairs per sample, a number or "all"; by default 1 for a critic that runs a network on
            every pair ("joint"), unless the bound is InfoNCE, and all otherwise.
        steps: critic steps in one `update`.
        betas: of the critic's Adam.
        clip: maximum gradient norm of a critic step.
        seed: of the critic's initial weights and its negatives.
        device: device of the critic.

    Raises:
        ValueError, TypeError: for unknown names (the nearest is suggested), values out of range and combinations that
            do not fit.

    Example:
        >>> reg = MIRegularizer(4, 2, hidden=(16,), lr=1e-2)
        >>> x = torch.randn(64, 4)
        >>> z = x[:, :2].clone().requires_grad_()
        >>> penalty = reg(x, z)
        >>> (-penalty).backward()  # maximize it
        >>> reg.update(x, z)
        >>> math.isfinite(reg.value())
        True
    """

    def __init__(
        self,
        x_shape: Shape,
        z_shape: Shape,
        *,
        bound: str | Bound = "mine",
        critic: str | Critic = "joint",
        hidden: Sequence[int] = (256, 256, 256),
        lr: float = 1e-4,
        negatives: int | Literal["all"] | None = None,
        steps: int = 1,
        betas: tuple[float, float] = (0.9, 0.999),
        clip: float = 1.0,
        seed: int = 0,
        device: str | torch.device | None = None,
    ):
        super().__init__()
        check_at_least("steps", steps, 1)
        for name, value in (("lr", lr), ("clip", clip)):
            if not value > 0:
                raise ValueError(f"{name} is {value!r}, and must be above 0.")
        built_bound = build_bound(bound)
        built = build_critic(critic, x_shape, z_shape, seed, hidden=hidden)
        if negatives is None:
            costly = any(isinstance(module, Critic) and module.network_per_pair for module in built.modules())
            negatives = 1 if costly and built_bound.normalizer != "contrastive" else "all"
        self.estimator = MIEstimator(built, built_bound, negatives=negatives)
        if not any(parameter.requires_grad for parameter in self.estimator.parameters()):
            raise ValueError(f"{type(built).__name__} has no parameters to train: give a critic that learns.")
        self.estimator.to(device)
        self.steps, self.clip = steps, clip
        self.optimizer = torch.optim.Adam(self.estimator.parameters(), lr=lr, betas=betas, fused=True)
        self.generator = torch.Generator().manual_seed(seed)
        self.updates = self.skipped = 0  # critic steps, and those whose gradient was not finite
        self._calls_since_update = 0
        self._running: float | None = None
        self._warned: set[type[MIWarning]] = set()

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """The value of the bound in nats, a scalar that is differentiable in x and z.

        Arguments:
            x: (N, ...), float32 or half.
            z: (N, ...), likewise.

        Raises:
            ValueError: if x and z differ in length, or one has missing or infinite values.
        """
        x, z = self._checked(x, z)
        with self._frozen(), full_precision(x):
            value = self.estimator.value(x, z, self.generator)
        self._watch(x, z, value)
        return value

    def update(self, x: Tensor, z: Tensor) -> None:
        """Take `steps` steps on the critic. x and z are detached, and no gradients remain.

        A step whose gradient is not finite is not taken, and `skipped` counts it.

        Arguments:
            x: (N, ...), float32 or half.
            z: (N, ...), likewise.

        Raises:
            ValueError: if x and z differ in length, or one has missing or infinite values.
        """
        x, z = self._checked(x.detach(), z.detach())
        parameters = list(self.estimator.parameters())
        with torch.enable_grad(), full_precision(x):
            for _ in range(self.steps):
                self.optimizer.zero_grad(set_to_none=True)
                loss, value = self.estimator.loss_and_value(x, z, self.generator)
                self._record(float(value))
                loss.backward()  # type: ignore[no-untyped-call]
                average_gradients(parameters)
                if nn.utils.clip_grad_norm_(parameters, self.clip).isfinite():
                    self.optimizer.step()
                else:
                    self.skipped += 1
                self.updates += 1
        average(self.estimator.bound.buffers())
        self.optimizer.zero_grad(set_to_none=True)
        self._calls_since_update = 0

    def value(self) -> float:
        """A running estimate in nats, for a logger: the mean value over the updates, an exponential moving average
        after the first 100; NaN before the first."""
        return math.nan if self._running is None else self._running

    def get_extra_state(self) -> dict[str, Any]:
        """The state beside weights and buffers, for `state_dict`."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "updates": self.updates,
            "skipped": self.skipped,
            "running": self._running,
        }

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore the state beside weights and buffers, for `load_state_dict`."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.updates, self.skipped, self._running = state["updates"], state["skipped"], state["running"]

    def _record(self, value: float) -> None:
        """Update the running value: the mean, and an exponential moving average once there are 100 values."""
        weight = max(1 / _AVERAGED, 1 / (self.updates + 1))
        if math.isfinite(value):
            self._running = value if self._running is None else self._running + weight * (value - self._running)

    def _checked(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        check_paired(len(x), len(z), name_y="z")
        x, z = x.float(), z.float()
        check_finite("x", x)
        check_finite("z", z)
        # A single column may come without its dimension.
        return (x.unsqueeze(1) if x.dim() == 1 else x), (z.unsqueeze(1) if z.dim() == 1 else z)

    @contextmanager
    def _frozen(self) -> Iterator[None]:
        """The critic's weights are constants of the graphs that are built in this context."""
        weights = [parameter for parameter in self.estimator.parameters() if parameter.requires_grad]
        for parameter in weights:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in weights:
                parameter.requires_grad_(True)

    def _watch(self, x: Tensor, z: Tensor, value: Tensor) -> None:
        """Check for misuse; each warning is issued once."""
        if not torch.is_grad_enabled():
            return
        self._calls_since_update += 1
        if self._calls_since_update > _STALE_CALLS:
            self._warn(
                StaleCriticWarning(
                    f"The critic was not updated for {_STALE_CALLS} calls, so the value need not follow the network: "
                    "call reg.update(x, z) once per training step."
                )
            )
        if not value.requires_grad:
            self._warn(
                DetachedInputWarning(
                    "Neither x nor z requires a gradient, so the penalty cannot change the network: "
                    "pass the encoder's output itself, not a detached copy."
                )
            )
            return
        if self._calls_since_update == 1 and not self.updates and self._shares_parameters(x, z):
            self._warn(
                SharedParametersWarning(
                    "The critic contains parameters that x or z depends on, so its optimizer trains the regularized "
                    "network: use separate layers for the critic."
                )
            )
        negatives = self.estimator.negatives
        ceiling = self.estimator.bound.ceiling(len(x) - 1 if negatives == "all" else negatives)
        if float(value.detach()) > _NEAR_CEILING * ceiling:
            self._warn(
                CeilingWarning(
                    f"The value is at the bound's ceiling of {ceiling:.3g} nats, and the information may be larger: "
                    "use larger batches or more negatives, or a bound without ceiling."
                )
            )
        if self.estimator.bound.side != "neither" and WrongSideWarning not in self._warned:
            value.register_hook(self._check_direction)  # type: ignore[no-untyped-call]

    def _check_direction(self, gradient: Tensor) -> None:
        """Compare the side of the bound with the direction of the optimization, by the sign of the value's gradient."""
        if measures_gradient():
            return
        minimized = float(gradient) > 0
        side = self.estimator.bound.side
        if gradient != 0 and minimized == (side == "lower"):
            doing, better = (
                ("minimized", 'an upper bound (bound="club", critic="diagonalgaussian")')
                if minimized
                else ("maximized", 'a lower bound (bound="mine" or "infonce")')
            )
            self._warn(
                WrongSideWarning(
                    f"{type(self.estimator.bound).__name__} is {'a' if side == 'lower' else 'an'} {side} bound "
                    f"and is being {doing}, which can widen its gap instead of moving the information: use {better}."
                )
            )

    def _shares_parameters(self, x: Tensor, z: Tensor) -> bool:
        of_critic = {id(parameter) for parameter in self.estimator.parameters()}
        return not of_critic.isdisjoint(map(id, trained((x, z), ())))

    def _warn(self, warning: MIWarning) -> None:
        if type(warning) not in self._warned:
            self._warned.add(type(warning))
            issue(warning)
