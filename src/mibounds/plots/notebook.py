"""A figure that displays itself in notebooks. Imported only where a figure is drawn: it needs matplotlib."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

__all__ = ["NotebookFigure"]


class NotebookFigure(Figure):
    """A figure without pyplot: nothing global changes, and it works without a display.

    Notebooks display it as the result of a cell, without `%matplotlib inline`.

    Example:
        >>> NotebookFigure()._repr_png_()[1:4]
        b'PNG'
    """

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png", dpi=110)
        return content.getvalue()

    def show(self, warn: bool = True) -> None:
        """Display the figure: in a notebook as output of the cell, elsewhere in the image viewer of the system.

        Arguments:
            warn: not used; figures of matplotlib take it.
        """
        from PIL import Image

        Image.open(io.BytesIO(self._repr_png_())).show()
