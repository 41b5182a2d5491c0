"""Which columns and rows are kept, and what is said of the others."""

import numpy as np
import pytest
import torch

from mibounds.data import Encoding, Schema
from mibounds.data.columns import complete_rows, encoded, shown, varying, whole_rows


def columns(**values):
    schema = Schema("table", tuple(values), tuple(Encoding(name) for name in values), named=True)
    return encoded({name: np.asarray(value, dtype=float) for name, value in values.items()}, schema)


def test_only_what_varies_is_left():
    caught = []
    left = varying(columns(a=[1, 2], b=[3, 3], c=[0, 1]), "x", caught)
    assert left.names == ("a", "c")
    assert left.values.tolist() == [[1, 0], [2, 1]]
    assert [str(warning) for warning in caught] == ["x: constant columns were dropped: 'b'."]
    with pytest.raises(ValueError, match="x is constant in every column"):
        varying(columns(a=[1, 1]), "x", caught)


def test_rows_are_whole_in_every_variable():
    x, y = columns(a=np.arange(60)), columns(b=np.where(np.arange(60) == 5, np.nan, 0))
    assert complete_rows({"x": x, "y": y}, "drop").tolist() == [i != 5 for i in range(60)]
    caught = []
    kept_x, kept_y = whole_rows({"x": x, "y": y}, "drop", caught)
    assert torch.equal(kept_x.kept, kept_y.kept)
    assert kept_x.values[5].item() == 6
    assert "1 of 60 rows were dropped" in str(caught[0])
    with pytest.raises(ValueError, match=r"y has 1 missing or infinite values, in column 'b' \(1\)"):
        whole_rows({"x": x, "y": y}, "raise", caught)


def test_long_lists_are_cut():
    assert shown(["a", "b"]) == "'a', 'b'"
    assert shown([*"abcdefg"]) == "'a', 'b', 'c', 'd', 'e', ..."
