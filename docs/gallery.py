"""The pictures of docs/gallery.md, by the commands on that page: python docs/gallery.py [the name of one picture ...]

Each section of the page has one picture, and one command or one block of python whose last line is a figure. A command
runs in an empty folder with links to examples/ and benchmarks/, and what it leaves there under the picture's name is
the picture: a PNG, or a page that Chromium takes a picture of. Python blocks run one after another, as on the page. All
are made small.
"""

import base64
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hooks import ROOT, run
from PIL import Image

PAGE = ROOT / "docs" / "gallery.md"
FIGURES = ROOT / "docs" / "figures" / "gallery"
SECTION = re.compile(
    r"^```(bash|python)\n(.*?)^```\n\n!\[[^\]]+\]\(figures/gallery/([^)]+)\.png\)", re.MULTILINE | re.DOTALL
)
WIDTH, LARGE, LARGEST = 1000, 75_000, 120_000


def main(chosen: list[str]) -> None:
    """Make the chosen pictures, or all."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    sections = SECTION.findall(PAGE.read_text("utf-8"))
    drawn = [name for language, _, name in sections if language == "python"]
    for name in chosen:
        if name not in [known for *_, known in sections]:
            sys.exit(f"{name!r} is no picture of {PAGE.name}.")
    for language, command, name in sections:
        if (chosen and name not in chosen) or language == "python":
            continue
        began = time.perf_counter()
        keep(name, of_command(command, name))
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    if not chosen or set(drawn) & set(chosen):
        outputs = run(PAGE)
        if outputs[-1].error:
            sys.exit(outputs[-1].error)
        for name, output in zip(drawn, outputs, strict=True):
            keep(name, base64.b64decode(output.figures[0][1]))
            print(name, flush=True)


def of_command(command: str, name: str) -> bytes:
    """What a command leaves as NAME.png or NAME.html."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for part in ("examples", "benchmarks"):
            (folder / part).symlink_to(ROOT / part)
        figures = folder / "docs" / "figures"  # where the scripts of benchmarks/ write
        figures.mkdir(parents=True)
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT / "src"),
        }
        subprocess.run(["bash", "-ec", command], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        page, picture = folder / f"{name}.html", folder / f"{name}.png"
        if page.exists():
            screenshot(page, picture)
        return (picture if picture.exists() else figures / picture.name).read_bytes()


def screenshot(page: Path, picture: Path) -> None:
    """What Chromium shows of a page."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit(f"{page.name} needs Chromium on PATH to have its picture taken.")
    options = ("--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1000,770")
    subprocess.run([browser, *options, f"--screenshot={picture}", str(page)], check=True, capture_output=True)


def keep(name: str, picture: bytes) -> None:
    """Write a picture down, small: in 256 or 128 colors where all of them would take too much."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
    path = FIGURES / f"{name}.png"
    image.save(path, optimize=True)
    for colors, allowed in ((256, LARGE), (128, LARGEST)):
        if path.stat().st_size > allowed:
            image.quantize(colors, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    if size > LARGEST:
        sys.exit(f"{path.name} has {size:,} bytes, and at most {LARGEST:,} are allowed: draw less.")


if __name__ == "__main__":
    main(sys.argv[1:])
