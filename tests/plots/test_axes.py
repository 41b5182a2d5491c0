import sys

import matplotlib
import pytest
from matplotlib.figure import Figure

from mibounds._extras import MissingExtraError
from mibounds.plots import plot_estimates, save_figure
from mibounds.plots.axes import blank_axes, name_ticks, one_axes, styled_axes


def test_new_axes_or_those_given():
    figure, axis = one_axes(None, height=2.5)
    assert figure.axes == [axis]
    assert figure.get_size_inches().tolist() == [5.2, 2.5]
    mine = Figure().subplots()
    assert one_axes(mine) == (mine.figure, mine)
    assert blank_axes(mine, 1, 1) == (mine.figure, mine)
    figure, axes = styled_axes(3)
    assert len(axes) == len(figure.axes) == 3
    assert not axes[0].spines["top"].get_visible()


def test_long_names_are_cut_and_many_are_thinned():
    _, axis = one_axes(None)
    name_ticks(axis, "y", ["a", "n" * 30])
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "n" * 23 + "…"]
    name_ticks(axis, "x", [str(i) for i in range(150)])
    labels = [label.get_text() for label in axis.get_xticklabels()]
    assert labels[:3] == ["0", "3", "6"]
    assert len(labels) == 50
    assert axis.get_xticks().tolist()[:3] == [0, 3, 6]


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
