"""Images and sequences come in, or are refused with one sentence."""

import numpy as np
import pytest
import torch

from mibounds.data import Schema
from mibounds.data.arrays import intake_array, intake_images, intake_sequences, is_ragged


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
        ([["a", "b"], ["c"]], TypeError, "x: sequence 0 does not hold numbers"),
        ([np.zeros((3, 2, 2)), np.zeros((3, 2, 2))], ValueError, r"x: sequence 0 has shape \(3, 2, 2\)"),
        ([[1.0]], ValueError, "x holds 1 sequences: expected at least 2"),
    ],
)
def test_bad_sequences(data, error, sentence):
    with pytest.raises(error, match=sentence):
        intake_sequences(data, "x", 2)
