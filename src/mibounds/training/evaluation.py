"""Evaluation: the test samples of all folds, scored once, reduced to what every bound needs, and pooled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor

from mibounds._distributed import all_gather_objects, rank, rank_slice, ranks
from mibounds._variables import Tensors, flat, map_tensors, row_count, take_rows
from mibounds.bounds import Bound, PlugIn
from mibounds.bounds.bound import Normalizer
from mibounds.critics import Critic, score, shifts
from mibounds.critics.critic import pairwise_chunks
from mibounds.inference import BoundEvaluation, evaluate_grid, pool_bounds
from mibounds.training.fit import Fitted
from mibounds.training.workers import trim_memory
from mibounds.warnings import MIWarning

__all__ = ["CLASSIFIER", "Evaluation", "FoldEvaluation", "evaluate_fold"]

# All pairs inside blocks of test rows are read, so the cost of reading grows with N and not with its square.
_BLOCK = 4096
CLASSIFIER = "Classifier"
_FEWEST_SHIFTS = 64
_TRUSTED_WITH_SHIFTS = 5.0


@dataclass(frozen=True)
class FoldEvaluation:
    """The test samples of a fold: per-sample statistics of every bound in each direction, the number of mismatched
    pairs per sample, and the scores of matched pairs."""

    by_bound: list[tuple[tuple[Tensor, ...], ...]]
    negatives: int
    scores: Tensor

    def to(self, device: torch.device) -> FoldEvaluation:
        """The same on another device."""
        by_bound: list[Any] = [map_tensors(lambda part: part.to(device), rows) for rows in self.by_bound]
        return FoldEvaluation(by_bound, self.negatives, self.scores.to(device))


def evaluate_fold(
    critic: Critic,
    x: Tensors,
    y: Tensors,
    bounds: Sequence[Bound],
    *,
    test: Tensor | None = None,
    both: bool,
    negatives: int | str,
    seed: int,
) -> FoldEvaluation:
    """Score the test samples of a fold and reduce the scores to what each bound needs.

    Arguments:
        critic: normalized, and trained on none of the test rows.
        x: (N, ...) rows.
        y: (N, ...) rows.
        bounds: those that are evaluated.
        test: which of them are the test rows; all by default.
        both: evaluate both directions; one, in which samples keep their y, if the critic is normalized in that one
            only, or if negatives is a number: whatever a fold finds, all folds evaluate the same directions.
        negatives: "all" pairs of a block, or a number of shifts. Shifts are used only if they are at least 64, or
            all there are, and every estimate stays below 5 nats: the log of the mean of e^f is too noisy otherwise.
        seed: draws the shifts.
    """
    test = torch.arange(row_count(x)) if test is None else test
    n = len(test)
    if isinstance(negatives, int) and (negatives >= _FEWEST_SHIFTS or negatives >= n - 1):
        count = min(negatives, n - 1)
        partners = shifts(n, count, torch.Generator().manual_seed(seed))
        own = rank_slice(n)
        with torch.no_grad():
            every = take_rows(x, test) if ranks() > 1 else None
            scores = score(critic, take_rows(x, test[own]), take_rows(y, test[own]), partners[own], every)
        mine = [(bound.reduce(scores.joint, scores.product),) for bound in bounds]
        rows, joint = _gather_blocks([(rank(), mine, scores.joint)], scores.joint.device)
        if all(float(bound.value(*own)) < _TRUSTED_WITH_SHIFTS for bound, (own,) in zip(bounds, rows, strict=True)):
            return FoldEvaluation(rows, count, joint)
    blocks = math.ceil(n / _BLOCK)
    edges = [round(i * n / blocks) for i in range(blocks + 1)]
    done: list[_Block] = []
    for number in range(rank(), blocks, ranks()):
        trim_memory()
        kept = test[edges[number] : edges[number + 1]]
        grid = pairwise_chunks(critic, take_rows(x, kept), take_rows(y, kept))
        # A view of the diagonal would keep all pairs in memory.
        done.append((number, evaluate_grid(grid, bounds, both and negatives == "all"), grid.diagonal().clone()))
    smallest = min(stop - start for start, stop in pairwise(edges))
    by_bound, joint = _gather_blocks(done, flat(x)[0].device)
    return FoldEvaluation(by_bound, smallest - 1, joint)


_Block = tuple[int, list[Any], Tensor]
"""A block of test rows: its number, what every bound needs of its rows in each direction, and their own scores."""


def _gather_blocks(blocks: list[_Block], device: torch.device) -> tuple[list[Any], Tensor]:
    """Of the blocks that all ranks of a job have read, in order, what every bound needs and the rows' own scores."""
    if ranks() > 1:
        every = [
            block
            for part in all_gather_objects([_to(torch.device("cpu"), *block) for block in blocks])
            for block in part
        ]
        blocks = [_to(device, *block) for block in sorted(every, key=lambda block: block[0])]
    _, rows, joint = zip(*blocks, strict=True)
    return pool_bounds(rows), torch.cat(joint)


def _to(device: torch.device, number: int, rows: Any, joint: Tensor) -> _Block:
    there: list[Any] = [map_tensors(lambda part: part.to(device), one) for one in rows]
    return number, there, joint.to(device)


