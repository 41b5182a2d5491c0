"""The tasks of the suite `EVERYDAY`, by family: the kinds of dependence that tables have.

>>> sum(map(len, FAMILIES.values())) >= 60
True
"""

from __future__ import annotations

import torch

from mibounds.tasks.circular import CircularNoise
from mibounds.tasks.copulas import ClaytonCopula, FrankCopula, GumbelCopula, JoeCopula
from mibounds.tasks.counts import Counts
from mibounds.tasks.curves import EIGHT, NoisyCurve, NoisyProduct
from mibounds.tasks.functions import (
    ABSOLUTE,
    BUMPS,
    FAST_SINE,
    LINEAR,
    LOG_ABSOLUTE,
    MAXIMUM,
    PRODUCT,
    RIPPLE,
    ROOT,
    SAW,
    SIGMOID,
    SINE,
    SPREAD,
    SQUARE,
    STEPS,
    ZERO,
)
from mibounds.tasks.gaussian import MultivariateGaussian
from mibounds.tasks.labels import CHECKERBOARD, RINGS, SECTORS, XOR2, XOR3, FlippedLabel, LabelMixture
from mibounds.tasks.maps import ASINH, EXP, HALF_CUBE, IDENTITY
from mibounds.tasks.mixture import GaussianMixture
from mibounds.tasks.noises import Gumbel, Laplace, Normal, Uniform
from mibounds.tasks.regression import Regression
from mibounds.tasks.student import Student
from mibounds.tasks.tables import CategoryShift, GroupSlopes, HiddenColumn, LowRank, Missing
from mibounds.tasks.task import Task
from mibounds.tasks.transformed import Transformed
from mibounds.tasks.waiting import WaitingTime

__all__ = ["FAMILIES"]

_DRAWS = 800_000  # a standard error below 0.001


def _multiplied(task: Regression) -> Transformed:
    return Transformed(task, IDENTITY, EXP)


def _student(rho: float, df: float) -> Student:
    covariance = torch.tensor([[1.0, rho], [rho, 1.0]], dtype=torch.float64)
    return Student(MultivariateGaussian(covariance, 1, f"correlation {rho}"), df)


