"""One score per column: what each tells of a target, for `SelectKBest` and the like.

A column and the target alone are a small problem, so a small critic learns it in about a second.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mibounds.bounds import InfoNCE
from mibounds.choices import build_critic
from mibounds.classical import contingency, mixed_ksg
from mibounds.critics import Encoded, GaussianCritic, WithOffset
from mibounds.data import Columns, MissingPolicy, RankGaussianize, intake_rows
from mibounds.data.sources import columns_of
from mibounds.estimators.mi_estimator import MIEstimator
from mibounds.networks import WithRadius
from mibounds.training import Candidate, Trainer
from mibounds.training.interrupts import no_partial_results

__all__ = ["mi_classification", "mi_regression"]

Floats = NDArray[np.float64]
Method = Literal["critic", "neighbors"]
_MOST_VALUES = 10  # of an integer column that counts as discrete
_NEGATIVES = 128  # mismatched pairs of a row that is read
_TRACE = 1e-10
_APART = 100.0  # labels are farther from each other than ranked numbers ever are


def mi_regression(
    X: Any,
    y: Any,
    *,
    discrete_features: Any = "auto",
    groups: Sequence[Hashable] | None = None,
    method: Method = "critic",
    steps: int = 200,
    folds: int = 2,
    hidden: Sequence[int] = (32, 32),
    lr: float = 1e-2,
    nan: MissingPolicy = "raise",
    seed: int = 0,
    device: str | torch.device | None = None,
) -> Floats:
    r"""I(X_j;Y) in nats of each column of X with a target of one or several numbers.

    A critic is cross-fitted for each column, and every row is scored by one that never saw it. Columns that share
    nothing with y score about zero, on either side of it. A column costs about a second of one core, hardly more for
    many rows. This is enough to rank columns; a few hundred rows read low, `folds=5` less so at 2.5 times the cost.
    `mi.estimate` on the columns that are left takes the care that a reported number needs.

    Fails where columns tell of y only together: the parity of two coins is independent of each. `groups` scores such
    columns as one.

    Arguments:
        X: (N, D) numbers, an array, a table or a sparse matrix (which is made dense); at least 50 rows.
        y: (N,) or (N, D_y) numbers, paired with X; several columns are one target.
        discrete_features: the columns of X whose values are labels without order: a mask, indices, True for all,
            False for none, or "auto" for those of at most 10 distinct integers.
        groups: a name for each column; columns of one name are scored together and each carry the score of all, so
            that `dict(zip(groups, scores))` has one score per name.
        method: "critic"; or "neighbors" for the classical estimates of `mibounds.classical` (`contingency` where both
            sides are labels, else `mixed_ksg`), quicker by far, and low for more than a few columns in a group or y.
        steps: training steps of a critic.
        folds: of the rows, each scored by a critic that trained on the others.
        hidden: widths of a critic's hidden layers.
        lr: peak learning rate.
        nan: "raise", or "drop" the rows with missing or infinite values.
        seed: the same seed gives the same scores.
        device: "cpu", "cuda", ...

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
    recipe = _Recipe(steps, folds, hidden, lr, seed, device)
    return _scores(X, y, method, groups, discrete_features, nan, False, recipe)


def mi_classification(
    X: Any,
    y: Any,
    *,
    discrete_features: Any = "auto",
    groups: Sequence[Hashable] | None = None,
    method: Method = "critic",
    steps: int = 200,
    folds: int = 2,
    hidden: Sequence[int] = (32, 32),
    lr: float = 1e-2,
    nan: MissingPolicy = "raise",
    seed: int = 0,
    device: str | torch.device | None = None,
) -> Floats:
    r"""I(X_j;Y) in nats of each column of X with labels y.

    As `mi_regression`, of which the arguments are, but for a target of labels without order. No score is above the
    entropy of y.

    Arguments:
        X: (N, D) numbers, an array, a table or a sparse matrix (which is made dense); at least 50 rows.
        y: (N,) labels, numbers or text, paired with X; or (N, D_y) for several at once.
        discrete_features: the columns of X whose values are labels; see `mi_regression`.
        groups: a name for each column; columns of one name are scored together.
        method: "critic" or "neighbors".
        steps, folds, hidden, lr, nan, seed, device: as there.

    Returns:
        (D,) scores in nats.

    Raises:
        TypeError, ValueError: if the data or an argument cannot be used; the sentence says why.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> scores = mi_classification(*load_iris(return_X_y=True), steps=60)
        >>> bool(min(scores[2:]) > max(scores[:2]))  # petals tell more than sepals
        True
    """
    recipe = _Recipe(steps, folds, hidden, lr, seed, device)
    return _scores(X, y, method, groups, discrete_features, nan, True, recipe)


