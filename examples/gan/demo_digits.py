"""Stacked digits, 1,000 modes: train one GAN and count its modes; a picture of samples goes into plots/.

Example: python3 demo_digits.py --regularizer none
"""

from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
from torch import Tensor
from tqdm.auto import tqdm

from mibounds.demos.stacked_digits import DigitsRecipe, classifier, train


def parser() -> ArgumentParser:
    """The options."""
    ours = DigitsRecipe()
    options = ArgumentParser(
        description=__doc__.split("\n", maxsplit=1)[0], formatter_class=ArgumentDefaultsHelpFormatter
    )
    add = options.add_argument
    add(
        "--regularizer",
        default=ours.regularizer,
        choices=["none", "mine", "nwj", "dv", "nce"],
        help="bound of the information term",
    )
    add("--beta", type=float, default=ours.beta, help="weight of the information term")
    add("--steps", type=int, default=ours.steps, help="generator steps")
    add("--batch_size", type=int, default=ours.batch_size, help="rows a step")
    add("--gen_lr", type=float, default=ours.gen_lr, help="learning rate of the generator")
    add("--disc_lr", type=float, default=ours.disc_lr, help="learning rate of the discriminator")
    add("--critic_lr", type=float, default=ours.critic_lr, help="learning rate of the critic")
    add("--seed", type=int, default=0, help="the same seed gives the same run")
    add("--out", type=Path, default=Path("plots/digits.png"), help="the picture")
    return options


def picture(samples: Tensor, path: Path) -> None:
    """The first 40 samples, in color: one digit in red, one in green, one in blue."""
    figure, axes = plt.subplots(4, 10, figsize=(7, 2.9), layout="constrained")
    for axis, image in zip(axes.flat, samples, strict=False):
        axis.imshow(((image + 1) / 2).clamp(0, 1).permute(1, 2, 0).numpy(), interpolation="nearest")
        axis.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Train, draw and print."""
    options = vars(parser().parse_args())
    seed, out = options.pop("seed"), options.pop("out")
    if options["regularizer"] == "none":
        options |= {"regularizer": DigitsRecipe().regularizer, "beta": 0.0}
    recipe = replace(DigitsRecipe(), **options)
    with tqdm(total=recipe.steps) as bar:
        outcome = train(recipe, seed, lambda step: bar.update())
    picture(outcome.samples, out)
    print(
        f"{outcome.coverage.modes} of 1,000 modes, KL to uniform {outcome.coverage.kl:.3f} nats, "
        f"{outcome.seconds:.0f} s; the classifier's accuracy is {classifier().accuracy:.1%}"
    )


if __name__ == "__main__":
    main()
