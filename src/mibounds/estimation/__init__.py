"""Estimation: the verbs that measure static data."""

from mibounds.estimation.bracket import Bracket, bracket
from mibounds.estimation.consistency import Consistency, consistency
from mibounds.estimation.estimate import estimate

__all__ = ["Bracket", "Consistency", "bracket", "consistency", "estimate"]
