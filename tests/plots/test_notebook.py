import pickle

from PIL import Image

from mibounds.plots.notebook import NotebookFigure


def figure():
    drawn = NotebookFigure(figsize=(3, 2))
    drawn.subplots().plot([1, 2], [3, 4])
    return drawn


def test_a_notebook_gets_a_picture():
    png = figure()._repr_png_()
    assert isinstance(png, bytes)
    assert png.startswith(b"\x89PNG")


def test_show_opens_the_picture(monkeypatch):
    shown = []
    monkeypatch.setattr(Image.Image, "show", lambda picture: shown.append(picture.size))
    figure().show()
    assert shown == [(330, 220)]


def test_a_figure_can_be_pickled():
    twin = pickle.loads(pickle.dumps(figure()))
    assert isinstance(twin, NotebookFigure)
    assert len(twin.axes[0].lines) == 1
