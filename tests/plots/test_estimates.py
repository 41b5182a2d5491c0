import math

import pytest

from mibounds.plots import plot_bracket, plot_estimates, plot_intervals, plot_result, plot_training
from mibounds.plots.axes import styled_axes
from mibounds.plots.style import ACCENT, INK, MUTED

CURVES = [((0, 50), (0.0, -0.9), 50, "ranks"), ((0, 50), (0.0, 0.3), 0, "ranks")]


def points(axis):
    return {tuple(point) for line in axis.lines for point in line.get_xydata().tolist()}


def labels(axis):
    return [label.get_text() for label in axis.get_yticklabels()]


def test_estimates_from_the_reported_one_down():
    bounds = [("lower bound", 0.4, 0.05), ("upper bound", 0.7, 0.1)]
    axis = plot_estimates(
        {"NWJ": 0.5, "InfoNCE": 0.6}, "InfoNCE", (0.4, 0.8), "bits", cross_checks={"KSG": 0.65}, bounds=bounds,
        entropy_limit=0.9, lower_bound=0.45,
    ).axes[0]  # fmt: skip
    assert labels(axis) == ["InfoNCE", "NWJ", "lower bound", "upper bound", "KSG"]
    assert {(0.6, 0), (0.5, 1), (0.4, 2), (0.7, 3), (0.65, 4)} <= points(axis)
    assert [line.get_xdata() for line in axis.lines[:2]] == [[0.9, 0.9], [0.45, 0.45]]
    bars = [line.get_xdata() for line in axis.lines if line.get_marker() == "None"][2:]
    assert bars == [pytest.approx([0.3, 0.5]), pytest.approx([0.5, 0.9])]
    assert axis.get_xlabel().startswith("I(X;Y) in bits")
    left, right = axis.get_xlim()
    assert left < 0.4
    assert right > 0.9
    assert axis.lines[2].get_color() == ACCENT
    assert axis.lines[3].get_color() == MUTED


def test_estimates_far_away_are_arrows_and_do_not_squeeze_the_others():
    estimates = {"InfoNCE": 0.5, "NWJ": -1e4, "SMILE": 30.0, "PlugIn": math.nan, "MINE": math.inf}
    axis = plot_estimates(estimates, "InfoNCE", (0.4, 0.6), "nats").axes[0]
    left, right = axis.get_xlim()
    assert 0.2 < left < 0.4
    assert 0.6 < right < 0.8
    assert [text.get_text() for text in axis.texts] == ["-1e+04", "30", "undefined", "inf"]
    arrows = [(line.get_marker(), float(line.get_xdata()[0])) for line in axis.lines if line.get_marker() in "<>"]
    assert arrows == [("<", left), (">", right), (">", right)]


def test_an_interval_without_width():
    axis = plot_estimates({"a": 0.5}, "a", (0.5, 0.5), "nats", entropy_limit=0.5).axes[0]
    left, right = axis.get_xlim()
    assert left < 0.5 < right


def test_a_result_has_two_panels_or_one():
    figure = plot_result({"NWJ": 1.0, "InfoNCE": 0.9}, "InfoNCE", (0.8, 1.1), CURVES, "bits")
    left, right = figure.axes
    assert left.get_title(loc="left") == "0.9 bits (InfoNCE)"
    assert right.get_ylabel() == "validation loss in bits"
    assert right.lines[0].get_ydata()[1] == pytest.approx(-0.9 / math.log(2))
    assert len(plot_result({"a": 1.0}, "a", (0, 2), [], "nats").axes) == 1
    mine, (axis, other) = styled_axes(2)
    assert plot_result({"a": 1.0}, "a", (0, 2), CURVES, "nats", ax=axis) is mine
    assert axis.has_data()
    assert not other.has_data()


def test_every_fold_has_its_curve_and_dot():
    axis = plot_training(CURVES).axes[0]
    assert axis.lines[0].get_xydata().tolist() == [[0, 0.0], [50, -0.9]]
    assert axis.lines[1].get_xydata().tolist() == [[50, -0.9]]
    assert axis.lines[3].get_xydata().tolist() == [[0, 0.0]]
    assert axis.get_legend() is None


def test_candidates_have_colors_and_names():
    names = ("a", "b", "a", "c", "d", "e")
    axis = plot_training([((0, 50), (0.0, -0.9), 50, name) for name in names]).axes[0]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["a", "b", "c", "d", "e"]
    colors = [line.get_color() for line in axis.lines[: 2 * len(names) : 2]]
    assert colors[0] == colors[2] == INK
    assert len(set(colors)) == 5
    assert axis.lines[0].get_linestyle() != axis.lines[2].get_linestyle(), "not by color alone"


def test_intervals():
    axis = plot_intervals({"all": (0.5, 0.4, 0.7), "part": (0.2, -0.1, 0.3)}, "title", "nats").axes[0]
    assert labels(axis) == ["all", "part"]
    assert {(0.4, 0), (0.7, 0), (0.5, 0), (-0.1, 1), (0.3, 1), (0.2, 1)} <= points(axis)
    assert axis.get_title(loc="left") == "title"


def test_a_bracket():
    axis = plot_bracket((0.5, 0.01), (0.6, 0.02), (0.48, 0.64), {"LeaveOneOut": 0.55}, "nats").axes[0]
    assert axis.get_title(loc="left") == "0.5 <= I(X;Y) <= 0.6 nats"
    assert labels(axis) == ["lower bound", "upper bound", "LeaveOneOut"]
    bars = [container.get_segments()[0][:, 0].tolist() for container in axis.collections]
    assert bars == [pytest.approx([0.48, 0.52]), pytest.approx([0.56, 0.64])]
    assert (0.55, 2) in points(axis)


@pytest.mark.filterwarnings("error")
def test_an_infinite_upper_bound_is_an_arrow_at_the_edge():
    figure = plot_bracket((1.0, 0.1), (math.inf, math.inf), (0.8, math.inf), {"KLToPrior": 3.0}, "nats")
    figure.draw_without_rendering()
    axis = figure.axes[0]
    left, right = axis.get_xlim()
    assert left < 0.8
    assert 3.0 < right < 4.0
    assert (right, 1) in points(axis)
    assert [text.get_text() for text in axis.texts] == ["inf"]


@pytest.mark.parametrize("style, color", [("default", INK), ("dark_background", "#ffffff")])
def test_lines_of_a_dark_style_are_light(style, color):
    from matplotlib.style import context

    with context(style):
        axis = plot_intervals({"a": (0.5, 0.4, 0.6), "b": (0.2, 0.1, 0.3)}, "title", "nats").axes[0]
        assert axis.lines[-1].get_color() == color


def test_the_words_below_a_bracket_are_not_cut():
    figure = plot_bracket((0.5, 0.01), (0.6, 0.02), (0.48, 0.64), {"DifferenceOfEntropies": 0.55}, "nats")
    figure.draw_without_rendering()
    label = figure.axes[0].xaxis.label.get_window_extent()
    assert 0 <= label.x0 < label.x1 <= figure.bbox.width


def test_a_number_far_from_the_interval_of_a_bracket_is_an_arrow_as_in_other_figures():
    figure = plot_bracket((0.5, 0.01), (0.6, 0.02), (0.48, 0.64), {"SMILE": 40.0}, "nats")
    axis = figure.axes[0]
    low, high = axis.get_xlim()
    assert (low, high) == plot_estimates({"SMILE": 40.0, "a": 0.5}, "a", (0.48, 0.64), "nats").axes[0].get_xlim()
    assert [text.get_text() for text in axis.texts] == ["40"]
    assert (high, 2) in points(axis)
