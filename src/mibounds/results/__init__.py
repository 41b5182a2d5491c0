"""Results."""

from mibounds.results.result import Curve, Result

__all__ = ["Curve", "Result"]
