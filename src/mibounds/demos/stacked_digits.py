"""Mode collapse of a GAN on stacked digits: three digits of scikit-learn as the channels of one image, 1,000 modes.

A classifier reads the digit in each channel of a generated image, so an image is at one of the modes 000 to 999. How
many of them occur among 26,000 samples, and the divergence of their frequencies from equal ones, is how papers on mode
collapse are compared. They stack images of 28 x 28; scikit-learn ships digits of 8 x 8, so that a training takes
minutes on one core, and the numbers are not comparable with theirs.

References:
    Metz et al., Unrolled Generative Adversarial Networks, 2017, arXiv:1611.02163.
    Srivastava et al., VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning, 2017,
    arXiv:1705.07761.
    Belghazi et al., Mutual Information Neural Estimation, 2018, arXiv:1801.04062, section 5.1.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from mibounds._random import seeded
from mibounds.demos.adversarial import Training, draw_latent, fit

__all__ = ["MODES", "SAMPLES", "Classifier", "Coverage", "DigitsRecipe", "Outcome", "classifier", "digits", "train"]

MODES = 1000
SAMPLES = 26_000  # the number that the literature counts modes among
_AT_ONCE = 2_000


@dataclass(frozen=True)
class DigitsRecipe(Training):
    """Settings of a GAN on stacked digits: those of `Training`, and of the networks.

    Attributes:
        generator: channels of the generator's map of 4 x 4; that of 2 x 2 before it has twice as many.
        discriminator: channels of the discriminator's map of 4 x 4; that of 2 x 2 after it has twice as many.
    """

    critic_layers: Sequence[int] = (128, 128)
    gradient_penalty: float = 20.0  # with 1 the plain GAN collapses; decision 4 has the numbers
    penalty_end: float = 20.0
    instance_noise: float = 0.0
    code: int = 16
    noise: int = 48
    generator: int = 32
    discriminator: int = 32
    steps: int = 5_000
    batch_size: int = 64


@cache
def digits() -> tuple[Tensor, Tensor]:
    """Images (1797, 8, 8) with gray values between -1 and 1, and their labels."""
    from sklearn.datasets import load_digits

    rows, labels = load_digits(return_X_y=True)
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 8, 8) / 8 - 1, torch.tensor(labels)


@dataclass(frozen=True)
class Classifier:
    """A support vector machine for the digit of an image, and its accuracy on a quarter of the digits, held out."""

    machine: Any
    accuracy: float

    def __call__(self, images: Tensor) -> Tensor:
        """The modes 0 to 999 of images (N, 3, 8, 8)."""
        label = torch.from_numpy(self.machine.predict(images.reshape(-1, 64).numpy()))
        return label.reshape(-1, 3) @ torch.tensor([100, 10, 1])


@cache
def classifier() -> Classifier:
    """The classifier that counts the modes; the GANs are trained without it."""
    from sklearn.model_selection import train_test_split
    from sklearn.svm import SVC

    images, labels = digits()
    parts = train_test_split(images.flatten(1).numpy(), labels.numpy(), test_size=0.25, random_state=0, stratify=labels)
    machine = SVC(C=10, gamma=0.064).fit(parts[0], parts[2])  # 0.001 for gray values between 0 and 16
    return Classifier(machine, float(machine.score(parts[1], parts[3])))


@dataclass(frozen=True)
class Coverage:
    """The number of modes among the samples, and KL(q || uniform) = sum q ln(1000 q) of their frequencies q, in nats.

    Equal frequencies give 0.019 in the mean, and not 0, with 26,000 samples.
    """

    modes: int
    kl: float

    @classmethod
    def of(cls, modes: Tensor) -> Coverage:
        """From the mode of each sample."""
        q = torch.bincount(modes, minlength=MODES).double() / len(modes)
        return cls(int((q > 0).sum()), float(torch.special.xlogy(q, MODES * q).sum()))


@dataclass(frozen=True)
class Outcome:
    """The result of a training: the first 100 samples, the coverage of 26,000, and seconds."""

    samples: Tensor
    coverage: Coverage
    seconds: float


def train(recipe: DigitsRecipe, seed: int = 0, done: Callable[[int], None] = lambda step: None) -> Outcome:
    """Train a GAN on stacked digits, in one thread.

    Arguments:
        recipe: the settings; `beta=0` is the plain GAN.
        seed: seed of initial weights, batches and codes.
        done: called with the number of steps after each.
    """
    began = time.perf_counter()
    with seeded(seed):
        generator = _generator(recipe.code + recipe.noise, recipe.generator)
        discriminator = _discriminator(recipe.discriminator)
    images, _ = digits()
    drawn: list[Tensor] = []

    def draw_real(n: int, draws: torch.Generator) -> Tensor:
        return images[torch.randint(len(images), (n, 3), generator=draws)]

    def after(step: int, draws: torch.Generator) -> None:
        done(step)
        if step == recipe.steps:
            generator.eval()
            with torch.no_grad():
                drawn.extend(generator(draw_latent(recipe, _AT_ONCE, draws)) for _ in range(SAMPLES // _AT_ONCE))

    fit(generator, discriminator, draw_real, recipe, seed, after)
    samples = torch.cat(drawn)
    return Outcome(samples[:100], Coverage.of(classifier()(samples)), time.perf_counter() - began)


def _generator(inputs: int, width: int) -> nn.Sequential:
    """As DCGAN has it, from 2 x 2 to 8 x 8: transposed convolutions with batch normalization."""
    return nn.Sequential(
        nn.Linear(inputs, 4 * width),
        nn.BatchNorm1d(4 * width),
        nn.ReLU(),
        nn.Linear(4 * width, 8 * width),
        nn.Unflatten(1, (2 * width, 2, 2)),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.ConvTranspose2d(width, 3, 4, 2, 1),
        nn.Tanh(),
    )


def _discriminator(width: int) -> nn.Sequential:
    """Strided convolutions; the gradient penalty takes the place of batch normalization."""
    return nn.Sequential(
        nn.Conv2d(3, width, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(8 * width, 4 * width),
        nn.LeakyReLU(0.2),
        nn.Linear(4 * width, 1),
    )
