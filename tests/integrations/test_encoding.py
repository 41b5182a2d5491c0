import numpy as np
import pytest

from mibounds.integrations.encoding import Encoding, is_label, label_codes


def test_numbers_lose_their_median_and_labels_become_columns():
    rows = np.array([[1e9, "b"], [1e9 + 2, "a"], [np.nan, "b"]], dtype=object)
    encode = Encoding(rows, ["size", "kind"], "y")
    assert encode.names == ("size", "kind=b")
    np.testing.assert_array_equal(encode(rows), [[-1, 1], [1, 0], [np.nan, 1]])


def test_missing_labels_stay_missing():
    encode = Encoding(np.array([["a"], [None], ["b"], ["c"], [np.nan]], dtype=object), None, "y")
    assert encode.names == ("y=a", "y=b", "y=c")
    np.testing.assert_array_equal(encode(np.array([["c"], [None]], dtype=object)), [[0, 0, 1], [np.nan] * 3])


def test_columns_can_be_left_out():
    rows = np.arange(6.0).reshape(2, 3)
    encode = Encoding(rows, None, "X").only(["X0", "X2"])
    np.testing.assert_array_equal(encode(rows), [[-1.5, -1.5], [1.5, 1.5]])


def test_new_labels_and_other_columns_are_refused():
    encode = Encoding(np.array([["a"], ["b"]]), None, "y")
    with pytest.raises(ValueError, match="y holds 'c', 'd', which fit did not see"):
        encode(np.array([["d"], ["c"], ["a"]]))
    with pytest.raises(ValueError, match="y has 2 columns, and was fitted with 1"):
        encode(np.array([["a", "b"]]))


def test_codes():
    assert is_label(np.array(["1"]))
    assert is_label(np.array([None, "a"], dtype=object))
    assert not is_label(np.array([1, 2.5], dtype=object))
    np.testing.assert_array_equal(label_codes(np.array(["b", None, "a", "b"], dtype=object)), [1, np.nan, 0, 1])
