"""Scores of single columns for feature selection: I(X_j;Y), for `SelectKBest` and the like.

A column and the target are a small problem, for which nearest neighbors are accurate and fast; larger groups of columns
get a small critic and a second of training.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import Unpack

from mibounds._checks import check_choice, nearest
from mibounds.classical import contingency, mixed_ksg
from mibounds.data import MissingPolicy, RankGaussianize, Sample, Variable
from mibounds.data.intake import table_of
from mibounds.estimation.candidates import ranked_candidate
from mibounds.training.cross_fitting import cross_fit
from mibounds.training.interrupts import no_partial_results
from mibounds.training.progress_bars import progress_bar
from mibounds.training.recipe import Recipe, Settings, refuse_settings, takes_settings
from mibounds.warnings import IdentifierWarning, MIWarning, issue

__all__ = ["mi_classification", "mi_regression"]

Floats = NDArray[np.float64]
Method = Literal["auto", "critic", "neighbors"]
Function = TypeVar("Function", bound=Callable[..., Any])

_DEFAULTS: Settings = {"steps": 200, "folds": 2, "hidden": (32, 32), "lr": 1e-2, "test_negatives": 128}
_OF_NEIGHBORS = {"seed", "progress"}  # settings that nearest neighbors take
_FEW = 4  # columns together, up to which nearest neighbors are the more accurate
_MOST_VALUES = 10  # of an integer column that counts as discrete
_TRACE = 1e-10
_APART = 100.0  # distance between labels: larger than any distance between normal scores


def _takes_settings(function: Function) -> Function:
    """`takes_settings`, with the defaults of a small problem in the signature."""
    taken: Any = takes_settings(without=["bootstrap", "learners"])(function)
    signature = inspect.signature(taken)
    parameters = [one.replace(default=_DEFAULTS.get(name, one.default)) for name, one in signature.parameters.items()]
    taken.__signature__ = signature.replace(parameters=parameters)
    checked: Function = taken
    return checked


@_takes_settings
def mi_regression(
    X: Any,
    y: Any,
    *,
    discrete_features: Any = "auto",
    groups: Sequence[Hashable] | None = None,
    method: Method = "auto",
    nan: MissingPolicy = "raise",
    recipe: Recipe | str | None = None,
    **settings: Unpack[Settings],
) -> Floats:
    r"""I(X_j;Y) in nats of each column of X with a target of one or several numbers.

    A single column is scored by nearest neighbors, in milliseconds: nearly without bias up to some five nats. A group
    of more than three columns gets a critic, cross-fitted: every row is scored by a critic that did not train on it, in
    about a second. Its scores are low with a few hundred rows; `folds=5` improves that at 2.5 times the cost. Columns
    that are independent of y score about zero, possibly below. Use `mibounds.estimate` on the selected columns for
    numbers with an interval.

    Fails where columns are informative only together: each of two fair coins is independent of their parity. `groups`
    scores such columns as one.

    Arguments:
        X: (N, D) numbers, an array, a table or a sparse matrix (which is made dense); at least 50 rows.
        y: (N,) or (N, D_y) numbers, paired with X; several columns are one target.
        discrete_features: the columns of X whose values are labels without order: a mask, indices, True for all,
            False for none, or "auto" for those of at most 10 distinct integers.
        groups: a name for each column; columns of one name are scored together and each has the score of all, so
            that `dict(zip(groups, scores))` has one score per name.
        method: "neighbors" for the classical estimates of `mibounds.classical` (`contingency` where both variables are
            labels, else `mixed_ksg`), which are low for more than a few columns in a group or in y; "critic" for a
            trained one; "auto" for neighbors where a group and y have at most four encoded columns, and a critic for
            more, or where a recipe or its settings are given.
        nan: "raise", or "drop" the rows with missing or infinite values.
        recipe: of each critic, "quick", "default", "thorough" or a `Recipe`; by default 200 steps, 2 folds, two hidden
            layers of 32, a learning rate of 0.01 and 128 mismatched pairs per test sample.
        settings: single settings of `Recipe` as keywords.

    Returns:
        (D,) scores in nats.

    Raises:
        TypeError, ValueError: if the data or an argument cannot be used; the sentence says why.

    Example:
        >>> X, noise = torch.randn(2, 300, 2, generator=torch.Generator().manual_seed(0))
        >>> scores = mi_regression(X, X[:, :1] + 0.5 * noise, steps=60)
        >>> bool(scores[0] > 0.5 > scores[1])
        True
    """
    chosen = _method(method, recipe, settings)
    sample = _taken(X, y, discrete_features, nan, labels=False)
    return _scores(sample, groups, chosen, _recipe(recipe, settings))


@_takes_settings
def mi_classification(
    X: Any,
    y: Any,
    *,
    discrete_features: Any = "auto",
    groups: Sequence[Hashable] | None = None,
    method: Method = "auto",
    nan: MissingPolicy = "raise",
    recipe: Recipe | str | None = None,
    **settings: Unpack[Settings],
) -> Floats:
    r"""I(X_j;Y) in nats of each column of X with labels y: `mi_regression` for a target of labels without order.

    All arguments but y are those of `mi_regression`. The entropy of y is the largest possible score, up to the error of
    the estimate.

    Arguments:
        X: (N, D) numbers, an array, a table or a sparse matrix (which is made dense); at least 50 rows.
        y: (N,) labels, numbers or text, paired with X; or (N, D_y) for several at once.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> scores = mi_classification(*load_iris(return_X_y=True), steps=60)
        >>> bool(min(scores[2:]) > max(scores[:2]))  # petals are more informative than sepals
        True
    """
    chosen = _method(method, recipe, settings)
    sample = _taken(X, y, discrete_features, nan, labels=True)
    return _scores(sample, groups, chosen, _recipe(recipe, settings))


def _method(method: Method, recipe: Recipe | str | None, settings: Mapping[str, Any]) -> str:
    """What settings of a training ask for is a critic."""
    check_choice("method", method, ("auto", "critic", "neighbors"))
    if method == "neighbors":
        refuse_settings(recipe, settings, _OF_NEIGHBORS, "method='neighbors' trains no critics")
    trained = recipe is not None or bool(set(settings) - _OF_NEIGHBORS)
    return "critic" if method == "auto" and trained else method


def _recipe(recipe: Recipe | str | None, settings: Mapping[str, Any]) -> Recipe:
    return Recipe.of(Recipe(**_DEFAULTS) if recipe is None else recipe, settings)


def _taken(X: Any, y: Any, discrete_features: Any, nan: MissingPolicy, labels: bool) -> Sample:
    """The sample of X and y; no column is left out, since every column of X has a score."""
    dense = X.toarray() if hasattr(X, "toarray") else X
    kinds = {
        "X": _kinds(table_of(dense, "X")[0], discrete_features),
        "y": "categorical" if labels else "continuous",
    }
    sample = Sample.of(X=dense, y=y, nan=nan, types=kinds, drop_constant=False)
    sample.check_tables(["X", "y"])
    issue([_of_a_score(one) for one in sample.warnings])
    return sample


def _of_a_score(warning: MIWarning) -> MIWarning:
    """A warning of a sample as one of scores, from which no identifier is left out."""
    what, left_out, _ = str(warning).partition(": it is left out")
    if not (isinstance(warning, IdentifierWarning) and left_out):
        return warning
    return IdentifierWarning(f"{what}: scores with it mean nothing.")


def _scores(sample: Sample, groups: Sequence[Hashable] | None, method: str, recipe: Recipe) -> Floats:
    """The score of each given column of X."""
    X, y = sample.variables["X"], sample.variables["y"]
    titles = [] if X.schema is None else [encoding.name for encoding in X.schema.encodings]
    names = titles if groups is None else list(groups)
    if len(names) != len(titles):
        raise ValueError(f"groups has {len(names)} names, and X has {len(titles)} columns: give one name for each.")
    members: dict[Hashable, list[str]] = {}
    for title, name in zip(titles, names, strict=True):
        members.setdefault(name, []).append(title)
    found: dict[Hashable, float] = {}
    for name, group in progress_bar(recipe.progress, members.items(), unit="column"):
        x = X.only([column for column, origin in X.origins.items() if origin in group])
        own = replace(recipe.part(str(name)), progress=False)
        few = _columns(x) + _columns(y) <= _FEW
        neighbors = method == "neighbors" or (method == "auto" and few)
        found[name] = _by_neighbors(x, y, recipe.seed) if neighbors else _by_critic(x, y, own)
    return np.array([found[name] for name in names])


def _columns(variable: Variable) -> int:
    """How many columns a variable has, a label being one."""
    return 1 if variable.is_label else variable.width


def _by_critic(x: Variable, y: Variable, recipe: Recipe) -> float:
    """The cross-fitted InfoNCE estimate."""
    first, second = _values(x), _values(y)
    if _is_constant(first) or _is_constant(second):
        return 0.0
    with no_partial_results():
        evaluation = cross_fit([ranked_candidate(first, second, recipe)], first, second, recipe, calibrate=True)
    return evaluation.required("contrastive", "lower").value()


def _by_neighbors(x: Variable, y: Variable, seed: int) -> float:
    """The plug-in estimate of counts for labels, and the mixed KSG estimate otherwise."""
    first, second = _values(x), _values(y)
    if _is_constant(first) or _is_constant(second):
        return 0.0
    if all(encoding.is_label for encoding in (*x.encodings, *y.encodings)):
        return contingency(first, second, correction="miller-madow")
    return mixed_ksg(_without_ties(x, seed), _without_ties(y, seed))


def _values(variable: Variable) -> Tensor:
    assert variable.table is not None
    return variable.table


def _is_constant(values: Tensor) -> bool:
    return bool((values == values[0]).all())


def _kinds(columns: Mapping[str, Any], given: Any) -> dict[str, str]:
    """The kinds of the columns of X, by name."""
    titles = [*columns]
    if isinstance(given, str):
        if given != "auto":
            raise ValueError(f"discrete_features is {given!r}: expected 'auto', True, False, a mask or indices.")
        return {title: "categorical" for title, column in columns.items() if _few_integers(column)}
    if isinstance(given, bool):
        return dict.fromkeys(titles, "categorical" if given else "continuous")
    chosen = np.asarray(given)
    if chosen.dtype == bool and len(chosen) != len(titles):
        raise ValueError(
            f"discrete_features has {len(chosen)} entries, and X has {len(titles)} columns: give one for each."
        )
    mask = np.zeros(len(titles), dtype=bool)
    for one in chosen.tolist() if chosen.dtype != bool else np.flatnonzero(chosen).tolist():
        place = titles.index(one) if one in titles else one
        if not isinstance(place, int) or not -len(titles) <= place < len(titles):
            known = nearest(str(one), titles)
            raise ValueError(f"discrete_features names a column {one!r} that X does not have. {known}")
        mask[place] = True
    return {title: "categorical" if one else "continuous" for title, one in zip(titles, mask, strict=True)}


def _few_integers(column: NDArray[Any]) -> bool:
    if column.dtype.kind not in "fiu":
        return False  # the kinds of text and booleans are inferred
    values = np.unique(column[np.isfinite(column)])
    return len(values) <= _MOST_VALUES and bool((values == values.round()).all())


def _without_ties(variable: Variable, seed: int) -> Tensor:
    """In float64, labels far apart from each other, and normal scores with a trace of noise: rounded numbers have many
    neighbors at the same distance, of which nearest neighbors would count too few."""
    values = _values(variable)
    kinds = {name: encoding.is_label for encoding in variable.encodings for name in encoding.names}
    ranks: Tensor = RankGaussianize().fit(values)(values).double()
    noise = torch.randn(ranks.shape, generator=torch.Generator().manual_seed(seed), dtype=ranks.dtype)
    discrete = torch.tensor([kinds[name] for name in variable.columns])
    return torch.where(discrete, _APART * values.double(), ranks + _TRACE * noise)
