"""One training step over all pairs of a batch: seconds and peak memory above its inputs; writes large_batch.jsonl.

python benchmarks/speed/large_batch.py                                   # the table, some ten minutes on one core
python benchmarks/speed/large_batch.py --rows 65536 --bound JensenShannon   # one step

A step is the loss and its backward pass, of a critic 3 x 256 on 20 + 20 columns. Every step runs in a process of its
own, which samples its anonymous memory every few milliseconds. The plain step, which holds all scores, stands beside
the blocked one as far as it goes. On a machine with other work to do, seconds mean little and CPU seconds more.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "large_batch.jsonl"
TABLE = (
    ("separable", 1_024, "plain"), ("separable", 1_024, "blocked"),
    ("separable", 4_096, "plain"), ("separable", 4_096, "blocked"),
    ("separable", 16_384, "blocked"), ("separable", 65_536, "blocked"),
    ("joint", 1_024, "blocked"),
)  # fmt: skip
DIM, HIDDEN = 20, (256, 256, 256)


def anonymous_megabytes() -> float:
    """The anonymous memory of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


class Peak(threading.Thread):
    """The largest anonymous memory during the run, in MB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.megabytes, self.over = 0.0, threading.Event()

    def run(self) -> None:
        """Look every few milliseconds."""
        while not self.over.wait(0.003):
            self.megabytes = max(self.megabytes, anonymous_megabytes())


def measure(critic: str, rows: int, how: str, bound: str) -> dict[str, object]:
    """One step, in this process."""
    import torch

    import mibounds as mi
    from mibounds.estimators import mi_estimator as module

    if how == "plain":
        module.FEW_PAIRS = rows * rows
    torch.manual_seed(0)
    build = mi.critics.SeparableCritic if critic == "separable" else mi.critics.JointCritic
    estimator = mi.MIEstimator(build(DIM, DIM, hidden=HIDDEN), getattr(mi.bounds, bound)())
    x, y = mi.tasks.CorrelatedGaussian.with_information(DIM, 6.0).sample(rows, torch.Generator().manual_seed(0))
    estimator.loss(x[:64], y[:64]).backward()  # threads and libraries are there
    before, peak = anonymous_megabytes(), Peak()
    peak.start()
    start, busy = time.perf_counter(), time.process_time()
    estimator.loss(x, y).backward()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - busy
    peak.over.set()
    peak.join()
    return {
        "critic": critic, "rows": rows, "how": how, "bound": bound,
        "seconds": round(seconds, 2), "cpu_seconds": round(cpu_seconds, 2), "megabytes": round(peak.megabytes - before),
        "threads": torch.get_num_threads(), "cores": len(os.sched_getaffinity(0)), "torch": torch.__version__,
    }  # fmt: skip


def main() -> None:
    """Measure what is asked for, each in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--critic", choices=("separable", "joint"), default="separable")
    parser.add_argument("--how", choices=("plain", "blocked"), default="blocked")
    parser.add_argument("--bound", default="InfoNCE")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        print(json.dumps(measure(options.critic, options.rows, options.how, options.bound)))
        return
    for critic, rows, how in [(options.critic, options.rows, options.how)] if options.rows else TABLE:
        command = [sys.executable, __file__, "--here", "--critic", critic, "--rows", str(rows), "--how", how]
        command += ["--bound", options.bound]
        line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        print(line, flush=True)
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


if __name__ == "__main__":
    main()
