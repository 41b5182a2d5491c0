"""What the site's build makes of a tutorial (docs/hooks.py), on pages of a few lines; the pictures of the gallery."""

import base64
import importlib.util
import logging
import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGE = """# A page

```python
x = list(range(3))
print("x is", x)
```

Text, and code that is not run:

```bash
exit 1
```

```python
from matplotlib.figure import Figure
figure = Figure()
figure.subplots().set_title("the title")
print(sum(x))
figure
```
"""
CONFIG = """
site_name: site
docs_dir: docs
theme: {{name: null, custom_dir: theme}}
plugins: []
hooks: [{hooks}]
"""


def load(name, monkeypatch):
    spec = importlib.util.spec_from_file_location(f"{name}_of_the_site", DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # where dataclasses look up their module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def hooks(monkeypatch, tmp_path):
    module = load("hooks", monkeypatch)
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    return module


@pytest.fixture
def written(tmp_path):
    """A page of that text."""

    def write(text):
        page = tmp_path / "tutorials" / "page.md"
        page.parent.mkdir(exist_ok=True)
        page.write_text(text, "utf-8")
        return page

    return write


def test_blocks_share_their_names_and_show_what_they_print_and_draw(hooks, written):
    first, second = hooks.execute(written(PAGE))
    assert (first.text, first.figures, first.error) == ("x is [0, 1, 2]\n", [], "")
    assert (second.text, second.error) == ("3\n", "")
    ((words, png),) = second.figures
    assert words == "the title"
    assert base64.b64decode(png).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "code, line, says",
    [
        ("x = 1\n\nx / 0\n", 6, "ZeroDivisionError: division by zero"),
        ("def f():\n    raise KeyError('no')\n\nf()\n", 5, "KeyError: 'no'"),
        ("x = 1\nx = = 2\n", 5, "SyntaxError"),
        ("import json\njson.loads('{')\n", 5, "JSONDecodeError"),
        ("from matplotlib.figure import Figure\nFigure()\n", 4, "has no title"),
    ],
    ids=["last line", "in a function", "syntax", "in a library", "figure without words"],
)
def test_an_error_names_page_and_line(hooks, written, code, line, says):
    page = written(f"# Page\n\n```python\n{code}```\n\n```python\nprint('never')\n```\n")
    *_, failed = hooks.execute(page)
    assert failed.error.startswith(f"tutorials/page.md, line {line}: ")
    assert says in failed.error


def test_outputs_stand_below_their_blocks(hooks):
    outputs = [hooks.Output("one\n"), hooks.Output("```\n", [("a [title", "")])]
    ran = iter(enumerate(outputs))
    page = hooks.BLOCK.sub(lambda block: block[0] + hooks.below("page", *next(ran)), PAGE)
    assert page.count("```python\n") == 2
    assert "```\n\n``` { .text .output }\none\n```\n\nText" in page
    assert "figure\n```\n\n```` { .text .output }\n```\n````\n\n![a [title](page-1-0.png)\n" in page


def test_a_page_runs_again_only_when_something_changed(hooks, written, monkeypatch):
    ran = []

    def run(page):
        ran.append(page)
        failing = "0 / 0" in page.read_text("utf-8")
        return [hooks.Output("failed", error="page, line 1") if failing else hooks.Output("said", [("words", "PNG")])]

    monkeypatch.setattr(hooks, "run", run)
    page = written(PAGE)
    first = hooks.outputs(page, "sources", hooks.CACHE)
    again = hooks.outputs(written(PAGE.replace("Text", "Other text")), "sources", hooks.CACHE)
    assert len(ran) == 1
    assert [[output.text for output in one] for one in (first, again)] == [["said"], ["said"]]
    hooks.outputs(page, "other sources", hooks.CACHE)
    hooks.outputs(written(PAGE.replace("range(3)", "range(4)")), "other sources", hooks.CACHE)
    assert len(ran) == 3
    assert len(list(hooks.CACHE.iterdir())) == 1, "what is out of date is thrown away"
    for _ in range(2):
        hooks.outputs(written("```python\n0 / 0\n```\n"), "sources", hooks.CACHE)
    assert len(ran) == 5, "a failure is not kept"


def test_the_fingerprint_knows_the_sources(hooks, monkeypatch, tmp_path):
    (tmp_path / "src/mibounds/bounds").mkdir(parents=True)
    module = tmp_path / "src/mibounds/bounds/bound.py"
    monkeypatch.setattr(hooks, "ROOT", tmp_path)
    seen = set()
    for text in ("a = 1\n", "a = 2\n"):
        module.write_text(text)
        seen.add(hooks.fingerprint())
    assert len(seen) == 2


@pytest.mark.filterwarnings("ignore")
def test_a_strict_build_shows_outputs_and_stops_at_an_error(hooks, written, tmp_path, monkeypatch):
    pytest.importorskip("mkdocs")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort

    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("# Home\n")
    written(PAGE).parent.rename(tmp_path / "docs/tutorials")
    (tmp_path / "theme").mkdir()
    (tmp_path / "theme/main.html").write_text("{{ page.content }}")
    hook = tmp_path / "hook.py"
    hook.write_text(
        (DOCS / "hooks.py").read_text("utf-8").replace("Path(__file__).parent.parent", f"Path({str(DOCS.parent)!r})")
    )
    quick = {
        'ROOT / ".tutorials_cache"': f"Path({str(tmp_path / 'kept')!r})",
        "from mibounds import MIWarning": "from mibounds.warnings import MIWarning",  # without torch
    }
    for old, new in quick.items():
        assert old in hook.read_text()
        hook.write_text(hook.read_text().replace(old, new))
    (tmp_path / "mkdocs.yml").write_text(CONFIG.format(hooks=hook))
    monkeypatch.setattr(logging.getLogger("mkdocs"), "propagate", True)
    build(load_config(str(tmp_path / "mkdocs.yml"), strict=True))
    shown = (tmp_path / "site/tutorials/page/index.html").read_text()
    assert "x is [0, 1, 2]" in shown
    assert 'alt="the title"' in shown
    assert (tmp_path / "site/tutorials/page-1-0.png").read_bytes().startswith(b"\x89PNG")

    (tmp_path / "docs/tutorials/page.md").write_text("# Page\n\n```python\n1 / 0\n```\n")
    with pytest.raises(Abort):
        build(load_config(str(tmp_path / "mkdocs.yml"), strict=True))


def test_every_picture_of_the_gallery_is_there_and_small():
    shown = re.findall(r"!\[.+?\]\((.+?)\)", (DOCS / "gallery.md").read_text("utf-8"))
    sizes = {DOCS / name: (DOCS / name).stat().st_size for name in shown}
    assert set(sizes) == set((DOCS / "figures/gallery").iterdir())
    assert max(sizes.values()) <= 120_000
    assert sum(sizes.values()) <= 1_000_000


def test_the_gallery_names_every_example_and_nothing_else():
    named = re.findall(r"examples/\S+?\.py", (DOCS / "gallery.md").read_text("utf-8"))
    scripts = {DOCS.parent / name for name in named}
    assert all(script.exists() for script in scripts)
    assert scripts >= {*DOCS.parent.glob("examples/*.py")}
