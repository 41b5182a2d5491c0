"""One column a side, eight families at 0.5 to 5 nats, 5,000 samples: results.jsonl and the table of README.md.

python benchmarks/one_column/run.py             # seed 0; continues an interrupted run
python benchmarks/one_column/run.py --seed 1

Each family is known in closed form or by an integral, and its parameter is solved for the information. The default
estimate stands beside `mi.classical.ksg` of normal scores, and beside `mi.classical.mixed_ksg` where values are tied.
"""

import argparse
import math
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, median

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import optimize, special, stats

import mibounds as mi
from mibounds._version import versions
from mibounds.benchmark.records import append_line, read_lines

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
N = 5_000
NATS = 0.5, 1.0, 2.0, 3.5, 5.0
LEFT_OUT = {("every second sample correlated", 5.0)}  # its correlation would differ from 1 by less than 1e-9
Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]
Draw = Callable[[float, np.random.Generator], Pair]


def correlation(nats: float) -> float:
    """Of two normal columns that share this information."""
    return math.sqrt(1 - math.exp(-2 * nats))


def normal(nats: float, rng: np.random.Generator) -> Pair:
    """Correlated normal columns: -ln(1 - r²)/2."""
    r = correlation(nats)
    x, noise = rng.normal(size=(2, N))
    return x, r * x + math.sqrt(1 - r * r) * noise


def uniform_margins(nats: float, rng: np.random.Generator) -> Pair:
    """The same columns as probabilities."""
    x, y = normal(nats, rng)
    return stats.norm.cdf(x), stats.norm.cdf(y)


def uniform_noise(nats: float, rng: np.random.Generator) -> Pair:
    """X uniform on (0, 1), Y = X + U(-e, e): e - ln 2e for e <= 1/2, else 1/(4e)."""
    e = 1 / (4 * nats) if nats <= 0.5 else optimize.brentq(lambda e: e - math.log(2 * e) - nats, 1e-6, 0.5)
    x = rng.random(N)
    return x, x + rng.uniform(-e, e, N)


def gamma_exponential(nats: float, rng: np.random.Generator) -> Pair:
    """Logarithms of X, gamma of shape a, and of Y, exponential of rate X: digamma(a + 1) - ln a."""
    a = optimize.brentq(lambda a: special.digamma(a + 1) - math.log(a) - nats, 1e-6, 1e3)
    x = np.log(rng.gamma(a + 1, size=N)) + np.log(rng.random(N)) / a
    return x, np.log(rng.exponential(size=N)) - x


def student(nats: float, rng: np.random.Generator) -> Pair:
    """Bivariate Student with one degree of freedom: -ln(1 - r²)/2 + 0.2242."""
    tails = math.log(8 * math.pi) - 3  # I of the uncorrelated one: 2 h(t_1) - h(bivariate t_1)
    r = math.sqrt(1 - math.exp(-2 * (nats - tails)))
    x, noise = rng.normal(size=(2, N))
    scale = np.abs(rng.normal(size=N))
    return x / scale, (r * x + math.sqrt(1 - r * r) * noise) / scale


def classes(nats: float) -> Floats:
    """Probabilities of the fewest classes with this entropy: equal ones and a smaller one."""
    count = math.ceil(math.exp(nats) - 1e-9)

    def entropy(p: float) -> float:
        return float(stats.entropy([*[(1 - p) / (count - 1)] * (count - 1), p]))

    p = optimize.brentq(lambda p: entropy(p) - nats, 1e-12, 1 / count) if entropy(1 / count) > nats else 1 / count
    return np.array([*[(1 - p) / (count - 1)] * (count - 1), p])


def quantized(nats: float, rng: np.random.Generator) -> Pair:
    """A normal column and the number of its interval: the entropy of that number."""
    y = rng.normal(size=N)
    return np.searchsorted(classes(nats).cumsum()[:-1], stats.norm.cdf(y)).astype(float), y


def steps(nats: float, rng: np.random.Generator) -> Pair:
    """A whole number, and the same plus noise that does not overlap: the entropy of the number."""
    p = classes(nats)
    x = rng.choice(len(p), N, p=p).astype(float)
    return x, x + rng.uniform(-0.5, 0.5, N)


