"""README.md and the figure of the sweep over beta, from the raw results.

python benchmarks/gan/page.py
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mibounds.benchmark.records import read_lines
from mibounds.demos.gan import RECIPES
from mibounds.plots.axes import save_figure, styled_axes
from mibounds.plots.style import ACCENT, MUTED

HERE = Path(__file__).parent
FIGURE = HERE.parent.parent / "docs" / "figures" / "gan-sweep.png"

NAMES = ("modes", "high_quality", "reverse_kl", "processor_seconds")
SHOWN = (
    ("modes", 1, "modes of 25"),
    ("high_quality", 100, "high-quality samples, %"),
    ("reverse_kl", 1, "reverse KL, nats"),
)

Records = Sequence[dict[str, Any]]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table of Markdown."""
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)] + [""]


def pairs(records: Records, regularized: float) -> list[str]:
    """Plain and regularized by this weight side by side, a row for each seed."""

    def cells(record: dict[str, Any]) -> list[str]:
        seconds = record["processor_seconds"]
        return [
            f"{record['modes']:g}",
            f"{record['high_quality']:.1%}",
            f"{record['reverse_kl']:.3f}",
            f"{seconds:.0f}",
        ]

    by = {(record["beta"], record["seed"]): record for record in records}
    seeds = sorted(seed for beta, seed in by if beta == regularized and (0.0, seed) in by)
    rows = [[str(seed), *cells(by[0.0, seed]), *cells(by[regularized, seed])] for seed in seeds]
    means = [
        {name: statistics.mean(by[beta, seed][name] for seed in seeds) for name in NAMES} for beta in (0.0, regularized)
    ]
    rows.append(["mean", *cells(means[0]), *cells(means[1])])
    metrics = ["high quality", "reverse KL", "s"]
    return table(["seed", "plain: modes", *metrics, "regularized: modes", *metrics], rows)


def sweep(records: Records) -> list[str]:
    """Every weight, and the figure."""
    betas = sorted({record["beta"] for record in records})
    by = {beta: [record for record in records if record["beta"] == beta] for beta in betas}
    figure, axes = styled_axes(3, height=3.4)
    for axis, (name, scale, title) in zip(axes, SHOWN, strict=True):
        values = [[scale * record[name] for record in by[beta]] for beta in betas]
        for at, of_beta in enumerate(values):
            axis.plot([at] * len(of_beta), of_beta, "o", color=ACCENT, alpha=0.6)
        axis.plot([statistics.mean(of_beta) for of_beta in values], color=MUTED, lw=1, zorder=1)
        axis.set_xticks(range(len(betas)), [f"{beta:g}" for beta in betas])
        axis.set_xlabel("beta")
        axis.set_title(title, loc="left")
    save_figure(figure, str(FIGURE))
    rows = [
        [
            f"{beta:g}",
            ", ".join(str(record["modes"]) for record in by[beta]),
            ", ".join(f"{record['high_quality']:.1%}" for record in by[beta]),
            ", ".join(f"{record['reverse_kl']:.3f}" for record in by[beta]),
        ]
        for beta in betas
    ]
    return table(["beta", "modes, each seed", "high quality", "reverse KL"], rows)


def coverage(records: Records) -> list[str]:
    """Stacked digits: a row for each method."""
    methods = dict.fromkeys(record["method"] for record in records)
    rows = []
    for method in methods:
        of = sorted((record for record in records if record["method"] == method), key=lambda record: record["seed"])
        rows.append(
            [
                method,
                ", ".join(str(record["modes"]) for record in of),
                ", ".join(f"{record['kl']:.3f}" for record in of),
                f"{statistics.mean(record['processor_seconds'] for record in of):.0f}",
            ]
        )
    return table(["GAN", "modes of 1,000, each seed", "KL to uniform, nats", "s"], rows)


def main() -> None:
    """Write the page."""
    points, stacked = read_lines(HERE / "results.jsonl"), read_lines(HERE / "digits.jsonl")
    of = {data: [record for record in points if record["data"] == data] for data in ("gaussians", "spirals")}
    torch = points[0]["torch"]
    lines = ["# The GAN that keeps its modes", ""]
    lines += [
        f"Made with torch {torch} by `python benchmarks/gan/run.py`, `python benchmarks/gan/digits.py` and `python "
        "benchmarks/gan/page.py`; raw results in `results.jsonl` and `digits.jsonl`. Seconds are of one core. "
        "Runs of one table differ in the information term only.",
        "",
        "## 25 Gaussians",
        "",
        "Of 2,500 samples: modes with one at least within 3 standard deviations, the fraction of such samples, and the "
        "reverse KL of their numbers at the modes.",
        "",
        *pairs(of["gaussians"], RECIPES["gaussians"].beta),
        "## The weight of the information term",
        "",
        *sweep(of["gaussians"]),
    ]
    if of["spirals"]:
        beta = RECIPES["spirals"].beta
        lines += ["## Spirals", "", "Of 250 bins along the two arms.", "", *pairs(of["spirals"], beta)]
    if stacked:
        lines += [
            "## Stacked digits",
            "",
            "Three digits of 8 x 8 as channels, 26,000 samples; modes by a classifier with an accuracy of "
            f"{stacked[0]['accuracy']:.1%} on digits held out. Equal frequencies give a KL of 0.019 in the mean.",
            "",
            *coverage(stacked),
        ]
    (HERE / "README.md").write_text("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
