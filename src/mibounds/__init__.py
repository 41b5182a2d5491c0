"""Mutual information: measure it with a number that can be trusted, or put it into a training loop."""

from mibounds import bounds, classical, critics, integrations, tasks
from mibounds._checks import MIWarning
from mibounds._distributed import alone
from mibounds._version import __version__
from mibounds.data import Gaussianize, RankGaussianize, Standardize, sampler
from mibounds.estimation import (
    Bracket,
    MatrixResult,
    bracket,
    conditional,
    consistency,
    estimate,
    independence_test,
    lagged,
    learning_curve,
    matrix,
    transfer_entropy,
)
from mibounds.estimator import MIEstimator
from mibounds.gradients import clipped_backward, gradient_scale
from mibounds.information_plane import InformationPlane
from mibounds.regularizer import MIRegularizer
from mibounds.results import Result
from mibounds.telescope import Telescope
from mibounds.training import FittedFolds, Trainer, load

__all__ = [
    "Bracket",
    "FittedFolds",
    "Gaussianize",
    "InformationPlane",
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
    "alone",
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
    "integrations",
    "lagged",
    "learning_curve",
    "load",
    "matrix",
    "sampler",
    "tasks",
    "transfer_entropy",
]
