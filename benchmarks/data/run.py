"""Estimates of data that are no plain numbers, beside their known information: raw results in results.jsonl.

python benchmarks/data/run.py                      # all, about 90 minutes of one core; continues an interrupted run
python benchmarks/data/run.py --only table digits  # these alone
"""

import argparse
import itertools
import math
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits

import mibounds as mi
from mibounds.benchmark.records import append_line, read_lines
from mibounds.tasks import CorrelatedGaussian, HiddenState, Transformed
from mibounds.tasks.discrete import JointTable, symmetric_channel
from mibounds.tasks.images import blob
from mibounds.tasks.maps import NORMAL_CDF

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
FLIPS = (0.0, 0.1, 0.3, 0.5, 0.7)
CITIES = ("Bonn", "Graz", "Ulm", "Wien")


class Case(NamedTuple):
    """Its name, its truth in nats, what estimates it for a seed, and how many seeds there are."""

    name: str
    truth: float
    measure: Callable[[int], Any]
    seeds: int = 1


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
    """Two images of blobs whose centers, two uniform coordinates each, have this mutual information in nats."""
    centers = Transformed(CorrelatedGaussian.with_information(2, information), NORMAL_CDF, NORMAL_CDF)
    return Transformed(centers, blob(16), blob(16))


def ragged(task: HiddenState, n: int, seed: int) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Records of 50 to T steps, each with the state at its end; they begin in the middle of a longer one."""
    generator = torch.Generator().manual_seed(seed)
    x, y = task.sample(n, generator)
    lengths = torch.randint(50, task.steps + 1, (n,), generator=generator)
    return [record[-length:] for record, length in zip(x, lengths.tolist(), strict=True)], y


def spread(dim: int, n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A column u along a direction a ~ N(0, 1), unit noise in every coordinate; I(U;V) is one bit."""
    g = torch.Generator().manual_seed(seed)
    u, v = one_bit(n, g)
    return u * torch.randn(1, dim, generator=g) + torch.randn(n, dim, generator=g), v


def hidden(dim: int, n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A column u among dim - 1 others of unit variance, turned at random."""
    g = torch.Generator().manual_seed(seed)
    u, v = one_bit(n, g)
    turn = torch.linalg.qr(torch.randn(dim, dim, generator=g)).Q
    return torch.cat([u, torch.randn(n, dim - 1, generator=g)], 1) @ turn.T, v


def one_bit(n: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Two normal columns with a mutual information of one bit."""
    u, v = CorrelatedGaussian.with_information(1, math.log(2)).sample(n, generator)
    return u, v


def explained(dim: int, n: int, seed: int) -> tuple[torch.Tensor, ...]:
    """Columns x and y with a common cause z of `dim` columns, and a correlation of 0.7 beyond it."""
    g = torch.Generator().manual_seed(seed)
    z, noise = torch.randn(n, dim, generator=g), torch.randn(n, 2, generator=g)
    slopes = torch.nn.functional.normalize(torch.randn(dim, 2, generator=g), dim=0)
    beyond = torch.stack([noise[:, 0], 0.7 * noise[:, 0] + math.sqrt(0.51) * noise[:, 1]], 1)
    x, y = (z @ slopes + beyond).T[:, :, None]
    return x, y, z


def common(effect: bool, n: int, seed: int) -> tuple[torch.Tensor, ...]:
    """Independent x and y with a common effect z, their noisy sum; or a chain x, z, y."""
    a, b, c = torch.randn(3, n, 1, generator=torch.Generator().manual_seed(seed))
    return (a, b, a + b + 0.5 * c) if effect else (a, a + b + c, a + b)


def cases() -> Iterator[Case]:
    """All that is measured."""
    many = table(1_000_000, 99)[2]
    yield Case("table", float(many.mean()), lambda seed: mi.estimate(*table(10_000, seed)[:2], seed=seed))
    for flip in FLIPS:
        yield Case(f"digits, flip {flip}", channel_truth(flip), partial(_estimate, digits, flip))
    for information in (1.0, 3.0, 5.0):
        task = blobs(information)
        yield Case(f"blobs, {information} nats", task.mutual_information, partial(_estimate, sample, task, 20_000))
    chain = HiddenState(200, 0.9, 0.5)
    yield Case("sequences", chain.mutual_information, partial(_estimate, sample, chain, 10_000))
    yield Case("ragged", chain.mutual_information, partial(_estimate, ragged, chain, 10_000))
    for dim, n in itertools.product((50, 500), (4_000, 10_000)):
        # All coordinates together are u with a noise of variance 1/|a|², about 1/dim.
        yield Case(f"spread, {dim}, {n}", -math.log(1 - 0.75 / (1 + 1 / dim)) / 2, partial(_estimate, spread, dim, n))
        yield Case(f"hidden, {dim}, {n}", math.log(2), partial(_estimate, hidden, dim, n))
    for dim in (1, 5, 20):
        truth = -math.log(1 - 0.7**2) / 2
        yield Case(f"conditional, {dim}", truth, partial(_conditional, explained, dim, 10_000), 5)
    both = math.log(1.25**2 / (1.25**2 - 1)) / 2  # the correlation of a and b given their sum is -1/1.25
    yield Case("collider", both, partial(_conditional, common, True, 10_000))
    yield Case("chain", 0.0, partial(_conditional, common, False, 10_000))


def _estimate(draw: Callable[..., Any], *options: Any) -> Any:
    return mi.estimate(*draw(*options), seed=options[-1])


def _conditional(draw: Callable[..., Any], *options: Any) -> Any:
    return mi.conditional(*draw(*options), seed=options[-1])


def sample(task: mi.tasks.Task, n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of a task."""
    return task.sample(n, torch.Generator().manual_seed(seed))


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", help="cases whose names begin so")
    options = parser.parse_args()
    done = {(record["case"], record["seed"]) for record in read_lines(RESULTS)}
    for case in cases():
        for seed in range(case.seeds):
            wanted = options.only is None or any(case.name.startswith(one) for one in options.only)
            if not wanted or (case.name, seed) in done:
                continue
            start = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", mi.MIWarning)
                result = case.measure(seed)
            record = {
                "case": case.name, "seed": seed, "truth": case.truth, "value": result.value, "stderr": result.stderr,
                "interval": result.interval, "warnings": [w.code for w in result.warnings],
                "cpu_seconds": round(time.process_time() - start, 1),
            }  # fmt: skip
            append_line(RESULTS, record)
            print(f"{case.name} {seed}: {result.value:.3f} of {case.truth:.3f}, {record['cpu_seconds']} s", flush=True)


if __name__ == "__main__":
    main()
