"""Train one GAN with an information term, with the original's options; metrics and picture go into plots/.

Example: python3 demo_gan.py --beta 1 --epochs 10
"""

from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from tqdm.auto import tqdm

from mibounds.demos.gan import CHECKS, PAPER, RECIPES, Outcome, Recipe, draw, table, train
from mibounds.demos.targets import Metrics, gaussians, spirals


def parser() -> ArgumentParser:
    """The options of the original; what is not given is the recipe's."""
    ours = Recipe()
    options = ArgumentParser(
        description=__doc__.split("\n", maxsplit=1)[0], formatter_class=ArgumentDefaultsHelpFormatter
    )
    add = options.add_argument
    add("--data", default="gaussians", choices=["gaussians", "spirals"], help="what to imitate")
    add("--paper", action="store_true", help="start from the original recipe; the other options still count if given")
    add(
        "--regularizer",
        choices=["none", "mine", "nwj", "dv", "nce"],
        help=f"bound of the information term ({ours.regularizer})",
    )
    add("--critic_type", choices=["joint", "separable"], help=f"form of the critic ({ours.critic_type})")
    add("--critic_layers", type=int, nargs="+", help=f"widths of its hidden layers ({ours.critic_layers})")
    add("--critic_activation", help=f"a torch name ({ours.critic_activation})")
    add("--critic_lr", type=float, help=f"its learning rate ({ours.critic_lr})")
    add("--negative_samples", type=int, help="mismatched pairs per row (1; nce: 8, or all if separable)")
    add("--ema_decay", type=float, help=f"decay of MINE's moving average ({ours.ema_decay})")
    betas = ", ".join(f"{own.beta:g} for {data}" for data, own in RECIPES.items())
    add("--beta", type=float, help=f"weight of the information term ({betas})")
    add("--unroll_critic", type=int, help=f"critic steps for each generator step ({ours.unroll_critic})")
    add("--scheduling", choices=["constant", "half", "cosine", "late"], help=f"how beta goes to 0 ({ours.scheduling})")
    add("--gen_lr", type=float, help=f"learning rate of the generator ({ours.gen_lr})")
    add("--disc_lr", type=float, help=f"learning rate of the discriminator ({ours.disc_lr})")
    add("--gradient_penalty", type=float, help=f"weight of the gradient penalty at first ({ours.gradient_penalty})")
    add("--penalty_end", type=float, help=f"and at the end ({ours.penalty_end})")
    add("--instance_noise", type=float, help=f"noise on the discriminator's rows at first ({ours.instance_noise})")
    add("--features", type=int, help=f"Fourier features of the discriminator ({ours.features})")
    add("--frequency", type=float, help=f"radians per unit of length of the fastest ({ours.frequency})")
    add("--code", type=int, help=f"columns of the code ({ours.code})")
    add("--bits", type=int, choices=[0, 1], help=f"the code is of signs, not uniform ({int(ours.bits)})")
    add("--noise", type=int, help=f"further columns of the generator's input ({ours.noise})")
    add("--batch_norm", type=int, choices=[0, 1], help=f"batch normalization in the generator ({int(ours.batch_norm)})")
    add("--epochs", type=int, help="passes over the data; by default those that make the recipe's steps")
    add("--batch_size", type=int, help=f"rows a step ({ours.batch_size})")
    add("--data_size", type=int, default=100_000, help="rows of the data")
    add("--data_noise", type=float, default=0.05, help="spread around the modes")
    add("--seed", type=int, default=0, help="the same seed gives the same run")
    add("--out", type=Path, default=Path("plots/gan.png"), help="the picture; metrics.csv goes beside it")
    return options


def recipe(options: Namespace) -> Recipe:
    """The recipe that the options mean."""
    chosen = PAPER if options.paper else RECIPES[options.data]
    given = {name: value for name, value in vars(options).items() if value is not None}
    if given.get("regularizer") == "none":
        given = {**given, "regularizer": chosen.regularizer, "beta": 0.0}
    for switch in {"batch_norm", "bits"} & given.keys():
        given[switch] = bool(given[switch])
    chosen = replace(chosen, **{name: value for name, value in given.items() if name in Recipe.__dataclass_fields__})
    if "epochs" in given:
        chosen = replace(chosen, steps=max(1, given["epochs"] * options.data_size // chosen.batch_size))
    return chosen


def run(options: Namespace, quiet: bool = False) -> Outcome:
    """Train, draw and print."""
    target = {"gaussians": gaussians, "spirals": spirals}[options.data](
        options.data_size, options.data_noise, options.seed
    )
    with tqdm(total=CHECKS, disable=quiet) as bar:

        def done(step: int, metrics: Metrics) -> None:
            bar.set_description(f"step {step:,}: {metrics.modes} modes, {metrics.high_quality:.0%} high quality")
            bar.update()

        outcome = train(recipe(options), target, options.seed, done)
    outcomes = {"generated": outcome}
    draw(outcomes, target, options.out)
    print(table(outcomes, target))
    return outcome


if __name__ == "__main__":
    run(parser().parse_args())
