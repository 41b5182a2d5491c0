"""Estimation: the verbs that measure static data."""

from mibounds.estimation.consistency import Consistency, consistency
from mibounds.estimation.estimate import estimate
from mibounds.estimation.independence import IndependenceTest, independence_test

__all__ = ["Consistency", "IndependenceTest", "consistency", "estimate", "independence_test"]
