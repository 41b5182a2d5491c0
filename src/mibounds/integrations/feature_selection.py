"""Scores of single columns for feature selection: I(X_j;Y), for `SelectKBest` and the like.

A column and the target are a small problem, for which nearest neighbors are accurate and fast; larger groups of columns
get a small critic and a second of training.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, Literal, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import Unpack

from mibounds._checks import check_choice, nearest
from mibounds._random import noise_seed
from mibounds.classical import contingency, entropy, mixed_ksg
from mibounds.data import MissingPolicy, RankGaussianize, Sample, Variable
from mibounds.data.intake import table_of
from mibounds.data.sources import index_of, title_of
from mibounds.data.values import Array, texts
from mibounds.data.variable import shown
from mibounds.estimation.candidates import ranked_candidate
from mibounds.estimation.canonical_order import value_order
from mibounds.integrations.neighbor_scores import Codes, Side, untied, within_labels
from mibounds.training.cross_fitting import cross_fit
from mibounds.training.diagnostics import FIT_CHECKS, Evidence, run_checks
from mibounds.training.interrupts import no_partial_results
from mibounds.training.policy import choose
from mibounds.training.progress_bars import progress_bar
from mibounds.training.recipe import Recipe, Settings, refuse_settings, takes_settings
from mibounds.warnings import IdentifierWarning, MIWarning, issue

__all__ = ["mi_classification", "mi_regression"]

Floats = NDArray[np.float64]
Method = Literal["auto", "critic", "neighbors"]
Function = TypeVar("Function", bound=Callable[..., Any])
_Labels = dict[str, dict[str, Codes]]  # of each variable and column of labels

_DEFAULTS: Settings = {"steps": 200, "folds": 2, "hidden": (32, 32), "lr": 1e-2, "test_negatives": 128}
_OF_NEIGHBORS = {"seed", "progress"}  # settings that nearest neighbors take
_FEW = 4  # columns together, up to which nearest neighbors are the more accurate
_MOST_VALUES = 10  # of an integer column that counts as discrete


def _takes_settings(function: Function) -> Function:
    """`takes_settings`, with the defaults of a small problem in the signature. Weights of rows, which estimates take,
    are refused with what to do: the nearest name would mislead."""
    settled: Any = takes_settings(without=["bootstrap", "learners"])(function)

    @functools.wraps(settled)
    def taken(*arguments: Any, **keywords: Any) -> Any:
        if "sample_weight" in keywords:
            raise TypeError(
                f"{function.__name__} has no argument 'sample_weight': its scores count all rows alike. Keep each row "
                "with a probability in proportion to its weight, kept = rng.random(len(w)) < w / w.max(), and score "
                "X[kept], y[kept]; or call mi.estimate(X_j, y, sample_weight=w) for single columns."
            )
        return settled(*arguments, **keywords)

    signature = inspect.signature(settled)
    parameters = [one.replace(default=_DEFAULTS.get(name, one.default)) for name, one in signature.parameters.items()]
    taken.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return cast(Function, taken)


@_takes_settings
def mi_regression(
    X: Any,
    y: Any,
    *,
    discrete_features: Any = "auto",
    groups: Iterable[Hashable] | None = None,
    method: Method = "auto",
    nan: MissingPolicy = "raise",
    recipe: Recipe | str | None = None,
    **settings: Unpack[Settings],
) -> Floats:
    r"""I(X_j;Y) in nats of each column of X with a target of one or several numbers.

    A single column is scored by nearest neighbors, in milliseconds: nearly without bias up to some five nats. A group
    of more than three columns gets a critic, cross-fitted: every row is scored by a critic that did not train on it, in
    about a second. Its scores are low with a few hundred rows; `folds=5` improves that at 2.5 times the cost. Columns
    that are independent of y score about zero; nearest neighbors also score below it. Warnings name the columns whose
    critic is not to be relied on. Use `mibounds.estimate` on the selected columns for numbers with an interval.

    Fails where columns are informative only together: each of two fair coins is independent of their parity. `groups`
    scores such columns as one.

    Arguments:
        X: (N, D) numbers, an array, a table or a sparse matrix (which is made dense); at least 50 rows.
        y: (N,) or (N, D_y) numbers, paired with X; several columns are one target.
        discrete_features: the columns of X whose values are labels without order: a mask, indices, True for all,
            False for none, or "auto" for those of at most 10 distinct integers. A mask may be a dictionary or a pandas
            series by the names of columns.
        groups: a name for each column, in their order or by their names; columns of one name are scored together and
            each has the score of all, so that `dict(zip(groups, scores))` has one score per name.
        method: "neighbors" for classical estimates (`mibounds.classical.contingency` where both variables are labels,
            `mixed_ksg` where both are numbers, and the estimator of Ross, 2014, for labels and numbers), which are low
            for more than a few columns in a group or in y; "critic" for a trained one; "auto" for neighbors where a
            group and y have at most four encoded columns, and a critic for more, or where a recipe or its settings are
            given.
        nan: "raise"; "drop" the rows with missing or infinite values; or "indicator": fill them in, and score a column
            together with one that says where they were (rows without a y are dropped).
        recipe: of each critic, "quick", "default", "thorough" or a `Recipe`; by default 200 steps, 2 folds, two hidden
            layers of 32, a learning rate of 0.01 and 128 mismatched pairs per test sample.
        settings: single settings of `Recipe` as keywords.

    Returns:
        (D,) scores in nats.

    Raises:
        TypeError, ValueError: if the data or an argument cannot be used; the sentence says why.

    Example:
        >>> import torch
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
    groups: Iterable[Hashable] | None = None,
    method: Method = "auto",
    nan: MissingPolicy = "raise",
    recipe: Recipe | str | None = None,
    **settings: Unpack[Settings],
) -> Floats:
    r"""I(X_j;Y) in nats of each column of X with labels y: `mi_regression` for a target of labels without order.

    All arguments but y are those of `mi_regression`. No score is larger than the entropy of y.

    Arguments:
        X: (N, D) numbers, an array, a table or a sparse matrix (which is made dense); at least 50 rows.
        y: (N,) labels, numbers or text, paired with X; or (N, D_y) for several at once.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> scores = mi_classification(*load_iris(return_X_y=True))
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


def _taken(X: Any, y: Any, discrete_features: Any, nan: MissingPolicy, labels: bool) -> tuple[Sample, _Labels]:
    """The sample of X and y, and their labels; no column is left out, since every column of X has a score."""
    dense = X.toarray() if hasattr(X, "toarray") else X
    columns = table_of(dense, "X")[0]
    kinds = {"X": _kinds(columns, discrete_features), "y": "categorical" if labels else "continuous"}
    sample = Sample.of(X=dense, y=y, nan=nan, types=kinds, drop_constant=False)
    sample.check_tables(["X", "y"])
    issue([_of_a_score(one) for one in sample.warnings])
    kept = sample.kept.numpy()
    given = {"X": columns, "y": table_of(y, "y")[0]}
    return sample, {
        name: {one.name: _codes(given[name][one.name][kept]) for one in variable.encodings if one.is_label}
        for name, variable in sample.variables.items()
    }


def _codes(column: Array) -> Codes:
    """Labels (N,) numbered from 0, none of them merged; a missing one is a label, too."""
    found = texts(column)
    number = {text: i for i, text in enumerate(sorted(set(found), key=lambda one: (one is not None, one)))}
    return np.array([number[text] for text in found], dtype=np.int64)


def _of_a_score(warning: MIWarning) -> MIWarning:
    """A warning of a sample as one of scores, from which no identifier is left out."""
    what, left_out, _ = str(warning).partition(": it is left out")
    if not (isinstance(warning, IdentifierWarning) and left_out):
        return warning
    return IdentifierWarning(f"{what}: scores with it mean nothing.")


def _scores(taken: tuple[Sample, _Labels], groups: Any, method: str, recipe: Recipe) -> Floats:
    """The score of each given column of X."""
    sample, labels = taken
    X, y = sample.variables["X"], sample.variables["y"]
    titles = [] if X.schema is None else [encoding.name for encoding in X.schema.encodings]
    names = _group_names(groups, titles)
    members: dict[Hashable, list[str]] = {}
    for title, name in zip(titles, names, strict=True):
        members.setdefault(name, []).append(title)
    found: dict[Hashable, float] = {}
    warned: list[tuple[Hashable, MIWarning]] = []
    for name, group in progress_bar(recipe.progress, members.items(), unit="column"):
        x = X.only([column for column, origin in X.origins.items() if origin in group])
        own = replace(recipe.part(str(name)), progress=False)
        few = _columns(x) + _columns(y) <= _FEW
        neighbors = method == "neighbors" or (method == "auto" and few)
        if neighbors:
            found[name] = _by_neighbors(x, y, labels, recipe.seed)
        else:
            found[name], diagnostics = _by_critic(x, y, own)
            warned += [(name, one) for one in diagnostics]
    issue(_of_scores(warned))
    return np.array([found[name] for name in names])


def _of_scores(warned: Sequence[tuple[Hashable, MIWarning]]) -> list[MIWarning]:
    """One warning of each class, with the names of all columns or groups that it is about."""
    by_class: dict[type[MIWarning], list[tuple[Hashable, MIWarning]]] = {}
    for name, one in warned:
        by_class.setdefault(type(one), []).append((name, one))
    found = []
    for kind, several in by_class.items():
        names = shown([str(name) for name, _ in several])
        found.append(
            kind(f"The score of {names}: {several[0][1]}")
            if len(several) == 1
            else kind(f"{len(several)} scores, those of {names}. Of the first: {several[0][1]}")
        )
    return found


def _group_names(groups: Any, titles: Sequence[str]) -> list[Hashable]:
    """The name of each column's group."""
    if groups is None:
        return [*titles]
    if isinstance(groups, str) or not isinstance(groups, Iterable):
        raise TypeError(f"groups is {groups!r}: expected a list with a name for each column of X.")
    names = list(_by_column(groups, titles, "groups"))
    if len(names) != len(titles):
        raise ValueError(f"groups has {len(names)} names, and X has {len(titles)} columns: give one name for each.")
    for name in names:
        if not isinstance(name, Hashable) or not _hashes(name):
            raise TypeError(
                f"groups holds {name!r}, a {type(name).__name__}: expected one name for each column of X, text or a "
                'number, for example ["size", "size", "age"].'
            )
    return names


