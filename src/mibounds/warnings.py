"""Warnings about estimates."""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AmplifiedWarning",
    "BelowGaussianWarning",
    "BeyondLogNWarning",
    "BoundsDisagreeWarning",
    "CeilingWarning",
    "CheckpointWarning",
    "ColumnsLeftOutWarning",
    "ConstantColumnWarning",
    "CrossCheckWarning",
    "DensityMisfitWarning",
    "DetachedInputWarning",
    "ExtrapolatedWarning",
    "FoldSpreadWarning",
    "HeavyTailsWarning",
    "IdentifierWarning",
    "InfiniteInformationWarning",
    "InterruptedWarning",
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
    "SmallSampleWarning",
    "StaleCriticWarning",
    "TiesWarning",
    "WrongSideWarning",
    "warning_from",
]


class MIWarning(UserWarning):
    """Statistical trouble with a stable code. Silence one kind with `warnings.filterwarnings(category=...)`."""

    code: ClassVar[str] = "mi"

    def to_dict(self) -> dict[str, str]:
        """The code and the message, for JSON."""
        return {"code": self.code, "message": str(self)}


class ConstantColumnWarning(MIWarning):
    """Columns that never change were dropped: they share nothing with anything."""

    code = "constant-column"


class ColumnsLeftOutWarning(MIWarning):
    """Columns of a table that hold no numbers were left out."""

    code = "columns-left-out"


class RowsDroppedWarning(MIWarning):
    """Rows with missing or infinite values were dropped, because `nan="drop"` asked for it."""

    code = "rows-dropped"


class IdentifierWarning(MIWarning):
    """A column has a value of its own in most rows, and says which row it is."""

    code = "identifier"


class RareCategoriesWarning(MIWarning):
    """A column has more categories than are kept apart: the rarest were taken as one."""

    code = "rare-categories"


class InfiniteInformationWarning(MIWarning):
    """One variable is a function of the other to machine precision: the information of continuous data is infinite."""

    code = "infinite-information"


class ExtrapolatedWarning(MIWarning):
    """The value is near or above what the sample can certify: it rests on the smoothness of the critic."""

    code = "extrapolated"


class BeyondLogNWarning(MIWarning):
    """The value is above ln N: no sample of N rows can certify so much, whatever the method."""

    code = "beyond-log-n"


class AmplifiedWarning(MIWarning):
    """A value is the small difference of large estimates, and their errors count for more."""

    code = "amplified"


class StaleCriticWarning(MIWarning):
    """The critic of a regularizer was not updated for many calls."""

    code = "stale-critic"


class DensityMisfitWarning(MIWarning):
    """A fitted conditional density is visibly not the true one, so that an upper bound over it need not hold."""

    code = "density-misfit"


class DetachedInputWarning(MIWarning):
    """A penalty depends on nothing that can be trained."""

    code = "detached-input"


class SharedParametersWarning(MIWarning):
    """A critic's optimizer also holds parameters of the regularized network."""

    code = "shared-parameters"


class CeilingWarning(MIWarning):
    """A value is at the ceiling of its bound."""

    code = "ceiling"


class WrongSideWarning(MIWarning):
    """A lower bound is being minimized, or an upper bound maximized."""

    code = "wrong-side"


class NonFiniteStepWarning(MIWarning):
    """Training steps with an infinite or undefined gradient were skipped."""

    code = "non-finite-step"


class InterruptedWarning(MIWarning):
    """Training was ended by Ctrl-C, and the value is that of the critics as they were."""

    code = "interrupted"


class CheckpointWarning(MIWarning):
    """A checkpoint could not be written; the fit went on."""

    code = "checkpoint"


class OverfitWarning(MIWarning):
    """The critics know their training rows by heart: on rows that they have not seen they are worth far less."""

    code = "overfit"


class BoundsDisagreeWarning(MIWarning):
    """Bounds that a good critic makes agree read different values from the same rows."""

    code = "bounds-disagree"


class NotNormalizedWarning(MIWarning):
    """The mean of e^score over mismatched test pairs is far from 1, which it is for a log-ratio."""

    code = "not-normalized"


class LowEffectiveSampleWarning(MIWarning):
    """A few test rows carry the mean of e^score over mismatched pairs."""

    code = "low-effective-sample"


class NotConvergedWarning(MIWarning):
    """The validation score was still falling when the steps were over."""

    code = "not-converged"


class FoldSpreadWarning(MIWarning):
    """The folds read more different values than the sampling of rows explains."""

    code = "fold-spread"


class SmallSampleWarning(MIWarning):
    """Few rows, or few for so many columns."""

    code = "small-sample"


class TiesWarning(MIWarning):
    """Rows repeat others, or one value piles up, where values are otherwise distinct."""

    code = "ties"


class HeavyTailsWarning(MIWarning):
    """Columns with far outliers enter the critic as they are."""

    code = "heavy-tails"


class SerialCorrelationWarning(MIWarning):
    """Neighboring rows resemble each other in x and in y: they are not independent."""

    code = "serial-correlation"


class BelowGaussianWarning(MIWarning):
    """The value is below what a Gaussian copula finds in the same rows."""

    code = "below-gaussian"


class CrossCheckWarning(MIWarning):
    """A classical estimator that suits the data reads another value."""

    code = "cross-check"


class MaybeIndependentWarning(MIWarning):
    """The value is within two standard errors of zero: the rows do not show a dependence."""

    code = "maybe-independent"


def warning_from(record: dict[str, str]) -> MIWarning:
    """The warning that `MIWarning.to_dict` wrote down."""
    kinds = {kind.code: kind for kind in MIWarning.__subclasses__()}
    return kinds.get(record["code"], MIWarning)(record["message"])
