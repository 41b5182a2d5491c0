import pytest
import torch

from mibounds.data.pairs import as_column, as_pair, first_rows, joined


def test_batches_are_joined_and_cut_with_all_their_tensors():
    whole = (torch.arange(12.0).view(6, 2), torch.arange(6)), torch.arange(6.0)
    (start, _), rest = first_rows(whole, 2)
    assert [len(part) for part in start] == [2, 2]
    again = joined([first_rows(whole, 2)[0], rest])
    assert all(torch.equal(one, other) for one, other in zip(again[0], whole[0], strict=True))
    assert torch.equal(again[1], whole[1])


def test_numbers_are_columns_in_single_precision():
    x, y = as_pair([torch.arange(3), [0.5, 1.5, 2.5]])
    assert x.tolist() == [[0.0], [1.0], [2.0]]
    assert x.dtype == y.dtype == as_column(torch.zeros(3, 2, dtype=torch.float64)).dtype == torch.float32
    with pytest.raises(ValueError, match="x has 3 rows and y has 2"):
        as_pair((torch.zeros(3), torch.zeros(2)))
