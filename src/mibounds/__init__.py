"""Mutual information: measure it with a number that can be trusted, or put it into a training loop."""

from mibounds import bounds, classical, critics, integrations, tasks
from mibounds._distributed import local_ranks
from mibounds._version import __version__
from mibounds.data import Gaussianize, RankGaussianize, Standardize, sampler
from mibounds.estimation import (
    BracketResult,
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
from mibounds.estimators.mi_estimator import MIEstimator
from mibounds.estimators.telescope import Telescope
from mibounds.representation.gradients import clipped_backward, gradient_scale
from mibounds.representation.information_plane import InformationPlane
from mibounds.representation.regularizer import MIRegularizer
from mibounds.results.result import Result
from mibounds.training import FittedFolds, Trainer, load
from mibounds.warnings import MIWarning

__all__ = [
    "BracketResult",
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
    "local_ranks",
    "matrix",
    "sampler",
    "tasks",
    "transfer_entropy",
]
