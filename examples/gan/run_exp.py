"""The experiment: GANs that differ in the weight of the information term only, side by side; pictures go into plots/.

Example: python3 run_exp.py --data spirals --beta 0 1
"""

from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from dataclasses import replace
from pathlib import Path

from tqdm.auto import tqdm

from mibounds.demos.gan import CHECKS, Outcome, Recipe, draw, table, train
from mibounds.demos.targets import gaussians, spirals


def parser() -> ArgumentParser:
    """The options."""
    options = ArgumentParser(
        description=__doc__.split("\n", maxsplit=1)[0], formatter_class=ArgumentDefaultsHelpFormatter
    )
    add = options.add_argument
    add("--data", nargs="+", default=["gaussians", "spirals"], choices=["gaussians", "spirals"], help="what to imitate")
    add("--beta", nargs="+", type=float, default=[0.0, 0.3, 1.0], help="weights of the term; 0 is the plain GAN")
    add("--regularizer", default="mine", choices=["mine", "nwj", "dv", "nce"], help="bound of the information term")
    add("--steps", type=int, default=Recipe().steps, help="generator steps of each run")
    add("--seed", type=int, default=0, help="the same seed gives the same run")
    add("--out", type=Path, default=Path("plots"), help="a folder for each kind of data is made here")
    return options


def main() -> None:
    """Train, draw and print."""
    options = parser().parse_args()
    recipe = Recipe(steps=options.steps, regularizer=options.regularizer)
    with tqdm(total=CHECKS * len(options.data) * len(options.beta)) as bar:
        for data in options.data:
            target = {"gaussians": gaussians, "spirals": spirals}[data](seed=options.seed)
            outcomes: dict[str, Outcome] = {}
            for beta in options.beta:
                bar.set_description(f"{data}, beta {beta:g}")
                variant = replace(recipe, beta=beta)
                outcomes[f"beta {beta:g}"] = train(variant, target, options.seed, lambda *_: bar.update())
            draw(outcomes, target, options.out / data / "gan.png")
            bar.write(f"{data}\n{table(outcomes, target)}\n")


if __name__ == "__main__":
    main()
