"""I(X;Z) inside a user's own training loop."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, final

import torch
from torch import Tensor, nn

from mibounds._checks import check_at_least, check_paired
from mibounds._distributed import average, average_gradients
from mibounds._math import full_precision
from mibounds._variables import check_finite
from mibounds.bounds import Bound, InfoNCE
from mibounds.choices import Shape, build_bound, build_critic
from mibounds.critics import Critic, JointCritic
from mibounds.estimators.mi_estimator import MIEstimator
from mibounds.representation.gradients import only_measuring
from mibounds.warnings import (
    CeilingWarning,
    DetachedInputWarning,
    MIWarning,
    SharedParametersWarning,
    StaleCriticWarning,
    WrongSideWarning,
)

__all__ = ["MIRegularizer"]

_STALE_CALLS = 100


@final
class MIRegularizer(nn.Module):
    r"""A differentiable I(X;Z) for a user's own training loop; it owns its critic, its bound and its optimizer.

    `penalty = reg(x, z)` is the bound's value: differentiable in x and z, the critic's weights frozen, no state moved.
    `reg.update(x, z)` takes steps on the critic alone, on detached inputs. Call both once a step:

        for x in loader:
            z = encoder(x)
            penalty = reg(x, z)
            scale = mi.gradient_scale(loss, penalty, encoder.parameters())
            (loss - beta * scale * penalty).backward()
            optimizer.step()
            reg.update(x, z)

    To maximize information use a lower bound (`MINE`, `InfoNCE`, `NWJ`, `JensenShannon`), to minimize it an upper one
    (`CLUB`, `LeaveOneOut` with `critic="diagonalgaussian"`): a lower bound can be minimized by showing the critic
    what it cannot see. If z is a deterministic function of a continuous x, I(X;Z) is infinite and the value is a
    regularizer that spreads z out, not a measurement.

    The critic works in float32 whatever the autocast. Its random numbers come from its own generator, which
    `state_dict` holds together with the optimizer, the step count and the bound's state. In a distributed job
    `update` averages gradients over the ranks. The user's optimizer never moves the critic, even if it holds the
    critic's parameters: they have gradients only inside `update`.

    References:
        Belghazi et al., Mutual Information Neural Estimation, 2018, arXiv:1801.04062, section 5.

    Arguments:
        x_shape: columns of x, or its shape without the rows: (C, H, W) for images, which get a convolutional
            encoder; other shapes are flattened.
        z_shape: likewise for z.
        bound: a name ("mine", "infonce", "nwj", "jensenshannon", "club", ...) or a bound.
        critic: a name ("joint", "separable", "bilinear", "diagonalgaussian") or a critic.
        hidden: widths of the critic's hidden layers.
        lr: learning rate of the critic's Adam.
        negatives: mismatched pairs per row, a number or "all"; by default 1 for a joint critic (all for InfoNCE),
            all otherwise.
        steps: critic steps of one `update`.
        betas: of the critic's Adam.
        clip: largest gradient norm of a critic step.
        seed: draws the critic's first weights and its negatives.
        device: where the critic lives.

    Raises:
        ValueError, TypeError: for unknown names (the nearest is suggested) and combinations that do not fit.

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
        if not lr > 0:
            raise ValueError(f"lr is {lr!r}, and must be above 0.")
        built_bound = build_bound(bound)
        built = build_critic(critic, x_shape, z_shape, seed, hidden=hidden)
        if negatives is None:
            few = any(isinstance(part, JointCritic) for part in built.modules()) and not isinstance(
                built_bound, InfoNCE
            )
            negatives = 1 if few else "all"
        self.estimator = MIEstimator(built, built_bound, negatives=negatives)
        if not any(parameter.requires_grad for parameter in self.estimator.parameters()):
            raise ValueError(f"{type(built).__name__} has no parameters to train: give a critic that learns.")
        self.estimator.to(device)
        self.steps, self.clip = steps, clip
        self.optimizer = torch.optim.Adam(self.estimator.parameters(), lr=lr, betas=betas, fused=True)
        self.generator = torch.Generator().manual_seed(seed)
        self.updates = self.skipped = 0
        self._since_update = 0
        self._running: float | None = None
        self._warned: set[type[MIWarning]] = set()

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """The bound's value in nats, a scalar differentiable in x and z: x (N, ...), z (N, ...), float32 or half.

        Raises:
            ValueError: if x or z holds missing or infinite values; the tensor is named.
        """
        x, z = self._checked(x, z)
        with self._frozen(), full_precision(x):
            value = self.estimator.value(x, z, self.generator)
        self._watch(x, z, value)
        return value

    def update(self, x: Tensor, z: Tensor) -> None:
        """Take `steps` steps on the critic alone: x (N, ...), z (N, ...), detached here. No gradient is left
        anywhere."""
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
        self._since_update = 0

    def value(self) -> float:
        """A running estimate in nats to log: the mean of the values met by recent updates; NaN before the first."""
        return math.nan if self._running is None else self._running

    def get_extra_state(self) -> dict[str, Any]:
        """What `state_dict` holds beside weights and buffers."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "updates": self.updates,
            "skipped": self.skipped,
            "running": self._running,
        }

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """What `load_state_dict` restores beside weights and buffers."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.updates, self.skipped, self._running = state["updates"], state["skipped"], state["running"]

    def _record(self, value: float) -> None:
        """An average over some hundred values that starts as the plain mean."""
        share = max(0.01, 1 / (self.updates + 1))
        if math.isfinite(value):
            self._running = value if self._running is None else self._running + share * (value - self._running)

    def _checked(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        check_paired(len(x), len(z), name_y="z")
        x, z = x.float(), z.float()
        check_finite("x", x)
        check_finite("z", z)
        # A single column may come without its dimension.
        return (x.unsqueeze(1) if x.dim() == 1 else x), (z.unsqueeze(1) if z.dim() == 1 else z)

    @contextmanager
    def _frozen(self) -> Iterator[None]:
        """The critic's weights are constants of the graph that is built here."""
        trained = [parameter for parameter in self.estimator.parameters() if parameter.requires_grad]
        for parameter in trained:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in trained:
                parameter.requires_grad_(True)

    def _watch(self, x: Tensor, z: Tensor, value: Tensor) -> None:
        """The misuses that can be seen from here; each is told once."""
        if not torch.is_grad_enabled():
            return
        self._since_update += 1
        if self._since_update > _STALE_CALLS:
            self._warn(
                StaleCriticWarning(
                    f"The critic was not updated for {_STALE_CALLS} calls, and its value means little: "
                    "call reg.update(x, z) once a step."
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
        if self._since_update == 1 and not self.updates and self._shares_parameters(x, z):
            self._warn(
                SharedParametersWarning(
                    "The critic holds parameters that x or z depends on, so its optimizer trains the regularized "
                    "network: give the critic layers of its own."
                )
            )
        negatives = self.estimator.negatives
        ceiling = self.estimator.bound.ceiling(len(x) - 1 if negatives == "all" else negatives)
        if float(value.detach()) > 0.95 * ceiling:
            self._warn(
                CeilingWarning(
                    f"The value is at the bound's ceiling of {ceiling:.3g} nats and says little beyond it: "
                    "use larger batches or more negatives, or a bound without ceiling."
                )
            )
        if self.estimator.bound.side != "neither" and WrongSideWarning not in self._warned:
            value.register_hook(self._check_direction)  # type: ignore[no-untyped-call]

    def _check_direction(self, gradient: Tensor) -> None:
        """The sign of what flows back says whether the value is maximized or minimized."""
        if only_measuring():
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

    def _shares_parameters(self, *tensors: Tensor) -> bool:
        own = {id(parameter) for parameter in self.estimator.parameters()}
        nodes, seen = [tensor.grad_fn for tensor in tensors], set()
        while nodes:
            node = nodes.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            if id(getattr(node, "variable", None)) in own:
                return True
            nodes += [parent for parent, _ in node.next_functions]
        return False

    def _warn(self, warning: MIWarning) -> None:
        if type(warning) not in self._warned:
            self._warned.add(type(warning))
            warnings.warn(warning, stacklevel=4)
