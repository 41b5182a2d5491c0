r"""The interface of critics, and the scores of matched and mismatched pairs.

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

__all__ = ["Critic", "FunctionCritic", "Scores", "inner_product", "score", "shifts"]


class Critic(nn.Module, ABC):
    """A function that scores pairs. A subclass defines `combine`, and encoders for what depends on one variable only.

    Encodings are tensors (or tuples of tensors) with rows in the second-last dimension, (..., N, E), so that `combine`
    can broadcast (N, 1, E) against (1, M, E). Only encoders depend on the form of a variable, and all other code treats
    encodings as opaque.

    Attributes:
        is_conditional_density: True if the score is log q(y|x), fitted by maximum likelihood.
        network_per_pair: True if `combine` runs a network on every pair, so that few negatives are much cheaper.
        standardizes: True if a training loop should standardize its inputs (`Standardized`), because it is a network of
            columns. False for a function of the inputs in their own units: a known density, a cosine.
        continuous_y: False if y are labels, which have no units.
    """

    is_conditional_density: bool = False
    network_per_pair: bool = False
    standardizes: bool = False
    continuous_y: bool = True

    def prepare(self, x: Any, y: Any) -> None:
        """Fit closed-form parts to a fold's training rows, once, before the first step. By default there are none."""

    def observe(self, x: Any, y: Any, update: int = 1) -> None:
        """Move closed-form parts towards their fit to the batch of this update of a training loop, the first being 1.
        By default there are none."""

    def keep_columns(self, kept: Tensor) -> None:
        """Leave the columns of y where this is 0 out of a density, because they are constant. A critic that is no
        density of the columns themselves ignores it."""

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
        return one_per_pair(self.combine(self.encode_x(x), self.encode_y(y)), 1)

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
    """Indices of mismatched partners by distinct cyclic shifts: (n, negatives), each column a derangement, no index
    twice in a line.

    A random permutation leaves one pair in n matched on average, which limits an estimate to about ln n; a shift leaves
    none.

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
        pool: (M, ...) the rows that replace x (y with `keep="x"`) in mismatched pairs; x itself by default. It must not
            contain the partners of the rows, because all its rows count as mismatched.
        keep: "y" replaces x in mismatched pairs; "x" is the mirror.

    Returns:
        joint (N,): f(x_i, y_i). product (N, K): f(pool_j, y_i) with j = partners[i, k].

    Example:
        >>> difference = FunctionCritic(lambda x, y: (x - y).sum(-1))
        >>> scores = score(difference, torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [2.0]]))
        >>> scores.joint, scores.product
        (tensor([ 0., -1.]), tensor([[ 1.],
                [-2.]]))
    """
    hx, hy = critic.encode_x(x), critic.encode_y(y)
    kept, others = (hy, hx) if keep == "y" else (hx, hy)
    if critic.network_per_pair and pool is None and partners is not None:  # one call of the network for all pairs
        own = torch.arange(len(partners), device=partners.device).unsqueeze(1)
        scores = _chosen_pairs(critic, kept, others, torch.cat([own, partners], 1), keep)
        return Scores(scores[:, 0], scores[:, 1:], partners)
    joint = one_per_pair(critic.combine(hx, hy), 1)
    if pool is not None:
        others = critic.encode_x(pool) if keep == "y" else critic.encode_y(pool)
    # Of most of the pairs, a matrix product of all of them is quicker.
    if partners is not None and (critic.network_per_pair or 4 * partners.shape[1] < row_count(others)):
        return Scores(joint, _chosen_pairs(critic, kept, others, partners, keep), partners)
    grid = encoded_grid(critic, others, kept).mT if keep == "y" else encoded_grid(critic, kept, others)
    if partners is not None:
        return Scores(joint, grid.gather(1, partners.to(grid.device)), partners)
    return Scores(joint, off_diagonal(grid) if pool is None else grid, None)


