"""The experiment: the plain GAN and the regularized one side by side, drawn into plots/.

Example: python3 run_exp.py
"""

import sys

from mibounds.cli.main import app

app(["demo", "gan", "--out", "plots/gan.png", *sys.argv[1:]])
