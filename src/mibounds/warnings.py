"""Warnings about data, training and estimates. Each class has a stable code, its condition and a remedy."""

from __future__ import annotations

import os
import sys
import threading
import warnings as python_warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

__all__ = [
    "AmplifiedWarning",
    "BelowBoostedTreesWarning",
    "BelowGaussianWarning",
    "BeyondLogNWarning",
    "BoundsDisagreeWarning",
    "CeilingWarning",
    "CheckpointWarning",
    "ColumnsLeftOutWarning",
    "ConstantColumnWarning",
    "CriticLagsWarning",
    "CrossCheckWarning",
    "DensityMisfitWarning",
    "DetachedInputWarning",
    "ExtrapolatedWarning",
    "FoldSpreadWarning",
    "HeavyTailsWarning",
    "IdentifierWarning",
    "IndexMismatchWarning",
    "InfiniteInformationWarning",
    "InterruptedWarning",
    "IntervalCappedWarning",
    "LowEffectiveSampleWarning",
    "MIWarning",
    "MaybeIndependentWarning",
    "NonFiniteStepWarning",
    "NotConvergedWarning",
    "NotNormalizedWarning",
    "OverfitWarning",
    "RareCategoriesWarning",
    "RowsDroppedWarning",
    "SerialCorrelationWarning",
    "SharedParametersWarning",
    "SingleSampleWarning",
    "SmallSampleWarning",
    "StaleCriticWarning",
    "TiesWarning",
    "UnevenTimesWarning",
    "UnevenWeightsWarning",
    "UnseenCategoryWarning",
    "UpperBoundBelowZeroWarning",
    "WrongSideWarning",
    "by_code",
    "issue",
    "warning_from",
]  # fmt: skip

_BY_CODE: dict[str, type[MIWarning]] = {}
_PACKAGE = f"{Path(__file__).parent}{os.sep}"
# Libraries that call this package on behalf of user code or of the package itself: a line of theirs explains nothing.
_RUNNERS = frozenset({"concurrent", "contextlib", "joblib", "multiprocessing", "sklearn", "threading", "torch"})


class MIWarning(UserWarning):
    """A statistical or numerical problem. A subclass must define `code`, `condition` and `remedy`.

    Attributes:
        code: a stable identifier; no two classes share one.
        condition: when the warning is issued.
        remedy: what to do about it.
        group: its section in the documentation.
    """

    code: str = "mi"
    condition: ClassVar[str] = "A problem without a class of its own, such as one recorded by a newer version."
    remedy: ClassVar[str] = "See the message."
    group: ClassVar[str] = "other"

    def __init_subclass__(cls, group: str = "other", **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        for name in ("code", "condition", "remedy"):
            text = cls.__dict__.get(name)
            if not isinstance(text, str) or not text.strip():
                raise TypeError(f"{cls.__qualname__} has no {name}: a subclass of MIWarning defines it as a string.")
        other = MIWarning if cls.code == MIWarning.code else _BY_CODE.get(cls.code, cls)
        # A reloaded module, or a cell that runs again, defines the same class once more.
        if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"{cls.__qualname__} has the code {cls.code!r} of {other.__qualname__}: give it another.")
        cls.group = group
        _BY_CODE[cls.code] = cls

    def to_dict(self) -> dict[str, str]:
        """The code and the message, for JSON."""
        return {"code": self.code, "message": str(self)}


def by_code() -> dict[str, type[MIWarning]]:
    """All classes by their codes, in the order of their definition."""
    return dict(_BY_CODE)


def warning_from(record: Mapping[str, str]) -> MIWarning:
    """The warning that `MIWarning.to_dict` recorded; an `MIWarning` with that code if no class has it."""
    kind = _BY_CODE.get(record["code"], MIWarning)
    warning = kind(record["message"])
    if kind is MIWarning:
        warning.code = record["code"]
    return warning


SILENT_IF: list[Callable[[], bool]] = []
"""Conditions under which another process issues the warnings: of a distributed job only rank 0 does."""