def _hashes(name: Hashable) -> bool:
    """A tuple with a list in it is Hashable by its type only."""
    try:
        hash(name)
    except TypeError:
        return False
    return True


def _columns(variable: Variable) -> int:
    """How many columns a variable has, a label being one."""
    return 1 if variable.is_label else variable.width


def _by_critic(x: Variable, y: Variable, recipe: Recipe) -> tuple[float, list[MIWarning]]:
    """The cross-fitted estimate, chosen as by `mibounds.estimate`, and its diagnostics: of a label that of the critics
    as classifiers, at most its entropy, and never below zero."""
    first, second = _values(x), _values(y)
    if _is_constant(first) or _is_constant(second):
        return 0.0, []
    entropies = {side: one.label_entropy for side, one in (("x", x), ("y", y))}
    limit = min((one for one in entropies.values() if one is not None), default=None)
    blocked = recipe.split == "blocked" or recipe.cv is not None
    order = slice(None) if blocked else value_order(first, second)  # folds and batches are drawn by place
    a, b = first[order], second[order]
    with no_partial_results():
        evaluation = cross_fit([ranked_candidate(a, b, recipe)], a, b, recipe, calibrate=True)
    if limit is not None:
        evaluation = evaluation.with_classifier(a, b, "x" if entropies["x"] == limit else "y")
    choice = choose(evaluation, limit)
    evidence = Evidence(evaluation, choice.method, first, second, entropy=limit, extrapolated=choice.extrapolated)
    value = choice.limited(max(evaluation.by_bound[choice.method].value(), 0.0))
    return value, [*evaluation.warnings, *run_checks(evidence, FIT_CHECKS)]


