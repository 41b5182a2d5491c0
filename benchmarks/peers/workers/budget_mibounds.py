"""One fit of this library with a budget of steps: `reach STEPS` as a person would ask for it, or `CRITIC STEPS` with
the peers' batch and network, in which only the steps are of interest."""

import sys
import warnings

import fit_mibounds  # noqa: F401  (what a first fit would import, before the clock starts)
import numpy as np
import torch

import mibounds as mi
import report

BATCH = 256


def _budget(x: np.ndarray, y: np.ndarray, seed: int) -> float:
    what, steps = sys.argv[1].split()
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    if what == "reach":
        options = {"folds": 2, "hidden": (64, 64), "test_negatives": 128} if int(steps) <= 60 else {"folds": 2}
        return mi.estimate(x, y, steps=int(steps), seed=seed, workers=1, **options).to("nats").value
    torch.manual_seed(seed)
    if what == "separable":
        critic = mi.critics.SeparableCritic(x.shape[1], y.shape[1], hidden=(128, 128), embedding=128, activation="relu")
    else:
        critic = mi.critics.JointCritic(x.shape[1], y.shape[1], hidden=(16, 8), activation="relu")
    trainer = mi.Trainer(
        steps=int(steps), batch_size=BATCH, folds=2, seed=seed, workers=1, check_every=10**6, test_negatives=64
    )
    return trainer.fit(mi.MIEstimator(critic, mi.bounds.InfoNCE()), x, y).value


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    report.main({sys.argv[1]: _budget}, mi.__name__, "torch")