def issue(warnings: Warning | Iterable[Warning], registry: dict[Any, Any] | None = None) -> None:
    """Issue warnings at the line of user code that called this package, under Python's usual filters.

    That line is in the innermost frame outside of this package and of the libraries that run code for it (torch,
    scikit-learn, joblib, threads). A worker thread may have no such frame: then it is the line at which the main thread
    waits for a result, and if it does not wait, the line that calls this function.

    Arguments:
        warnings: one warning, or several.
        registry: what was issued before and is not repeated; by default that of the module of the line.

    Raises:
        Warning: the first one that a filter turns into an error.
    """
    pending = [warnings] if isinstance(warnings, Warning) else list(warnings)
    if not pending or any(condition() for condition in SILENT_IF):
        return
    caller = sys._getframe(1)
    frame = _user_frame(caller) or _waiting_frame() or caller
    for warning in pending:
        python_warnings.warn_explicit(
            warning,
            None,  # the class of the warning
            frame.f_code.co_filename,
            frame.f_lineno,
            module=frame.f_globals.get("__name__") or "<string>",
            registry=frame.f_globals.setdefault("__warningregistry__", {}) if registry is None else registry,
        )


def _user_frame(frame: FrameType | None) -> FrameType | None:
    """The first frame, from this one outward, of user code or of another library."""
    while frame is not None and _is_internal(frame):
        frame = frame.f_back
    return frame


