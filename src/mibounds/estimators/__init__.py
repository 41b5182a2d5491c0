"""Estimators: a critic and a bound, or a telescope of them."""

from mibounds.estimators.estimator import Estimator
from mibounds.estimators.mi_estimator import MIEstimator
from mibounds.estimators.telescope import Telescope

__all__ = ["Estimator", "MIEstimator", "Telescope"]
