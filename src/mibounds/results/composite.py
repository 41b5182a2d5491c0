"""The base of results that consist of other results."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mibounds.results.measurement import Measurement
from mibounds.results.units import Unit
from mibounds.warnings import MIWarning

__all__ = ["Composite"]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Composite(Measurement):
    """A result whose unit, level, number of samples and diagnostics are those of its main part."""

    @property
    @abstractmethod
    def _main(self) -> Any:
        """The part that gives what this result does not define itself."""

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self._main.n)

    @property
    def unit(self) -> Unit:
        """Nats or bits."""
        unit: Unit = self._main.unit
        return unit

    @property
    def level(self) -> float:
        """The confidence level of `interval`."""
        return float(self._main.level)

    @property
    def interval_bias(self) -> tuple[float, float]:
        """How far the interval extends below and above the value before the sampling error is added, in `unit`."""
        below, above = self._main.interval_bias
        return below, above

    @property
    def entropy_limit(self) -> float | None:
        """An upper limit of the information, in `unit`: the upper confidence limit of the entropy of a label."""
        limit: float | None = self._main.entropy_limit
        return limit

    @property
    def warnings(self) -> tuple[MIWarning, ...]:
        """Diagnostics, each with a stable `code`."""
        return tuple(self._main.warnings)

    @property
    def seed(self) -> int | None:
        """Of the random numbers."""
        seed: int | None = self._main.seed
        return seed

    @property
    def versions(self) -> Mapping[str, str]:
        """Of mibounds, torch and Python."""
        versions: Mapping[str, str] = self._main.versions
        return versions