def _chosen_pairs(critic: Critic, kept: Any, others: Any, index: Tensor, keep: Literal["y", "x"]) -> Tensor:
    """Scores of every row with the other rows of these indices: (N, K)."""

    # The backward pass of index_select adds rows, which is quicker than that of part[index].
    def rows(part: Tensor) -> Tensor:
        picked = part.index_select(0, index.flatten().to(part.device))
        return picked.reshape(*index.shape, *part.shape[1:])

    chosen = map_tensors(rows, others)
    column = map_tensors(lambda part: part.unsqueeze(-2), kept)
    return one_per_pair(critic.combine(chosen, column) if keep == "y" else critic.combine(column, chosen), 2)


def inner_product(hx: Tensor, hy: Tensor) -> Tensor:
    """Inner products of encodings that broadcast: (..., E), (..., E) -> (...).

    Of all pairs it is a matrix product, many times quicker and smaller than `(hx * hy).sum(-1)`: use it in `combine`.

    Arguments:
        hx: (..., E).
        hy: (..., E), broadcasts against hx.

    Example:
        >>> inner_product(torch.ones(4, 1, 3), torch.ones(1, 5, 3)).shape
        torch.Size([4, 5])
    """
    with full_precision(hx):
        hx, hy = single_precision(hx), single_precision(hy)
        if hx.dim() >= 2 and hy.dim() >= 3 and hx.shape[-2] == 1 and hy.shape[-3] == 1 and hx.dim() == hy.dim():
            return hx.squeeze(-2) @ hy.squeeze(-3).mT  # all pairs: einsum takes longer to see it
        return torch.einsum("...e,...e->...", hx, hy)


def one_per_pair(scores: Tensor, dims: int) -> Tensor:
    """The scores of a critic, one number for each pair: (N,) with one dimension, (N, M) with two.

    Raises:
        ValueError: if there are more or fewer dimensions.

    Example:
        >>> one_per_pair(torch.zeros(4), 1).shape
        torch.Size([4])
    """
    if scores.dim() != dims:
        raise ValueError(
            f"The critic returns scores of shape {tuple(scores.shape)}: expected one number for each pair, "
            f"{'(N,)' if dims == 1 else '(N, M)'}. After a layer with one unit write squeeze(-1), and sum over columns "
            "by sum(-1)."
        )
    return scores


def encoded_grid(critic: Critic, hx: Any, hy: Any) -> Tensor:
    """Scores of all pairs of encodings: (N, E), (M, E) -> (N, M).

    Raises:
        ValueError: unless there is one for each pair.
    """
    rows, columns = map_tensors(lambda part: part.unsqueeze(-2), hx), map_tensors(lambda part: part.unsqueeze(-3), hy)
    return one_per_pair(critic.combine(rows, columns), 2)


def pairwise_chunks(critic: Critic, x: Tensors, y: Tensors, pairs: int = 1 << 17) -> Tensor:
    """`critic.pairwise` without gradients, about `pairs` pairs at a time: the hidden layers of a joint critic on all
    pairs would need too much memory."""
    with torch.no_grad():
        hx, hy = critic.encode_x(x), critic.encode_y(y)
        width = max(1, pairs // row_count(hy))
        grid: Tensor | None = None
        for start in range(0, row_count(hx), width):
            lines = slice(start, start + width)
            scores = encoded_grid(critic, take_rows(hx, lines), hy)
            # Filled in place: concatenating would hold the chunks and their concatenation in memory at once.
            grid = grid if grid is not None else scores.new_empty(row_count(hx), row_count(hy))
            grid[lines] = scores
        return grid if grid is not None else torch.empty(0, row_count(hy))


def pairwise_shared(critic: Critic, x: Tensors, y: Tensors) -> Tensor:
    """`pairwise_chunks` distributed over the ranks of a job: each scores a slice of the rows of x and gets the scores
    of all."""
    if ranks() == 1 or row_count(x) < ranks():
        return pairwise_chunks(critic, x, y)
    local = pairwise_chunks(critic, take_rows(x, rank_slice(row_count(x))), y)
    return torch.cat(all_gather_objects(local.cpu())).to(local.device)
