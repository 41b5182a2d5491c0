import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, StratifiedKFold

from mibounds.training.folds import split, split_blocked, split_by, split_groups


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@given(st.integers(50, 300), st.integers(2, 6), st.integers(0, 99))
def test_every_sample_is_in_one_test_set_and_in_one_set_of_each_fold(n, folds, seed):
    splits = split(n, folds, 0.15, seeded(seed))
    tested = torch.cat([fold.test for fold in splits])
    assert sorted(tested.tolist()) == list(range(n))
    for fold in splits:
        sets = [set(indices.tolist()) for indices in (fold.train, fold.valid, fold.test)]
        assert sum(map(len, sets)) == n
        assert len(set.union(*sets)) == n
        assert len(fold.valid) == round(0.15 * (n - len(fold.test)))


def test_folds_validate_on_different_samples():
    _, second, third = split(90, 3, 0.2, seeded())
    assert len(set(second.valid.tolist()) & set(third.valid.tolist())) < 8  # of 12


def test_at_least_one_sample_validates():
    assert [len(fold.valid) for fold in split(20, 2, 0.01, seeded())] == [1, 1]
    assert [len(fold.valid) for fold in split_blocked(60, 2, 0.01, 0, seeded())] == [1, 1]
    assert len(split_by(KFold(2), 40, None, 0.01, seeded())[0].valid) == 1


