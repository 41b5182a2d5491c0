import matplotlib
import pytest

from mibounds.plots import (
    plot_bracket,
    plot_cost,
    plot_curve,
    plot_errors,
    plot_lags,
    plot_matrix,
    plot_plane,
    plot_result,
    save_figure,
)


def test_a_result():
    figure = plot_result({"NWJ": 1.0, "InfoNCE": 0.9}, "InfoNCE", (0.8, 1.1), [((0, 50), (0.0, -0.9), 50)], "bits")
    assert "0.9 bits, read by InfoNCE" in figure.axes[0].get_title(loc="left")


def test_a_bracket():
    axis = plot_bracket((0.5, 0.01), (0.6, 0.02), (0.48, 0.64), {"DoE": 0.55}, "nats").axes[0]
    assert axis.get_title(loc="left") == "0.5 to 0.6 nats"
    assert [label.get_text() for label in axis.get_yticklabels()] == ["DoE", "bracket"]


def test_lags():
    axis = plot_lags([-1, 0, 1], [0.0, 0.1, 0.4], [(-0.1, 0.1), (0.0, 0.2), (0.3, 0.5)], 1, "bits").axes[0]
    assert axis.get_title(loc="left") == "largest at lag 1"
    assert axis.get_ylabel() == "I(X[t - lag]; Y[t]) in bits"
    bars = axis.collections[0].get_segments()
    assert [bar[:, 1].tolist() for bar in bars] == [[-0.1, 0.1], [0.0, 0.2], [0.3, 0.5]]


def test_a_plane_shows_every_layer_and_how_much_a_label_holds():
    series = {"encoder": [(0, 3.0, 90.0, 0.5), (5, 2.0, 2.1, 0.6)], "head": [(0, 1.0, 1.0, 0.1), (5, 1.5, 1.6, 0.2)]}
    axis, bar = plot_plane(series, 0.693, "epochs").axes
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["encoder", "head", "H(Y) = 0.693"]
    assert bar.get_ylabel() == "epochs"
    assert [line.get_xdata().tolist() for line in axis.lines[:2]] == [[3.0, 2.0], [1.0, 1.5]]
    assert axis.get_xlim()[1] < 4  # the bound at 90 is cut off
    assert len(plot_plane(series, None, "step").axes[0].get_legend().get_texts()) == 2


def test_a_curve_shows_every_series(tmp_path):
    figure = plot_curve(
        [-0.5, 0.5], ([-1, 0, 1], [2, 0, 2]), [1.1, 0.9], [(1, 1.2), (0.8, 1)], {"MINE": [0.5, 0.5]}, "t"
    )
    left, right = figure.axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["truth", "mibounds.estimate", "MINE"]
    assert right.lines[0].get_ydata() == pytest.approx([0.1, -0.1])
    save_figure(figure, str(tmp_path / "curve.png"))
    assert (tmp_path / "curve.png").stat().st_size > 5000


def test_errors_stand_in_their_cells():
    figure = plot_errors([[0.25, float("nan")], [-3.0, 0.0]], ["a", "b"], ["default", "fast"])
    axis = figure.axes[0]
    assert [text.get_text() for text in axis.texts] == ["+0.25", "-3.00", "+0.00"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]
    assert axis.images[0].get_clim() == (-1, 1)


def test_errors_of_nothing():
    assert not plot_errors([[float("nan")]], ["a"], ["b"]).axes[0].texts


def test_a_matrix_has_its_names_and_dots():
    nan = float("nan")
    axis = plot_matrix([[nan, 0.5], [0.5, nan]], ["a", "b"], "bits", [[False, True], [True, False]]).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]
    assert axis.images[0].get_clim() == (0, 0.5)
    assert axis.lines[0].get_xydata().tolist() == [[1, 0], [0, 1]]
    assert not plot_matrix([[nan]], ["a"], "bits").axes[0].lines


def test_cost(tmp_path):
    figure = plot_cost({"default": ([1.0, 2.0], [0.1, 0.3]), "fast": ([0.5], [0.4])})
    assert figure.axes[0].lines[1].get_xydata().tolist() == [[0.5, 0.4]]
    save_figure(figure, str(tmp_path / "cost.png"))


def test_nothing_global_changes():
    before = dict(matplotlib.rcParams)
    plot_result({"a": 1.0}, "a", (0, 2), [], "nats")
    assert dict(matplotlib.rcParams) == before
