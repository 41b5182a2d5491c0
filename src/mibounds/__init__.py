"""Mutual information: measure it with a number that can be trusted, or put it into a training loop."""

from mibounds import bounds, critics, tasks
from mibounds._checks import MIWarning
from mibounds.data import RankGaussianize, Standardize
from mibounds.estimation import estimate
from mibounds.estimator import MIEstimator
from mibounds.results import Result
from mibounds.training import Trainer

__version__ = "0.1.0"

__all__ = [
    "MIEstimator",
    "MIWarning",
    "RankGaussianize",
    "Result",
    "Standardize",
    "Trainer",
    "bounds",
    "critics",
    "estimate",
    "tasks",
]
