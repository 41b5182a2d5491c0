"""Check the built site without a network: python tools/check_site.py [site]

Every link to a page, an anchor or a file of the site leads somewhere; every id is used once; no formula is left as
LaTeX; every word that newcomers search for is in a title of the search index; the decision log is not in it.
"""

import json
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

SEARCHED = (
    "install",
    "pandas",
    "how long",
    "negative",
    "gpu",
    "missing values",
    "bits",
    "notebooks",
    "cite",
    "how many",
)
LATEX = re.compile(r"\\(?:frac|sum|ln|log|mathrm|operatorname|Big|tfrac|tilde|hat|sqrt|le|ge)\b|class=\"arithmatex\"")


class Page(HTMLParser):
    """Links and ids of a page, and the base that links are relative to."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag refers to, and what it may be referred to by."""
        for name, value in attrs:
            if (
                name in ("href", "src")
                and value is not None
                and not (tag == "link" and "canonical" in dict(attrs).values())
            ):
                self.links.append(value)
            elif (name == "id" or (name == "name" and tag == "a")) and value:
                self.ids.append(value)


def main(site: Path) -> int:
    """Print what is wrong and how much was checked; 1 if anything is wrong."""
    texts = {path: path.read_text("utf-8") for path in sorted(site.rglob("*.html"))}
    pages = {path: Page(text) for path, text in texts.items()}
    wrong, checked = broken_links(site, pages)
    for path, page in pages.items():
        wrong += [
            f"{path.relative_to(site)}: the id {one!r} occurs {n} times"
            for one, n in Counter(page.ids).items()
            if n > 1
        ]
        without_code = re.sub(
            r"<(pre|code|annotation)\b.*?</\1>|aria-label=\"[^\"]*\"", "", texts[path], flags=re.DOTALL
        )
        wrong += [f"{path.relative_to(site)}: {found[0]} is left as it is" for found in LATEX.finditer(without_code)]
    wrong += missing_words(site)
    print("\n".join([*wrong, f"{len(pages):,} pages, {checked:,} links, {len(wrong)} faults"]))
    return 1 if wrong else 0


def broken_links(site: Path, pages: dict[Path, Page]) -> tuple[list[str], int]:
    """The links inside the site that lead nowhere, and the number of all that were followed."""
    wrong, checked = [], 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            checked += 1
            start = site if parts.path.startswith("/") else path.parent
            target = (start / unquote(parts.path).lstrip("/")).resolve() if parts.path else path.resolve()
            if target.is_dir():
                target /= "index.html"
            known = pages.get(path if not parts.path else site / target.relative_to(site.resolve()))
            anchor = unquote(parts.fragment)
            if not target.is_file():
                wrong.append(f"{path.relative_to(site)}: {link} leads nowhere")
            elif anchor and known and anchor not in known.ids and not anchor.startswith("__"):
                wrong.append(f"{path.relative_to(site)}: {link} names an anchor that is not there")
    return wrong, checked


def missing_words(site: Path) -> list[str]:
    """The words that no title of the search index has, and the decision log if it is there."""
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))["docs"]
    titles = [re.sub("<[^>]+>", "", entry["title"]).lower() for entry in index]
    wrong = [
        f"no title in the search index has {word!r}" for word in SEARCHED if not any(word in one for one in titles)
    ]
    return wrong + ["the decision log is in the search index"] * any(
        "decisions/log" in one["location"] for one in index
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "site")))
