"""Estimation: the verbs that measure static data."""

from mibounds.estimation.bracket import Bracket, bracket
from mibounds.estimation.conditional import ConditionalResult, conditional
from mibounds.estimation.consistency import Consistency, consistency
from mibounds.estimation.estimate import estimate
from mibounds.estimation.independence import IndependenceTest, independence_test
from mibounds.estimation.lagged import LaggedResult, lagged
from mibounds.estimation.learning_curve import LearningCurve, learning_curve
from mibounds.estimation.matrix import MatrixResult, matrix
from mibounds.estimation.transfer import TransferEntropy, transfer_entropy

__all__ = [
    "Bracket",
    "ConditionalResult",
    "Consistency",
    "IndependenceTest",
    "LaggedResult",
    "LearningCurve",
    "MatrixResult",
    "TransferEntropy",
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
