"""The picture of the first example, docs/figures/first-example.png: python docs/first_example.py

The example of the README is run at six levels of noise. Its estimates with their intervals are written to
docs/figures/first-example.csv beside the true information, which is computed by numerical integration.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import mibounds as mi
from mibounds.tasks import Regression
from mibounds.tasks.functions import SINE
from mibounds.tasks.noises import Normal

FIGURES = Path(__file__).parent / "figures"
TABLE = FIGURES / "first-example.csv"
NOISES = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2)
SHOWN = 0.3  # the noise of the README


def draw(noise: float) -> tuple[np.ndarray, np.ndarray]:
    """The data of the README, with this noise."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 3))
    return x, np.sin(2 * x[:, :1]) + noise * rng.normal(size=(2000, 1))


def measured() -> list[dict[str, float]]:
    """The estimate, its interval and the truth at each noise."""
    rows = []
    for noise in NOISES:
        r = mi.estimate(*draw(noise))
        truth = Regression(SINE, Normal(noise), idle=2).mutual_information
        rows.append({"noise": noise, "truth": truth, "value": r.value, "low": r.interval[0], "high": r.interval[1]})
        print({name: round(number, 3) for name, number in rows[-1].items()}, flush=True)
    return rows


def figure(rows: list[dict[str, float]]) -> Figure:
    """Left the data of the example, right its estimates and the truth."""
    drawn = Figure((9, 3.4), layout="constrained")
    left, right = drawn.subplots(1, 2)
    x, y = draw(SHOWN)
    left.plot(x[:, 0], y, ".", ms=3, alpha=0.5, color="#1f6fb2")
    left.set(xlabel="first column of x", ylabel="y", title=f"the data: noise {SHOWN}")
    noises = np.linspace(min(NOISES), max(NOISES), 45)
    truths = [Regression(SINE, Normal(float(noise)), idle=2).mutual_information for noise in noises]
    right.plot(noises, truths, color="#222222", lw=1)
    right.annotate("truth", (noises[4], truths[4]), (8, 4), textcoords="offset points")
    at, value = ([row[name] for row in rows] for name in ("noise", "value"))
    reach = [[row["value"] - row["low"] for row in rows], [row["high"] - row["value"] for row in rows]]
    right.errorbar(at, value, reach, fmt="o", ms=5, lw=1.5, capsize=3, color="#c2571a")
    right.annotate("mi.estimate, 95 % interval", (at[3], value[3]), (12, 12), textcoords="offset points")
    right.set(xlabel="noise", ylabel="I(X;Y), nats", ylim=(0, None), title="the estimates and the truth")
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    return drawn


def main(redraw: bool) -> None:
    """Measure and draw, or only draw what is written down."""
    if redraw:
        with TABLE.open() as file:
            rows = [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(file)]
    else:
        rows = measured()
        with TABLE.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: round(number, 4) for name, number in row.items()} for row in rows)
    figure(rows).savefig(FIGURES / "first-example.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main("--redraw" in sys.argv[1:])
