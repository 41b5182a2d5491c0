"""Mutual information as an estimator of scikit-learn."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn
from typing_extensions import Unpack

from mibounds._checks import check_fraction, check_paired
from mibounds.data import MissingPolicy, Sample, VariableType
from mibounds.data.sources import MINIMUM_ROWS, array_of, in_memory, index_of, is_frame, with_distinct_names
from mibounds.estimation._estimate import _estimate
from mibounds.results import Result
from mibounds.results.units import Unit, nats_in
from mibounds.training.interrupts import no_partial_results
from mibounds.training.recipe import Recipe, Settings, takes_settings
from mibounds.training.torch_modes import plain_torch
from mibounds.warnings import issue

__all__ = ["MutualInformation"]

Floats = NDArray[np.float64]
_FOLDERS = ("checkpoint", "resume")  # settings that would let the many fits of a search share one folder
_DEFAULTS = {one.name: one.default for one in fields(Recipe) if one.name not in _FOLDERS}


class MutualInformation(BaseEstimator):  # type: ignore[misc]  # scikit-learn comes without types
    r"""`mibounds.estimate` as an estimator: `fit` estimates I(X;Y), and `score` evaluates the critics on new samples.

    .. math:: \mathrm{score}(X, y) = \frac1N \sum_i \frac1K \sum_k f_k(x_i, y_i)

    where :math:`f_k` is the critic of fold k, a log density ratio. The mean of a critic's scores over new samples is a
    lower bound of I(X;Y), up to the error of its normalization, and so is the mean over critics. A better critic scores
    higher, so that `cross_val_score` and a grid search over `hidden` or `lr` work.

    Fails on the rows of `fit`, all of which trained all critics but one: the score of these is too high. `value_` is
    their held-out estimate.

    X as an array holds numbers, as a table columns of any kind. Whether y holds labels or numbers is inferred as by
    `mibounds.estimate`; a label that was not in the data of `fit` is not informative.

    Arguments:
        recipe: "quick", "default", "thorough" or a `Recipe`. Settings that differ from their default take precedence.
        unit: of the value and of scores, "nats" or "bits".
        level: confidence level of the interval.
        x_type: what the columns of X are; see `mibounds.estimate`.
        y_type: likewise.
        encoder_x: a module that encodes X; see `mibounds.estimate`.
        encoder_y: likewise.
        nan: "raise"; "drop" the rows with missing or infinite values, whose scores are then NaN; or "indicator".
        settings: single settings of `Recipe` as keywords, each of them a parameter: `steps`, `hidden`, `lr`, ...

    Attributes:
        result_: the `Result`, whose `fitted` holds the critics.
        value_: `result_.value`, in `unit`.
        n_features_in_: the number of columns of X.
        feature_names_in_: their names, if X is a table with names that are text.

    Example:
        >>> import torch
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> X, y = CorrelatedGaussian(1, 0.8).sample(800, torch.Generator().manual_seed(0))
        >>> model = MutualInformation(steps=100, hidden=(32,), folds=3).fit(X[:400], y[:400])
        >>> abs(model.score(X[400:], y[400:]) - 0.511) < 0.15
        True
    """

    @takes_settings(without=_FOLDERS, computes=False)
    def __init__(
        self,
        *,
        recipe: Recipe | str | None = None,
        unit: Unit = "nats",
        level: float = 0.95,
        x_type: VariableType = None,
        y_type: VariableType = None,
        encoder_x: nn.Module | None = None,
        encoder_y: nn.Module | None = None,
        nan: MissingPolicy = "raise",
        **settings: Unpack[Settings],
    ):
        self.recipe = recipe
        self.unit = unit
        self.level = level
        self.x_type = x_type
        self.y_type = y_type
        self.encoder_x = encoder_x
        self.encoder_y = encoder_y
        self.nan = nan
        for name, value in {**_DEFAULTS, **settings}.items():
            setattr(self, name, value)

    @plain_torch()
    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> MutualInformation:
        """Estimate I(X;Y).

        Arguments:
            X: (N, D_x) numbers, or a table of anything that `mibounds.estimate` takes; at least 50 rows.
            y: (N,) or (N, D_y) numbers or labels, paired with X.
            groups: (N,) which rows are dependent; see `mibounds.estimate`.
            sample_weight: (N,) how much each row counts; see `mibounds.estimate`.

        Returns:
            The fitted estimator.

        Raises:
            TypeError, ValueError: if the data or a parameter cannot be used; the sentence says why.
        """
        nats_in(self.unit)
        check_fraction("level", self.level)
        recipe = self._recipe()
        X, y = self._validated(X, y, reset=True)
        if len(X) < MINIMUM_ROWS:
            raise ValueError(
                f"X has {len(X)} sample(s): expected at least {MINIMUM_ROWS}, and some thousands for a precise "
                "estimate."
            )
        sample = Sample.of(
            x=X,
            y=y,
            groups=groups,
            weights=_checked_weights(sample_weight),
            nan=self.nan,
            types={"x": self.x_type, "y": self.y_type},
            encoders={"x": self.encoder_x, "y": self.encoder_y},
            seed=recipe.seed,
            blocked=recipe.split == "blocked",
        )
        with no_partial_results():  # it may be one fit of a search, which Ctrl-C is to end
            result = _estimate(sample, recipe)
        issue(result.warnings)
        self.result_: Result = result.to(self.unit, level=self.level)
        self.value_ = self.result_.value
        return self

    def score(self, X: Any, y: Any) -> float:
        """The mean of `score_samples`, in `unit`: an estimate of the information by the critics of `fit`.

        Arguments:
            X: (N, D_x) rows other than those of `fit`.
            y: (N,) or (N, D_y), paired with X.

        Returns:
            The mean over rows; with nan="drop", over those without missing values.
        """
        return float(np.nanmean(self.score_samples(X, y)))

    def score_samples(self, X: Any, y: Any) -> Floats:
        """The log density ratio ln p(x, y) / p(x) p(y) of each pair, in `unit`: the mean of the folds' critics.

        Arguments:
            X: (N, D_x) rows other than those of `fit`.
            y: (N,) or (N, D_y), paired with X.

        Returns:
            (N,) scores; with nan="drop", NaN for rows with missing values.

        Raises:
            ValueError: if the columns are not those of `fit`.
        """
        check_is_fitted(self)
        X, y = self._validated(X, y, reset=False)
        if self.result_.fitted is None:  # X or y was constant in `fit`
            return np.zeros(len(X))
        nan: MissingPolicy = "drop" if self.nan == "drop" else "raise"
        scores: Floats = self.result_.fitted.score_pairs(X, y, nan=nan).double().numpy() / nats_in(self.result_.unit)
        return scores

    def _recipe(self) -> Recipe:
        """The recipe with the settings that differ from their default."""
        settings = {name: getattr(self, name) for name in _DEFAULTS}
        return Recipe.of(self.recipe, {name: one for name, one in settings.items() if _differs(one, _DEFAULTS[name])})

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        """Checked as scikit-learn does; a table is left as it is, so that its columns may be of any kind."""
        finite = self.nan == "raise"
        X, y = (
            array_of(side, name) if isinstance(side, Tensor | np.ma.MaskedArray) else in_memory(side)
            for side, name in ((X, "X"), (y, "y"))
        )  # scikit-learn reads neither bfloat16 nor masks nor lazy tables
        if is_frame(X) and y is not None:
            X = with_distinct_names(X, "X")
            validate_data(self, X, reset=reset, skip_check_array=True)
        else:
            rules_x = {"dtype": np.float64, "ensure_all_finite": finite}
            rules_y = {"dtype": None, "ensure_2d": False, "ensure_all_finite": finite}
            try:
                X, checked = validate_data(self, X, y, reset=reset, validate_separately=(rules_x, rules_y))
            except OverflowError as error:
                raise ValueError(
                    "X holds whole numbers beyond the largest float, 1.8e308: divide them, or give a table (pandas, "
                    "polars), whose columns may hold them."
                ) from error
            y = y if is_frame(y) or index_of(y) is not None else checked  # which has no index
        check_paired(len(X), len(y))
        return X, y

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = self.nan != "raise"
        return tags


def _checked_weights(sample_weight: Any) -> Any:
    """The weights as an array of one dimension (N,); with an index as they are."""
    if sample_weight is None:
        return None
    weights: Floats = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if not weights.any():
        raise ValueError("sample_weight is zero for all rows: expected weights above zero for at least some.")
    return weights if index_of(sample_weight) is None else sample_weight


def _differs(value: Any, default: Any) -> bool:
    """Is it another value than the default? Values may be arrays, such as widths."""
    return not (isinstance(value, type(default)) and value == default)
