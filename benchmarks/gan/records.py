"""Raw results of trainings: files with a line of JSON for each."""

import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import mibounds
from mibounds.benchmark.records import append_line


def append(path: Path, outcome: Mapping[str, Any], seconds: float, began: float) -> None:
    """Write the results of a training down, with its seconds, the processor's since `began`, and the versions."""
    record = {**outcome, "seconds": round(seconds, 1), "processor_seconds": round(time.process_time() - began, 1)}
    record |= {"mibounds": mibounds.__version__, "torch": torch.__version__, "python": platform.python_version()}
    append_line(path, record)
    print(record, flush=True)
