import numpy as np
import pytest

from mibounds.learners.bins import FineBins


def drawn(n=3000, columns=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, columns))


@pytest.mark.parametrize(("columns", "parts"), [(1, 4), (10, 4), (11, 3), (20, 2), (21, 1), (60, 1)])
def test_the_number_of_parts_of_many_columns(columns, parts):
    bins = FineBins(drawn(columns=columns))
    assert np.array_equal(bins.columns, np.repeat(np.arange(columns), parts))
    codes = bins.codes(drawn(columns=columns))
    assert codes.shape == (3000, columns * parts)
    assert all(len(np.unique(column)) <= 255 for column in codes.T)


@pytest.mark.parametrize(("values", "parts"), [(1, 1), (2, 1), (255, 1), (256, 2), (600, 3), (1017, 4), (2500, 4)])
def test_columns_of_few_values_have_few_parts(values, parts):
    assert len(FineBins(np.arange(float(values))[:, None]).columns) == parts


def test_up_to_1017_values_are_all_told_apart():
    column = np.sort(drawn(1017, 1), 0)
    codes = FineBins(column).codes(column)
    assert len(np.unique(codes, axis=0)) == 1017
    assert np.array_equal(codes.sum(1), np.arange(1017))


def test_a_split_of_codes_is_the_split_of_its_column_at_the_threshold():
    """For rows that the bins were fitted to and others, at thresholds between codes and, as between two that are not
    neighbors, on one."""
    x = np.hstack([drawn(columns=1), drawn(columns=1).round(1), drawn(columns=1) ** 3])
    bins = FineBins(x)
    for rows in (x, drawn(500, 3, seed=1)):
        codes = bins.codes(rows)
        for part in range(len(bins.columns)):
            for split in (0.5, 1.0, 7.5, 100.5, 253.5):
                if split < bins.codes(x)[:, part].max():
                    threshold = bins.thresholds(np.array([part]), np.array([split]))
                    assert np.array_equal(codes[:, part] <= split, rows[:, bins.columns[part]] <= threshold)


def test_of_many_values_the_bins_have_equally_many_rows():
    x = drawn(10_000, 1)
    counts = np.unique(FineBins(x).codes(x).sum(1), return_counts=True)[1]
    assert len(counts) == 1017
    assert 9 <= counts.min() <= counts.max() <= 11


def test_a_constant_column_and_one_row():
    assert not FineBins(np.ones((5, 1))).codes(np.array([[0.0], [1.0], [2.0]])).any()
    assert not FineBins(np.ones((1, 2))).codes(np.ones((1, 2))).any()
