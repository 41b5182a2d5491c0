"""Mutual information as a differentiable regularizer in a training loop."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, final

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from mibounds._checks import check_device, check_flag, check_integer, check_number, check_seed, check_widths
from mibounds._distributed import average, average_gradients, broadcast_tensors, check_equal, ranks
from mibounds._math import full_precision
from mibounds._variables import Tensors, check_finite, flat, identity, map_tensors, row_count
from mibounds.bounds import Bound
from mibounds.choices import Shape, build_bound, build_critic, check_fit, shape_sizes
from mibounds.critics import Critic, Standardized
from mibounds.estimators.mi_estimator import MIEstimator
from mibounds.representation.inputs import detached, guarded, no_term, taken
from mibounds.representation.layer_outputs import kept_buffers
from mibounds.representation.loop_checks import LoopChecks
from mibounds.representation.optimizer_state import OptimizerState, check_adam
from mibounds.training.torch_modes import ordinary_module, plain_torch

__all__ = ["MIRegularizer"]

_RECENT = 100  # updates in the running value
_OPTIMIZER = "optimizer/"  # begins the names of its tensors in a state, which have no dots
_GOLDEN = (math.sqrt(5) - 1) / 2


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
    (`LeaveOneOut` with `critic="diagonalgaussian"`): a lower bound also decreases if z changes so that the critic
    fails, with the information unchanged. An upper bound holds as far as the critic's density is the true one, so
    verify the result with `mi.estimate`. If z is a deterministic function of a continuous x, I(X;Z) is infinite, and
    the value regularizes the entropy of z.

    The critic works in float32 whatever the autocast and the dtype of the model. Its parameters require gradients only
    during `update`, so no other optimizer changes them and `DistributedDataParallel` leaves them alone. In a
    distributed job the ranks start from the weights of rank 0 and `update` averages gradients and input statistics over
    the ranks. `state_dict` holds tensors only, with the state of the optimizer.

    References:
        Belghazi et al., Mutual Information Neural Estimation, 2018, arXiv:1801.04062, section 5.

    Arguments:
        x_shape: number of columns of x, or the shape of one sample: (C, H, W) for images, which are encoded by a
            convolutional network; other shapes are flattened, and each entry has a unit of its own.
        z_shape: the same for z; for labels (integers or booleans, (N,)) the number of classes.
        bound: a name ("mine", "infonce", "nwj", "jensenshannon", "leaveoneout", ...) or a bound.
        critic: a name or a critic; one without parameters (a known density) is used as it is. "joint", "separable",
            "bilinear" and "bridged" score log density ratios; "diagonalgaussian", "fullgaussian", "flow" and, for
            labels, "categorical" are densities of z, for "leaveoneout", "club" and "infonce".
        hidden: widths of the critic's hidden layers.
        lr: learning rate of the critic's Adam.
        negatives: mismatched pairs per sample, a number or "all"; by default 8 for a critic that runs a network on
            every pair ("joint"), unless the bound is InfoNCE, and all otherwise. The pairs of a step are the same at
            every evaluation until the next `update`.
        steps: critic steps in one `update`.
        betas: of the critic's Adam.
        clip: maximum gradient norm of a critic step.
        standardize: standardize x and z by running statistics (`mi.critics.Standardized`). By default the critics by
            name and those that say so (`Critic.standardizes`) are, not your own.
        shared: in a distributed job, mismatched pairs come from all ranks, whose batches have the same size, and the
            value is that of the whole batch.
        check: check the inputs and issue warnings, for which a density is trained on half of every 20th batch. Without
            it a penalty is compiled by `torch.compile` without graph breaks, and copies nothing from a GPU.
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

    phase: Tensor

    @plain_torch(on_cpu=False)
    def __init__(
        self,
        x_shape: Shape,
        z_shape: Shape,
        *,
        bound: str | Bound = "mine",
        critic: str | Critic = "joint",
        hidden: Sequence[int] = (256, 256, 256),
        lr: float = 1e-3,
        negatives: int | Literal["all"] | None = None,
        steps: int = 1,
        betas: tuple[float, float] = (0.9, 0.999),
        clip: float = 1.0,
        standardize: bool | None = None,
        shared: bool = False,
        check: bool = True,
        seed: int = 0,
        device: str | torch.device | None = None,
    ):
        super().__init__()
        self.steps = check_integer("steps", steps, 1)
        check_number("lr", lr, above=0)
        check_seed(seed)
        check_adam(betas, clip)
        shared, check = check_flag("shared", shared), check_flag("check", check)
        standardize = None if standardize is None else check_flag("standardize", standardize)
        if device is not None and str(device) != "meta":
            check_device(device)
        built_bound = build_bound(bound)
        shapes = shape_sizes("x", x_shape), shape_sizes("z", z_shape)
        built = build_critic(critic, *shapes, seed, hidden=check_widths("hidden", hidden))
        check_fit(built, built_bound)
        if any(isinstance(one, UninitializedParameter) for one in built.parameters()):
            raise ValueError(
                "critic has lazy layers, whose weights do not exist yet: call critic(x, z) on a batch first."
            )
        if negatives is None:
            costly = any(isinstance(module, Critic) and module.network_per_pair for module in built.modules())
            negatives = 8 if costly and built_bound.normalizer != "contrastive" else "all"
        by_name = isinstance(critic, str)
        if standardize or (standardize is None and (by_name or built.standardizes)):
            built = Standardized(built, *shapes, shared=shared)
        self.estimator = MIEstimator(built, built_bound, negatives=negatives, shared=shared).float().to(device)
        ordinary_module(self.estimator)
        standardized = isinstance(built, Standardized)
        self._taken = partial(
            taken,
            shapes=shapes if standardized or by_name else (None, None),
            wide=standardized,
            tuples=not by_name,
            label_z=not (built.is_conditional_density and built.continuous_y),
        )
        self.negatives, self.clip, self.check, self.seed = negatives, clip, check, seed
        self.updates = self.skipped = 0  # critic steps, and those whose gradient was not finite
        self._values: deque[Tensor] = deque(maxlen=_RECENT)  # of the last updates
        self.register_buffer("phase", torch.zeros((), dtype=torch.float32, device=device))
        self._advance(0)
        self._state = OptimizerState(self.estimator, lr=lr, betas=betas)
        self._agreed = False  # the ranks of a distributed job have the same critic
        self._seen: tuple[Any, Tensor] | None = None  # the batch of the last call, and its value
        self._checks = LoopChecks(self.estimator.bound)
        if not by_name:
            self._checks.watch_modules(self.estimator.critic)
        self._stateful = [] if by_name else [module for module in built.modules() if module._buffers]
        self.register_load_state_dict_post_hook(_after_load)  # type: ignore[no-untyped-call]

    @property
    def optimizer(self) -> torch.optim.Optimizer | None:
        """The optimizer of the critic; None if the critic has no parameters. Another one has to hold the parameters of
        this critic and no others, and to take steps without a closure."""
        return self._state.optimizer

    @optimizer.setter
    def optimizer(self, optimizer: torch.optim.Optimizer) -> None:
        self._state.use(optimizer)

    def forward(self, x: Tensors, z: Tensors) -> Tensor:
        """The value of the bound in nats, a scalar that is differentiable in x and z.

        A batch of one sample has no mismatched pairs, and its value is 0 with a zero gradient; so is a value that is
        not finite, and a gradient that is not finite is replaced by 0.

        Arguments:
            x: (N, ...), of any floating-point type; integers for a critic that encodes them, or tuples of such.
            z: (N, ...), likewise.

        Raises:
            ValueError: if x and z differ in length or shape from what was announced, or one has missing or infinite
                values.
            RuntimeError: in the backward pass, if `update` changed the critic in between.
        """
        given, (x, z) = (x, z), self._taken(x, z)
        if not self._has_pairs(x):
            return no_term(x, z)
        self._state.freeze()
        if torch.is_grad_enabled():
            self._agree()
        with self._checks.inside(), full_precision(flat(x)[0]), kept_buffers(self._stateful):
            value = self.estimator.value(guarded(x), guarded(z), partners=self._partners(x))
        if not self.check:
            return torch.where(value.isfinite(), value, 0.0)
        if not math.isfinite(float(value.detach())):
            self._refuse_non_finite(x, z)
            return no_term(x, z)
        if torch.is_grad_enabled():
            if self.estimator.bound.needs_conditional_density:
                self._seen = identity(given), value.detach()
            self._checks.call(self, x, z, value)
        return value

    @plain_torch(on_cpu=False)
    def update(self, x: Tensors, z: Tensors) -> None:
        """Take `steps` steps on the critic. x and z are detached, and no gradients remain.

        A step whose gradient is not finite is not taken, and `skipped` counts it. A batch of one sample is ignored.

        Arguments:
            x: (N, ...), as in a call.
            z: (N, ...), likewise.

        Raises:
            ValueError: as in a call; if the ranks of a distributed job begin with other numbers of updates.
        """
        given, (x, z) = (x, z), (map_tensors(detached, side) for side in self._taken(x, z))
        if not self._has_pairs(x) and ranks() == 1:
            return
        if self._seen is not None and self._seen[0] != identity(given):
            self._seen = None
        self._agree(None if self.updates else (x, z))
        skipped = self.skipped
        with self._checks.inside(), full_precision(flat(x)[0]):
            if self.check and self._checks.critic.due(self, x):
                self._checks.critic.held_back(self, x, z, self._take_steps)
            else:
                self._take_steps(x, z)
        self._seen = None
        average(self.estimator.bound.buffers())
        if self.training and self.updates > self.steps and self.skipped == skipped:
            self.estimator.critic.observe(x, z, self.updates // self.steps)
        if self.check:
            self._checks.update(self)

    def value(self) -> float:
        """A running estimate in nats, for a logger: the median of the last 100 values; NaN before the first."""
        values = self.recent()
        return float(values.median()) if len(values) else math.nan

    def recent(self) -> Tensor:
        """The finite ones of the last 100 values, in nats."""
        values = torch.stack([*self._values]) if self._values else torch.empty(0, dtype=torch.float32)
        return values[values.isfinite()]

    def _take_steps(self, x: Tensors, z: Tensors) -> None:
        for _ in range(self.steps):
            self._step(x, z)

    def _step(self, x: Tensors, z: Tensors) -> None:
        """One step on the critic."""
        with self._state.trainable() as weights:
            if self._has_pairs(x):
                loss, value = self._loss_and_value(x, z)
                self._values.append(value)
                if self.check and not math.isfinite(float(loss.detach())):
                    self._refuse_non_finite(x, z)
            else:  # the other ranks wait for the gradients of this one
                loss = sum((weight.sum() * 0 for weight in weights), torch.zeros(()))
            if weights:
                loss.backward()  # type: ignore[no-untyped-call]
                average_gradients(weights)
                self.skipped += not self._state.step(self.clip)
        self._advance(self.updates + 1)

    def _loss_and_value(self, x: Tensors, z: Tensors) -> tuple[Tensor, Tensor]:
        """The objective, and the value for the logger: of likelihood, which needs no mismatched pairs, that of the last
        call."""
        partners = self._partners(x)
        if not self.estimator.bound.needs_conditional_density:
            return self.estimator.loss_and_value(x, z, partners=partners)
        value = None if self._seen is None else self._seen[1]
        if value is None:
            with torch.no_grad():
                value = self.estimator.value(x, z, partners=partners)
        return (self.estimator.loss(x, z) if self._state.weights else value), value

    def _advance(self, updates: int) -> None:
        """Count the updates, and choose the mismatched pairs until the next one."""
        self.updates = updates
        self.phase.fill_((self.seed * math.e + updates * _GOLDEN) % 1.0)
        self._pairs: dict[int, Tensor] = {}  # mismatched pairs by the size of the batch

    def _partners(self, x: Tensors) -> Tensor | None:
        """The rows of the mismatched pairs, (N, K): evenly spaced cyclic shifts of the batch, from a random phase."""
        if self.negatives == "all":
            return None
        n = self._batch_size(x)
        if n in self._pairs and self.check:
            return self._pairs[n]
        every = torch.arange(n, device=self.phase.device)
        count = min(self.negatives, n - 1)
        shifts = ((every[:count] + self.phase) * ((n - 1) / count)).long().clamp_max(n - 2) + 1
        partners = (every[:, None] + shifts) % n
        if torch.compiler.is_compiling() or not partners.is_inference():  # with which no gradient can be computed
            self._pairs[n] = partners
        return partners

    def _has_pairs(self, x: Tensors) -> bool:
        """Has a batch mismatched pairs?"""
        several = self._batch_size(x) > 1
        if self.check and not several:
            self._checks.no_pairs(row_count(x))
        return several

    def _batch_size(self, x: Tensors) -> int:
        """Samples of a batch, of all ranks if they share it."""
        return row_count(x) * (ranks() if self.estimator.shared else 1)

    def _agree(self, first: tuple[Tensors, Tensors] | None = None) -> None:
        """Fit to the first batch what is in closed form; once in a distributed job get critic and seed of rank 0."""
        together = ranks() > 1 and not self._agreed
        if together:
            self._state.check_identity()
            check_equal("updates of the regularizer", self.updates, "load its state on every rank")
        if first is not None:
            for name, side in zip("xz", first, strict=True):
                check_finite(name, side)
            self.estimator.critic.prepare(*first)
        if not together:
            return
        seed = torch.tensor([self.seed], device=self.phase.device)
        broadcast_tensors([*self.estimator.parameters(), *self.estimator.buffers(), seed])
        self.seed = int(seed)
        self._advance(self.updates)
        self._agreed = True

    def _refuse_non_finite(self, x: Tensors, z: Tensors) -> None:
        """A value that is not finite has its reason in the inputs, which is an error, or in the critic."""
        for name, side in (("x", x), ("z", z)):
            check_finite(name, side)
        self._checks.non_finite()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> MIRegularizer:
        """Move to a device; the critic stays in float32 whatever the dtype of the model it is part of."""

        def moved(tensor: Tensor) -> Tensor:
            after = fn(tensor)
            return after if after.dtype == tensor.dtype else tensor.to(after.device)

        super()._apply(moved, recurse)  # type: ignore[no-untyped-call]
        self._state.moved(moved)
        return self

    def __getattr__(self, name: str) -> Any:
        """`torch.distributed.checkpoint` looks up the entries of a state as attributes."""
        if name in ("values", "counts") or name.startswith(_OPTIMIZER):
            return self._own_state()[name]
        return super().__getattr__(name)

    def _own_state(self) -> dict[str, Tensor]:
        """The state apart from parameters and buffers."""
        values = torch.full((_RECENT,), math.nan, dtype=torch.float32)
        if self._values:
            values[: len(self._values)] = torch.stack([*self._values]).cpu()
        optimizer = {_OPTIMIZER + name.replace(".", "/"): one.detach() for name, one in self._state.tensors().items()}
        return {"values": values, "counts": torch.tensor([self.updates, self.skipped, self.seed]), **optimizer}

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination.update({prefix + name: tensor for name, tensor in self._own_state().items()})

    @torch.inference_mode(False)
    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        missing: list[str] = rest[2]
        counts, values = (state_dict.pop(prefix + name, None) for name in ("counts", "values"))
        start = prefix + _OPTIMIZER
        names = [name for name in state_dict if name.startswith(start)]
        tensors = {name[len(start) :].replace("/", "."): state_dict.pop(name) for name in names}
        super()._load_from_state_dict(state_dict, prefix, *rest)
        if counts is None or values is None:
            missing.append(f"{prefix}counts")
        else:
            updates, self.skipped, self.seed = (int(count) for count in counts)
            self._advance(updates)
            self._values = deque(values[~values.isnan()].to(self.phase.device), maxlen=_RECENT)
            absent, errors = self._state.load(tensors)
            missing += [start + name.replace(".", "/") for name in absent]
            rest[4].extend(errors)
        self._agreed = False


@torch.inference_mode(False)
def _after_load(regularizer: MIRegularizer, _keys: object) -> None:
    ordinary_module(regularizer.estimator)
    regularizer._state.moved()  # load_state_dict(assign=True) replaces the parameters
