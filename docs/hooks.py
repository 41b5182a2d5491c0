"""Tutorials show what their code does: the site's build runs it and sets what it prints and draws below each block.

The blocks of a page of docs/tutorials/, and of a few others, run in order, in one namespace, in a process of their own:
the sources are those of the working tree, whatever is installed, and the folder is an empty one that holds a link to
examples/. Below a block stand what it printed and the matplotlib figures that it made: those of pyplot, and the value
of its last line if that is a figure, as in a notebook. A block that fails is an error of the build, with its page and
line.

What a page gave is kept under .tutorials_cache/ until its code, the package or the pinned versions change.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".tutorials_cache"
FOLDER, OTHERS = "tutorials/", ("read-a-result.md",)
BLOCK = re.compile(r"^```python\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)
# Whatever changes one of these may change what a page says.
SOURCES = ("src/mibounds/**/*.py", "examples/data/*.csv", "docs/hooks.py", "constraints.txt")

log = logging.getLogger("mkdocs.hooks.tutorials")


@dataclass
class Output:
    """What a block printed, its figures as (words for those who do not see them, PNG in base64), and how it failed."""

    text: str = ""
    figures: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""


# The side of mkdocs.

_outputs: dict[str, list[Output]] = {}  # of each page, by its path under docs/


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Run the tutorials, or recall what they gave, and add their figures to the site."""
    from joblib import cpu_count
    from mkdocs.structure.files import File

    pages = [file for file in files.documentation_pages() if runs(file.src_uri)]
    sources = fingerprint()
    with ThreadPoolExecutor(cpu_count()) as pool:
        ran = pool.map(lambda file: outputs(Path(file.abs_src_path), sources), pages)
        _outputs.update(zip((file.src_uri for file in pages), ran, strict=True))
    for file in pages:
        for output in _outputs[file.src_uri]:
            if output.error:
                log.error("%s", output.error)
        for name, png in figures(file.src_uri).items():
            files.append(File.generated(config, name, content=png))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Set the outputs of a tutorial below its blocks."""
    if page.file.src_uri not in _outputs:
        return markdown
    ran = iter(enumerate(_outputs[page.file.src_uri]))
    stem = Path(page.file.src_uri).stem
    return BLOCK.sub(lambda block: block[0] + below(stem, *next(ran)), markdown)


def runs(page: str) -> bool:
    """Is the code of this page run, a path under docs/?"""
    return page.startswith(FOLDER) or page in OTHERS


def figures(page: str) -> dict[str, bytes]:
    """The PNG files of a page, by their paths under docs/."""
    stem = page.removesuffix(".md")
    return {
        f"{stem}-{i}-{j}.png": base64.b64decode(png)
        for i, output in enumerate(_outputs[page])
        for j, (_, png) in enumerate(output.figures)
    }


def below(stem: str, i: int, output: Output) -> str:
    """The Markdown of one block's output; stem is the page's name."""
    shown = ""
    for text in filter(None, (output.text.rstrip(), output.error)):
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        shown += f"\n{fence} {{ .text .output }}\n{text}\n{fence}\n"
    for j, (words, _) in enumerate(output.figures):
        shown += f"\n![{words}]({stem}-{i}-{j}.png)\n"
    return shown


def fingerprint() -> str:
    """One word for all that tutorials depend on besides their own code."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in ROOT.glob(pattern)):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def outputs(page: Path, sources: str, cache: Path = CACHE) -> list[Output]:
    """What the blocks of a page give: recalled if they ran before with these sources, run otherwise.

    A page whose code fails is not kept, and gives the outputs up to there.
    """
    code = json.dumps([source for _, source in blocks(page.read_text("utf-8"))])
    kept = cache / f"{page.stem}-{hashlib.sha256((sources + code).encode()).hexdigest()[:20]}.json"
    if not kept.exists():
        log.info("Running %s", page.name)
        ran = run(page)
        if any(output.error for output in ran):
            return ran
        cache.mkdir(exist_ok=True)
        for old in cache.glob(f"{page.stem}-{'[0-9a-f]' * 20}.json"):
            old.unlink(missing_ok=True)
        partial = kept.with_suffix(".partial")
        partial.write_text(json.dumps([asdict(output) for output in ran]), "utf-8")
        partial.replace(kept)
    return [Output(**output) for output in json.loads(kept.read_text("utf-8"))]


def run(page: Path) -> list[Output]:
    """The outputs of a page's blocks, made in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "examples").symlink_to(ROOT / "examples")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")])),
            "OMP_NUM_THREADS": "1",  # the same numbers whatever the machine, and pages run side by side
            "MPLBACKEND": "agg",
        }
        done = subprocess.run(
            [sys.executable, __file__, str(page)], cwd=folder, env=environment, capture_output=True, check=False
        )
    if done.returncode:
        return [Output(error=f"{page.name} could not be run.\n{done.stderr.decode()}")]
    return [Output(**output) for output in json.loads(done.stdout)]


# The side of the process that runs a page.


def blocks(text: str) -> list[tuple[int, str]]:
    """The python blocks of a page: the line where each begins, counted from 1, and its code."""
    return [(text.count("\n", 0, block.start(1)) + 1, block[1]) for block in BLOCK.finditer(text)]


def execute(page: Path) -> list[Output]:
    """Run the blocks of a page in this process; after one that fails there is no other."""
    names = {"__name__": "__main__"}
    ran = []
    for line, source in blocks(page.read_text("utf-8")):
        printed = io.StringIO()
        output = Output()
        try:
            with redirect_stdout(printed):
                value = _evaluate(source, line, str(page), names)
            output.figures = [(_words(figure), _png(figure)) for figure in _drawn(value)]
        except Exception as error:
            own = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(page)]
            at = own[-1] if own else getattr(error, "lineno", None) or line
            output.error = f"{page.parent.name}/{page.name}, line {at}: {type(error).__name__}: {error}"
        output.text = printed.getvalue()
        ran.append(output)
        if output.error:
            break
    return ran


def _evaluate(source: str, line: int, name: str, names: dict[str, Any]) -> object:
    """The value of the last line of a block, if it is an expression. Errors count lines as the page does."""
    tree = ast.parse("\n" * (line - 1) + source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    return eval(compile(ast.Expression(last.value), name, "eval"), names) if isinstance(last, ast.Expr) else None


def _drawn(value: object) -> list[Any]:
    """The figures of a block; those of pyplot are closed."""
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    drawn = [plt.figure(number) for number in plt.get_fignums()]
    plt.close("all")
    return drawn if not isinstance(value, Figure) or value in drawn else [*drawn, value]


def _words(figure: Any) -> str:
    """What a figure shows, from its own titles: for those who do not see it."""
    titles = [figure.get_suptitle(), *(axes.get_title(at) for axes in figure.axes for at in ("left", "center"))]
    words = "; ".join(title.replace("\n", " ") for title in titles if title)
    if not words:
        raise ValueError("a figure has no title, and needs one: it is what is read out to those who do not see it.")
    return re.sub(r"[\[\]]", "", words)


def _png(figure: Any) -> str:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110, metadata={"Software": None})
    return base64.b64encode(data.getvalue()).decode()


if __name__ == "__main__":
    from mibounds import MIWarning

    # Results print their warnings themselves.
    warnings.simplefilter("ignore", MIWarning)
    answer, sys.stdout = sys.stdout, sys.stderr
    json.dump([asdict(output) for output in execute(Path(sys.argv[1]))], answer)
