"""Writes what the code of pages prints into the blocks below it: the first example of the README, and others.

python tools/page_outputs.py                # all pages that have such blocks
python tools/page_outputs.py docs/data.md

A block of output directly below a block of Python is replaced; the Python blocks of a page run in one namespace, those
before the last output only. The tutorials have their outputs from the build of the site (docs/hooks.py).
"""

import argparse
import io
import os
import re
import tempfile
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/data.md", "docs/time-series.md")
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:(\n*```(?:text)?\n).*?^```\n)?", re.MULTILINE | re.DOTALL)


def rewritten(text: str) -> str:
    r"""The page with the outputs of its blocks.

    >>> print(rewritten("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n").splitlines()[5])
    2
    """
    names: dict[str, Any] = {"__name__": "page"}
    outputs = sum(bool(block[2]) for block in BLOCK.finditer(text))

    def run(block: re.Match[str]) -> str:
        nonlocal outputs
        if not outputs:
            return block[0]
        printed = io.StringIO()
        with redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(block[1], names)
        if not block[2]:
            return block[0]
        outputs -= 1
        return f"```python\n{block[1]}```\n{block[2]}{printed.getvalue()}```\n"

    return BLOCK.sub(run, text)


def main() -> None:
    """Rewrite the pages."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("pages", nargs="*", default=PAGES)
    pages = [(ROOT / page).resolve() for page in options.parse_args().pages]
    with tempfile.TemporaryDirectory() as folder:  # what the code writes is not kept
        os.chdir(folder)
        for page in pages:
            page.write_text(rewritten(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
