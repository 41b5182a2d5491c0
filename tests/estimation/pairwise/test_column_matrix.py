"""All pairs of columns: p-values, stacks and warnings."""

import numpy as np
import pytest
import torch

from mibounds.data.intake import intake
from mibounds.estimation.pairwise import column_matrix
from mibounds.estimation.pairwise.column_matrix import _shuffled, column_warnings, measure_columns


def independent(columns, n, seed=0):
    return torch.randn(n, columns, generator=torch.Generator().manual_seed(seed))


def test_pvalues_of_independent_columns_are_roughly_uniform(monkeypatch):
    monkeypatch.setattr(column_matrix, "_NULL_COLUMNS", (14, 14))
    every = []
    for seed in range(4):
        table = independent(8, 400, seed)
        table[:, 0] = (table[:, 0] > 0.5).float()  # a label among them
        values, _, counts, pvalues = measure_columns(table, True, None, 1, False, 0)
        assert (counts == 400).all()
        assert np.abs(values).max() < 0.06
        every += [*pvalues]
    assert np.mean(every) == pytest.approx(0.5, abs=0.08)
    assert 0.05 < np.mean(np.array(every) <= 0.1) < 0.17
    assert np.mean(np.array(every) <= 0.01) < 0.05


def test_stacks_of_any_size_give_the_same(monkeypatch):
    table = independent(5, 200)
    table[:, 1] += table[:, 0]
    whole = measure_columns(table, False, 2, 1, False, 0)
    monkeypatch.setattr(column_matrix, "_STACK", 3)
    parts = measure_columns(table, False, 2, 1, False, 0)
    for one, other in zip(whole, parts, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_every_column_is_shuffled_alone():
    table = torch.arange(300.0).view(3, 100).T
    mixed = _shuffled(table, 6, seed=0)
    assert torch.equal(mixed.sort(0).values, table.repeat_interleave(2, 1))
    assert torch.corrcoef(mixed.T).fill_diagonal_(0).abs().max() < 0.4
    assert torch.equal(_shuffled(table, 2, seed=0).sort(0).values, table[:, [0, 1]])


def test_shuffled_columns_of_missing_values_have_as_many_as_the_one_with_the_fewest():
    table = torch.arange(300.0).view(3, 100).T.clone()
    table[:30, 1] = torch.nan
    table[5:, 2] = torch.inf  # too few to be measured
    mixed = _shuffled(table, 4, seed=0)
    assert mixed.shape == (70, 4)
    assert torch.equal(mixed[:, 2:].sort(0).values, table[30:, 1].repeat(2, 1).T)
    assert set(mixed[:, 0].tolist()) < set(range(100))


def test_few_rows_and_rows_in_order_have_warnings():
    few = intake(independent(2, 100), "table")
    assert [warning.code for warning in column_warnings(few)] == ["small-sample"]
    walk = intake(independent(2, 1000).cumsum(0), "table")
    assert [warning.code for warning in column_warnings(walk)] == ["serial-correlation"]
    assert column_warnings(intake(torch.cat([walk.values[:, :1], independent(1, 1000)], 1), "table")) == []
