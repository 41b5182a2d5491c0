"""One fit of an estimator of benchmark-mi; runs in its environment."""

from itertools import product

import numpy as np
from bmi.estimators import CCAMutualInformationEstimator, InfoNCEEstimator, KSGEnsembleFirstEstimator

import report

GRID = tuple(product((0.1, 0.01), ((16, 8), (64, 32))))  # learning rate, hidden layers
FRESH = 1_000


def _infonce(x: np.ndarray, y: np.ndarray, seed: int) -> float:
    return InfoNCEEstimator(seed=seed, verbose=False).estimate(x, y)  # halves the rows itself, and reads one half


def _tuned(x: np.ndarray, y: np.ndarray, seed: int) -> float:
    """The setting that reads most on its held-out half, fitted again with other halves."""

    def fit(setting: tuple[float, tuple[int, ...]], seed: int) -> float:
        rate, hidden = setting
        return InfoNCEEstimator(learning_rate=rate, hidden_layers=hidden, seed=seed, verbose=False).estimate(x, y)

    return fit(max(GRID, key=lambda setting: fit(setting, seed)), FRESH + seed)


def _ksg(x: np.ndarray, y: np.ndarray, _seed: int) -> float:
    return KSGEnsembleFirstEstimator().estimate(x, y)


def _ksg_of_three(x: np.ndarray, y: np.ndarray, _seed: int) -> float:
    return KSGEnsembleFirstEstimator(neighborhoods=(3,)).estimate(x, y)


def _cca(x: np.ndarray, y: np.ndarray, _seed: int) -> float:
    return CCAMutualInformationEstimator().estimate(x, y)


if __name__ == "__main__":
    settings = {"InfoNCE": _infonce, "InfoNCE tuned": _tuned, "KSG": _ksg, "KSG of 3": _ksg_of_three, "CCA": _cca}
    report.main(settings, "benchmark-mi", "jax", "jaxlib", "scipy", "scikit-learn")
