"""Peers and this library on the same arrays, a fresh process a fit, one thread each, taking turns task by task.

python benchmarks/peers/run.py --n 10000 --seeds 1                             # everything, hours
python benchmarks/peers/run.py --tasks 0 14 30 --peers "mibounds fast" "torch-mist held out"

Raw results go to results.jsonl, a line when a fit ends; an interrupted run is continued.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from environments import default_folder, python_of, variables_of

from mibounds.benchmark.records import Key, drop_half_line
from mibounds.benchmark.runner import sample_rows
from mibounds.tasks import Task
from mibounds.tasks.suites import BMI40
from peers import PEERS, Peer

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
WORKERS = HERE / "workers"


class Sample(NamedTuple):
    """What the arrays of a fit depend on."""

    task: Task
    n: int
    seed: int

    def write(self, path: Path) -> None:
        """The arrays that `mibounds benchmark --suite bmi40` would fit."""
        x, y = sample_rows(Key("bmi40", repr(self.task), "", self.n, self.seed), self.task)
        np.savez(path, x=x.numpy(), y=y.numpy())


def fits(peer: Peer, task: Task) -> bool:
    """Can the peer take a task of these columns?"""
    return not peer.plane_only or all(rows.shape[1:] == (1,) for rows in task.sample(2))


def one(peer: Peer, python: Path, arrays: Path, seed: int, limit: float) -> dict[str, Any]:
    """The worker's line, or what went wrong."""
    command = [str(python), str(WORKERS / peer.worker), peer.setting, str(arrays), str(seed)]
    start = time.perf_counter()
    try:
        ended = subprocess.run(
            command, env=variables_of(peer.environment), capture_output=True, text=True, timeout=limit, check=True
        )
        line: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return line if np.isfinite(line["value"]) else {**line, "value": None, "error": f"value is {line['value']}"}
    except subprocess.TimeoutExpired:
        error = f"took longer than {limit:g} s"
    except subprocess.CalledProcessError as failed:
        error = (failed.stderr.strip().splitlines() or [f"exit status {failed.returncode}"])[-1]
    return {"seconds": round(time.perf_counter() - start, 3), "error": error}


def known() -> set[tuple[str, int, int, str]]:
    """Task, n, seed and peer of the fits that the file has."""
    if not RESULTS.exists():
        return set()
    drop_half_line(RESULTS)
    records = map(json.loads, RESULTS.read_text().splitlines())
    return {(record["task"], record["n"], record["seed"], record["peer"]) for record in records}


def missing(wanted: argparse.Namespace) -> Iterator[tuple[Sample, list[str]]]:
    """The samples, and the peers that have not had each."""
    done = known()
    for seed, n, index in product(range(wanted.seeds), wanted.n, wanted.tasks):
        task = BMI40[index]
        names = [name for name in wanted.peers if (repr(task), n, seed, name) not in done and fits(PEERS[name], task)]
        if names:
            yield Sample(task, n, seed), names


def options() -> argparse.Namespace:
    """What is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = range(len(BMI40))
    parser.add_argument("--tasks", nargs="+", type=int, default=every, choices=every, metavar="I", help="of bmi40")
    parser.add_argument("--n", nargs="+", type=int, default=[10_000], help="rows")
    parser.add_argument("--seeds", type=int, default=1, help="how many: 0, 1, ...")
    parser.add_argument(
        "--peers", nargs="+", default=list(PEERS), choices=list(PEERS), metavar="NAME", help=", ".join(PEERS)
    )
    parser.add_argument("--limit", type=float, default=3600, help="seconds after which a fit counts as failed")
    parser.add_argument("--environments", type=Path, default=default_folder(), help="of the peers")
    return parser.parse_args()


def main() -> None:
    """Measure what is missing."""
    wanted = options()
    pythons = {name: python_of(PEERS[name].environment, wanted.environments) for name in wanted.peers}
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "sample.npz"
        for sample, names in missing(wanted):
            sample.write(arrays)
            about = {"task": repr(sample.task), "truth": sample.task.mutual_information}
            about |= {"n": sample.n, "seed": sample.seed}
            for name in names:
                record = {**about, "peer": name, **one(PEERS[name], pythons[name], arrays, sample.seed, wanted.limit)}
                with RESULTS.open("a") as file:
                    file.write(json.dumps(record) + "\n")
                print(f"{record['task']}  {name}: {record.get('error') or record['value']}", flush=True)


if __name__ == "__main__":
    main()
