"""Variables that an encoder or a critic of the user's own takes as they came."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from mibounds.data import Sample
from mibounds.data.tensors import intake_tensors

X = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))


class Encoder(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.mark.parametrize(
    "data",
    [X, X.numpy(), X.tolist(), pd.DataFrame(X.numpy()), X.numpy()[::-1][::-1], [*X]],
    ids=["tensor", "array", "list", "table", "strides", "tensors"],
)
def test_numbers_in_any_container_are_tensors(data):
    variable = intake_tensors(data, "x", nn.Linear(5, 2))
    assert torch.equal(variable.values, X)
    assert variable.width == 2
    assert torch.equal(intake_tensors(data, "x", None).values.float(), X)


def test_parts_are_tensors_each():
    first, second = intake_tensors((X.numpy(), torch.arange(60)), "x", Encoder(lambda pair: pair[0])).values
    assert torch.equal(first, X)
    assert second.dtype == torch.int64


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (np.array(["a", "b"] * 30), "x holds no numbers .<U1.: expected a tensor, an array or a table of numbers"),
        (["a", 1.5] * 30, "x holds no numbers"),
        (pd.DataFrame({"a": ["u"] * 60}), "x holds no numbers .object."),
        (pd.date_range("2020", periods=60), "x holds no numbers .datetime64"),
        (X.numpy() + 1j, "x holds no numbers .complex"),
        (None, "x is None: expected rows"),
        ((X, None), "x is None: expected rows"),
    ],
)
def test_what_holds_no_numbers_is_refused(data, sentence):
    with pytest.raises(TypeError, match=sentence):
        intake_tensors(data, "x", nn.Linear(5, 2))


@pytest.mark.parametrize(
    ("data", "encoder", "sentence"),
    [
        (
            X,
            nn.Linear(3, 2),
            r"whose rows have shape \(5,\) of torch.float32: a layer of 3 inputs gets 5. Expected a modu",
        ),
        (X, nn.Sequential(nn.Linear(5, 4), nn.Linear(3, 2)), "a layer of 3 inputs gets 4"),
        (X.long(), nn.Linear(5, 2), r"\(5,\) of torch.int64: mat1 and mat2 must have the same dtype"),
        ((X, X[:, 0]), nn.Linear(5, 2), r"\(5,\) of torch.float32 and \(\) of torch.float32: linear.*not tuple"),
        (X, nn.Conv1d(1, 1, 3), "to have 1 channels, but got 2 channels instead. Expected a module"),
        (X, nn.Embedding(3, 2), "encoder_y cannot encode y"),
        (X, Encoder(lambda x: x["a"]), "encoder_y cannot encode y"),
        (X, nn.Module(), "encoder_y cannot encode y"),
    ],
)
def test_an_encoder_of_other_rows_is_refused_with_one_sentence(data, encoder, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        intake_tensors(data, "y", encoder)
    assert str(caught.value).startswith("encoder_y cannot encode y, whose rows have shape")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("function", [torch.log, lambda x: x / 0, lambda x: x * torch.nan])
def test_an_encoder_that_returns_no_numbers_is_refused(function):
    with pytest.raises(ValueError, match=r"^encoder_x maps rows of x to values that are NaN or infinite: expected num"):
        intake_tensors(X, "x", Encoder(function))


ROWS = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
STEPS = pack_sequence([torch.zeros(5, 2)] * 60)


@pytest.mark.parametrize(
    "data, encoder, sentence",
    [
        ((ROWS, ROWS[:, :1]), None, r"a tuple of 2 Tensors of 60 rows: join them, torch.column_stack\(x\)"),
        ([ROWS, ROWS], None, r"x is a list of 2 Tensors of 60 rows: .* torch.column_stack\(x\), or pass a module"),
        ((ROWS.numpy(), ROWS[:, 0].numpy()), None, r"tuple of 2 ndarrays of 60 rows: .* numpy.column_stack\(x\)"),
        ([ROWS, ROWS[:, :1]], Encoder(None), r"a list of 2 Tensors of 60 rows: pass encoder_x a tuple, tuple\(x\)"),
        ({"a": ROWS, "b": ROWS}, Encoder(None), r"x is a dict of 2 Tensors .* a tuple, tuple\(x.values\(\)\)"),
        (STEPS, None, r"x is a PackedSequence, .* torch.nn.utils.rnn.unpack_sequence\(x\)"),
        (STEPS, Encoder(None), r"x is a PackedSequence, .*\.pad_packed_sequence\(x, batch_first=True\)"),
    ],
)
def test_several_tensors_in_place_of_one_are_named(data, encoder, sentence):
    with pytest.raises(TypeError, match=sentence):
        Sample.of(x=data, y=ROWS[:, 0], encoders={"x": encoder})


def test_tuples_for_an_encoder_and_tables_are_no_such_parts():
    for data, encoder in (((ROWS, ROWS), Encoder(lambda pair: pair[0])), ({"a": ROWS[:, 0]}, None), ([*ROWS], None)):
        assert Sample.of(x=data, y=ROWS[:, 0], encoders={"x": encoder}).n == 60


def test_an_encoder_gets_a_named_tuple_by_its_fields():
    batch = NamedTuple("Batch", [("steps", Any), ("mask", Any)])(ROWS.numpy(), ROWS)
    variable = intake_tensors(batch, "x", Encoder(lambda x: x.steps * x.mask))
    assert torch.equal(variable.values.steps, ROWS)