def _waiting_frame() -> FrameType | None:
    """The frame of user code in which the main thread waits for this package, or for another thread."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None and not _is_internal(frame):
        frame = frame.f_back
    return _user_frame(frame)


def _is_internal(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__")).partition(".")[0]
    return frame.f_code.co_filename.startswith(_PACKAGE) or module in _RUNNERS


class RowsDroppedWarning(MIWarning, group="data"):
    """Rows with missing or infinite values were dropped."""

    code = "rows-dropped"
    condition = 'With `nan="drop"`, at least one row has a missing or infinite value.'
    remedy = (
        "Compare the dropped rows with the others: if values are not missing at random, the remaining rows represent "
        'another population. `nan="indicator"` keeps all rows.'
    )


class ColumnsLeftOutWarning(MIWarning, group="data"):
    """Columns without numbers were left out of a matrix."""

    code = "columns-left-out"
    condition = (
        "A table passed to `mi.matrix` without `columns=` has columns that are neither numeric nor text with 2 to 12 "
        "different values (names, dates)."
    )
    remedy = "Encode these columns as numbers, or estimate the pairs that contain them by `mi.estimate`."


class ConstantColumnWarning(MIWarning, group="data"):
    """A constant column was dropped."""

    code = "constant-column"
    condition = "All values of a column are equal."
    remedy = (
        "None is needed: the mutual information of a constant with any variable is 0. If the column should vary, check "
        "how the data were read."
    )


class IdentifierWarning(MIWarning, group="data"):
    """A column looks like an identifier of the rows."""

    code = "identifier"
    condition = (
        "The number of categories of a column exceeds 50 % of the number of rows, or a numeric column consists of "
        "consecutive whole numbers, each of which occurs once."
    )
    remedy = (
        "Leave the column out: its mutual information with another variable cannot be estimated from a sample. If it "
        "is a time index, sort the rows by it first."
    )


class IndexMismatchWarning(MIWarning, group="data"):
    """Two pandas objects have different indexes."""

    code = "index-mismatch"
    condition = "Two variables are pandas objects whose indexes hold different labels; rows are paired by position."
    remedy = "Align them by their index before the call, or drop the indexes: `y.reset_index(drop=True)`."


class UnevenTimesWarning(MIWarning, group="data"):
    """The rows of a series are not evenly spaced in time."""

    code = "uneven-times"
    condition = (
        "In `mi.lagged` or `mi.transfer_entropy` a series has a pandas index of times, and more than 1 % of the steps "
        "from one row to the next differ from their median by more than a factor of 1.25. Lags count rows."
    )
    remedy = (
        'Space the rows evenly, for example by `x.asfreq("h")` or `x.resample("h").mean()`, and pass `nan="drop"`. '
        "None is needed if rows are the unit that is meant, such as trading days."
    )


class UnevenWeightsWarning(MIWarning, group="data"):
    """Uneven weights cost most of the rows."""

    code = "uneven-weights"
    condition = "`sample_weight` keeps fewer than half of the rows, with probabilities in proportion to their weights."
    remedy = "Trim the largest weights, which determine how many rows are kept, or give more rows."


class UnseenCategoryWarning(MIWarning, group="data"):
    """New data have categories that the critics were not trained on."""

    code = "unseen-category"
    condition = "A categorical column of new data has values that did not occur in the data of the fit."
    remedy = "Check that categories are spelled as in the fit. Such values are scored as if the category were unknown."


class RareCategoriesWarning(MIWarning, group="data"):
    """The rarest categories of a column were merged."""

    code = "rare-categories"
    condition = "A column has more than 200 categories; all but the 199 most frequent are merged into one."
    remedy = "Merge categories by their meaning before the call. Merging can only lower the mutual information."


class InfiniteInformationWarning(MIWarning, group="data"):
    """Columns of x determine one of y, so that the mutual information of continuous data is infinite."""

    code = "infinite-information"
    condition = (
        "The largest canonical correlation of x and y, or of their normal scores, exceeds 1 - 1e-6, and both have a "
        "column in which at least half of the values are distinct. Or of two columns with mostly distinct values one "
        "is a smooth function of the other, without noise that the samples could resolve."
    )
    remedy = "Drop the duplicate column, or model the measurement noise explicitly."


class TiesWarning(MIWarning, group="data"):
    """Rows or values repeat where the data are otherwise continuous."""

    code = "ties"
    condition = (
        "At least 20 % of the values of a column are distinct, and the rows that repeat others are more than 5 % and 3 "
        "times what rounded values have by chance, or a single value makes up more than 5 % of such a column. In "
        "`Trainer.fit_stream`: at least a quarter of 256 test samples are drawn again for training."
    )
    remedy = (
        "Drop repeated rows: copies in training and test folds bias the estimate upward. Drop rows whose repeated "
        "value stands for a missing, clipped or undetectable measurement. For a stream of given rows use `mi.sampler`."
    )


class SmallSampleWarning(MIWarning, group="data"):
    """The sample is small."""

    code = "small-sample"
    condition = "N is below 200 or, except in `mi.matrix`, below 10 times the number of columns of x and y."
    remedy = (
        "Use more rows or fewer columns: weak dependence may remain undetected, and the estimate tends to be too low."
    )


class SerialCorrelationWarning(MIWarning, group="data"):
    """Adjacent rows are dependent."""

    code = "serial-correlation"
    condition = (
        "With random folds, the rank correlation of a row with the next one exceeds max(0.3, 4/sqrt(N)) in a column of "
        "x and in a column of y (`mi.matrix`: in two columns)."
    )
    remedy = (
        'Pass `split="blocked"`: adjacent rows in training and test folds bias the estimate upward. If the table was '
        "merely sorted, shuffle its rows."
    )


class HeavyTailsWarning(MIWarning, group="data"):
    """Columns with heavy tails enter the critic without a rank transform."""

    code = "heavy-tails"
    condition = "`mi.Trainer` is used without a rank transform, and the kurtosis of a column exceeds 20."
    remedy = "Pass `preprocessing=mi.RankGaussianize()`, which leaves the mutual information unchanged."


class NotConvergedWarning(MIWarning, group="training"):
    """The validation loss was still decreasing when the steps were over."""

    code = "not-converged"
    condition = (
        "In more than half of the folds the last validation loss is below all those of the first half of the steps by "
        "more than max(0.01 nats, 15 % of its absolute value), and the reported estimate is one of the critics."
    )
    remedy = "Increase `steps` or `lr`. The estimate is probably too low."


class OverfitWarning(MIWarning, group="training"):
    """The critics overfit their training rows."""

    code = "overfit"
    condition = (
        "The estimate on training rows exceeds that on test rows, averaged over the folds, by more than max(0.15 nats, "
        "30 % of the value) plus 3 standard errors."
    )
    remedy = (
        "Use more rows, fewer columns, smaller `hidden` or a larger `weight_decay`. The estimate uses test rows only: "
        "it is not inflated, but probably too low."
    )


class FoldSpreadWarning(MIWarning, group="training"):
    """The estimates of the folds vary more than sampling explains."""

    code = "fold-spread"
    condition = (
        "The standard deviation of the estimates of the folds exceeds max(0.02 nats, 3 times the standard deviation "
        "expected from the sampling of rows; 3.9 times with two folds), and the estimate is neither extrapolated nor "
        "one of nearest neighbors or the Gaussian copula."
    )
    remedy = (
        "If training is unstable, lower `lr`. With blocked folds, the distribution may change over the rows: estimate "
        "parts of the table separately."
    )


class NonFiniteStepWarning(MIWarning, group="training"):
    """Training steps with an infinite or undefined gradient were skipped."""

    code = "non-finite-step"
    condition = (
        "The gradient of at least one training step, or a value of `mi.MIRegularizer`, is infinite or undefined."
    )
    remedy = "Lower `lr`, or use a bound with a smaller variance such as InfoNCE."


class InterruptedWarning(MIWarning, group="training"):
    """Training was interrupted, and the estimate uses the weights obtained so far."""

    code = "interrupted"
    condition = "Ctrl-C (SIGINT) is received during training."
    remedy = (
        "Treat the estimate as preliminary and probably too low. A fit with `checkpoint=` continues with `resume=True`."
    )


class CeilingWarning(MIWarning, group="estimates"):
    """The estimate is close to the largest value that its bound can take."""

    code = "ceiling"
    condition = (
        "With c the largest value of the bound (InfoNCE: the logarithm of the number of pairs per row), the estimate "
        "exceeds max(c - 2.5, c/2) nats, or in `mi.MIRegularizer` 95 % of c."
    )
    remedy = (
        "Use more rows (in a training loop: larger batches or more negatives), or a bound without such a limit. The "
        "mutual information may be higher."
    )


class ExtrapolatedWarning(MIWarning, group="estimates"):
    """The plug-in estimate is reported, because InfoNCE is close to its largest possible value."""

    code = "extrapolated"
    condition = (
        "With c the largest value of InfoNCE, the plug-in estimate exceeds max(c - 3.5, c/2) nats, but not ln N."
    )
    remedy = (
        "Use more rows, which raise the limit, or report `lower_bound`. The estimate depends on how smoothly the "
        "critic extrapolates."
    )


class BeyondLogNWarning(MIWarning, group="estimates"):
    """The estimate exceeds ln N, which no sample of N rows can certify."""

    code = "beyond-log-n"
    condition = "The estimate exceeds ln N nats."
    remedy = "Report `lower_bound`, or use more rows; `mi.Telescope` extrapolates in smaller steps."


class IntervalCappedWarning(MIWarning, group="estimates"):
    """The upper end of the interval is limited by ln N, because more could be missed than any method certifies."""

    code = "interval-capped"
    condition = (
        "With N the rows that a fold trains on and d the effective dimensions (participation ratios of the "
        "correlation matrices), the undetectable linear dependence, 2 d_x d_y / N nats, and the excess of the Gaussian "
        "copula where N is at least twice the number of columns, raise the estimate above ln N."
    )
    remedy = (
        "Use more rows or fewer columns: the mutual information may exceed the upper end of the interval. "
        "`lower_bound` is not affected."
    )


class BoundsDisagreeWarning(MIWarning, group="estimates"):
    """Bounds that agree for a log density ratio differ on the same scores."""

    code = "bounds-disagree"
    condition = (
        "The estimate differs from the larger of InfoNCE and Donsker-Varadhan by more than max(0.1 nats, 15 % of it) "
        "plus 3 standard errors of InfoNCE, and is not extrapolated."
    )
    remedy = (
        "Report the larger of these two lower bounds. More rows, `mi.RankGaussianize()` against outliers or a lower "
        "`lr` bring the critic closer to the log density ratio."
    )


class NotNormalizedWarning(MIWarning, group="estimates"):
    """The mean of e^score over mismatched test pairs differs from 1, its value for a log density ratio."""

    code = "not-normalized"
    condition = (
        "The logarithm of the mean of e^score over mismatched test pairs differs from 0 by more than 0.2 nats plus 3 "
        "standard errors, of this mean and of that over the validation rows. Not checked where `low-effective-sample` "
        "or `extrapolated` apply."
    )
    remedy = (
        "Report InfoNCE or Donsker-Varadhan, which do not depend on the normalization: PlugIn and NWJ are biased by "
        "about this logarithm. More rows reduce it."
    )


class LowEffectiveSampleWarning(MIWarning, group="estimates"):
    """A few test rows dominate the mean of e^score over mismatched pairs."""

    code = "low-effective-sample"
    condition = (
        "The reported bound depends on the mean of e^score, and with w this mean for a single row, the effective "
        "sample size (sum of w)^2 / (sum of w^2) is below min(50, 10 % of N)."
    )
    remedy = (
        "Report InfoNCE, look for outliers in the rows with the largest scores, or use more rows. The estimate may be "
        "far off, and its standard error is too small."
    )


class BelowGaussianWarning(MIWarning, group="estimates"):
    """The estimate is below that of a Gaussian copula."""

    code = "below-gaussian"
    condition = (
        "A Gaussian copula, evaluated on rows it was not fitted to, exceeds the estimate by more than 0.05 nats plus 3 "
        "standard errors."
    )
    remedy = (
        "Increase `steps` or the number of rows. With blocked folds, the distribution may change over the rows: "
        "estimate parts of the table separately."
    )


class BelowBoostedTreesWarning(MIWarning, group="estimates"):
    """The critics' estimate is below what boosted trees certify."""

    code = "below-boosted-trees"
    condition = (
        "The lower bound of boosted trees, evaluated on rows they were not fitted to, exceeds the critics' estimate by "
        "more than 0.05 nats plus 3 standard errors. Where it exceeds it by its own standard error, it is the value."
    )
    remedy = (
        "Increase `steps` or the number of rows; columns with few distinct values may be meant as categories "
        "(`x_type=`)."
    )


