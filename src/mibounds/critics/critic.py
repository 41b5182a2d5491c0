r"""What a critic is, and how its scores are arranged.

A critic scores pairs: :math:`f(x, y)`, trained towards the log density ratio :math:`\log p(x,y)/(p(x)p(y))`. It
encodes every row once (`encode_x`, `encode_y`) and scores encodings that broadcast against each other (`combine`),
so N rows against M rows cost N + M encodings and N x M cheap combinations.

`score` arranges the scores for a bound. Row i keeps its y and mismatched pairs replace x by the x of other rows,
`partners`; the mirror, `keep="x"`, replaces y. A pair is never compared with itself: there are no masks, only index
arithmetic.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from mibounds._distributed import all_gather_objects, rank_slice, ranks
from mibounds._math import full_precision, off_diagonal, single_precision
from mibounds._variables import Tensors, map_tensors, row_count, take_rows

__all__ = ["Critic", "FunctionCritic", "Scores", "score", "shifts"]


class Critic(nn.Module, ABC):
    """A function that scores pairs. To add one, write `combine`, and the encoders where rows can be encoded alone.

    Encodings are tensors (or tuples of tensors) with rows in the second-last dimension, (..., N, E), so that `combine`
    can broadcast (N, 1, E) against (1, M, E). Only encoders look inside a variable, and only a critic knows what its
    encodings are.

    Attributes:
        density: True if the score is log q(y|x), fitted by maximum likelihood.
    """

    is_conditional_density: bool = False

    def prepare(self, x: Any, y: Any) -> None:
        """Set closed-form parts from a fold's training rows, once, before the first step. Nothing by default."""

    def encode_x(self, x: Any) -> Any:
        """Encode the rows of x: (N, D_x) -> (N, E)."""
        return x

    def encode_y(self, y: Any) -> Any:
        """Encode the rows of y: (N, D_y) -> (N, E)."""
        return y

    @abstractmethod
    def combine(self, hx: Any, hy: Any) -> Tensor:
        """Scores of encodings that broadcast against each other: (..., E), (..., E) -> (...)."""

    def forward(self, x: Tensors, y: Tensors) -> Tensor:
        """Scores of matched rows, (N,)."""
        return self.combine(self.encode_x(x), self.encode_y(y))

    def pairwise(self, x: Tensors, y: Tensors) -> Tensor:
        """Scores of all pairs, (N, M): entry [i, j] = f(x_i, y_j)."""
        return encoded_grid(self, self.encode_x(x), self.encode_y(y))


class FunctionCritic(Critic):
    """Any function of x and y as a critic; the exact log-ratio of a task, for example.

    Arguments:
        function: takes x (..., D_x) and y (..., D_y) that broadcast against each other and returns scores (...).

    Example:
        >>> product = FunctionCritic(lambda x, y: (x * y).sum(-1))
        >>> product.pairwise(torch.ones(2, 1), torch.ones(3, 1)).shape
        torch.Size([2, 3])
    """

    def __init__(self, function: Callable[..., Tensor]):
        super().__init__()
        self.function = function

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return self.function(hx, hy)


class Scores(NamedTuple):
    """Scores for a bound: `joint` (N,), `product` (N, K), and the `partners` (N, K) used (None: all other rows)."""

    joint: Tensor
    product: Tensor
    partners: Tensor | None


def shifts(n: int, negatives: int, generator: torch.Generator | None = None) -> Tensor:
    """Partners by distinct cyclic shifts: (n, negatives), each column a derangement, no row twice in a line.

    A random permutation leaves one pair in n matched on average, which caps an estimate near ln n; a shift leaves none.

    Raises:
        ValueError: if there are not 1 to n - 1 negatives.

    Example:
        >>> shifts(4, 3).sort(1).values[0]
        tensor([1, 2, 3])
    """
    if not 1 <= negatives <= n - 1:
        raise ValueError(
            f"negatives is {negatives}, and {n} rows have 1 to {n - 1} others each: "
            "ask for fewer negatives or give more rows."
        )
    offsets = torch.randperm(n - 1, generator=generator)[:negatives] + 1
    return (torch.arange(n)[:, None] + offsets) % n


