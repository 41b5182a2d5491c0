import math
from dataclasses import replace

import numpy as np
import pytest

from mibounds.results import LearningCurveResult, Result

Z95 = 1.959963984540054
CURVE = LearningCurveResult(
    sizes=(200, 400, 800), values=(0.4, 0.46, 0.5), stderrs=(0.03, 0.02, 0.01), limit=0.56, limit_stderr=0.02,
    slope=2.0, exponent=0.5,
    estimate=Result(
        value=0.5, stderr=0.01, estimates={"InfoNCE": 0.5}, method="InfoNCE", n=800, interval_bias=(0.0, 0.04)
    ),
)  # fmt: skip


def test_the_number_is_the_value_from_all_samples():
    assert float(CURVE) == CURVE.value == 0.5
    assert CURVE.stderr == 0.01
    assert CURVE.n == 800
    assert CURVE.interval == pytest.approx((0.5 - Z95 * 0.01, 0.54 + Z95 * 0.01), rel=1e-12)
    limited = replace(CURVE, estimate=replace(CURVE.estimate, entropy_limit=0.52))
    assert limited.interval[1] == 0.52


@pytest.mark.parametrize(
    "limit, settled, words",
    [
        (0.56, False, "still increasing"),
        (0.539, True, "settled"),
        (0.461, True, "settled"),
        (0.44, False, "still decreasing"),
    ],
)
def test_settled_within_two_standard_errors(limit, settled, words):
    curve = replace(CURVE, limit=limit)
    assert curve.settled is settled
    assert curve.to_dict()["settled"] is settled
    assert f"(standard error 0.02), by extrapolation: {words}" in repr(curve)


def test_the_larger_standard_error_counts():
    assert replace(CURVE, limit_stderr=0.001, stderrs=(0.0, 0.0, 0.031)).settled
    assert not replace(CURVE, limit_stderr=0.001).settled


def test_the_exponent_has_no_unit():
    bits = CURVE.to("bits")
    assert bits.exponent == 0.5
    assert bits.slope == pytest.approx(2 / math.log(2), rel=1e-14)
    assert bits.settled == CURVE.settled
    assert bits.sizes == CURVE.sizes


def test_the_fitted_curve_is_drawn():
    (axis,) = CURVE.plot().axes
    fitted = next(line for line in axis.lines if line.get_label() == "fitted curve")
    sizes, values = fitted.get_data()
    assert sizes[0] == pytest.approx(200)
    assert sizes[-1] == pytest.approx(3200)
    np.testing.assert_allclose(values, 0.56 - 2 * np.asarray(sizes) ** -0.5)