class CrossCheckWarning(MIWarning, group="estimates"):
    """A classical estimator gives a different value."""

    code = "cross-check"
    condition = (
        "A nearest-neighbor or contingency-table estimate differs by more than max(0.05 nats, 10 % of the value) plus "
        "3 standard errors plus 2/sqrt(N). Lower nearest-neighbor estimates count for at most two columns."
    )
    remedy = (
        "If it is higher, increase `steps`, `hidden` or the number of rows. If it is lower, look for repeated or "
        "serially dependent rows and for very uneven densities."
    )


class MaybeIndependentWarning(MIWarning, group="estimates"):
    """The estimate is not significantly different from zero."""

    code = "maybe-independent"
    condition = (
        "The estimate is at most 2 standard errors plus 0.001 nats, and neither `below-gaussian` nor `cross-check` "
        "applies."
    )
    remedy = (
        "None is needed for independent data. It is no proof of independence: see the upper end of the interval, or "
        "the p-value of `mi.independence_test`."
    )


class DensityMisfitWarning(MIWarning, group="estimates"):
    """The fitted conditional density is inaccurate, so that the upper estimate of a bracket may not be a bound."""

    code = "density-misfit"
    condition = (
        "In `mi.bracket`, on test rows: the mean of q(y|x) misses the marginal density by more than 0.05 nats plus 2 "
        "standard errors, its residuals are more than 0.05 nats from standard normal, or the upper estimate is below "
        "the lower one by more than 2 standard errors. In `mi.MIRegularizer`: the residuals of held-back samples are "
        "more than 0.05 nats from independent normal ones, by their skewness, kurtosis and correlations."
    )
    remedy = (
        'Use more rows, or drop columns that duplicate others. In a training loop use `critic="flow"`, and verify the '
        "result with `mi.estimate`: a network can hide information from a density that does not fit."
    )


