"""A short run that checks itself: 1,500 steps must find most of the 25 modes.

Example: python3 run_test.py
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from demo_gan import parser, run

with TemporaryDirectory() as folder:
    options = parser().parse_args(["--epochs", "4", "--out", str(Path(folder) / "gan.png")])
    modes = run(options, quiet=True).metrics.modes
print("ok" if modes >= 15 else f"only {modes} of 25 modes")
sys.exit(modes < 15)
