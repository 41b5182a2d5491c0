"""What ranks of a distributed job have to agree on; does nothing where no job is running.

A batch that is shared out has one loss, which every rank computes from the rows of all. Gradients of such a loss are
averaged: `gathered` hands back to a rank what all ranks together want of its rows, which is as many times the gradient
of the loss as there are ranks, and the mean over ranks is then the gradient that one process would find.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["average", "average_gradients", "check_even_shares", "gathered", "rank", "ranks"]


def ranks() -> int:
    """How many ranks the job has; 1 where none is running."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """The number of this rank, from 0."""
    return dist.get_rank() if ranks() > 1 else 0


def average(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by its mean over the ranks, in place."""
    if ranks() > 1:
        for tensor in tensors:
            dist.all_reduce(tensor)
            tensor.div_(ranks())


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace each gradient by its mean over the ranks, in place."""
    average(parameter.grad for parameter in parameters if parameter.grad is not None)


def gathered(rows: Tensor) -> Tensor:
    """The rows of all ranks in the order of ranks, with their gradients: (N, ...) -> (ranks N, ...).

    Every rank has to call it, with as many rows, and to take gradients of it if one does.
    """
    whole: Tensor = _Gathered.apply(rows) if ranks() > 1 else rows  # type: ignore[no-untyped-call]
    return whole


def check_even_shares(n: int, device: torch.device) -> None:
    """Raise a ValueError, on every rank, if ranks have different numbers of rows."""
    if ranks() > 1:
        ends = torch.tensor([n, -n], device=device)
        dist.all_reduce(ends, dist.ReduceOp.MAX)
        most, least = int(ends[0]), -int(ends[1])
        if most != least:
            raise ValueError(
                f"This rank has {n} rows of the batch, and the ranks have {least} to {most}: "
                "a batch is shared out evenly, so give each the same number."
            )


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(ranks())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone(memory_format=torch.contiguous_format)  # the engine may hold the gradient elsewhere too
        dist.all_reduce(total)
        return total.chunk(ranks())[rank()]
