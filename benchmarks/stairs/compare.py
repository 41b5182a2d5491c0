"""Our results and the published ones: prints the tables of README.md and writes them there.

python benchmarks/stairs/compare.py
"""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

from mibounds.benchmark.page import write_between

HERE = Path(__file__).parent
STEPS = 4_000  # of the protocol; shorter runs are trials
RELATIVE, ABSOLUTE = 0.04, 0.12


class Key(NamedTuple):
    """A cell of a published table."""

    unit: str
    critic: str
    method: str
    truth: int


class Published(NamedTuple):
    """A published number: `sd` is None where it is not published, `flag` is a remark."""

    mean: float
    sd: float | None
    flag: str


def published() -> dict[Key, Published]:
    """The numbers of published.csv, in its order."""
    with (HERE / "published.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        _key(row): Published(
            float(row["mean"]),
            float(row["sd"]) if row["sd"] else None,
            ", ".join(filter(None, ["approximate" if row["approximate"] else "", row["defect"]])),
        )
        for row in rows
    }


def ours() -> dict[Key, dict[str, Any]]:
    """The records of results.jsonl that were made by the protocol."""
    lines = (HERE / "results.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return {_key(record): record for record in records if record["steps"] == STEPS}


def table(found: dict[Key, dict[str, Any]], known: dict[Key, Published]) -> str:
    """Markdown: a line for every published number that we have a number for, and a count."""
    lines = [
        "| unit | critic | method | truth | published | ours | deviation | within | remark |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    within = []
    for key, theirs in known.items():
        if key not in found:
            continue
        record = found[key]
        deviation = record["mean"] - theirs.mean
        within.append(abs(deviation) <= max(RELATIVE * theirs.mean, ABSOLUTE))
        cells = [
            *map(str, key),
            _pair(theirs.mean, theirs.sd),
            _pair(record["mean"], record["sd"]),
            f"{deviation:+.2f}",
            "yes" if within[-1] else "**no**",
            theirs.flag,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    count = (
        f"{sum(within)} of {len(within)} lie within max(4 %, 0.12) of the published number; {len(known)} are published."
    )
    return "\n".join([*lines, "", count])


def starts(found: dict[Key, dict[str, Any]]) -> str:
    """Markdown: what the same training reaches when its critic starts as the library's do."""
    lines = ["| unit | critic | method | truth | paper's start | library's start |", "|---|---|---|---|---|---|"]
    for key, record in found.items():
        zero = found.get(key._replace(critic=f"{key.critic}-zero"))
        if zero is not None:
            cells = [*map(str, key), *(_pair(of["mean"], of["sd"]) for of in (record, zero))]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables, and put them between their markers in README.md."""
    found = ours()
    for name, lines in {"published": table(found, published()), "starts": starts(found)}.items():
        print(lines, end="\n\n")
        start, end = (f"<!-- {name}: {edge} of what compare.py writes -->" for edge in ("start", "end"))
        write_between(HERE / "README.md", start, end, f"\n{lines}\n")


def _key(row: dict[str, Any]) -> Key:
    return Key(row["unit"], row["critic"], row["method"], int(row["truth"]))


def _pair(mean: float, sd: float | None) -> str:
    return f"{mean:.2f}" if sd is None else f"{mean:.2f} ± {sd:.2f}"


if __name__ == "__main__":
    main()
