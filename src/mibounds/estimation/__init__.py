"""Estimation: the verbs that measure static data."""

from mibounds.estimation.estimate import estimate

__all__ = ["estimate"]
