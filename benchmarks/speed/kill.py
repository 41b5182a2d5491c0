"""Kill -9 at random moments of an estimate: does every run that is resumed come to the same result?

python benchmarks/speed/kill.py             # 20 moments, some minutes; raw results go into kill.jsonl beside it

A fresh process estimates with a checkpoint and is killed at a moment drawn uniformly from the time that the whole
estimate takes, counted from the beginning of its training; another process, with another number of workers, resumes
it. Its value, interval, every estimate, the curves and the score of every row are compared with those of a run that
nothing interrupted, bit by bit.
"""

import argparse
import hashlib
import json
import platform
import random
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch

import mibounds as mi
from mibounds._version import versions
from mibounds.tasks import CorrelatedGaussian
from mibounds.training.checkpoints import Checkpoint

HERE = Path(__file__).parent
ROWS, STEPS, FOLDS = 1_000, 120, 3


def fit(folder: str, workers: int, resume: bool) -> None:
    """One estimate in this process: prints when it starts, and its result."""
    x, y = CorrelatedGaussian(3, 0.7).sample(ROWS, torch.Generator().manual_seed(0))
    print("started", flush=True)
    options = {"steps": STEPS, "folds": FOLDS, "hidden": (16, 16), "checkpoint": folder or None, "resume": resume}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mi.MIWarning)
        result = mi.estimate(x, y, workers=workers, **options)
    everything = json.dumps(result.to_dict()).encode() + result.pointwise.numpy().tobytes()
    print(json.dumps({"value": result.value, "everything": hashlib.sha256(everything).hexdigest()}), flush=True)


def start(folder: Path | None, workers: int, resume: bool = False) -> subprocess.Popen:
    """A process that fits, and has begun to."""
    arguments = ["--fit", str(folder or ""), "--workers", str(workers), *(["--resume"] if resume else [])]
    process = subprocess.Popen([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "started\n"
    return process


def finish(process: subprocess.Popen) -> dict:
    """What it came to."""
    line, _ = process.communicate()
    return json.loads(line)


def progress(folder: Path) -> dict:
    """How far the checkpoint of a run is."""
    page = folder / "fit.json"
    if not page.exists():
        return {"steps": 0, "folds_finished": 0}
    checkpoint = Checkpoint(folder, True, lambda: json.loads(page.read_text()))
    states = [checkpoint.fold(k + 1).state for k in range(FOLDS)]
    steps = sum(run["step"] for state in states if state for run in state.runs)
    return {"steps": steps, "folds_finished": sum(bool(state and state.evaluation) for state in states)}


def main(kills: int, seed: int) -> None:
    """Kill, resume and compare so many times."""
    draw = random.Random(seed)
    process, begun = start(None, 1), time.perf_counter()
    whole = finish(process)
    lasts = time.perf_counter() - begun
    print(f"uninterrupted: {whole['value']:.6f} nats in {lasts:.1f} s")
    records = []
    while len(records) < kills:
        workers, moment = draw.choice((1, 2)), draw.uniform(0, lasts)
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "run"
            process = start(folder, workers)
            while not (folder / "fit.json").exists():  # the data are taken in
                time.sleep(0.001)
            time.sleep(moment)
            if process.poll() is not None:  # it was done before
                continue
            process.kill()
            process.wait()
            process.stdout.close()
            at = progress(folder)
            again = finish(start(folder, 3 - workers, resume=True))
        record = {
            "seconds": round(moment, 3), "of": round(lasts, 3), "workers": [workers, 3 - workers], **at,
            "value": again["value"], "uninterrupted": whole["value"], "same": again == whole,
        }  # fmt: skip
        records.append({**record, "versions": versions(), "machine": platform.machine()})
        print(f"{len(records):3d}. killed after {moment:5.2f} s, {at}: {'the same' if record['same'] else 'ANOTHER'}")
    (HERE / "kill.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    print(f"{sum(record['same'] for record in records)} of {kills} came to the same result, to the bit.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fit", help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--resume", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fit is None:
        main(given.kills, given.seed)
    else:
        fit(given.fit, given.workers, given.resume)
