from dataclasses import replace

import pytest

from mibounds.results import BracketResult

Z95 = 1.959963984540054
BRACKET = BracketResult(lower=0.5, lower_stderr=0.01, upper=0.6, upper_stderr=0.02, n=1000, train_test_gap=0.03)


def test_the_interval_by_hand():
    assert BRACKET.interval == pytest.approx((0.5 - Z95 * 0.01, 0.6 + Z95 * 0.02), rel=1e-12)


def test_an_upper_bound_below_the_lower_one_counts_as_equal_to_it():
    crossed = replace(BRACKET, upper=0.4)
    assert crossed.interval == pytest.approx((0.5 - Z95 * 0.01, 0.5 + Z95 * 0.02), rel=1e-12)


def test_the_interval_ends_at_the_entropy_of_the_label():
    assert replace(BRACKET, entropy_limit=0.61).interval == pytest.approx((0.5 - Z95 * 0.01, 0.61), rel=1e-12)
    assert replace(BRACKET, entropy_limit=0.45).interval == (0.45, 0.45)
    assert replace(BRACKET, entropy_limit=0.7).interval == BRACKET.interval


def test_what_is_printed():
    bracket = replace(BRACKET, predicted="x", estimates={"CLUB": 2.0, "LeaveOneOut": 0.57}, entropy_limit=0.61)
    assert repr(bracket).splitlines() == [
        "0.5 <= I(X;Y) <= 0.6 nats   95% interval [0.4804, 0.61]",
        "  lower bound 0.5 (standard error 0.01): InfoNCE, cross-fitted, n = 1,000",
        "  upper bound 0.6 (standard error 0.02): LeaveOneOut plus the train-test gap 0.03,",
        "    density of x given y",
        "  estimates: CLUB 2  LeaveOneOut 0.57",
        "  at most 0.61 (upper confidence limit of the label's entropy)",
    ]


def test_a_constant_has_an_exact_bracket():
    zero = BracketResult(lower=0.0, lower_stderr=0.0, upper=0.0, upper_stderr=0.0, n=500)
    assert repr(zero).splitlines()[1:] == [
        "  lower bound 0 (standard error 0): exact, n = 500",
        "  upper bound 0 (standard error 0): exact",
    ]
    assert zero.plot()._repr_png_()


@pytest.mark.parametrize("upper", [0.4, 0.499, -0.01])
def test_bounds_that_cross_are_no_inequality(upper):
    heading, *lines = repr(replace(BRACKET, upper=upper)).splitlines()
    assert heading == f"lower bound 0.5 above upper bound {upper} nats   95% interval [0.4804, 0.5392]"
    assert lines[-1] == "  the bounds cross: the interval takes the upper one as equal to the lower one"
    assert "<=" in repr(replace(BRACKET, upper=0.5))


def test_a_bound_without_an_error_is_not_exact_where_the_other_has_one():
    fallback = replace(BRACKET, lower=1.397e-07, lower_stderr=0.0)
    assert "lower bound 1.397e-07 (standard error 0): InfoNCE, cross-fitted, n = 1,000" in repr(fallback)
    assert "exact" not in repr(fallback) + repr(replace(fallback, upper=1.0, upper_stderr=0.0))


def test_a_bracket_is_not_a_number():
    with pytest.raises(TypeError, match="A BracketResult is not a single number: use lower, upper or interval."):
        float(BRACKET)


def test_plot():
    (axis,) = replace(BRACKET, estimates={"CLUB": 2.0, "LeaveOneOut": 0.57}).plot().axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == ["lower bound", "upper bound", "LeaveOneOut"]  # CLUB is far above by construction
