"""Images with known mutual information."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, partial

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.tasks.discrete import JointTable, symmetric_channel
from mibounds.tasks.maps import Map
from mibounds.tasks.task import Task

__all__ = ["DigitsChannel", "blob"]


def blob(size: int) -> Map:
    r"""A map of a point of the unit square to an image of a Gaussian blob: two columns become one channel.

    .. math:: image_{ij} = e^{-((i - c_0)^2 + (j - c_1)^2) / 2w^2}, \quad
              c = (size - 1)(0.2 + 0.6u), \quad w = size/8

    There is no noise, so the map can be inverted, and the information of two images is that of their points. The joint
    distribution of the points is given by a task, such as
    `Transformed(CorrelatedGaussian(2, rho), NORMAL_CDF, NORMAL_CDF)`, two uniform coordinates each with a Gaussian
    copula: - ln(1 - rho²) nats.

    Arguments:
        size: H and W in pixels, at least 4.

    Returns:
        A `Map` of u (..., 2) in (0, 1) to images (..., 1, size, size) in (0, 1].

    Example:
        >>> image = blob(16).forward(torch.tensor([0.5, 0.25]))
        >>> image.shape, blob(16).inverse(image)
        (torch.Size([1, 16, 16]), tensor([0.5000, 0.2500]))
    """
    check_at_least("size", size, 4)
    return Map(f"blob({size})", partial(_render, size), partial(_center, size))


def _render(size: int, u: Tensor) -> Tensor:
    center = (size - 1) * (0.2 + 0.6 * u)
    pixels = torch.arange(size, dtype=u.dtype)
    rows, columns = torch.exp(-((pixels - center[..., None]) ** 2) / (2 * (size / 8) ** 2)).unbind(-2)
    return (rows[..., :, None] * columns[..., None, :]).unsqueeze(-3)


def _center(size: int, image: Tensor) -> Tensor:
    # The sums over rows and over columns are Gaussian curves s, so w² ln(s[k + 1] / s[k]) = center - k - 1/2 for any k.
    sums = torch.stack([image.sum((-3, -1)), image.sum((-3, -2))], -2)
    peak = sums.argmax(-1, keepdim=True).clamp(max=size - 2)
    slope = sums.gather(-1, peak + 1).log() - sums.gather(-1, peak).log()
    center = (peak + 0.5 + (size / 8) ** 2 * slope).squeeze(-1)
    return (center / (size - 1) - 0.2) / 0.6


@dataclass(frozen=True)
class DigitsChannel(Task):
    r"""A handwritten digit and its label, observed through a symmetric channel.

    .. math:: I(X;Y) = \sum_{c,y} p(c) p(y|c) \ln \frac{p(y|c)}{p(y)}

    x is one of the 1,797 images of 8 x 8 pixels of scikit-learn's digits, drawn with replacement, p(c) their class
    frequencies. The image determines its class, so the information is that of the class. A long sample repeats its
    images, also in held-out rows, which therefore do not reveal overfitting.

    References:
        Lee and Rhee, A benchmark suite for evaluating neural mutual information estimators on unstructured datasets,
        2024, arXiv:2410.10924, for the construction. Alpaydin and Kaynak, Optical recognition of handwritten digits,
        UCI repository, 1998.

    Arguments:
        flip: probability that the label becomes one of the nine others; 0.9 makes x and y independent.

    Raises:
        ValueError: if flip is not a probability.

    Example:
        >>> x, y = DigitsChannel(0.1).sample(64)
        >>> x.shape, y.shape, round(DigitsChannel(0.1).mutual_information, 3)
        (torch.Size([64, 1, 8, 8]), torch.Size([64, 1]), 1.758)
    """

    flip: float

    def __post_init__(self) -> None:
        symmetric_channel(10, self.flip)

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        images, labels = _digits()
        rows = torch.randint(len(images), (n,), generator=generator)
        conditional = symmetric_channel(10, self.flip)[labels[rows]]
        return images[rows], torch.multinomial(conditional, 1, generator=generator).float()

    @property
    def mutual_information(self) -> float:
        return self._table.mutual_information

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        images, labels = _digits()
        distances = torch.cdist(x.reshape(-1, 64).float(), images.flatten(1))
        classes = labels[distances.argmin(-1)].reshape(*x.shape[:-3], 1)
        return self._table.log_ratio(classes.to(x.dtype), y)

    @cached_property
    def _table(self) -> JointTable:
        frequencies = torch.bincount(_digits()[1], minlength=10).double()
        return JointTable((frequencies / frequencies.sum())[:, None] * symmetric_channel(10, self.flip))


@cache
def _digits() -> tuple[Tensor, Tensor]:
    """Images (1797, 1, 8, 8) in [0, 1] and labels (1797,)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return torch.from_numpy(digits.images / 16).float()[:, None], torch.from_numpy(digits.target).long()
