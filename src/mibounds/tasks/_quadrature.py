"""Quadrature for tasks whose y has a density that is an average over x: nodes of x, and tables of log p(y)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = [
    "LogTable",
    "average_density",
    "convolved_density",
    "draw_inputs",
    "entropy",
    "input_nodes",
    "log_normal",
    "value_nodes",
]

_REACH = 7.0  # of a normal column: what lies beyond has probability 3e-12
_HALF_WIDTH = 2.0  # of a uniform column
_NODES = {1: 200_000, 2: 700, 3: 120}  # of each column, by the number of columns
_SMALLEST = 1e-14  # density: what a Fourier transform in float64 resolves
INPUTS = ("normal", "uniform")


@dataclass(frozen=True)
class LogTable:
    """Log densities on an even grid, interpolated linearly between its points and constant beyond them.

    Arguments:
        low: the first point.
        step: between points.
        values: (K,) in float64.
    """

    low: float
    step: float
    values: Tensor

    def __call__(self, y: Tensor) -> Tensor:
        """The log density at y (...), in float64."""
        place = ((y.double() - self.low) / self.step).clamp(0, len(self.values) - 1)
        left = place.floor().long().clamp(max=len(self.values) - 2)
        return torch.lerp(self.values[left], self.values[left + 1], place - left)


def draw_inputs(kind: str, n: int, columns: int, generator: torch.Generator | None = None) -> Tensor:
    """Independent columns of x (n, columns) in float32: "normal", standard, or "uniform" between -2 and 2."""
    if kind == "normal":
        return torch.randn(n, columns, generator=generator)
    return _HALF_WIDTH * (2 * torch.rand(n, columns, generator=generator) - 1)


def input_nodes(kind: str, columns: int, count: int | None = None) -> tuple[Tensor, Tensor]:
    """Nodes (K, columns) and weights (K,) that sum to 1, of the midpoint rule over `draw_inputs`.

    Arguments:
        kind: "normal" or "uniform".
        columns: 1 to 3.
        count: nodes of each column.
    """
    reach = _REACH if kind == "normal" else _HALF_WIDTH
    count = count or _NODES[columns]
    line = reach * ((2 * torch.arange(count, dtype=torch.float64) + 1) / count - 1)
    weights = torch.exp(-(line**2) / 2) if kind == "normal" else torch.ones_like(line)
    weights /= weights.sum()
    if columns == 1:
        return line[:, None], weights
    grid = torch.cartesian_prod(*[line] * columns)
    return grid, torch.cartesian_prod(*[weights] * columns).prod(1)


def value_nodes(
    call: Callable[[Tensor], Tensor], kind: str, columns: int, count: int = 1000, tail: float = 1e-8
) -> tuple[Tensor, Tensor]:
    """Nodes (K,) and weights (K,) of the values of a function of `draw_inputs`, on an even grid.

    Arguments:
        call: (..., columns) to (...).
        kind: "normal" or "uniform".
        columns: 1 to 3.
        count: K at most.
        tail: probability at each end that is left out.
    """
    nodes, weights = input_nodes(kind, columns)
    values = call(nodes)
    order = values.argsort()
    below = weights[order].cumsum(0)
    kept = order[(below >= tail) & (below <= 1 - tail)]
    values, weights = values[kept], weights[kept]
    low, high = float(values.min()), float(values.max())
    if not high - low > 0:
        return values[:1], weights.new_ones(1)
    mass = _on_grid((values - low) / (high - low) * (count - 1), weights, count)
    grid = torch.linspace(low, high, count, dtype=torch.float64)
    there = mass[:count] > 0
    return grid[there], mass[:count][there] / mass.sum()


def _on_grid(places: Tensor, weights: Tensor, points: int) -> Tensor:
    """Weights on the points of a grid (points + 1,), each of them shared out between both points beside its place."""
    left = places.floor().long()
    part = places - left
    mass = torch.zeros(points + 1, dtype=torch.float64)
    return mass.index_add_(0, left, weights * (1 - part)).index_add_(0, left + 1, weights * part)


def convolved_density(
    locations: Tensor, weights: Tensor, cdf: Callable[[Tensor], Tensor], reach: tuple[float, float], points: int = 2**15
) -> LogTable:
    """Log p(y) of y = location + noise, by a convolution of the two distributions on a grid.

    Arguments:
        locations: (K,) nodes.
        weights: (K,), sum 1.
        cdf: distribution function of the noise.
        reach: the lowest and the highest value of the noise that matters.
        points: of the grid.
    """
    low, high = float(locations.min()) + reach[0], float(locations.max()) + reach[1]
    step = (high - low) / (points - 1)
    mass = _on_grid((locations - float(locations.min())) / step, weights, points)
    edges = reach[0] + step * (torch.arange(points + 1, dtype=torch.float64) - 0.5)
    kernel = cdf(edges).diff()
    spectrum = torch.fft.rfft(mass, 2 * points + 2) * torch.fft.rfft(kernel, 2 * points + 2)
    density = torch.fft.irfft(spectrum, 2 * points + 2)[:points] / step
    return LogTable(low, step, density.clamp(min=_SMALLEST).log())


def average_density(
    log_density: Callable[[Tensor], Tensor], weights: Tensor, low: float, high: float, points: int = 4000
) -> LogTable:
    """Log p(y) on a grid, where p is an average over nodes.

    Arguments:
        log_density: log p(y | node) of y (B, 1), (B, K).
        weights: (K,), sum 1.
        low: first point of the grid.
        high: last point.
        points: of the grid.
    """
    grid = torch.linspace(low, high, points, dtype=torch.float64)
    rows = [log_density(some[:, None]).add(weights.log()).logsumexp(1) for some in torch.split(grid, 500)]
    return LogTable(low, (high - low) / (points - 1), torch.cat(rows).clamp(min=math.log(1e-300)))


def log_normal(value: Tensor, location: Tensor, scale: Tensor) -> Tensor:
    """The log density of a normal distribution."""
    return -((value - location) / scale).square() / 2 - scale.log() - 0.5 * math.log(2 * math.pi)


def entropy(table: LogTable) -> float:
    """The differential entropy in nats of a density that vanishes at both ends of its table."""
    p = table.values.exp()
    return -float((p * table.values).sum() / p.sum()) + math.log(float(p.sum()) * table.step)
