from mibounds.report.figures import draw_curves, draw_folds, draw_pointwise, draw_readings


def test_readings_stand_in_order_with_the_reported_one_first():
    sides = [("lower side", 0.4, 0.05), ("upper side", 0.7, 0.1)]
    figure = draw_readings({"NWJ": 0.5, "InfoNCE": 0.6}, "InfoNCE", (0.4, 0.8), {"KSG": 0.65}, sides, 0.9, "bits")
    (axis,) = figure.axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == ["InfoNCE", "NWJ", "lower side", "upper side", "KSG"]
    points = {tuple(point) for line in axis.lines for point in line.get_xydata().tolist()}
    assert {(0.6, 0), (0.5, 1), (0.4, 2), (0.7, 3), (0.65, 4)} <= points
    assert axis.lines[0].get_xdata() == [0.9, 0.9]
    assert axis.get_xlabel() == "I(X;Y) in bits"


def test_folds():
    (axis,) = draw_folds([0.4, 0.6, 0.5], 0.52, (0.3, 0.7), "nats").axes
    assert axis.lines[0].get_ydata() == [0.52, 0.52]
    assert axis.lines[1].get_xydata().tolist() == [[1, 0.4], [2, 0.6], [3, 0.5]]


def test_every_fold_has_its_curve_and_dot():
    (axis,) = draw_curves([((0, 50), (0.0, -0.9), 50), ((0, 50), (0.0, 0.3), 0)]).axes
    assert axis.lines[1].get_xydata().tolist() == [[0, 0.0], [50, 0.3]]
    assert [line.get_xydata().tolist() for line in axis.lines[2:]] == [[[50, -0.9]], [[0, 0.0]]]


def test_every_row_is_in_the_histogram():
    (axis,) = draw_pointwise([-1.0, 0.0, 0.0, 3.0], "nats").axes
    counts, edges, _ = axis.patches[0].get_data()
    assert counts.sum() == 4
    assert (edges[0], edges[-1]) == (-1, 3)
    assert axis.lines[1].get_xdata() == [0.5, 0.5]
