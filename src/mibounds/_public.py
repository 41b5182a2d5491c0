"""Everything that `mibounds` exports, which imports it at the first use of a name: torch takes seconds."""

from mibounds import bounds, classical, critics, integrations, results, tasks, warnings
from mibounds._distributed import local_ranks
from mibounds._version import __version__
from mibounds.data import Gaussianize, RankGaussianize, Standardize, sampler
from mibounds.estimation import (
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
from mibounds.estimators import Estimator, MIEstimator, Telescope
from mibounds.representation import (
    InformationPlane,
    MIRegularizer,
    clipped_backward,
    encoder_information,
    gradient_scale,
)
from mibounds.results import Result
from mibounds.training.fitted_folds import FittedFolds, load
from mibounds.training.recipe import Recipe
from mibounds.training.trainer import Trainer
from mibounds.warnings import MIWarning

__all__ = [
    "Estimator",
    "FittedFolds",
    "Gaussianize",
    "InformationPlane",
    "MIEstimator",
    "MIRegularizer",
    "MIWarning",
    "RankGaussianize",
    "Recipe",
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
    "encoder_information",
    "estimate",
    "gradient_scale",
    "independence_test",
    "integrations",
    "lagged",
    "learning_curve",
    "load",
    "local_ranks",
    "matrix",
    "results",
    "sampler",
    "tasks",
    "transfer_entropy",
    "warnings",
]
