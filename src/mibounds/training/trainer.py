"""The trainer: cross-fits an estimator of the user's own and reports on samples that it did not train on."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, final

import torch
from torch import Tensor
from typing_extensions import Unpack

from mibounds._checks import check_at_least, check_choice, layer_widths
from mibounds._random import noise_seed
from mibounds._variables import Tensors, row_count, take_rows
from mibounds.data import Drawn, MissingPolicy, Preprocessing, Sample, Sampler, Standardize, Variable
from mibounds.data.recurrence import Recurrence
from mibounds.estimators import Estimator
from mibounds.results import Result
from mibounds.training.candidates import Candidate, evaluated_name
from mibounds.training.cross_fitting import cross_fit, cross_fit_folds
from mibounds.training.diagnostics import FIT_CHECKS, Evidence, non_finite_steps, run_checks
from mibounds.training.folds import Fold
from mibounds.training.policy import Choice, make_result
from mibounds.training.recipe import ESTIMATOR_SETTINGS, Recipe, Settings, takes_settings
from mibounds.training.torch_modes import plain_torch
from mibounds.warnings import MIWarning, TiesWarning, issue

__all__ = ["Trainer"]

_MISSING: tuple[MissingPolicy, ...] = ("raise", "drop")
_MANY = 20_001  # samples: a stream never runs out of them
_FIRST, _VALID = 4_096, 1_024  # samples of a stream that are drawn before training


@final
class Trainer:
    """Fits an estimator by cross-fitting and reports the value of its bound on held-out samples.

    The samples are split into folds. For each fold the estimator is copied, trained with AdamW (a linear rise of the
    learning rate, then a cosine to zero) on the other folds' samples, stopped early by a proper scoring rule on
    validation samples, and its best weights score the fold's own samples. All bounds are then evaluated on the pooled
    scores. The given estimator is left unchanged.

    Folds are trained side by side, each on one thread when on the CPU; the same seed gives the same number whatever
    the number of workers. Ctrl-C ends a fit with the best result so far and an `interrupted` warning; a second one
    ends it at once.

    Arguments:
        recipe: "quick", "default", "thorough" or a `Recipe`.
        preprocessing: fitted on training samples and applied to both variables; None leaves them as they are.
        nan: what to do about missing and infinite values, "raise" or "drop".
        settings: single settings of `Recipe`, as keywords, but for `bound`, `critic` and `hidden`, which the estimator
            has.

    Raises:
        TypeError, ValueError: if a setting is unknown, of the wrong type or out of its range.

    Example:
        >>> import mibounds as mi
        >>> x, y = mi.tasks.CorrelatedGaussian(2, 0.8).sample(1000, torch.Generator().manual_seed(0))
        >>> estimator = mi.MIEstimator(mi.critics.SeparableCritic(2, 2, hidden=(32,)), mi.bounds.InfoNCE())
        >>> result = mi.Trainer(steps=300, lr=3e-3, folds=2, seed=0).fit(estimator, x, y)
        >>> 0.5 < result.value < 1.3  # truth 1.02
        True
    """

    @takes_settings(without=ESTIMATOR_SETTINGS, computes=False)
    def __init__(
        self,
        recipe: Recipe | str | None = None,
        *,
        preprocessing: Preprocessing | None = Standardize(),  # noqa: B008  (copied before it is fitted)
        nan: MissingPolicy = "raise",
        **settings: Unpack[Settings],
    ):
        if preprocessing is not None and not isinstance(preprocessing, Preprocessing):
            raise TypeError(
                f"preprocessing is a {type(preprocessing).__name__}: expected a Preprocessing, for example "
                "mi.RankGaussianize(), or None."
            )
        self.recipe = Recipe.of(recipe, settings)
        self.preprocessing, self.nan = preprocessing, check_choice("nan", nan, _MISSING)

    @plain_torch()
    def fit(self, estimator: Estimator, x: Any, y: Any, *, groups: Any = None) -> Result:
        """Cross-fit an estimator on paired samples and report its own bound.

        Arguments:
            estimator: copied for every fold and left unchanged.
            x: (N,) or (N, D_x), anything `estimate` takes, but numbers only; or a tensor (N, ...) or tuple of tensors
                that the critic encodes.
            y: (N,) or (N, D_y), likewise.
            groups: (N,) which samples are dependent (of one person, of one day): no group is divided between folds,
                and the standard error is that of groups.

        Returns:
            A `Result` whose value is that of the estimator's bound. A telescope's is the plug-in, marked as
            extrapolated.

        Raises:
            TypeError, ValueError: for data that cannot be used, with one sentence that says why.
        """
        _check_estimator(estimator)
        tensors = _is_encoded(x) or _is_encoded(y)
        types = {
            name: "as given" if _is_encoded(side) or (tensors and isinstance(side, Tensor)) else "continuous"
            for name, side in (("x", x), ("y", y))
        }
        sample = Sample.of(
            x=x, y=y, groups=groups, nan="drop", types=types, drop_constant=False,
            blocked=self.recipe.split == "blocked",
        )  # fmt: skip
        sample.check_tables([name for name, kind in types.items() if kind == "continuous"])
        if self.nan == "raise" and sample.n < sample.given:
            raise ValueError(
                f"x or y has missing or infinite values in {sample.given - sample.n} of {sample.given} rows: fill them "
                'in, or leave out these rows by mi.Trainer(nan="drop").'
            )
        estimator = estimator if tensors else _in_single_precision(estimator)
        preprocessing = None if tensors else self.preprocessing
        name = evaluated_name(estimator.bound)
        with _misfits_explained(estimator, sample):
            evaluation = cross_fit(
                [Candidate(name, estimator, preprocessing)], sample.x.values, sample.y.values, self.recipe,
                groups=sample.groups,
            )  # fmt: skip
        evidence = Evidence(
            evaluation,
            name,
            sample.x.table,
            sample.y.table,
            blocked=self.recipe.split == "blocked",
            plain=preprocessing is None or (isinstance(preprocessing, Standardize) and preprocessing.limit is None),
            extrapolated=estimator.extrapolates,
        )
        warnings = [*sample.warnings, *run_checks(evidence, FIT_CHECKS)]
        choice = Choice(name, extrapolated=estimator.extrapolates)
        result = make_result(evaluation, choice, sample, self.recipe, warnings=warnings)
        issue(result.warnings)
        return result

    @plain_torch()
    def fit_stream(self, estimator: Estimator, sampler: Sampler, *, test_rows: int = 10_000) -> Result:
        """Train an estimator on fresh samples at every step, and report its own bound on fresh samples.

        For simulators and for data that are drawn on demand: no sample may be drawn twice, so there is no overfitting,
        and there are no folds (of given rows make a sampler by `mi.sampler`). Preprocessing and closed-form parts of
        the critic are fitted on 4,096 samples drawn first.

        Arguments:
            estimator: left unchanged; a copy is trained.
            sampler: `sampler(n, generator)` -> (x, y), n paired samples: tensors or arrays (n, ...), tuples of them if
                the critic encodes these. `Task.sample` is one. Floating-point numbers become float32, and integers do
                for a critic of columns.
            test_rows: samples that are drawn for the evaluation.

        Returns:
            A `Result` whose value is that of the estimator's bound, with the warning `ties` if test samples are drawn
            again for training.

        Raises:
            TypeError, ValueError: if the sampler cannot be called like this, or what it returns does not pair, is not
                finite or does not fit the critic.

        Example:
            >>> import mibounds as mi
            >>> task = mi.tasks.CorrelatedGaussian(2, 0.8)
            >>> estimator = mi.MIEstimator(mi.critics.SeparableCritic(2, 2, hidden=(32,)), mi.bounds.InfoNCE())
            >>> result = mi.Trainer(steps=200).fit_stream(estimator, task.sample, test_rows=1000)
            >>> 0.7 < result.value < 1.2  # truth 1.02
            True
        """
        _check_estimator(estimator)
        check_at_least("test_rows", test_rows, 2)
        numbers = estimator.critic.standardizes and estimator.critic.continuous_y
        draw = Drawn(sampler, self.recipe.torch_device, numbers=numbers)
        # Not by the seed of the training, whose batches would be these samples.
        first = torch.Generator().manual_seed(noise_seed(self.recipe.seed, stream=_FIRST))
        x, y = draw(_FIRST + _VALID + test_rows, first)
        order = torch.arange(row_count(x))
        fold = Fold(order[:_FIRST], order[_FIRST : _FIRST + _VALID], order[_FIRST + _VALID :])
        draw.recurrence = Recurrence(take_rows(x, fold.test), take_rows(y, fold.test))
        estimator = _in_single_precision(estimator)
        name = evaluated_name(estimator.bound)
        columns = _is_column_table(x) and _is_column_table(y)
        candidate = Candidate(name, estimator, self.preprocessing if columns else None)
        recipe = self.recipe.filled(_MANY, _FIRST)
        sample = Sample({"x": Variable("x", x), "y": Variable("y", y)}, test_rows, order[:test_rows])
        with _misfits_explained(estimator, sample):
            evaluation = cross_fit_folds([candidate], x, y, [fold], recipe, sampler=draw)
        evaluation = replace(evaluation, tested=order[:test_rows])  # of the samples drawn to test, in their order
        warnings = [*run_checks(Evidence(evaluation, name), [non_finite_steps]), *_recurring(draw.recurrence)]
        choice = Choice(name, extrapolated=estimator.extrapolates)
        result = make_result(evaluation, choice, sample, self.recipe, warnings=warnings)
        issue(result.warnings)
        return result


def _is_encoded(side: Any) -> bool:
    """Does it have more axes than a table, or several tensors, so that the critic has to encode it?"""
    return isinstance(side, tuple) or (isinstance(side, Tensor) and side.dim() > 2)


def _is_column_table(side: Tensors) -> bool:
    """Is it a table of numbers, which preprocessing maps?"""
    return isinstance(side, Tensor) and side.dim() == 2 and side.is_floating_point()


def _recurring(recurrence: Recurrence) -> list[MIWarning]:
    """A warning if a sampler draws test samples again."""
    again, tested = recurrence.drawn_again()
    if not again:
        return []
    return [
        TiesWarning(
            f"{again} of {tested} different test samples were drawn again for training, so the value is too high: the "
            "sampler repeats the rows of a table. Pass mi.sampler(x, y), which sets test rows aside, or fresh samples."
        )
    ]


@contextmanager
def _misfits_explained(estimator: Estimator, sample: Sample) -> Iterator[None]:
    """Errors of torch that say what a critic cannot take become sentences about the samples."""
    try:
        yield
    except (RuntimeError, TypeError) as error:
        why = _misfit(error, sample)
        if why is None:
            raise
        raise ValueError(
            f"{_described(sample.x)} and {_described(sample.y)}, which {type(estimator.critic).__name__} cannot "
            f"score: {why}. Build it for these."
        ) from error


def _misfit(error: Exception, sample: Sample) -> str | None:
    """Why a critic cannot take the samples, if an error of torch says so."""
    widths = layer_widths(error)
    if widths is not None:
        return f"a layer of {widths[1]} inputs gets {widths[0]}"
    several = any(isinstance(variable.values, tuple) for variable in sample.variables.values())
    dtype = any(said in str(error) for said in ("have the same dtype", "should be the same", "scalar types"))
    if dtype or (several and isinstance(error, TypeError)):
        return str(error).rstrip(".")
    return None


def _described(variable: Variable) -> str:
    """What a critic gets of a variable."""
    if variable.table is not None:
        return f"{variable.name} has {variable.width} column{'' if variable.width == 1 else 's'}"
    if isinstance(variable.values, tuple):
        return f"{variable.name} is a tuple of tensors"
    return f"{variable.name} has shape {tuple(variable.values.shape)} ({variable.values.dtype})"


def _in_single_precision(estimator: Estimator) -> Estimator:
    """The estimator, or a copy in float32 of one that was built under another default dtype of torch."""
    built = {parameter.dtype for parameter in estimator.parameters() if parameter.is_floating_point()}
    return estimator if built <= {torch.float32} else copy.deepcopy(estimator).float()


def _check_estimator(estimator: Any) -> None:
    if not isinstance(estimator, Estimator):
        raise TypeError(
            f"estimator is a {type(estimator).__name__}: expected a mi.MIEstimator(critic, bound) or a mi.Telescope."
        )
