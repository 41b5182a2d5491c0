"""One fit of torch-mist with a budget of steps, as in budget_mibounds.py; runs in its environment."""

import sys

import numpy as np
from fit_torch_mist import seeded
from torch_mist import estimate_mi

import report

BATCH = 256
NETWORKS = {"separable": [128, 128, 128], "joint": [16, 8]}


def _budget(x: np.ndarray, y: np.ndarray, seed: int) -> float:
    what, steps = sys.argv[1].split()
    seeded(seed)
    if what == "reach":
        value, _log = estimate_mi(data=(x, y), max_iterations=int(steps), verbose=False)
        return float(value)
    estimate_mi(
        data=(x, y), estimator="infonce", critic_type=what, hidden_dims=NETWORKS[what], neg_samples=0,
        batch_size=BATCH, max_iterations=int(steps), early_stopping=False, test_data=False, verbose=False,
    )  # fmt: skip
    return 0.0


if __name__ == "__main__":
    report.main({sys.argv[1]: _budget}, "torch-mist", "torch")
