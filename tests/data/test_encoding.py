"""How single columns become numbers."""

import numpy as np
import pytest

from mibounds.data.encoding import Encoding, fit_encoding


def test_an_encoding_is_a_function_of_the_value_alone():
    column = np.array(["a", "b", "c", "a"])
    encoding = fit_encoding(column, "x")
    assert encoding.shares == (0.5, 0.25, 0.25)
    assert np.array_equal(encoding(column[::-1]), encoding(column)[::-1])
    assert np.array_equal(encoding(np.array(["z"])), [[0.5, 0.25, 0.25]])


def test_numbers_read_the_same_whatever_their_dtype():
    encoding = fit_encoding(np.array([1, 2, 3] * 20), "x", "categorical")
    assert np.array_equal(encoding(np.array([2.0])), encoding(np.array([2])))
    assert np.array_equal(encoding(np.array(["2"])), encoding(np.array([2])))


def test_booleans_are_one_column_of_their_own_name():
    encoding = fit_encoding(np.array([True, False]), "smokes")
    assert encoding.names == ("smokes",)
    assert encoding(np.array([True, False])).tolist() == [[1.0], [0.0]]


def test_missing_values_stay_missing_without_an_indicator():
    for column in (
        np.array([1.5, np.nan]),
        np.array(["a", None], dtype=object),
        np.array(["2026-01-01", "NaT"], "M8[D]"),
    ):
        numbers = fit_encoding(column, "x")(column)
        assert np.isfinite(numbers[0]).all()
        assert np.isnan(numbers[1]).all()


def test_an_offset_that_float32_cannot_hold_is_taken_away():
    column = 1e9 + np.arange(8.0)
    assert np.array_equal(fit_encoding(column, "x")(column)[:, 0], np.arange(8) - 3.5)
    assert fit_encoding(np.arange(8.0), "x") == Encoding("x")


@pytest.mark.parametrize("column", [np.array([np.nan, np.inf]), np.array([None, None], dtype=object)])
def test_a_column_without_values(column):
    with pytest.raises(ValueError, match="column 'x' has no values at all"):
        fit_encoding(column, "x", "continuous" if column.dtype.kind == "f" else None)
