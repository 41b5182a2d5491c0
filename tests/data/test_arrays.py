"""Images and sequences come in, or are refused with one sentence."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

import mibounds
from mibounds.data import Schema
from mibounds.data.arrays import check_precision, intake_array, intake_images, intake_sequences, is_ragged


def test_images_keep_their_pixels_even_if_these_take_two_values_only():
    images = np.arange(2 * 64).reshape(2, 8, 8) % 2
    assert torch.equal(intake_images(images, "x", 2), torch.from_numpy(images).float())


def test_the_channel_last_is_pointed_out():
    with pytest.raises(ValueError, match=r"\(60, 8, 8, 3\) and looks like images with the channel last.*moveaxis"):
        intake_images(np.zeros((60, 8, 8, 3)), "x", 50)


def test_images_get_the_axis_of_their_channels():
    assert intake_array(np.zeros((2, 8, 8)), "x", Schema("image"), 2).shape == (2, 1, 8, 8)
    assert intake_array(np.zeros((2, 3, 8, 8)), "x", Schema("image"), 2).shape == (2, 3, 8, 8)
    assert intake_array(np.zeros((2, 5)), "x", Schema("sequence"), 2).shape == (2, 5, 1)
    with pytest.raises(ValueError, match="x holds 2 images: expected at least 50"):
        intake_array(np.zeros((2, 8, 8)), "x", Schema("image"), 50)
    with pytest.raises(ValueError, match="x has missing or infinite pixels"):
        intake_images(np.full((2, 8, 8), np.inf), "x", 2)


def test_ragged_and_padded_sequences_are_the_same():
    ragged = [[1.0, 2.0, 3.0], [4.0], [5.0, 6.0]]
    nan = np.nan
    padded = np.array([[1, 2, 3], [4, nan, nan], [5, 6, nan]])
    assert torch.equal(intake_sequences(ragged, "x", 2).nan_to_num(-1), intake_sequences(padded, "x", 2).nan_to_num(-1))
    assert is_ragged(ragged)
    assert not is_ragged(padded.tolist())
    assert not is_ragged(["text", "of", "lengths"])


@pytest.mark.parametrize(
    "data, error, sentence",
    [
        ([[1.0], []], ValueError, "x: sequence 1 is empty: leave its row out"),
        ([[1.0, np.nan, 2.0], [1.0]], ValueError, "x: sequence 0 has missing or infinite values before its end"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], ValueError, "x holds sequences of 1 and of 2 features a step"),
        ([["a", "b"], ["c"]], TypeError, "x: sequence 0 does not hold real numbers"),
        ([[1.0, "b"], [1.0, None]], TypeError, "x: sequence 0 does not hold real numbers"),
        ([np.ones(3) + 1j] * 2, TypeError, "x: sequence 0 does not hold real numbers"),
        ([[1e39, 1.0], [2.0]], ValueError, "x holds values of the order of 1e.39, and single precision is from"),
        ([[1e-40, 3e-40], [2e-40]], ValueError, "x holds values of the order of 3e-40"),
        ([1.6e9 + np.arange(5.0), 1.6e9 + np.arange(9.0)], ValueError, r"apart: subtract an offset, such as 16000000"),
        (np.ma.masked_less(np.arange(6.0).reshape(2, 3), 2), ValueError, "x: sequence 0 has missing or infinite"),
        ([np.zeros((3, 2, 2)), np.zeros((3, 2, 2))], ValueError, r"x: sequence 0 has shape \(3, 2, 2\)"),
        ([[1.0]], ValueError, "x holds 1 sequences: expected at least 2"),
        ([[10**400, 1], [2]], ValueError, "x: sequence 0 holds whole numbers beyond the largest float"),
    ],
)
def test_bad_sequences(data, error, sentence):
    with pytest.raises(error, match=sentence):
        intake_sequences(data, "x", 2)


IMAGES = np.random.default_rng(0).integers(0, 256, (3, 8, 8))


@pytest.mark.parametrize(
    "data",
    [
        IMAGES.astype(np.uint8),
        IMAGES.astype(">u2"),
        IMAGES.astype(np.uint64),
        IMAGES.astype(np.longdouble),
        IMAGES.astype(object),
        IMAGES[::-1][::-1],
        np.asfortranarray(IMAGES),
        np.broadcast_to(IMAGES[None], (1, 3, 8, 8))[0],
        torch.from_numpy(IMAGES).bfloat16(),
        torch.from_numpy(IMAGES).double().requires_grad_(),
        list(torch.from_numpy(IMAGES)),
        IMAGES.tolist(),
        np.ma.masked_array(IMAGES),
    ],
    ids=lambda data: str(getattr(data, "dtype", type(data).__name__)),
)
def test_images_are_the_same_whatever_holds_them(data):
    assert torch.equal(intake_images(data, "x", 2), torch.from_numpy(IMAGES).float())


@pytest.mark.parametrize(
    "data, error, sentence",
    [
        (np.ma.masked_less(IMAGES, 9), ValueError, "x has missing or infinite pixels"),
        (np.where(IMAGES < 9, None, IMAGES), ValueError, "x has missing or infinite pixels"),
        (IMAGES + 1j, TypeError, "x does not hold real numbers"),
        (IMAGES.astype(str), TypeError, "x does not hold real numbers"),
        (np.where(IMAGES < 9, "dark", IMAGES.astype(object)), TypeError, "x does not hold numbers"),
        (IMAGES.astype("datetime64[D]"), TypeError, "x does not hold real numbers"),
        (np.where(IMAGES < 9, 10**400, IMAGES.astype(object)), ValueError, "x holds whole numbers beyond the largest"),
    ],
)
def test_bad_images(data, error, sentence):
    with pytest.raises(error, match=sentence):
        intake_images(data, "x", 2)


@pytest.mark.parametrize(
    "table", [pd.DataFrame, pl.DataFrame, list, torch.from_numpy], ids=["pandas", "polars", "list", "tensor"]
)
def test_the_rows_of_a_table_are_sequences(table):
    steps = np.arange(12.0).reshape(4, 3)
    assert torch.equal(intake_sequences(table(steps), "x", 2), torch.from_numpy(steps).float().unsqueeze(2))


@pytest.mark.parametrize("base", [2**62, 10**30])
def test_long_whole_numbers_are_compared_before_they_are_floats(base):
    column = np.array([base + i for i in range(50)], dtype=np.int64 if base < 2**63 else object)
    with pytest.raises(ValueError, match="x lies between .*, which single precision does not tell apart"):
        check_precision(column, "x")
    check_precision(np.full(50, 2**62), "x")
    check_precision(np.full(50, np.nan), "x")


def test_tables_whose_columns_are_of_different_types_are_no_images():
    pyarrow = pytest.importorskip("pyarrow")
    mixed = pyarrow.table({"number": [0.5] * 60, "day": [datetime.date(2026, 1, 1)] * 60})
    with pytest.raises(TypeError, match=r"^images holds columns of different types: expected numbers alone\.$"):
        mibounds.consistency(mixed)
    with pytest.raises(TypeError, match="x holds columns of different types"):
        mibounds.estimate(mixed, torch.zeros(60), x_type="image")
