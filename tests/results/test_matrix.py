import math
from dataclasses import replace

import numpy as np
import pytest

from mibounds.results import MatrixResult, Pair


def square(*upper):
    size = round((1 + math.sqrt(1 + 8 * len(upper))) / 2)
    table = np.full((size, size), np.nan)
    table[np.triu_indices(size, 1)] = upper
    table.T[np.triu_indices(size, 1)] = upper
    return table


MATRIX = MatrixResult(
    values=square(0.1, 0.5, 0.3), stderr=square(0.01, 0.05, 0.03), names=("a", "b", "c"), n=1000,
    pvalues=square(0.04, 0.01, 0.2), adjusted=square(0.06, 0.03, 0.05),
)  # fmt: skip


def test_pairs_in_the_order_of_their_values():
    assert MATRIX.pairs() == [
        Pair("a", "c", 0.5, 0.05, 0.01, 0.03),
        Pair("b", "c", 0.3, 0.03, 0.2, 0.05),
        Pair("a", "b", 0.1, 0.01, 0.04, 0.06),
    ]
    untested = replace(MATRIX, pvalues=None, adjusted=None)
    assert untested.pairs()[0] == Pair("a", "c", 0.5, 0.05)
    undefined = replace(MATRIX, values=square(0.1, math.nan, 0.3))
    assert [pair.value for pair in undefined.pairs()][:2] == [0.3, 0.1]


def test_pvalues_have_no_unit():
    bits = MATRIX.to("bits")
    assert bits.pvalues is MATRIX.pvalues
    assert bits.adjusted is MATRIX.adjusted
    assert bits.pairs()[0].value == pytest.approx(0.5 / math.log(2), rel=1e-14)


def test_what_is_printed():
    assert repr(MATRIX).splitlines() == [
        "I(X;Y) of 3 pairs of 3 variables in nats, n = 1,000",
        "  pair    estimate   standard error      p   adjusted p",
        "  a - c        0.5             0.05   0.01         0.03",
        "  b - c        0.3             0.03    0.2         0.05",
        "  a - b        0.1             0.01   0.04         0.06",
        "  independence rejected for 2 at a false discovery rate of 5%",
    ]
    assert "rejected for 3 at a false discovery rate of 10%" in repr(MATRIX.to(level=0.9))
    assert "I(X;Y) of 1 pair of 2 variables" in repr(
        MatrixResult(values=square(0.1), stderr=square(0.01), names=("a", "b"), n=100)
    )


def test_ten_pairs_are_printed():
    upper = np.linspace(0.1, 1.5, 15)
    many = MatrixResult(values=square(*upper), stderr=square(*upper), names=tuple("abcdef"), n=1000)
    lines = repr(many).splitlines()
    assert len(lines) == 13
    assert lines[-1] == "  and 5 more: pairs() lists them, plot() draws them"


def test_the_record_has_none_on_the_diagonal():
    record = MATRIX.to_dict()
    assert record["values"] == [[None, 0.1, 0.5], [0.1, None, 0.3], [0.5, 0.3, None]]
    assert replace(MATRIX, pvalues=None).to_dict()["pvalues"] is None


def test_plot_marks_the_pairs_for_which_independence_is_rejected():
    axis = MATRIX.plot().axes[0]
    assert len(axis.lines[0].get_xdata()) == 4
    assert "5%" in axis.get_xlabel()
    assert not replace(MATRIX, pvalues=None, adjusted=None).plot().axes[0].lines
