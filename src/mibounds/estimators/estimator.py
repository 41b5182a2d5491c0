"""What an estimator is: a critic, a bound, and the losses by which the critic is trained and stopped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from mibounds._variables import Tensors
from mibounds.bounds import Bound
from mibounds.bounds.bound import Unidentified
from mibounds.critics import Critic

__all__ = ["Estimator"]


class Estimator(nn.Module, ABC):
    """A critic and a bound, and how the critic is trained. To add one, set `critic` and `bound`, and write
    `unidentified`, `loss`, `value` and `validation_loss`.

    Attributes:
        critic: scores pairs; the sum of its scores over bridges, stages or the like is a log density ratio up to what
            the objective leaves unidentified.
        bound: turns the scores of the trained critic into the value that is reported.
        negatives: mismatched pairs per sample of a batch, a number or "all".
        shared: in a distributed job, x and y are this rank's part of a batch.
        extrapolates: the value rests on the smoothness of the critic and not on a bound.
        half_precision: hidden layers may be trained in bfloat16; False if scores are summed inside the networks.
    """

    critic: Critic
    bound: Bound
    negatives: int | Literal["all"] = "all"
    shared: bool = False
    extrapolates: ClassVar[bool] = False
    half_precision: bool = True

    @property
    @abstractmethod
    def unidentified(self) -> Unidentified:
        """What the objective cannot identify: "nothing", a "constant", or a "function of y"."""

    @abstractmethod
    def loss(self, x: Tensors, y: Tensors, generator: torch.Generator | None = None) -> Tensor:
        """The training objective of a batch, a scalar: x (N, ...), y (N, ...)."""

    @abstractmethod
    def value(self, x: Tensors, y: Tensors, generator: torch.Generator | None = None) -> Tensor:
        """The bound's value in nats of a batch, a scalar: x (N, ...), y (N, ...)."""

    @abstractmethod
    def validation_loss(self, x: Tensors, y: Tensors) -> float:
        """The loss in nats by which training is stopped and candidates are compared (lower is better)."""
