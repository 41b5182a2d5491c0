"""What ranks of a distributed job have to agree on; does nothing where no job is running."""

from __future__ import annotations

from collections.abc import Iterable

import torch.distributed as dist
from torch import Tensor

__all__ = ["average", "average_gradients"]


def average(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by its mean over the ranks, in place."""
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        for tensor in tensors:
            dist.all_reduce(tensor)
            tensor.div_(dist.get_world_size())


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace each gradient by its mean over the ranks, in place."""
    average(parameter.grad for parameter in parameters if parameter.grad is not None)
