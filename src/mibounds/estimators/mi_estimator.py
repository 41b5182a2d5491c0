"""An estimator: a critic and a bound."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal, final

import torch
from torch import Tensor

from mibounds._distributed import all_gather, all_gather_objects, check_even_shares, rank, rank_slice, ranks
from mibounds._math import infonce_loss, logmeanexp
from mibounds._variables import Tensors, flat, row_count, take_rows
from mibounds.bounds import Bound
from mibounds.bounds.bound import Unidentified
from mibounds.critics import Critic, score, shifts
from mibounds.critics.blocks import FEW_PAIRS, rows_in_blocks
from mibounds.critics.critic import pairwise_chunks
from mibounds.estimators.estimator import Estimator

__all__ = ["MIEstimator", "validation_loss"]


@final
class MIEstimator(Estimator):
    r"""A critic and a bound, trained by a `Trainer`.

    Arguments:
        critic: scores pairs.
        bound: turns scores into nats and gives the training objective.
        negatives: mismatched pairs per row of a batch: "all" other rows, or K of them by random cyclic shifts. A joint
            critic is cheaper with few, a separable one has all for the price of one matrix product. Batches of more
            than 512 rows never hold all their scores at once: see `mibounds.critics.blocks`.
        symmetric: average over replacing x and replacing y. With `InfoNCE` only a constant is then unidentified.
        shared: in a distributed job, x and y are this rank's share of a batch, as many rows on every rank, and
            generators are in the same state. Mismatched pairs come from all ranks, every rank returns the number of the
            whole batch, and the mean over ranks of the gradients is its gradient.

    Raises:
        TypeError: if critic or bound are not what their names say.
        ValueError: if `negatives` is neither "all" nor positive, or the bound needs a density critic and the critic
            is none; from `loss` and `value` if a batch is shared out unevenly.

    Example:
        >>> import mibounds as mi
        >>> estimator = mi.MIEstimator(mi.critics.SeparableCritic(1, 1, hidden=(8,)), mi.bounds.InfoNCE())
        >>> estimator.value(torch.randn(4, 1), torch.randn(4, 1)).item()
        0.0
    """

    def __init__(
        self,
        critic: Critic,
        bound: Bound,
        *,
        negatives: int | Literal["all"] = "all",
        symmetric: bool = False,
        shared: bool = False,
    ):
        super().__init__()
        if not isinstance(critic, Critic):
            raise TypeError(
                f"critic is a {type(critic).__name__}, and must be a Critic; wrap a function in FunctionCritic."
            )
        if not isinstance(bound, Bound):
            raise TypeError(f"bound is a {type(bound).__name__}, and must be a Bound, for example mi.bounds.InfoNCE().")
        if negatives != "all" and not (isinstance(negatives, int) and negatives >= 1):
            raise ValueError(f"negatives is {negatives!r}, and must be 'all' or a number of mismatched pairs per row.")
        if bound.needs_conditional_density and not critic.is_conditional_density:
            raise ValueError(
                f"{type(bound).__name__} trains by maximum likelihood and needs a density critic log q(y|x), "
                f"which {type(critic).__name__} is not: train with another bound, and evaluate this one on its scores."
            )
        self.critic = critic
        self.bound = bound
        self.negatives = negatives
        self.half_precision = not bound.needs_conditional_density
        self.symmetric = symmetric
        self.shared = shared

    @property
    def unidentified(self) -> Unidentified:
        """What the objective cannot identify: a symmetric InfoNCE leaves only a constant."""
        return "constant" if self.symmetric and self.bound.unidentified == "function of y" else self.bound.unidentified

    def loss(self, x: Tensors, y: Tensors, generator: torch.Generator | None = None) -> Tensor:
        """The training objective of a batch, a scalar: x (N, ...), y (N, ...)."""
        if self.bound.needs_conditional_density:  # likelihood sees matched pairs only, and a flow pays for every pair
            scores: Tensor = self.critic(x, y)
            if self.shared:
                check_even_shares(len(scores), scores.device)
                scores = all_gather(scores)
            return self.bound.objective(scores)
        if self.symmetric and self._takes_a_grid(x):
            return self.bound.symmetric_objective(self.critic.pairwise(x, y))
        return _mean([self.bound.objective(*rows) for rows in self._rows(x, y, generator)])

    def loss_and_value(
        self,
        x: Tensors,
        y: Tensors,
        generator: torch.Generator | None = None,
        partners: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The training objective and, detached, the bound's value in nats of the same scores, both scalars.

        Arguments:
            x: (N, ...).
            y: (N, ...).
            generator: of the mismatched pairs.
            partners: (N, K) indices of the rows in mismatched pairs instead of random ones, of the whole batch if it is
                shared.
        """
        both = [self.bound.objective_and_value(*rows) for rows in self._rows(x, y, generator, partners)]
        losses, values = zip(*both, strict=True)
        return _mean(losses), _mean(values)

    def value(
        self,
        x: Tensors,
        y: Tensors,
        generator: torch.Generator | None = None,
        partners: Tensor | None = None,
    ) -> Tensor:
        """The bound's value in nats of a batch, a scalar; the arguments are those of `loss_and_value`."""
        return _mean([self.bound.value(*rows) for rows in self._rows(x, y, generator, partners)])

    def validation_loss(self, x: Tensors, y: Tensors) -> float:
        """The loss by which training is stopped (lower is better): see `validation_loss`, the same for
        every bound; but a density is stopped by its likelihood."""
        if self.bound.needs_conditional_density:
            with torch.no_grad():
                return float(self.bound.objective(self.critic(x, y)))
        return validation_loss(self.critic, x, y, self.unidentified, shared=self.shared)

    def _takes_a_grid(self, x: Tensors) -> bool:
        """Are all pairs needed, and so few that every one is scored once and at once?"""
        every = self.negatives == "all" and not (self.shared and ranks() > 1)
        return every and row_count(x) ** 2 <= FEW_PAIRS

    def _rows(
        self, x: Tensors, y: Tensors, generator: torch.Generator | None, partners: Tensor | None = None
    ) -> Iterator[tuple[Tensor, ...]]:
        """The statistics that the bound needs of every row, in one direction or both."""
        n, sharing = row_count(x), self.shared and ranks() > 1
        if partners is None and self.negatives != "all":
            partners = shifts(n * ranks() if sharing else n, self.negatives, generator)
        keeps: tuple[Literal["y", "x"], ...] = ("y", "x") if self.symmetric else ("y",)
        if sharing:
            check_even_shares(n, flat(x)[0].device)
            local = None if partners is None else partners[rank() * n : (rank() + 1) * n]
            yield from rows_in_blocks(self.critic, x, y, self.bound.reduce, local, keeps, shared=True)
        elif n * (n if partners is None else partners.shape[1]) > FEW_PAIRS:
            yield from rows_in_blocks(self.critic, x, y, self.bound.reduce, partners, keeps)
        elif partners is None:
            grid = self.critic.pairwise(x, y)
            yield self.bound.reduce_grid(grid.mT)
            if self.symmetric:
                yield self.bound.reduce_grid(grid)
        else:
            for keep in keeps:
                scores = score(self.critic, x, y, partners, keep=keep)
                yield self.bound.reduce(scores.joint, scores.product)