def half_copied(nats: float, rng: np.random.Generator) -> Pair:
    """Normal columns, correlated in every second sample and independent in the others."""
    r = optimize.brentq(lambda r: half_copied_nats(r) - nats, 0.3, 1 - 1e-9)
    x, noise = rng.normal(size=(2, N))
    return x, np.where(rng.random(N) < 0.5, r * x + math.sqrt(1 - r * r) * noise, noise)


def half_copied_nats(r: float) -> float:
    """The integral of q ln q, q = (1 + c) / 2 with the density c of the normal copula, along the line y = r x + s t."""
    s = math.sqrt(1 - r * r)
    x, x_weights = np.polynomial.hermite_e.hermegauss(100)
    t, step = np.linspace(-30, 30, 6_001, retstep=True)
    y = r * x[:, None] + s * t
    log_copula = stats.norm.logpdf(t) - math.log(s) - stats.norm.logpdf(y)
    correlated = stats.norm.pdf(t) * (np.logaddexp(log_copula, 0) - math.log(2))
    independent = s * stats.norm.pdf(y) * np.logaddexp(log_copula, 0)
    inner = (correlated + independent).sum(1) * step - math.log(2)
    return float(x_weights @ inner / x_weights.sum() / 2)


FAMILIES: dict[str, Draw] = {
    "normal": normal,
    "normal copula, uniform margins": uniform_margins,
    "uniform noise": uniform_noise,
    "gamma and exponential, logarithms": gamma_exponential,
    "Student, one degree of freedom": student,
    "quantized normal": quantized,
    "whole number and noise": steps,
    "every second sample correlated": half_copied,
}


def normal_scores(values: Floats) -> Floats:
    """Ranks as quantiles of the normal distribution: whole numbers have tied distances, which are too few neighbors."""
    return stats.norm.ppf((stats.rankdata(values) - 0.5) / len(values))


def one(name: str, nats: float, seed: int) -> dict:
    """An estimate beside nearest neighbors."""
    x, y = FAMILIES[name](nats, np.random.default_rng([seed, round(10 * nats), len(name)]))
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = mi.estimate(x, y, workers=1)
    seconds = time.process_time() - began
    tied = len(np.unique(x)) < len(x) / 2
    neighbors = mi.classical.mixed_ksg(x, y) if tied else mi.classical.ksg(*map(normal_scores, (x, y)))
    return {
        "family": name, "nats": nats, "seed": seed, "value": round(r.value, 4), "low": round(r.interval[0], 4),
        "high": round(r.interval[1], 4), "neighbors": round(neighbors, 4), "method": r.method,
        "warnings": [one.code for one in r.warnings], "processor_seconds": round(seconds, 1), **versions(),
    }  # fmt: skip


def cell(record: dict | None) -> str:
    """The value, and nearest neighbors in brackets; nothing of a case that was not run."""
    if record is None:
        return ""
    missed = "" if record["low"] <= record["nats"] <= record["high"] else " missed"
    return f"{record['value']:.3f} ({record['neighbors']:.3f}){missed}"


def table(found: list[dict]) -> str:
    """A line for each family, value and nearest neighbors at each information, and what they have in common."""
    lines = [f"| family | {' | '.join(f'{nats:g} nats' for nats in NATS)} |", f"|---|{'--:|' * len(NATS)}"]
    by_case = {(r["family"], r["nats"]): r for r in found}
    for name in FAMILIES:
        cells = [cell(by_case.get((name, nats))) for nats in NATS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    held = sum(r["low"] <= r["nats"] <= r["high"] for r in found)
    lines.append(
        f"\nMean error {fmean(abs(r['value'] - r['nats']) for r in found):.3f} nats, of nearest neighbors "
        f"{fmean(abs(r['neighbors'] - r['nats']) for r in found):.3f}; {held} of {len(found)} intervals hold; "
        f"{median(r['processor_seconds'] for r in found):.1f} processor seconds in the median."
    )
    return "\n".join(lines)


def main() -> None:
    """Run what is missing and print the table."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--seed", type=int, default=0, help="of the samples")
    seed = options.parse_args().seed
    torch.set_num_threads(1)
    done = {(r["family"], r["nats"], r["seed"]) for r in read_lines(RESULTS)}
    for name in FAMILIES:
        for nats in NATS:
            if (name, nats, seed) not in done and (name, nats) not in LEFT_OUT:
                record = one(name, nats, seed)
                append_line(RESULTS, record)
                print(record, flush=True)
    print(table([r for r in read_lines(RESULTS) if r["seed"] == seed]))


if __name__ == "__main__":
    main()
