"""The sample: what every function takes in, once, and the parts, joins and shifts of it."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import mibounds as mi
from mibounds.data import Sample
from mibounds.warnings import ConstantColumnWarning, IdentifierWarning, RowsDroppedWarning

RNG = np.random.default_rng(0)
NUMBERS = np.arange(120.0).reshape(60, 2) ** 2
WORDS = np.array(["u", "v", "w"] * 20)


def codes(sample):
    return [warning.code for warning in sample.warnings]


def same_groups(one, other):
    """Are rows in the same group in both, whatever the numbers of the groups?"""
    one, other = np.asarray(one), np.asarray(other)
    return np.array_equal(one[:, None] == one, other[:, None] == other)


@pytest.mark.parametrize(
    "x, kind, expected",
    [
        (RNG.normal(size=(60, 3)), None, ("continuous",) * 3),
        (np.arange(80) % 4, None, ("categorical",)),
        (pd.DataFrame({"a": RNG.normal(size=60), "b": ["u", "v"] * 30}), None, ("continuous", "categorical")),
        (RNG.normal(size=(60, 8, 9)), None, ("image 1 x 8 x 9",)),
        (RNG.normal(size=(60, 3, 8, 9)), None, ("image 3 x 8 x 9",)),
        (RNG.normal(size=(60, 30, 2)), None, ("sequence of 30 steps x 2",)),
        (RNG.normal(size=(60, 30, 20)), "sequence", ("sequence of 30 steps x 20",)),
        (RNG.normal(size=(60, 30)), "sequence", ("sequence of 30 steps x 1",)),
        ([RNG.normal(size=3 + i % 5) for i in range(60)], None, ("sequence of up to 7 steps x 1",)),
        (RNG.normal(size=(60, 4, 4)), "image", ("image 1 x 4 x 4",)),
        (RNG.normal(size=(60, 4, 4)).tolist(), "image", ("image 1 x 4 x 4",)),
        (NUMBERS, {"x[1]": "categorical"}, ("continuous", "categorical")),
    ],
)
def test_kinds_are_inferred_or_given(x, kind, expected):
    assert Sample.of(x=x, types={"x": kind}).x.kinds == expected


def test_bad_kinds_encoders_and_policies_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match="x_type is 'graph': expected 'continuous', 'categorical', 'image', 'sequen"):
        Sample.of(x=NUMBERS, types={"x": "graph"})
    with pytest.raises(ValueError, match="x is ragged"):
        Sample.of(x=[[1.0, 2.0], [3.0]] * 30, types={"x": "continuous"})
    with pytest.raises(TypeError, match=r"encoder_x is a function, and must be a torch\.nn\.Module"):
        Sample.of(x=NUMBERS, encoders={"x": lambda x: x})
    with pytest.raises(ValueError, match=r"encoder_x maps two rows to \(2, 1, 4\): expected a tensor"):
        Sample.of(x=torch.zeros(60, 1, 4), encoders={"x": nn.Identity()})
    with pytest.raises(ValueError, match=r"x has shape \(60, 2, 2, 2, 2\).*encoder_x"):
        Sample.of(x=np.zeros((60, 2, 2, 2, 2)))
    images = RNG.normal(size=(60, 8, 8))
    with pytest.raises(ValueError, match="nan is 'fill': expected 'raise', 'drop' or 'indicator'"):
        Sample.of(x=images, y=images, nan="fill")


def test_variables_must_pair():
    with pytest.raises(ValueError, match="x has 60 rows and y has 59: rows are paired samples"):
        Sample.of(x=NUMBERS, y=NUMBERS[1:])
    with pytest.raises(ValueError, match="x has 60 rows and z has 59"):
        Sample.of(x=NUMBERS, y=NUMBERS, z=NUMBERS[1:])
    with pytest.raises(ValueError, match="49 complete rows are too few: expected at least 50"):
        Sample.of(x=NUMBERS[:49], y=NUMBERS[:49])
    with pytest.raises(ValueError, match="^1 complete row is too few: expected at least 50"):
        Sample.of(x=NUMBERS[:1], y=NUMBERS[:1])
    assert Sample.of(x=NUMBERS[:50], y=NUMBERS[:50]).n == 50


def test_missing_values_are_refused_or_their_rows_dropped():
    table = pd.DataFrame(NUMBERS.copy(), columns=["a", "b"])
    table.loc[3, "b"] = math.nan
    table.loc[4, "b"] = math.inf
    with pytest.raises(ValueError, match=r"y has 2 missing or infinite values, in column 'b' \(2\).*nan=\"drop\""):
        Sample.of(x=NUMBERS, y=table)
    sample = Sample.of(x=NUMBERS, y=table, nan="drop")
    assert sample.n == len(sample.x.values) == 58
    assert sample.given == 60
    assert sample.kept.tolist() == [i for i in range(60) if i not in (3, 4)]
    assert [type(warning) for warning in sample.warnings] == [RowsDroppedWarning]
    assert "2 of 60 rows" in str(sample.warnings[0])
    assert torch.equal(sample.x.values, sample.y.values)
    filled = Sample.of(x=table, y=NUMBERS, nan="indicator")
    assert filled.n == 60
    assert filled.x.columns == ("a", "b", "b=missing")
    assert not filled.warnings
    assert Sample.of(x=NUMBERS, y=table, nan="indicator").n == 58  # a missing y is no value of y


def test_rows_that_a_table_drops_are_dropped_from_all_variables_and_groups():
    images = RNG.normal(size=(60, 8, 8)).astype(np.float32)
    table = np.where(np.arange(60) == 7, np.nan, RNG.normal(size=60))
    sample = Sample.of(x=images, y=table, nan="drop", groups=np.arange(60) // 3)
    left = [i // 3 for i in range(60) if i != 7]
    assert same_groups(sample.groups, left)
    assert torch.equal(sample.x.values[:, 0], torch.from_numpy(np.delete(images, 7, 0)))
    assert len(sample.y.values) == 59
    assert codes(sample) == ["rows-dropped"]


def test_constant_columns_are_dropped_with_a_warning():
    table = pd.DataFrame(NUMBERS, columns=["a", "b"]).assign(c=7.0)
    sample = Sample.of(x=table, y=NUMBERS)
    assert sample.x.columns == ("a", "b")
    assert [type(warning) for warning in sample.warnings] == [ConstantColumnWarning]
    assert "x: constant columns were dropped: 'c'" in str(sample.warnings[0])
    kept = Sample.of(x=table, y=NUMBERS, drop_constant=False)
    assert kept.x.columns == ("a", "b", "c")
    assert not kept.warnings
    assert kept.varying().x.columns == ("a", "b")


def test_a_constant_variable_stays_with_a_warning():
    sample = Sample.of(x=NUMBERS, y=np.ones((60, 2)), z=WORDS)
    assert sample.y.columns == ("y[0]", "y[1]")
    assert [sample.is_constant(name) for name in "xyz"] == [False, True, False]
    assert [str(warning) for warning in sample.warnings] == ["y is constant in every column: its information is 0."]
    partly = Sample.of(x=NUMBERS, y=np.c_[np.ones(60), NUMBERS[:, 0]], drop_constant=False)
    assert not partly.is_constant("y")
    assert not Sample.of(x=np.ones((60, 8, 8)), y=NUMBERS).is_constant("x"), "images are no tables"


def test_columns_that_are_constant_in_what_is_kept_are_dropped():
    word = np.array(["a"] * 20 + ["b", "c"] * 30)
    x = np.where(np.arange(80) < 20, np.nan, RNG.normal(size=80))
    by_missing = Sample.of(x=x, z=word, nan="drop")
    by_weight = Sample.of(x=RNG.normal(size=80), z=word, weights=word != "a")
    for sample in (by_missing, by_weight):
        assert sample.n == 60
        assert sample.variables["z"].columns == ("z=b", "z=c")
        assert "constant-column" in codes(sample)


def test_weights_keep_rows_of_all_variables():
    weights = np.arange(60) % 6 > 0
    sample = Sample.of(x=NUMBERS, y=WORDS, groups=np.arange(60) // 2, weights=weights)
    assert sample.kept.tolist() == np.flatnonzero(weights).tolist()
    assert torch.equal(sample.x.values, torch.from_numpy(NUMBERS[weights]).float())
    assert same_groups(sample.groups, sample.kept // 2)
    uneven = 1 + np.arange(600.0)
    drawn = [Sample.of(x=np.arange(600.0) ** 2, weights=uneven, seed=seed).kept.tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_what_the_data_look_like_is_kept_as_warnings():
    table = pd.DataFrame({"name": [f"p{i}" for i in range(60)], "row": np.arange(60), "noise": RNG.normal(size=60)})
    sample = Sample.of(x=table, y=NUMBERS)
    assert [type(warning) for warning in sample.warnings] == [IdentifierWarning, IdentifierWarning]
    assert "x: column 'name' has 60 values in 60 rows and looks like an identifier" in str(sample.warnings[0])
    assert "x: column 'row' numbers the rows one by one" in str(sample.warnings[1])


def test_a_part_has_its_rows_in_all_variables_and_groups_numbered_anew():
    sample = Sample.of(x=np.c_[NUMBERS, np.ones(60)], y=WORDS, groups=np.arange(60) // 10)
    assert codes(sample) == ["constant-column"]
    chosen = torch.tensor([45, 3, 41])
    part = sample[chosen]
    assert part.kept.tolist() == [45, 3, 41]
    assert torch.equal(part.x.values, sample.x.values[chosen])
    assert part.groups.tolist() == [1, 0, 1]
    assert not part.warnings, "they are about the whole"
    mask = torch.zeros(60, dtype=torch.bool).index_fill(0, chosen, True)
    assert sample[mask].kept.tolist() == [3, 41, 45]
    assert part[torch.tensor([2])].kept.tolist() == [41]
    assert part.given == 60


def test_joined_variables_keep_values_kinds_and_names():
    sample = Sample.of(x=NUMBERS, y=pd.DataFrame({"a": NUMBERS[:, 0], "b": WORDS}), z=pd.DataFrame({"a": WORDS}))
    pair = sample.select(x="x", y=("y", "z"))
    assert set(pair.variables) == {"x", "y"}
    assert pair.x.values is sample.x.values
    assert pair.y.columns == ("y.a", "y.b=u", "y.b=v", "y.b=w", "z.a=u", "z.a=v", "z.a=w")
    assert pair.y.kinds == ("continuous", "categorical", "categorical")
    assert torch.equal(pair.y.values, torch.cat([sample.y.values, sample.variables["z"].values], 1))
    assert pair.y.width == 7
    assert not pair.y.is_label
    turned = sample.select(x="y", y="x")
    assert (turned.x.name, turned.x.columns) == ("x", sample.y.columns)
    assert sample.select(x="z", y="x").x.is_label
    assert sample.select(x="x", y=("x", "z")).y.columns[:2] == ("x[0]", "x[1]"), "different names stay"


def test_variables_that_cannot_be_joined_are_named():
    sample = Sample.of(x=RNG.normal(size=(60, 8, 8)), y=NUMBERS)
    with pytest.raises(TypeError, match=r"x is image 1 x 8 x 8: expected \(rows,\) or \(rows, columns\) here"):
        sample.select(x="y", y=("x", "y"))
    with pytest.raises(TypeError, match=r"Flatten it, numpy.reshape\(x, \(len\(x\), -1\)\)"):
        sample.check_tables("xy")
    sample.check_tables("y")
    ragged = Sample.of(x=[[1.0, 2.0], [3.0]] * 30, y=NUMBERS)
    with pytest.raises(TypeError, match="Describe each sequence by columns, such as its mean"):
        ragged.check_tables("x")


def test_one_variable_can_be_permuted():
    sample = Sample.of(x=NUMBERS, y=WORDS)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0))
    permuted = sample.permuted("y", order)
    assert torch.equal(permuted.y.values, sample.y.values[order])
    assert permuted.x is sample.x


def test_shifts_are_of_the_given_lags():
    sample = Sample.of(x=NUMBERS, y=WORDS, series=True)
    times = torch.arange(3, 60)
    past = sample.shift(times, x=("x", [1, 3]), y=("y", [0]), z=("y", range(1, 3)))
    assert past.x.columns == ("x[0][t-1]", "x[1][t-1]", "x[0][t-3]", "x[1][t-3]")
    assert torch.equal(past.x.values[:, :2], sample.x.values[2:59])
    assert torch.equal(past.x.values[:, 2:], sample.x.values[:57])
    assert past.y.columns == ("y=u", "y=v", "y=w")
    assert past.variables["z"].columns[3:] == ("y[t-2]=u", "y[t-2]=v", "y[t-2]=w")
    assert past.variables["z"].kinds == ("categorical", "categorical")
    assert past.kept.tolist() == times.tolist()
    assert past.given == 60
    ahead = sample.shift(torch.arange(57), x=("x", [-2]), y=("y", [0]))
    assert ahead.x.columns == ("x[0][t+2]", "x[1][t+2]")
    assert torch.equal(ahead.x.values, sample.x.values[2:59])


def test_times_that_miss_a_value_leave_no_other_time_moved():
    x = np.arange(100.0) ** 2
    x[10] = np.nan
    series = Sample.of(x=x, y=np.arange(100.0) ** 2, nan="drop", series=True)
    assert series.n == 100, "until the shift"
    pairs = series.shift(torch.arange(1, 100), x=("x", [1]), y=("y", [0]))
    assert pairs.kept.tolist() == [t for t in range(1, 100) if t != 11]
    assert torch.equal(pairs.x.values[:, 0].sqrt() + 1, pairs.y.values[:, 0].sqrt())
    assert codes(pairs) == ["rows-dropped"]
    with pytest.raises(ValueError, match="x has 1 missing"):
        Sample.of(x=x, series=True)


def test_times_without_a_value_of_y_stay_in_place_where_x_has_an_indicator():
    x, y = np.arange(100.0) ** 2, np.arange(100.0) ** 2
    x[20], y[10] = np.nan, np.nan
    series = Sample.of(x=x, y=y, nan="indicator", series=True)
    pairs = series.shift(torch.arange(1, 100), x=("x", [1]), y=("y", [0]))
    assert pairs.kept.tolist() == [t for t in range(1, 100) if t != 10]
    assert pairs.x.columns == ("x[t-1]", "x[t-1]=missing")
    assert pairs.x.values[:, 1].nonzero().flatten().tolist() == [pairs.kept.tolist().index(21)]
    there = pairs.x.values[:, 1] == 0
    assert torch.equal(pairs.x.values[there, 0].sqrt() + 1, pairs.y.values[there, 0].sqrt())


def test_warnings_about_a_series_stay_with_its_shifts():
    series = Sample.of(x=np.arange(100), y=np.c_[np.arange(100.0) ** 2, np.ones(100)], series=True)
    assert codes(series) == ["identifier", "constant-column"]
    shifted = series.shift(torch.arange(1, 100), x=("x", [1]), y=("y", [0]))
    assert codes(shifted) == ["identifier", "constant-column"]


def test_the_columns_of_a_table_are_one_variable_of_which_parts_are_taken():
    frame = pd.DataFrame({"a": NUMBERS[:, 0], "city": WORDS, "b": NUMBERS[:, 1], "same": np.ones(60)})
    sample = Sample.of_columns(frame)
    assert sample.variables["table"].columns == ("a", "b")
    assert codes(sample) == ["columns-left-out", "constant-column"]
    part = sample.columns(x=["b"], y=["a"])
    assert part.x.columns == ("b",)
    assert torch.equal(part.x.values[:, 0], torch.from_numpy(NUMBERS[:, 1]).float())
    assert (part.x.name, part.y.name) == ("x", "y")
    assert not part.warnings


def test_a_table_needs_two_columns_that_vary_and_has_no_indicators():
    with pytest.raises(ValueError, match="table has one column that varies, '0': expected at least two"):
        Sample.of_columns(NUMBERS[:, 0])
    with pytest.raises(ValueError, match="table has one column that varies, '1'"):
        Sample.of_columns(np.c_[np.ones(60), NUMBERS[:, 0]])
    with pytest.raises(ValueError, match="table has no column that varies: expected at least two"):
        Sample.of_columns(np.ones((60, 2)))
    missing = np.c_[NUMBERS, np.r_[np.nan, NUMBERS[1:, 0]]]
    with pytest.raises(ValueError, match="nan is 'indicator': expected 'raise' or 'drop'"):
        Sample.of_columns(missing, nan="indicator")
    with pytest.raises(ValueError, match=r'pass nan="drop" to leave out their rows\.$'):
        Sample.of_columns(missing)
    assert Sample.of_columns(missing, nan="drop").kept.tolist() == [*range(60)], "a pair leaves out its own rows"
    assert Sample.of_columns(missing[:, 1:], nan="drop").kept.tolist() == [*range(1, 60)]
    with pytest.raises(ValueError, match="table has one column that varies, '0'"):
        Sample.of_columns(missing[:, :1], nan="drop")


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (pd.date_range("2020", periods=60), "Columns without numbers were left out: 'b'."),
        ([f"w{i}" for i in range(60)], "Columns without numbers were left out: 'b'."),
        (np.ones(60), "table: constant columns were dropped: 'b'."),
    ],
)
def test_a_table_of_one_column_says_what_became_of_the_others(other, why):
    with pytest.raises(ValueError, match=f"'a': expected at least two, to make a pair. {why}$"):
        Sample.of_columns(pd.DataFrame({"a": NUMBERS[:, 0], "b": other}))


def test_tensors_without_values_are_refused_by_name():
    for data in (
        torch.zeros(60, device="meta"),
        torch.zeros(60, 9, 9, device="meta"),
        [torch.zeros((), device="meta")],
    ):
        with pytest.raises(
            TypeError, match="^y is a tensor on the meta device, which holds no values: pass one on the"
        ):
            Sample.of(x=NUMBERS, y=data)
    with pytest.raises(TypeError, match="^groups is a tensor on the meta device"):
        Sample.of(x=NUMBERS, groups=torch.zeros(60, device="meta"))
    with pytest.raises(TypeError, match="^x is a tensor on the meta device"):
        Sample.of(x=(torch.zeros(60, device="meta"),), encoders={"x": nn.Identity()})


def test_an_encoder_takes_its_variable_as_it_came():
    encoder = nn.Linear(2, 5)
    pairs = (torch.from_numpy(NUMBERS), torch.arange(60))
    assert Sample.of(x=NUMBERS.astype(np.float32), encoders={"x": encoder}).x.width == 5
    first = nn.Module()
    first.forward = lambda pair: pair[0]
    sample = Sample.of(x=pairs, y=WORDS, encoders={"x": first})
    assert sample.x.values[0].dtype == torch.float32
    assert sample.x.values[1].dtype == torch.int64
    assert sample.x.width == 2
    assert sample[torch.tensor([4])].x.values[1].tolist() == [4]
    with pytest.raises(ValueError, match="x has 1 missing or infinite values"):
        Sample.of(x=torch.tensor([math.nan] + [1.0] * 59), encoders={"x": encoder})
    frozen = nn.Sequential(nn.Linear(2, 5), nn.BatchNorm1d(5))
    frozen[1].eval()
    Sample.of(x=NUMBERS.astype(np.float32), encoders={"x": frozen})
    assert [module.training for module in frozen] == [True, False], "it is left as it was"
    assert not frozen[1].running_mean.any()


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_nested_tensor_is_a_sequence_where_it_is_declared_as_one():
    parts = [torch.zeros(2, 3), torch.ones(4, 3)] * 30
    nested = torch.nested.nested_tensor(parts)
    y = torch.arange(60.0)
    taken = Sample.of(x=nested, y=y, types={"x": "sequence"}).x.values
    expected = Sample.of(x=parts, y=y, types={"x": "sequence"}).x.values
    torch.testing.assert_close(taken, expected, rtol=0, atol=0, equal_nan=True)
    with pytest.raises(TypeError, match=r"^x is a nested tensor: pass the list of its parts, x\.unbind\(\)\.$"):
        Sample.of(x=nested, y=y)


@pytest.mark.parametrize("option", ["groups", "weights"])
@pytest.mark.parametrize("y", ["y", None])
def test_groups_and_weights_in_another_order_are_refused(option, y):
    x = pd.DataFrame({"a": np.arange(80.0) ** 2, "y": np.arange(80.0) ** 3})
    given = pd.Series(np.arange(80) % 8 + 50)
    y = x["y"] if y is None else y
    assert Sample.of(x=x, y=y, **{option: given}).warnings == Sample.of(x=x, y=y).warnings
    with pytest.raises(ValueError, match="x and (groups|sample_weight) have the same index in another order"):
        Sample.of(x=x, y=y, **{option: given[::-1]})
    assert "index-mismatch" in [one.code for one in Sample.of(x=x, y=y, **{option: given.add_prefix("r")}).warnings]
    Sample.of(x=x, y=y, **{option: given[::-1].to_numpy()})


@pytest.mark.parametrize("groups", [["a", "a\0"] * 40, [b"\xe9", b"\xe8"] * 40, pd.Categorical(["1", "01"] * 40)])
def test_groups_of_different_text_are_different(groups):
    sample = Sample.of(x=np.arange(80.0) ** 2, y=np.arange(80.0) ** 3, groups=groups)
    assert sorted(sample.groups.unique().tolist()) == [0, 1]
    assert sample.groups[0] != sample.groups[1]


@pytest.mark.parametrize("kind", ["continuous", "categorical"])
@pytest.mark.parametrize("shape", [(60, 4, 4), (60, 1, 8, 8)])
def test_a_kind_of_columns_of_data_that_are_no_columns_is_refused(kind, shape):
    """They were taken as sequences or images, whatever was asked for."""
    with pytest.raises(
        ValueError, match=rf"x has shape .*, and {kind} columns are expected: flatten it, numpy.reshape"
    ):
        Sample.of(x=np.zeros(shape), y=NUMBERS, types={"x": kind})


def test_cells_that_hold_series_are_refused():
    cells = pd.DataFrame({"a": [pd.Series([1, 2])] * 60})
    with pytest.raises(TypeError, match="column 'a' holds Series objects: expected numbers"):
        Sample.of(x=cells, y=NUMBERS)


def test_blocks_of_rows_are_in_the_order_of_time():
    times = pd.date_range("2024-01-01", periods=60)[np.r_[1, 0, 2:60]]
    x = pd.Series(np.arange(60.0) ** 2, index=times)
    assert Sample.of(x=x, y=np.arange(60)).n == 60
    with pytest.raises(ValueError, match="the index of x holds times that are not in increasing order"):
        Sample.of(x=x, y=np.arange(60), blocked=True)
    with pytest.raises(ValueError, match="the index of x holds times that are not in increasing order"):
        mi.estimate(x, np.arange(60), split="blocked", steps=2)
