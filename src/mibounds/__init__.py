"""Mutual information: measure it with a number that can be trusted, or put it into a training loop."""

from mibounds import bounds, critics, tasks
from mibounds._checks import MIWarning
from mibounds.data import RankGaussianize, Standardize
from mibounds.estimation import estimate
from mibounds.estimator import MIEstimator
from mibounds.gradients import clipped_backward, gradient_scale
from mibounds.regularizer import MIRegularizer
from mibounds.results import Result
from mibounds.training import Trainer

__version__ = "0.1.0"

__all__ = [
    "MIEstimator",
    "MIRegularizer",
    "MIWarning",
    "RankGaussianize",
    "Result",
    "Standardize",
    "Trainer",
    "bounds",
    "clipped_backward",
    "critics",
    "estimate",
    "gradient_scale",
    "tasks",
]
