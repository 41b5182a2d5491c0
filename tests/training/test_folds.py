import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mibounds.training.folds import split, split_blocked, split_by, split_groups


@given(st.integers(50, 300), st.integers(2, 6), st.integers(0, 99))
def test_every_row_is_tested_once_and_never_by_what_it_trained(n, folds, seed):
    splits = split(n, folds, 0.15, torch.Generator().manual_seed(seed))
    tested = torch.cat([fold.test for fold in splits])
    assert sorted(tested.tolist()) == list(range(n))
    for fold in splits:
        parts = [set(part.tolist()) for part in (fold.train, fold.valid, fold.test)]
        assert sum(map(len, parts)) == n
        assert len(set.union(*parts)) == n
        assert len(fold.valid) == round(0.15 * (n - len(fold.test)))


def test_the_seed_decides():
    one, same, other = (split(60, 3, 0.2, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(one[0].train, same[0].train)
    assert not torch.equal(one[0].train, other[0].train)


@given(st.integers(100, 300), st.integers(2, 6), st.integers(0, 5), st.integers(0, 99))
def test_blocks_keep_their_distance(n, folds, gap, seed):
    splits = split_blocked(n, folds, 0.15, gap, torch.Generator().manual_seed(seed))
    assert torch.equal(torch.cat([fold.test for fold in splits]), torch.arange(n))
    for fold in splits:
        for part in (fold.test, fold.valid.sort().values):
            assert torch.equal(part, torch.arange(int(part[0]), int(part[-1]) + 1))
        for one, other in ((fold.train, fold.test), (fold.train, fold.valid), (fold.valid, fold.test)):
            assert (one[:, None] - other).abs().min() > gap
        left = n - len(fold.test) - len(fold.valid) - len(fold.train)
        assert left <= 4 * gap


def test_blocks_follow_the_seed_and_too_wide_a_gap_is_told():
    one, same, other = (split_blocked(60, 3, 0.2, 2, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(one[0].train, same[0].train)
    assert not torch.equal(one[0].train, other[0].train)
    with pytest.raises(ValueError, match="gap is 20, and leaves a fold of 60 rows with .* give a smaller gap"):
        split_blocked(60, 3, 0.2, 20, torch.Generator())


@given(st.integers(8, 40), st.integers(2, 5), st.integers(0, 99))
def test_groups_stay_whole(groups, folds, seed):
    generator = torch.Generator().manual_seed(seed)
    member = torch.randint(0, groups, (300,), generator=generator)
    member[:groups] = torch.arange(groups)
    splits = split_groups(member, folds, 0.15, generator)
    assert sorted(torch.cat([fold.test for fold in splits]).tolist()) == list(range(300))
    sizes = [len(fold.test) for fold in splits]
    assert max(sizes) - min(sizes) <= int(torch.bincount(member).max())
    for fold in splits:
        parts = [set(member[rows].tolist()) for rows in (fold.train, fold.valid, fold.test)]
        assert all(parts)
        assert sum(map(len, parts)) == len(set.union(*parts)) == groups


def test_too_few_groups_and_bad_splitters():
    with pytest.raises(ValueError, match="groups has 4 groups, and 3 folds need 5"):
        split_groups(torch.arange(100) % 4, 3, 0.15, torch.Generator())
    rows = torch.arange(100)
    with pytest.raises(ValueError, match="rows that both train and test"):
        split_by([(rows, rows[:50]), (rows[:50], rows[50:])], 100, None, 0.15, torch.Generator())
    with pytest.raises(ValueError, match="cv gives 1 folds: expected at least two"):
        split_by([(rows[:50], rows[50:])], 100, None, 0.15, torch.Generator())
    with pytest.raises(ValueError, match="a fold of 3 training and 97 test rows"):
        split_by([(rows[:3], rows[3:])], 100, None, 0.15, torch.Generator())