def _by_neighbors(x: Variable, y: Variable, labels: _Labels, seed: int) -> float:
    """The plug-in estimate of counts for labels, and that of nearest neighbors otherwise; no more than the entropy of a
    variable of labels."""
    first, second = _side(x, labels["X"]), _side(y, labels["y"])
    if _is_single(first) or _is_single(second):
        return 0.0
    bare = [side for side in (first, second) if not side.numbers.shape[1]]
    limit = min((entropy(side.labels) for side in bare), default=math.inf)
    if len(bare) == 2:
        return min(contingency(first.labels, second.labels, correction="miller-madow"), limit)
    if not (first.labels.any() or second.labels.any()):
        return mixed_ksg(first.numbers, second.numbers, seed=seed)
    return min(within_labels(*untied(first, second, noise_seed(seed))), limit)


def _side(variable: Variable, labels: Mapping[str, Codes]) -> Side:
    """The labels of a variable, and its numbers as normal scores."""
    table = _values(variable)
    owns = [one.name for one in variable.encodings if one.is_label]
    codes = np.zeros(len(table), dtype=np.int64)
    if owns:
        _, codes = np.unique(np.stack([labels[name] for name in owns], 1), axis=0, return_inverse=True)
    numbers = table[:, [i for i, column in enumerate(variable.columns) if variable.origins[column] not in owns]]
    scores = RankGaussianize().fit(numbers)(numbers) if numbers.shape[1] else numbers
    return Side(scores.double().numpy(), codes.reshape(-1))


