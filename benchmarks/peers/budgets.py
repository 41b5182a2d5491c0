"""Peers and this library against the number of steps: seconds a step at equal batch and network, and seconds until the
value is right. A fresh process a fit, one thread each, taking turns.

python benchmarks/peers/budgets.py        # some twenty minutes of one core; continues an interrupted run

A step's seconds are those of a long fit less those of a short one, so that imports, compilation and reading cancel;
batches have 256 rows and InfoNCE scores all pairs of them. Raw results go to budgets.jsonl, tables into README.md.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import run
from environments import OURS, default_folder, python_of

from mibounds.benchmark.page import write_between
from mibounds.benchmark.records import append_line, read_lines
from mibounds.tasks import CorrelatedGaussian, Task
from mibounds.tasks.suites import BMI40
from peers import Peer

HERE = Path(__file__).parent
RESULTS, README = HERE / "budgets.jsonl", HERE / "README.md"
SPARSE = BMI40[15]
TASKS: dict[str, Task] = {"2 nats in 20 columns": CorrelatedGaussian.with_information(20, 2.0), "5 x 5 sparse": SPARSE}
ROWS, ROUNDS, RIGHT = 10_000, 2, 0.05

# Steps of the short and of the long fit, and how many fits of so many steps each is.
STEPS: dict[str, dict[str, tuple[int, int, int]]] = {
    "separable": {"mibounds": (50, 250, 2), "torch-mist": (10, 40, 1)},
    "joint": {"mibounds": (40, 340, 2), "torch-mist": (40, 340, 1), "benchmark-mi": (40, 340, 1)},
}
LADDERS = {
    "mibounds": (10, 20, 40, 60, 150, 300),
    "torch-mist": (250, 500, 1000, 2000, 5000),
    "benchmark-mi": (250, 500, 1000, 2500, 10_000),
}


def peer(name: str, setting: str) -> Peer:
    """The package with that budget."""
    return Peer(OURS if name == "mibounds" else name, f"budget_{name.replace('-', '_')}.py", setting)


def wanted() -> Iterator[tuple[str, str, str, int]]:
    """Task, package, setting and round of every fit, so that packages take turns."""
    for number in range(ROUNDS):
        for what, packages in STEPS.items():
            for name, budgets in packages.items():
                for steps in budgets[:2]:
                    yield "5 x 5 sparse", name, f"{what} {steps}", number
        for task in TASKS:
            for name, ladder in LADDERS.items():
                for steps in ladder:
                    yield task, name, f"reach {steps}", number


def main() -> None:
    """Measure what is missing, and write the two tables into README.md, between their markers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, default=default_folder(), help="of the peers")
    folder = parser.parse_args().environments
    records = read_lines(RESULTS)
    done = {(r["task"], r["package"], r["setting"], r["round"]) for r in records}
    with tempfile.TemporaryDirectory() as temporary:
        arrays = Path(temporary) / "sample.npz"
        for key in wanted():
            if key in done:
                continue
            task, name, setting, number = key
            run.Sample(TASKS[task], ROWS, number).write(arrays)
            one = peer(name, setting)
            line = run.one(one, python_of(one.environment, folder), arrays, number, 3600)
            about = {"task": task, "truth": TASKS[task].mutual_information, "package": name, "setting": setting}
            records.append({**about, "round": number, **line})
            append_line(RESULTS, records[-1])
            print(*key, line.get("error") or (line["value"], line["seconds"]), flush=True)
    for name, lines in (("steps", steps_table(records)), ("seconds", right_table(records))):
        begin, end = (f"<!-- {mark} {name}: made by budgets.py -->" for mark in ("table of", "end of"))
        write_between(README, begin, end, "\n".join(["", "", *lines, "", ""]))
        print(*lines, sep="\n")


def seconds(records: list[dict[str, Any]], name: str, setting: str) -> list[float]:
    """Of the rounds, in their order."""
    found = [r for r in records if r["package"] == name and r["setting"] == setting]
    return [r["seconds"] for r in sorted(found, key=lambda r: r["round"])]


def steps_table(records: list[dict[str, Any]]) -> list[str]:
    """Milliseconds a step, medians of the rounds."""
    lines = ["| all pairs of 256 rows | package | ms a step | of ours |", "|---|---|--:|--:|"]
    for what, packages in STEPS.items():
        steps = {}
        for name, (few, many, fits) in packages.items():
            both = zip(seconds(records, name, f"{what} {few}"), seconds(records, name, f"{what} {many}"), strict=True)
            steps[name] = [1e3 * (long - short) / (many - few) / fits for short, long in both]
        for name, of_rounds in steps.items():
            ratio = statistics.median(a / b for a, b in zip(of_rounds, steps["mibounds"], strict=True))
            lines.append(f"| {what} | {name} | {statistics.median(of_rounds):.1f} | {ratio:.1f} |")
    return lines


def right_table(records: list[dict[str, Any]]) -> list[str]:
    """The quickest budget whose median error is small enough, and its median seconds."""
    lines = ["| median error at most 5 % | package | steps | seconds | error |", "|---|---|--:|--:|--:|"]
    for task in TASKS:
        for name, ladder in LADDERS.items():
            found = []
            for steps in ladder:
                fits = [r for r in records if (r["task"], r["package"], r["setting"]) == (task, name, f"reach {steps}")]
                error = statistics.median(abs((r["value"] or 0) / r["truth"] - 1) for r in fits)
                found.append((statistics.median(r["seconds"] for r in fits), error, steps))
            right = [one for one in found if one[1] <= RIGHT]
            took, error, steps = min(right or found, key=lambda one: one[0] if right else one[1])
            when = f"{took:.1f}" if right else "never"
            lines.append(f"| {task} | {name} | {steps:,} | {when} | {100 * error:.0f} % |")
    return lines


if __name__ == "__main__":
    main()
