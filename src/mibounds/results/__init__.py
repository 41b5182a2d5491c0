"""Results: one class for each kind of estimate, all with the same methods (`Measurement`)."""

from mibounds.results.bracket import BracketResult
from mibounds.results.conditional import ConditionalResult
from mibounds.results.consistency import ConsistencyResult
from mibounds.results.independence import IndependenceTestResult
from mibounds.results.lagged import LaggedResult
from mibounds.results.learning_curve import LearningCurveResult
from mibounds.results.matrix import MatrixResult, Pair
from mibounds.results.measurement import Measurement
from mibounds.results.result import Curve, Result
from mibounds.results.transfer_entropy import TransferEntropyResult

__all__ = [
    "BracketResult",
    "ConditionalResult",
    "ConsistencyResult",
    "Curve",
    "IndependenceTestResult",
    "LaggedResult",
    "LearningCurveResult",
    "MatrixResult",
    "Measurement",
    "Pair",
    "Result",
    "TransferEntropyResult",
]
