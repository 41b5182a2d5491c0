"""Mutual information: measure it with a number that can be trusted, or put it into a training loop."""

from mibounds import bounds, classical, critics, tasks
from mibounds._checks import MIWarning
from mibounds._version import __version__
from mibounds.data import Gaussianize, RankGaussianize, Standardize
from mibounds.estimation import (
    Bracket,
    MatrixResult,
    bracket,
    conditional,
    consistency,
    estimate,
    independence_test,
    learning_curve,
    matrix,
)
from mibounds.estimator import MIEstimator
from mibounds.gradients import clipped_backward, gradient_scale
from mibounds.regularizer import MIRegularizer
from mibounds.results import Result
from mibounds.telescope import Telescope
from mibounds.training import Trainer

__all__ = [
    "Bracket",
    "Gaussianize",
    "MIEstimator",
    "MIRegularizer",
    "MIWarning",
    "MatrixResult",
    "RankGaussianize",
    "Result",
    "Standardize",
    "Telescope",
    "Trainer",
    "__version__",
    "bounds",
    "bracket",
    "classical",
    "clipped_backward",
    "conditional",
    "consistency",
    "critics",
    "estimate",
    "gradient_scale",
    "independence_test",
    "learning_curve",
    "matrix",
    "tasks",
]
