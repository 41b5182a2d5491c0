"""Each tutorial as a notebook to download, made when the site is built, with the outputs of docs/hooks.py."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hooks import BLOCK, FOLDER, Output, fingerprint, outputs

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

SETUP = (
    "*This notebook was generated from [a page of the documentation]({page}). Install mibounds in a clone of the "
    'repository by `pip install ".[all]"`, and start Jupyter in the folder of the clone: paths are relative to it.*'
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the notebooks beside their pages."""
    from mkdocs.structure.files import File

    sources = fingerprint()
    for file in [file for file in files.documentation_pages() if file.src_uri.startswith(FOLDER)]:
        source = Path(file.abs_src_path)
        ran = outputs(source, sources)
        if not any(output.error for output in ran):  # docs/hooks.py reports it
            made = notebook(source.read_text("utf-8"), ran, f"{config.site_url or ''}{file.url}")
            files.append(File.generated(config, path(file.src_uri), content=json.dumps(made, indent=1)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """A link to the notebook below the title of a tutorial."""
    if not page.file.src_uri.startswith(FOLDER):
        return markdown
    name = posixpath.basename(path(page.file.src_uri))
    title, _, rest = markdown.partition("\n")
    return f"{title}\n\n[Download as a notebook]({name}){{ .download download={name} }}\n{rest}"


def path(page: str) -> str:
    """The notebook of a page, under docs/."""
    return page.removesuffix(".md") + ".ipynb"


def notebook(text: str, ran: list[Output], url: str) -> dict[str, Any]:
    """A page as a notebook of format 4.5: prose in cells of Markdown, blocks of python in cells of code."""
    cells: list[dict[str, Any]] = []
    blocks = iter(ran)
    for i, part in enumerate(BLOCK.split(text)):
        if i % 2:
            cells.append(code(part, next(blocks), sum(cell["cell_type"] == "code" for cell in cells) + 1))
        elif part.strip():
            cells.append({"cell_type": "markdown", "metadata": {}, "source": lines(absolute(part, url))})
    cells.insert(1, {"cell_type": "markdown", "metadata": {}, "source": lines(SETUP.format(page=url))})
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def code(source: str, output: Output, count: int) -> dict[str, Any]:
    """A cell with what it printed and drew."""
    shown: list[dict[str, Any]] = []
    if output.text:
        shown.append({"output_type": "stream", "name": "stdout", "text": lines(output.text)})
    for words, png in output.figures:
        data = {"image/png": png, "text/plain": [words]}
        shown.append({"output_type": "display_data", "data": data, "metadata": {}})
    cell = {"cell_type": "code", "execution_count": count, "metadata": {}, "outputs": shown}
    return {**cell, "source": lines(source)}


def absolute(markdown: str, url: str) -> str:
    """Markdown whose links lead to the site."""

    def replaced(link: re.Match[str]) -> str:
        if "://" in link[2]:
            return link[0]
        target = link[2].replace("index.md", "").replace(".md", "/")
        base, _, anchor = target.partition("#")
        full = posixpath.normpath(posixpath.join(posixpath.dirname(url.rstrip("/")), base)).replace(":/", "://", 1)
        full += "/" if base.endswith("/") else ""
        return f"{link[1]}({full}{'#' if anchor else ''}{anchor})"

    return re.sub(r"(\[[^\]]*\])\(([^)\s]+)\)", replaced, markdown)


def lines(text: str) -> list[str]:
    """The lines of a cell, as the format has them."""
    return text.strip("\n").splitlines(keepends=True)
