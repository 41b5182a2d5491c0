"""Reading a fold's test rows with its critic, and pooling what the folds read."""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor

from mibounds._distributed import all_gather_objects, rank, rank_slice, ranks
from mibounds._math import infonce_loss
from mibounds._variables import Tensors, flat, map_tensors, row_count, take_rows
from mibounds._version import versions
from mibounds.bounds import Bound, PlugIn
from mibounds.critics import Critic, score, shifts
from mibounds.critics.critic import pairwise_chunks, pairwise_shared
from mibounds.data import Schema
from mibounds.inference import Reading, nwj_stderr, pool_bounds, read_grid
from mibounds.results.result import Result
from mibounds.training.fit import Fitted
from mibounds.training.fitted_folds import FittedFolds
from mibounds.training.workers import trim_memory
from mibounds.warnings import MIWarning, NonFiniteStepWarning

__all__ = ["CLASSIFIER", "FoldRows", "Readings", "read_fold", "shortfall"]

# All pairs inside blocks of test rows are read, so the cost of reading grows with N and not with its square.
_BLOCK = 4096
CLASSIFIER = "Classifier"
_NEIGHBORS = ("KSG", "MixedKSG")
_NEAR_CEILING = 2.5  # nats
_FEWEST_SHIFTS = 64
_TRUSTED_WITH_SHIFTS = 5.0


@dataclass(frozen=True)
class FoldRows:
    """What every bound needs of a fold's test rows, in each direction, how many mismatched pairs each row had, and
    the rows' own scores."""

    by_bound: list[tuple[tuple[Tensor, ...], ...]]
    negatives: int
    joint: Tensor

    def to(self, device: torch.device) -> FoldRows:
        """The same on another device."""
        by_bound: list[Any] = [map_tensors(lambda part: part.to(device), rows) for rows in self.by_bound]
        return FoldRows(by_bound, self.negatives, self.joint.to(device))


