"""What the build makes of docstrings, formulas, names and tutorials; and what the check of the built site finds."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import mibounds as mi

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


@pytest.fixture
def module(monkeypatch):
    """Import a module of docs/ as the build does."""
    monkeypatch.syspath_prepend(DOCS)

    def imported(name, needs):
        pytest.importorskip(needs)
        return importlib.import_module(name)

    return imported


def test_docstrings_have_examples_as_code_and_formulas_between_dollars(module):
    text = (
        "One line.\n\n    .. math:: a_i \\| b\n              + c\n\n"
        "    With :math:`x_{i}\n    + 1`.\n\n    Example:\n        >>> 1\n        1\n"
    )
    assert module("docstrings", "griffe").readable(text) == (
        "One line.\n\n$$\na_i \\| b\n+ c\n$$\n\nWith $x_{i} + 1$.\n\nExamples:\n    >>> 1\n    1"
    )


def test_formulas_become_mathml_and_other_text_stays(module):
    formulas = module("formulas", "latex2mathml")
    content = (
        '<p>5 $ and <span class="arithmatex">\\(\\frac{a}{b} &lt; 1\\)</span></p>'
        '<div class="arithmatex">\\[\n\\ln x\n\\]</div>'
    )
    shown = formulas.on_page_content(content, None)
    assert shown.startswith('<p>5 $ and <math aria-label="\\frac{a}{b} &lt; 1"')
    assert "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>" in shown
    assert 'display="block"' in shown
    assert '<mo lspace="0.17em" rspace="0.17em" stretchy="false">ln</mo><mi>x</mi>' in shown
    assert "arithmatex" not in shown


def test_a_page_of_a_name_has_its_docstring_and_links(module):
    api = module("api", "griffe")
    page = api.page("estimation", "estimate")
    assert page.startswith("# mi.estimate\n\n::: mibounds.estimation.estimate.estimate\n")
    assert "[`mi.bracket`](../estimation/bracket.md): " in page
    assert "(../../read-a-result.md)" in page
    table = api.table("bounds")
    assert table.count("\n") == len(mi.bounds.__all__) + 1
    assert "[`mi.bounds.InfoNCE`](bounds/InfoNCE.md) | InfoNCE (contrastive predictive coding)" in table


def test_every_related_name_and_guide_exists(module):
    api = module("api", "griffe")
    names = {name for _, name in api.everything()}
    assert set(api.RELATED) <= names
    assert set(api.GUIDES) <= names
    assert {other for others in api.RELATED.values() for other in others} <= names
    for guides in (*api.GUIDES.values(), api.OF_A_GROUP.values()):
        for _, target in guides:
            assert (DOCS / target.partition("#")[0]).exists(), target
    for group in api.GROUPS:
        assert api.MARK in (DOCS / "reference" / f"{group}.md").read_text("utf-8")


def test_a_tutorial_becomes_a_notebook(module):
    notebooks = module("notebooks", "mkdocs")
    text = "# Title\n\nSee [data](../data.md#files).\n\n```python\nx = 1\nprint(x)\n```\n\n![a](../figures/a.png)\n"
    output = notebooks.Output("1\n", [("a title", "UE5H")])
    made = notebooks.notebook(text, [output], "https://example.org/tutorials/page/")
    kinds = [cell["cell_type"] for cell in made["cells"]]
    assert kinds == ["markdown", "markdown", "code", "markdown"]
    prose, setup, code, after = made["cells"]
    assert "[data](https://example.org/data/#files)" in "".join(prose["source"])
    assert "https://example.org/tutorials/page/" in "".join(setup["source"])
    assert "".join(code["source"]) == "x = 1\nprint(x)"
    assert code["outputs"][0]["text"] == ["1"]
    assert code["outputs"][1]["data"] == {"image/png": "UE5H", "text/plain": ["a title"]}
    assert "".join(after["source"]) == "![a](https://example.org/figures/a.png)"
    assert len({cell["id"] for cell in made["cells"]}) == 4
    json.dumps(made)
    if nbformat := sys.modules.get("nbformat"):
        nbformat.validate(nbformat.from_dict(made))


@pytest.fixture
def site(tmp_path):
    """A small site without a fault."""
    words = [
        "Install",
        "pandas",
        "How long?",
        "negative",
        "GPU",
        "Missing values",
        "bits",
        "Notebooks",
        "cite",
        "how many",
    ]
    (tmp_path / "search").mkdir()
    index = {"docs": [{"title": word, "location": "faq/", "text": ""} for word in words]}
    (tmp_path / "search/search_index.json").write_text(json.dumps(index))
    (tmp_path / "faq").mkdir()
    (tmp_path / "faq/index.html").write_text('<h1 id="a">A</h1><a href="..">up</a><a href="../#b">b</a>')
    (tmp_path / "index.html").write_text('<h1 id="b">B</h1><a href="faq/#a">a</a><a href="https://example.org/">x</a>')
    return tmp_path


def check(site):
    script = ROOT / "tools" / "check_site.py"
    return subprocess.run([sys.executable, str(script), str(site)], capture_output=True, text=True, check=False)


def test_a_site_without_faults_passes(site):
    done = check(site)
    assert (done.returncode, done.stdout.strip()) == (0, "2 pages, 3 links, 0 faults")


@pytest.mark.parametrize(
    ("html", "says"),
    [
        ('<a href="no/">x</a>', "index.html: no/ leads nowhere"),
        ('<a href="faq/#no">x</a>', "index.html: faq/#no names an anchor that is not there"),
        ('<img src="no.png">', "index.html: no.png leads nowhere"),
        ('<p id="a"></p><p id="a"></p>', "index.html: the id 'a' occurs 2 times"),
        ("<p>\\frac{1}{2}</p>", "index.html: \\frac is left as it is"),
    ],
)
def test_faults_are_found(site, html, says):
    (site / "index.html").write_text(f'<h1 id="b">B</h1>{html}')
    done = check(site)
    assert done.returncode == 1
    assert says in done.stdout


def test_what_is_not_in_the_search_is_found(site):
    path = site / "search/search_index.json"
    index = json.loads(path.read_text())
    index["docs"][1] = {"title": "Log", "location": "decisions/log/", "text": "pandas"}
    path.write_text(json.dumps(index))
    said = check(site).stdout
    assert "no title in the search index has 'pandas'" in said
    assert "the decision log is in the search index" in said
