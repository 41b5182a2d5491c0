"""Pairs of columns that are not Gaussian, with their information by formula or by numerical integration."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mibounds.tasks import AdditiveUniformNoise, Student

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """The sampler of a pair and its mutual information in nats."""

    draw: Callable[[int, torch.Generator], tuple[Tensor, Tensor]]
    truth: Callable[[], float]


def _normal(n: int, g: torch.Generator) -> Tensor:
    return torch.randn(n, generator=g, dtype=torch.float64)


def _uniform(n: int, g: torch.Generator) -> Tensor:
    return 2 * torch.rand(n, generator=g, dtype=torch.float64) - 1


def _information(joint: Floats) -> float:
    """Of a density on a regular grid, or of a table of probabilities."""
    p = joint / joint.sum()
    independent = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    some = p > 0
    return float((p[some] * np.log(p[some] / independent[some])).sum())


def _bell(x: Floats, scale: float | Floats = 1.0) -> Floats:
    return np.exp(-np.square(x / scale) / 2) / scale


def _ring(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    angle = math.pi * _uniform(n, g)
    return angle.cos() + 0.2 * _normal(n, g), angle.sin() + 0.2 * _normal(n, g)


def _ring_truth() -> float:
    angle, x = np.linspace(0, 2 * np.pi, 720, endpoint=False), np.linspace(-2.2, 2.2, 441)
    return _information(_bell(x[:, None] - np.cos(angle), 0.2) @ _bell(x[:, None] - np.sin(angle), 0.2).T)


def _parabola(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    x = _normal(n, g)
    return x, x.square() + 0.5 * _normal(n, g)


def _parabola_truth() -> float:
    x, y = np.linspace(-6, 6, 1201)[:, None], np.linspace(-4, 40, 4401)
    return _information(_bell(x) * _bell(y - x**2, 0.5))


def _sine(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    x = _uniform(n, g)
    return x, (2 * math.pi * x).sin() + 0.4 * _normal(n, g)


def _sine_truth() -> float:
    x, y = (np.arange(1000)[:, None] + 0.5) / 500 - 1, np.linspace(-4, 4, 1601)
    return _information(_bell(y - np.sin(2 * np.pi * x), 0.4))


def _scale(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    x = _normal(n, g)
    return x, (0.3 + x.abs()) * _normal(n, g)


def _scale_truth() -> float:
    x, y = np.linspace(-6, 6, 1201)[:, None], np.linspace(-25, 25, 5001)
    return _information(_bell(x) * _bell(y, 0.3 + np.abs(x)))


def _cross(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    x = _normal(n, g)
    return x, x * _uniform(n, g).sign() + 0.3 * _normal(n, g)


def _cross_truth() -> float:
    x, y = np.linspace(-6, 6, 1201)[:, None], np.linspace(-8, 8, 1601)
    return _information(_bell(x) * (_bell(y - x, 0.3) + _bell(y + x, 0.3)))


def _label(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    x = _uniform(n, g).sign()
    return x, x + _normal(n, g)


def _label_truth() -> float:
    y = np.linspace(-8, 8, 3201)
    return _information(np.stack([_bell(y + 1), _bell(y - 1)]))


def _counts(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    x = _normal(n, g)
    return x, torch.poisson((0.7 * x).exp(), generator=g)


def _counts_truth() -> float:
    x, k = np.linspace(-6, 6, 1201)[:, None], np.arange(200)
    logs = 0.7 * x * k - np.exp(0.7 * x) - np.array([math.lgamma(i + 1) for i in k])
    return _information(_bell(x) * np.exp(logs))


def _exponential(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    x = _uniform(n, g)
    return x, x - 0.3 * torch.rand(n, generator=g, dtype=torch.float64).log()


def _exponential_truth() -> float:
    x, y = (np.arange(2000)[:, None] + 0.5) / 1000 - 1, np.arange(-1, 8, 0.001) + 0.0005
    after = y - x
    return _information(np.where(after >= 0, np.exp(-np.abs(after) / 0.3), 0))


def _of_task(task: AdditiveUniformNoise | Student) -> Shape:
    def draw(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
        x, y = task.sample(n, g)
        return x[:, 0].double(), y[:, 0].double()

    return Shape(draw, lambda: task.mutual_information)


TEN = {
    "ring": Shape(_ring, _ring_truth),
    "parabola": Shape(_parabola, _parabola_truth),
    "uniform noise 0.75": _of_task(AdditiveUniformNoise(0.75)),
    "uniform noise 0.5": _of_task(AdditiveUniformNoise(0.5)),
    "sine": Shape(_sine, _sine_truth),
    "noise scale": Shape(_scale, _scale_truth),
    "cross": Shape(_cross, _cross_truth),
    "Student, 2 degrees": _of_task(Student.identity(1, 2)),
    "label and shift": Shape(_label, _label_truth),
    "counts": Shape(_counts, _counts_truth),
}
HARDER = {
    "uniform noise 0.25": _of_task(AdditiveUniformNoise(0.25)),
    "uniform noise 0.1": _of_task(AdditiveUniformNoise(0.1)),
    "exponential noise": Shape(_exponential, _exponential_truth),
}