class AmplifiedWarning(MIWarning, group="estimates"):
    """The estimate is a small difference of large estimates, whose errors it amplifies."""

    code = "amplified"
    condition = (
        "In `mi.conditional`, |I(X;(Y,Z))| + |I(X;Z)| exceeds 10 times the absolute value of their difference, and 10 "
        "times its standard error."
    )
    remedy = 'Use more rows or fewer columns of z, or `method="neighbors"` for z of up to three columns.'


class StaleCriticWarning(MIWarning, group="regularizer"):
    """The critic was not updated for many calls."""

    code = "stale-critic"
    condition = "`mi.MIRegularizer` is called more than 100 times without `update`."
    remedy = "Call `reg.update(x, z)` once per training step."


class WrongSideWarning(MIWarning, group="regularizer"):
    """A lower bound is minimized, or an upper bound maximized."""

    code = "wrong-side"
    condition = (
        "The loss, by the sign of the penalty's term in it, is decreased by a smaller lower bound or a larger upper "
        "bound, in `backward` or `mi.clipped_backward` (not in `torch.autograd.grad` or `mi.gradient_scale`, which "
        "only measure a gradient). A gradient reversal layer between network and penalty is not noticed."
    )
    remedy = (
        'To minimize mutual information use an upper bound (`bound="leaveoneout"` with `critic="diagonalgaussian"`), '
        'to maximize it a lower bound (`"mine"`, `"infonce"`). With a gradient reversal layer the network is trained '
        "with the opposite sign: ignore the warning there, and choose the side by that sign."
    )


