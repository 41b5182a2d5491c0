"""Mutual information of all pairs of columns, or of groups of columns, of a table."""

from mibounds.estimation.pairwise.matrix import MatrixResult, Pair, matrix

__all__ = ["MatrixResult", "Pair", "matrix"]
