"""Writes what the code of pages prints into the blocks below it: the first example of the README, and others.

python docs/page_outputs.py                # all pages that have such blocks
python docs/page_outputs.py docs/data.md

A block of output directly below a block of Python is replaced. The blocks of a page run as those of a tutorial do
(docs/hooks.py); one that fails ends the page, which may happen below the last output only.
"""

import argparse
import re
import sys
from collections.abc import Sequence

from hooks import BLOCK, ROOT, Output, run

PAGES = ("README.md", "docs/bounds.md", "docs/data.md", "docs/time-series.md")
BOTH = re.compile(f"({BLOCK.pattern})(?:(\\n*```(?:text)?\\n).*?^```\\n)?", BLOCK.flags)


def rewritten(text: str, ran: Sequence[Output]) -> str:
    r"""The page with the outputs of its blocks.

    >>> print(rewritten("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n", [Output("2\n")]).splitlines()[5])
    2
    """
    outputs = iter(ran)

    def below(block: re.Match[str]) -> str:
        output = next(outputs, Output())
        if not block[3]:
            return block[0]
        if output.error or not output.text:
            sys.exit(output.error or f"a block has an output, and printed nothing:\n{block[2]}")
        return f"{block[1]}{block[3]}{output.text}```\n"

    return BOTH.sub(below, text)


def main() -> None:
    """Rewrite the pages."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("pages", nargs="*", default=PAGES)
    for page in [ROOT / page for page in options.parse_args().pages]:
        page.write_text(rewritten(page.read_text("utf-8"), run(page)), "utf-8")


if __name__ == "__main__":
    main()
