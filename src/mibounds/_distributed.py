"""What ranks of a distributed job have to agree on; does nothing where no job is running.

A batch that is shared out has one loss, which every rank computes from the rows of all. Gradients of such a loss are
averaged: the backward pass of `all_gather` sums gradients over ranks, and averaging parameter gradients over ranks then
equals the gradient of a single process.

Everything here is called by all ranks, at the same place of the same program.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from mibounds.warnings import SILENT_IF

__all__ = [
    "all_gather",
    "all_gather_objects",
    "average",
    "average_gradients",
    "broadcast_object",
    "broadcast_tensors",
    "check_equal",
    "check_even_shares",
    "check_reached",
    "check_same",
    "local_ranks",
    "on_rank_zero",
    "rank",
    "rank_slice",
    "ranks",
]

T = TypeVar("T")


class _Alone:
    """The number of open `local_ranks`, in all threads: folds may be in threads of their own."""

    def __init__(self) -> None:
        self.open, self.lock = 0, threading.Lock()

    def add(self, one: int) -> None:
        with self.lock:
            self.open += one


_ALONE = _Alone()


@contextmanager
def local_ranks() -> Iterator[None]:
    """Inside, this process shares nothing with the other ranks of its job, and may do something else than they do.

    For a fit on one rank only, or another one on each, in a job that trains something else. It holds for all threads.

    Example:
        >>> with local_ranks():
        ...     ranks()
        1
    """
    _ALONE.add(1)
    try:
        yield
    finally:
        _ALONE.add(-1)


def ranks() -> int:
    """How many ranks the job has; 1 where none is running."""
    running = not _ALONE.open and dist.is_available() and dist.is_initialized()
    return dist.get_world_size() if running else 1


def rank() -> int:
    """The number of this rank, from 0."""
    return dist.get_rank() if ranks() > 1 else 0


SILENT_IF.append(lambda: rank() > 0)


def rank_slice(n: int) -> slice:
    """Which of n rows are this rank's, in the order of ranks.

    >>> rank_slice(10)
    slice(0, 10, None)
    """
    return slice(n * rank() // ranks(), n * (rank() + 1) // ranks())


def average(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by its mean over the ranks, in place."""
    if ranks() > 1:
        kinds: dict[torch.dtype, list[Tensor]] = {}
        for tensor in tensors:
            kinds.setdefault(tensor.dtype, []).append(tensor)
        for same in kinds.values():  # one message is quicker than many
            whole = torch.cat([tensor.detach().reshape(-1) for tensor in same])
            dist.all_reduce(whole)
            whole.div_(ranks())
            for tensor, mean in zip(same, torch.split(whole, [tensor.numel() for tensor in same]), strict=True):
                tensor.detach().copy_(mean.view_as(tensor))


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace each gradient by its mean over the ranks, in place."""
    average(parameter.grad for parameter in parameters if parameter.grad is not None)


def broadcast_tensors(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by that of rank 0, in place."""
    whole = [tensor.detach() for tensor in tensors if tensor.numel()]
    if ranks() > 1 and whole:
        content = [tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in whole]
        message = torch.cat(content)
        dist.broadcast(message, 0)
        for tensor, part in zip(whole, torch.split(message, [len(one) for one in content]), strict=True):
            tensor.copy_(part.clone().view(tensor.dtype).view(tensor.shape))


def broadcast_object(value: T) -> T:
    """The value that rank 0 has; tensors in it have to be on the CPU."""
    if ranks() == 1:
        return value
    held: list[Any] = [value if rank() == 0 else None]
    dist.broadcast_object_list(held, 0)
    found: T = held[0]
    return found


def on_rank_zero(make: Callable[[], T]) -> T:
    """What `make` returns on rank 0, on every rank; or the ValueError, TypeError or OSError that it raises there."""
    if ranks() == 1:
        return make()
    value: Any = None
    error: Exception | None = None
    if rank() == 0:
        try:
            value = make()
        except (ValueError, TypeError, OSError) as caught:
            error = caught
    value, error = broadcast_object((value, error))
    if error is not None:
        raise error
    found: T = value
    return found


def all_gather_objects(value: T) -> list[T]:
    """The values of all ranks in their order; tensors in them have to be on the CPU."""
    if ranks() == 1:
        return [value]
    values: list[Any] = [None] * ranks()
    dist.all_gather_object(values, value)
    return values


def all_gather(rows: Tensor) -> Tensor:
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


def check_same(described: Mapping[str, str]) -> None:
    """Raise a ValueError, on every rank, if this is not the same on all, by name."""
    first, *others = all_gather_objects(dict(described))
    for number, other in enumerate(others, 1):
        names = [name for name in {**first, **other} if first.get(name) != other.get(name)]
        if names:
            differences = ", ".join(f"{name} {other.get(name)} (rank 0: {first.get(name)})" for name in names[:4])
            raise ValueError(
                f"Rank {number} has another fit than rank 0, with {differences}: call this on every rank with all rows "
                "and the same settings, or in `with mibounds.alone():` for a fit of each rank's own."
            )


def check_equal(name: str, value: int, advice: str) -> None:
    """Raise a ValueError, on every rank, if a number is not the same on all."""
    values = all_gather_objects(value)
    for number, other in enumerate(values):
        if other != values[0]:
            raise ValueError(f"Rank {number} has {other} {name} and rank 0 has {values[0]}: {advice}.")


def check_reached(device: torch.device) -> None:
    """Raise a ValueError if ranks cannot send tensors of that device to each other."""
    if ranks() > 1 and device.type == "cpu" and dist.get_backend() == "nccl":
        raise ValueError(
            "device is 'cpu', and the ranks speak nccl, which knows GPUs only: pass device='cuda', or "
            "init_process_group('gloo')."
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
