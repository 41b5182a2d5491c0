"""Learners: regressions and classifications of one variable from the other, for supervised features."""

from mibounds.learners.gaussian_process import GaussianProcess
from mibounds.learners.learner import Learner
from mibounds.learners.local_linear import LocalLinear
from mibounds.learners.ridge import RidgeRegression
from mibounds.learners.supervised import SupervisedFeatures
from mibounds.learners.trees import BoostedClasses, BoostedTrees, TreeEnsemble

__all__ = [
    "BoostedClasses",
    "BoostedTrees",
    "GaussianProcess",
    "Learner",
    "LocalLinear",
    "RidgeRegression",
    "SupervisedFeatures",
    "TreeEnsemble",
]
