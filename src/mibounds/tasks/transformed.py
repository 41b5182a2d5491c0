"""Tasks under invertible transformations."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mibounds.tasks.maps import IDENTITY, Map
from mibounds.tasks.task import Task

__all__ = ["Transformed"]


@dataclass(frozen=True)
class Transformed(Task):
    r"""A task with x and y each transformed by an injective map, which leaves the information unchanged.

    .. math:: I(f(X); g(Y)) = I(X;Y), \qquad \ln r_{f,g}(x,y) = \ln r(f^{-1}(x), g^{-1}(y))

    It tests how much an estimator depends on the shape of the marginals. Maps run in float64 and their results are
    rounded to float32, so a map with a small derivative (a distribution function in its tail) loses a few digits of the
    log-ratio. Nest them to compose maps.

    References:
        Kraskov, Stögbauer and Grassberger, Estimating mutual information, 2004, arXiv:cond-mat/0305641, appendix.
        Czyż et al., Beyond normal, 2023, arXiv:2306.11078, section 2.

    Arguments:
        task: the task that is sampled.
        map_x: transformation of x, a `Map` such as those of `mibounds.tasks.maps`.
        map_y: transformation of y.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> from mibounds.tasks.maps import NORMAL_CDF
        >>> x, y = Transformed(CorrelatedGaussian(1, 0.75), NORMAL_CDF, NORMAL_CDF).sample(1000)
        >>> bool(x.min() >= 0 and x.max() <= 1)
        True
    """

    task: Task
    map_x: Map = IDENTITY
    map_y: Map = IDENTITY

    def __repr__(self) -> str:
        return f"Transformed({self.task!r}, {self.map_x!r}, {self.map_y!r})"

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        x, y = self.task.sample(n, generator)
        return self.map_x.forward(x.double()).float(), self.map_y.forward(y.double()).float()

    @property
    def mutual_information(self) -> float:
        return self.task.mutual_information

    @property
    def standard_error(self) -> float:
        return self.task.standard_error

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        if self.map_x.inverse is None or self.map_y.inverse is None:
            return super().log_ratio(x, y)
        return self.task.log_ratio(self.map_x.inverse(x.double()), self.map_y.inverse(y.double())).to(x.dtype)
