"""Two-sample tests of our samples against benchmark-mi's own; runs in its environment.

Compared are

* each column's distribution (Kolmogorov and Smirnov) as it was drawn: the half-cube's density is infinite at 0, where
  the test would see the small errors of two sample means if columns were standardized before;
* of standardized columns, the mean magnitude |c|;
* each pair's correlation, of columns and of their magnitudes: what Student's t and the spirals share is in these.

Where moments do not exist (Student's t as it is) a column is replaced by its ranks in both samples together before it
is standardized, so that correlations become Spearman's. Correlations are compared in standard errors, which come from
the influence of each row and so hold for any law.
"""

import json
import sys
from pathlib import Path

import numpy as np
from bmi.benchmark import BENCHMARK_TASKS
from scipy import stats


def _ranked(ours: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ranks = stats.zscore(stats.rankdata(np.concatenate([ours, theirs]), axis=0))
    return ranks[: len(ours)], ranks[len(ours) :]


def _correlations(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlation of each pair of columns and its squared standard error."""
    u = stats.zscore(columns)
    n = len(u)
    r = u.T @ u / n
    # The influence of a row is u v - r (u^2 + v^2)/2.
    squares, cubes = (u**2).T @ u**2 / n, (u**3).T @ u / n
    fourth = (u**4).mean(0)
    sums = fourth[:, None] + fourth + 2 * squares
    variance = squares - r * (cubes + cubes.T) + r**2 * sums / 4
    pairs = np.triu_indices(len(r), 1)
    return r[pairs], variance[pairs] / n


def _deviations(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Differences of correlations in standard errors."""
    (r, variance), (s, other) = _correlations(ours), _correlations(theirs)
    return (r - s) / np.sqrt(variance + other)


def _mean_deviations(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    return (ours.mean(0) - theirs.mean(0)) / np.sqrt((ours.var(0) + theirs.var(0)) / len(ours))


def _compare(ours: np.ndarray, theirs: np.ndarray, ranked: bool) -> dict[str, object]:
    """The smallest p-value times the number of comparisons, which of them it was, and the correlations' largest."""
    tests = {"Kolmogorov-Smirnov": stats.ks_2samp(ours, theirs, axis=0).pvalue}
    ours, theirs = _ranked(ours, theirs) if ranked else (stats.zscore(ours), stats.zscore(theirs))
    deviations = {"magnitude": _mean_deviations(abs(ours), abs(theirs))}
    between = {
        "correlation": _deviations(ours, theirs),
        "correlation of magnitudes": _deviations(abs(ours), abs(theirs)),
    }
    for name, z in {**deviations, **between}.items():
        tests[name] = 2 * stats.norm.sf(abs(z))
    comparisons = sum(map(len, tests.values()))
    smallest = min(tests, key=lambda name: tests[name].min())
    p = min(1.0, comparisons * tests[smallest].min())
    largest = max(abs(z).max() for z in between.values())
    return {"comparisons": comparisons, "p": p, "smallest": smallest, "deviation": largest}


def main() -> None:
    """Print a line of JSON for each task that is named."""
    folder, seed, *names = sys.argv[1:]
    for name in names:
        task = BENCHMARK_TASKS[name]
        with np.load(Path(folder) / f"{name}.npz") as file:
            ours = np.concatenate([file["x"], file["y"]], 1, dtype=np.float64)
            shapes = file["x"].shape, file["y"].shape
        x, y = map(np.asarray, task.sample(len(ours), int(seed)))
        if (x.shape, y.shape) != shapes:
            raise ValueError(f"{name} has shapes {x.shape} and {y.shape}, and ours are {shapes}.")
        told = _compare(ours, np.concatenate([x, y], 1, dtype=np.float64), ranked=name.startswith("student"))
        print(json.dumps({"name": name, "truth": task.mutual_information, **told}), flush=True)


if __name__ == "__main__":
    main()
