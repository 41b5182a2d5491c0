from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_sequence

from mibounds._variables import (
    check_finite,
    flat,
    like,
    map_tensors,
    refuse_packed,
    row_count,
    shape_of,
    take_rows,
)


class Batch(NamedTuple):
    steps: Tensor
    mask: tuple[Tensor, ...]


def test_a_tuple_is_one_variable():
    pair = (torch.arange(4), (torch.zeros(4, 2), torch.ones(4)))
    assert row_count(pair) == 4
    taken = take_rows(pair, torch.tensor([2, 0]))
    assert taken[0].tolist() == [2, 0]
    assert taken[1][0].shape == (2, 2)
    assert row_count(take_rows(pair, slice(1, 3))) == 2
    assert map_tensors(lambda part: part + 1, pair)[1][1].tolist() == [2, 2, 2, 2]


def test_taken_apart_and_put_together():
    pair = (torch.arange(4), (torch.zeros(4, 2), torch.ones(4)))
    again = like(shape_of(pair), flat(pair))
    assert again[1][0] is pair[1][0]
    assert flat(again)[2] is pair[1][1]
    assert flat(shape_of(pair))[0].numel() == 0


def test_a_named_tuple_stays_one():
    batch = Batch(torch.arange(4), (torch.zeros(4, 2), torch.ones(4)))
    for same in (take_rows(batch, slice(2)), take_rows(batch, torch.tensor([1])), like(shape_of(batch), flat(batch))):
        assert type(same) is Batch
        assert len(same.mask) == 2


@pytest.mark.parametrize("encoded, function", [(True, "pad_packed_sequence"), (False, "unpack_sequence")])
def test_a_packed_sequence_is_refused_by_name(encoded, function):
    with pytest.raises(TypeError, match=f"x is a PackedSequence, .* torch.nn.utils.rnn.{function}\\(x"):
        refuse_packed("x", pack_sequence([torch.ones(3), torch.ones(2)]), encoded=encoded)
    refuse_packed("x", (torch.ones(3), torch.ones(2)))


def test_missing_and_infinite_values_are_counted():
    check_finite("x", (torch.arange(4), torch.zeros(4, 2)))
    broken = torch.tensor([0.0, torch.nan, torch.inf])
    with pytest.raises(ValueError, match="^x has 2 missing or infinite values: fill them in, or leave out their rows"):
        check_finite("x", (torch.zeros(3), (torch.zeros(3, 2), broken)))


def test_rows_are_taken_from_the_device_of_each_tensor():
    taken = take_rows(torch.empty(3, 2, device="meta"), torch.tensor([2, 0]))
    assert (taken.device.type, tuple(taken.shape)) == ("meta", (2, 2))
