"""Suites: tuples of tasks for a benchmark.

A task's repr is its name in a table. The columns of `BMI40` are to be standardized before an estimator gets them, as
its authors do; the tasks do not standardize them.

    >>> from mibounds.tasks.suites import BMI40
    >>> len(BMI40), BMI40[0]
    (40, CorrelatedGaussian(dim=1, rho=0.75))
"""

from __future__ import annotations

import torch

from mibounds.tasks.discrete import JointTable
from mibounds.tasks.everyday import FAMILIES
from mibounds.tasks.gaussian import CorrelatedGaussian, MultivariateGaussian
from mibounds.tasks.images import DigitsChannel, blob
from mibounds.tasks.maps import (
    ASINH,
    BIMODAL_X,
    BIMODAL_Y,
    CUBIC,
    HALF_CUBE,
    IDENTITY,
    NORMAL_CDF,
    SWISS_ROLL,
    WIGGLY_X,
    WIGGLY_Y,
    Map,
    mixing,
    spiral,
)
from mibounds.tasks.mixture import GaussianMixture
from mibounds.tasks.student import Student
from mibounds.tasks.task import Task
from mibounds.tasks.transformed import Transformed
from mibounds.tasks.uniform import AdditiveUniformNoise, UniformDiscrete

__all__ = ["BMI40", "DISCRETE", "EVERYDAY", "HIGH_MI", "IMAGES", "INDEPENDENT", "INTERVALS", "QUICK", "STAIRS"]


def _both(task: Task, over: Map) -> Transformed:
    return Transformed(task, over, over)


def _spiral(task: Task, dim: int) -> Transformed:
    return Transformed(task, spiral(dim, (0, 1), 1 / dim), spiral(dim, (1, 2), 1 / dim))


def _blobs(rho: float) -> Transformed:
    return _both(_both(CorrelatedGaussian(2, rho), NORMAL_CDF), blob(16))


_BIVARIATE = CorrelatedGaussian(1, 0.75)
_UNIFORM = _both(_BIVARIATE, NORMAL_CDF)
_PAIRS = {dim: MultivariateGaussian.two_pairs(dim, 0.8) for dim in (2, 3, 5, 25)}

BMI40: tuple[Task, ...] = (
    _BIVARIATE,
    _UNIFORM,
    _both(_BIVARIATE, HALF_CUBE),
    Transformed(_BIVARIATE, WIGGLY_X, WIGGLY_Y),
    Transformed(_BIVARIATE, BIMODAL_X, BIMODAL_Y),
    Transformed(_UNIFORM, SWISS_ROLL, IDENTITY),
    AdditiveUniformNoise(0.1),
    AdditiveUniformNoise(0.75),
    *(MultivariateGaussian.dense(dim, 0.5) for dim in (2, 3, 5, 25, 50)),
    *_PAIRS.values(),
    *(Student.identity(dim, df) for dim, df in ((1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (5, 2), (5, 3))),
    *(_both(_PAIRS[dim], NORMAL_CDF) for dim in (3, 5, 25)),
    *(_both(_PAIRS[dim], HALF_CUBE) for dim in (3, 5, 25)),
    *(_spiral(_PAIRS[dim], dim) for dim in (3, 5, 25)),
    *(_spiral(_both(_PAIRS[dim], NORMAL_CDF), dim) for dim in (3, 5, 25)),
    *(_both(Student.identity(dim, df), ASINH) for dim, df in ((1, 1), (2, 1), (3, 2), (5, 2))),
)
"""The forty tasks of Czyż et al., Beyond normal, 2023, arXiv:2306.11078: 0.18 to 1.71 nats, 1 to 50 columns."""

STAIRS: tuple[Task, ...] = tuple(
    Transformed(CorrelatedGaussian.with_information(20, nats), IDENTITY, CUBIC)
    if cubic
    else CorrelatedGaussian.with_information(20, nats)
    for cubic in (False, True)
    for nats in (2, 4, 6, 8, 10)
)
"""The staircase of Song and Ermon, 2020, arXiv:1910.06222: 20 columns, the Gaussian steps and then the cubic ones."""

_GAUSSIANS = tuple(CorrelatedGaussian.with_information(20, nats) for nats in (2, 5, 10, 15, 20, 25))

HIGH_MI: tuple[Task, ...] = (
    *_GAUSSIANS,
    *(Transformed(task, IDENTITY, CUBIC) for task in _GAUSSIANS),
    *(Transformed(_both(task, HALF_CUBE), mixing(20, seed=0), mixing(20, seed=1)) for task in _GAUSSIANS),
)
"""2 to 25 nats in 20 columns: Gaussian, cubic, and linearly mixed half-cubes, which no column-wise map inverts."""

IMAGES: tuple[Task, ...] = (
    *(_blobs(rho) for rho in (0.5, 0.9, 0.99)),
    *(DigitsChannel(flip) for flip in (0.0, 0.1, 0.5)),
)
"""Pairs of 16 x 16 blobs, and digits with noisy labels."""

DISCRETE: tuple[Task, ...] = (
    JointTable.symmetric(2, 0.1),
    JointTable.symmetric(10, 0.2),
    JointTable.symmetric(50, 0.5),
    JointTable(torch.tensor([[0.30, 0.05, 0.05], [0.05, 0.00, 0.25], [0.10, 0.15, 0.05]]), "three by three"),
    UniformDiscrete(5),
    UniformDiscrete(100),
)
"""Pairs of labels, and labels with a continuous y (Gao et al., 2017, arXiv:1709.06212)."""

INDEPENDENT: tuple[Task, ...] = (
    CorrelatedGaussian(1, 0.0),
    CorrelatedGaussian(20, 0.0),
    _both(CorrelatedGaussian(5, 0.0), HALF_CUBE),
    _both(CorrelatedGaussian(1, 0.0), NORMAL_CDF),
    JointTable.symmetric(10, 0.9),
    _blobs(0.0),
)
"""Independent variables: any estimate other than 0 is an error."""

INTERVALS: tuple[Task, ...] = (
    _BIVARIATE,
    _both(_BIVARIATE, HALF_CUBE),
    Transformed(_BIVARIATE, BIMODAL_X, BIMODAL_Y),
    MultivariateGaussian.dense(2, 0.5),
    _both(_PAIRS[3], NORMAL_CDF),
    MultivariateGaussian.dense(5, 0.5),
    Student.identity(2, 2),
    AdditiveUniformNoise(0.75),
)
"""Eight of the forty tasks, with at most five columns each, for the coverage of intervals; the last two are hard."""

QUICK: tuple[Task, ...] = (
    CorrelatedGaussian(1, 0.0),
    _BIVARIATE,
    CorrelatedGaussian.with_information(20, 4),
    MultivariateGaussian.dense(5, 0.5),
    Student.identity(2, 1),
    AdditiveUniformNoise(0.1),
    GaussianMixture.cross(0.9),
    UniformDiscrete(5),
    JointTable.symmetric(4, 0.2),
    _spiral(_PAIRS[3], 3),
)
"""One or two tasks of each family without images, for a first comparison."""

EVERYDAY: tuple[Task, ...] = tuple(task for family in FAMILIES.values() for task in family)
"""The kinds of dependence that tables have, in fourteen families: functions of columns among idle ones, labels, counts,
waiting times, copulas, angles, categories, missing values, wide tables. See `mibounds.tasks.everyday`."""
