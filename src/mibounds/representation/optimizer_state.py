"""The optimizer of a critic inside another training loop, and its state as named tensors."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mibounds._checks import check_number

__all__ = ["OptimizerState", "check_adam"]


class OptimizerState:
    """Adam for the parameters of a module that require gradients, which then do so only in `trainable`.

    Parameters that require no gradient are invisible to `DistributedDataParallel` and to other optimizers.

    Arguments:
        module: the module to train; its parameters that require no gradient now are constants, unless another
            optimizer state froze them.
        lr: learning rate.
        betas: of Adam.

    Example:
        >>> layer = nn.Linear(1, 1)
        >>> state = OptimizerState(layer, lr=0.1, betas=(0.9, 0.999))
        >>> with state.trainable() as weights:
        ...     layer(torch.ones(1, 1)).sum().backward()
        ...     state.step(clip=1.0)
        True
        >>> layer.weight.requires_grad, sorted(state.tensors())[:3]
        (False, ['bias.exp_avg', 'bias.exp_avg_sq', 'bias.step'])
    """

    def __init__(self, module: nn.Module, lr: float, betas: tuple[float, float]):
        self.module = module
        self.names = [name for name, parameter in module.named_parameters() if _is_trained(module, name, parameter)]
        self.weights: list[Tensor] = [module.get_parameter(name) for name in self.names]
        self.optimizer: torch.optim.Optimizer | None = None
        if self.weights:
            self.optimizer = torch.optim.Adam(self.weights, lr=lr, betas=betas, fused=True)
            for weight in self.weights:  # as its first step does, so that a state has all its tensors from the start
                self.optimizer.state[weight] = {
                    "step": torch.zeros((), dtype=torch.float32, device=weight.device),
                    "exp_avg": torch.zeros_like(weight),
                    "exp_avg_sq": torch.zeros_like(weight),
                }
        self.freeze()

    def use(self, optimizer: Any) -> None:
        """Take another optimizer of the same parameters.

        Raises:
            TypeError: if it is none, or one whose step needs a closure.
            ValueError: if it lacks a parameter of the critic, or holds one of another module.
        """
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise TypeError(
                f"optimizer is a {type(optimizer).__name__}: expected a torch optimizer of the critic's parameters, "
                "for example torch.optim.AdamW(reg.parameters())."
            )
        kind = type(optimizer).__name__
        closure = inspect.signature(optimizer.step).parameters.get("closure")
        if closure is not None and closure.default is closure.empty:
            raise TypeError(
                f"optimizer is {kind}, whose step needs a function that computes the loss again, and update takes "
                "single steps: use one without, for example torch.optim.AdamW(reg.parameters())."
            )
        held = {id(one) for group in optimizer.param_groups for one in group["params"]}
        if missing := sum(id(weight) not in held for weight in self.weights):
            raise ValueError(
                f"optimizer lacks {missing} of the {len(self.weights)} parameters of this critic, which it would not "
                f"train: build it from reg.parameters() of this regularizer, torch.optim.{kind}(reg.parameters())."
            )
        if held - {id(one) for one in self.module.parameters()}:
            raise ValueError(
                "optimizer also holds parameters that are not the critic's, and update would change them: give the "
                f"critic one of its own, torch.optim.{kind}(reg.parameters())."
            )
        self.optimizer = optimizer

    def freeze(self) -> None:
        """No parameter requires a gradient, even if the user's `requires_grad_(True)` has reached it."""
        for weight in self.weights:
            if weight.requires_grad:
                weight.requires_grad_(False)

    @contextmanager
    def trainable(self) -> Iterator[list[Tensor]]:
        """Inside, the parameters require gradients; none remain."""
        for weight in self.weights:
            weight.grad = None
            weight.requires_grad_(True)
        try:
            yield self.weights
        finally:
            for weight in self.weights:
                weight.grad = None
                weight.requires_grad_(False)

    def step(self, clip: float) -> bool:
        """A step with a clipped gradient, if it is finite."""
        assert self.optimizer is not None
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        # As `clip_grad_norm_` does, with one look at the norm, which decides whether there is a step at all.
        norm = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients))))
        if not math.isfinite(norm):
            return False
        if norm > clip:
            torch._foreach_mul_(gradients, clip / (norm + 1e-6))
        self.optimizer.step()
        # The fused step of the CPU does not raise the versions by which autograd notices a changed weight.
        for weight in self.weights:
            torch.autograd.graph.increment_version(weight)
        return True

    def tensors(self) -> dict[str, Tensor]:
        """The state by parameter and name, and the learning rate of each group."""
        if self.optimizer is None:
            return {}
        rates = torch.tensor([float(group["lr"]) for group in self.optimizer.param_groups], dtype=torch.float64)
        state = {
            f"{name}.{key}": tensor
            for name, weight in zip(self.names, self.weights, strict=True)
            for key, tensor in self.optimizer.state.get(weight, {}).items()
            if isinstance(tensor, Tensor)
        }
        return {"lr": rates, **state}

    def load(self, tensors: dict[str, Tensor]) -> tuple[list[str], list[str]]:
        """Restore the state. Returns the names that are missing, and sentences about those of another shape."""
        current = self.tensors()
        missing = sorted(current.keys() - tensors.keys())
        common = [name for name in current if name in tensors]
        other = [name for name in common if current[name].shape != tensors[name].shape]
        errors = [
            f"size mismatch for optimizer.{name}: the state has shape {tuple(tensors[name].shape)}, and the "
            f"regularizer {tuple(current[name].shape)}."
            for name in other
        ]
        if self.optimizer is None or missing or errors:
            return missing, errors
        exact = tensors["lr"].dtype == torch.float64
        for group, rate in zip(self.optimizer.param_groups, tensors["lr"].tolist(), strict=True):
            group["lr"] = rate if exact else float(f"{rate:.7g}")  # the digits that a float32 has
        weights = dict(zip(self.names, self.weights, strict=True))
        for path, saved in tensors.items():
            name, _, key = path.rpartition(".")
            if name in weights:
                like = self.optimizer.state[weights[name]].get(key, weights[name])
                device = saved.device if like.is_meta else like.device
                self.optimizer.state[weights[name]][key] = saved.detach().to(device, like.dtype, copy=True)
        return missing, errors

    def moved(self, function: Callable[[Tensor], Tensor] = lambda tensor: tensor) -> None:
        """Follow the parameters to another device, or to those that have replaced them."""
        if self.optimizer is None:
            return
        before, self.weights = self.weights, [self.module.get_parameter(name) for name in self.names]
        now = {id(old): new for old, new in zip(before, self.weights, strict=True)}
        for group in self.optimizer.param_groups:
            group["params"] = [now.get(id(one), one) for one in group["params"]]
        for old in before:
            if old in self.optimizer.state:
                state = self.optimizer.state.pop(old)
                self.optimizer.state[now[id(old)]] = {
                    key: function(value) if isinstance(value, Tensor) else value for key, value in state.items()
                }

    def check_identity(self) -> None:
        """Raise a RuntimeError if another library has replaced the parameters."""
        now = [parameter for name, parameter in self.module.named_parameters() if name in set(self.names)]
        if [id(one) for one in now] != [id(one) for one in self.weights]:
            raise RuntimeError(
                "The critic's parameters were replaced, as FSDP does: keep the MIRegularizer outside of the module "
                "that is sharded. It averages its own gradients over the ranks."
            )


def check_adam(betas: Any, clip: Any) -> None:
    """Raise an error unless betas are two numbers below 1, and clip is above 0 or infinite."""
    if not isinstance(betas, Sequence) or len(betas) != 2:
        raise TypeError(f"betas is {betas!r}: expected two numbers, for example (0.9, 0.999).")
    for beta in betas:
        check_number("betas", beta, least=0, below=1)
    if clip != math.inf:
        check_number("clip", clip, above=0)


def _is_trained(module: nn.Module, path: str, parameter: Tensor) -> bool:
    """Does a parameter require a gradient, or did it until an optimizer state froze it? Its module and copies of that
    remember it."""
    owner, _, name = path.rpartition(".")
    trained: set[str] = module.get_submodule(owner).__dict__.setdefault("_trained_by_regularizer", set())
    if parameter.requires_grad:
        trained.add(name)
    return name in trained
