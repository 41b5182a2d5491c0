"""Mutual information as an estimator of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from mibounds._checks import check_paired
from mibounds.bounds import Bound
from mibounds.data import MissingPolicy
from mibounds.data.sample import VariableType
from mibounds.data.sources import MINIMUM_ROWS
from mibounds.estimation import estimate
from mibounds.results.result import Result
from mibounds.results.units import Unit, nats_in
from mibounds.training.interrupts import no_partial_results

__all__ = ["MutualInformation"]

Floats = NDArray[np.float64]


class MutualInformation(BaseEstimator):  # type: ignore[misc]  # scikit-learn comes without types
    r"""`estimate` with `fit` and `score`: I(X;Y) of training rows, and what it is worth on new ones.

    .. math:: \mathrm{score}(X, y) = \frac1N \sum_i \frac1K \sum_k f_k(x_i, y_i)

    where :math:`f_k` is the critic of fold k, a log density ratio. Each critic alone reads a lower bound of the
    information on rows that no fold has seen, up to the error of its normalization, and so does their mean. A better
    model scores higher, which makes the score fit for `cross_val_score` and for a grid search over `hidden` or `lr`.

    Fails on the rows of `fit`: all critics but one have trained on each, and the score reads high. `value_` is the
    number for those rows, and `result_` says how far to trust it.

    X as an array holds numbers, as a table columns of any kind. Labels in y are told from numbers as `estimate` does; a
    label that `fit` has not seen tells nothing.

    Arguments:
        bound: trains the critics; a name or a bound.
        critic: "separable", "joint" or "bilinear".
        hidden: widths of the critics' hidden layers.
        lr: peak learning rate.
        unit: of the value and of scores, "nats" or "bits".
        level: confidence level of the interval.
        bootstrap: draws that give the standard error; see `estimate`.
        x_type, y_type, encoder_x, encoder_y: what the variables are, and modules that encode them; see `estimate`.
        nan: "raise", "drop" the rows with missing or infinite values (such rows score nan), or "indicator".
        seed: the same seed gives the same number.
        device: "cpu", "cuda", ...
        precision: "float32" or "bf16", see `Trainer`.
        progress: show a bar.
        steps, batch_size, weight_decay, clip, folds, split, gap, cv: as `Trainer` takes them.
        validation_fraction, check_every, patience, tolerance, test_negatives, workers: likewise.

    Attributes:
        result_: the `Result`, whose `fitted` holds the critics.
        value_: `result_.value`, in `unit`.
        n_features_in_: the number of columns of X.
        feature_names_in_: their names, if X is a table with names that are text.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> X, y = CorrelatedGaussian(1, 0.8).sample(800, torch.Generator().manual_seed(0))
        >>> model = MutualInformation(steps=100, hidden=(32,), folds=3).fit(X[:400], y[:400])
        >>> abs(model.score(X[400:], y[400:]) - 0.511) < 0.15
        True
    """

    def __init__(
        self,
        *,
        bound: str | Bound = "infonce",
        critic: str = "separable",
        hidden: Sequence[int] = (128, 128, 128),
        lr: float = 2e-3,
        unit: Unit = "nats",
        level: float = 0.95,
        bootstrap: int | None = None,
        x_type: VariableType = None,
        y_type: VariableType = None,
        encoder_x: nn.Module | None = None,
        encoder_y: nn.Module | None = None,
        nan: MissingPolicy = "raise",
        seed: int = 0,
        device: str | torch.device | None = None,
        precision: str = "float32",
        progress: bool = False,
        steps: int | None = None,
        batch_size: int | None = None,
        weight_decay: float = 1e-4,
        clip: float = 1.0,
        folds: int | None = None,
        split: str = "random",
        gap: int | None = None,
        cv: Any = None,
        validation_fraction: float = 0.15,
        check_every: int | None = None,
        patience: int = 4,
        tolerance: float = 1e-3,
        test_negatives: int | str = "all",
        workers: int | None = None,
    ):
        self.bound = bound
        self.critic = critic
        self.hidden = hidden
        self.lr = lr
        self.unit = unit
        self.level = level
        self.bootstrap = bootstrap
        self.x_type = x_type
        self.y_type = y_type
        self.encoder_x = encoder_x
        self.encoder_y = encoder_y
        self.nan = nan
        self.seed = seed
        self.device = device
        self.precision = precision
        self.progress = progress
        self.steps = steps
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.clip = clip
        self.folds = folds
        self.split = split
        self.gap = gap
        self.cv = cv
        self.validation_fraction = validation_fraction
        self.check_every = check_every
        self.patience = patience
        self.tolerance = tolerance
        self.test_negatives = test_negatives
        self.workers = workers

    def fit(self, X: Any, y: Any, groups: Any = None) -> MutualInformation:
        """Estimate I(X;Y).

        Arguments:
            X: (N, D_x) numbers, or a table of anything that `estimate` takes; at least 50 rows.
            y: (N,) or (N, D_y) numbers or labels, paired with X.
            groups: (N,) what rows belong together.

        Returns:
            Itself, fitted.

        Raises:
            TypeError, ValueError: if the data or a parameter cannot be used; the sentence says why.
        """
        X, y = self._rows(X, y, reset=True)
        if len(X) < MINIMUM_ROWS:
            raise ValueError(
                f"X has {len(X)} sample(s): expected at least {MINIMUM_ROWS}, "
                "and some thousands for a number worth having."
            )
        with no_partial_results():  # it may be one fit of a search, which Ctrl-C is to end
            self.result_: Result = estimate(X, y, groups=groups, **self.get_params(deep=False))
        self.value_ = self.result_.value
        return self

    def score(self, X: Any, y: Any) -> float:
        """The information that the critics find in new rows: the mean of `score_samples`, in `unit`.

        Arguments:
            X: (N, D_x) rows that `fit` has not seen.
            y: (N,) or (N, D_y), paired with X.

        Returns:
            The mean over rows; with nan="drop", over those without missing values.
        """
        return float(np.nanmean(self.score_samples(X, y)))

    def score_samples(self, X: Any, y: Any) -> Floats:
        """The log density ratio ln p(x, y) / p(x) p(y) of each pair, in `unit`: the mean of the folds' critics.

        Arguments:
            X: (N, D_x) rows that `fit` has not seen.
            y: (N,) or (N, D_y), paired with X.

        Returns:
            (N,) scores; with nan="drop", nan for rows with missing values.

        Raises:
            ValueError: if the columns are not those of `fit`.
        """
        check_is_fitted(self)
        X, y = self._rows(X, y, reset=False)
        nan = "drop" if self.nan == "drop" else "raise"
        scores: Floats = self.result_.fitted.score_pairs(X, y, nan=nan).double().numpy() / nats_in(self.result_.unit)
        return scores

    def _rows(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        """Checked as scikit-learn does; a table is left as it is, so that its columns may be of any kind."""
        finite = self.nan == "raise"
        if isinstance(nw.from_native(X, pass_through=True), nw.DataFrame) and y is not None:
            validate_data(self, X, reset=reset, skip_check_array=True)
        else:
            rules_x = {"dtype": np.float64, "ensure_all_finite": finite}
            rules_y = {"dtype": None, "ensure_2d": False, "ensure_all_finite": finite}
            X, checked = validate_data(self, X, y, reset=reset, validate_separately=(rules_x, rules_y))
            y = y if isinstance(nw.from_native(y, allow_series=True, pass_through=True), nw.DataFrame) else checked
        check_paired(len(X), len(y))
        return X, y

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = self.nan != "raise"
        return tags
