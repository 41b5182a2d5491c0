"""A lower bound of mutual information from boosted trees: out-of-fold predictions of y from a table."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import norm
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import KFold, StratifiedKFold

FOLDS, BINS = 5, 8
SETTINGS = {"learning_rate": 0.06, "max_leaf_nodes": 15, "early_stopping": True, "random_state": 0}
MOST_CATEGORIES = 250
RANGES = [(-3.0, 3.0), (-15.0, 5.0)]  # of the logarithm of the temperature, and of the logit of what is mixed in


class TreeBound(NamedTuple):
    """A lower bound of I(X;Y).

    Attributes:
        value: in nats.
        stderr: its standard error.
        kind: "label", "Gaussian" or "bins".
    """

    value: float
    stderr: float
    kind: str


def tree_bound(x: pd.DataFrame, y: pd.Series, label: bool) -> TreeBound:
    """The bound: of a label, mean ln q(y|x) - ln p(y); of a number, the larger of two.

    A number becomes normal scores, ties broken at random, which adds no information. Of these, the Gaussian bound is
    ln(Var/MSE)/2, and the other is that of a label of eight equally frequent bins. q has one temperature and a
    fraction of p(y) mixed in, two fitted constants.
    """
    encoded = _encoded(x)
    if label:
        return TreeBound(*_label_bound(encoded, y.astype(str).to_numpy()), "label")
    noise = np.random.default_rng(0).random(len(y))
    order = np.lexsort((noise, y.to_numpy()))
    ranks = np.empty(len(y))
    ranks[order] = np.arange(len(y))
    scores = norm.ppf((ranks + 0.5) / len(y))
    gaussian = TreeBound(*_gaussian_bound(encoded, scores), "Gaussian")
    bins = TreeBound(*_label_bound(encoded, (BINS * ranks // len(y)).astype(int)), "bins")
    return max(gaussian, bins)


def _encoded(x: pd.DataFrame) -> pd.DataFrame:
    """Text as categories, or as numbers where there are too many for the trees."""
    columns = {}
    for name, column in x.items():
        if not pd.api.types.is_numeric_dtype(column):
            codes = column.astype("category")
            column = codes if codes.cat.categories.size <= MOST_CATEGORIES else codes.cat.codes  # noqa: PLW2901
        columns[str(name)] = column.astype(int) if pd.api.types.is_bool_dtype(column) else column
    return pd.DataFrame(columns)


def _gaussian_bound(x: pd.DataFrame, scores: np.ndarray) -> tuple[float, float]:
    predicted = np.empty(len(scores))
    for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(x):
        model = HistGradientBoostingRegressor(max_iter=500, categorical_features="from_dtype", **SETTINGS)
        predicted[test] = model.fit(x.iloc[train], scores[train]).predict(x.iloc[test])
    squares = (scores - predicted) ** 2
    value = 0.5 * math.log(scores.var() / squares.mean())
    return value, 0.5 * float(squares.std() / squares.mean()) / math.sqrt(len(scores))


def _label_bound(x: pd.DataFrame, labels: np.ndarray) -> tuple[float, float]:
    classes, codes = np.unique(labels, return_inverse=True)
    prior = np.bincount(codes) / len(codes)
    log_p = np.full((len(codes), len(classes)), -math.inf)
    rare = np.bincount(codes).min() < FOLDS
    splitter = (KFold if rare else StratifiedKFold)(FOLDS, shuffle=True, random_state=0)
    for train, test in splitter.split(x, codes):
        model = HistGradientBoostingClassifier(max_iter=300, categorical_features="from_dtype", **SETTINGS)
        seen = codes[train]
        if np.bincount(seen).min(initial=FOLDS) < 2 or np.bincount(seen)[np.unique(seen)].min() < 2:
            model.set_params(early_stopping=False, max_iter=100)  # its validation rows are stratified
        model.fit(x.iloc[train], seen)
        probabilities = model.predict_proba(x.iloc[test])
        log_p[test[:, None], model.classes_[None]] = np.log(np.maximum(probabilities, 1e-12))
    rows = np.arange(len(codes))

    def log_likelihoods(constants: np.ndarray) -> np.ndarray:
        temperature, mixed = math.exp(constants[0]), 1 / (1 + math.exp(-constants[1]))
        scaled = log_p / temperature
        q = np.exp(scaled - scaled.max(1, keepdims=True))
        q /= q.sum(1, keepdims=True)
        return np.log((1 - mixed) * q[rows, codes] + mixed * prior[codes])

    best = minimize(lambda c: -log_likelihoods(c).mean(), np.array([0.0, -4.0]), method="Nelder-Mead", bounds=RANGES)
    gains = log_likelihoods(best.x) - np.log(prior[codes])
    return float(gains.mean()), float(gains.std()) / math.sqrt(len(codes))
