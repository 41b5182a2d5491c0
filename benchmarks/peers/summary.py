"""Write the table of results.jsonl into README.md, between its two markers, and draw who took all forty tasks.

python benchmarks/peers/summary.py
"""

import json
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from mibounds.benchmark.page import write_between
from mibounds.plots import plot_cost, save_figure
from mibounds.plots.axes import label_points
from mibounds.tasks.suites import BMI40
from peers import PEERS

HERE = Path(__file__).parent
README = HERE / "README.md"
FIGURE = HERE.parent.parent / "docs" / "figures" / "peers.png"
BEGIN, END = "<!-- table: made by summary.py -->", "<!-- end of table -->"
YARDSTICK = "mibounds fast"
HEAD = [
    f"| N | peer | tasks | mean absolute error | {YARDSTICK} on the same | mean seconds | {YARDSTICK} on the same |",
    "|---|---|---|---|---|---|---|",
]

Record = dict[str, Any]


def _fit(record: Record) -> tuple[str, int]:
    return record["task"], record["seed"]


def _error(records: list[Record]) -> str:
    return f"{statistics.mean(abs(record['value'] - record['truth']) for record in records):.3f}" if records else ""


def _seconds(records: list[Record]) -> str:
    return f"{statistics.mean(record['seconds'] for record in records):.1f}" if records else ""


def table(records: list[Record]) -> list[str]:
    """A row for each number of rows and peer; beside it what ours makes of the same arrays, where it has them all."""
    by: dict[tuple[int, str], list[Record]] = defaultdict(list)
    for record in records:
        by[record["n"], record["peer"]].append(record)
    lines = HEAD.copy()
    for n in sorted({n for n, _ in by}):
        ours = {_fit(record): record for record in by[n, YARDSTICK] if "error" not in record}
        for name in PEERS:
            tried = by[n, name]
            if not tried:
                continue
            good = [record for record in tried if "error" not in record]
            same = [ours[_fit(record)] for record in good if _fit(record) in ours]
            if name == YARDSTICK or len(same) < len(good):
                same = []
            failed = f" ({len(tried) - len(good)} fits failed)" if len(good) < len(tried) else ""
            tasks = f"{len({record['task'] for record in good})}{failed}"
            cells = [f"{n:,}", name, tasks, _error(good), _error(same), _seconds(good), _seconds(same)]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def figure(records: list[Record], n: int = 10_000) -> Figure:
    """Mean error against mean seconds of everyone who took all forty tasks at n rows."""
    series = {}
    for name in PEERS:
        good = [record for record in records if (record["n"], record["peer"]) == (n, name) and "error" not in record]
        if len({record["task"] for record in good}) == len(BMI40):
            errors = [abs(record["value"] - record["truth"]) for record in good]
            series[name] = [statistics.mean(record["seconds"] for record in good)], [statistics.mean(errors)]
    drawn = plot_cost(series)
    (axis,) = drawn.axes
    axis.set_yscale("linear")
    axis.set(ylim=(0, None), xlabel="mean seconds of a fit", ylabel=f"mean error on {len(BMI40)} tasks, nats")
    for text in [*axis.texts]:  # that were placed on another scale
        text.remove()
    label_points(axis, [(seconds[0], errors[0]) for seconds, errors in series.values()], list(series))
    return drawn


def main() -> None:
    """Replace what is between the markers, and the figure."""
    records = [json.loads(line) for line in (HERE / "results.jsonl").read_text().splitlines()]
    lines = table(records)
    write_between(README, BEGIN, END, "\n".join(["", "", *lines, "", ""]))
    save_figure(figure(records), str(FIGURE))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
