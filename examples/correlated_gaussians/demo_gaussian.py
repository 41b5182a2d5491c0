"""Estimate the information of correlated Gaussian columns with the original interface, and with `mi.estimate`.

Example: python3 demo_gaussian.py --regularizer mine --rho 0.5 --epochs 2
"""

import argparse
import warnings
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser

import torch

import mibounds as mi
from mibounds.compat import Mi_estimator
from mibounds.tasks import CorrelatedGaussian


def parser() -> ArgumentParser:
    """The options of the original, with its defaults."""
    options = ArgumentParser(
        description=__doc__.split("\n", maxsplit=1)[0], formatter_class=ArgumentDefaultsHelpFormatter
    )
    add = options.add_argument
    add(
        "--regularizer", default="mine", choices=["mine", "nwj", "nce"], help="bound that the original interface trains"
    )
    add("--critic_type", default="joint", choices=["joint", "separable", "separate"], help="form of the critic")
    add("--critic_layers", type=int, nargs="+", default=[256, 256, 256], help="widths of the critic's hidden layers")
    add("--critic_activation", default="relu", help="a torch name")
    add("--critic_lr", type=float, default=1e-4, help="learning rate of the critic")
    add("--negative_samples", type=int, default=1, help="mismatched pairs per row, for mine and nwj")
    add("--ema_decay", type=float, default=0.99, help="decay of MINE's moving average")
    add("--dim", type=int, default=20, help="columns of x and of z")
    add("--rho", type=float, default=0.5, help="correlation of each pair of columns")
    add("--epochs", type=int, default=10, help="passes over the data")
    add("--batch_size", type=int, default=128, help="rows a step")
    add("--data_size", type=int, default=20_000, help="rows in all")
    add("--seed", type=int, default=0, help="the same seed gives the same numbers")
    add("--no_estimate", action="store_true", help="leave out mi.estimate")
    return options


def run(options: argparse.Namespace) -> dict[str, float]:
    """The truth, the original interface's estimate, and mi.estimate's, in nats."""
    task = CorrelatedGaussian(options.dim, options.rho)
    x, z = task.sample(options.data_size, torch.Generator().manual_seed(options.seed))
    estimator = Mi_estimator(
        options.regularizer,
        options.dim,
        options.dim,
        options.batch_size,
        critic_layers=options.critic_layers,
        critic_lr=options.critic_lr,
        critic_activation=options.critic_activation,
        critic_type=options.critic_type,
        ema_decay=options.ema_decay,
        negative_samples=options.negative_samples,
    )
    values = {"truth": task.mutual_information, options.regularizer: estimator.fit(x, z, epochs=options.epochs)}
    if not options.no_estimate:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", mi.MIWarning)
            values["mi.estimate"] = mi.estimate(x, z, seed=options.seed).value
    return values


if __name__ == "__main__":
    for name, value in run(parser().parse_args()).items():
        print(f"{name:12s} {value:8.3f} nats")
