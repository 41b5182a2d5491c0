"""The words of CONTRIBUTING.md: none of its left column in texts for readers, and numbers with their zero."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "mibounds"
# Decisions, their log and the changelog are history: they name what was.
HISTORY = ("docs/decisions/",)
PAGES = sorted(
    page
    for page in (ROOT / "README.md", *ROOT.glob("docs/**/*.md"))
    if not str(page.relative_to(ROOT)).startswith(HISTORY)
)
NO_ZERO = re.compile(r"(?<![\w.)\]}'\"/…])\.\d+(?![\w/])")
BEGIN, END = "<!-- words -->", "<!-- end of words -->"


def contributing():
    return (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def banned():
    """Every word of the left column, as a pattern."""
    table = contributing().partition(BEGIN)[2].partition(END)[0]
    cells = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:]
    return [phrase.strip() for cell in cells for phrase in re.split("[,;]", cell)]


def found(text, phrases):
    """The phrases of a text, each with what stands around it."""
    text = " ".join(text.split())
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b", re.IGNORECASE)
    return [text[max(0, match.start() - 40) : match.end() + 40] for match in pattern.finditer(text)]


def prose(page):
    """A page without its code."""
    return re.sub(r"^ *(`{3,}).*?^ *\1|`[^`\n]+`", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def written(module):
    """The docstrings and messages of a module: every literal that has a space; lines of examples are code."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, re.sub(r"^ *(>>>|\.\.\.).*$|`[^`\n]+`", "", node.value, flags=re.MULTILINE)


def test_the_table_is_found():
    assert {"strangers", "calm", "by heart", "readings", "in the same clothes"} <= {*banned()}


def test_a_banned_word_and_a_number_without_its_zero_are_found():
    assert found("Training is\ncalm here.", ["calm"]) == ["Training is calm here."]
    assert not found("Becalmed.", ["calm"])
    assert NO_ZERO.findall("p = .05, -.5, 0.05, v1.2, [.3, a.5, 5.") == [".05", ".5", ".3"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_use_the_words_of_the_field(page):
    assert found(prose(page), banned()) == []


def test_contributing_uses_them_itself():
    before, _, rest = contributing().partition(BEGIN)
    assert found(before + rest.partition(END)[2], banned()) == []


@pytest.mark.parametrize("folder", sorted({path.parent for path in SOURCE.rglob("*.py")}), ids=lambda path: path.name)
def test_docstrings_and_messages_use_them(folder):
    phrases = banned()
    wrong = [
        f"{module.relative_to(ROOT)}:{line}: {words}"
        for module in sorted(folder.glob("*.py"))
        for line, text in written(module)
        for words in found(text, phrases)
    ]
    assert wrong == []


def test_numbers_have_their_zero():
    pages = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/decisions/*.md")]
    texts = [(str(page.relative_to(ROOT)), prose(page)) for page in [*pages, *ROOT.glob("benchmarks/*/*.md")]]
    for module in sorted(SOURCE.rglob("*.py")):
        texts += [(f"{module.relative_to(ROOT)}:{line}", text) for line, text in written(module)]
    assert [(name, number) for name, text in texts for number in NO_ZERO.findall(text)] == []
