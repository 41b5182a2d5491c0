"""A short run that checks itself: exits with an error if an estimate is off.

Example: python3 run_test.py
"""

import sys

from demo_gaussian import parser, run

options = "--rho 0.8 --dim 2 --data_size 8000 --epochs 3 --critic_layers 64 64 --critic_lr 2e-3"
failed = False
for regularizer in ("mine", "nwj", "nce"):
    values = run(parser().parse_args([*options.split(), "--regularizer", regularizer, "--no_estimate"]))
    off = values[regularizer] - values["truth"]
    failed |= abs(off) > 0.15
    verdict = "off" if abs(off) > 0.15 else "ok"
    print(f"{regularizer:5s} {values[regularizer]:.3f} nats, truth {values['truth']:.3f}: {verdict}")
sys.exit(failed)
