import pytest
from matplotlib.figure import Figure

from mibounds.plots import plot_cost, plot_curve, plot_lags, plot_learning_curve, plot_plane, plot_samples, save_figure
from mibounds.plots.axes import one_axes


def test_a_learning_curve():
    axis = plot_learning_curve(
        [200, 400], [0.3, 0.4], [0.01, 0.02], ([200, 1600], [0.3, 0.45]), (0.5, 0.05), "bits"
    ).axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["200", "400", "800", "1,600"]
    assert axis.get_ylabel() == "I(X;Y) in bits"
    assert axis.get_legend() is None
    assert [text.get_text() for text in axis.texts] == ["limit 0.5", "fitted curve", "estimate"]
    assert axis.get_xlim()[1] >= 1600
    bars = axis.collections[-1].get_segments()
    assert [bar[:, 1].tolist() for bar in bars] == [pytest.approx([0.28, 0.32]), pytest.approx([0.36, 0.44])]


def test_lags():
    axis = plot_lags([-1, 0, 1], [0.0, 0.1, 0.4], [(-0.1, 0.1), (0.0, 0.2), (0.3, 0.5)], 1, "bits").axes[0]
    assert axis.get_title(loc="left") == "largest at lag 1"
    assert axis.get_ylabel() == "I(X[t - lag]; Y[t]) in bits"
    bars = axis.collections[0].get_segments()
    assert [bar[:, 1].tolist() for bar in bars] == [[-0.1, 0.1], [0.0, 0.2], [0.3, 0.5]]
    assert axis.lines[-1].get_linestyle() == "None"


def test_the_intervals_of_many_lags_are_a_band():
    lags = list(range(61))
    axis = plot_lags(lags, [0.1] * 61, [(0.0, 0.2)] * 61, 3, "nats").axes[0]
    (band,) = axis.collections
    assert band.get_paths()[0].get_extents().bounds == pytest.approx((0, 0, 60, 0.2))


def test_a_plane_shows_every_layer_and_the_entropy_of_the_label():
    series = {"encoder": [(0, 3.0, 90.0, 0.5), (5, 2.0, 2.1, 0.6)], "head": [(0, 1.0, 1.0, 0.1), (5, 1.5, 1.6, 0.2)]}
    axis, bar = plot_plane(series, 0.693, "epochs").axes
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["encoder", "head", "H(Y) = 0.693"]
    assert bar.get_ylabel() == "epochs"
    assert [line.get_xdata().tolist() for line in axis.lines[:2]] == [[3.0, 2.0], [1.0, 1.5]]
    assert axis.get_xlim()[1] < 4  # the bound at 90 is cut off
    assert len(plot_plane(series, None, "step").axes[0].get_legend().get_texts()) == 2


def test_the_legend_of_many_layers_does_not_cover_the_points():
    layers = {f"layers.{i}.attention.output.dense": [(0, 1.0, 1.5, 0.2), (1, 2.0, 2.5, 0.3)] for i in range(24)}
    figure = plot_plane(layers, 0.7, "epochs")
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 25
    box, inside = legend.get_window_extent(), figure.axes[0].get_window_extent()
    assert box.y1 <= inside.y0
    assert inside.height > 0.4 * figure.bbox.height
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width


def test_the_axis_of_a_single_lag_has_whole_rows():
    axis = plot_lags([3], [0.1], [(0.0, 0.2)], 3, "nats").axes[0]
    assert all(tick == round(tick) for tick in axis.get_xticks())


def test_a_curve_shows_every_series(tmp_path):
    figure = plot_curve(
        [-0.5, 0.5], ([-1, 0, 1], [2, 0, 2]), [1.1, 0.9], [(1, 1.2), (0.8, 1)], {"MINE": [0.5, 0.5]}, "t"
    )
    left, right = figure.axes
    names = [text.get_text() for text in left.get_legend().get_texts()]
    assert names == ["truth", "mibounds.estimate", "MINE", "its interval"]
    assert len({line.get_marker() for line in right.lines[:2]}) == 2, "not by color alone"
    assert right.lines[0].get_ydata() == pytest.approx([0.1, -0.1])
    save_figure(figure, str(tmp_path / "curve.png"))
    assert (tmp_path / "curve.png").stat().st_size > 5000


def test_samples_on_equal_axes():
    first, second = plot_samples({"true": [[1, 2], [-2, 0]], "other": [[9, 9]]}).axes
    assert first.get_xlim() == second.get_xlim() == pytest.approx((-2.3, 2.3))
    assert first.lines[0].get_xydata().tolist() == [[1, 2], [-2, 0]]


def test_cost():
    axis = plot_cost({"default": ([1.0, 2.0, 9.0], [0.1, 0.3, 0.2]), "fast": ([0.5], [0.4]), "none": ([], [])}).axes[0]
    fits, median, one = axis.lines
    assert fits.get_xydata().tolist() == [[1.0, 0.1], [2.0, 0.3], [9.0, 0.2]]
    assert median.get_xydata().tolist() == [[2.0, 0.2]]
    assert one.get_xydata().tolist() == [[0.5, 0.4]]
    assert median.get_marker() != one.get_marker(), "not by color alone"
    assert axis.get_legend() is None
    assert {text.get_text() for text in axis.texts} == {"default", "fast"}


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plot_learning_curve([1, 2], [0, 1], [0, 0], ([1, 2], [0, 1]), (1, 0), "nats", ax=ax),
        lambda ax: plot_lags([0], [0.1], [(0, 0.2)], 0, "nats", ax=ax),
        lambda ax: plot_plane({"a": [(0, 1.0, 1.0, 0.5)]}, None, "step", ax=ax),
        lambda ax: plot_cost({"a": ([1.0], [0.1])}, ax=ax),
    ],
)
def test_axes_of_another_figure(draw):
    figure, axis = one_axes(None)
    assert draw(axis) is figure
    assert axis.has_data()


CURVE = ([0.5], ([0, 1], [0, 1]), [0.4], [(0.3, 0.6)], {}, "title")


def test_axes_of_another_figure_for_several_panels():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot_curve(*CURVE, ax=[left, right]) is figure
    assert left.get_ylabel() == "I(X;Y) in nats"
    assert right.get_ylabel() == "value minus truth, nats"
    figure = Figure()
    axes = figure.subplots(1, 2)  # an array
    assert plot_samples({"true": [[1, 2]], "other": [[9, 9]]}, ax=axes) is figure
    assert [axis.get_title("left") for axis in axes] == ["true", "other"]
    figure = Figure()
    only = figure.subplots()
    assert plot_samples({"true": [[1, 2]]}, ax=only) is figure
    assert figure.axes == [only]
    assert only.has_data()


@pytest.mark.parametrize(
    "draw", [lambda ax: plot_curve(*CURVE, ax=ax), lambda ax: plot_samples({"a": [[1, 2]]}, ax=ax)]
)
def test_a_wrong_number_of_axes_is_refused(draw):
    with pytest.raises(ValueError, match=r"ax has 3 axes, and this figure needs [12]\."):
        draw(Figure().subplots(1, 3))
