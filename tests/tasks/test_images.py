import math

import pytest
import torch

from mibounds.tasks import DigitsChannel, blob, images


def test_a_blob_by_hand():
    image = blob(9).forward(torch.tensor([0.5, 0.5]))  # centered at pixel (4, 4), width 9/8
    assert image.shape == (1, 9, 9)
    assert float(image[0, 4, 4]) == pytest.approx(1)
    assert float(image[0, 6, 5]) == pytest.approx(math.exp(-(4 + 1) / (2 * (9 / 8) ** 2)))


def test_the_first_coordinate_is_the_row():
    image = blob(11).forward(torch.tensor([0.0, 1.0]))
    assert divmod(int(image.argmax()), 11) == (2, 8)


@pytest.mark.parametrize("size", [4, 16, 33])
def test_the_center_can_be_read_off(size, generator):
    u = torch.rand(3, 100, 2, generator=generator)
    image = blob(size).forward(u)
    assert image.shape == (3, 100, 1, size, size)
    assert torch.allclose(blob(size).inverse(image), u, atol=1e-5)


def test_a_blob_needs_room():
    with pytest.raises(ValueError, match="size"):
        blob(3)


def test_digits_and_their_channel(generator):
    x, y = DigitsChannel(0.0).sample(500, generator)
    assert x.shape == (500, 1, 8, 8)
    assert y.shape == (500, 1)
    assert float(x.min()) == 0
    assert float(x.max()) == 1
    # Without flips the label is that of the image, and only the frequencies of the classes limit the information.
    frequencies = torch.bincount(images._digits()[1]).double() / 1797
    entropy = float(-(frequencies * frequencies.log()).sum())
    assert DigitsChannel(0.0).mutual_information == pytest.approx(entropy)
    assert torch.allclose(DigitsChannel(0.0).log_ratio(x, y).double(), -frequencies[y[:, 0].long()].log())


def test_flips_flip(generator):
    x, y = DigitsChannel(0.3).sample(5_000, generator)
    assert float((DigitsChannel(0.0).log_ratio(x, y) == -math.inf).float().mean()) == pytest.approx(0.3, abs=0.03)
    assert DigitsChannel(0.9).mutual_information == pytest.approx(0, abs=1e-12)


def test_no_two_classes_share_an_image():
    pictures, labels = images._digits()
    distances = torch.cdist(pictures.flatten(1), pictures.flatten(1))
    different = labels[:, None] != labels[None]
    assert float(distances[different].min()) > 0.5


def test_a_flip_is_a_probability():
    with pytest.raises(ValueError, match="flip"):
        DigitsChannel(1.5)
