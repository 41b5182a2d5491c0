"""Figures from arrays, in one style. Nothing here depends on estimators or results.

A figure belongs to no window and to no global state, displays itself in notebooks, and works without a display. Most
functions take `ax`, the axes of another figure; they then draw there and return that figure.
"""

from mibounds.plots.axes import save_figure
from mibounds.plots.estimates import plot_bracket, plot_estimates, plot_intervals, plot_result, plot_training
from mibounds.plots.heat_maps import plot_errors, plot_matrix
from mibounds.plots.series import plot_cost, plot_curve, plot_lags, plot_learning_curve, plot_plane, plot_samples

__all__ = [
    "plot_bracket",
    "plot_cost",
    "plot_curve",
    "plot_errors",
    "plot_estimates",
    "plot_intervals",
    "plot_lags",
    "plot_learning_curve",
    "plot_matrix",
    "plot_plane",
    "plot_result",
    "plot_samples",
    "plot_training",
    "save_figure",
]