class DetachedInputWarning(MIWarning, group="regularizer"):
    """The penalty depends on no trainable parameter."""

    code = "detached-input"
    condition = "Neither x nor z requires a gradient while gradients are enabled."
    remedy = "Pass the output of the encoder itself, not a detached copy."


class SharedParametersWarning(MIWarning, group="regularizer"):
    """The optimizer of the critic also holds parameters of the regularized network."""

    code = "shared-parameters"
    condition = "A layer of the critic is called outside of the regularizer while gradients are enabled."
    remedy = "Build the critic from layers that the network does not use."


class SingleSampleWarning(MIWarning, group="regularizer"):
    """A batch of one sample has no mismatched pairs."""

    code = "single-sample"
    condition = "`mi.MIRegularizer` is called with a batch of one sample: the penalty is 0, and `update` does nothing."
    remedy = "Drop the last batch (`drop_last=True` of a `DataLoader`)."


class UpperBoundBelowZeroWarning(MIWarning, group="regularizer"):
    """An upper bound of the information is negative."""

    code = "upper-bound-below-zero"
    condition = (
        "The median of the last 100 values of an upper bound is below -0.05 nats by more than 3 standard errors."
    )
    remedy = "Train the critic more: `steps=5`, or a larger `lr`. Its density does not fit the network's output."


class CriticLagsWarning(MIWarning, group="regularizer"):
    """The critic of an upper bound is behind the network."""

    code = "critic-lags"
    condition = (
        "Half of every 20th batch is held back. In the last 16 of them one update improves the loss of the held-back "
        "samples by more than 0.005 nats (median), and in at least 12."
    )
    remedy = "Use `steps=5`, a larger `lr`, or a smaller learning rate of the network."


class CheckpointWarning(MIWarning, group="files"):
    """A checkpoint could not be written; training continued."""

    code = "checkpoint"
    condition = "Writing a checkpoint raises an OSError. Later steps try again."
    remedy = (
        "Free space on the disk, or use another folder. Until a checkpoint is written, an interrupted fit resumes from "
        "an older one."
    )


_HEADINGS = {
    "data": "Data",
    "training": "Training",
    "estimates": "Estimates",
    "regularizer": "Regularizer",
    "files": "Files",
}
_HEAD = """# Warnings

<!-- Generated from src/mibounds/warnings.py: python -W ignore -m mibounds.warnings > docs/warnings.md -->

Warnings are issued by Python's `warnings` at the line of user code that called the library, and are kept in the
`warnings` of a result. Each has a class in `mi.warnings`, a subclass of `mi.MIWarning`, and a stable `code`. A class is
ignored, or turned into an error, by a filter:

```python
import warnings
import mibounds as mi

warnings.filterwarnings("ignore", category=mi.warnings.IdentifierWarning)  # do not show it
warnings.filterwarnings("error", category=mi.warnings.TiesWarning)  # raise an exception
```

With `category=mi.MIWarning` a filter applies to all of them. A result contains ignored warnings, too:

```python
result = mi.estimate(list(range(100)), [i % 7 for i in range(100)], steps=20, folds=2)
assert "identifier" in [warning.code for warning in result.warnings]
```

`mi.warnings.by_code()` gives the classes by their codes; `condition` and `remedy` are attributes. N is the number of
rows.
"""


def _page() -> str:
    """docs/warnings.md."""
    lines = [_HEAD]
    for group, heading in _HEADINGS.items():
        lines += [f"## {heading}", "", "| code and class | condition | remedy |", "|---|---|---|"]
        for code, kind in _BY_CODE.items():
            if kind.group == group and kind.__module__ == __name__:
                name = f'<a id="{code}"></a>`{code}`<br>`{kind.__name__}`'
                cells = (text.replace("|", "\\|") for text in (kind.condition, kind.remedy))
                lines.append(f"| {name} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(_page())
