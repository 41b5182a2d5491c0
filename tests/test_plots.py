import matplotlib
import pytest

from mibounds.plots import plot_curve, plot_result, save_figure


def test_a_result():
    figure = plot_result({"NWJ": 1.0, "InfoNCE": 0.9}, "InfoNCE", (0.8, 1.1), [((0, 50), (0.0, -0.9), 50)], "bits")
    assert "0.9 bits, read by InfoNCE" in figure.axes[0].get_title(loc="left")


def test_a_curve_shows_every_series(tmp_path):
    figure = plot_curve(
        [-0.5, 0.5], ([-1, 0, 1], [2, 0, 2]), [1.1, 0.9], [(1, 1.2), (0.8, 1)], {"MINE": [0.5, 0.5]}, "t"
    )
    left, right = figure.axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["truth", "mibounds.estimate", "MINE"]
    assert right.lines[0].get_ydata() == pytest.approx([0.1, -0.1])
    save_figure(figure, str(tmp_path / "curve.png"))
    assert (tmp_path / "curve.png").stat().st_size > 5000


def test_nothing_global_changes():
    before = dict(matplotlib.rcParams)
    plot_result({"a": 1.0}, "a", (0, 2), [], "nats")
    assert dict(matplotlib.rcParams) == before
