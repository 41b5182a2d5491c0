"""The matrix of all pairs: known values, p-values, groups, and what is refused."""

import json
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

import mibounds as mi
from mibounds.estimation.pairwise import column_matrix
from mibounds.results.matrix import Pair
from mibounds.warnings import ConstantColumnWarning, RowsDroppedWarning, SerialCorrelationWarning


def normals(count, n=1500, seed=0):
    return torch.randn(count, n, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def table():
    """Columns a, b with a correlation of .8; c a parabola of a; d a coin that shifts e; f alone."""
    a, b, c, e, f = normals(5, 3000)
    coin = (torch.rand(3000, generator=torch.Generator().manual_seed(1)) < 0.5).float()
    columns = {"a": a, "b": 0.8 * a + 0.6 * b, "c": a.square() + 0.5 * c, "d": coin, "e": 2 * coin + e, "f": f.exp()}
    return pl.DataFrame({name: column.numpy() for name, column in columns.items()})


@pytest.fixture(scope="module")
def found(table):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(column_matrix, "_NULL_COLUMNS", (12, 12))
        return mi.matrix(table, pvalues=True)


def entry(result, x, y):
    return result.values[result.names.index(x), result.names.index(y)]


def test_known_values(found, table):
    rho = np.corrcoef(table["a"], table["b"])[0, 1]
    assert entry(found, "a", "b") == pytest.approx(-0.5 * math.log1p(-(rho**2)), abs=0.012)
    assert entry(found, "a", "c") == pytest.approx(0.803, abs=0.08)  # by numerical integration
    assert entry(found, "d", "e") == pytest.approx(0.337, abs=0.03)  # likewise
    assert entry(found, "a", "f") == pytest.approx(0, abs=0.006)


def test_labels_and_piles_of_zeros():
    a, b, c = normals(3, 3000)
    columns = [(a > 0).float(), (a + b > 0).float(), c.clamp_min(0), (c > 1).float() + (c > -1).float()]
    found = mi.matrix(torch.stack(columns, 1)).values
    same = 0.75  # of the signs of two normals with a correlation of .71
    labels = math.log(2) + same * math.log(same) + (1 - same) * math.log(1 - same)
    assert found[0, 1] == pytest.approx(labels, abs=0.03)
    q = 0.1587  # c below -1, or above 1
    entropy = -2 * q * math.log(q) - (1 - 2 * q) * math.log(1 - 2 * q)
    lost = 0.5 * (math.log(0.5) - 2 * q * math.log(2 * q) - (1 - 2 * q) * math.log(1 - 2 * q) - math.log(0.5))
    assert found[2, 3] == pytest.approx(entropy - lost, abs=0.06)
    assert np.abs(found[:2, 2:]).max() < 0.01
    with_gap = torch.stack([(a > 0).float(), b.clamp_min(0), (a + b > 0).float()], 1)[:1000]
    assert abs(mi.matrix(with_gap).values[0, 1]) < 0.01


def test_near_copies_are_large_and_finite():
    a, b = normals(2)
    table = torch.stack([a, 0.99 * a + 0.141 * b, 0.999 * a + 0.0447 * b, a, -a.exp()], 1)
    found = mi.matrix(table, folds=2).values
    assert found[0, 1] == pytest.approx(1.96, abs=0.15)
    assert found[0, 2] == pytest.approx(3.1, abs=0.5)
    assert 3.5 < found[0, 3] < math.log(1500)
    assert 3.5 < found[0, 4] < math.log(1500)


def test_it_is_symmetric_and_its_diagonal_empty(found):
    for square in (found.values, found.stderr, found.pvalues, found.adjusted):
        assert np.array_equal(square, square.T, equal_nan=True)
        assert np.isnan(np.diag(square)).all()
        assert np.isfinite(square[np.triu_indices(6, 1)]).all()


def test_pvalues_find_the_dependent_pairs(found):
    where = {(p.x, p.y) for p in found.pairs() if p.adjusted <= 0.05}
    assert {("a", "b"), ("a", "c"), ("b", "c"), ("d", "e")} <= where
    assert len(where) <= 6
    assert found.pairs()[0] == max(found.pairs(), key=lambda pair: pair.value)
    assert isinstance(found.pairs()[0], Pair)


def test_the_same_seed_gives_the_same_numbers_whatever_the_workers(table, monkeypatch):
    monkeypatch.setattr(column_matrix, "_NULL_COLUMNS", (12, 12))
    one, two = (
        mi.matrix(table[:500], columns=["a", "c", "f"], seed=3, pvalues=True, workers=w, folds=2) for w in (1, 2)
    )
    assert np.array_equal(one.values, two.values, equal_nan=True)
    assert np.array_equal(one.pvalues, two.pvalues, equal_nan=True)
    other = mi.matrix(table[:500], columns=["a", "c", "f"], seed=4, folds=2)
    assert not np.array_equal(one.values, other.values, equal_nan=True)


def test_monotone_maps_and_the_order_of_columns_change_nothing(table):
    plain = mi.matrix(table.select("a", "b"))
    bent = mi.matrix(table.select("b", pl.col("a").exp()))
    assert bent.values[0, 1] == pytest.approx(plain.values[0, 1], abs=1e-3)


def test_the_order_of_the_columns_changes_nothing(table):
    names = ["a", "b", "c", "f"]
    plain = mi.matrix(table[:600].select(*names), folds=2, pvalues=True)
    other = mi.matrix(table[:600].select(*names[::-1]), folds=2, pvalues=True)
    assert other.names == plain.names[::-1]
    for found, turned in ((plain.values, other.values), (plain.stderr, other.stderr)):
        assert np.allclose(found, turned[::-1, ::-1], atol=1e-4, equal_nan=True)


def test_bits_json_and_figures(found, tmp_path):
    bits = found.to("bits")
    assert bits.values[0, 1] == pytest.approx(found.values[0, 1] / math.log(2))
    assert bits.stderr[0, 1] == pytest.approx(found.stderr[0, 1] / math.log(2))
    assert bits.pvalues[0, 1] == found.pvalues[0, 1]
    bits.save(tmp_path / "m.json")
    record = json.loads((tmp_path / "m.json").read_text())
    assert record == bits.to_dict()
    assert (record["values"][0][0], record["unit"]) == (None, "bits")
    assert record["values"][0][1] == bits.values[0, 1]
    assert found.plot().axes
    text = repr(found)
    assert "I(X;Y) of 15 pairs of 6 variables in nats, n = 3,000" in text
    assert "and 5 more" in text
    with pytest.raises(ValueError, match="unit is 'bit'"):
        found.to("bit")


def test_standard_errors_are_those_of_repeated_draws():
    values, errors = [], []
    for seed in range(12):
        a, b = normals(2, 600, seed)
        one = mi.matrix(torch.stack([a, 0.8 * a + 0.6 * b], 1))
        values.append(one.values[0, 1])
        errors.append(one.stderr[0, 1])
    assert 0.5 < np.std(values) / np.mean(errors) < 1.5


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")  # trainings are short here
def test_groups_of_columns(table):
    groups = {"left": ["a", "f"], "right": ["b"], "coin": ["d"]}
    found = mi.matrix(table[:500], groups=groups, folds=2, steps=60, hidden=(16,), workers=1)
    assert found.names == ("left", "right", "coin")
    assert found.values[0, 1] == pytest.approx(0.51, abs=0.2)
    assert found.pvalues is None


@pytest.mark.parametrize(
    "columns, options, sentence",
    [
        ({"a": 1}, {}, "table has one column that varies, 'a': expected at least two"),
        ({"a": 1, "b": 1}, {"columns": ["a", "c"]}, "table has no column 'c'"),
        ({"a": 1, "bee": 1}, {"columns": ["a", "be"]}, "table has no column 'be'. Did you mean 'bee'"),
        ({"a": 1, "b": 1}, {"unit": "bit"}, "unit is 'bit'"),
        ({"a": 1, "b": 1}, {"folds": 1}, "folds is 1: expected a whole number of at least 2"),
        ({"a": 1, "b": 1}, {"workers": 0}, "workers is 0"),
        ({"a": 1, "b": 1}, {"device": "cuda:9"}, "device is 'cuda:9'"),
        ({"a": 1, "b": 1}, {"groups": {"one": ["a"], "two": ["c"]}}, "table has no column 'c'"),
    ],
)
def test_what_cannot_be_used_is_refused(columns, options, sentence):
    noise = np.random.default_rng(0).normal(size=(len(columns), 300))
    frame = pl.DataFrame(dict(zip(columns, noise, strict=True)))
    with pytest.raises(ValueError, match=sentence):
        mi.matrix(frame, **options)


def test_missing_and_constant_columns():
    a, b = normals(2, 300).numpy()
    missing = a.copy()
    missing[3] = np.nan
    with pytest.raises(
        ValueError, match="table has 1 missing or infinite values, in column 'm'.*leave out their rows.$"
    ):
        mi.matrix(pl.DataFrame({"m": missing, "b": b}))
    with pytest.warns(RowsDroppedWarning):
        assert mi.matrix(pl.DataFrame({"m": missing, "b": b}), nan="drop", folds=2).n == 299
    frame = pl.DataFrame({"a": a, "b": b, "same": np.ones(300), "city": ["Ulm"] * 300})
    with (
        pytest.warns(ConstantColumnWarning),
        pytest.warns(mi.MIWarning, match="without numbers .* were left out: 'city'"),
    ):
        found = mi.matrix(frame, folds=2)
    assert found.names == ("a", "b")
    assert [warning.code for warning in found.warnings] == ["columns-left-out", "constant-column"]
    with pytest.raises(TypeError, match="column 'city' holds text"):
        mi.matrix(frame, columns=["a", "city"])
    with pytest.raises(ValueError, match="table has no column that varies: expected at least two"):
        mi.matrix(np.ones((300, 2)))
    with pytest.raises(TypeError, match="steps: only the estimates of groups= have this setting"):
        mi.matrix(frame, columns=["a", "b"], steps=3)


@pytest.fixture(scope="module")
def incomplete():
    """Columns a, b with a correlation of 0.8, and c and d that lack a third and a half of their values; d is -b."""
    a, b, c = normals(3, 1200, 7).numpy()
    b = 0.8 * a + 0.6 * b
    rng = np.random.default_rng(0)
    lost = [np.where(rng.random(1200) < share, np.nan, side) for share, side in ((1 / 3, c + a), (1 / 2, -b))]
    lost[0][5] = np.inf
    return np.stack([a, b, *lost], 1)


@pytest.mark.filterwarnings("ignore::mibounds.warnings.RowsDroppedWarning")
def test_a_pair_uses_the_rows_in_which_both_are_present(incomplete):
    found = mi.matrix(incomplete, nan="drop", folds=2)
    for i in range(4):
        for j in range(i + 1, 4):
            both = incomplete[np.isfinite(incomplete[:, [i, j]]).all(1)][:, [i, j]]
            assert found.counts[i, j] == found.counts[j, i] == len(both)
            alone = mi.matrix(both, folds=2)
            # The folds are those of all columns that have the same rows: of some pairs no others.
            same = (i, j) in {(0, 1), (2, 3)}
            off = {"abs": 1e-5, "rel": 0} if same else {"abs": 0.06, "rel": 0.1}
            assert found.values[i, j] == pytest.approx(alone.values[0, 1], **off)
            assert not same or found.stderr[i, j] == pytest.approx(alone.stderr[0, 1], abs=1e-5)
            assert alone.counts is None
    assert found.n == 1200
    assert found.counts[0, 1] == 1200
    assert found.values[0, 1] == pytest.approx(0.511, abs=0.1)  # -ln(1 - 0.64) / 2
    assert found.values[0, 2] == pytest.approx(0.347, abs=0.08)  # ln(2) / 2
    assert found.values[0, 3] == pytest.approx(0.511, abs=0.1)
    assert found.values[1, 2] == pytest.approx(0.193, abs=0.06)  # -ln(1 - 0.32) / 2
    assert found.pairs()[0].n == found.counts[1, 3]


def test_missing_values_of_a_third_column_change_nothing_and_counts_are_shown(incomplete):
    with pytest.warns(
        RowsDroppedWarning, match=r"Each pair leaves out .*: \d+ to 1,200 of 1,200 rows are left"
    ) as issued:
        found = mi.matrix(incomplete[:, :3], nan="drop", folds=2)
    assert len(issued) == 1
    assert found.values[0, 1] == mi.matrix(incomplete[:, :2], folds=2).values[0, 1]
    assert repr(found).splitlines()[1].split()[-1] == "n"
    assert repr(found).splitlines()[2].split()[-1] == "1,200"
    again = mi.results.MatrixResult.from_dict(json.loads(json.dumps(found.to_dict())))
    assert np.array_equal(again.counts, found.counts, equal_nan=True)
    assert again.pairs() == found.pairs()


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_pvalues_of_columns_that_lack_values(incomplete, monkeypatch):
    monkeypatch.setattr(column_matrix, "_NULL_COLUMNS", (14, 14))
    table = np.column_stack([incomplete[:, [0, 1]], np.roll(incomplete[:, 2], 100)])  # the last depends on nothing
    found = mi.matrix(table, nan="drop", folds=2, pvalues=True)
    assert found.pvalues[0, 1] < 1e-6
    assert found.pvalues[0, 2] > 0.01
    assert found.pvalues[1, 2] > 0.01


@pytest.mark.filterwarnings("ignore::mibounds.warnings.RowsDroppedWarning")
def test_a_pair_with_too_few_common_rows_has_no_value_and_others_do(monkeypatch):
    monkeypatch.setattr(column_matrix, "_NULL_COLUMNS", (12, 12))
    a, b, c = normals(3, 300).numpy()
    b, c = a + b, c.copy()
    b[:140], c[160:] = np.nan, np.nan
    with pytest.warns(mi.warnings.SmallSampleWarning, match="1 of the pairs have no value \\('1' and '2'\\): too few"):
        found = mi.matrix(np.stack([a, b, c], 1), nan="drop", folds=2, pvalues=True)
    assert [found.counts[0, 1], found.counts[0, 2], found.counts[1, 2]] == [160, 160, 20]
    assert np.isnan(found.values[1, 2])
    assert np.isnan(found.pvalues[1, 2])
    assert found.values[0, 1] == pytest.approx(0.35, abs=0.15)
    assert found.pairs()[-1].n == 20
    thirds = normals(3, 120).numpy().T.copy()
    thirds[np.arange(120), np.arange(120) % 3] = np.nan  # every two columns have 40 rows
    with pytest.raises(ValueError, match="at most 40 rows in which two columns have values: expected at least 50"):
        mi.matrix(thirds, nan="drop")
    with pytest.raises(ValueError, match="20 rows with values in two columns are too few: expected at least 50"):
        mi.matrix(np.stack([b, c], 1), nan="drop")


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_groups_leave_out_rows_pair_by_pair(incomplete):
    options = {"folds": 2, "steps": 20, "hidden": (8,), "workers": 1}
    names = {"a": ["0"], "b": ["1"], "c": ["2", "3"]}
    found = mi.matrix(incomplete[:600], groups=names, nan="drop", **options)
    both = int(np.isfinite(incomplete[:600]).all(1).sum())
    assert [found.counts[0, 1], found.counts[0, 2], found.counts[1, 2]] == [600, both, both]
    whole = mi.matrix(incomplete[:600, :2], groups={"a": ["0"], "b": ["1"]}, **options)
    assert found.values[0, 1] == whole.values[0, 1]
    assert [code for code in (one.code for one in found.warnings) if code == "rows-dropped"] == ["rows-dropped"]
    gaps = incomplete[:100].copy()
    gaps[:60, 2] = np.nan
    few = mi.matrix(gaps, groups=names, nan="drop", **options)
    assert np.isnan(few.values[0, 2])
    assert few.values[0, 1] > 0.2


def test_rows_in_order_warn():
    walk = normals(2, 400).cumsum(1).T
    with pytest.warns(SerialCorrelationWarning, match="in 2 columns"):
        mi.matrix(walk, folds=2)


def test_a_pair_without_a_value_is_warned_of_by_name():
    x = np.random.default_rng(0).normal(size=(400, 2))
    x[:, 1] = 0
    x[20, 1] = 1
    with pytest.warns(mi.warnings.SmallSampleWarning, match="1 of the pairs have no value \\('0' and '1'\\)"):
        found = mi.matrix(x, folds=2)
    assert np.isnan(found.values).all()


@pytest.mark.parametrize("kind", ["text", "category", "objects with missing values"])
def test_text_with_few_values_is_a_label(kind):
    rng = np.random.default_rng(0)
    label, noise = rng.integers(0, 5, 1500), rng.normal(size=1500)
    shuffled = np.array([2.0, 0.0, 4.0, 1.0, 3.0])[label]  # not in the order of the names
    words = np.array(["ash", "birch", "elm", "fir", "oak"])[label]
    other = np.where(rng.random(1500) < 0.8, words, np.array(["ash", "birch", "elm", "fir", "oak"])[::-1][label])
    frame = pd.DataFrame(
        {"tree": words, "height": 2 * shuffled + noise, "other": other, "name": [f"no. {i}" for i in range(1500)]}
    )
    frame = frame.astype({"tree": "category"}) if kind == "category" else frame
    if kind.startswith("objects"):
        frame["tree"] = frame["tree"].astype(object).where(np.arange(1500) != 7, None)
    with pytest.warns(mi.MIWarning) as issued:
        found = mi.matrix(frame, folds=2, nan="drop" if kind.startswith("objects") else "raise")
    assert any("were left out: 'name'" in str(one.message) for one in issued)
    assert found.names == ("tree", "height", "other")
    assert found.n == 1500
    with_tree = [pair.n for pair in found.pairs() if "tree" in (pair.x, pair.y)]
    assert with_tree == ([1499, 1499] if kind.startswith("objects") else [None, None])
    counted = mi.classical.contingency(words, other)
    assert entry(found, "tree", "other") == pytest.approx(counted, abs=0.08)
    by_codes = mi.matrix(np.stack([label, frame["height"]], 1), folds=2)
    assert entry(found, "tree", "height") == pytest.approx(by_codes.values[0, 1], abs=0.05)
    assert entry(found, "tree", "height") == pytest.approx(1.031, abs=0.08)  # by numerical integration
    if kind == "text":
        with pytest.raises(TypeError, match="column 'tree' holds text"):
            mi.matrix(frame, groups={"a": ["tree"], "b": ["height"]})


@pytest.mark.parametrize("values", [2, 3, 8])
def test_no_pair_is_above_the_entropy_of_a_label(values):
    rng = np.random.default_rng(0)
    label = rng.integers(0, values, 400)
    entropy = mi.classical.entropy(label)
    copies = np.column_stack([label, label, label + 0.01 * rng.normal(size=400), rng.normal(size=400)])
    found = mi.matrix(copies, folds=2).values
    assert 0.9 * entropy < np.nanmax(found[0]) <= entropy
    assert np.nanmax(found[:, :2]) <= entropy
    copies[:100, 2] = np.nan  # the pair has the entropy of its own rows
    with pytest.warns(RowsDroppedWarning):
        found = mi.matrix(copies, folds=2, nan="drop").values
    assert found[0, 2] <= mi.classical.entropy(label[100:])


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
@pytest.mark.parametrize("missing", [False, True])
def test_the_order_of_the_rows_changes_nothing(missing, monkeypatch):
    monkeypatch.setattr(column_matrix, "_NULL_COLUMNS", (6, 6))
    a, b, c = normals(3, 200).numpy()
    table = np.stack([np.sign(a), a + b, np.round(c), b], 1)
    table[:20, 3] = np.nan if missing else table[:20, 3]
    order = np.random.default_rng(0).permutation(200)
    first, other = (mi.matrix(rows, folds=2, nan="drop", pvalues=True) for rows in (table, table[order]))
    assert np.array_equal(first.values, other.values, equal_nan=True)
    assert np.array_equal(first.pvalues, other.pvalues, equal_nan=True)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
@pytest.mark.parametrize("levels, labels", [(5, True), (30, False)])
@pytest.mark.parametrize("of", [int, float, str])
def test_categories_are_labels_whatever_their_values(levels, labels, of):
    code = np.arange(300) % levels
    table = pd.DataFrame({"code": pd.Categorical([of(one) for one in code]), "a": normals(2, 300)[0], "b": code + 0.5})
    found = mi.matrix(table, folds=2)
    assert found.names == (("code", "a", "b") if labels else ("a", "b"))
    assert ("columns-left-out" in [one.code for one in found.warnings]) != labels


def test_pvalues_is_true_or_false():
    with pytest.raises(TypeError, match=r"pvalues is 'no' \(a str\): expected True or False"):
        mi.matrix(normals(2, 100).T, pvalues="no")