def _mean(values: Sequence[Tensor]) -> Tensor:
    """Of one value, or of those of both directions."""
    return values[0] if len(values) == 1 else (values[0] + values[1]) / 2


def validation_loss(critic: Critic, x: Tensors, y: Tensors, unidentified: str, shared: bool = False) -> float:
    """The loss by which candidates are stopped and compared, in nats (lower is better): symmetric InfoNCE over all
    pairs.

    It is minus a lower bound of the information, blind to a constant; a free function of y is removed first. With
    `shared` the ranks of a job, which all have these rows, share out the pairs.
    """
    n = row_count(x)
    if shared and 1 < ranks() <= n:
        own = rank_slice(n)
        grid = pairwise_chunks(critic, take_rows(x, own), y)
        columns = logmeanexp(torch.stack(all_gather_objects(torch.logsumexp(grid, 0).cpu())), 0) + math.log(ranks() / n)
        if unidentified == "function of y":
            grid, columns = grid - columns.to(grid.device), torch.zeros_like(columns)
        lines = [logmeanexp(grid, 1), grid.diagonal(own.start)]
        rows, joint = torch.cat(all_gather_objects(torch.stack(lines, 1).cpu())).unbind(1)
        return float(((columns + rows) / 2 - joint).mean())
    grid = pairwise_chunks(critic, x, y)
    return float(infonce_loss(grid - logmeanexp(grid, 0) if unidentified == "function of y" else grid))
