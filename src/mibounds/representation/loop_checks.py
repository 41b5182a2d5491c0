"""Checks of the use of a regularizer in a training loop. Each warning is issued once for a regularizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mibounds._variables import Tensors, flat
from mibounds.bounds import Bound
from mibounds.representation.critic_checks import Checked, CriticChecks
from mibounds.representation.gradients import applies_gradient
from mibounds.warnings import (
    CeilingWarning,
    DetachedInputWarning,
    MIWarning,
    NonFiniteStepWarning,
    SharedParametersWarning,
    SingleSampleWarning,
    StaleCriticWarning,
    WrongSideWarning,
    issue,
)

__all__ = ["LoopChecks"]

_STALE_CALLS = 100
_NEAR_CEILING = 0.95
_DIAGNOSED = 10  # calls of `update`


class _Watch:
    """A hook of a layer of a critic: a copy of the layer belongs to no regularizer, and is not watched."""

    def __init__(self, checks: LoopChecks | None):
        self.checks = checks

    def __call__(self, module: nn.Module, inputs: Any) -> None:
        if self.checks is not None:
            self.checks.outside()

    def __deepcopy__(self, memo: dict[int, Any]) -> _Watch:
        return _Watch(memo.get(id(self.checks)))


class LoopChecks:
    """The checks of one regularizer, and what was warned of.

    Arguments:
        bound: of the regularizer.
    """

    def __init__(self, bound: Bound):
        self.bound = bound
        self.calls = 0  # since the last update
        self.critic = CriticChecks()
        self._running = False
        self._warned: set[type[MIWarning]] = set()
        self._registry: dict[Any, Any] = {}

    @contextmanager
    def inside(self) -> Iterator[None]:
        """The critic's layers are called by the regularizer itself."""
        self._running = True
        try:
            yield
        finally:
            self._running = False

    def watch_modules(self, critic: nn.Module) -> None:
        """Notice a user's network that uses layers of the critic, in place of a regularizer that had it before."""
        for module in critic.modules():
            if module._parameters:
                hooks = module._forward_pre_hooks
                for number in [number for number, hook in hooks.items() if isinstance(hook, _Watch)]:
                    del hooks[number]
                module.register_forward_pre_hook(_Watch(self))

    def call(self, regularizer: Checked, x: Tensors, z: Tensors, value: Tensor) -> None:
        """After a call with gradients."""
        self.calls += 1
        if self.calls > _STALE_CALLS and regularizer.optimizer is not None:
            self.warn(
                StaleCriticWarning(
                    f"The critic was not updated for {_STALE_CALLS} calls, so the value need not follow the network: "
                    "call reg.update(x, z) once per training step."
                )
            )
        if not value.requires_grad:
            self.warn(
                DetachedInputWarning(
                    "Neither x nor z requires a gradient, so the penalty cannot change the network: pass the encoder's "
                    "output itself, not a detached copy, and build the critic from layers of its own."
                )
            )
            return
        negatives = regularizer.negatives
        others = regularizer._batch_size(x) - 1
        ceiling = self.bound.ceiling(others if negatives == "all" else min(negatives, others))
        if float(value.detach()) > _NEAR_CEILING * ceiling:
            self.warn(
                CeilingWarning(
                    f"The value is at the bound's ceiling of {ceiling:.3g} nats, and the information may be larger: "
                    "use larger batches or more negatives, or a bound without ceiling."
                )
            )
        inputs = [tensor for tensor in flat((x, z)) if tensor.requires_grad]
        value.register_hook(  # type: ignore[no-untyped-call]
            partial(self._backward, regularizer, regularizer.updates, inputs)
        )

    def update(self, regularizer: Checked) -> None:
        """After an update."""
        self.calls = 0
        if regularizer.skipped:
            self.warn(
                NonFiniteStepWarning(
                    f"The gradient of {regularizer.skipped} critic step was not finite, and the step was skipped: "
                    "lower lr, use InfoNCE, or look for outliers in the inputs."
                )
            )
        if regularizer.updates // regularizer.steps % _DIAGNOSED == 0:
            for warning in self.critic.found(regularizer):
                self.warn(warning)

    def no_pairs(self, samples: int) -> None:
        """A batch of one sample, or of none."""
        batch = "A batch of one sample" if samples else "An empty batch"
        self.warn(
            SingleSampleWarning(
                f"{batch} has no mismatched pairs, so its penalty is 0 and the critic is not trained on it: drop the "
                "last batch (drop_last=True of a DataLoader)."
            )
        )

    def non_finite(self) -> None:
        """A value that is not finite, of finite inputs."""
        self.warn(
            NonFiniteStepWarning(
                f"The value of {type(self.bound).__name__} is not finite, and its term is left out: lower lr, use "
                "InfoNCE, or look for outliers in the inputs."
            )
        )

    def warn(self, warning: MIWarning) -> None:
        """Issue a warning, once for each class."""
        if type(warning) not in self._warned:
            self._warned.add(type(warning))
            issue(warning, self._registry)

    def outside(self) -> None:
        """A layer of the critic is called: by the regularizer, by a backward pass that computes again, or by a user."""
        if not self._running and torch.is_grad_enabled() and torch._C._current_graph_task_id() == -1:
            self.warn(
                SharedParametersWarning(
                    "A layer of the critic is also used outside of the regularizer, whose optimizer trains it: use "
                    "separate layers for the critic."
                )
            )

    def _backward(self, regularizer: Checked, updates: int, inputs: list[Tensor], gradient: Tensor) -> None:
        """The gradient of a value arrives: is the critic still the same, and does the gradient widen the gap of the
        bound?"""
        if regularizer.updates != updates:
            raise RuntimeError(
                "The critic was updated between the penalty and its backward pass, whose gradient would mix two "
                "critics: call reg.update(x, z) (train_op of Mi_estimator) after backward()."
            )
        side = self.bound.side
        if side == "neither" or WrongSideWarning in self._warned:
            return
        direction = float(gradient)
        minimized = direction > 0
        if direction and minimized == (side == "lower") and (applies_gradient() or _accumulates(inputs[0])):
            doing, better = (
                ("minimized", 'an upper bound (bound="leaveoneout", critic="diagonalgaussian")')
                if minimized
                else ("maximized", 'a lower bound (bound="mine" or "infonce")')
            )
            self.warn(
                WrongSideWarning(
                    f"{type(self.bound).__name__} is {'a' if side == 'lower' else 'an'} {side} bound "
                    f"and is being {doing} by the sign of its term in the loss, which can widen its gap instead of "
                    f"moving the information: use {better}. After a gradient reversal layer, which turns the sign "
                    "around, keep this bound."
                )
            )


def _accumulates(tensor: Tensor) -> bool:
    """Does the backward pass that is running fill `.grad`? `torch.autograd.grad` does not, and what it returns may be
    applied with either sign."""
    node = torch.autograd.graph.get_gradient_edge(tensor).node
    while not hasattr(node, "variable"):
        node = next((parent for parent, _ in node.next_functions if parent is not None), None)  # type: ignore[assignment]
        if node is None:
            return True
    try:
        return bool(torch._C._will_engine_execute_node(node))
    except RuntimeError:  # of a leaf that autograd.grad differentiates with respect to
        return False
