"""Time, accuracy and p-values of `mi.matrix`, and its speed beside a loop of `mi.estimate`.

python benchmarks/matrix/run.py      # continues an interrupted run; writes results.jsonl and the README's tables

Four parts: a Gaussian copula of 50 columns and 5,000 rows; as large a table with ten pairs of other shapes, three
harder ones and 24 Gaussian columns; tables of 12 columns with five dependent pairs, for power and false discoveries;
and 20 pairs of the first table by `mi.estimate`, one after the other.
"""

import argparse
import os
import time
import warnings
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from shapes import HARDER, TEN
from torch import Tensor

import mibounds as mi
from mibounds.benchmark.page import write_between
from mibounds.benchmark.records import append_line, read_lines

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
COLUMNS, ROWS = 50, 5_000
FEW_ROWS = 1_000
LEVEL = 0.1
Record = dict[str, object]


def gaussian(columns: int, rows: int, seed: int) -> tuple[Tensor, Tensor]:
    """Monotone maps of correlated Gaussian columns (rows, columns), and the information of every pair."""
    g = torch.Generator().manual_seed(seed)
    loadings = torch.randn(columns, max(2, columns // 5), generator=g, dtype=torch.float64)
    covariance = loadings @ loadings.T + 2 * torch.eye(columns, dtype=torch.float64)
    scale = covariance.diag().rsqrt()
    correlation = covariance * scale[:, None] * scale
    noise = torch.randn(rows, columns, generator=g, dtype=torch.float64)
    table = noise @ torch.linalg.cholesky(correlation).T
    table[:, 1::3], table[:, 2::3] = table[:, 1::3].exp(), table[:, 2::3] ** 3
    return table, -0.5 * torch.log1p(-correlation.fill_diagonal_(0).square())


def run_gaussian(seed: int) -> list[Record]:
    """50 columns of a Gaussian copula."""
    table, truth = gaussian(COLUMNS, ROWS, seed)
    start, cpu = time.perf_counter(), time.process_time()
    found = mi.matrix(table)
    seconds, busy = time.perf_counter() - start, time.process_time() - cpu
    upper = np.triu_indices(COLUMNS, 1)
    errors = np.abs(found.values - truth.numpy())[upper]
    return [
        {"part": "gaussian", "seed": seed, "pairs": len(errors), "seconds": seconds, "cpu_seconds": busy,
         "threads": torch.get_num_threads(), "cores": _cores(), "mean_truth": float(truth.numpy()[upper].mean()),
         "largest_truth": float(truth.max()), "mean_error": float(errors.mean()), "worst_error": float(errors.max())}
    ]  # fmt: skip


def run_shapes(seed: int) -> list[Record]:
    """Ten other pairs, three harder ones, and Gaussian columns."""
    g = torch.Generator().manual_seed(seed)
    shapes = {**TEN, **HARDER}
    pairs = torch.stack([column for shape in shapes.values() for column in shape.draw(ROWS, g)], 1)
    table = torch.cat([pairs, gaussian(COLUMNS - pairs.shape[1], ROWS, seed)[0]], 1)
    start, cpu = time.perf_counter(), time.process_time()
    found = mi.matrix(table)
    seconds, busy = time.perf_counter() - start, time.process_time() - cpu
    return [
        {"part": "shapes", "seed": seed, "shape": name, "truth": shape.truth(), "value": found.values[2 * i, 2 * i + 1],
         "stderr": found.stderr[2 * i, 2 * i + 1], "seconds": seconds, "cpu_seconds": busy, "cores": _cores()}
        for i, (name, shape) in enumerate(shapes.items())
    ]  # fmt: skip


def run_pvalues(seed: int) -> list[Record]:
    """12 columns: five weakly dependent pairs, two independent columns, 61 independent pairs."""
    g = torch.Generator().manual_seed(seed)
    x, noise = torch.randn(2, FEW_ROWS, 6, generator=g, dtype=torch.float64)
    label = (torch.rand(FEW_ROWS, generator=g) < 0.3).double()
    y = [
        0.12 * x[:, 0] + noise[:, 0],
        0.12 * x[:, 1].square() + noise[:, 1],
        (1 + 0.2 * x[:, 2].abs()) * noise[:, 2],
        (2 * x[:, 3]).sin() + 5 * noise[:, 3],
        0.3 * label + noise[:, 4],
        noise[:, 5],
    ]
    x[:, 4] = label
    table = torch.stack([column for pair in zip(x.unbind(1), y, strict=True) for column in pair], 1)
    found = mi.matrix(table, pvalues=True, seed=seed)
    dependent = np.zeros((12, 12), dtype=bool)
    dependent[[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]] = True
    upper = np.triu_indices(12, 1)
    p, adjusted, real = found.pvalues[upper], found.adjusted[upper], dependent[upper]
    rejected = adjusted <= LEVEL
    return [
        {"part": "pvalues", "seed": seed, "null_pvalues": p[~real].tolist(), "pvalues": p[real].tolist(),
         "found": int((rejected & real).sum()), "false": int((rejected & ~real).sum())}
    ]  # fmt: skip


def run_loop(pairs: int, known: int) -> list[Record]:
    """Single estimates of pairs of the first table, beyond those that are known."""
    table, truth = gaussian(COLUMNS, ROWS, 0)
    g, records = torch.Generator().manual_seed(0), []
    for pair in range(pairs):
        i, j = torch.randperm(COLUMNS, generator=g)[:2].tolist()
        if pair < known:
            continue
        start, cpu = time.perf_counter(), time.process_time()
        value = mi.estimate(table[:, i], table[:, j]).value
        seconds, busy = time.perf_counter() - start, time.process_time() - cpu
        records.append({"part": "loop", "columns": [i, j], "value": value, "truth": float(truth[i, j]),
                        "seconds": seconds, "cpu_seconds": busy, "cores": _cores()})  # fmt: skip
    return records


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def tables(records: list[Record]) -> str:
    """Markdown of all that was measured."""

    def of(part: str) -> list[Record]:
        return [record for record in records if record["part"] == part]

    lines: list[str] = []
    if whole := of("gaussian"):
        lines += ["| Gaussian copula, seed | pairs | seconds | of CPU | cores | mean error | worst | largest truth |",
                  "|---|--:|--:|--:|--:|--:|--:|--:|"]  # fmt: skip
        lines += [
            f"| {r['seed']} | {r['pairs']:,} | {r['seconds']:.0f} | {r['cpu_seconds']:.0f} | {r['cores']} | "
            f"{r['mean_error']:.4f} | {r['worst_error']:.3f} | {r['largest_truth']:.2f} |" for r in whole
        ]  # fmt: skip
    if shapes := of("shapes"):
        lines += ["", "| pair | truth | " + " | ".join(f"seed {s}" for s in sorted({r["seed"] for r in shapes})) + " |"]
        lines += ["|---|--:|" + "--:|" * len({r["seed"] for r in shapes})]
        for name in (*TEN, *HARDER):
            mine = sorted((r for r in shapes if r["shape"] == name), key=lambda r: r["seed"])
            star = "" if name in TEN else " (harder)"
            cells = " | ".join(f"{r['value']:.3f} ({r['value'] - r['truth']:+.3f})" for r in mine)
            lines.append(f"| {name}{star} | {mine[0]['truth']:.3f} | {cells} |")
    if tests := of("pvalues"):
        null = np.concatenate([r["null_pvalues"] for r in tests])
        proportions = [r["false"] / max(r["false"] + r["found"], 1) for r in tests]
        power = np.mean([np.array(r["pvalues"]) <= 0.05 for r in tests], 0)
        lines += ["", f"| p-values, {len(tests)} tables of 66 pairs, {FEW_ROWS:,} rows | |", "|---|--:|",
                  f"| independent pairs with p up to 0.01, 0.05, 0.1 | {np.mean(null <= 0.01):.3f}, "
                  f"{np.mean(null <= 0.05):.3f}, {np.mean(null <= 0.1):.3f} |",
                  f"| mean proportion of false discoveries at {LEVEL:g} | {fmean(proportions):.3f} |",
                  f"| of the five dependent pairs, found | {fmean(r['found'] / 5 for r in tests):.2f} |",
                  "| power at 0.05: line, parabola, scale, sine, label | " + ", ".join(f"{x:.2f}" for x in power) + " |"
                  ]  # fmt: skip
    if (loop := of("loop")) and whole:
        each = fmean(r["cpu_seconds"] / r["pairs"] for r in whole)
        single = fmean(r["cpu_seconds"] for r in loop)
        error = fmean(abs(r["value"] - r["truth"]) for r in loop)
        lines += ["", "| CPU seconds a pair | | mean error |", "|---|--:|--:|",
                  f"| `mi.estimate`, {len(loop)} pairs | {single:.1f} | {error:.4f} |",
                  f"| `mi.matrix` | {each:.3f} | {fmean(r['mean_error'] for r in whole):.4f} |",
                  f"| ratio | {single / each:,.0f} | |"]  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing, and put the tables into README.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1, help="of the two large tables")
    parser.add_argument("--tables", type=int, default=20, help="for the p-values")
    parser.add_argument("--pairs", type=int, default=20, help="by mi.estimate")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    known = read_lines(RESULTS)
    done = {(record["part"], record["seed"]) for record in known if "seed" in record}
    parts = [("gaussian", s, run_gaussian) for s in range(options.seeds)]
    parts += [("shapes", s, run_shapes) for s in range(options.seeds)]
    parts += [("pvalues", s, run_pvalues) for s in range(options.tables)]
    parts += [("loop", None, lambda _: run_loop(options.pairs, sum(r["part"] == "loop" for r in known)))]
    for part, seed, measure in parts:
        if (part, seed) in done:
            continue
        records = measure(seed)
        for record in records:
            append_line(RESULTS, record)
        known += records
    write_between(
        HERE / "README.md", "<!-- tables: made by run.py -->", "<!-- end of tables -->", f"\n\n{tables(known)}\n\n"
    )
    print(tables(known))


if __name__ == "__main__":
    main()
