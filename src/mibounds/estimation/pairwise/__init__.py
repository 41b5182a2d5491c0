"""Mutual information of all pairs of columns, or of groups of columns, of a table."""

from mibounds.estimation.pairwise.matrix import matrix

__all__ = ["matrix"]
