"""One example of every class of results, with every field that holds information different from zero."""

import math

import numpy as np
import pytest
import torch

from mibounds.results import (
    BracketResult,
    ConditionalResult,
    ConsistencyResult,
    Curve,
    IndependenceTestResult,
    LaggedResult,
    LearningCurveResult,
    MatrixResult,
    Result,
    TransferEntropyResult,
)
from mibounds.warnings import BeyondLogNWarning, CeilingWarning, SmallSampleWarning

VERSIONS = {"mibounds": "0.1.0", "torch": "2.13.0"}
RESULT = Result(
    value=0.8099, stderr=0.0493, estimates={"InfoNCE": 0.7847, "NWJ": 0.6822, "Classifier": 0.8099},
    method="Classifier", n=2300, extrapolated=False, cross_checks={"KSG": 0.7476}, lower_bound_estimate=(0.65, 0.03),
    entropy_limit=0.9526, interval_bias=(0.02, 0.14), level=0.9, fold_values=(0.7513, 0.8891),
    curves=(Curve((0, 25), (0.0, -0.5), 25, "ranks"), Curve((0, 25), (0.0, -0.4), 0, "standardized")),
    warnings=(CeilingWarning("2.1 nats are <near> the ceiling & so on"), BeyondLogNWarning("by 0.4 nats")),
    columns=(("a", "b", "c=u", "c=v", "c=w"), ("label=1",)),
    kinds=(("continuous", "continuous", "categorical"), ("categorical",)), seed=3, versions=VERSIONS,
    pointwise=torch.tensor([0.5, math.nan, 1.5]), fitted=object(),
)  # fmt: skip
EXTRAPOLATED = Result(
    value=0.31, stderr=0.021, estimates={"InfoNCE": 0.28, "PlugIn": 0.31}, method="PlugIn", n=400, extrapolated=True,
    interval_bias=(0.03, 0.0), level=0.9, warnings=(SmallSampleWarning("400 samples"),), seed=3, versions=VERSIONS,
)  # fmt: skip
CONDITIONAL = ConditionalResult(
    value=0.5, stderr=0.05, method="chain", parts={"I(X;YZ)": RESULT, "I(X;Z)": EXTRAPOLATED}, amplification=2.24,
    interval_bias=(0.11, 0.17), n=400, level=0.9, entropy_limit=0.69, warnings=RESULT.warnings, seed=3,
    versions=VERSIONS,
)  # fmt: skip
VALUES = np.array([[math.nan, 0.51, 0.013], [0.51, math.nan, 1.23], [0.013, 1.23, math.nan]])

EXAMPLES = [
    RESULT,
    BracketResult(
        lower=0.5, lower_stderr=0.01, upper=0.57, upper_stderr=0.02, n=1000, train_test_gap=0.034,
        estimates={"CLUB": 2.1, "LeaveOneOut": 0.536}, level=0.9, predicted="x", entropy_limit=1.0986,
        warnings=RESULT.warnings, columns=(("a",), ("b",)), seed=3, versions=VERSIONS,
    ),
    CONDITIONAL,
    TransferEntropyResult(conditional=CONDITIONAL, lag=1, history=2, own_history=3, pvalue=0.05, permutations=19),
    LaggedResult(lags=(-1, 0, 5), results=(EXTRAPOLATED, RESULT, EXTRAPOLATED)),
    LearningCurveResult(
        sizes=(200, 400, 1800), values=(0.4, 0.5, 0.55), stderrs=(0.02, 0.013, 0.011), limit=0.61, limit_stderr=0.012,
        slope=1.2, exponent=0.5, estimate=RESULT,
    ),
    MatrixResult(
        values=VALUES, stderr=VALUES / 10, names=("a", "b <x>", "c"), n=1000, pvalues=VALUES / 7,
        adjusted=VALUES / 5, level=0.9, warnings=RESULT.warnings, seed=3, versions=VERSIONS,
    ),
    IndependenceTestResult(statistic=0.7847, pvalue=0.001, permutations=999, retrained=False, estimate=RESULT),
    ConsistencyResult(
        independent=EXTRAPOLATED, nested={2: EXTRAPOLATED, 4: RESULT}, processed=EXTRAPOLATED, single=EXTRAPOLATED,
        double=RESULT, half=2,
    ),
]  # fmt: skip


@pytest.fixture(params=EXAMPLES, ids=lambda result: type(result).__name__)
def example(request):
    """Each example in turn."""
    return request.param


@pytest.fixture
def examples():
    """All examples by the name of their class."""
    return {type(result).__name__: result for result in EXAMPLES}