def test_the_seed_determines_the_folds():
    for folds in (
        lambda seed: split(60, 3, 0.2, seeded(seed)),
        lambda seed: split_blocked(60, 3, 0.2, 2, seeded(seed)),
        lambda seed: split_groups(torch.arange(60) // 3, 3, 0.2, seeded(seed)),
        lambda seed: split_by(KFold(3), 60, None, 0.2, seeded(seed)),
    ):
        one, same, other = map(folds, (1, 1, 2))
        assert torch.equal(one[0].train, same[0].train)
        assert torch.equal(one[0].valid, same[0].valid)
        assert not torch.equal(one[0].train, other[0].train)


def test_training_samples_are_in_random_order_and_validation_samples_are_drawn_at_random():
    for fold in (
        split(60, 3, 0.2, seeded())[0],
        split_blocked(60, 3, 0.2, 2, seeded())[0],
        split_groups(torch.arange(60) // 3, 3, 0.2, seeded())[0],
        split_by(KFold(3), 60, None, 0.2, seeded())[0],
    ):
        for indices in (fold.train, fold.valid):
            assert not torch.equal(indices, indices.sort().values)


@given(st.integers(100, 300), st.integers(2, 6), st.integers(0, 5), st.integers(0, 99))
def test_blocks_are_contiguous_and_apart_by_the_gap(n, folds, gap, seed):
    splits = split_blocked(n, folds, 0.15, gap, seeded(seed))
    assert torch.equal(torch.cat([fold.test for fold in splits]), torch.arange(n))
    for fold in splits:
        for block in (fold.test, fold.valid.sort().values):
            assert torch.equal(block, torch.arange(int(block[0]), int(block[-1]) + 1))
        for one, other in ((fold.train, fold.test), (fold.train, fold.valid), (fold.valid, fold.test)):
            assert (one[:, None] - other).abs().min() > gap
        left_out = n - len(fold.test) - len(fold.valid) - len(fold.train)
        assert left_out <= 4 * gap


def test_the_blocks_by_hand():
    """100 samples, 4 folds, gaps of 5: in the first fold 70 samples remain, of which 14, after the test block,
    validate."""
    first, second, _, last = split_blocked(100, 4, 0.2, 5, seeded())
    assert sorted(first.valid.tolist()) == list(range(30, 44))
    assert sorted(first.train.tolist()) == list(range(49, 100))
    assert sorted(second.valid.tolist()) == list(range(55, 68))  # 13 = 0.2 * 65, for there are gaps on both sides
    assert sorted(second.train.tolist()) == [*range(20), *range(73, 100)]
    assert sorted(last.valid.tolist()) == list(range(56, 70))  # before the test block, where no room is left behind it
    assert sorted(last.train.tolist()) == list(range(51))


def test_a_validation_block_may_reach_either_end_of_the_series():
    """45 of 65 samples validate: from the end of the gap, 55, to the last one, or from the first one to 44."""
    _, second, third, _ = split_blocked(100, 4, 45 / 65, 5, seeded())
    assert sorted(second.valid.tolist()) == list(range(55, 100))
    assert sorted(third.valid.tolist()) == list(range(45))


def test_too_large_a_gap_is_an_error():
    with pytest.raises(ValueError, match="gap is 20, and leaves a fold of 60 rows with 0 rows to train on: give a sma"):
        split_blocked(60, 3, 0.2, 20, seeded())
    with pytest.raises(ValueError, match="gap is 10, and leaves a fold of 100 rows with 10 rows to train on"):
        split_blocked(100, 2, 0.5, 10, seeded())
    with pytest.raises(ValueError, match="gap is 0, and leaves a fold of 100 rows no room for 56 validation rows"):
        split_blocked(100, 4, 0.75, 0, seeded())
    assert len(split_blocked(96, 2, 2 / 3, 0, seeded())[0].train) == 16


@given(st.integers(8, 40), st.integers(2, 5), st.integers(0, 99))
def test_groups_are_not_divided(groups, folds, seed):
    generator = seeded(seed)
    member = torch.randint(0, groups, (300,), generator=generator)
    member[:groups] = torch.arange(groups)
    splits = split_groups(member, folds, 0.15, generator)
    assert sorted(torch.cat([fold.test for fold in splits]).tolist()) == list(range(300))
    sizes = [len(fold.test) for fold in splits]
    assert max(sizes) - min(sizes) <= int(torch.bincount(member).max())
    for fold in splits:
        sets = [set(member[indices].tolist()) for indices in (fold.train, fold.valid, fold.test)]
        assert all(sets)
        assert sum(map(len, sets)) == len(set.union(*sets)) == groups


@given(st.integers(0, 99))
def test_whole_groups_validate_until_they_have_the_fraction(seed):
    """The last group that was added was needed."""
    groups = torch.arange(200) // 5
    for fold in split_groups(groups, 4, 0.15, seeded(seed)):
        assert len(fold.valid) == 25  # of 150, of which 22 or 23 are wanted
    for fold in split_groups(groups, 4, 0.1, seeded(seed)):
        assert len(fold.valid) == 15  # exactly a tenth


def test_one_group_is_left_for_training():
    groups = torch.arange(100) % 5
    assert {len(torch.unique(groups[fold.train])) for fold in split_groups(groups, 3, 0.99, seeded())} == {1}


def test_too_few_groups_are_an_error():
    for count, folds, sentence in (
        (4, 3, "groups has 4 groups, and 3 folds need 5, as whole groups test, validate and train: pass folds=2[.]"),
        (6, 5, "groups has 6 groups, and 5 folds need 7, .*: pass folds=4 or fewer"),
        (3, 2, "groups has 3 groups, and 2 folds need 4, .*: give 4 groups or more"),
        (3, 5, "groups has 3 groups, and 5 folds need 7, .*: give 7 groups or more, or 4 and folds=2[.]"),
        (1, 2, "groups has 1 group, and 2 folds need 4, .*: give 4 groups or more"),
    ):
        with pytest.raises(ValueError, match=sentence):
            split_groups(torch.arange(100) % count, folds, 0.15, seeded())
    assert len(split_groups(torch.arange(100) % 5, 3, 0.15, seeded())) == 3
    one_is_large = torch.tensor([0] * 97 + [1, 2, 3])
    with pytest.raises(ValueError, match="one group in the 97 rows that a fold trains and validates on"):
        split_groups(one_is_large, 2, 0.15, seeded())


def test_the_folds_of_a_splitter():
    folds = split_by(KFold(4), 100, None, 0.2, seeded())
    for fold, (train, test) in zip(folds, KFold(4).split(range(100)), strict=True):
        assert sorted(fold.test.tolist()) == test.tolist()
        assert len(fold.valid) == 15
        assert sorted([*fold.train.tolist(), *fold.valid.tolist()]) == train.tolist()


def test_a_splitter_gets_the_groups_and_whole_groups_validate():
    groups = torch.arange(100) % 10
    for fold in split_by(GroupKFold(2), 100, groups, 0.15, seeded()):
        sets = [set(groups[indices].tolist()) for indices in (fold.train, fold.valid, fold.test)]
        assert [len(one) for one in sets] == [4, 1, 5]
        assert len(set.union(*sets)) == 10


@pytest.mark.parametrize("how", ["random", "groups", "splitter"])
def test_the_first_samples_of_each_set_are_no_others_than_the_last(how):
    """Samples may be sorted, and what looks at some of a set takes the first ones."""
    folds = {
        "random": lambda: split(4_000, 2, 0.2, seeded()),
        "groups": lambda: split_groups(torch.arange(4_000) // 10, 2, 0.2, seeded()),
        "splitter": lambda: split_by(KFold(2), 4_000, None, 0.2, seeded()),
    }[how]()
    for fold in folds:
        for rows in (fold.train, fold.valid, fold.test):
            first, last = (half.double() for half in rows.tensor_split(2))
            error = float(rows.double().std()) * math.sqrt(2 / len(first))
            assert abs(float(first.mean() - last.mean())) < 4 * error


def test_the_groups_that_validate_are_drawn_at_random():
    groups = torch.arange(100) % 20
    pairs = list(GroupKFold(2).split(range(100), None, groups.numpy()))
    one, other = (split_by(pairs, 100, groups, 0.2, seeded(seed))[0] for seed in (0, 1))
    assert torch.equal(one.test.sort().values, other.test.sort().values)
    assert set(groups[one.valid].tolist()) != set(groups[other.valid].tolist())


def test_unusable_splitters_are_errors():
    rows = torch.arange(100)
    with pytest.raises(ValueError, match="rows that both train and test"):
        split_by([(rows, rows[:50]), (rows[:50], rows[50:])], 100, None, 0.15, seeded())
    with pytest.raises(ValueError, match="cv gives 1 fold: expected at least two"):
        split_by([(rows[:50], rows[50:])], 100, None, 0.15, seeded())
    with pytest.raises(ValueError, match="a fold of 15 training and 85 test rows"):
        split_by([(rows[:15], rows[15:])], 100, None, 0.15, seeded())
    with pytest.raises(ValueError, match="a fold of 100 training and 0 test rows"):
        split_by([(rows, rows[:0])], 100, None, 0.15, seeded())
    for overlapping in ([(rows[:50], rows[50:]), (rows[:50], rows[99:])], [(rows[:50], rows[[60, 60]])]):
        with pytest.raises(ValueError, match="cv tests some rows twice"):
            split_by(overlapping, 100, None, 0.15, seeded())
    assert len(split_by([(rows[:16], rows[16:50]), (rows[:16], rows[50:])], 100, None, 0.15, seeded())) == 2


@pytest.mark.parametrize(
    ("splitter", "error", "sentence"),
    [
        (LeaveOneOut(), ValueError, "a fold of 99 training and 1 test rows: expected at least 16 and 2"),
        (StratifiedKFold(3), ValueError, "cv, a StratifiedKFold, cannot split 100 rows .*: pass groups= if it needs"),
        (GroupKFold(3), ValueError, "cv, a GroupKFold, cannot split 100 rows .The 'groups' parameter should not be"),
        (KFold(400), ValueError, "cv, a KFold, cannot split 100 rows"),
        ([(range(50), range(50, 150))], ValueError, "cv has row 100, and there are 100 rows: expected numbers from 0"),
        ([(range(-1, 50), range(50, 99))], ValueError, "cv has row -1, and there are 100 rows"),
        ([(range(50), np.arange(50.0, 100.0))], TypeError, "cv holds array.*: expected the numbers of rows, from 0"),
        ([(np.arange(100) < 50, range(50, 100))], TypeError, "cv holds array.*: expected the numbers of rows"),
        ([1, 2], TypeError, "cv holds 1: expected pairs of training and test rows"),
        ([(range(50), range(50, 70), range(70, 100))], TypeError, "cv holds .*: expected pairs"),
        ([("a", "b")], TypeError, "cv holds 'a': expected the numbers of rows"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "split") and not isinstance(value, str) else None,
)
def test_what_a_splitter_gives_is_checked_with_one_sentence(splitter, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        split_by(splitter, 100, None, 0.15, seeded())
    assert "\n" not in str(caught.value)
