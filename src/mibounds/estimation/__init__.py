"""Estimation: the verbs that measure static data."""

from mibounds.estimation.consistency import Consistency, consistency
from mibounds.estimation.estimate import estimate

__all__ = ["Consistency", "consistency", "estimate"]
