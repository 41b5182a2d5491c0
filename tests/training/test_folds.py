import torch
from hypothesis import given
from hypothesis import strategies as st

from mibounds.training.folds import split


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
