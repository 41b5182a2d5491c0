"""Cross-fitting: candidates are trained fold by fold, side by side, and its critic reads a fold's test rows."""

from __future__ import annotations

import copy
import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress

import joblib
import torch

from mibounds._buffers import module_tensors
from mibounds._distributed import broadcast_object, broadcast_tensors, check_reached, check_same, ranks
from mibounds._variables import Tensors, map_tensors
from mibounds.bounds import Bound
from mibounds.data import Sampler
from mibounds.training.candidates import Candidate, Plan, bounds_read, on_device, read_both_ways
from mibounds.training.checkpoints import Checkpoint, FoldFile, describe_fit
from mibounds.training.evaluation import FoldRows, read_fold, shortfall
from mibounds.training.fit import Fitted, fit_fold
from mibounds.training.folds import Fold
from mibounds.training.interrupts import interrupted_warning, interruptible, reported_folds
from mibounds.training.workers import Progress, fast_arithmetic
from mibounds.warnings import MIWarning

__all__ = ["CrossFitted", "How", "cross_fit"]


@dataclass(frozen=True)
class How:
    """How folds are gone through, and where they are written down; see `Trainer` for what each means."""

    seed: int
    device: torch.device
    workers: int | None
    negatives: int | str
    progress: bool
    checkpoint: str | os.PathLike[str] | None
    resume: bool


@dataclass(frozen=True)
class CrossFitted:
    """What the folds learnt and read, as far as they came: their fits, their test rows, the mean shortfall of their
    critics, the bounds by name, and of what was warned on the way."""

    bounds: dict[str, Bound]
    rows: Sequence[FoldRows]
    fitted: Sequence[Fitted]
    shortfall: float
    told: Sequence[MIWarning]


def cross_fit(
    candidates: Sequence[Candidate],
    x: Tensors,
    y: Tensors,
    splits: Sequence[Fold],
    plan: Plan,
    how: How,
    sampler: Sampler | None = None,
) -> CrossFitted:
    """Train the candidates on every fold and read its test rows by all standard bounds and the first candidate's.

    Arguments:
        sampler: draws the batches of the one fold there then is; what it draws is never seen twice, so that nothing
            is learnt by heart.

    Raises:
        KeyboardInterrupt: if no fold made a step.
    """
    x, y = (map_tensors(lambda part: part.to(how.device), rows) for rows in (x, y))
    candidates = [dataclasses.replace(c, estimator=on_device(how.device, c.estimator)) for c in candidates]
    bounds, both = bounds_read(candidates[0].estimator), read_both_ways(candidates)
    folds = len(splits)
    check_reached(how.device)
    if ranks() > 1:  # they start from the weights of rank 0
        candidates = [dataclasses.replace(c, estimator=copy.deepcopy(c.estimator)) for c in candidates]
        broadcast_tensors(module_tensors(*(candidate.estimator for candidate in candidates)))
    settings = {"seed": how.seed, "test_negatives": how.negatives, "device": how.device.type}
    described = partial(describe_fit, candidates, x, y, splits, plan, **settings)
    if ranks() > 1:
        check_same(described())
    checkpoint = Checkpoint(how.checkpoint, how.resume, described)
    files = [checkpoint.fold(i + 1) for i in range(folds)]  # a damaged one is refused before any training
    with (
        Progress(how.progress, folds * plan.steps * len(candidates)) as progress,
        interruptible() as stop,
    ):

        def run(i: int) -> tuple[Fitted, FoldRows, float] | None:
            doing = "" if sampler is not None else f"fold {i + 1} of {folds}, "
            seed = how.seed if sampler is not None else how.seed * 1009 + i
            if stop.is_set() and not files[i].state:
                return None
            with fast_arithmetic(how.device):
                fitted = fit_fold(
                    candidates, x, y, splits[i], plan, seed,
                    lambda steps, name: progress.advance(steps, f"{doing}{name}"),
                    sampler, files[i], stop,
                )  # fmt: skip
                if fitted is None:
                    return None
                progress.advance(0, f"{doing}reading the test rows")
                return fitted, *read(files[i], fitted)

        def read(kept: FoldFile, fitted: Fitted) -> tuple[FoldRows, float]:
            """What the test rows of a fold read, and the critic's shortfall: from the file, or read and written
            there."""
            if "rows" in kept.state:
                rows, short = FoldRows(**kept.state["rows"]).to(how.device), kept.state["shortfall"]
            else:
                rows = read_fold(
                    fitted.critic, x, y, [*bounds.values()],
                    test=fitted.fold.test, both=both, negatives=how.negatives, seed=how.seed,
                )  # fmt: skip
                short = 0.0 if sampler is not None else broadcast_object(shortfall(fitted, x, y))
                if fitted.finished:
                    kept.write(rows=vars(rows), shortfall=short)
            kept.state.clear()  # optimizers and the like are not needed any more
            return rows, short

        parallel = joblib.Parallel(n_jobs=_worker_count(how, folds), prefer="threads")
        done = [one for one in parallel(joblib.delayed(run)(i) for i in range(folds)) if one is not None]
    if not done:
        raise KeyboardInterrupt
    fits = [fitted for fitted, _, _ in done]
    kept, rows, short = zip(*compress(done, reported_folds(fits)), strict=True)
    whole = len(done) == folds and all(one.finished for one in fits)
    told = [*broadcast_object(checkpoint.warnings), *([] if whole else [interrupted_warning(fits, kept, folds)])]
    return CrossFitted(bounds, rows, kept, sum(short) / len(short), told)


def _worker_count(how: How, folds: int) -> int:
    if how.device.type != "cpu" or ranks() > 1:  # ranks talk about one fold at a time
        return 1
    return min(folds, how.workers if how.workers is not None else torch.get_num_threads())
