"""One fit of benchmark-mi with a budget of steps, as in budget_mibounds.py; runs in its environment. Its critic is a
joint one, its own default of (16, 8) hidden units."""

import sys

import numpy as np
from bmi.estimators import InfoNCEEstimator

import report

BATCH = 256


def _budget(x: np.ndarray, y: np.ndarray, seed: int) -> float:
    what, steps = sys.argv[1].split()
    # Its validation comes with every so many steps; where only steps are of interest there is none.
    every = 250 if what == "reach" else int(steps) + 1
    estimator = InfoNCEEstimator(
        max_n_steps=int(steps), batch_size=BATCH, test_every_n_steps=min(every, int(steps)), seed=seed, verbose=False
    )
    return estimator.estimate(x, y)


if __name__ == "__main__":
    report.main({sys.argv[1]: _budget}, "benchmark-mi", "jax", "jaxlib")