def _mixture(name: str, *covariances: list[list[float]]) -> GaussianMixture:
    """Centered components of equal weight."""
    stacked = torch.tensor(covariances, dtype=torch.float64)
    count, dim, _ = stacked.shape
    means, weights = torch.zeros(count, dim), torch.full((count,), 1 / count, dtype=torch.float64)
    return GaussianMixture(weights, means, stacked, dim // 2, name, draws=_DRAWS)


def _scaled(variance: float, dim: int) -> list[list[float]]:
    return [[variance * (i == j) for j in range(dim)] for i in range(dim)]


def _correlated(rho: float) -> list[list[float]]:
    return [[1.0, rho], [rho, 1.0]]


FAMILIES: dict[str, tuple[Task, ...]] = {
    "smooth": (
        *(Regression(SINE, Normal(0.3), idle) for idle in (0, 3, 15)),
        Regression(SINE, Laplace(0.3), 3, "uniform"),
        *(Regression(FAST_SINE, Normal(0.3), idle) for idle in (0, 3)),
        Regression(SQUARE, Laplace(0.3), 0),
        Regression(SQUARE, Normal(0.5), 15),
        Regression(ABSOLUTE, Normal(0.2), 3),
        Regression(SIGMOID, Normal(0.2), 15),
        Regression(SIGMOID, Uniform(0.3), 3),
        *(Regression(BUMPS, Normal(0.3), idle) for idle in (0, 3)),
    ),
    "two columns": (
        *(Regression(PRODUCT, Normal(0.3), idle) for idle in (0, 3, 15)),
        *(Regression(RIPPLE, Normal(0.4), idle) for idle in (0, 3)),
        Regression(MAXIMUM, Laplace(0.3), 3),
    ),
    "breaks": (
        Regression(STEPS, Normal(0.1), 1),
        Regression(STEPS, Laplace(0.1), 15),
        Regression(SAW, Normal(0.1), 3),
        Regression(SAW, Uniform(0.2), 0),
        Regression(ROOT, Laplace(0.2), 3),
        Regression(ROOT, Normal(0.3), 15),
        Regression(ABSOLUTE, Uniform(0.5), 0),
    ),
    "scale": (
        Regression(ZERO, Normal(1.0), 0, scale=SPREAD),
        Regression(LINEAR, Laplace(0.5), 3, scale=SPREAD),
        Regression(SINE, Normal(0.5), 3, scale=SPREAD),
        Regression(LINEAR, Gumbel(1.0), 3),
        _multiplied(Regression(LOG_ABSOLUTE, Normal(0.3), 0)),
        _multiplied(Regression(SINE, Normal(0.4), 3)),
        _multiplied(Regression(LINEAR, Laplace(0.5), 15)),
    ),
    "labels": (
        FlippedLabel(XOR2, 0.1, 0),
        FlippedLabel(XOR2, 0.1, 6),
        FlippedLabel(XOR3, 0.1, 0),
        FlippedLabel(CHECKERBOARD, 0.1, 0),
        FlippedLabel(RINGS, 0.05, 0),
        FlippedLabel(RINGS, 0.05, 3),
        FlippedLabel(SECTORS, 0.1, 2),
        LabelMixture.blobs(2, 2, 1.5, per_class=3, idle=3),
        LabelMixture.blobs(3, 5, 0.7, idle=5),
        LabelMixture.blobs(4, 10, 0.6, idle=15),
        LabelMixture.blobs(20, 2, 3.0),
        LabelMixture.rare(50, 3, 2.5, idle=3),
        LabelMixture.nested(3, 2.0, idle=3),
    ),
    "counts": (
        Counts(LINEAR, 0.5, 0.7),
        Counts(SINE, 1.0, 1.0, idle=3),
        Counts(LINEAR, 1.0, 0.7, dispersion=2.0, idle=15),
        Counts(ABSOLUTE, 0.0, 1.0, zeros=0.3, idle=3),
        Counts(PRODUCT, 1.0, 0.5),
    ),
    "waiting": (
        WaitingTime(LINEAR),
        WaitingTime(SINE, 2.0, shape=2.0, idle=3),
        WaitingTime(PRODUCT, shape=1.5, idle=3),
        WaitingTime(LINEAR, 1.5, limit=1.0, idle=3),
        WaitingTime(ABSOLUTE, 1.5, dropout=0.5),
        WaitingTime(LINEAR, 1.5, dropout=0.5, idle=15),
    ),
    "copulas": (
        ClaytonCopula(3.0, "exponential", "cubed"),
        ClaytonCopula(1.0, "uniform", "normal"),
        GumbelCopula(2.5, "cubed", "uniform"),
        JoeCopula(3.0, "exponential", "normal"),
        FrankCopula(8.0, "uniform", "exponential"),
        Transformed(_student(0.6, 3), ASINH, HALF_CUBE),
    ),
    "mixtures": (
        _mixture("crossing 0.9", _correlated(0.9), _correlated(-0.9)),
        _mixture("fan 0.97", _correlated(0.97), _correlated(0.0), _correlated(-0.97)),
        _mixture("concentric 1, 9", _scaled(1.0, 2), _scaled(9.0, 2)),
        _mixture("concentric 1, 4, 16", _scaled(1.0, 4), _scaled(4.0, 4), _scaled(16.0, 4)),
    ),
    "circular": (CircularNoise(5.0), CircularNoise(8.0, winding=3), CircularNoise(4.0, winding=2, idle=3)),
    "two columns of y": (NoisyCurve(0.3), NoisyCurve(0.3, 3), NoisyCurve(0.2, 0, EIGHT), NoisyProduct(0.3, 2)),
    "categories": (
        GroupSlopes(12, 0.3),
        GroupSlopes(24, 0.4, idle=3),
        GroupSlopes(6, 0.3, spread=0.0, slope=1.0, idle=3),
        GroupSlopes(12, 0.5, spread=1.0, slope=1.0),
        CategoryShift(4, 0.1, idle=4),
        CategoryShift(12, 0.2),
    ),
    "missing": (
        Missing(Regression(SINE, Normal(0.3), 3), 0.3),
        Missing(Regression(PRODUCT, Normal(0.3), 0), 0.2),
        HiddenColumn(1.0, 0.7, 0.4, idle=2),
    ),
    "wide": (
        LowRank(1, 50, 1.0),
        LowRank(3, 50, 1.0),
        LowRank(9, 50, 1.5),
        LowRank(1, 200, 0.7),
        LowRank(5, 200, 1.0),
        LowRank(3, 1000, 1.0),
    ),
}
"""Tuples of tasks by the name of the family, in the order of the suite."""