@dataclass(frozen=True)
class _Recipe:
    """How a column's critic is trained."""

    steps: int
    folds: int
    hidden: Sequence[int]
    lr: float
    seed: int
    device: str | torch.device | None

    def read(self, x: Tensor, y: Tensor) -> float:
        """What InfoNCE reads on rows that the critic has not seen, in nats."""
        network = build_critic("separable", x.shape[1] + 1, y.shape[1] + 1, self.seed, hidden=self.hidden)
        critic = WithOffset(Encoded(network, WithRadius(), WithRadius()), GaussianCritic(radial=True))
        estimator = MIEstimator(critic, InfoNCE(), symmetric=True)
        trainer = Trainer(
            steps=self.steps,
            folds=self.folds,
            lr=self.lr,
            seed=self.seed,
            device=self.device,
            test_negatives=_NEGATIVES,
        )
        with no_partial_results():
            readings = trainer.read([Candidate("quick", estimator, RankGaussianize())], x, y, calibrate=True)
        return readings.by_name["InfoNCE"].value()


def _scores(
    X: Any,
    y: Any,
    method: str,
    groups: Sequence[Hashable] | None,
    discrete_features: Any,
    nan: MissingPolicy,
    labels: bool,
    recipe: _Recipe,
) -> Floats:
    if method not in ("critic", "neighbors"):
        raise ValueError(f"method is {method!r}, and must be 'critic' or 'neighbors'.")
    dense = X.toarray() if hasattr(X, "toarray") else X
    kinds = {"X": _kinds(columns_of(dense, "X")[0], discrete_features), "y": "categorical" if labels else "continuous"}
    (table, target), caught = intake_rows({"X": dense, "y": y}, nan, drop_constant=False, kinds=kinds)
    for warning in caught:
        warnings.warn(warning, stacklevel=3)
    titles = [encoding.name for encoding in table.encodings]
    names = titles if groups is None else list(groups)
    if len(names) != len(titles):
        raise ValueError(f"groups has {len(names)} names, and X has {len(titles)} columns: give one name for each.")
    members: dict[Hashable, list[str]] = {}
    for title, name in zip(titles, names, strict=True):
        members.setdefault(name, []).append(title)
    found: dict[Hashable, float] = {}
    for name, group in members.items():
        sides = _part(table, group), _part(target, [encoding.name for encoding in target.encodings])
        x, y = (values for values, _ in sides)
        if any(bool((side == side[0]).all()) for side in (x, y)):
            found[name] = 0.0  # a constant shares nothing
        elif method == "critic":
            found[name] = recipe.read(x, y)
        elif all(discrete.all() for _, discrete in sides):
            found[name] = contingency(x, y)
        else:
            found[name] = mixed_ksg(*(_untied(*side, recipe.seed) for side in sides))
    return np.array([found[name] for name in names])


def _kinds(columns: Mapping[str, Any], given: Any) -> dict[str, str]:
    """What the columns of X are, by name."""
    titles = [*columns]
    if isinstance(given, str):
        if given != "auto":
            raise ValueError(f"discrete_features is {given!r}, and must be 'auto', True, False, a mask or indices.")
        return {title: "categorical" for title, column in columns.items() if _few_integers(column)}
    if isinstance(given, bool):
        return dict.fromkeys(titles, "categorical" if given else "continuous")
    chosen = np.asarray(given)
    if chosen.dtype == bool and len(chosen) != len(titles):
        raise ValueError(
            f"discrete_features has {len(chosen)} entries, and X has {len(titles)} columns: give one for each."
        )
    mask = np.zeros(len(titles), dtype=bool)
    mask[chosen if chosen.size else []] = True
    return {title: "categorical" if one else "continuous" for title, one in zip(titles, mask, strict=True)}


def _few_integers(column: NDArray[Any]) -> bool:
    if column.dtype.kind not in "fiu":
        return False  # text and the like speak for themselves
    values = np.unique(column[np.isfinite(column)])
    return len(values) <= _MOST_VALUES and bool((values == values.round()).all())


def _part(table: Columns, titles: Sequence[str]) -> tuple[Tensor, Tensor]:
    """The columns of numbers that these columns became, and which of them stand for labels."""
    kinds = {name: e.kind == "categorical" for e in table.encodings if e.name in titles for name in e.names}
    kept = [i for i, name in enumerate(table.names) if name in kinds]
    return table.values[:, kept], torch.tensor([kinds[table.names[i]] for i in kept])


def _untied(values: Tensor, discrete: Tensor, seed: int) -> Tensor:
    """In float64 labels far apart from each other, and ranked numbers with a trace of noise: rounded ones have many
    neighbors at the same distance, of which nearest neighbors would count too few."""
    ranks: Tensor = RankGaussianize().fit(values)(values).double()
    noise = torch.randn(ranks.shape, generator=torch.Generator().manual_seed(seed), dtype=ranks.dtype)
    return torch.where(discrete, _APART * values.double(), ranks + _TRACE * noise)
