"""The figure of warnings in docs/read-a-result.md, from the tasks of run.py.

python benchmarks/diagnostics/figures.py        # one to five minutes
"""

import warnings
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from run import composed, estimate, fine, gaussian, growing, walks

import mibounds as mi

FIGURES = Path(__file__).parents[2] / "docs" / "figures"
INK, BLUE, RED, GREY = "#1c2127", "#1a66a8", "#d55e00", "#8b939b"


def generator() -> torch.Generator:
    """That of the triggers."""
    return torch.Generator().manual_seed(0)


def serial(ax: Axes) -> None:
    """Two independent series, by random and by blocked folds."""
    x, y = walks(generator())
    found = {"random": estimate()(x, y, 0), "blocked": estimate(split="blocked", folds=5)(x, y, 0)}
    print({name: (result.value, result.stderr) for name, result in found.items()})
    for i, (name, result) in enumerate(found.items()):
        color = RED if name == "random" else BLUE
        ax.errorbar(result.value, i, xerr=1.96 * result.stderr, fmt="o", color=color, ms=7)
    ax.axvline(0, color=INK, lw=1)
    ax.set_yticks([0, 1], ["random\nfolds", "blocked\nfolds"])
    ax.set_ylim(-0.6, 1.6)
    ax.set_xlabel("value and 1.96 standard errors, nats; the truth is 0")
    ax.set_title("serial-correlation: two unrelated series", loc="left")


def young(ax: Axes) -> None:
    """Learning curves that were cut off, and that were not."""
    x, y = gaussian(5, 2, 2_000)(generator())
    bound = mi.bounds.InfoNCE()
    for steps, color in ((40, RED), (400, BLUE)):
        result = composed(bound, steps=steps, check_every=10)(x, y, 0)
        for i, curve in enumerate(result.curves):
            label = f"{steps} steps: {result.value:.2f} nats" if not i else None
            best = curve.validation_loss[curve.steps.index(curve.best_step)]
            ax.plot(curve.steps, curve.validation_loss, color=color, lw=1.5, label=label)
            ax.plot(curve.best_step, best, "o", color=color, ms=5)
    ax.axhline(-2, color=INK, lw=1, ls=":")
    ax.set_xlabel("training step; the dotted line is minus the truth")
    ax.set_ylabel("validation loss, nats")
    ax.legend(frameon=False)
    ax.set_title("not-converged: still falling at the end", loc="left")


def spread(ax: Axes) -> None:
    """The estimate of each block of a table whose distribution changes."""
    result = estimate(split="blocked", folds=5)(*growing(generator()), 0)
    ax.plot(range(1, 6), result.fold_values, "o-", color=RED, lw=1)
    ax.axhline(result.value, color=BLUE, lw=1)
    ax.axhspan(result.value - result.stderr, result.value + result.stderr, color=BLUE, alpha=0.12, lw=0)
    ax.set_xticks(range(1, 6))
    ax.set_xlabel("fold, in the order of the table; the band is one standard error")
    ax.set_ylabel("nats")
    ax.set_title("fold-spread: the rows change over the table", loc="left")


def check(ax: Axes) -> None:
    """A dependence that nearest neighbors find and a short training does not."""
    x, y = fine(generator())
    result = estimate(split="blocked", folds=5)(x, y, 0)
    ax.plot(x, y, ".", color=GREY, ms=2)
    ax.set_xlabel("x")
    ax.set_ylabel("y")
    ax.set_title(
        f"cross-check: critics {result.value:.2f}, neighbors {result.cross_checks['KSG']:.2f} nats", loc="left"
    )


def main() -> None:
    """Draw the four."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", mi.MIWarning)
    figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
    for ax, draw in zip(axes.flat, (serial, young, spread, check), strict=True):
        draw(ax)
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(FIGURES / "diagnostics.png", dpi=110)


if __name__ == "__main__":
    main()
