import sys

import matplotlib
import pytest
from matplotlib.figure import Figure

from mibounds._extras import MissingExtraError
from mibounds.plots import axes, plot_estimates, save_figure
from mibounds.plots.axes import blank_axes, label_points, name_ticks, one_axes, styled_axes


def test_new_axes_or_those_given():
    figure, axis = one_axes(None, height=2.5)
    assert figure.axes == [axis]
    assert figure.get_size_inches().tolist() == [5.2, 2.5]
    mine = Figure().subplots()
    assert one_axes(mine) == (mine.figure, mine)
    assert blank_axes(mine, 1, 1) == (mine.figure, mine)
    figure, several = styled_axes(3)
    assert len(several) == len(figure.axes) == 3
    assert not several[0].spines["top"].get_visible()


def test_long_names_are_cut_and_many_are_thinned():
    _, axis = one_axes(None)
    name_ticks(axis, "y", ["a", "n" * 40])
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "n" * 31 + "…"]
    name_ticks(axis, "x", [str(i) for i in range(150)], room=3)
    labels = [label.get_text() for label in axis.get_xticklabels()]
    assert labels[:3] == ["0", "3", "6"]
    assert len(labels) == 50
    assert axis.get_xticks().tolist()[:3] == [0, 3, 6]


def test_names_in_other_scripts_get_a_font_that_has_them_if_one_is_installed(monkeypatch):
    _, axis = one_axes(None)
    monkeypatch.setattr(axes, "_FALLBACKS", ("DejaVu Serif", "No Such Font"))
    name_ticks(axis, "y", ["a", "重量"])
    assert axis.get_yticklabels()[1].get_fontfamily() == ["sans-serif", "DejaVu Serif"]


def test_names_beside_points_do_not_overlap_and_stay_inside():
    figure, axis = one_axes(None)
    axis.set(xlim=(0, 1), ylim=(0, 1))
    points = [(0.2, 0.5), (0.2, 0.501), (0.21, 0.499), (0.99, 0.2)]
    label_points(axis, points, ["first", "second", "third", "at the right edge"])
    figure.draw_without_rendering()
    boxes = {text.get_text(): text.get_window_extent() for text in axis.texts}
    assert len(boxes) == 4
    near = [boxes[name] for name in ("first", "second", "third")]
    assert not any(one.overlaps(other) for i, one in enumerate(near) for other in near[:i])
    assert boxes["at the right edge"].x1 < axis.transData.transform((0.99, 0))[0]
    label_points(axis, [], [])


def test_a_name_does_not_cover_another_point():
    figure, axis = one_axes(None)
    axis.set(xlim=(0, 1), ylim=(0, 1))
    points = [(0.5, 0.5), (0.56, 0.5)]
    label_points(axis, points, ["a long name", "another"])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axis.texts]
    assert not any(box.contains(*at) for box in boxes for at in axis.transData.transform(points))


@pytest.mark.parametrize("ending, head", [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_figure_is_saved_by_its_ending(ending, head, tmp_path):
    path = tmp_path / f"figure.{ending}"
    save_figure(one_axes(None)[0], str(path))
    assert path.read_bytes().startswith(head)


def test_nothing_global_changes():
    before = dict(matplotlib.rcParams)
    plot_estimates({"a": 1.0}, "a", (0, 2), "nats")
    assert dict(matplotlib.rcParams) == before


def test_a_missing_matplotlib_gives_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r'A figure needs matplotlib: pip install "mibounds\[plots\]"'):
        one_axes(None)


def test_a_dollar_sign_in_a_name_is_no_formula():
    figure, axis = one_axes(None)
    name_ticks(axis, "y", ["$b_$", "cost $ in $%^{"])
    label_points(axis, [(0.5, 0.5)], ["$a_$"])
    figure.draw_without_rendering()
    assert [label.get_text().replace(r"\$", "$") for label in axis.get_yticklabels()] == ["$b_$", "cost $ in $%^{"]