def _is_single(side: Side) -> bool:
    """Has it one value throughout?"""
    return not side.labels.any() and not np.ptp(side.numbers, 0).any()


def _values(variable: Variable) -> Tensor:
    assert variable.table is not None
    return variable.table


def _is_constant(values: Tensor) -> bool:
    return bool((values == values[0]).all())


def _kinds(columns: Mapping[str, Any], given: Any) -> dict[str, str]:
    """The kinds of the columns of X, by name."""
    titles = [*columns]
    if isinstance(given, bool | np.bool_):
        return dict.fromkeys(titles, "categorical" if given else "continuous")
    if isinstance(given, str) and given == "auto":
        return {title: "categorical" for title, column in columns.items() if _few_integers(column)}
    chosen = _entries(_by_column(given, titles, "discrete_features"))
    if chosen and all(isinstance(one, bool | np.bool_) for one in chosen):
        if len(chosen) != len(titles):
            raise ValueError(
                f"discrete_features has {len(chosen)} entries, and X has {len(titles)} columns: give one for each."
            )
        chosen = np.flatnonzero(chosen).tolist()
    mask = np.zeros(len(titles), dtype=bool)
    for one in chosen:
        place = titles.index(one) if isinstance(one, str) and one in titles else one
        whole = isinstance(place, Integral) and not isinstance(place, bool)
        if not (whole and -len(titles) <= place < len(titles)):
            known = nearest(str(one), titles)
            raise ValueError(f"discrete_features names a column {one!r} that X does not have. {known}")
        mask[place] = True
    return {title: "categorical" if one else "continuous" for title, one in zip(titles, mask, strict=True)}


def _by_column(given: Any, titles: Sequence[str], name: str) -> Any:
    """What a dictionary, or a pandas series, says of the columns, in the order of these; anything else as it is."""
    keys = given if isinstance(given, Mapping) else index_of(given)
    if keys is None:
        return given
    place = {title_of(key): i for i, key in enumerate(keys)}
    missing = [title for title in titles if title not in place]
    if missing and isinstance(given, Mapping):
        raise ValueError(f"{name} has no entry for column {missing[0]!r} of X: give one for each column.")
    values = list(given.values() if isinstance(given, Mapping) else given)
    return values if missing else [values[place[title]] for title in titles]


def _entries(given: Any) -> list[Any]:
    """A mask, indices or names as a list."""
    listed = given.tolist() if hasattr(given, "tolist") else given
    if isinstance(listed, str):
        raise ValueError(f"discrete_features is {listed!r}: expected 'auto', True, False, a mask or indices.")
    if not isinstance(listed, Iterable):
        raise TypeError(
            f"discrete_features is {listed!r}: expected 'auto', True, False, a mask or a list of indices, for example "
            "[0]."
        )
    return list(listed)


def _few_integers(column: NDArray[Any]) -> bool:
    if column.dtype.kind not in "fiu":
        return False  # the kinds of text and booleans are inferred
    values = np.unique(column[np.isfinite(column)])
    return len(values) <= _MOST_VALUES and bool((values == values.round()).all())