def read_fold(
    critic: Critic,
    x: Tensors,
    y: Tensors,
    bounds: Sequence[Bound],
    *,
    test: Tensor | None = None,
    both: bool,
    negatives: int | str,
    seed: int,
) -> FoldRows:
    """Score the test rows of a fold and reduce the scores to the rows of each bound.

    Arguments:
        critic: normalized, and trained on none of the test rows.
        x: (N, ...) rows.
        y: (N, ...) rows.
        bounds: those that read the scores.
        test: which of them are the test rows; all by default.
        both: read both directions; one, in which rows keep their y, if the critic is normalized in that one only.
        negatives: "all" pairs of a block, or a number of shifts. Shifts are used only if they are at least 64, or
            all there are, and every reading stays below 5 nats: the logarithm of the partition is too noisy otherwise.
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
        rows, joint = _together([(rank(), mine, scores.joint)], scores.joint.device)
        if all(float(bound.value(*own)) < _TRUSTED_WITH_SHIFTS for bound, (own,) in zip(bounds, rows, strict=True)):
            return FoldRows(rows, count, joint)
    blocks = math.ceil(n / _BLOCK)
    edges = [round(i * n / blocks) for i in range(blocks + 1)]
    read: list[_Block] = []
    for number in range(rank(), blocks, ranks()):
        trim_memory()
        kept = test[edges[number] : edges[number + 1]]
        grid = pairwise_chunks(critic, take_rows(x, kept), take_rows(y, kept))
        # A view of the diagonal would keep all pairs in memory.
        read.append((number, read_grid(grid, bounds, both), grid.diagonal().clone()))
    smallest = min(stop - start for start, stop in pairwise(edges))
    by_bound, joint = _together(read, flat(x)[0].device)
    return FoldRows(by_bound, smallest - 1, joint)


_Block = tuple[int, list[Any], Tensor]
"""A block of test rows: its number, what every bound needs of its rows in each direction, and their own scores."""


def _together(blocks: list[_Block], device: torch.device) -> tuple[list[Any], Tensor]:
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


def shortfall(fitted: Fitted, x: Tensors, y: Tensors) -> float:
    """How many nats a fold's critic may be short of the information, as far as the rows tell.

    Two signs are added. By how much it scores rows that trained it better than as many that test it: a flexible critic
    reads the information or more on its own rows. And what calibration gained: where the critic's scores had
    to be bent, about as much may still be missing. Near InfoNCE's ceiling the plug-in takes its place.
    """
    fold = fitted.fold
    count = min(len(fold.train), len(fold.test), _BLOCK // 2)
    certain, plain = [], []
    for rows in (fold.train[:count], fold.test[:count]):
        grid = pairwise_shared(fitted.critic, take_rows(x, rows), take_rows(y, rows))
        certain.append(-float(infonce_loss(grid)))
        plain.append(float(grid.diagonal().mean()))
    saturated = certain[1] > math.log(count) - _NEAR_CEILING
    train, test = plain if saturated else certain
    return train - test + fitted.gain


class Readings:
    """What all bounds read on the pooled test rows, by name, what each fold learnt, from how many rows at least, by
    how many nats the critics may fall short, the cluster of every row where rows are not independent, and of what the
    training has warned already."""

    def __init__(
        self,
        bounds: Mapping[str, Bound],
        folds: Sequence[FoldRows],
        fitted: Sequence[Fitted],
        train_rows: int = 0,
        shortfall: float = 0.0,
        clusters: Tensor | None = None,
        told: Sequence[MIWarning] = (),
    ):
        sizes = [len(fold.by_bound[0][0][0]) for fold in folds]
        member = torch.repeat_interleave(torch.arange(len(folds)), torch.tensor(sizes))
        negatives = min(fold.negatives for fold in folds)
        self.tested = torch.cat([one.fold.test for one in fitted])
        if clusters is not None:
            clusters = clusters[self.tested].to(member.device)
        self.by_name = {
            name: Reading(bound, rows, member, bound.ceiling(negatives), clusters)
            for (name, bound), rows in zip(bounds.items(), pool_bounds([fold.by_bound for fold in folds]), strict=True)
        }
        self.fitted, self.rows, self.train_rows = tuple(fitted), sum(sizes), train_rows
        self.shortfall, self.told = shortfall, tuple(told)
        self.joint = torch.cat([fold.joint for fold in folds]).cpu()

    def result(
        self,
        reading: str,
        *,
        resolution: float = 0.0,
        cross_checks: Mapping[str, float] | None = None,
        bootstrap: int | None = None,
        most: float | None = None,
        schemas: tuple[Schema | None, Schema | None] = (None, None),
        given: int | None = None,
        kept: Tensor | None = None,
        **details: Any,
    ) -> Result:
        """The result that reports this reading.

        The interval reaches above the value as far as the plug-in, the classical estimates, and the critic on its own
        training rows do (and by what calibration gained): a critic can fall short in ways that its test rows do not
        show.

        Arguments:
            reading: the name of the bound whose value is reported.
            resolution: nats below which a dependence could not have been noticed; the interval reaches at least so
                far up.
            cross_checks: what classical estimators say, in nats by name.
            bootstrap: draws of a bootstrap that gives the standard error; without it, the jackknife and the spread of
                the folds do.
            most: nats that the information cannot exceed, the entropy of a label.
            schemas: how x and y were taken; None for a variable that the critic encodes as it is.
            given: rows that came, of which `kept` (N,) are the rows that were read; by default all tested ones.
            kept: the numbers of the rows that were not dropped.
            details: further fields of `Result`.
        """
        chosen = self.by_name[reading]
        values = {name: entry.value() for name, entry in self.by_name.items()}
        value = values[reading]
        checks = dict(cross_checks or {})
        # The gap between the reading and the information: what a bounded reading misses, what an unbounded one may
        # overstate.
        stderr = chosen.bootstrap(bootstrap, torch.Generator().manual_seed(0)) if bootstrap else chosen.stderr()
        higher = [values.get("PlugIn", value), value + resolution, value + self.shortfall]
        higher += [self._reach(name, found, value, stderr) for name, found in checks.items()]
        if reading == "PlugIn":
            higher.append(values["DonskerVaradhan"])
        above = (max(higher) if most is None else min(max(higher), most)) - value
        below = 0.0 if reading == CLASSIFIER else value - values["InfoNCE"]
        warnings = [*details.pop("warnings", ())]
        skipped = sum(fitted.skipped for fitted in self.fitted)
        if skipped:
            warnings.append(
                NonFiniteStepWarning(
                    f"{skipped} training steps had an infinite or undefined gradient and were skipped: "
                    "lower lr, or use a calmer bound such as InfoNCE."
                )
            )
        for warning in warnings if rank() == 0 else ():
            python_warnings.warn(warning, stacklevel=4)
        return Result(
            value=value,
            stderr=stderr,
            certified=self._certified(reading),
            bounds=values,
            reading=reading,
            rows=self.rows,
            most=most,
            allowance=(max(below, 0.0), max(above, 0.0)),
            cross_checks=checks,
            fold_values=chosen.fold_values(),
            curves=tuple(fitted.curve for fitted in self.fitted),
            warnings=(*self.told, *warnings),
            versions=versions(),
            columns=(schemas[0].names if schemas[0] else (), schemas[1].names if schemas[1] else ()),
            pointwise=self.pointwise(given, kept),
            fitted=FittedFolds(self.fitted, schemas),
            **details,
        )

    def pointwise(self, given: int | None = None, kept: Tensor | None = None) -> Tensor:
        """The score of every row in the order given, nan where it was dropped or not tested."""
        if given is None:
            return self.joint[self.tested.argsort()]
        rows = self.tested if kept is None else kept[self.tested]
        return self.joint.new_full((given,), math.nan).index_copy(0, rows, self.joint)

    def classify(self, x: Tensors, y: Tensors, label: Literal["x", "y"]) -> None:
        r"""Read the critics as classifiers of a label, beside the bounds.

        .. math:: H(p) + \frac1N \sum_i \log q(c_i | o_i), \qquad q(c|o) \propto p_c \, e^{f(c,o)}

        with the frequencies p of all rows: their entropy less the cross-entropy on unseen rows, which is the lower
        bound of Barber and Agakov and never above the entropy.

        Arguments:
            x: (N, ...) all rows.
            y: (N, ...) all rows.
            label: which of the two is the label, a tensor (N, D) of which equal rows are one class.
        """
        labels, others = (x, y) if label == "x" else (y, x)
        assert isinstance(labels, Tensor)
        classes, place, counts = torch.unique(labels, dim=0, return_inverse=True, return_counts=True)
        log_share = (counts / counts.sum()).log()
        rows = []
        for fitted in self.fitted:
            test = fitted.fold.test
            seen = take_rows(others, test)
            first, second = (
                map_tensors(lambda part: part.to(fitted.device), side)  # noqa: B023  (called at once)
                for side in ((classes, seen) if label == "x" else (seen, classes))
            )
            grid = pairwise_chunks(fitted.critic, first, second).cpu()
            scores = grid.mT if label == "x" else grid
            log_q = torch.log_softmax(scores + log_share, 1)
            rows.append((log_q - log_share).gather(1, place[test][:, None]).squeeze(1))
        self.by_name[CLASSIFIER] = replace(
            self.by_name["InfoNCE"], bound=PlugIn(), directions=((torch.cat(rows),),), ceiling=math.inf
        )

    def _reach(self, name: str, found: float, value: float, stderr: float) -> float:
        """How far a cross-check lets the interval reach, before the standard errors of the value come.

        Nearest neighbors have an error of their own, about 1/sqrt(N) nats. Where they are above the value by more than
        that, the critics missed something, and the interval allows for the neighbors' error in place of the critics'.
        """
        own = 1 / math.sqrt(self.rows)
        if name in _NEIGHBORS and found - value > own:
            return found + 2 * max(own - stderr, 0.0)
        return found

    def _certified(self, reading: str) -> tuple[float, float]:
        """A reading that bounds the information from below for critics held fixed, and its standard error.

        NWJ, whose constant was fixed on validation rows, is unbiased for a lower bound. Where information is so high
        that the plug-in is reported, a few pairs dominate NWJ's partition, and InfoNCE certifies instead.
        """
        name = "InfoNCE" if reading == "PlugIn" or "NWJ" not in self.by_name else "NWJ"
        certain = self.by_name[name]
        return certain.value(), certain.stderr() if name == "InfoNCE" else nwj_stderr(
            certain.directions, certain.cluster
        )
