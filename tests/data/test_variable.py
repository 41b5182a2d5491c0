"""Variables: encoded values, their names and kinds, and what is derived from them."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from mibounds.data import Schema, Variable
from mibounds.data.encoding import Continuous
from mibounds.data.intake import intake
from mibounds.data.variable import complete_rows, encoded, shown


def table(name="x", **values):
    schema = Schema("table", tuple(values), tuple(Continuous(title) for title in values), named=True)
    return encoded(name, {title: np.asarray(value, dtype=float) for title, value in values.items()}, schema)


@pytest.fixture(scope="module")
def mixed():
    return intake(pd.DataFrame({"age": [1.0, 5.0, 2.0, 2.0] * 15, "city": ["u", "v", "w", "u"] * 15}), "x")


def test_encoded_values_have_names_kinds_and_origins(mixed):
    assert mixed.columns == ("age", "city=u", "city=v", "city=w")
    assert mixed.kinds == ("continuous", "categorical")
    assert mixed.origins == {"age": "age", "city=u": "city", "city=v": "city", "city=w": "city"}
    assert (mixed.kind, mixed.width) == ("table", 4)
    assert mixed.table is mixed.values


def test_a_part_of_the_columns_keeps_their_order_and_kinds(mixed):
    part = mixed.only({"city=w", "age"})
    assert part.columns == ("age", "city=w")
    assert part.width == 2
    assert part.kinds == ("continuous", "categorical")
    assert torch.equal(part.values, mixed.values[:, [0, 3]])
    assert mixed.only(["city=u"]).kinds == ("categorical",)
    assert mixed.only(["age"]).encodings == (Continuous("age"),)


def test_rows_are_taken_in_their_order(mixed):
    taken = mixed.take(torch.tensor([2, 1]))
    assert taken.values.tolist() == mixed.values[[2, 1]].tolist()
    assert taken.columns == mixed.columns
    assert mixed.take(torch.arange(60)) is mixed
    assert not torch.equal(mixed.take(torch.arange(60).flip(0)).values, mixed.values)
    nested = Variable("x", (torch.arange(3), torch.arange(6).view(3, 2)))
    assert nested.take(torch.tensor([2])).values[1].tolist() == [[4, 5]]


def test_new_names_of_given_columns_are_new_names_of_encoded_ones(mixed):
    renamed = mixed.only(["age", "city=v"]).renamed("y", {"city": "town"})
    assert (renamed.name, renamed.columns) == ("y", ("age", "town=v"))
    assert renamed.origins == {"age": "age", "town=v": "town"}
    assert renamed.kinds == mixed.kinds


def test_constant_columns_are_found():
    assert table(a=[1, 2], b=[3, 3], c=[0, 1]).constant_columns() == ["b"]
    assert table(a=[1, 1]).constant_columns() == ["a"]
    assert table(a=[1, math.nan], b=[math.nan, 2], c=[math.nan, math.nan]).constant_columns() == ["a", "b", "c"]
    assert table(a=[math.nan, 1, 2], b=[3, math.inf, 3]).constant_columns() == ["b"]
    assert Variable("x", torch.ones(5, 1, 8, 8), Schema("image")).constant_columns() == []


@pytest.mark.parametrize(
    "values, label",
    [(["u", "v"] * 30, True), ([0.5, 1.5] * 30, False), (np.stack([np.arange(120) % 2] * 2, 1), False)],
)
def test_a_label_is_one_categorical_column(values, label):
    assert intake(values if isinstance(values, np.ndarray) else np.array(values), "y").is_label is label


def test_the_entropy_of_a_label_is_that_of_its_frequencies():
    label = intake(np.repeat(["a", "b", "c"], [30, 20, 10]), "y")
    expected = -sum(p * math.log(p) for p in (1 / 2, 1 / 3, 1 / 6))
    assert label.label_entropy == pytest.approx(expected)
    assert label.take(torch.arange(30)).label_entropy == 0
    assert table(a=[1, 2]).label_entropy is None


@pytest.mark.parametrize(
    "variable, kind, kinds",
    [
        (Variable("x", torch.zeros(2, 3, 8, 9), Schema("image")), "image", ("image 3 x 8 x 9",)),
        (Variable("x", torch.zeros(2, 7, 1), Schema("sequence")), "sequence", ("sequence of 7 steps x 1",)),
        (
            Variable("x", torch.tensor([[[1.0], [math.nan]]] * 2), Schema("sequence")),
            "sequence",
            ("sequence of up to 2 steps x 1",),
        ),
        (Variable("x", torch.zeros(2, 5)), "encoded", ()),
        (Variable("x", torch.zeros(2, 5), encoder=nn.Flatten(), width=5), "encoded", ("encoded by Flatten",)),
    ],
)
def test_variables_that_are_no_tables(variable, kind, kinds):
    assert variable.kind == kind
    assert variable.kinds == kinds
    assert variable.table is None
    assert not variable.is_label


def test_the_entropy_of_merged_categories_is_their_largest_possible_one():
    codes = np.repeat([f"v{i}" for i in range(300)], 3)
    label = intake(codes, "y")
    assert label.columns[-1] == "y=others"
    assert label.label_entropy == pytest.approx(math.log(300)), "and not that of the 200 columns"
    uneven = np.append(codes, ["v299"] * 700)
    counts = np.unique(uneven, return_counts=True)[1] / len(uneven)
    assert intake(uneven, "y").label_entropy == pytest.approx(-(counts * np.log(counts)).sum(), abs=1e-3)
    part = label.take(torch.arange(450, 900))  # half of the categories, of which some were merged
    _, counts = np.unique(part.values.numpy(), axis=0, return_counts=True)
    merged = float(part.values[:, -1].mean())
    expected = -(counts / 450 * np.log(counts / 450)).sum() + merged * math.log(101)
    assert part.label_entropy == pytest.approx(expected)
    assert expected > math.log(150)
    few = label.take(torch.arange(9)).only([*label.columns[:5]])
    assert few.label_entropy == pytest.approx(math.log(3), abs=1e-6)


def test_rows_are_complete_if_they_are_finite_in_every_table():
    x, y = table(a=np.arange(60)), table("y", b=np.where(np.arange(60) == 5, np.nan, 0))
    assert complete_rows([x, y], "drop").tolist() == [i != 5 for i in range(60)]
    infinite = table("z", c=np.where(np.arange(60) == 7, np.inf, 0))
    assert complete_rows([x, y, infinite], "drop").sum() == 58
    with pytest.raises(ValueError, match=r"y has 1 missing or infinite values, in column 'b' \(1\).*indicator"):
        complete_rows([x, y], "raise")
    with pytest.raises(ValueError, match=r'pass nan="drop" to leave out their rows\.$'):
        complete_rows([x, y], "raise", indicator=False)
    with pytest.raises(ValueError, match="nan is 'fill': expected 'raise', 'drop' or 'indicator'"):
        complete_rows([x, y], "fill")
    with pytest.raises(ValueError, match="x has 60 rows and y has 2"):
        complete_rows([x, table("y", b=[1, 2])], "drop")


def test_missing_values_are_counted_by_the_column_that_was_given():
    both = intake(pd.DataFrame({"age": [1.0, math.nan, 3.0] * 40, "city": ["u", None, "v"] * 39 + ["w"] * 3}), "x")
    with pytest.raises(ValueError, match=r"x has 79 missing or infinite values, in column 'age' \(40\), 'city' \(39\)"):
        complete_rows([both])


def test_long_lists_are_cut():
    assert shown(["a", "b"]) == "'a', 'b'"
    assert shown([*"abcdefg"]) == "'a', 'b', 'c', 'd', 'e', ..."
