"""Estimates of data that are no plain numbers, beside their known information: raw results in results.jsonl.

python benchmarks/data/run.py                      # everything, some 40 minutes of one core; goes on where it stopped
python benchmarks/data/run.py --only table digits  # these alone
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits

import mibounds as mi
from mibounds.tasks import CorrelatedGaussian, HiddenState, Transformed
from mibounds.tasks.discrete import JointTable, symmetric_channel
from mibounds.tasks.images import blob
from mibounds.tasks.maps import NORMAL_CDF

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
FLIPS = (0.0, 0.1, 0.3, 0.5, 0.7)
CITIES = ("Bonn", "Graz", "Ulm", "Wien")

Case = tuple[str, float, Callable[[int], Any]]


def table(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """A trait y and six columns that are independent given it: three numbers, two categories, one boolean; and ln
    p(x|y)/p(x) of each row, p(x) by quadrature over y."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n)
    tilts = {"city": np.array([-1.0, -0.2, 0.4, 1.2]), "plan": np.array([0.0, 1.0, -1.0])}
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    given, over = np.zeros(n), np.zeros((n, len(nodes)))
    columns: dict[str, Any] = {}
    for name, slope in (("a", 0.8), ("b", -0.5), ("c", 0.0)):
        columns[name] = slope * y + rng.normal(size=n)
        given += -((columns[name] - slope * y) ** 2) / 2
        over += -((columns[name][:, None] - slope * nodes) ** 2) / 2
    for name, tilt in tilts.items():
        codes = (log_softmax(y[:, None] * tilt) + rng.gumbel(size=(n, len(tilt)))).argmax(1)
        given += log_softmax(y[:, None] * tilt)[np.arange(n), codes]
        over += log_softmax(nodes[:, None] * tilt).T[codes]
        columns[name] = np.array(CITIES)[codes] if name == "city" else codes
    columns["member"] = rng.random(n) < 1 / (1 + np.exp(-1.5 * y))
    sign = np.where(columns["member"], 1.5, -1.5)
    given += -np.log1p(np.exp(-sign * y))
    over += -np.log1p(np.exp(-sign[:, None] * nodes))
    marginal = np.log((np.exp(over) * weights).sum(1) / weights.sum())
    return pd.DataFrame(columns), y, given - marginal


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    return np.asarray(scores - np.log(np.exp(scores).sum(-1, keepdims=True)))


def digits(flip: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Each of scikit-learn's digits once, and its label through a symmetric channel."""
    data = load_digits()
    given = symmetric_channel(10, flip)[torch.from_numpy(data.target).long()]
    return data.images, torch.multinomial(given, 1, generator=torch.Generator().manual_seed(seed))[:, 0].numpy()


def channel_truth(flip: float) -> float:
    """I(label; label through the channel), classes as frequent as in the data: that of the images is no larger."""
    frequencies = torch.bincount(torch.from_numpy(load_digits().target), minlength=10).double()
    return JointTable(frequencies[:, None] / frequencies.sum() * symmetric_channel(10, flip)).mutual_information


def blobs(information: float) -> mi.tasks.Task:
    """Two images of blobs whose centers, two uniform coordinates each, share that many nats."""
    return Transformed(
        CorrelatedGaussian.with_information(2, information), (NORMAL_CDF, blob(16)), (NORMAL_CDF, blob(16))
    )


def ragged(task: HiddenState, n: int, seed: int) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Records of 50 to T steps, each with the state at its end; they begin in the middle of a longer one."""
    generator = torch.Generator().manual_seed(seed)
    x, y = task.sample(n, generator)
    lengths = torch.randint(50, task.steps + 1, (n,), generator=generator)
    return [record[-length:] for record, length in zip(x, lengths.tolist(), strict=True)], y


def cases() -> Iterator[Case]:
    """Name, truth in nats, and what estimates it for a seed."""
    many = table(1_000_000, 99)[2]
    yield "table", float(many.mean()), lambda seed: mi.estimate(*table(10_000, seed)[:2], seed=seed)
    for flip in FLIPS:
        yield (
            f"digits, flip {flip}",
            channel_truth(flip),
            lambda seed, flip=flip: mi.estimate(*digits(flip, seed), seed=seed),  # type: ignore[misc]
        )
    for information in (1.0, 3.0, 5.0):
        task = blobs(information)
        yield (
            f"blobs, {information} nats",
            task.mutual_information,
            lambda seed, task=task: mi.estimate(*sample(task, 20_000, seed), seed=seed),  # type: ignore[misc]
        )
    chain = HiddenState(200, 0.9, 0.5)
    yield "sequences", chain.mutual_information, lambda seed: mi.estimate(*sample(chain, 10_000, seed), seed=seed)
    yield "ragged", chain.mutual_information, lambda seed: mi.estimate(*ragged(chain, 10_000, seed), seed=seed)


def sample(task: mi.tasks.Task, n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of a task."""
    return task.sample(n, torch.Generator().manual_seed(seed))


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", help="cases whose names begin so")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    done = set()
    if RESULTS.exists():
        done = {(r["case"], r["seed"]) for r in map(json.loads, RESULTS.read_text().splitlines())}
    for name, truth, measure in cases():
        for seed in range(options.seeds):
            wanted = options.only is None or any(name.startswith(one) for one in options.only)
            if not wanted or (name, seed) in done:
                continue
            start = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", mi.MIWarning)
                result = measure(seed)
            record = {
                "case": name, "seed": seed, "truth": truth, "value": result.value, "stderr": result.stderr,
                "interval": result.interval, "reading": result.reading, "kinds": result.kinds,
                "warnings": [w.code for w in result.warnings], "cpu_seconds": round(time.process_time() - start, 1),
            }  # fmt: skip
            with RESULTS.open("a") as file:
                file.write(json.dumps(record) + "\n")
            print(f"{name} {seed}: {result.value:.3f} of {truth:.3f}, {record['cpu_seconds']} s", flush=True)


if __name__ == "__main__":
    main()
