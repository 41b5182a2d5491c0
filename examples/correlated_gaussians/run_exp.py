"""The experiment: estimates over a range of correlations, drawn into plots/. `--full` makes the figure of the README.

Example: python3 run_exp.py
"""

import sys

from mibounds.cli.main import app

app(["demo", "gaussians", "--out", "plots/gaussians.png", *sys.argv[1:]])
