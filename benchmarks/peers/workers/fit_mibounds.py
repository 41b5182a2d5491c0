"""One fit of a preset of this library, as its own benchmark makes it."""

import numpy as np

# Imports are nobody's seconds, so what a first fit would import comes here.
import scipy.spatial
import scipy.special  # noqa: F401
import sklearn.covariance  # noqa: F401
import torch
import torch._dynamo

import mibounds
import report
from mibounds.benchmark.presets import PRESETS
from mibounds.training.workers import fast_arithmetic


def _preset(name: str) -> report.Fit:
    def fit(x: np.ndarray, y: np.ndarray, seed: int) -> float:
        with fast_arithmetic(torch.device("cpu")):
            result = PRESETS[name](torch.from_numpy(x), torch.from_numpy(y), seed=seed, workers=1)
        return result.to("nats").value

    return fit


if __name__ == "__main__":
    report.main({name: _preset(name) for name in PRESETS}, mibounds.__name__, "torch")
