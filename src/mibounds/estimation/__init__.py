"""Estimation: the functions that measure static data."""

from mibounds.estimation.bracket import bracket
from mibounds.estimation.conditional import conditional
from mibounds.estimation.consistency import consistency
from mibounds.estimation.estimate import estimate
from mibounds.estimation.independence_test import independence_test
from mibounds.estimation.lagged import lagged
from mibounds.estimation.learning_curve import learning_curve
from mibounds.estimation.pairwise import matrix
from mibounds.estimation.transfer_entropy import transfer_entropy

__all__ = [
    "bracket",
    "conditional",
    "consistency",
    "estimate",
    "independence_test",
    "lagged",
    "learning_curve",
    "matrix",
    "transfer_entropy",
]
