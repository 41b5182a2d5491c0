"""Words, words in a sentence and Flesch reading ease of the documentation: python tools/readability.py [PAGE ...].

Flesch reading ease is 206.835 - 1.015 words per sentence - 84.6 syllables per word (Flesch, A new readability
yardstick, 1948). Scientific articles have about 20 to 30, reference manuals 30 to 50, newspapers 50 to 60. Only prose
counts: code, tables, headings, HTML and formulas are left out, and a link counts as its text. Syllables are groups of
vowels, less a silent e at the end.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "docs/*.md", "docs/tutorials/*.md", "docs/reference/**/*.md")


def main(chosen: list[str]) -> None:
    """Print a line for each page, and one for all."""
    pages = [Path(name) for name in chosen] or [page for pattern in PAGES for page in sorted(ROOT.glob(pattern))]
    print(f"{'page':48} {'words':>7} {'in sentences':>12} {'per sentence':>12} {'Flesch':>7}")
    rows = []
    for page in pages:
        text = page.read_text("utf-8")
        rows.append((len(text.split()), *counted(prose(text))))
        name = page.relative_to(ROOT) if page.is_relative_to(ROOT) else page
        print(f"{name!s:48} {line(*rows[-1])}")
    print(f"{'all':48} {line(*map(sum, zip(*rows, strict=True)))}")


def line(everything: int, words: int, sentences: int, syllables: int) -> str:
    """Counts of a page, as its line shows them."""
    if not words:
        return f"{everything:7,} {0:12}"
    ease = 206.835 - 1.015 * words / sentences - 84.6 * syllables / words
    return f"{everything:7,} {words:12,} {words / sentences:12.1f} {ease:7.1f}"


def prose(text: str) -> list[str]:
    """The paragraphs and items of a page, without what is not read as a sentence."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"^ *(`{3,}|~{3,}).*?^ *\1.*?$", "\n", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"<!--.*?-->|\$\$.*?\$\$", "", text, flags=re.DOTALL)
    text = re.sub(r"^(#|\||:::|!\[| {4,}[\w:]+:|</?div).*$", "\n", text, flags=re.MULTILINE)
    text = re.sub(r"\$[^$\n]+\$|`+[^`\n]+`+", "x", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"<[^>\n]+>|[*_]{1,2}", "", text)
    parts = re.split(r"\n\s*\n|^\s*(?:[-*+>]|\d+\.)\s+", text, flags=re.MULTILINE)
    return [part for part in parts if re.search(r"[A-Za-z]{2}", part)]


def counted(parts: list[str]) -> tuple[int, int, int]:
    """Words, sentences and syllables; each part ends at least one sentence."""
    words = sentences = syllables = 0
    for part in parts:
        found = re.findall(r"[A-Za-z][A-Za-z'\u2019]*", part)
        words += len(found)
        sentences += max(1, len(re.findall(r"[a-zA-Z0-9)%][.!?](?=\s|$)", part)))
        syllables += sum(map(syllable_count, found))
    return words, sentences, syllables


def syllable_count(word: str) -> int:
    """Groups of vowels, less a silent e at the end; at least one."""
    word = word.lower()
    groups = len(re.findall(r"[aeiouy]+", word))
    return max(1, groups - (word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1))


if __name__ == "__main__":
    main(sys.argv[1:])