@dataclass(frozen=True)
class Evaluation:
    """What all bounds need of the pooled test samples, and what the folds learned: data, of which `policy` makes a
    result.

    Attributes:
        by_bound: an evaluation for each bound, by name.
        fitted: the folds.
        tested: (N,) the indices of the test samples, in the order of the statistics.
        scores: (N,) their scores by the critic that did not train on them.
        train_n: the fewest training samples of a fold.
        train_test_gap: by how many nats critics score their training samples better, and what calibration gained.
        learning_gain: by how many nats the estimate rose when the training samples were doubled.
        warnings: of the training.
    """

    by_bound: Mapping[str, BoundEvaluation]
    fitted: tuple[Fitted, ...]
    tested: Tensor
    scores: Tensor
    train_n: int = 0
    train_test_gap: float = 0.0
    learning_gain: float = 0.0
    warnings: tuple[MIWarning, ...] = ()

    @classmethod
    def pooled(
        cls,
        bounds: Mapping[str, Bound],
        folds: Sequence[FoldEvaluation],
        fitted: Sequence[Fitted],
        *,
        train_test_gap: float = 0.0,
        learning_gain: float = 0.0,
        clusters: Tensor | None = None,
        warnings: Sequence[MIWarning] = (),
    ) -> Evaluation:
        """Concatenate the folds.

        Arguments:
            bounds: by name.
            folds: the test samples of each.
            fitted: what each learned.
            train_test_gap: mean over folds.
            learning_gain: mean over the folds where it was measured.
            clusters: (N,) which samples of all are dependent on each other, None if they are independent.
            warnings: of the training.
        """
        sizes = [len(fold.scores) for fold in folds]
        member = torch.repeat_interleave(torch.arange(len(folds)), torch.tensor(sizes))
        negatives = min(fold.negatives for fold in folds)
        tested = torch.cat([one.fold.test for one in fitted])
        cluster = None if clusters is None else clusters[tested].to(member.device)
        statistics = pool_bounds([fold.by_bound for fold in folds])
        return cls(
            {
                name: BoundEvaluation(bound, directions, member, bound.ceiling(negatives), cluster)
                for (name, bound), directions in zip(bounds.items(), statistics, strict=True)
            },
            tuple(fitted),
            tested,
            torch.cat([fold.scores for fold in folds]).cpu(),
            min(len(one.fold.train) for one in fitted),
            train_test_gap,
            learning_gain,
            tuple(warnings),
        )

    @property
    def n(self) -> int:
        """The number of test samples."""
        return len(self.tested)

    def find(self, normalizer: Normalizer, side: str) -> BoundEvaluation | None:
        """The first bound of that normalizer and side; the standard bounds come before the estimator's own."""
        for one in self.by_bound.values():
            if (one.bound.normalizer, one.bound.side) == (normalizer, side):
                return one
        return None

    def required(self, normalizer: Normalizer, side: str) -> BoundEvaluation:
        """The same, where one of the standard bounds is such a bound."""
        found = self.find(normalizer, side)
        assert found is not None, f"no bound with normalizer {normalizer!r} was evaluated"
        return found

    def pointwise(self, given: int | None = None, kept: Tensor | None = None) -> Tensor:
        """The score of every sample in the order given, nan where it was dropped or not tested."""
        if given is None:
            return self.scores[self.tested.argsort()]
        rows = self.tested if kept is None else kept[self.tested]
        return self.scores.new_full((given,), math.nan).index_copy(0, rows, self.scores)

    def with_classifier(self, x: Tensors, y: Tensors, label: Literal["x", "y"]) -> Evaluation:
        r"""The same with the critics evaluated as classifiers of a label, too.

        .. math:: H(p) + \frac1N \sum_i \log q(c_i | o_i), \qquad q(c|o) \propto p_c \, e^{f(c,o)}

        with the frequencies p of all samples: their entropy less the held-out cross-entropy, which is the lower bound
        of Barber and Agakov and never above the entropy.

        Arguments:
            x: (N, ...) all samples.
            y: (N, ...) all samples.
            label: which of the two is the label, a tensor (N, D) of which equal rows are one class.
        """
        labels, others = (x, y) if label == "x" else (y, x)
        assert isinstance(labels, Tensor)
        classes, place, counts = torch.unique(labels, dim=0, return_inverse=True, return_counts=True)
        log_frequency = (counts / counts.sum()).log()
        rows = []
        for fitted in self.fitted:
            test = fitted.fold.test
            scores = _class_scores(fitted, classes, take_rows(others, test), label)
            log_q = torch.log_softmax(scores + log_frequency, 1)
            rows.append((log_q - log_frequency).gather(1, place[test][:, None]).squeeze(1))
        any_bound = next(iter(self.by_bound.values()))
        found = replace(any_bound, bound=PlugIn(), directions=((torch.cat(rows),),), ceiling=math.inf)
        return replace(self, by_bound={**self.by_bound, CLASSIFIER: found})


def _class_scores(fitted: Fitted, classes: Tensor, others: Tensors, label: Literal["x", "y"]) -> Tensor:
    """The scores of every other value with every class, (N, C)."""
    sides = (classes, others) if label == "x" else (others, classes)
    first, second = (map_tensors(lambda part: part.to(fitted.device), side) for side in sides)
    grid = pairwise_chunks(fitted.critic, first, second).cpu()
    return grid.mT if label == "x" else grid
