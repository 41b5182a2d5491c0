r"""Scores of all pairs of a large batch in blocks of rows, with the exact gradient and the memory of one block.

A bound needs a few statistics of every row (`Bound.reduce`), and these depend on the scores of that row's pairs only.
So a block of rows is scored, reduced and discarded, and the backward pass scores it again: N rows cost one more scoring
of their N^2 pairs, and the memory of one block. The statistics of all blocks are concatenated, and a bound is evaluated
on them as on those of a small batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from mibounds._distributed import all_gather, rank, ranks
from mibounds._math import off_diagonal
from mibounds._variables import Tensors, flat, like, map_tensors, row_count, shape_of, take_rows
from mibounds.critics.critic import Critic, one_per_pair
from mibounds.critics.recompute import recomputed, repeatable, trained

__all__ = ["FEW_PAIRS", "rows_in_blocks"]

FEW_PAIRS = 1 << 18  # pairs that are scored at once, whatever the critic: 512 rows with all others

_BYTES = 1 << 26  # memory of a block
_SCRATCH = 16  # bytes a pair for scoring and reducing, beside the tensors saved for the backward pass
_ROWS = 8_192  # rows whose encodings keep their graph; more rows are encoded again, which saves memory and costs little

Rows = tuple[Tensor, ...]
Keep = Literal["y", "x"]


def rows_in_blocks(
    critic: Critic,
    x: Tensors,
    y: Tensors,
    reduce: Callable[[Tensor, Tensor], Rows],
    partners: Tensor | None = None,
    keeps: Sequence[Keep] = ("y",),
    shared: bool = False,
) -> Iterator[Rows]:
    """Per-sample statistics of a bound where all scores do not fit in memory, or the batch is distributed over ranks.

    Arguments:
        critic: scores the pairs.
        x: (N, ...) rows.
        y: (N, ...) rows, paired with x.
        reduce: joint (B,), product (B, K) -> a tuple of (B,), row by row; `bound.reduce`.
        partners: (N, K) indices of the rows in mismatched pairs, never the row itself; None takes all others.
        keeps: "y" replaces x in mismatched pairs, "x" replaces y; one result for each.
        shared: x and y are this rank's slice of a distributed batch, N rows of ranks x N in the order of ranks, and
            `partners` index the whole batch. Each rank scores its rows against the encodings of all ranks.

    Yields:
        For each of `keeps`, the statistics of all rows of the batch: a tuple of (N,), with an exact gradient (and no
        second one).

    Example:
        >>> from mibounds.critics import FunctionCritic
        >>> critic = FunctionCritic(lambda x, y: (x - y).sum(-1))
        >>> x = torch.tensor([[0.0], [1.0]])
        >>> next(rows_in_blocks(critic, x, 2 * x, lambda joint, product: (joint, product.mean(-1))))
        (tensor([ 0., -1.]), tensor([ 1., -2.]))
    """
    hx, hy = _encoded(critic, critic.encode_x, x), _encoded(critic, critic.encode_y, y)
    encodings = {"y": (hy, hx), "x": (hx, hy)}
    if not shared:
        for keep in keeps:
            yield _in_blocks(critic, reduce, *encodings[keep], partners, keep, 0)
        return
    gathered = _gathered([encodings[keep][1] for keep in keeps])
    local: list[Rows] = []
    for keep, others in zip(keeps, gathered, strict=True):
        fixed = encodings[keep][0]
        n = row_count(fixed)
        few = n * (n * ranks() if partners is None else partners.shape[1]) <= FEW_PAIRS
        local.append(_in_blocks(critic, reduce, fixed, others, partners, keep, rank() * n, few))
    yield from _gathered(local)


def _gathered(variables: list[Any]) -> list[Any]:
    """The rows of all ranks of several variables, in one message: faster than one for each, with the same result."""
    tensors = flat(tuple(variables))
    if len({tensor.dtype for tensor in tensors}) > 1:
        return [map_tensors(all_gather, variable) for variable in variables]
    n = len(tensors[0])
    whole = all_gather(torch.cat([tensor.reshape(n, -1) for tensor in tensors], 1))
    parts = torch.split(whole, [tensor[0].numel() for tensor in tensors], 1)
    rows = [part.reshape(-1, *tensor.shape[1:]) for part, tensor in zip(parts, tensors, strict=True)]
    return list(like(tuple(variables), rows))


def _encoded(critic: Critic, encode: Callable[[Any], Any], side: Tensors) -> Any:
    """Encodings; those of many rows are computed again in the backward pass, one variable at a time."""
    if row_count(side) <= _ROWS or not torch.is_grad_enabled():
        return encode(side)
    shape, tensors = shape_of(side), flat(side)
    once_more = repeatable(critic, tensors[0].device, lambda *tensors: encode(like(shape, tensors)))
    leaves = [_leaf(tensor) for tensor in tensors]
    encoded = once_more(*leaves)
    results = flat(encoded)
    parameters = trained(results, leaves)
    pieces = [lambda *tensors: tuple(flat(once_more(*tensors)))]
    return like(encoded, recomputed([result.detach() for result in results], pieces, tensors, parameters))


def _in_blocks(
    critic: Critic,
    reduce: Callable[[Tensor, Tensor], Rows],
    fixed: Any,
    others: Any,
    partners: Tensor | None,
    keep: Keep,
    first: int,
    at_once: bool = False,
) -> Rows:
    """Per-sample statistics from encodings; the first fixed row has index `first` among the others."""
    n = row_count(fixed)
    shape, tensors = shape_of((fixed, others)), flat((fixed, others))

    def block(start: int, stop: int, *tensors: Tensor) -> Rows:
        fixed, others = like(shape, tensors)
        chosen = None if partners is None else partners[start:stop]
        return reduce(*_scores(critic, take_rows(fixed, slice(start, stop)), others, chosen, first + start, keep))

    if at_once:
        return block(0, n, *tensors)
    # The memory of one more row for the backward pass is measured: it depends on the critic.
    leaves = [_leaf(tensor) for tensor in tensors]
    with torch.enable_grad():
        (few, _), (more, rows) = (_saved_bytes(partial(block, 0, size, *leaves)) for size in (1, 2))
    pairs = row_count(others) if partners is None else partners.shape[1]
    width = max(1, _BYTES // (more - few + _SCRATCH * pairs))
    if width >= n:
        return block(0, n, *tensors)
    parameters = trained(rows, leaves)
    starts = range(0, n, width)
    pieces = [repeatable(critic, tensors[0].device, partial(block, start, start + width)) for start in starts]
    results = [row.new_empty(n) for row in rows]
    with torch.no_grad():
        for start, piece in zip(starts, pieces, strict=True):
            for whole, part in zip(results, piece(*tensors), strict=True):
                whole[start : start + width] = part
    return recomputed(results, pieces, tensors, parameters)


def _scores(
    critic: Critic, fixed: Any, others: Any, partners: Tensor | None, start: int, keep: Keep
) -> tuple[Tensor, Tensor]:
    """Scores of a block of fixed rows, the first with index `start` among the others: joint (B,), product (B, K)."""

    def combine(fixed: Any, others: Any) -> Tensor:
        return critic.combine(others, fixed) if keep == "y" else critic.combine(fixed, others)

    size = row_count(fixed)
    column = map_tensors(lambda part: part.unsqueeze(-2), fixed)
    if partners is not None:
        chosen = map_tensors(lambda part: part[partners], others)
        joint = combine(fixed, take_rows(others, slice(start, start + size)))
        return one_per_pair(joint, 1), combine(column, chosen)
    # Matched pairs are the diagonal of the square in the middle.
    sizes = [start, size, row_count(others) - start - size]
    scores = [
        combine(column, map_tensors(lambda part: part.unsqueeze(-3), piece)) if rows else None
        for rows, piece in zip(sizes, _split_rows(others, sizes), strict=True)  # a flow takes no piece of 0 rows
    ]
    square = scores[1]
    assert square is not None
    scores[1] = off_diagonal(one_per_pair(square, 2))
    return square.diagonal(), torch.cat([score for score in scores if score is not None], -1)


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_(tensor.is_floating_point())


def _saved_bytes(function: Callable[[], Rows]) -> tuple[int, Rows]:
    """Bytes of the tensors that a function saves for its backward pass, and its result."""
    saved: dict[int, int] = {}

    def save(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(save, lambda tensor: tensor):
        result = function()
    return sum(saved.values()), result


def _split_rows(variable: Any, sizes: list[int]) -> list[Any]:
    """A variable in pieces of these numbers of consecutive rows; one operation, so the backward pass pads nothing."""
    if isinstance(variable, Tensor):
        return list(torch.split(variable, sizes))
    return list(zip(*(_split_rows(part, sizes) for part in variable), strict=True))
