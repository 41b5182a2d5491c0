import numpy as np
import pytest

from mibounds.report.figures import draw_curves, draw_estimates, draw_folds, draw_pointwise


def test_estimates_from_the_reported_one_down():
    bounds = [("lower bound", 0.4, 0.05), ("upper bound", 0.7, 0.1)]
    figure = draw_estimates(
        {"NWJ": 0.5, "InfoNCE": 0.6, "SMILE": 1e6}, "InfoNCE", (0.4, 0.8), {"KSG": 0.65}, bounds, 0.9, 0.45, "bits"
    )
    (axis,) = figure.axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == ["InfoNCE", "NWJ", "SMILE", "lower bound", "upper bound", "KSG"]
    points = {tuple(point) for line in axis.lines for point in line.get_xydata().tolist()}
    assert {(0.6, 0), (0.5, 1), (0.4, 3), (0.7, 4), (0.65, 5)} <= points
    assert [line.get_xdata() for line in axis.lines[:2]] == [[0.9, 0.9], [0.45, 0.45]]
    assert axis.get_xlabel() == "I(X;Y) in bits"
    assert [text.get_fontsize() for text in axis.texts] == [11.5]


def test_folds():
    (axis,) = draw_folds([0.4, 0.6, 0.5], 0.52, (0.3, 0.7), "nats").axes
    assert axis.lines[0].get_ydata() == [0.52, 0.52]
    assert axis.lines[1].get_xydata().tolist() == [[1, 0.4], [2, 0.6], [3, 0.5]]


def test_every_fold_has_its_curve_and_dot():
    (axis,) = draw_curves([((0, 50), (0.0, -0.9), 50, "a"), ((0, 50), (0.0, 0.3), 0, "b")]).axes
    assert axis.lines[0].get_xydata().tolist() == [[0, 0.0], [50, -0.9]]
    assert axis.lines[3].get_xydata().tolist() == [[0, 0.0]]
    assert [(text.get_text(), text.get_fontsize()) for text in axis.get_legend().get_texts()] == [
        ("a", 11.5), ("b", 11.5),
    ]  # fmt: skip


def test_every_sample_is_in_the_histogram():
    (axis,) = draw_pointwise([-1.0, 0.0, 0.0, 3.0], "nats").axes
    counts, edges, _ = axis.patches[0].get_data()
    assert counts.sum() == 4
    assert (edges[0], edges[-1]) == (-1, 3)
    assert axis.lines[1].get_xdata() == [0.5, 0.5]


def test_one_outlier_does_not_squeeze_the_histogram():
    scores = np.linspace(0, 1, 101).tolist()
    (axis,) = draw_pointwise([*scores, -50.0], "nats").axes
    counts, edges, _ = axis.patches[0].get_data()
    assert counts.sum() == 102
    assert edges[0] == pytest.approx(-1.26, abs=0.02)  # three interquartile ranges below the lower quartile
    assert counts[0] == 1