def score(
    critic: Critic,
    x: Tensors,
    y: Tensors,
    partners: Tensor | None = None,
    pool: Tensors | None = None,
    keep: Literal["y", "x"] = "y",
) -> Scores:
    """Score matched pairs and, for every row, its mismatched pairs.

    Arguments:
        critic: scores the pairs.
        x: (N, ...) rows.
        y: (N, ...) rows, paired with x.
        partners: (N, K) indices into the pool, never the row itself; None takes all others.
        pool: where the partners come from; x itself by default (y with `keep="x"`). A given pool must not hold the
            rows' own
            partners: every row of it counts as mismatched.
        keep: "y" replaces x in mismatched pairs; "x" is the mirror.

    Returns:
        joint (N,): f(x_i, y_i). product (N, K): f(pool_j, y_i) with j = partners[i, k].

    Example:
        >>> exact = FunctionCritic(lambda x, y: (x - y).sum(-1))
        >>> scores = score(exact, torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [2.0]]))
        >>> scores.joint, scores.product
        (tensor([ 0., -1.]), tensor([[ 1.],
                [-2.]]))
    """
    hx, hy = critic.encode_x(x), critic.encode_y(y)
    joint = critic.combine(hx, hy)
    kept, others = (hy, hx) if keep == "y" else (hx, hy)
    if pool is not None:
        others = critic.encode_x(pool) if keep == "y" else critic.encode_y(pool)
    if partners is None:
        grid = encoded_grid(critic, others, kept).mT if keep == "y" else encoded_grid(critic, kept, others)
        return Scores(joint, off_diagonal(grid) if pool is None else grid, None)
    chosen = map_tensors(lambda part: part[partners], others)
    own = map_tensors(lambda part: part.unsqueeze(-2), kept)
    product = critic.combine(chosen, own) if keep == "y" else critic.combine(own, chosen)
    return Scores(joint, product, partners)


def inner_product(hx: Tensor, hy: Tensor) -> Tensor:
    """The inner product of encodings that broadcast; einsum makes one matrix product of (N, 1, E) and (1, M, E)."""
    with full_precision(hx):
        return torch.einsum("...e,...e->...", single_precision(hx), single_precision(hy))


def encoded_grid(critic: Critic, hx: Any, hy: Any) -> Tensor:
    return critic.combine(
        map_tensors(lambda part: part.unsqueeze(-2), hx), map_tensors(lambda part: part.unsqueeze(-3), hy)
    )


def pairwise_chunks(critic: Critic, x: Tensors, y: Tensors, pairs: int = 1 << 17) -> Tensor:
    """`critic.pairwise` without gradients, about `pairs` pairs at a time so that a joint critic's hidden layers fit
    in memory."""
    with torch.no_grad():
        hx, hy = critic.encode_x(x), critic.encode_y(y)
        width = max(1, pairs // row_count(hy))
        grid: Tensor | None = None
        for start in range(0, row_count(hx), width):
            lines = slice(start, start + width)
            scores = encoded_grid(critic, take_rows(hx, lines), hy)
            # Filled as it goes: chunks and what they are put together to would be in memory at once.
            grid = grid if grid is not None else scores.new_empty(row_count(hx), row_count(hy))
            grid[lines] = scores
        return grid if grid is not None else torch.empty(0, row_count(hy))


def pairwise_shared(critic: Critic, x: Tensors, y: Tensors) -> Tensor:
    """`pairwise_chunks` by all ranks of a job, each of which scores its share of the rows of x and has them all."""
    if ranks() == 1 or row_count(x) < ranks():
        return pairwise_chunks(critic, x, y)
    own = pairwise_chunks(critic, take_rows(x, rank_slice(row_count(x))), y)
    return torch.cat(all_gather_objects(own.cpu())).to(own.device)
