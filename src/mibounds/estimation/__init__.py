"""Estimation: the verbs that measure static data."""

from mibounds.estimation.bracket import BracketResult, bracket
from mibounds.estimation.conditional import ConditionalResult, conditional
from mibounds.estimation.consistency import Consistency, consistency
from mibounds.estimation.estimate import estimate
from mibounds.estimation.independence_test import IndependenceTest, independence_test
from mibounds.estimation.lagged import LaggedResult, lagged
from mibounds.estimation.learning_curve import LearningCurve, learning_curve
from mibounds.estimation.pairwise.matrix import MatrixResult, matrix
from mibounds.estimation.transfer_entropy import TransferEntropyResult, transfer_entropy

__all__ = [
    "BracketResult",
    "ConditionalResult",
    "Consistency",
    "IndependenceTest",
    "LaggedResult",
    "LearningCurve",
    "MatrixResult",
    "TransferEntropyResult",
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
