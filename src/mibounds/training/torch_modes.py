"""Modes and defaults of torch that a caller may have set, and on which no fit depends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from mibounds._variables import Tensors, map_tensors

__all__ = ["ordinary", "ordinary_module", "plain_torch"]

_LOCK = threading.Lock()
_inside = 0  # how many threads, or nested calls, are in `_single_precision`
_before = torch.float32  # the default dtype outside of all of them


@contextmanager
def plain_torch(*, on_cpu: bool = True) -> Iterator[None]:
    """Inside, torch is as after its import: gradients are recorded, and new tensors are float32 on the CPU.

    A fit inside `torch.no_grad()` or `torch.inference_mode()`, or after `torch.set_default_dtype(torch.float64)` or
    `torch.set_default_device`, gives the same number as without them. What was set comes back.

    Arguments:
        on_cpu: without it new tensors are on the default device, on which a user may build modules.

    Example:
        >>> with torch.inference_mode(), plain_torch():
        ...     (2 * torch.ones(1, requires_grad=True)).requires_grad
        True
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(_single_precision())
        # The mode of a device costs time at every call of torch: it is entered only where there is another one.
        if on_cpu and torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield


@contextmanager
def _single_precision() -> Iterator[None]:
    """Inside, the default dtype is float32. It is one of the whole process: the first thread that enters sets it, and
    the last one that leaves sets what was before."""
    global _inside, _before  # noqa: PLW0603
    with _LOCK:
        if not _inside:
            _before = torch.get_default_dtype()
            if _before != torch.float32:
                torch.set_default_dtype(torch.float32)
        _inside += 1
    try:
        yield
    finally:
        with _LOCK:
            _inside -= 1
            if not _inside and _before != torch.float32:
                torch.set_default_dtype(_before)


def ordinary(variable: Tensors) -> Tensors:
    """The same tensors; those of inference mode, which no gradient can pass, as copies."""
    return map_tensors(lambda part: part.clone() if part.is_inference() else part, variable)


def ordinary_module(module: nn.Module) -> None:
    """Replace the parameters and buffers of a module that was built in inference mode, and cannot be trained."""
    made: dict[int, nn.Parameter] = {}  # a parameter that two parts share stays one
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None and parameter.is_inference():
                copied = nn.Parameter(parameter.data.clone(), parameter.requires_grad)
                part._parameters[name] = made.setdefault(id(parameter), copied)
        for name, buffer in part._buffers.items():
            if buffer is not None and buffer.is_inference():
                part._buffers[name] = buffer.clone()
