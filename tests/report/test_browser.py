"""The pages in a browser: nothing is loaded from the network, nothing exceeds the width of a phone, and all text is
readable, in the light and the dark color scheme. Skipped where no Chromium is installed; CI installs it."""

import html
import json
import math
import os
import re
import shutil
import subprocess

import pytest
import torch

from mibounds.benchmark import write_page
from mibounds.results import ConditionalResult, Curve, Result
from mibounds.warnings import OverfitWarning

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on PATH to open the pages in")

WIDTHS = (360, 1280)
LOADS = '<img src="http://127.0.0.1:9/picture.png" alt=""><p style="width: 2000px; color: #aaa">pale</p>'
# Frames have the widths that are asked for; a window of Chromium has 500 pixels at least.
FRAME = '<iframe title="{title}" style="width: {width}px; height: 800px; border: 0" srcdoc="{page}"></iframe>'
MEASURE = """<script>
function luminance(color) {
  const linear = c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4
  const [r, g, b] = color.match(/[\\d.]+/g).map(c => linear(c / 255))
  return .2126 * r + .7152 * g + .0722 * b
}
function behind(element, view) {
  for (let e = element; e; e = e.parentElement) {
    const color = view.getComputedStyle(e).backgroundColor
    if (!/, 0\\)/.test(color)) return color
  }
  return "rgb(255, 255, 255)"
}
function contrast(element, view) {
  const style = view.getComputedStyle(element), svg = element.closest("svg")
  const [low, high] = [svg ? style.fill : style.color, behind(element, view)].map(luminance).sort((a, b) => a - b)
  return (high + .05) / (low + .05)
}
addEventListener("load", () => {
  const found = {}
  for (const frame of document.querySelectorAll("iframe")) {
    const view = frame.contentWindow, page = frame.contentDocument, every = [...page.body.querySelectorAll("*")]
    const edge = page.documentElement.clientWidth
    const seen = every.filter(e => !e.closest(".wide, .unseen, .skip, title, desc, script"))
    const texts = seen.filter(e => [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()))
    found[frame.title] = {
      dark: view.matchMedia("(prefers-color-scheme: dark)").matches,
      width: edge,
      needed: page.documentElement.scrollWidth,
      fetched: view.performance.getEntriesByType("resource").map(e => e.name),
      over: seen.filter(e => e.getBoundingClientRect().right > edge + 1).map(e => e.outerHTML.slice(0, 80)),
      contrast: Math.min(...texts.map(e => contrast(e, view))),
      small: Math.min(...texts.map(e => {
        const turned = e.closest("svg") ? e.getScreenCTM() : {a: 1, b: 0}
        return Math.hypot(turned.a, turned.b) * parseFloat(view.getComputedStyle(e).fontSize)
      })),
    }
  }
  document.body.textContent = JSON.stringify(found)
})
</script>"""


def opened(pages, scheme, folder):
    """What each page, without its rule against fetching, looks like at both widths."""
    frames = [
        FRAME.format(title=f"{name} {width}", width=width, page=html.escape(re.sub("<meta http-equiv[^>]*>", "", page)))
        for name, page in pages.items()
        for width in WIDTHS
    ]
    path = folder / "frames.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><body>{MEASURE}{''.join(frames)}</body>", encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    command += [f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}", "--dump-dom", path.as_uri()]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True, env={**os.environ, "HOME": str(folder)}
    )
    return json.loads(html.unescape(re.search(r"<body>(.*)</body>", done.stdout, re.DOTALL)[1]))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    result = Result(
        value=0.7, stderr=0.1, estimates={"InfoNCE": 0.7, "DonskerVaradhan": 0.65, "NWJ": -1e4}, method="InfoNCE",
        n=200, entropy_limit=0.9, cross_checks={"GaussianCopula": 0.6}, fold_values=(0.6, 0.8), extrapolated=True,
        curves=tuple(Curve((0, 25, 50), (0.0, -0.4, -0.3), 25, name) for name in ("ranks", "standardized")),
        warnings=(OverfitWarning("The critics overfit: " + 30 * "more rows, "),),
        columns=(tuple(f"a_column_with_a_name_that_nobody_can_break_{i}" for i in range(30)), ("y" * 60,)),
        kinds=(("continuous",) * 30, ("continuous",)), versions={"mibounds": "0.1.0"}, pointwise=torch.randn(200),
    )  # fmt: skip
    command = f"mibounds estimate {'/a/long/path' * 20}.csv --y {'y' * 60}"
    result.report(folder / "report.html", command=command)
    conditional = ConditionalResult(
        value=0.1, stderr=0.1, method="chain", parts={"I(X;YZ)": result, "I(X;Z)": result}, n=200,
        warnings=result.warnings,
    )  # fmt: skip
    conditional.report(folder / "summary.html", command=command)
    fit = {"suite": "quick", "n": 1000, "seconds": 4.0, "versions": {"mibounds": "0.1.0"}, "method": "InfoNCE"}
    fit |= {"estimator": "default", "stderr": 0.1, "extrapolated": False, "warnings": [], "low": 0.4, "high": 0.8}
    fits = [fit | {"seed": seed, "task": f"{'Long' * 20}(0.5)", "truth": 0.5, "value": 0.6} for seed in range(3)]
    (folder / "results.jsonl").write_text("\n".join(map(json.dumps, fits)))
    write_page(folder / "results.jsonl", folder / "benchmark.html")
    return {name: (folder / f"{name}.html").read_text(encoding="utf-8") for name in ("report", "summary", "benchmark")}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_fetch_nothing_and_can_be_read(pages, scheme, tmp_path):
    found = opened({**pages, "bad": LOADS}, scheme, tmp_path)
    for name in pages:
        for width in WIDTHS:
            page = found[f"{name} {width}"]
            assert page["dark"] == (scheme == "dark")
            assert page["needed"] <= page["width"] <= width
            assert page["over"] == []
            assert page["fetched"] == []
    for width in WIDTHS:
        for name in ("report", "summary"):
            assert found[f"{name} {width}"]["contrast"] >= 4.5  # WCAG AA
            assert found[f"{name} {width}"]["small"] >= 9
    bad = found["bad 360"]  # the measuring itself
    assert bad["fetched"] == ["http://127.0.0.1:9/picture.png"]
    assert bad["needed"] >= 2000
    assert len(bad["over"]) == 1
    assert math.isclose(bad["contrast"], 2.32, abs_tol=0.05)
