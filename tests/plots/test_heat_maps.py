import numpy as np

from mibounds.plots import plot_errors, plot_matrix
from mibounds.plots.axes import styled_axes

NAN = float("nan")


def test_errors_are_written_in_their_cells():
    figure = plot_errors([[0.25, NAN], [-3.0, 0.0], [-0.001, 0.0]], ["a", "b", "c"], ["default", "fast"])
    axis = figure.axes[0]
    assert [text.get_text() for text in axis.texts] == ["+0.25", "-3.00", "+0.00", "+0.00", "+0.00"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b", "c"]
    assert axis.images[0].get_clim() == (-1, 1)


def test_errors_of_nothing():
    assert not plot_errors([[NAN]], ["a"], ["b"]).axes[0].texts


def test_a_matrix_has_its_names_numbers_and_dots():
    figure = plot_matrix([[NAN, 0.5], [0.5, NAN]], ["a", "b"], "bits", [[True, True], [False, True]], note="what")
    axis, bar = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["a", "b"]
    assert [text.get_text() for text in axis.texts] == ["0.50", "0.50"]
    assert axis.images[0].get_clim() == (0, 0.5)
    assert axis.lines[0].get_xydata().tolist() == [[1.3, -0.3]]  # (row 0, column 1), and none on the diagonal
    assert axis.get_xlabel() == "what"
    assert bar.get_ylabel() == "I(X;Y) in bits"
    assert not plot_matrix([[NAN]], ["a"], "bits").axes[0].lines


def test_a_large_matrix_has_no_numbers_and_plain_dots():
    table = np.full((30, 30), 0.2)
    axis = plot_matrix(table.tolist(), [str(i) for i in range(30)], "nats", (table > 0).tolist()).axes[0]
    assert not axis.texts
    assert len(axis.lines[0].get_xdata()) == 900
    assert axis.lines[0].get_xydata()[1].tolist() == [1, 0]


def test_forty_columns_with_long_names_can_be_read():
    names = [f"mean concentration of protein {i:02d}" for i in range(40)]
    figure = plot_matrix(np.full((40, 40), 0.2).tolist(), names, "nats")
    labels = figure.axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == names
    assert labels[0].get_fontsize() >= 7
    figure.draw_without_rendering()
    height = figure.axes[0].get_window_extent().height / figure.dpi * 72 / 40
    assert height > labels[0].get_fontsize(), "names do not overlap"
    assert figure.get_size_inches().max() < 12


def test_two_columns_with_long_names_have_a_map():
    figure = plot_matrix([[NAN, 0.5], [0.5, NAN]], ["systolic blood pressure at rest (mmHg)"] * 2, "nats")
    figure.draw_without_rendering()
    assert figure.axes[0].get_window_extent().height / figure.dpi > 1.2


def test_a_few_copies_do_not_take_the_range_of_colors():
    table = np.full((10, 10), 0.2)
    table[0, 1] = table[1, 0] = 6.0
    assert plot_matrix(table.tolist(), [str(i) for i in range(10)], "nats").axes[0].images[0].get_clim() == (0, 0.4)


def test_axes_of_another_figure():
    figure, (left, right) = styled_axes(2)
    assert plot_matrix([[NAN, 0.5], [0.5, NAN]], ["a", "b"], "bits", ax=left) is figure
    assert plot_errors([[0.5]], ["a"], ["b"], ax=right) is figure
    assert left.images and right.images
