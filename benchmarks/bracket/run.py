"""Brackets of the forty tasks at 10,000 rows: raw results in results.jsonl, the table in README.md.

python benchmarks/bracket/run.py            # one core; continues an interrupted run
python benchmarks/bracket/run.py --fresh    # estimates the lower bounds again, too
"""

import json
import statistics
import sys
import time
import warnings
import zlib
from pathlib import Path

import torch
import zuko

import mibounds as mi
from mibounds.benchmark.records import append_line, read_lines
from mibounds.tasks.suites import BMI40

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
LOWER = HERE.parent / "bmi40" / "results.jsonl"
ROWS, SEED = 10_000, 0
FIRST = (0, 6, 14, 18, 28, 34)
WIDE = (11, 12, 16, 26, 29, 32, 35)  # 25 and 50 columns


def sample(task: mi.tasks.Task) -> tuple[torch.Tensor, torch.Tensor]:
    """The standardized columns that `mibounds benchmark --suite bmi40 --n 10000` draws for seed 0."""
    generator = torch.Generator().manual_seed(zlib.crc32(f"{task!r}, {ROWS} rows, seed {SEED}".encode()))
    x, y = (rows.flatten(1) for rows in task.sample(ROWS, generator))
    return mi.Standardize().fit(x)(x), mi.Standardize().fit(y)(y)


def known(task: mi.tasks.Task) -> mi.Result | None:
    """The estimate on these rows, if benchmarks/bmi40 has it."""
    for line in LOWER.read_text().splitlines():
        record = json.loads(line)
        if (record["task"], record["n"], record["seed"]) == (repr(task), ROWS, SEED):
            value, method = record["value"], record["method"]
            if method == "InfoNCE":
                estimates = {method: value}
                return mi.Result(value=value, stderr=record["stderr"], estimates=estimates, method=method, n=ROWS)
    return None


def one(index: int, fresh: bool) -> dict[str, object]:
    """One bracket as a record."""
    task = BMI40[index]
    x, y = sample(task)
    estimate = None if fresh else known(task)
    start = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mi.MIWarning)
        found = mi.bracket(x, y, estimate=estimate, seed=SEED)
    return {
        "index": index,
        "task": repr(task),
        "dims": [x.shape[1], y.shape[1]],
        "truth": task.mutual_information,
        "lower_from": "new" if estimate is None else "benchmarks/bmi40",
        "seconds": round(time.perf_counter() - start[0], 1),
        "cpu_seconds": round(time.process_time() - start[1], 1),
        "zuko": zuko.__version__,
        **found.to_dict(),
    }


def ends(record: dict) -> tuple[float, float]:
    """Lower less two standard errors, upper plus two."""
    return record["lower"] - 2 * record["lower_stderr"], record["upper"] + 2 * record["upper_stderr"]


def report(records: list[dict]) -> str:
    """The page."""
    records = sorted(records, key=lambda record: record["index"])
    inside = [ends(r)[0] <= r["truth"] <= ends(r)[1] for r in records]
    widths = {
        name: statistics.median(ends(r)[1] - ends(r)[0] for r in records if max(r["dims"]) in dims)
        for name, dims in (("up to 5 columns", range(6)), ("all", range(100)))
    }
    versions = records[0]["versions"]
    lines = [
        "# Brackets of the forty tasks",
        "",
        "`mi.bracket` on the tasks of Czyż et al. (2023, [arXiv:2306.11078](https://arxiv.org/abs/2306.11078)), "
        f"{ROWS:,} rows, seed {SEED}, columns standardized.",
        "",
        "```bash",
        "python benchmarks/bracket/run.py",
        "```",
        "",
        "An interrupted run is continued. The samples are those of [benchmarks/bmi40](../bmi40/README.md), so the "
        "lower bounds are taken from there; `--fresh` estimates them again.",
        f"mibounds {versions['mibounds']}, torch {versions['torch']}, zuko {records[0]['zuko']}, "
        f"Python {versions['python']}; one core of a shared machine.",
        "",
        f"**{sum(inside)} of {len(records)}** brackets, lower − 2 SE to upper + 2 SE, contain the truth. Their median "
        f"width is **{widths['up to 5 columns']:.3f} nats** up to 5 columns and {widths['all']:.3f} over all. "
        f"The upper bound took {statistics.median(r['cpu_seconds'] for r in records):.0f} s of one core in the median, "
        f"{max(r['cpu_seconds'] for r in records):.0f} s at most.",
        "",
        "| task | truth | lower (SE) | upper (SE) | train-test gap in it | difference of entropies | CLUB "
        "| contains it | warnings | s |",
        "|---|--:|--:|--:|--:|--:|--:|---|---|--:|",
    ]
    for r, contained in zip(records, inside, strict=True):
        low, high = ends(r)
        verdict = "yes" if contained else f"no, {r['truth'] - high if r['truth'] > high else r['truth'] - low:+.3f}"
        lines.append(
            f"| {r['task']} | {r['truth']:.3f} | {r['lower']:.3f} ({r['lower_stderr']:.3f}) | {r['upper']:.3f} "
            f"({r['upper_stderr']:.3f}) | {r['train_test_gap']:.3f} | {r['estimates']['DifferenceOfEntropies']:.3f} | "
            f"{r['estimates']['CLUB']:.2f} | {verdict} | {', '.join(w['code'] for w in r['warnings'])} | "
            f"{r['cpu_seconds']:.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is missing and write the table."""
    torch.set_num_threads(1)
    fresh = "--fresh" in sys.argv
    records = read_lines(RESULTS)
    have = {record["index"] for record in records}
    for index in [*FIRST, *(i for i in range(len(BMI40)) if i not in FIRST + WIDE), *WIDE]:
        if index in have:
            continue
        record = one(index, fresh)
        append_line(RESULTS, record)
        records.append(record)
        low, high = ends(record)
        print(f"{index} {record['truth']:.3f} in [{low:.3f}, {high:.3f}] {low <= record['truth'] <= high}", flush=True)
        (HERE / "README.md").write_text(report(records))
    (HERE / "README.md").write_text(report(records))


if __name__ == "__main__":
    main()
