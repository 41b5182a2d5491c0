"""Write the table of results.jsonl into README.md, between its two markers.

python benchmarks/peers/summary.py
"""

import json
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

from peers import PEERS

from mibounds.benchmark.page import write_between

HERE = Path(__file__).parent
README = HERE / "README.md"
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


def main() -> None:
    """Replace what is between the markers."""
    records = [json.loads(line) for line in (HERE / "results.jsonl").read_text().splitlines()]
    lines = table(records)
    write_between(README, BEGIN, END, "\n".join(["", "", *lines, "", ""]))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
